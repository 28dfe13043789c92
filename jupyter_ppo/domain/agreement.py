"""How far two judges agree on the levels of the same answers, with intervals.

Levels are counted from 0 (least points) upwards; the first judge is a person, the second a draft.
Sources: Cohen (1968) for the weighted kappa, Wilson (1927) for the interval of a share, Efron
(1979) for the bootstrap.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from jupyter_ppo.domain.errors import InvalidInputError

#: The 97.5 % point of the normal distribution: intervals are those of 95 %.
_Z = 1.959963984540054
_TAIL = 0.025
#: Resamples of a bootstrap, and its seed: the same answers give the same interval.
RESAMPLES = 1000
_SEED = 20261123
#: With fewer answers than this an interval by resampling means nothing.
LEAST_FOR_INTERVAL = 5

Pairs = Sequence[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Figure:
    """A value with its interval of 95 %; of too few answers it is as wide as it can be."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Agreement:
    """What two judges have in common; what is not defined is None, and ``why_not`` says why.

    ``bias`` is the mean of draft less person, in levels: above 0 the draft is kinder.
    ``confusion[i][j]`` counts the answers that the person put on level i and the draft on level j.
    """

    n: int
    qwk: Figure | None
    exact: Figure | None
    adjacent: Figure | None
    bias: Figure | None
    confusion: tuple[tuple[int, ...], ...]
    why_not: str = ""


def agreement_of(person: Sequence[int], draft: Sequence[int], levels: int) -> Agreement:
    """Return how far ``draft`` agrees with ``person``; ``levels`` is how many levels there are.

    Raises ``InvalidInputError`` for lists of different lengths and for a level out of range.
    """
    if len(person) != len(draft):
        msg = f"draft: has {len(draft)} levels for {len(person)} answers. Give one for each answer."
        raise InvalidInputError(msg, field="draft")
    for field, given in (("person", person), ("draft", draft)):
        if any(not 0 <= each < levels for each in given):
            msg = f"{field}: a level is out of range. Use 0 to {levels - 1}."
            raise InvalidInputError(msg, field=field)
    pairs = list(zip(person, draft, strict=True))
    confusion = [[0] * levels for _ in range(levels)]
    for i, j in pairs:
        confusion[i][j] += 1
    counts = tuple(tuple(row) for row in confusion)
    n = len(pairs)
    if n == 0:
        return Agreement(0, None, None, None, None, counts, "There are no answers to compare.")
    kappa = weighted_kappa(pairs)
    widest = float(max(levels - 1, 1))
    return Agreement(
        n=n,
        qwk=None if kappa is None else _resampled(pairs, kappa, weighted_kappa, -1.0, 1.0),
        exact=share(sum(i == j for i, j in pairs), n),
        adjacent=share(sum(abs(i - j) <= 1 for i, j in pairs), n),
        bias=_resampled(pairs, signed_bias(pairs), signed_bias, -widest, widest),
        confusion=counts,
        why_not=""
        if kappa is not None
        else "All answers are on the same level: kappa is not defined.",
    )


def share(count: int, n: int) -> Figure:
    """Return ``count / n`` with Wilson's interval; ``n`` is at least 1."""
    p = count / n
    square = _Z * _Z / n
    middle = (p + square / 2) / (1 + square)
    half = _Z / (1 + square) * math.sqrt(p * (1 - p) / n + square / (4 * n))
    return Figure(p, max(0.0, min(middle - half, p)), min(1.0, max(middle + half, p)))


def weighted_kappa(pairs: Pairs) -> float | None:
    """Return Cohen's kappa with quadratic weights; None where all levels are the same.

    1 is full agreement, 0 what chance would give with the same frequencies.
    """
    n = len(pairs)
    observed = sum((i - j) ** 2 for i, j in pairs) / n
    # The mean squared difference of two independent draws, from sums: no table is needed.
    first, second = [i for i, _ in pairs], [j for _, j in pairs]
    squares = sum(i * i for i in first) / n + sum(j * j for j in second) / n
    expected = squares - 2 * (sum(first) * sum(second)) / (n * n)
    if expected <= 1e-12:  # whole numbers: what is left is rounding
        return None
    return 1.0 - observed / expected


def signed_bias(pairs: Pairs) -> float:
    """Return the mean of second less first, in levels."""
    return sum(j - i for i, j in pairs) / len(pairs)


def _resampled(
    pairs: Pairs, value: float, statistic: Callable[[Pairs], float | None], low: float, high: float
) -> Figure:
    """Return the value with the percentile interval of a bootstrap over answers."""
    n = len(pairs)
    if n < LEAST_FOR_INTERVAL:
        return Figure(value, low, high)
    source = random.Random(_SEED)  # noqa: S311 - resampling, nothing to guard
    drawn = [statistic(source.choices(pairs, k=n)) for _ in range(RESAMPLES)]
    known = sorted(each for each in drawn if each is not None)
    if not known:
        return Figure(value, low, high)
    at = [known[round(share_ * (len(known) - 1))] for share_ in (_TAIL, 1 - _TAIL)]
    return Figure(value, min(at[0], value), max(at[1], value))
