"""How much of a draft was changed, against the textbook's recursion."""

from __future__ import annotations

import functools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_ppo.domain.edit_distance import edit_distance

WORDS = st.lists(st.sampled_from(["ratio", "clip", "the", "policy"]), max_size=9).map(tuple)


@functools.cache
def steps(one: tuple[str, ...], other: tuple[str, ...]) -> int:
    if not one or not other:
        return len(one) + len(other)
    if one[0] == other[0]:
        return steps(one[1:], other[1:])
    return 1 + min(steps(one[1:], other), steps(one, other[1:]), steps(one[1:], other[1:]))


@given(one=WORDS, other=WORDS)
def test_it_is_the_least_number_of_changes_by_the_longer_text(
    one: tuple[str, ...], other: tuple[str, ...]
) -> None:
    longest = max(len(one), len(other), 1)
    assert edit_distance(" ".join(one), "\n".join(other)) == steps(one, other) / longest


@pytest.mark.parametrize(
    ("before", "after", "share"),
    [("", "", 0.0), ("a b", " a  b ", 0.0), ("a b", "", 1.0), ("a b c d", "a x c d", 0.25)],
)
def test_words_are_what_counts(before: str, after: str, share: float) -> None:
    assert edit_distance(before, after) == share
