from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_ppo.domain.errors import InvalidInputError
from jupyter_ppo.domain.execution import (
    Call,
    Case,
    CaseVerdict,
    ExecutionBounds,
    Outcome,
    ProgramRun,
    judge,
    same_data,
)

leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10)
values = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


def run_of(outcome: Outcome = Outcome.SUCCEEDED, stdout: str = "", **fields: Any) -> ProgramRun:
    return ProgramRun(outcome, stdout, stderr="", seconds=1, memory_mb=1, **fields)


@settings(deadline=None, max_examples=100)
@given(values)
def test_every_value_is_the_same_as_itself(value: Any) -> None:
    assert same_data(value, value, 0)


@settings(deadline=None, max_examples=100)
@given(values, values)
def test_sameness_does_not_depend_on_the_order(left: Any, right: Any) -> None:
    assert same_data(left, right, 1e-9) == same_data(right, left, 1e-9)


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        (1, 1.0, True),
        (0.1 + 0.2, 0.3, True),
        (0.3001, 0.3, False),
        (True, 1, False),
        (0, False, False),
        (math.nan, math.nan, True),
        (math.nan, 1.0, False),
        (math.inf, math.inf, True),
        (math.inf, -math.inf, False),
        (10**400, 10**400, True),
        (10**400, 1.5, False),
        (10**400, 10**400 + 1, False),
        ("1", 1, False),
        (None, 0, False),
        ([1, (2,)], (1, [2]), True),
        ([1, 2], [1], False),
        ({"a": [1.0]}, {"a": [1]}, True),
        ({"a": 1}, {"b": 1}, False),
        ([], {}, False),
    ],
)
def test_numbers_are_compared_to_a_tolerance_and_all_else_exactly(
    left: Any, right: Any, same: bool
) -> None:
    assert same_data(left, right, 1e-9) is same


def test_two_integers_may_differ_by_the_tolerance_however_large_they_are() -> None:
    assert same_data(10, 11, 1)
    assert not same_data(10**12, 10**12 + 1, 1e-9)


def test_data_of_any_depth_is_compared() -> None:
    left: list[Any] = []
    right: list[Any] = []
    for _ in range(50_000):
        left, right = [left], [right]
    assert same_data(left, right, 0)


@pytest.mark.parametrize(
    ("stdout", "verdict"),
    [
        ("7\n", CaseVerdict.PASSED),
        ("7", CaseVerdict.PASSED),
        ("7  \r\n\n\n", CaseVerdict.PASSED),
        (" 7", CaseVerdict.FAILED),
        ("\n7", CaseVerdict.FAILED),
        ("77", CaseVerdict.FAILED),
    ],
)
def test_output_is_compared_by_line_without_blanks_at_the_ends(
    stdout: str, verdict: CaseVerdict
) -> None:
    assert judge(Case("7\n", stdin="3 4"), run_of(stdout=stdout)).verdict is verdict


@pytest.mark.parametrize(
    ("run", "verdict"),
    [
        (run_of(value=[1, 2], has_value=True), CaseVerdict.PASSED),
        (run_of(value=[1, 3], has_value=True), CaseVerdict.FAILED),
        (run_of(), CaseVerdict.FAILED),
    ],
)
def test_a_returned_value_is_compared(run: ProgramRun, verdict: CaseVerdict) -> None:
    assert judge(Case([1, 2], call=Call("f")), run).verdict is verdict


def test_a_value_that_is_none_is_not_one_that_is_missing() -> None:
    assert judge(Case(None, call=Call("f")), run_of(has_value=True)).verdict is CaseVerdict.PASSED
    assert judge(Case(None, call=Call("f")), run_of()).verdict is CaseVerdict.FAILED


@pytest.mark.parametrize("outcome", [item for item in Outcome if item is not Outcome.SUCCEEDED])
def test_a_program_that_did_not_succeed_passes_no_case(outcome: Outcome) -> None:
    right = run_of(outcome, "7", value=7, has_value=True, error_message="It is over.")
    for case in (Case("7", stdin=""), Case(7, call=Call("f"))):
        result = judge(case, right)
        assert result.verdict.value == outcome.value
        assert result.detail == "It is over."


def test_an_exception_is_named_in_the_detail() -> None:
    run = run_of(Outcome.RAISED, error_type="ValueError", error_message="no")
    assert judge(Case("", stdin=""), run).detail == "ValueError: no"


@pytest.mark.parametrize(
    ("bounds", "field"),
    [
        ({"timeout_seconds": 0.5}, "timeout_seconds"),
        ({"timeout_seconds": math.nan}, "timeout_seconds"),
        ({"memory_mb": 63}, "memory_mb"),
        ({"memory_mb": 2049}, "memory_mb"),
        ({"memory_mb": 512, "max_memory_mb": 256}, "memory_mb"),
    ],
)
def test_defaults_outside_of_the_bounds_are_named(bounds: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInputError, match=field) as caught:
        ExecutionBounds(**bounds)
    assert caught.value.field == field
