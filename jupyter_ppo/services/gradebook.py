"""The grade table as text for people and as CSV for spreadsheets.

``points`` are what counts: ``raw_points``, with people's marks and extra credit in them, less the
``penalty`` for lateness. ``hint_deduction`` was taken off the tests' points before any of these.
Unsealed points are those that tests in the student's own process gave
(docs/sealed.md).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

from jupyter_ppo.domain.grading import total
from jupyter_ppo.domain.submissions import Submission
from jupyter_ppo.services.gradebook_files import csv_lines, number

COLUMNS = (
    "student",
    "assignment",
    "attempt",
    "state",
    "points",
    "max_points",
    "needs_review",
    "submitted_at",
    "unsealed_points",
    "raw_points",
    "penalty",
    "extra_credit",
    "late_seconds",
    "hint_deduction",
)


def grades_csv(rows: Iterable[Submission]) -> Iterator[str]:
    """Yield the table as CSV (RFC 4180), a line at a time.

    A text that a spreadsheet would run as a formula is prefixed with an apostrophe.
    """
    yield csv_lines([COLUMNS])
    for row in rows:
        yield csv_lines(
            [
                (
                    row.user,
                    row.assignment_name,
                    str(row.attempt),
                    row.state.value,
                    number(row.points),
                    number(row.max_points),
                    "yes" if row.needs_review else "no",
                    row.submitted_at.isoformat(timespec="seconds"),
                    _points(row, row.unsealed_points),
                    _points(row, total([row.points or 0.0, row.penalty])),
                    _points(row, row.penalty),
                    _points(row, row.extra_credit),
                    str(row.late_seconds),
                    _points(row, row.hint_deduction),
                )
            ]
        )


def grades_table(rows: Iterable[Submission]) -> str:
    """Return the table in columns for a terminal."""
    head = ("student", "assignment", "attempt", "state", "points", "unsealed points")
    lines: list[tuple[str, ...]] = [
        (*head, "extra", "penalty", "hours late", "needs review", "submission")
    ]
    for row in rows:
        points, of = number(row.points) or "-", number(row.max_points) or "-"
        review = "yes" if row.needs_review else "no"
        shown = (
            str(row.attempt),
            row.state.value,
            f"{points} / {of}",
            *map(_unless_zero, (row.unsealed_points, row.extra_credit, row.penalty)),
            _unless_zero(math.ceil(row.late_seconds / 360) / 10),
            review,
            str(row.id),
        )
        lines.append((row.user, row.assignment_name, *shown))
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    padded = (
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        for line in lines
    )
    return "\n".join(line.rstrip() for line in padded)


def _points(row: Submission, points: float) -> str:
    """Return points as text; nothing before there is a grade."""
    return "" if row.points is None else number(points)


def _unless_zero(value: float) -> str:
    return number(value) if value else "-"
