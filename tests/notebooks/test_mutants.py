"""Wrong answers to our exercises lose points, right ones that look different do not."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
#: Seconds for the mutants of one exercise, for the mistakes, and for the right answers, and how
#: many of each are tried at least and at most; ``python benchmarks/mutants.py`` tries all.
SECONDS, LEAST, MOST = 0.6, 1, 8


@pytest.fixture(scope="module")
def tool(benchmark: Callable[[str], ModuleType]) -> ModuleType:
    return benchmark("mutants")


def graded_answers() -> list[tuple[str, str]]:
    """Return the notebook and the name of every answer in code that has tests."""
    found: list[tuple[str, str]] = []
    for path in sorted(NOTEBOOKS.glob("*.ipynb")):
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            meta = cell["metadata"].get("nbgrader", {})
            if cell["cell_type"] == "code" and meta.get("solution"):
                found.append((path.stem, meta["grade_id"]))
    return found


@pytest.fixture(params=graded_answers(), ids="-".join)
def exercise(request: pytest.FixtureRequest, tool: ModuleType) -> Any:
    notebook, name = request.param
    (found,) = (item for item in tool.exercises(notebook) if item.name == name)
    return found


def test_wrong_answers_lose_points_and_right_ones_do_not(tool: ModuleType, exercise: Any) -> None:
    assert len(exercise.variants) >= 5
    assert len(tool.mutants(exercise.solution, 20)) + len(exercise.mistakes) >= 10
    most = max(LEAST, min(MOST, int(SECONDS / tool.seconds(exercise))))
    result = tool.examine(exercise, most)
    # Of a few, one that slips through is no sign; all of them are tried for docs/course-checks.md.
    assert len(result.survivors) <= max(1, len(result.mutants) * (1 - tool.LEAST_CAUGHT)), [
        mutant.change for mutant in result.survivors
    ]
    assert tool.missed_mistakes(exercise, most) == ()
    assert tool.refused_variants(exercise, most) == ()
    assert tool.run(exercise, [exercise.skeleton]) == [tool.Outcome.NOTHING]


def test_a_mistake_that_the_solution_does_not_have_is_no_mistake(tool: ModuleType) -> None:
    exercise = tool.Exercise("f", "none", "", "x = 1", mistakes={"sign": ("y", "-y")})
    with pytest.raises(ValueError, match="the solution has no 'y'"):
        tool.missed_mistakes(exercise)


def test_a_solution_without_full_points_is_told(tool: ModuleType) -> None:
    exercise = tool.Exercise("f", "none", "", "x = 1", (("assert x == 2", 3.0), ("x", 1.0)))
    with pytest.raises(ValueError, match=r"f gets 1\.0 of 4\.0 points"):
        tool.examine(exercise)


def test_an_endless_answer_is_ended_and_those_after_it_are_run(
    tool: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tool, "_CORE_SECONDS", 1)
    exercise = tool.exercises("ppo-in-one-sitting")[1]
    endless = "def clipped_surrogate_loss(*_):\n    while True: pass"
    gone = "import os\nos._exit(0)"
    outcomes = tool.run(exercise, [endless, "", gone, exercise.solution])
    told = tool.Outcome
    assert outcomes == [told.TIME, told.NOTHING, told.TIME, told.FULL]


def test_each_kind_of_mistake_is_made(tool: ModuleType) -> None:
    code = """
def f(x, done, n):
    total = 0
    for i in range(n):
        if x[i] > 0:
            total += x[i] * (1 - done)
    return np.mean(np.minimum(total, -x.detach()))
"""
    changes = {mutant.change for mutant in tool.mutants(code)}
    assert changes >= {
        "6: total += x[i] * (1 - done) -> pass",
        "6: x[i] * (1 - done) -> x[i] + (1 - done)",
        "6: x[i] -> x[i + 1]",
        "6: 1 - done -> 1",
        "6: done -> 0.0",
        "5: x[i] > 0 -> x[i] >= 0",
        "4: range(n) -> range(0, n + -1)",
        "3: 0 -> 1",
        "7: np.mean -> np.sum",
        "7: np.minimum -> np.maximum",
        "7: x.detach() -> x",
        "7: -x.detach() -> x.detach()",
        "7: np.minimum(total, -x.detach()) -> np.minimum(-x.detach(), total)",
        "7: return np.mean(np.minimum(total, -x.detach())) -> pass",
    }, sorted(changes)
