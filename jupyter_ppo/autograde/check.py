"""What a student is told at once about the notebook they submit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Sequence
from typing import Any

from jupyter_ppo.autograde.cells import grade_id_of, is_answer, kind_of
from jupyter_ppo.autograde.model_cell import model_grade_id
from jupyter_ppo.autograde.read import read_notebook
from jupyter_ppo.autograde.saved_model import is_archive, read_saved_model
from jupyter_ppo.autograde.text import ordinal
from jupyter_ppo.domain.courses import CellKind, Exercise
from jupyter_ppo.domain.errors import InvalidNotebookError, WrongAssignmentError
from jupyter_ppo.domain.ports import ReleasedNotebook

_NOTES_MAX = 20
# Characters of one warning, and of a name in it: names are what the student's file says.
_NOTE_MAX, _NAME_MAX = 500, 200
#: Assignments may share a grade_id. With less than this share of its graded cells, and more of
#: others, a notebook is another one's.
_FEW = 0.25
_OF_AN_ASSIGNMENT = frozenset({CellKind.TESTS, CellKind.SOLUTION, CellKind.MANUAL, CellKind.TASK})


def check_submission(data: bytes, released: ReleasedNotebook) -> tuple[str, ...]:
    """Return warnings, one sentence each, for a notebook that can be graded.

    Raises ``InvalidNotebookError`` or ``TooLargeError`` for bytes that are no readable notebook or
    hold an answer cell twice, ``WrongAssignmentError`` if none of the exercises is in it, or few of
    them beside more graded cells of another assignment. The name of the file plays no part. Where
    the assignment takes a saved model, ``data`` may be one; raises like ``read_saved_model`` then.
    """
    release = read_notebook(released.release)
    if is_archive(data) and (model_cell := model_grade_id(release)) is not None:
        read_saved_model(data)
        return _beside_model(release, model_cell)
    notebook, exercises = read_notebook(data), released.exercises
    originals = {name: cell for cell in release["cells"] if (name := grade_id_of(cell)) is not None}
    found = places_of(notebook, {name for name, cell in originals.items() if is_answer(cell)})
    if not any(exercise.grade_id in found for exercise in exercises):
        names = ", ".join(exercise.grade_id for exercise in exercises[:5])
        msg = (
            f"notebook: it holds none of this assignment's graded cells ({names}). Choose the "
            "notebook that was released for this assignment."
        )
        raise WrongAssignmentError(msg, field="notebook")
    answers = [name for name, cell in originals.items() if kind_of(cell) is CellKind.SOLUTION]
    known = {exercise.grade_id for exercise in exercises} | set(answers)
    strange = [
        name
        for name, index in found.items()
        if name not in known and kind_of(notebook["cells"][index]) in _OF_AN_ASSIGNMENT
    ]
    own = sum(exercise.grade_id in found for exercise in exercises)
    if own < _FEW * len(exercises) and len(strange) > own:
        msg = (
            f"notebook: it looks like that of another assignment: {own} of this assignment's "
            f"{len(exercises)} graded cells are in it, and {len(strange)} others, such as "
            f"{_named(strange[0])}. Choose the notebook that was released for this assignment."
        )
        raise WrongAssignmentError(msg, field="notebook")
    notes = [
        _missing(exercise, strange) for exercise in exercises if exercise.grade_id not in found
    ]
    notes += [
        f"The answer cell {_named(name)} is missing; the one without an answer was put back, "
        "so its tests will fail." + _asked(strange)
        for name in answers
        if name not in found
    ]
    notes += [
        f"The cell {_named(name)} is not part of this assignment and is not graded."
        for name in strange
    ]
    for exercise in exercises:
        if exercise.grade_id in found:
            cell = notebook["cells"][found[exercise.grade_id]]
            notes += _retyped(cell, originals[exercise.grade_id])
    notes += _copies(notebook, originals)
    if len(notes) > _NOTES_MAX:
        notes[_NOTES_MAX:] = [f"{len(notes) - _NOTES_MAX} more cells differ from the assignment."]
    return tuple(note if len(note) <= _NOTE_MAX else f"{note[: _NOTE_MAX - 1]}…" for note in notes)


def _beside_model(release: dict[str, Any], model_cell: str) -> tuple[str, ...]:
    """Return a warning if a saved model leaves answers of the assignment open."""
    names = [
        name
        for cell in release["cells"]
        if is_answer(cell) and (name := grade_id_of(cell)) not in {None, model_cell}
    ]
    if not names:
        return ()
    return (
        f"A saved model answers {_named(model_cell)} only; {len(names)} other answers count as not "
        "given. Hand in the notebook to answer them too.",
    )


def places_of(notebook: dict[str, Any], answers: Container[str]) -> dict[str, int]:
    """Return where each grade_id is first (index of its cell).

    A copy of a locked cell does no harm, the author's own is what is run. Of an answer nobody can
    tell which one counts: raises ``InvalidNotebookError`` naming a grade_id among ``answers`` that
    two cells carry.
    """
    found: dict[str, int] = {}
    for index, cell in enumerate(notebook["cells"]):
        name = grade_id_of(cell)
        if name is None:
            continue
        if name in found and name in answers:
            first, second = ordinal(found[name] + 1), ordinal(index + 1)
            msg = (
                f"notebook: two cells have the grade_id {_named(name)} (the {first} and the "
                f"{second} cell). Delete the copy; if its text is the better one, move that to the "
                "other cell before."
            )
            raise InvalidNotebookError(msg, field="notebook")
        found.setdefault(name, index)
    return found


def _copies(notebook: dict[str, Any], names: Container[str]) -> list[str]:
    """Return a note for each of the assignment's cells that is there more than once."""
    counted = Counter(grade_id_of(cell) for cell in notebook["cells"])
    return [
        f"The cell {_named(name)} is there {count} times; only the assignment's own is used."
        for name, count in counted.items()
        if name is not None and count > 1 and name in names
    ]


def _missing(exercise: Exercise, strange: Sequence[str]) -> str:
    if exercise.kind is CellKind.MANUAL:
        outcome = "it counts as not answered"
    else:
        outcome = "it was put back from the assignment"
    return f"The graded cell {_named(exercise.grade_id)} is missing; {outcome}.{_asked(strange)}"


def _asked(strange: Sequence[str]) -> str:
    return " Was its grade_id changed?" if strange else ""


def _named(name: str) -> str:
    """Return a grade_id in quotes, cut where nobody reads on."""
    shown = repr(name[: _NAME_MAX + 1])  # escapes make it longer
    return shown if len(shown) <= _NAME_MAX + 2 else f"{shown[:_NAME_MAX]}…{shown[0]}"


def _retyped(cell: dict[str, Any], original: dict[str, Any]) -> list[str]:
    wanted, found = original["cell_type"], cell["cell_type"]
    if found == wanted:
        return []
    name = _named(grade_id_of(original) or "")
    return [
        f"The graded cell {name} was changed from {wanted} to {found}; it is graded as {wanted}."
    ]
