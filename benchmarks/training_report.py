"""Medians, ranges and bars of ``training.py``."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Outcome:
    """One line of the table at the end."""

    what: str
    measured: str
    bar: str
    is_met: bool


def median_and_range(values: Sequence[float], digits: int = 2) -> str:
    """Return the median and, in brackets, the lowest and the highest."""
    low, middle, high = min(values), statistics.median(values), max(values)
    return f"{middle:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


def at_least(what: str, values: Sequence[float], bar: float | None) -> Outcome:
    """Compare the median of ratios with a bar, if there is one."""
    measured = f"{median_and_range(values)} times"
    if bar is None:
        return Outcome(what, measured, "none", True)
    return Outcome(what, measured, f"at least {bar:g}", statistics.median(values) >= bar)


def below(what: str, values: Sequence[float], bar: float) -> Outcome:
    """Compare a median of milliseconds with a bar."""
    is_met = statistics.median(values) < bar
    return Outcome(what, f"{median_and_range(values, 1)} ms", f"below {bar:g} ms", is_met)
