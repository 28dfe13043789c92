"""Values of settings: what is taken, and how the rest is refused."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_ppo.domain.errors import InvalidInputError
from jupyter_ppo.domain.setting_values import anything, dotted, is_number, truth, whole, wrong

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(JSON)
def test_only_true_and_false_are_truths(value: Any) -> None:
    if isinstance(value, bool):
        assert truth(value, "hints") is value
        return
    with pytest.raises(InvalidInputError, match=r"^hints: .* Use true or false\.$") as caught:
        truth(value, "hints")
    assert caught.value.field == "hints"


@given(JSON, st.integers(-5, 5), st.integers(0, 10))
def test_only_whole_numbers_within_both_ends_are_taken(value: Any, low: int, size: int) -> None:
    check = whole(low, low + size)
    if type(value) is int and low <= value <= low + size:
        assert check(value, "samples") == value
        return
    with pytest.raises(InvalidInputError, match=f"a whole number from {low} to {low + size}"):
        check(value, "samples")


@pytest.mark.parametrize("value", [0, -1.5, 2**60, 1e308])
def test_finite_numbers_are_numbers(value: float) -> None:
    assert is_number(value)


@pytest.mark.parametrize("value", [True, None, "1", float("nan"), float("inf"), 10**400, [1]])
def test_anything_else_is_no_number(value: Any) -> None:
    assert not is_number(value)


def test_a_refusal_names_the_field_and_never_repeats_a_long_value() -> None:
    error = wrong("caps.course", "x" * 500, "dollars")
    assert error.field == "caps.course"
    assert len(error.message) < 100
    assert "this number cannot be used" in wrong("samples", 10**5000, "1 to 9").message


def test_members_are_named_by_their_path() -> None:
    assert (dotted("", "caps"), dotted("caps", "course")) == ("caps", "caps.course")
    inner = {"course": 1}
    assert anything(inner, "caps") is inner
