"""Final numbers of several runs: one number with an interval, and which of two is better."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from jupyter_ppo.domain.ablations import Improvement
from jupyter_ppo.domain.errors import InvalidInputError
from jupyter_ppo.domain.statistics import CONFIDENCE, RESAMPLES, Statistic
from jupyter_ppo.training.exports.aggregate import aggregate

_SEED: Final = 0  # of the bootstrap: the same numbers give the same interval


def interval_of(values: Sequence[float]) -> tuple[float, float, float]:
    """Return the interquartile mean of (S,) numbers and both ends of its 95 % bootstrap interval.

    As in ``aggregate``. Raises ``InvalidInputError`` (field ``values``) when there are none.
    """
    if not values:
        msg = "values: there are none, so there is no mean."
        raise InvalidInputError(msg, field="values")
    band = aggregate([((0.0,), (value,)) for value in values], Statistic.IQM_BOOTSTRAP)
    return band.centre[0], band.low[0], band.high[0]


def probability_of_improvement(
    new: Sequence[float], old: Sequence[float], *, lower_is_better: bool = False
) -> Improvement:
    """Return how likely a run of ``new`` is better than one of ``old``; ties count one half.

    The mean over all pairs, which is the Mann-Whitney U statistic divided by the number of pairs,
    with a 95 % percentile bootstrap interval over 2,000 resamples of both (Agarwal et al. 2021,
    arXiv:2108.13264, section 4.3). Raises ``InvalidInputError`` when one has no numbers.
    """
    if not len(new) or not len(old):
        msg = "new: both sides need at least one number."
        raise InvalidInputError(msg, field="new")
    x, y = np.asarray(new, dtype=np.float64), np.asarray(old, dtype=np.float64)
    if lower_is_better:
        x, y = -x, -y
    wins = (x[:, None] > y[None, :]) + 0.5 * (x[:, None] == y[None, :])
    rng = np.random.default_rng(_SEED)
    rows = rng.integers(len(x), size=(RESAMPLES, len(x)))
    columns = rng.integers(len(y), size=(RESAMPLES, len(y)))
    resampled = wins[rows[:, :, None], columns[:, None, :]].mean(axis=(1, 2))
    tail = 100 * (1 - CONFIDENCE) / 2
    low, high = np.percentile(resampled, (tail, 100 - tail))
    return Improvement(float(wins.mean()), float(low), float(high))
