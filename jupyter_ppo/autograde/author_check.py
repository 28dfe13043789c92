"""What is wrong with an author's notebook, found by reading alone: all of it, not the first."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from jupyter_ppo.autograde.cells import grade_id_of, has_hidden_tests, kind_of, nbgrader_of
from jupyter_ppo.autograde.chapter import read_chapter
from jupyter_ppo.autograde.hints import authored_hints
from jupyter_ppo.autograde.read import read_notebook
from jupyter_ppo.autograde.release import MadeRelease, make_release
from jupyter_ppo.autograde.sealing.names import names_of
from jupyter_ppo.autograde.sealing.python_text import parsed, python_of
from jupyter_ppo.autograde.text import ordinal
from jupyter_ppo.autograde.visible import runs_something, without_hidden_tests
from jupyter_ppo.domain.courses import CellKind
from jupyter_ppo.domain.errors import InvalidNotebookError

_GRADED = frozenset({CellKind.TESTS, CellKind.MANUAL, CellKind.TASK})
_GRADE_ID = re.compile(r"[a-zA-Z0-9_-]{1,200}")
_MAX_POINTS = 1e6
_CELL = re.compile(r"cells\[(\d+)\]")


class Severity(StrEnum):
    """How bad it is."""

    ERROR = "error"  # the assignment cannot be released so, or grades wrongly
    WARNING = "warning"  # most likely not what its author means
    INFO = "info"  # worth a look


@dataclass(frozen=True, slots=True)
class AuthorProblem:
    """One thing to look at: a sentence with the remedy, and the cell (from 0) if it is of one."""

    severity: Severity
    message: str
    grade_id: str | None = None
    cell: int | None = None


def author_problems(source: bytes) -> tuple[AuthorProblem, ...]:
    """Return what reading the author's notebook shows, in the order of its cells.

    Raises ``InvalidNotebookError`` or ``TooLargeError`` only when it is no notebook at all.
    """
    cells = read_notebook(source)["cells"]
    found = [*_metadata(cells), *_texts(cells), *_order(cells)]
    try:
        found += _students_copy(make_release(source))
    except InvalidNotebookError as error:
        refused = _refusal(error, cells)
        wrong = {item.cell for item in found if item.severity is Severity.ERROR}
        if refused.cell is None or refused.cell not in wrong:
            found.append(refused)
    for read in (read_chapter, authored_hints):
        try:
            read(source)
        except InvalidNotebookError as error:
            found.append(_refusal(error, cells))
    return tuple(sorted(found, key=lambda item: -1 if item.cell is None else item.cell))


def places_of_grade_ids(source: bytes) -> dict[str | None, int]:
    """Return where each grade_id is first in the author's notebook (index of its cell)."""
    places: dict[str | None, int] = {}
    for index, cell in enumerate(read_notebook(source)["cells"]):
        if (name := grade_id_of(cell)) is not None:
            places.setdefault(name, index)
    return places


def _refusal(error: InvalidNotebookError, cells: list[dict[str, Any]]) -> AuthorProblem:
    named = _CELL.match(error.field or "")
    index = int(named[1]) if named is not None else None
    known = index is not None and index < len(cells)
    grade_id = grade_id_of(cells[index]) if known and index is not None else None
    return AuthorProblem(Severity.ERROR, error.message, grade_id, index)


def _metadata(cells: list[dict[str, Any]]) -> Iterator[AuthorProblem]:
    first: dict[str, int] = {}
    for index, cell in enumerate(cells):
        kind = kind_of(cell)
        if kind is None:
            continue
        name = nbgrader_of(cell).get("grade_id")
        shown = grade_id_of(cell)
        if not isinstance(name, str) or not name:
            yield AuthorProblem(
                Severity.ERROR,
                "This cell has no grade_id. Give it one: 1 to 200 letters, digits, - or _.",
                None,
                index,
            )
        elif not _GRADE_ID.fullmatch(name):
            message = (
                f"{name[:80]!r} is not a grade_id. Use 1 to 200 letters, digits, - or _, and no "
                "blanks."
            )
            yield AuthorProblem(Severity.ERROR, message, shown, index)
        elif name in first:
            message = (
                f"The {ordinal(first[name] + 1)} and the {ordinal(index + 1)} cell have the "
                f"grade_id {name!r}. Give one of them another one."
            )
            yield AuthorProblem(Severity.ERROR, message, shown, index)
        else:
            first[name] = index
        if kind in _GRADED:
            yield from _points(cell, kind, shown, index)


def _points(
    cell: dict[str, Any], kind: CellKind, name: str | None, index: int
) -> Iterator[AuthorProblem]:
    points = nbgrader_of(cell).get("points")
    who = "A test cell" if kind is CellKind.TESTS else "A cell that a person marks"
    if isinstance(points, bool) or not isinstance(points, int | float):
        yield AuthorProblem(Severity.ERROR, f"{who} needs points. Enter a number.", name, index)
    elif not math.isfinite(points) or not 0 <= points <= _MAX_POINTS:
        message = f"{points} is no number of points. Use 0 to a million."
        yield AuthorProblem(Severity.ERROR, message, name, index)
    elif points == 0:
        message = f"{who} with 0 points changes no grade. Give it points if it should."
        severity = Severity.WARNING if kind is CellKind.TESTS else Severity.INFO
        yield AuthorProblem(severity, message, name, index)


def _texts(cells: list[dict[str, Any]]) -> Iterator[AuthorProblem]:
    for index, cell in enumerate(cells):
        kind, name, text = kind_of(cell), grade_id_of(cell), cell["source"]
        if kind is CellKind.TESTS and cell["cell_type"] == "code":
            if not runs_something(text):
                message = (
                    "There is no test in this test cell: every submission gets its points. Write "
                    "one, or make the cell read-only."
                )
                yield AuthorProblem(Severity.ERROR, message, name, index)
            elif has_hidden_tests(cell) and not runs_something(without_hidden_tests(text)):
                message = (
                    "All tests of this cell are hidden: students cannot try their answer. Show one "
                    "of them."
                )
                yield AuthorProblem(Severity.INFO, message, name, index)
        if kind is CellKind.SOLUTION and cell["cell_type"] == "code":
            yield from _solution(text, name, index)


def _solution(text: str, name: str | None, index: int) -> Iterator[AuthorProblem]:
    if "BEGIN SOLUTION" in text:
        return
    if not runs_something(text):
        message = (
            "There is no solution in this answer cell, so the tests after it cannot be tried. "
            "Write one between '### BEGIN SOLUTION' and '### END SOLUTION'."
        )
    else:
        message = (
            "No solution region: students get nothing of this cell but 'YOUR CODE HERE'. Put what "
            "they must not see between '### BEGIN SOLUTION' and '### END SOLUTION' to leave them "
            "the rest."
        )
    yield AuthorProblem(Severity.WARNING, message, name, index)


def _order(cells: list[dict[str, Any]]) -> Iterator[AuthorProblem]:
    """Yield the tests that use what only an answer below them defines."""
    bound: list[frozenset[str]] = []
    reads: list[frozenset[str]] = []
    for cell in cells:
        tree = parsed(python_of(cell["source"])) if cell["cell_type"] == "code" else None
        use = names_of(tree) if tree is not None else None
        bound.append(use.bound if use is not None else frozenset())
        reads.append(use.eager if use is not None else frozenset())
    for index, cell in enumerate(cells):
        if kind_of(cell) is not CellKind.TESTS:
            continue
        missing = reads[index].difference(*bound[: index + 1])
        for later in range(index + 1, len(cells)):
            names = sorted(missing & bound[later])
            if names and kind_of(cells[later]) in {CellKind.SOLUTION, CellKind.MANUAL}:
                answer = grade_id_of(cells[later]) or f"the {ordinal(later + 1)} cell"
                message = (
                    f"These tests come before their answer: {names[0]!r} is defined in {answer}, "
                    "below. Move the tests after it."
                )
                yield AuthorProblem(Severity.ERROR, message, grade_id_of(cell), index)
                break


def _students_copy(made: MadeRelease) -> Iterator[AuthorProblem]:
    """Yield the cells that are Python for the author and not for the students."""
    pairs = zip(made.source["cells"], made.release["cells"], strict=True)
    for index, (original, released) in enumerate(pairs):
        if original["cell_type"] != "code" or original["source"] == released["source"]:
            continue
        if parsed(python_of(original["source"])) and not parsed(python_of(released["source"])):
            message = (
                "Without what is cut out of it this cell is no Python any more, and students get "
                "it so. Leave a statement in every block, such as 'pass'."
            )
            yield AuthorProblem(Severity.ERROR, message, grade_id_of(original), index)
