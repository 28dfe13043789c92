"""File hygiene: what no other linter looks at.

python .ci/hygiene.py            every file that git tracks or would track
python .ci/hygiene.py FILE ...   these files
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MODULE_LINES = 400
FILE_BYTES = 1_000_000
GENERATED = {"yarn.lock", "openapi.json"}
BINARY = {".png", ".ico", ".gz", ".zip"}
CONFLICT = re.compile(rb"^(<<<<<<< |>>>>>>> )", re.MULTILINE)


def files() -> list[Path]:
    """Return the files of the checkout, without what git ignores."""
    listing = subprocess.run(
        ["git", "-c", f"safe.directory={ROOT}", "ls-files", "-z", "-co", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
    ).stdout
    return [ROOT / name for name in listing.decode().split("\0") if name]


def complaints(path: Path) -> list[str]:
    """Return what is wrong with one file."""
    data = path.read_bytes()
    found = []
    if len(data) > FILE_BYTES:
        found.append(f"{len(data)} bytes; {FILE_BYTES} are allowed")
    if path.suffix in BINARY or path.name in GENERATED or b"\0" in data:
        return found
    if data and not data.endswith(b"\n"):
        found.append("no newline at the end")
    if b"\r\n" in data:
        found.append("Windows line ends")
    if CONFLICT.search(data):
        found.append("a merge conflict")
    if path.suffix == ".md" and b"TODO" in data:
        found.append("a page that is not finished")
    if path.suffix not in {".md", ".ipynb"} and re.search(rb"[ \t]+$", data, re.MULTILINE):
        found.append("blanks at the end of a line")
    # Tests and the answers to exercises are long lists of small things.
    code = path.suffix in {".py", ".ts", ".tsx"} and not {"tests", "answers"} & set(path.parts)
    if code and (lines := data.count(b"\n")) > MODULE_LINES:
        found.append(f"{lines} lines; a module has at most {MODULE_LINES}")
    return found


def main(arguments: list[str]) -> int:
    """Print every complaint; return 1 if there is one."""
    chosen = [Path(argument).resolve() for argument in arguments] or files()
    bad = 0
    for path in chosen:
        if path.is_file() and not path.is_symlink():
            for complaint in complaints(path):
                sys.stdout.write(f"{path.relative_to(ROOT)}: {complaint}\n")
                bad += 1
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
