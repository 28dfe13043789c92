"""Several curves as one line: the grid, the statistics, and the interval."""

from __future__ import annotations

import itertools
import math
import random
import statistics
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_ppo.domain.errors import InvalidInputError
from jupyter_ppo.domain.statistics import BandData, Statistic
from jupyter_ppo.domain.training import MetricPoint
from jupyter_ppo.training.exports.aggregate import aggregate, read_curves
from jupyter_ppo.training.metric_log import MetricWriter

MEDIAN, IQM = Statistic.MEDIAN_IQR, Statistic.IQM_BOOTSTRAP
Curve = tuple[list[float], list[float]]


def constant(*values: float) -> list[Curve]:
    """Curves that do not move, one for each value."""
    return [([0.0, 10.0], [value, value]) for value in values]


def test_median_and_quartiles_are_those_of_a_textbook() -> None:
    # Linear between the ordered values 1 2 4 8 16: places 0, 1, 2, 3, 4 are 0, 25, ... 100 %.
    band = aggregate(constant(4, 16, 1, 8, 2), MEDIAN)
    assert band == BandData((0.0, 10.0), (4.0, 4.0), (2.0, 2.0), (8.0, 8.0))
    # Of 1 2 3 4 the quartiles lie at places 0.75, 1.5 and 2.25.
    band = aggregate(constant(1, 2, 3, 4), MEDIAN)
    assert (band.low[0], band.centre[0], band.high[0]) == (1.75, 2.5, 3.25)


def test_the_interquartile_mean_leaves_the_lowest_and_highest_quarter_out() -> None:
    assert aggregate(constant(100, 3, 4, 1, 6, 5, -50, 2), IQM).centre[0] == 3.5  # 2 3 4 5
    assert aggregate(constant(100, 3, 4, -50, 5), IQM).centre[0] == 4.0  # 5 // 4 is 1
    assert aggregate(constant(1, 2, 6), IQM).centre[0] == 3.0  # too few to leave one out


def exact_means(values: list[float]) -> list[float]:
    """The interquartile means of all resamples that there are, in order."""
    cut = len(values) // 4
    return sorted(
        statistics.fmean(sorted(drawn)[cut : len(values) - cut])
        for drawn in itertools.product(values, repeat=len(values))
    )


@pytest.mark.parametrize(
    "values", [[0.0, 1.0], [1.0, 2.0, 4.0], [0.0, 10.0, 11.0, 30.0], [1.0, 2.0, 3.0, 5.0, 90.0]]
)
def test_the_interval_is_that_of_all_resamples(values: list[float]) -> None:
    means = exact_means(values)
    band = aggregate(constant(*values), IQM)
    # 2,000 drawn resamples put a 2.5 % point between the true points of 1.5 % and 3.5 %.
    for end, share in ((band.low[0], 0.025), (band.high[0], 0.975)):
        low, high = (means[int((share + off) * len(means))] for off in (-0.01, 0.01))
        assert low - 1e-9 <= end <= high + 1e-9


def test_the_interval_agrees_with_a_bootstrap_written_in_plain_python() -> None:
    draw = random.Random(5)  # noqa: S311 - no secret
    values = [draw.gauss(200, 50) for _ in range(12)]
    means = sorted(statistics.fmean(sorted(draw.choices(values, k=12))[3:9]) for _ in range(4000))
    band = aggregate(constant(*values), IQM)
    assert band.low[0] == pytest.approx(means[100], abs=4)
    assert band.high[0] == pytest.approx(means[3900], abs=4)
    assert band.low[0] < band.centre[0] < band.high[0]


def test_the_same_runs_give_the_same_interval_each_time() -> None:
    draw = random.Random(1)  # noqa: S311 - no secret
    curves = [([0.0, 1.0], [draw.random(), draw.random()]) for _ in range(7)]
    assert aggregate(curves, IQM) == aggregate(curves, IQM)


def test_runs_count_with_their_last_value_where_all_have_begun_and_none_has_ended() -> None:
    slow = ([10.0, 30.0, 50.0], [1.0, 3.0, 5.0])
    fast = ([0.0, 20.0, 35.0], [10.0, 20.0, 30.0])
    band = aggregate([slow, fast, ([], [])], MEDIAN)
    assert band.steps == (10.0, 20.0, 30.0, 35.0)
    assert band.centre == (5.5, 10.5, 11.5, 16.5)  # means of (1,10) (1,20) (3,20) (3,30)


def test_of_several_values_at_a_step_the_last_counts_and_nan_is_none() -> None:
    noisy = ([5.0, 5.0, 6.0, 7.0], [1.0, 2.0, math.nan, 4.0])
    band = aggregate([noisy], MEDIAN)
    assert band == BandData((5.0, 7.0), (2.0, 4.0), (2.0, 4.0), (2.0, 4.0))


def test_one_run_has_no_interval_and_no_run_has_no_line() -> None:
    band = aggregate([([0.0, 1.0], [3.0, 4.0])], IQM)
    assert band.low == band.centre == band.high == (3.0, 4.0)
    empty = BandData()
    assert aggregate([], IQM) == empty
    assert aggregate([([], []), ([1.0], [math.nan])], MEDIAN) == empty
    assert aggregate([([0.0, 1.0], [0.0, 0.0]), ([2.0, 3.0], [0.0, 0.0])], MEDIAN) == empty


STEPS = st.lists(st.integers(0, 60), min_size=1, max_size=25).map(sorted)


@st.composite
def many_curves(draw: st.DrawFn) -> list[Curve]:
    found = []
    for _ in range(draw(st.integers(1, 5))):
        steps = [float(step) for step in draw(STEPS)]
        number = st.floats(-1e6, 1e6) | st.just(math.nan)
        values = draw(st.lists(number, min_size=len(steps), max_size=len(steps)))
        found.append((steps, values))
    return found


def last_value(curve: Curve, at: float) -> float:
    """The definition, one point after the other."""
    found = math.nan
    for step, value in zip(*curve, strict=True):
        if step <= at and not math.isnan(value):
            found = value
    return found


@settings(deadline=None, max_examples=80)
@given(many_curves(), st.integers(2, 12))
def test_the_grid_carries_the_last_value_forward(curves: list[Curve], points: int) -> None:
    band = aggregate(curves, MEDIAN, points)
    having = [c for c in curves if not all(math.isnan(v) for v in c[1])]
    measured = {s for c in having for s, v in zip(*c, strict=True) if not math.isnan(v)}
    assert len(band.steps) <= points
    assert set(band.steps) <= measured
    assert list(band.steps) == sorted(set(band.steps))
    for place, step in enumerate(band.steps):
        values = [last_value(curve, step) for curve in having]
        assert not any(math.isnan(value) for value in values)
        assert band.centre[place] == pytest.approx(statistics.median(values), abs=1e-6)
        assert min(values) - 1e-6 <= band.low[place] <= band.centre[place] + 1e-6
        assert band.centre[place] - 1e-6 <= band.high[place] <= max(values) + 1e-6
    if having:
        ends = [max(s for s, v in zip(*c, strict=True) if not math.isnan(v)) for c in having]
        begins = [min(s for s, v in zip(*c, strict=True) if not math.isnan(v)) for c in having]
        if max(begins) <= min(ends):
            assert (band.steps[0], band.steps[-1]) == (max(begins), min(ends))
        else:
            assert band == BandData()


@settings(deadline=None, max_examples=15)
@given(many_curves())
def test_an_interval_of_the_bootstrap_lies_within_the_values(curves: list[Curve]) -> None:
    band = aggregate(curves, IQM, 5)
    having = [c for c in curves if not all(math.isnan(v) for v in c[1])]
    for place, step in enumerate(band.steps):
        values = [last_value(curve, step) for curve in having]
        assert min(values) - 1e-6 <= band.low[place] <= band.high[place] <= max(values) + 1e-6


def test_long_curves_become_few_points_with_both_ends() -> None:
    steps = [float(step) for step in range(10_000)]
    band = aggregate([(steps, steps), (steps, steps)], MEDIAN, points=300)
    assert len(band.steps) == 300
    assert (band.steps[0], band.steps[-1]) == (0.0, 9999.0)
    assert band.centre == band.steps


@pytest.mark.parametrize(
    ("curves", "statistic", "points", "field"),
    [
        (constant(1), "mean", 300, "statistic"),
        (constant(1), MEDIAN, 1, "points"),
        ([([1.0], [1.0, 2.0])], MEDIAN, 300, "curves"),
        ([([2.0, 1.0], [1.0, 2.0])], MEDIAN, 300, "curves"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    curves: list[Curve], statistic: str, points: int, field: str
) -> None:
    with pytest.raises(InvalidInputError) as caught:
        aggregate(curves, statistic, points)
    assert caught.value.field == field


def test_curves_are_read_from_files_without_what_was_taken_back(tmp_path: Path) -> None:
    writer = MetricWriter(tmp_path / "metrics.jsonl")
    for step in (10, 20, 30):
        writer.add(MetricPoint(step, 0.0, {"mean_return": float(step)}))
    writer.rewind(15)
    writer.add(MetricPoint(20, 0.0, {"mean_return": 7.0}))
    writer.close()
    curves = read_curves([tmp_path / "metrics.jsonl", tmp_path / "none.jsonl"], "mean_return")
    assert [[list(column) for column in curve] for curve in curves] == [
        [[10.0, 20.0], [10.0, 7.0]],
        [[], []],
    ]
