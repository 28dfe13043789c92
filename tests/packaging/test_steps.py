"""The summary that `make test` ends with counts what the steps said."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def steps() -> ModuleType:
    spec = importlib.util.spec_from_file_location("ci_steps", ROOT / ".ci" / "steps.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["ci_steps"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("status", "text", "passed", "failed"),
    [
        (0, "12 passed in 3.10s", 12, 0),
        (1, "=== 1 failed, 11 passed, 2 skipped in 63.10s (0:01:03) ===", 11, 1),
        (1, "2 failed, 3 passed, 1 error in 1.00s", 3, 3),
        (0, "Tests:       7 passed, 7 total", 7, 0),
        (1, "Tests:       1 failed, 6 passed, 7 total", 6, 1),
        (0, "All checks passed!", 1, 0),
        (1, "E501 line too long", 0, 1),
        (5, "no tests ran in 0.01s", 0, 1),
        (None, "...", 0, 1),
        (-9, "12 passed in 3.10s", 12, 1),
    ],
)
def test_counts_are_read_from_what_was_printed(
    steps: ModuleType, status: int | None, text: str, passed: int, failed: int
) -> None:
    result = steps.Result()
    steps.count(result, "command", status, f"noise\n{text}\n")
    assert (result.counts["passed"], result.counts["failed"]) == (passed, failed)
    assert bool(result.notes) == (status != 0)


def test_every_rerun_and_skip_is_noted(steps: ModuleType) -> None:
    result = steps.Result()
    text = "RERUN tests/a.py::b - why\nSKIPPED [1] c: why\n1 passed, 1 skipped, 1 rerun in 1.00s\n"
    steps.count(result, "command", 0, text)
    assert result.counts == {"passed": 1, "failed": 0, "skipped": 1, "rerun": 1}
    assert result.notes == ["RERUN tests/a.py::b - why", "SKIPPED [1] c: why"]


def test_every_failure_is_noted_with_its_reason(steps: ModuleType) -> None:
    result = steps.Result()
    text = "FAILED a.py::b - assert 1\nERROR a.py::c - no\n1 failed, 1 error in 1.00s\n"
    steps.count(result, "command", 1, text)
    assert result.notes == ["command: exit 1", "FAILED a.py::b - assert 1", "ERROR a.py::c - no"]
