"""What sealed grading costs, how long a call across the border takes, and how a large class fares.

Three tables. A class of 30 with its tests sealed and with all of them ``unsealed``, in turns;
a call and a megabyte from the examiner's container to the student's and back; a class of 100
notebooks that import PyTorch and Stable-Baselines3, here in a fresh container each and by
``nbgrader autograde`` without one.
"""

from __future__ import annotations

import argparse
import ast
import asyncio
import json
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

from attack_corpus import Document, cell, given, notebook, solution, tests
from class_of_30 import SOURCE, Nbgrader, make_class
from grading_here import Sealed
from harness import Cost, environment, measured, spread, table
from tqdm import tqdm

from jupyter_ppo.autograde.notebook_grader import NotebookGrader
from jupyter_ppo.domain.exam import CheckRun, CheckState
from jupyter_ppo.domain.sandbox import SandboxLimits
from jupyter_ppo.sandbox.notebook import ContainerSandbox

CALLS, LARGE_CALLS = 500, 50
COST_BAR, CALL_BAR_MS, LARGE_BAR_MS, RATE_BAR = 1.3, 2.0, 20.0, 3.0

TIMES = f"""
import statistics
import time

def median(calls, work):
    times = []
    for _ in range(calls):
        began = time.perf_counter()
        work()
        times.append(1000 * (time.perf_counter() - began))
    return round(statistics.median(times), 4)

array = np.arange(131072.0)
assert back(1) == 1 and (back(array) == array).all()
[median({CALLS}, lambda: back(1)), median({LARGE_CALLS}, lambda: back(array))]
"""
CALL_SOURCE = notebook(
    given("import numpy as np"),
    solution(
        "back", "def back(value):\n    return value.copy() if hasattr(value, 'copy') else value"
    ),
    tests("times", TIMES.strip(), 1),
)
SB3_SOURCE = notebook(
    given("import stable_baselines3\nimport torch"),
    solution("double", "def double(x):\n    return 2 * x"),
    tests(
        "double_tests",
        "assert torch.equal(double(torch.ones(3)), torch.full((3,), 2.0))\nassert double(4) == 8",
        1,
    ),
    cell("more", "double(torch.arange(3))"),
)


def unsealed(source: bytes) -> bytes:
    """Return the notebook with every test cell marked to run in the student's kernel."""
    document: Document = json.loads(source)
    for each in document["cells"]:
        if each["metadata"].get("nbgrader", {}).get("grade") and each["cell_type"] == "code":
            each["metadata"].setdefault("tags", []).append("unsealed")
    return json.dumps(document).encode()


def cost(students: int, repeats: int) -> bool:
    """Print what sealing costs a class; return whether that is within the bar."""
    source = SOURCE.read_bytes()
    submissions = make_class(source, NotebookGrader().release(source).release, students)
    rows = {
        "unsealed": Sealed(unsealed(source), submissions),
        "sealed": Sealed(source, submissions),
    }
    if not rows["sealed"].is_sealed():
        sys.exit("Not every test of the notebook is sealed; there is nothing to compare.")
    costs: dict[str, list[Cost]] = {name: [] for name in rows}
    with tqdm(total=repeats * len(rows), desc="cost", unit="class", disable=None) as bar:
        for number in range(repeats):
            for name in sorted(rows, reverse=bool(number % 2)):
                costs[name].append(measured(rows[name], containers=True))
                bar.update()
    for each in rows.values():
        each.close()
    if rows["sealed"].points != rows["unsealed"].points:
        sys.exit(f"The points differ.\n{rows['sealed'].points}\n{rows['unsealed'].points}")
    shown = [
        (
            name,
            spread([each.wall for each in found], students),
            spread([each.cpu for each in found], students),
        )
        for name, found in costs.items()
    ]
    print(f"\nClass of {students}, two at a time, {repeats} repeats: median (lowest to highest)\n")
    print(table(("seconds per submission", "wall", "CPU"), shown))
    ratios = sorted(
        one.wall / other.wall for one, other in zip(costs["sealed"], costs["unsealed"], strict=True)
    )
    ratio = statistics.median(ratios)
    print(
        f"\nSealed is {ratio:.2f} times unsealed ({ratios[0]:.2f} to {ratios[-1]:.2f}, pairs of "
        f"one turn); bar {COST_BAR}"
    )
    return ratio <= COST_BAR


def calls(repeats: int) -> bool:
    """Print what a call across the border takes; return whether that is within the bars."""
    grader, sandbox = NotebookGrader(), ContainerSandbox()
    notebook = grader.restore(CALL_SOURCE, CALL_SOURCE)
    exam = grader.exam(CALL_SOURCE, notebook, None)
    small, large = [], []
    for _ in tqdm(range(repeats), desc="calls", unit="run", disable=None):
        run = asyncio.run(sandbox.run(notebook, SandboxLimits(), exam))
        one, other = _measured_in(run.checks)
        small.append(one)
        large.append(other)

    def of(values: list[float]) -> str:
        return f"{statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"

    print(
        f"\nMedians of {CALLS} and {LARGE_CALLS} calls in {repeats} runs: median of them (range)\n"
    )
    rows = [
        ("call with an int", of(small), f"{CALL_BAR_MS:g}"),
        ("call with an array of 1 MiB, there and back", of(large), f"{LARGE_BAR_MS:g}"),
    ]
    print(table(("from the examiner's container to the student's", "ms", "bar"), rows))
    return statistics.median(small) <= CALL_BAR_MS and statistics.median(large) <= LARGE_BAR_MS


def _measured_in(checks: tuple[CheckRun, ...]) -> list[float]:
    (check,) = checks
    assert check.state is CheckState.PASSED, check
    assert check.value is not None
    found: list[float] = ast.literal_eval(check.value)
    return found


def large_class(students: int, repeats: int) -> bool:
    """Print how fast a class that imports SB3 is graded; return whether that is within the bar."""
    released = NotebookGrader().release(SB3_SOURCE).release
    submissions = make_class(SB3_SOURCE, released, students)
    rates: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        theirs = Nbgrader(Path(folder), SB3_SOURCE, submissions)
        rows: dict[str, Any] = {
            "nbgrader autograde, no sandbox": theirs,
            "here, sealed, a fresh container each": Sealed(SB3_SOURCE, submissions),
            "here, the same from a pool of 2": Sealed(SB3_SOURCE, submissions, pool=2),
            "here, sealed, 50 in one container": Sealed(SB3_SOURCE, submissions, per_container=50),
        }
        with tqdm(total=repeats * len(rows), desc="large", unit="class", disable=None) as bar:
            for _ in range(repeats):
                theirs.prepare()
                for name, work in rows.items():
                    taken = measured(work, containers=isinstance(work, Sealed))
                    rates.setdefault(name, []).append(students / taken.wall)
                    bar.update()
        expected = theirs.points(students)
    for name, work in rows.items():
        if isinstance(work, Sealed):
            work.close()
            if work.points != expected:
                sys.exit(f"The points of {name!r} differ.\n{work.points}\n{expected}")
    base = statistics.median(rates[next(iter(rows))])
    print(f"\nClass of {students} that imports torch and stable_baselines3, {repeats} repeats\n")
    shown = [
        (
            name,
            f"{statistics.median(found):.2f} ({min(found):.2f} to {max(found):.2f})",
            f"{statistics.median(found) / base:.2f}",
        )
        for name, found in rates.items()
    ]
    print(table(("two at a time where that can be", "notebooks per second", "of nbgrader"), shown))
    best = max(statistics.median(found) for found in rates.values())
    print(f"\nBar {RATE_BAR:g} times nbgrader, goal 5")
    return best >= RATE_BAR * base


def main() -> int:
    """Measure, print the tables; return 1 when a bar is missed."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--only", choices=("cost", "calls", "class"))
    options.add_argument("--repeats", type=int, default=5)
    options.add_argument("--quick", action="store_true", help="few of everything, to try it")
    chosen = options.parse_args()
    status = ContainerSandbox().status()
    if not status.available:
        sys.exit(f"{status.problem} {status.remedy or ''}")
    print(environment(), flush=True)
    small, large, repeats = (6, 6, 1) if chosen.quick else (30, 100, chosen.repeats)
    passed = []
    if chosen.only in {None, "calls"}:
        passed.append(calls(repeats))
    if chosen.only in {None, "cost"}:
        passed.append(cost(small, repeats))
    if chosen.only in {None, "class"}:
        passed.append(large_class(large, min(repeats, 3)))
    return 0 if all(passed) else 1


if __name__ == "__main__":
    sys.exit(main())
