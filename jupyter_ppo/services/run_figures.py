"""A run's stored measurements as the rules of ``tutor.run_rules`` read them: one row per update."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterator, Sequence

from jupyter_ppo.domain.hyperparameters import LIVE
from jupyter_ppo.domain.run_spec import RunSpec
from jupyter_ppo.domain.schedules import Schedule
from jupyter_ppo.domain.training import EventKind, RunEvent
from jupyter_ppo.services.training_reading import MAX_ITEMS, RunReader
from jupyter_ppo.tutor.run_rules import LOOKED_AT, RunFigures

#: Settings that are told with the figures, as far as they are numbers.
_SETTINGS = ("n_epochs", "batch_size", "target_kl", "ent_coef", "vf_coef", "max_grad_norm")


def run_figures(reader: RunReader, spec: RunSpec) -> RunFigures:
    """Return what a run measured at each update; a worker wrote it, and nothing is taken on trust.

    Raises ``InvalidInputError`` when the file is too large.
    """
    columns, _ = reader.columns(tuple(LOOKED_AT))
    steps: list[int] = []
    for name in LOOKED_AT:
        if name in columns:
            steps = sorted({int(step) for step in columns[name][0] if math.isfinite(step)})
            break
    values = {name: _at(steps, *columns[name]) for name in LOOKED_AT if name in columns}
    settings = {
        name: float(value)
        for name in _SETTINGS
        if isinstance(value := getattr(spec, name), int | float)
    }
    events = reader.events(limit=MAX_ITEMS).items
    changes = tuple((event.step, what) for event in events for what in _changes(event))
    return RunFigures(steps, values, settings, changes)


def _at(steps: Sequence[int], found: Sequence[float], values: Sequence[float]) -> list[float]:
    """Return the newest value of each update, NaN where there is none since the update before."""
    result: list[float] = []
    before = -math.inf
    for step in steps:
        place = bisect_right(found, step) - 1
        result.append(values[place] if place >= 0 and found[place] > before else math.nan)
        before = step
    return result


def _changes(event: RunEvent) -> Iterator[str]:
    if event.kind is not EventKind.CHANGED:
        return
    for name in LIVE:
        value = event.data.get(name)
        if isinstance(value, bool):
            continue
        if isinstance(value, int | float):
            yield f"{name} to {value:g}"
        elif isinstance(value, Schedule | dict):
            yield f"{name} to another schedule"
