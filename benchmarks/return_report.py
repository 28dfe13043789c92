"""The tables of the bars on returns: how often right answers pass, and how often broken ones."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from course_tables import table
from return_measures import Bar, Study, Values

#: The name of the right answer.
REFERENCE = "the reference solution"
#: Of right answers a bar lets so many pass at least, of the broken ones so many at most.
LEAST_RIGHT, MOST_BROKEN = 0.99, 0.05
#: Standard normal, 97.5 %.
_Z = 1.959964


@dataclass(frozen=True, slots=True)
class Measured:
    """The values of an answer by seed, and the test cells in which it loses points."""

    runs: Mapping[int, Values]
    lost: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reached:
    """How many of the trainings reach a bar, and how often a check passes that takes the best."""

    values: tuple[float | None, ...]
    reached: int
    attempts: int

    @property
    def trained(self) -> int:
        """The number of trainings."""
        return len(self.values)

    @property
    def share(self) -> float:
        """The share of checks that pass: all seeds of a check have to fail for it to fail."""
        return 1 - (1 - self.reached / self.trained) ** self.attempts

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of that share."""
        low, high = wilson(self.reached, self.trained)
        return 1 - (1 - low) ** self.attempts, 1 - (1 - high) ** self.attempts

    @property
    def text(self) -> str:
        """The count and the median."""
        return f"{self.reached}/{self.trained}, {_number(median(self.values))}"


def reached(found: Measured, study: Study, bar: Bar) -> Reached:
    """Return how often an answer reaches a bar."""
    values = tuple(found.runs[seed].get(bar.name) for seed in sorted(found.runs))
    return of_values(values, bar.limit(study.cells), bar.attempts(study.cells))


def of_values(values: Sequence[float | None], limit: float, attempts: int) -> Reached:
    """Return how often values reach ``limit``; None is a training that gave nothing."""
    passed = sum(value is not None and value >= limit for value in values)
    return Reached(tuple(values), passed, attempts)


def wilson(passed: int, of: int) -> tuple[float, float]:
    """Return the 95 % interval of a share (Wilson 1927, equation 6)."""
    share, weight = passed / of, _Z**2 / of
    middle = (share + weight / 2) / (1 + weight)
    half = _Z * math.sqrt((share * (1 - share) + weight / 4) / of) / (1 + weight)
    return max(0.0, middle - half), min(1.0, middle + half)


def median(values: Sequence[float | None]) -> float | None:
    """Return the median, in which no value counts as the lowest; None if that is the median."""
    found = statistics.median_low([-math.inf if value is None else value for value in values])
    return None if found == -math.inf else found


def percentile(values: Sequence[float | None], share: float) -> float | None:
    """Return the largest value that at most ``share`` of the values lie below."""
    found = sorted(-math.inf if value is None else value for value in values)
    at = found[int(share * len(found))]
    return None if at == -math.inf else at


def reference_table(measured: Iterable[tuple[Study, Mapping[str, Measured]]]) -> str:
    """Return what each bar is and how often the reference solution reaches it."""
    rows = []
    for study, answers in measured:
        for bar in study.bars:
            found = reached(answers[REFERENCE], study, bar)
            best = f", the best of {found.attempts} seeds" if found.attempts > 1 else ""
            rows.append(
                (
                    study.notebook[:2],
                    f"`{bar.cell}`: {bar.name}",
                    bar.what,
                    f"{bar.limit(study.cells):g}{best}",
                    f"{found.reached}/{found.trained}",
                    _number(median(found.values)),
                    _number(percentile(found.values, 0.01)),
                    f"{_percent(found.share)} (from {_percent(found.interval[0])})",
                )
            )
    titles = (
        "chapter",
        "bar",
        "what is compared",
        "enough",
        "trainings that reach it",
        "median",
        "1st percentile",
        "checks that pass",
    )
    return table(titles, rows)


def broken_table(study: Study, answers: Mapping[str, Measured]) -> str:
    """Return how often each broken answer reaches each bar, and where it loses points."""
    rows = []
    for name, found in answers.items():
        if name != REFERENCE:
            cells = []
            for bar in study.bars:
                of = reached(found, study, bar)
                cells.append(of.text if of.share <= MOST_BROKEN else f"**{of.text}**")
            rows.append((name, *cells, ", ".join(f"`{cell}`" for cell in found.lost)))
    bars = (bar.name for bar in study.bars)
    return table((f"`{study.name}`, broken", *bars, "loses points in"), rows)


def pooled(study: Study, answers: Mapping[str, Measured]) -> str:
    """Return, for each bar, how many broken answers it refuses, and what they reach together."""
    broken = [found for name, found in answers.items() if name != REFERENCE]
    lines = []
    for bar in study.bars:
        every = [reached(found, study, bar) for found in broken]
        refused = [one for one in every if one.share <= MOST_BROKEN]
        together = Reached(
            tuple(value for one in refused for value in one.values),
            sum(one.reached for one in refused),
            every[0].attempts,
        )
        lines.append(
            f"- {bar.name}: refuses {len(refused)} of the {len(every)} broken answers; of their "
            f"{together.trained} trainings {together.reached} reach the bar, so a check passes in "
            f"at most {_percent(together.interval[1])} (95 % interval)."
        )
    return "\n".join(lines)


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %" if share < 1 else "100 %"


def _number(value: float | None) -> str:
    return "none" if value is None else f"{value:.3g}" if value < 100 else f"{value:.0f}"
