"""The static picture that stays in a saved notebook."""

from __future__ import annotations

import math
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_ppo.domain.run_spec import RunSpec
from jupyter_ppo.domain.training import Metric, MetricPoint, RunState, RunStatus
from jupyter_ppo.training.launch import create_run, open_run
from jupyter_ppo.training.own_loop import RunLog
from jupyter_ppo.widgets.picture import CHARTS, run_title, summary_svg

TITLE = "PPO on CartPole-v1, seed 3"
STATUS = RunStatus(RunState.FINISHED, 60_416, 10.0, 6041.6, total_steps=60_416)


def texts(svg: str) -> str:
    return " ".join(ET.fromstring(svg).itertext())  # noqa: S314  made by us


def test_the_picture_names_the_run_and_every_chart() -> None:
    words = texts(summary_svg(TITLE, STATUS, []))
    assert "PPO on CartPole-v1, seed 3: finished, 60,416 of 60,416 steps" in words
    for chart in CHARTS:
        assert chart.title in words
    assert words.count("no data yet") == len(CHARTS)


def test_runs_that_differ_in_name_or_seed_have_titles_of_their_own(tmp_path: Path) -> None:
    wide = create_run(RunSpec(seed=4), tmp_path / "a", name="wide net")
    assert run_title(wide) == "PPO on CartPole-v1 (wide net), seed 4"
    RunLog(tmp_path / "b", env_id="CartPole-v1").close()
    assert run_title(open_run(tmp_path / "b")) == "PPO on CartPole-v1", "nobody said its seed"
    RunLog(tmp_path / "c", env_id="CartPole-v1", seed=2).close()
    assert run_title(open_run(tmp_path / "c")) == "PPO on CartPole-v1, seed 2"


def test_evaluations_are_squares_in_the_chart_of_returns() -> None:
    points = [MetricPoint(100, 1.0, {Metric.EVAL_RETURN: 475.0})]
    root = ET.fromstring(summary_svg(TITLE, STATUS, points))  # noqa: S314  made by us
    paths = [path.attrib for path in root.iter("{http://www.w3.org/2000/svg}path")]
    (drawn,) = [path for path in paths if path.get("stroke-linecap") == "square"]
    assert drawn["d"].count("M") == 1


def test_a_run_that_does_not_say_when_it_ends_has_no_end() -> None:
    words = texts(summary_svg(TITLE, RunStatus(RunState.RUNNING, 1234), []))
    assert "running, 1,234 steps" in words


def test_a_long_run_s_picture_stays_small_and_keeps_its_peak() -> None:
    points = [MetricPoint(n, n / 1e3, {Metric.RETURN: n % 500}) for n in range(50_000)]
    points += [
        MetricPoint(n * 50, n / 1e3, {metric: 1.0 for chart in CHARTS for metric in chart.metrics})
        for n in range(20_000)
    ]
    points.append(MetricPoint(10**6, 60.0, {Metric.APPROX_KL: 7.25}))
    svg = summary_svg(TITLE, STATUS, points)
    assert len(svg.encode()) < 40_000
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
    svg = summary_svg(TITLE, STATUS, points)
    root = ET.fromstring(svg)  # noqa: S314  made by us
    for path in root.iter("{http://www.w3.org/2000/svg}path"):
        assert "nan" not in path.get("d", "")
        assert "inf" not in path.get("d", "")


def test_names_are_escaped() -> None:
    status = RunStatus(RunState.FAILED, message="<script>")
    assert "<script" not in summary_svg(TITLE, status, [])
    assert "<b" not in summary_svg("PPO on CartPole-v1 (<b)", status, [])


@pytest.mark.parametrize("value", [0.0, -3.0, 1e300, math.nan])
def test_a_single_point_is_enough_or_is_no_data(value: float) -> None:
    svg = summary_svg(TITLE, STATUS, [MetricPoint(0, 0.0, {Metric.ENTROPY: value})])
    assert texts(svg).count("no data yet") == len(CHARTS) - (not math.isnan(value))


def test_metrics_of_a_loop_of_ones_own_take_the_place_of_charts_without_data() -> None:
    points = [
        MetricPoint(n, 1.0, {"my loss": 1.0 / (n + 1), Metric.ENTROPY: 0.5}) for n in range(9)
    ]
    words = texts(summary_svg(TITLE, STATUS, points))
    assert "my loss" in words
    assert "Entropy" in words
    assert words.count("no data yet") == len(CHARTS) - 2
