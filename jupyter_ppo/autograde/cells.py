"""What a notebook cell says about itself: nbgrader metadata v3 and our own key beside it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from jupyter_ppo.domain.courses import CellKind

#: Our metadata key on a cell. nbgrader's schema allows no extra keys inside its own.
OWN_KEY = "jupyter_ppo"

#: Delimiters of hidden tests, as nbgrader has them (found anywhere in a line).
BEGIN_HIDDEN, END_HIDDEN = "BEGIN HIDDEN TESTS", "END HIDDEN TESTS"


def nbgrader_of(cell: dict[str, Any]) -> dict[str, Any]:
    """Return the cell's nbgrader metadata, or an empty dict if it has none that can be used."""
    metadata = cell.get("metadata")
    found = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    return found if isinstance(found, dict) else {}


def own_of(cell: dict[str, Any]) -> dict[str, Any]:
    """Return our metadata of the cell (or of a whole notebook), or an empty dict."""
    metadata = cell.get("metadata")
    found = metadata.get(OWN_KEY) if isinstance(metadata, dict) else None
    return found if isinstance(found, dict) else {}


def grade_id_of(cell: dict[str, Any]) -> str | None:
    """Return the cell's grade_id, if it carries one."""
    found = nbgrader_of(cell).get("grade_id")
    return found if isinstance(found, str) and found else None


def text_of(value: object) -> str:
    """Return nbformat's multi-line string (a string or a list of strings) as one string."""
    if isinstance(value, list):
        return "".join(item for item in value if isinstance(item, str))
    return value if isinstance(value, str) else ""


def kind_of(cell: dict[str, Any]) -> CellKind | None:
    """Return which of nbgrader's five kinds the cell is; None for a cell of no kind.

    The order is nbgrader's: a solution cell is never locked, a grade cell otherwise always is.
    """
    meta = nbgrader_of(cell)
    if meta.get("task"):
        return CellKind.TASK
    if meta.get("solution"):
        return CellKind.MANUAL if meta.get("grade") else CellKind.SOLUTION
    if meta.get("grade"):
        return CellKind.TESTS
    return CellKind.READ_ONLY if meta.get("locked") else None


def is_answer(cell: dict[str, Any]) -> bool:
    """Whether the student writes in this cell; every other cell of a kind is the author's."""
    return kind_of(cell) in {CellKind.SOLUTION, CellKind.MANUAL}


def numbered_hidden_lines(source: str) -> dict[int, str]:
    """Return the lines between the hidden-test delimiters of ``source`` by number, from 1."""
    hidden: dict[int, str] = {}
    inside = False
    for number, line in enumerate(source.split("\n"), start=1):
        if BEGIN_HIDDEN in line:
            inside = True
        elif END_HIDDEN in line:
            inside = False
        elif inside:
            hidden[number] = line
    return hidden


def has_hidden_tests(cell: dict[str, Any]) -> bool:
    """Whether this is a test cell with a hidden line that does something."""
    return kind_of(cell) is CellKind.TESTS and any(
        line.strip() for line in numbered_hidden_lines(cell["source"]).values()
    )


def hidden_lines_of(cells: Iterable[dict[str, Any]]) -> tuple[str, ...]:
    """Return the hidden lines of all test cells of a restored notebook, the longest first.

    Any cell can show a line of any other one. A line that students were handed elsewhere, in a
    text, a given cell or the visible part of a test, is no secret; what they write themselves makes
    none readable. The order is for those who replace them: a line that is part of a longer one must
    not cut it before it is found.
    """
    kept = list(cells)
    readable = "\n".join(str(own_of(cell).get("release_source") or "") for cell in kept)
    found = {
        line
        for cell in kept
        if kind_of(cell) is CellKind.TESTS
        for line in numbered_hidden_lines(cell["source"]).values()
        if not _stands_in(line.strip(), readable)
    }
    return tuple(sorted(found, key=lambda line: (-len(line), line)))


def _stands_in(line: str, text: str) -> bool:
    """Whether the text has the line as it is: ``x = 3`` does not stand in ``max = 3.5``."""
    return re.search(rf"(?<![\w.]){re.escape(line)}(?!\w|\.\d)", text) is not None
