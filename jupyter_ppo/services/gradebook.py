"""The grade table as text for people and as CSV for spreadsheets.

Unsealed points are those that tests in the student's own process gave (docs/sealed.md).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator

from jupyter_ppo.domain.submissions import Submission

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
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def grades_csv(rows: Iterable[Submission]) -> Iterator[str]:
    """Yield the table as CSV (RFC 4180), a line at a time.

    A text that a spreadsheet would run as a formula is prefixed with an apostrophe.
    """
    yield _line(COLUMNS)
    for row in rows:
        yield _line(
            (
                row.user,
                row.assignment_name,
                row.attempt,
                row.state.value,
                "" if row.points is None else f"{row.points:g}",
                "" if row.max_points is None else f"{row.max_points:g}",
                "yes" if row.needs_review else "no",
                row.submitted_at.isoformat(timespec="seconds"),
                "" if row.points is None else f"{row.unsealed_points:g}",
            )
        )


def grades_table(rows: Iterable[Submission]) -> str:
    """Return the table in columns for a terminal."""
    head = ("student", "assignment", "attempt", "state", "points", "unsealed points")
    lines = [(*head, "needs review")]
    for row in rows:
        points = "-" if row.points is None else f"{row.points:g}"
        of = "-" if row.max_points is None else f"{row.max_points:g}"
        review = "yes" if row.needs_review else "no"
        unsealed = f"{row.unsealed_points:g}" if row.unsealed_points else "-"
        shown = (str(row.attempt), row.state.value, f"{points} / {of}", unsealed, review)
        lines.append((row.user, row.assignment_name, *shown))
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    padded = (
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        for line in lines
    )
    return "\n".join(line.rstrip() for line in padded)


def _line(cells: Iterable[object]) -> str:
    buffer = io.StringIO()
    safe = (
        f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell
        for cell in cells
    )
    csv.writer(buffer, lineterminator="\r\n").writerow(safe)
    return buffer.getvalue()
