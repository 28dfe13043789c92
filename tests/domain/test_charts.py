"""The table of what is drawn."""

from __future__ import annotations

import json

from jupyter_ppo.domain.charts import CHARTS, Mark
from jupyter_ppo.domain.training import TIMING, Metric


def test_every_quantity_of_the_paper_s_practice_has_its_chart() -> None:
    assert [chart.key for chart in CHARTS] == [
        "return",
        "approx_kl",
        "clip_fraction",
        "entropy",
        "explained_variance",
        "value_loss",
        "policy_gradient_loss",
        "learning_rate",
        "steps_per_second",
    ]


def test_no_metric_is_in_two_charts() -> None:
    drawn = [metric for chart in CHARTS for metric in chart.metrics]
    assert len(drawn) == len(set(drawn))


def test_episodes_are_dots_and_evaluations_squares() -> None:
    marks = {one.metric: one.mark for chart in CHARTS for one in chart.series}
    assert marks[Metric.RETURN] is Mark.DOTS
    assert marks[Metric.EVAL_RETURN] is Mark.SQUARES
    others = set(marks) - {Metric.RETURN, Metric.EVAL_RETURN}
    assert {marks[metric] for metric in others} == {Mark.LINE}


def test_a_chart_goes_through_json_with_its_bounds_and_a_sentence() -> None:
    for chart in CHARTS:
        data = json.loads(json.dumps(chart.to_dict()))
        assert data["meaning"].endswith(".")
        assert [one["metric"] for one in data["series"]] == list(chart.metrics)
        assert data["low"] is None or data["high"] is None or data["low"] < data["high"]


def test_of_what_depends_on_the_machine_only_the_speed_is_drawn() -> None:
    drawn = {metric for chart in CHARTS for metric in chart.metrics}
    assert drawn & TIMING == {Metric.STEPS_PER_SECOND}
