"""Comparing algorithms by a few runs each: the interquartile mean and its interval, in NumPy.

Source: Agarwal et al. 2021, "Deep Reinforcement Learning at the Edge of the Statistical Precipice",
section 4.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from jupyter_ppo.domain.errors import InvalidInputError
from jupyter_ppo.training.given_arrays import Floats, floats, same_shape


def interquartile_means(values: ArrayLike) -> Floats:
    """Return the mean of the middle half of the last axis: (..., n) to (...).

    The lowest and the highest quarter are left out, each rounded down to whole numbers.
    """
    ordered = np.sort(floats("values", values), axis=-1)
    n = ordered.shape[-1]
    cut = n // 4
    middle: Floats = ordered[..., cut : n - cut].mean(axis=-1)
    return middle


def iqm(scores: ArrayLike) -> float:
    """Return the interquartile mean of one score per run, (n,); NaN if one of them is."""
    (s,) = same_shape("(n,)", (1,), is_filled=True, scores=scores)
    return math.nan if np.isnan(s).any() else float(interquartile_means(s))


def iqm_interval(
    scores: ArrayLike, picks: ArrayLike, level: float = 0.95
) -> tuple[float, float, float]:
    """Return the interquartile mean of (n,) scores, and the ends of its bootstrap interval.

    ``picks`` are (resamples, n) whole numbers below n, with replacement, as
    ``rng.integers(n, size=(2000, n))`` draws them; the interval holds the middle ``level`` of their
    interquartile means. All three are NaN if a score is.
    """
    (s,) = same_shape("(n,)", (1,), is_filled=True, scores=scores)
    drawn = np.asarray(picks)
    if (
        drawn.ndim != 2
        or drawn.shape[1:] != s.shape
        or not drawn.size
        or not np.issubdtype(drawn.dtype, np.integer)
        or np.any((drawn < 0) | (drawn >= len(s)))
    ):
        msg = f"picks: they must be (resamples, {len(s)}) whole numbers from 0 to {len(s) - 1}."
        raise InvalidInputError(msg, field="picks")
    if not 0.0 < level < 1.0:
        msg = f"level: {level} is not between 0 and 1."
        raise InvalidInputError(msg, field="level")
    if np.isnan(s).any():
        return math.nan, math.nan, math.nan
    tail = (1.0 - level) / 2.0
    low, high = np.quantile(interquartile_means(s[drawn]), (tail, 1.0 - tail))
    return iqm(s), float(low), float(high)
