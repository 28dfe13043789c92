"""Curves of runs as a plotly figure."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_ppo.domain.charts import CHARTS
from jupyter_ppo.domain.errors import InvalidInputError, NotFoundError, UnavailableError
from jupyter_ppo.domain.training import EventKind, MetricPoint
from jupyter_ppo.training.exports.figure import to_figure, trailing_mean
from jupyter_ppo.training.metric_log import MetricWriter
from jupyter_ppo.training.own_loop import RunLog
from jupyter_ppo.training.run import Run

Trained = Callable[..., Run]


def titles(figure: Any) -> list[str]:
    return [
        one.text.partition(" <sup>")[0]
        for one in figure.layout.annotations
        if one.showarrow is False
    ]


def test_a_run_is_drawn_as_the_view_draws_it(trained: Trained) -> None:
    run = trained(eval_every=64, eval_episodes=3, learning_rate=1e-3)
    figure = to_figure(run)
    assert titles(figure) == [chart.title for chart in CHARTS]
    by_name = {trace.name: trace for trace in figure.data}
    evaluations = by_name["evaluation"]
    assert list(evaluations.x) == [one.step for one in run.evaluations()]
    assert list(evaluations.y) == [one.mean_return for one in run.evaluations()]
    assert evaluations.marker.symbol == "square-open"
    episodes = [point for point in run.metrics() if "return" in point.values]
    assert list(by_name["episode"].y) == [point.values["return"] for point in episodes]
    assert by_name["episode"].mode == "markers"
    assert list(by_name["Learning rate"].y) == [1e-3, 1e-3]
    assert "PPO on CartPole-v1, seed 0 (the run)" in figure.layout.title.text
    assert [trace.name for trace in figure.data if trace.showlegend] == [
        "episode",
        "mean of the last 100 episodes",
        "evaluation",
    ]


def test_live_changes_are_marked(trained: Trained) -> None:
    run = trained()
    run.files.note(EventKind.CHANGED, 64, "learning_rate is 0.0001 now")
    figure = to_figure(run)
    assert {shape.x0 for shape in figure.layout.shapes} == {64}
    assert len(figure.layout.shapes) == len(titles(figure)) - 1
    assert "learning_rate is 0.0001 now" in [one.text for one in figure.layout.annotations]


def test_several_runs_have_a_colour_and_dashes_each(trained: Trained) -> None:
    runs = [trained(f"seed{seed}", seed=seed) for seed in (0, 1)]
    figure = to_figure(runs)
    drawn = {
        trace.legendgroup: (trace.line.color, trace.line.dash)
        for trace in figure.data
        if trace.mode == "lines"
    }
    assert set(drawn) == {"the seed0", "the seed1"}
    assert len({colour for colour, _ in drawn.values()}) == 2
    assert len({dash for _, dash in drawn.values()}) == 2
    assert [trace.name for trace in figure.data if trace.showlegend] == ["the seed0", "the seed1"]
    assert len(to_figure(runs[0].directory.parent).data) == len(figure.data), "a folder of runs"


def test_seeds_become_a_line_with_an_interval(trained: Trained) -> None:
    runs = [trained(f"seed{seed}", seed=seed) for seed in (0, 1, 2)]
    figure = to_figure(runs, statistic="median_iqr")
    (entropy,) = [trace for trace in figure.data if trace.name == "Entropy of 3 runs"]
    curves = [[p.values["entropy"] for p in run.metrics() if "entropy" in p.values] for run in runs]
    assert list(entropy.y) == pytest.approx(
        [sorted(column)[1] for column in zip(*curves, strict=True)]
    )
    assert "median and interquartile range" in figure.layout.title.text
    assert any(trace.fill == "toself" for trace in figure.data)
    other = trained("other", n_epochs=1)
    names = {trace.name for trace in to_figure([*runs, other], statistic="iqm_bootstrap").data}
    assert {"n_epochs 2 (3 runs)", "n_epochs 1 (1 runs)"} <= names


def test_smoothing_says_what_it_does_and_leaves_the_line_behind(trained: Trained) -> None:
    run = trained()
    entropies = [point.values["entropy"] for point in run.metrics() if "entropy" in point.values]
    figure = to_figure(run, smoothing=2)
    behind, smooth = [trace for trace in figure.data if trace.name == "Entropy"]
    assert list(behind.y) == entropies
    assert behind.opacity < 0.5
    assert list(smooth.y) == pytest.approx([entropies[0], sum(entropies) / 2])
    assert "the mean of itself and the 1 before" in figure.layout.title.text


def test_a_long_run_stays_small_and_keeps_its_peaks(tmp_path: Path) -> None:
    RunLog(tmp_path / "run", env_id="Own").close()
    log = MetricWriter(tmp_path / "run" / "metrics.jsonl")
    for step in range(1, 20_001):
        value = 77.0 if step == 7777 else math.sin(step)
        log.add(MetricPoint(step, step / 10, {"surprise": math.nan if step == 5 else value}))
    log.close()
    (trace,) = to_figure(tmp_path / "run").data
    assert len(trace.x) <= 2000
    assert max(value for value in trace.y if value is not None) == 77.0
    assert (trace.x[0], trace.x[-1]) == (1, 20_000)
    assert titles(to_figure(tmp_path / "run")) == ["surprise"], "a metric of one's own has a chart"


@settings(deadline=None, max_examples=60)
@given(
    values=st.lists(st.one_of(st.floats(-1e6, 1e6), st.just(math.nan)), max_size=60),
    window=st.integers(1, 70),
)
def test_the_trailing_mean_is_the_mean_of_what_is_there(values: list[float], window: int) -> None:
    found = trailing_mean(values, window)
    assert len(found) == len(values)
    for index, mean in enumerate(found):
        part = [one for one in values[max(index - window + 1, 0) : index + 1] if math.isfinite(one)]
        if part:
            assert mean == pytest.approx(sum(part) / len(part), rel=1e-6, abs=1e-3)
        else:
            assert math.isnan(mean)


def test_what_cannot_be_drawn_is_named(
    trained: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = trained()
    with pytest.raises(InvalidInputError, match=r"^smoothing: "):
        to_figure(run, smoothing=0)
    with pytest.raises(InvalidInputError, match=r"^statistic: .* Use median_iqr"):
        to_figure(run, statistic="mean")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InvalidInputError, match="there is no run in"):
        to_figure(tmp_path / "empty")
    with pytest.raises(NotFoundError):
        to_figure(tmp_path / "nothing")
    RunLog(tmp_path / "own").close()
    with pytest.raises(InvalidInputError, match="nothing was measured yet"):
        to_figure(tmp_path / "own")
    monkeypatch.setattr("jupyter_ppo.training.exports.needs.find_spec", lambda _name: None)
    with pytest.raises(UnavailableError, match="plotly is not installed"):
        to_figure(run)
