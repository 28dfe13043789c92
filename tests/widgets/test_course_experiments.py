"""The experiments of the course: before anything is written, and when all of it is right."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
CHAPTERS = sorted(path.stem for path in NOTEBOOKS.glob("[01][0-9]-*.ipynb"))
#: Runs the given cells, the answers (skeletons or solutions), and the experiments; then
#: moves every control to its ends. Each chapter in a process of its own, because they register
#: environments; it is forked from one that has imported what nearly all of them need.
SCRIPT = r"""
import json, os, re, signal, sys, traceback, warnings
from pathlib import Path
import gymnasium, torch
from jupyter_ppo.widgets.experiment import Experiment

warnings.simplefilter("ignore")
made = []
original = Experiment.__init__

def kept(self, *values, **named):
    original(self, *values, **named)
    made.append(self)

Experiment.__init__ = kept
solution = re.compile(r"(?ms)^([ \t]*)### BEGIN SOLUTION.*?### END SOLUTION[^\n]*\n?")

def run_cells(path, mode):
    names = {"__name__": "__main__"}
    for number, cell in enumerate(json.loads(Path(path).read_text("utf-8"))["cells"]):
        graded = cell["metadata"].get("nbgrader", {})
        own = cell["metadata"].get("jupyter_ppo", {})
        is_ours = graded.get("locked") or graded.get("solution") or own.get("experiment")
        if cell["cell_type"] != "code" or graded.get("grade") or not is_ours:
            continue
        code = "".join(cell["source"])
        if graded.get("solution") and mode == "skeleton":
            code = solution.sub(lambda found: found[1] + "raise NotImplementedError\n", code)
        try:
            exec(compile(code, f"<cell {number}>", "exec"), names)
        except NotImplementedError:  # the body of a class
            if mode != "skeleton":
                raise

def move_controls():
    said, most = set(), 0
    for one in made:
        start = one.settings
        for name, control in one._controls.items():
            if control.is_slider:
                ends = (control.widget.min, control.widget.max)
                values = [type(start[name])(end) for end in ends]
            else:
                values = list(control._choices.values()) or [True, False]
            for value in values:
                one.set(**{**start, name: value})
                said |= set(one.said)
                most = max(most, len(one.saved.encode()))
                assert "too large to be kept" not in one.saved
                assert "<svg" in one.html or one.said, (name, value)
    return {"count": len(made), "said": sorted(said), "most": most}

def answer(path, mode, folder):
    os.chdir(folder)
    signal.alarm(150)
    for stream in (1, 2):  # the only lines that are read are those below
        os.dup2(os.open("printed.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND), stream)
    run_cells(path, mode)
    Path("found.json").write_text(json.dumps(move_controls()), "utf-8")

for line in sys.stdin:
    process = os.fork()
    if process == 0:
        status = 1
        try:
            answer(*json.loads(line))
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)
    print(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), flush=True)
"""


@pytest.fixture(scope="module")
def chapters() -> Iterator[subprocess.Popen[str]]:
    """Return what runs a chapter for each line that it is sent."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", SCRIPT], text=True, **pipes) as process:
        yield process


@pytest.mark.parametrize("mode", ["skeleton", "solution"])
@pytest.mark.parametrize("chapter", CHAPTERS)
def test_an_experiment_works_before_and_after_its_exercises(
    chapters: subprocess.Popen[str], chapter: str, mode: str, tmp_path: Path
) -> None:
    assert chapters.stdin is not None
    assert chapters.stdout is not None
    asked = [str(NOTEBOOKS / f"{chapter}.ipynb"), mode, str(tmp_path)]
    chapters.stdin.write(json.dumps(asked) + "\n")
    chapters.stdin.flush()
    status = chapters.stdout.readline().strip()
    assert status == "0", (tmp_path / "printed.txt").read_text("utf-8")[-3000:]
    found = json.loads((tmp_path / "found.json").read_text("utf-8"))
    assert found["count"] >= 1
    assert found["most"] < 100_000
    # A class whose body is not written is not defined either.
    ends = (": not written yet", ": run its cell first") if mode == "skeleton" else ()
    assert [line for line in found["said"] if not line.endswith(ends)] == []
