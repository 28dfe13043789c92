"""Fewer points that look the same."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_ppo.domain.errors import InvalidInputError
from jupyter_ppo.training.decimate import min_max

curves = st.lists(
    st.tuples(
        st.integers(0, 1000),
        st.floats(-1e6, 1e6) | st.sampled_from([math.nan, math.inf, -math.inf]),
    ),
    max_size=300,
).map(lambda rows: (sorted(float(step) for step, _ in rows), [value for _, value in rows]))


@settings(deadline=None, max_examples=200)
@given(curves, st.integers(4, 100))
def test_ends_and_extremes_stay_and_nothing_is_made_up(
    curve: tuple[list[float], list[float]], points: int
) -> None:
    steps, values = curve
    kept_steps, kept_values = min_max(steps, values, points)
    kept = list(zip(kept_steps, map(repr, kept_values), strict=True))
    every = list(zip(steps, map(repr, values), strict=True))
    assert len(kept) <= points
    assert len(kept) == len(steps) or len(steps) > points
    remaining = iter(every)
    assert all(one in remaining for one in kept)  # in order, each at most once
    assert kept[:1] == every[:1]
    assert kept[-1:] == every[-1:]
    numbers = [value for value in values if not math.isnan(value)]
    if numbers:
        found = [value for value in kept_values if not math.isnan(value)]
        assert (min(found), max(found)) == (min(numbers), max(numbers))


def test_a_single_peak_among_a_million_points_is_kept() -> None:
    steps = [float(step) for step in range(100_000)]
    values = [0.0] * 100_000
    values[77_777] = 1.0
    kept_steps, kept_values = min_max(steps, values, 100)
    assert 77_777.0 in kept_steps
    assert max(kept_values) == 1.0
    assert len(kept_steps) <= 100


def test_parts_are_equally_wide_in_steps_not_in_points() -> None:
    # Short episodes at first, long ones later: both halves keep their share of the picture.
    steps = [float(step) for step in range(1000)] + [1000.0 + 100 * n for n in range(1, 11)]
    kept, _ = min_max(steps, [step % 7 for step in steps], 22)
    assert sum(step > 1000 for step in kept) >= 9
    assert all(before < after for before, after in pairwise(kept))


def test_too_few_points_and_columns_of_different_lengths_are_refused() -> None:
    with pytest.raises(InvalidInputError) as caught:
        min_max([1.0], [1.0], 3)
    assert caught.value.field == "points"
    with pytest.raises(InvalidInputError):
        min_max([1.0, 2.0], [1.0], 10)
