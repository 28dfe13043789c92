"""Fewer points that look the same: the least and the greatest of each part of a curve."""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left
from collections.abc import Sequence

from jupyter_ppo.domain.errors import InvalidInputError


def min_max(
    steps: Sequence[float], values: Sequence[float], points: int
) -> tuple[array[float], array[float]]:
    """Return at most ``points`` of a curve, in order: first, last, and each part's extremes.

    ``steps`` do not decrease. The parts are equally wide in steps, as columns of a picture are, so
    no peak is lost. NaN counts only where a part holds nothing else, which keeps its gap. Raises
    ``InvalidInputError`` for less than 4 points and for columns of different lengths.
    """
    if points < 4:
        msg = f"points: {points} is too few to draw a curve. Use at least 4."
        raise InvalidInputError(msg, field="points")
    if len(steps) != len(values):
        msg = f"values: {len(values)} values do not belong to {len(steps)} steps."
        raise InvalidInputError(msg, field="values")
    if len(steps) <= points:
        return array("d", steps), array("d", values)
    kept = [0]
    parts = (points - 2) // 2
    low, high = steps[0], steps[-1]
    begin = 1
    for part in range(1, parts + 1):
        last = len(steps) - 1
        end = last
        if part < parts:
            end = bisect_left(steps, low + (high - low) * part / parts, begin, last)
        if begin < end:
            kept += _extremes(values, begin, end)
        begin = end
    kept.append(len(steps) - 1)
    return array("d", [steps[i] for i in kept]), array("d", [values[i] for i in kept])


def _extremes(values: Sequence[float], begin: int, end: int) -> list[int]:
    """Return the places of the least and the greatest value, in order; once when they are one."""
    part = values[begin:end]
    if math.isnan(sum(part)):  # also when both infinities are there
        places = [i for i in range(begin, end) if not math.isnan(values[i])]
        if not places:
            return [begin]
        least = min(places, key=values.__getitem__)
        greatest = max(places, key=values.__getitem__)
    else:
        least, greatest = begin + part.index(min(part)), begin + part.index(max(part))
    return sorted({least, greatest})
