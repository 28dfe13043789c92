"""What is drawn of a run: the charts, their series, and what each is called.

Widget, static picture, figures and the panel of runs use this table, so that they show the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from jupyter_ppo.domain.training import Metric


class Mark(StrEnum):
    """How a series is drawn."""

    DOTS = "dots"  # one per episode
    LINE = "line"
    SQUARES = "squares"  # evaluations, joined by a thin line


@dataclass(frozen=True, slots=True)
class Series:
    """One series of a chart; ``label`` is what the legend says."""

    metric: Metric
    label: str
    mark: Mark = Mark.LINE


@dataclass(frozen=True, slots=True)
class Chart:
    """One chart. ``unit`` is that of all its series, ``meaning`` one sentence for learners.

    ``low`` and ``high`` bound what the values can be; None where there is no bound.
    """

    key: str
    title: str
    unit: str
    meaning: str
    series: tuple[Series, ...]
    low: float | None = None
    high: float | None = None

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """The metrics of its series."""
        return tuple(one.metric for one in self.series)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data, ready for JSON."""
        return {
            "key": self.key,
            "title": self.title,
            "unit": self.unit,
            "meaning": self.meaning,
            "low": self.low,
            "high": self.high,
            "series": [
                {"metric": one.metric.value, "label": one.label, "mark": one.mark.value}
                for one in self.series
            ],
        }


def _single(metric: Metric, title: str, unit: str, meaning: str, **bounds: float) -> Chart:
    return Chart(metric.value, title, unit, meaning, (Series(metric, title),), **bounds)


#: In the order in which they are shown; the first is wide.
CHARTS: Final[tuple[Chart, ...]] = (
    Chart(
        "return",
        "Return",
        "reward per episode",
        "The sum of rewards of an episode. Training episodes draw their actions; evaluations play "
        "held-out seeds.",
        (
            Series(Metric.RETURN, "episode", Mark.DOTS),
            Series(Metric.MEAN_RETURN, "mean of the last 100 episodes"),
            Series(Metric.EVAL_RETURN, "evaluation", Mark.SQUARES),
        ),
    ),
    _single(
        Metric.APPROX_KL,
        "Approximate KL divergence",
        "nats",
        "How far an update moved the policy. Much above 0.02 the clipped objective is no longer a "
        "good guide.",
    ),
    _single(
        Metric.CLIP_FRACTION,
        "Clip fraction",
        "share of samples",
        "How many samples had a ratio outside of 1 ± clip_range.",
        low=0.0,
        high=1.0,
    ),
    _single(
        Metric.ENTROPY,
        "Entropy",
        "nats",
        "How random the policy is. It falls as the policy makes up its mind; at once near 0 it no "
        "longer explores.",
    ),
    _single(
        Metric.EXPLAINED_VARIANCE,
        "Explained variance",
        "1 is perfect",
        "How much of the returns the critic foresaw; 0 is no better than their mean.",
        high=1.0,
    ),
    _single(
        Metric.VALUE_LOSS,
        "Value loss",
        "squared return",
        "Squared error of the critic, in units of the return.",
        low=0.0,
    ),
    _single(
        Metric.POLICY_GRADIENT_LOSS,
        "Policy loss",
        "advantage",
        "Minus the clipped surrogate objective. It stays near 0 also in a good run; its trend says "
        "little.",
    ),
    _single(
        Metric.LEARNING_RATE,
        "Learning rate",
        "step size of Adam",
        "As its schedule and your changes set it.",
        low=0.0,
    ),
    _single(
        Metric.STEPS_PER_SECOND,
        "Speed",
        "steps per second",
        "Environment steps per second of a rollout and its update, without pauses.",
        low=0.0,
    ),
)
