"""A training run around one update, explained by rules from its stored figures.

How far a figure is from the usual is counted in robust deviations: (value - median) / (1.4826 *
median absolute deviation) of the updates before it, so that one spike does not hide itself. Source
of the factor: Rousseeuw and Croux, "Alternatives to the Median Absolute Deviation", 1993.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median

from jupyter_ppo.domain.errors import InvalidInputError
from jupyter_ppo.domain.training import Metric
from jupyter_ppo.tutor.run_causes import Cause, causes

#: So many updates before the one that is asked about say what is usual.
WINDOW = 30
#: With fewer there is nothing usual.
_LEAST = 5
#: The first updates of a run are like no others: they are not the most striking.
_WARM_UP = 3
#: From so many robust deviations on a figure counts as unusual.
UNUSUAL = 3.5
_MOST_DEVIATIONS = 99.0
#: The most striking update is looked for among so many, the newest.
_MOST_UPDATES = 2000
_TO_SIGMA, _MEAN_TO_SIGMA = 1.4826, 1.2533

#: What is looked at, in this order, and how many digits are shown.
LOOKED_AT: Mapping[str, str] = {
    Metric.APPROX_KL: "approximate KL",
    Metric.CLIP_FRACTION: "clip fraction",
    Metric.ENTROPY: "entropy",
    Metric.EXPLAINED_VARIANCE: "explained variance",
    Metric.VALUE_LOSS: "value loss",
    Metric.POLICY_GRADIENT_LOSS: "policy gradient loss",
    Metric.LEARNING_RATE: "learning rate",
    Metric.CLIP_RANGE: "clip range",
    Metric.ACTION_STD: "standard deviation of actions",
    Metric.MEAN_RETURN: "mean return of the last episodes",
}
#: Which way is trouble: 1 up, -1 down. They choose the most striking update.
_TROUBLE = {
    Metric.APPROX_KL: 1,
    Metric.CLIP_FRACTION: 1,
    Metric.VALUE_LOSS: 1,
    Metric.ENTROPY: -1,
    Metric.EXPLAINED_VARIANCE: -1,
    Metric.MEAN_RETURN: -1,
}


@dataclass(frozen=True, slots=True)
class RunFigures:
    """What a run measured at its updates: ``steps`` and each metric have one value per update.

    NaN where nothing was measured. ``settings`` are numbers of its spec, such as ``target_kl``;
    ``changes`` are live changes as (step, what).
    """

    steps: Sequence[int]
    values: Mapping[str, Sequence[float]]
    settings: Mapping[str, float]
    changes: Sequence[tuple[int, str]] = ()


@dataclass(frozen=True, slots=True)
class Moved:
    """One metric at the update: its value, what was usual, and by how many deviations it is off.

    ``deviations`` is None when there are too few updates before it, or the value is not finite.
    """

    metric: str
    value: float
    usual: float
    deviations: float | None

    @property
    def is_high(self) -> bool:
        """Whether it is unusually high."""
        return self.deviations is not None and self.deviations >= UNUSUAL

    @property
    def is_low(self) -> bool:
        """Whether it is unusually low."""
        return self.deviations is not None and self.deviations <= -UNUSUAL

    @property
    def fact(self) -> str:
        """One sentence with the numbers."""
        name = LOOKED_AT.get(self.metric, self.metric)
        if not math.isfinite(self.value):
            return f"{name} ({self.metric}): not a number."
        told = f"{name} ({self.metric}): {self.value:.4g}"
        if self.deviations is None:
            return f"{told}; too few updates before it to say what is usual."
        if self.value == self.usual:
            return f"{told}, as in the updates before."
        many = "more than " if abs(self.deviations) >= _MOST_DEVIATIONS else ""
        way = "above" if self.deviations > 0 else "below"
        mark = ", unusual" if self.is_high or self.is_low else ""
        return (
            f"{told}, usually {self.usual:.4g} ({many}{abs(self.deviations):.1f} deviations "
            f"{way}{mark})."
        )


@dataclass(frozen=True, slots=True)
class RunExplanation:
    """What the figures say about one update (from 1); ``was_chosen`` when nobody named it."""

    update: int
    step: int
    count: int  # updates of the run
    was_chosen: bool
    moved: tuple[Moved, ...]
    facts: tuple[str, ...]
    supported: tuple[Cause, ...]
    unsupported: tuple[Cause, ...]

    @property
    def among(self) -> str:
        """Among which updates it was chosen."""
        if self.count <= _MOST_UPDATES:
            return " of this run"
        return f" of the last {_MOST_UPDATES:,} of this run"

    @property
    def text(self) -> str:
        """The causes that the figures support, those they do not, and what to try."""
        about = f"Update {self.update} (step {self.step:,})"
        unusual = [
            LOOKED_AT.get(each.metric, each.metric)
            for each in self.moved
            if each.is_high or each.is_low
        ]
        parts = [
            f"{about} is the most striking one{self.among}." if self.was_chosen else f"{about}.",
            f"Unusual there: {', '.join(unusual)}."
            if unusual
            else "Nothing there is far from what was usual before.",
        ]
        if self.supported:
            parts.append(_listed("The figures fit:", (each.means for each in self.supported)))
        if self.unsupported:
            against = (f"{each.title}: {each.against}" for each in self.unsupported)
            parts.append(_listed("The figures do not fit:", against))
        tries = dict.fromkeys(each.attempt for each in self.supported)
        if tries:
            parts.append(_listed("What to try, one change at a time:", tries))
        return "\n\n".join(parts)


def _listed(head: str, items: Iterable[str]) -> str:
    lines = "\n".join(f"- {item}" for item in items)
    return f"{head}\n{lines}"


def explain_run(figures: RunFigures, update: int | None = None) -> RunExplanation:
    """Return what the figures say about ``update`` (from 1), or about the most striking one.

    Raises ``InvalidInputError`` (field ``update``) for one that the run has not, or when it has
    none at all (field ``run_id``).
    """
    count = len(figures.steps)
    if not count:
        msg = "run_id: this run has measured no update yet. Ask again when it has made one."
        raise InvalidInputError(msg, field="run_id")
    if update is not None and not 1 <= update <= count:
        msg = f"update: this run has updates 1 to {count}; there is no update {update}."
        raise InvalidInputError(msg, field="update")
    at = _most_striking(figures) if update is None else update - 1
    found = tuple(
        moved_at(name, figures.values[name], at) for name in LOOKED_AT if name in figures.values
    )
    step = figures.steps[at]
    before = figures.steps[at - 1] if at else 0
    changes = tuple(what for when, what in figures.changes if before <= when <= step)
    by_name = {each.metric: each for each in found}
    supported, unsupported = causes(by_name, changes, UNUSUAL)
    facts = [each.fact for each in found]
    facts += [f"Changed just before: {what}." for what in changes]
    facts += [f"{name} of this run: {value:.4g}." for name, value in figures.settings.items()]
    return RunExplanation(
        at + 1, step, count, update is None, found, tuple(facts), supported, unsupported
    )


def moved_at(metric: str, values: Sequence[float], at: int) -> Moved:
    """Return how unusual a metric is at an index; the updates before it, or all others, decide."""
    value = values[at]
    before = [each for each in values[max(at - WINDOW, 0) : at] if math.isfinite(each)]
    if len(before) < _LEAST:  # at the beginning of a run what comes after has to do
        after = values[at + 1 : at + 1 + WINDOW]
        before += [each for each in after if math.isfinite(each)]
    if len(before) < _LEAST or not math.isfinite(value):
        return Moved(metric, value, median(before) if before else math.nan, None)
    usual = median(before)
    return Moved(metric, value, usual, _deviations(value, usual, before))


def _deviations(value: float, usual: float, others: Sequence[float]) -> float:
    """Return how far ``value`` is off, within +-99; 0 if it is ``usual``."""
    off = value - usual
    if off == 0:
        return 0.0
    spread = _TO_SIGMA * median(abs(each - usual) for each in others)
    if spread == 0:  # more than half of them are equal
        spread = _MEAN_TO_SIGMA * fmean(abs(each - usual) for each in others)
    # Equal numbers differ in their last digits only: no reason to call one of them unusual.
    spread = max(spread, 1e-9 * abs(usual))
    if spread == 0 or not math.isfinite(spread) or not math.isfinite(off):
        return math.copysign(_MOST_DEVIATIONS, off)
    return max(-_MOST_DEVIATIONS, min(_MOST_DEVIATIONS, off / spread))


def _most_striking(figures: RunFigures) -> int:
    count = len(figures.steps)
    first = max(_WARM_UP if count > _WARM_UP + _LEAST else 0, count - _MOST_UPDATES)
    best, most = count - 1, 0.0
    for name, way in _TROUBLE.items():
        values = figures.values.get(name)
        if values is None:
            continue
        for at in range(first, count):
            deviations = moved_at(name, values, at).deviations
            if deviations is not None and way * deviations > most:
                best, most = at, way * deviations
    return best
