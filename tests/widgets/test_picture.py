"""The static picture that stays in a saved notebook."""

from __future__ import annotations

import math
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_ppo.domain.training import Metric, MetricPoint, RunSpec, RunState, RunStatus
from jupyter_ppo.widgets.picture import CHARTS, summary_svg

SPEC = RunSpec.from_preset("cartpole-fast")
STATUS = RunStatus(RunState.FINISHED, 60_416, 10.0, 6041.6)


def texts(svg: str) -> str:
    return " ".join(ET.fromstring(svg).itertext())  # noqa: S314  made by us


def test_the_picture_names_the_run_and_every_chart() -> None:
    words = texts(summary_svg(SPEC, STATUS, []))
    assert "PPO on CartPole-v1: finished, 60,416 of 60,416 steps" in words
    for chart in CHARTS:
        assert chart.title in words
    assert words.count("no data yet") == len(CHARTS)


def test_a_long_run_s_picture_stays_small_and_keeps_its_peak() -> None:
    points = [MetricPoint(n, n / 1e3, {Metric.RETURN: n % 500}) for n in range(50_000)]
    points += [
        MetricPoint(n * 50, n / 1e3, {metric: 1.0 for chart in CHARTS for metric in chart.metrics})
        for n in range(20_000)
    ]
    points.append(MetricPoint(10**6, 60.0, {Metric.APPROX_KL: 7.25}))
    svg = summary_svg(SPEC, STATUS, points)
    assert len(svg.encode()) < 100_000
    assert "7.25" in texts(svg)


@settings(deadline=None, max_examples=50)
@given(
    st.lists(
        st.builds(
            MetricPoint,
            st.integers(0, 10**9),
            st.just(1.0),
            st.dictionaries(st.sampled_from(list(Metric)), st.floats(width=32), min_size=1),
        ),
        max_size=30,
    )
)
def test_whatever_was_measured_the_picture_is_drawable(points: list[MetricPoint]) -> None:
    svg = summary_svg(SPEC, STATUS, points)
    root = ET.fromstring(svg)  # noqa: S314  made by us
    for path in root.iter("{http://www.w3.org/2000/svg}path"):
        assert "nan" not in path.get("d", "")
        assert "inf" not in path.get("d", "")


def test_names_are_escaped() -> None:
    status = RunStatus(RunState.FAILED, message="<script>")
    assert "<script" not in summary_svg(SPEC, status, [])


@pytest.mark.parametrize("value", [0.0, -3.0, 1e300, math.nan])
def test_a_single_point_is_enough_or_is_no_data(value: float) -> None:
    svg = summary_svg(SPEC, STATUS, [MetricPoint(0, 0.0, {Metric.ENTROPY: value})])
    assert texts(svg).count("no data yet") == len(CHARTS) - (not math.isnan(value))
