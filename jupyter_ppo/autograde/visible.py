"""A student's own look at their notebook: the tests that they can read, and nothing else."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from jupyter_ppo.autograde.cells import BEGIN_HIDDEN, END_HIDDEN, grade_id_of, kind_of
from jupyter_ppo.autograde.points import PASSED
from jupyter_ppo.autograde.release import as_node, make_release, to_bytes
from jupyter_ppo.autograde.sealing.python_text import parsed, python_of
from jupyter_ppo.domain.courses import CellKind, Exercise
from jupyter_ppo.domain.exam import CheckLine
from jupyter_ppo.domain.grading import ExerciseGrade

_HIDDEN_ONLY = "All tests of this cell are hidden; none of them was run."
_BY_PERSON = "A person marks this; nothing was run for it."


@dataclass(frozen=True, slots=True)
class VisibleResult:
    """What the visible tests of one exercise said; ``is_passed`` is None if none was run."""

    grade_id: str
    points: float
    max_points: float
    is_passed: bool | None
    reason: str
    checks: tuple[CheckLine, ...] = ()


def visible_source(source: bytes) -> bytes:
    """Return the author's notebook without a line of its hidden tests; the solutions stay.

    Test cells read as in the students' copy, so that line numbers are those students see. Whose
    names are whose is decided by answers and given cells, which are not touched. Raises like
    ``make_release``.
    """
    made = make_release(source)
    notebook = as_node(made.source)
    for cell in notebook.cells:
        if kind_of(cell) in {CellKind.TESTS, CellKind.MANUAL}:
            cell["source"] = without_hidden_tests(cell["source"])
    return to_bytes(notebook)


def without_hidden_tests(text: str) -> str:
    """Return a cell's text without what is between the delimiters, and without those."""
    kept: list[str] = []
    inside = False
    for line in text.split("\n"):
        if BEGIN_HIDDEN in line:
            inside = True
        elif END_HIDDEN in line:
            inside = False
        elif not inside:
            kept.append(line)
    return "\n".join(kept).rstrip()


def runs_something(text: str) -> bool:
    """Whether a code cell does anything: not so for comments, a text alone, and ``pass``.

    Text that is no Python counts as something: it raises.
    """
    tree = parsed(python_of(text))
    return tree is None or any(not _is_idle(node) for node in tree.body)


def visible_results(
    notebook: dict[str, Any], grades: Sequence[ExerciseGrade], exercises: Sequence[Exercise]
) -> tuple[VisibleResult, ...]:
    """Return what a run of the ``notebook`` restored into ``visible_source`` said.

    ``grades`` are what ``score_run`` made of it, in the order of ``exercises``.
    """
    sources = {grade_id_of(cell): cell["source"] for cell in notebook["cells"]}
    return tuple(
        _result(grade, exercise, sources.get(exercise.grade_id, ""))
        for grade, exercise in zip(grades, exercises, strict=True)
    )


def _result(grade: ExerciseGrade, exercise: Exercise, source: str) -> VisibleResult:
    name, most = exercise.grade_id, exercise.points
    if exercise.kind is not CellKind.TESTS:
        reason = _BY_PERSON if grade.needs_review else grade.reason
        return VisibleResult(name, 0.0, most, None, reason)
    if not runs_something(source):
        return VisibleResult(name, 0.0, most, None, _HIDDEN_ONLY)
    if grade.needs_review:
        return VisibleResult(name, grade.points, most, None, grade.reason, grade.checks)
    is_passed = grade.reason.startswith(PASSED) or 0 < most <= grade.points
    return VisibleResult(name, grade.points, most, is_passed, grade.reason, grade.checks)


def _is_idle(node: ast.stmt) -> bool:
    return isinstance(node, ast.Pass) or (
        isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    )
