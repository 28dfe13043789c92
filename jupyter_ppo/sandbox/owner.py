"""Whose a container or a folder is: host, process id and the time that process started.

The start time tells a process from a later one with the same id.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

LABEL: Final = "jupyter-ppo.owner"

_PREFIX: Final = "jppo"
_FOLDER: Final = re.compile(rf"{_PREFIX}-(\d+)-([0-9a-z]+)-[a-z0-9_]+")
#: ``sockaddr_un.sun_path`` holds 104 bytes on macOS and 108 on Linux, the final zero included.
_LONGEST_FOLDER: Final = 90


def start_time(pid: int) -> str | None:
    """Return when process ``pid`` started, as a word to compare; None if there is none."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        if Path("/proc/self/stat").exists():
            return None
        listed = subprocess.run(
            ["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
        )
        return re.sub(r"[^0-9a-z]", "", listed.stdout.lower()) or None
    return status.rpartition(")")[2].split()[19]  # proc(5): field 22, counted from the name


def own_token() -> str:
    """Return the label of this process's containers."""
    return f"{socket.gethostname()}:{os.getpid()}:{start_time(os.getpid())}"


def is_orphan(token: str) -> bool:
    """Whether the owner of this label was a process of this host and is gone.

    What cannot be read belongs to nobody we know and is left alone.
    """
    match token.rsplit(":", 2):
        case [host, pid, started] if host == socket.gethostname() and pid.isdecimal():
            return start_time(int(pid)) != started
        case _:
            return False


def new_folder() -> Path:
    """Make a folder that only this user can enter, short enough for socket names."""
    name = f"{_PREFIX}-{os.getpid()}-{start_time(os.getpid())}-"
    root = next(root for root in _roots() if len(str(root)) + len(name) + 8 <= _LONGEST_FOLDER)
    return Path(tempfile.mkdtemp(prefix=name, dir=root))


def remove_orphaned_folders() -> list[Path]:
    """Remove the folders of processes that are gone; return those removed."""
    removed = []
    for root in dict.fromkeys(_roots()):
        for path in root.glob(f"{_PREFIX}-*"):
            match = _FOLDER.fullmatch(path.name)
            if match is None or path.is_symlink() or start_time(int(match[1])) == match[2]:
                continue
            try:
                if path.stat().st_uid == os.getuid():
                    shutil.rmtree(path)
                    removed.append(path)
            except OSError:
                continue
    return removed


def _roots() -> Iterator[Path]:
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    if runtime and os.access(runtime, os.W_OK | os.X_OK):
        yield Path(runtime)
    yield Path(tempfile.gettempdir())
    yield Path("/tmp")  # noqa: S108 - the only one that is short for certain
