from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from jupyter_ppo.domain.errors import InvalidInputError
from jupyter_ppo.training.teaching.scores import iqm, iqm_interval

scores = hnp.arrays(np.float64, st.integers(1, 20), elements=st.floats(-500, 500))


def test_the_middle_half_is_what_counts():
    assert iqm([0, 1, 2, 1000]) == 1.5
    assert iqm([3, 1, 2]) == 2  # a quarter of three is no run
    assert iqm([7.0]) == 7.0
    assert iqm([0, 10, 20, 30, 40, 50, 60, 1e9]) == 35


def picks(n, seed=0, resamples=2000):
    return np.random.default_rng(seed).integers(n, size=(resamples, n))


@settings(max_examples=50, deadline=None)
@given(scores, st.integers(0, 99))
def test_the_interval_lies_within_the_scores_and_moves_with_them(values, seed):
    drawn = picks(len(values), seed, 100)
    centre, low, high = iqm_interval(values, drawn)
    assert values.min() - 1e-9 <= low <= high <= values.max() + 1e-9
    np.testing.assert_allclose(
        iqm_interval(values + 100, drawn), np.array([centre, low, high]) + 100
    )


def test_an_interval_narrows_with_runs_and_widens_with_its_level():
    rng = np.random.default_rng(0)
    few, many = rng.normal(size=5), rng.normal(size=200)
    _, low, high = iqm_interval(few, picks(5))
    _, near_low, near_high = iqm_interval(many, picks(200))
    assert near_high - near_low < (high - low) / 2
    _, less_low, less_high = iqm_interval(few, picks(5), level=0.5)
    assert less_high - less_low < high - low


def test_a_run_that_broke_is_not_left_out_with_the_highest_quarter():
    assert math.isnan(iqm([1.0, 2.0, 3.0, math.nan]))
    assert np.isnan(iqm_interval([1.0, 2.0, 3.0, math.nan], picks(4))).all()


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        (([], [[0]]), "scores"),
        (([[1.0]], [[0]]), "scores"),
        (([1.0], [[0]], 1.0), "level"),
        (([1.0], [0]), "picks"),
        (([1.0], [[1]]), "picks"),
        (([1.0], [[0.0]]), "picks"),
        (([1.0, 2.0], [[0]]), "picks"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(arguments, field):
    with pytest.raises(InvalidInputError) as caught:
        iqm_interval(*arguments)
    assert caught.value.field == field
