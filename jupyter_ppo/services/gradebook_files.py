"""The gradebook as CSV for spreadsheets, as JSON for programs, and as text for a terminal."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from jupyter_ppo.domain.gradebook import CellState, Gradebook, GradebookCell, GradebookRow

#: What every line of the CSV begins with; the columns and the totals follow.
PEOPLE = ("student", "last_name", "first_name", "groups")
TOTALS = ("total", "max_total")
_FORMULA = frozenset("=+-@\t\r")
_NUMBER = re.compile(r"-?\d+(\.\d+)?(e[+-]\d+)?")
_ROWS_AT_ONCE = 200
_DIGITS = 10


def gradebook_csv(gradebook: Gradebook) -> Iterator[str]:
    """Yield the gradebook as CSV (RFC 4180, UTF-8 without a byte order mark), some lines at a time.

    A cell holds the points, nothing before there are any. A text that a spreadsheet would run as a
    formula is prefixed with an apostrophe, also when blanks are before it.
    """
    names = [column.name for column in gradebook.columns]
    yield csv_lines([(*PEOPLE, *names, *TOTALS)])
    for rows in _batches(gradebook.page.items):
        yield csv_lines(
            (
                row.user,
                row.last_name,
                row.first_name,
                ", ".join(row.groups),
                *(number(row.cells[name].points) for name in names),
                number(row.total),
                number(row.max_total),
            )
            for row in rows
        )


def gradebook_json(gradebook: Gradebook) -> Iterator[str]:
    """Yield the gradebook as one JSON object, some rows at a time."""
    columns = [
        {
            "name": column.name,
            "kind": column.kind.value,
            "max_points": column.max_points,
            "due_at": None if column.due_at is None else column.due_at.isoformat(),
        }
        for column in gradebook.columns
    ]
    yield f'{{"columns": {json.dumps(columns, ensure_ascii=False)},\n"items": ['
    between = "\n"
    for rows in _batches(gradebook.page.items):
        yield between + ",\n".join(json.dumps(row_data(row), ensure_ascii=False) for row in rows)
        between = ",\n"
    yield f'],\n"total": {gradebook.page.total}}}\n'


def gradebook_table(gradebook: Gradebook) -> str:
    """Return the page in columns for a terminal: points, or where the attempt is."""
    names = [column.name for column in gradebook.columns]
    lines = [("student", "name", *names, "total")]
    for row in gradebook.page.items:
        person = f"{row.first_name} {row.last_name}".strip()
        cells = (_shown(row.cells[name]) for name in names)
        lines.append((row.user, person, *cells, f"{number(row.total)} / {number(row.max_total)}"))
    widths = [max(len(line[place]) for line in lines) for place in range(len(lines[0]))]
    return "\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in lines)


def row_data(row: GradebookRow) -> dict[str, Any]:
    """Return a row as plain data, as REST answers it."""
    return {
        "user": row.user,
        "first_name": row.first_name,
        "last_name": row.last_name,
        "groups": list(row.groups),
        "total": row.total,
        "max_total": row.max_total,
        "cells": {name: cell_data(cell) for name, cell in row.cells.items()},
    }


def cell_data(cell: GradebookCell) -> dict[str, Any]:
    """Return a cell as plain data, as REST answers it."""
    return {
        "submission_id": None if cell.submission_id is None else str(cell.submission_id),
        "state": cell.state.value,
        "points": cell.points,
        "max_points": cell.max_points,
        "penalty": cell.penalty,
        "extra_credit": cell.extra_credit,
        "late_seconds": cell.late_seconds,
        "attempts": cell.attempts,
        "needs_review": cell.needs_review,
        "unsealed_points": cell.unsealed_points,
        "released": cell.is_released,
    }


def number(value: float | None) -> str:
    """Return points as text, with ten digits; nothing for None."""
    return "" if value is None else f"{value:.{_DIGITS}g}"


def csv_lines(lines: Iterable[Iterable[str]]) -> str:
    """Return lines of CSV (RFC 4180), with an apostrophe before what a spreadsheet would run."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerows([_safe(cell) for cell in line] for line in lines)
    return buffer.getvalue()


def _shown(cell: GradebookCell) -> str:
    if cell.points is None:
        return "-" if cell.state is CellState.NOT_SUBMITTED else cell.state.value
    return f"{number(cell.points)}{'?' if cell.needs_review else ''}"


def _batches(rows: tuple[GradebookRow, ...]) -> Iterator[tuple[GradebookRow, ...]]:
    for first in range(0, len(rows), _ROWS_AT_ONCE):
        yield rows[first : first + _ROWS_AT_ONCE]


def _safe(cell: str) -> str:
    """Return a cell that no spreadsheet runs; numbers of ours stay numbers."""
    if _NUMBER.fullmatch(cell):
        return cell
    begins = {cell[:1], cell.lstrip()[:1]}
    return f"'{cell}" if begins & _FORMULA else cell
