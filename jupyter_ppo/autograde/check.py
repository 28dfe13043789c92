"""What a student is told at once about the notebook they submit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jupyter_ppo.autograde.cells import grade_id_of, kind_of, nbgrader_of
from jupyter_ppo.autograde.read import read_notebook
from jupyter_ppo.domain.courses import CellKind, Exercise
from jupyter_ppo.domain.errors import InvalidNotebookError, WrongAssignmentError
from jupyter_ppo.domain.ports import ReleasedNotebook

_NOTES_MAX = 20
_OF_AN_ASSIGNMENT = frozenset({CellKind.TESTS, CellKind.SOLUTION, CellKind.MANUAL, CellKind.TASK})


def check_submission(data: bytes, released: ReleasedNotebook) -> tuple[str, ...]:
    """Return warnings, one sentence each, for a notebook that can be graded.

    Raises ``InvalidNotebookError`` or ``TooLargeError`` for bytes that are no readable notebook or
    hold a graded cell twice, ``WrongAssignmentError`` if none of the exercises is in it. The name
    of the file plays no part.
    """
    notebook, exercises = read_notebook(data), released.exercises
    found = unique_grade_ids(notebook)
    if not any(exercise.grade_id in found for exercise in exercises):
        names = ", ".join(exercise.grade_id for exercise in exercises[:5])
        msg = (
            f"notebook: it holds none of this assignment's graded cells ({names}). Submit the "
            "notebook that was released for this assignment."
        )
        raise WrongAssignmentError(msg, field="notebook")
    answers = [
        grade_id_of(cell)
        for cell in read_notebook(released.release)["cells"]
        if kind_of(cell) is CellKind.SOLUTION
    ]
    known = {exercise.grade_id for exercise in exercises} | set(answers)
    strange = [
        name
        for name, index in found.items()
        if name not in known and kind_of(notebook["cells"][index]) in _OF_AN_ASSIGNMENT
    ]
    notes = [
        _missing(exercise, strange) for exercise in exercises if exercise.grade_id not in found
    ]
    notes += [
        f"The answer cell {name!r} is missing; the one without an answer was put back, so its "
        "tests will fail." + _asked(strange)
        for name in answers
        if name not in found
    ]
    notes += [
        f"The cell {name!r} is not part of this assignment and is not graded." for name in strange
    ]
    for exercise in exercises:
        if exercise.grade_id in found:
            notes += _retyped(exercise, notebook["cells"][found[exercise.grade_id]])
    if len(notes) > _NOTES_MAX:
        notes[_NOTES_MAX:] = [f"{len(notes) - _NOTES_MAX} more cells differ from the assignment."]
    return tuple(notes)


def unique_grade_ids(notebook: dict[str, Any]) -> dict[str, int]:
    """Return where each grade_id is (index of its cell).

    Raises ``InvalidNotebookError`` naming a grade_id that two cells carry.
    """
    found: dict[str, int] = {}
    for index, cell in enumerate(notebook["cells"]):
        name = grade_id_of(cell)
        if name is None:
            continue
        if name in found:
            field = f"cells[{index}].metadata.nbgrader.grade_id"
            msg = (
                f"{field}: {name[:200]!r} is in the notebook twice, as cell {found[name] + 1} and "
                f"as cell {index + 1}. Delete the copy (keep its text if it is the better one) "
                "and submit again."
            )
            raise InvalidNotebookError(msg, field=field)
        found[name] = index
    return found


def _missing(exercise: Exercise, strange: Sequence[str]) -> str:
    if exercise.kind is CellKind.MANUAL:
        outcome = "it counts as not answered"
    else:
        outcome = "it was put back from the assignment"
    return f"The graded cell {exercise.grade_id!r} is missing; {outcome}.{_asked(strange)}"


def _asked(strange: Sequence[str]) -> str:
    return " Was its grade_id changed?" if strange else ""


def _retyped(exercise: Exercise, cell: dict[str, Any]) -> list[str]:
    released = nbgrader_of(cell).get("cell_type")
    wanted = "code" if exercise.kind is CellKind.TESTS else released
    if not isinstance(wanted, str) or wanted not in {"code", "markdown"}:
        return []
    if cell["cell_type"] == wanted:
        return []
    return [
        f"The graded cell {exercise.grade_id!r} was changed from {wanted} to {cell['cell_type']}; "
        f"it is graded as {wanted}."
    ]
