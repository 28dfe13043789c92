"""Wrong answers to our exercises lose points, right ones that look different do not."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.fixture(scope="module")
def tool() -> Iterator[ModuleType]:
    sys.path.insert(0, str(BENCHMARKS))
    yield importlib.import_module("mutants")
    sys.path.remove(str(BENCHMARKS))
    for name in ("mutants", "mutation"):
        sys.modules.pop(name, None)


EXERCISES = ("compute_gae", "clipped_surrogate_loss")


def test_every_function_that_students_write_is_examined(tool: ModuleType) -> None:
    assert tuple(exercise.name for exercise in tool.exercises()) == EXERCISES
    assert sum(exercise.points for exercise in tool.exercises()) == 14.0


@pytest.mark.parametrize("name", EXERCISES)
def test_the_tests_catch_nearly_every_mutant(tool: ModuleType, name: str) -> None:
    (exercise,) = (item for item in tool.exercises() if item.name == name)
    result = tool.examine(exercise)
    assert len(result.mutants) > 50
    assert result.caught >= tool.LEAST_CAUGHT, [mutant.change for mutant in result.survivors]
    listed = set(tool.EQUIVALENT[name])
    assert {mutant.change for mutant in result.equivalent} == listed, "the list is out of date"


@pytest.mark.parametrize("name", EXERCISES)
def test_every_correct_variant_gets_all_points(tool: ModuleType, name: str) -> None:
    (exercise,) = (item for item in tool.exercises() if item.name == name)
    variants = tool.variants(exercise)
    assert len(variants) >= 5
    import torch

    torch.set_num_threads(1)  # a fork does not take the other threads along
    outcomes = dict(zip(variants, tool.run(exercise, list(variants.values())), strict=True))
    assert set(outcomes.values()) == {tool.Outcome.FULL}, outcomes


def test_an_endless_answer_is_ended_and_those_after_it_are_run(
    tool: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tool, "_SECONDS", 1)
    exercise = tool.exercises()[1]
    endless = "def clipped_surrogate_loss(*_):\n    while True: pass"
    gone = "import os\nos._exit(0)"
    outcomes = tool.run(exercise, [endless, "", gone, exercise.solution])
    told = tool.Outcome
    assert outcomes == [told.TIME, told.LESS, told.TIME, told.FULL]


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
