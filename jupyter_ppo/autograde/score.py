"""Points, cell by cell, from what the sandbox saw: nbgrader's rules, and where we differ.

Source of the rules: ``nbgrader.utils.determine_grade`` (0.9). Differences, each to the safe side:

* an error anywhere in a test cell gives 0; nbgrader stops at the first result;
* a test cell that the kernel did not finish gives 0;
* more than the maximum, or a result without text, waits for a person with 0; nbgrader gives up on
  the whole notebook;
* less than zero, or not a number (NaN), waits for a person with 0; nbgrader gives full points;
* a last line that gives False gives 0, and a number as NumPy or torch shows it counts; nbgrader
  gives full points for both.

These are for tests that ran in the student's kernel. ``sealed_score`` has those of the examiner,
where in addition a warning on stderr costs nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jupyter_ppo.autograde.cells import grade_id_of, hidden_lines_of, kind_of, nbgrader_of, text_of
from jupyter_ppo.autograde.failure import failed_hidden, why_not_finished
from jupyter_ppo.autograde.hidden import (
    TEXT_NOT_SHOWN,
    TestText,
    builtin_error,
    quiet_after,
    texts_of,
    without_students_words,
)
from jupyter_ppo.autograde.points import PASSED, Score, one_line, score_of_result
from jupyter_ppo.autograde.release import as_node
from jupyter_ppo.autograde.sealed_score import STUB_ERROR, SealedScore, SealedTest
from jupyter_ppo.autograde.text import presentable
from jupyter_ppo.domain.courses import CellKind, Exercise
from jupyter_ppo.domain.grading import ExerciseGrade
from jupyter_ppo.domain.sandbox import NotebookRun
from jupyter_ppo.domain.sealing import Sealing, SealState

_QUOTED_MAX = 1200
_CANNOT_SEAL = (
    "Not run: these tests cannot be run apart from your code. Their author has to rewrite them or "
    "mark them as unsealed; a person looks at it."
)


@dataclass(frozen=True, slots=True)
class _Notebook:
    """The restored notebook before its run, and what its scores depend on."""

    cells: Sequence[dict[str, Any]]
    hidden: Sequence[str]
    texts: Sequence[TestText | None]
    unanswered: frozenset[int]
    answers: frozenset[int]
    places: Mapping[str | None, int]

    @classmethod
    def of(cls, notebook: dict[str, Any]) -> _Notebook:
        cells = notebook["cells"]
        answers = frozenset(
            index
            for index, cell in enumerate(cells)
            if kind_of(cell) is CellKind.SOLUTION and cell["cell_type"] == "code"
        )
        return cls(
            cells=cells,
            hidden=hidden_lines_of(cells),
            texts=texts_of(cells),
            unanswered=frozenset(index for index in answers if _is_unanswered(cells[index])),
            answers=answers,
            places={grade_id_of(cell): index for index, cell in enumerate(cells)},
        )

    def is_unanswered(self, index: int) -> bool:
        """Whether some answer before this cell is still the stub."""
        return any(answer < index for answer in self.unanswered)

    def is_skeleton(self, index: int) -> bool:
        """Whether the last answer before this cell is still the stub."""
        return max((at for at in self.answers if at < index), default=-1) in self.unanswered

    def answer_error(self, index: int, run: NotebookRun) -> str:
        """Return a sentence on the error of the answer just before; of Python's own errors only."""
        at = max((answer for answer in self.answers if answer < index), default=-1)
        executed = run.notebook["cells"]
        if not 0 <= at < len(executed) or at in self.unanswered:
            return ""
        errors = (
            builtin_error(text_of(output.get("ename")))
            for output in executed[at].get("outputs", [])
            if output.get("output_type") == "error"
        )
        name = next(filter(None, errors), "")
        return f"Your answer {grade_id_of(self.cells[at])!r} raised {name}." if name else ""


def score_run(
    notebook: dict[str, Any],
    run: NotebookRun,
    exercises: Sequence[Exercise],
    sealing: Sealing | None = None,
) -> tuple[ExerciseGrade, ...]:
    """Return one grade per exercise, in their order; points are within 0 and the exercise's.

    ``notebook`` is the restored notebook before the run: what a cell is comes from there. What came
    of a test cell comes from ``run.checks`` alone if it is sealed by ``sealing``; else from the
    outputs of the student's kernel, and the grade says so.
    """
    before = _Notebook.of(notebook)
    quiet = quiet_after(before.texts, run.checks)
    if quiet is not None:
        run = without_students_words(run)
    return tuple(_grade(before, run, exercise, sealing, quiet) for exercise in exercises)


def _grade(
    notebook: _Notebook,
    run: NotebookRun,
    exercise: Exercise,
    sealing: Sealing | None,
    quiet: int | None,
) -> ExerciseGrade:
    index = notebook.places.get(exercise.grade_id)
    is_late = quiet is not None and index is not None and index > quiet
    text = None if index is None else notebook.texts[index]
    found, is_sealed = SealedScore(Score(0.0, "Not run: the cell is not in the notebook.")), True
    if index is not None and exercise.kind is CellKind.TESTS and text is not None:
        if not notebook.cells[index]["source"].strip():  # never run, here or there
            found = SealedScore(Score(exercise.points, PASSED))
        elif sealing is None or sealing.states.get(exercise.grade_id) is SealState.UNSEALED:
            score = _score_unsealed(notebook, index, run, exercise, is_quiet=is_late)
            found, is_sealed = SealedScore(score), False
        elif sealing.states.get(exercise.grade_id) is SealState.CANNOT_SEAL:
            found = SealedScore(Score(0.0, _CANNOT_SEAL, needs_review=True))
        else:
            test = SealedTest(
                index=index,
                points=exercise.points,
                text=text,
                secrets=notebook.hidden,
                unanswered=notebook.is_unanswered(index),
                skeleton=notebook.is_skeleton(index),
                is_late=is_late,
                given="\n".join(item.visible for item in notebook.texts if item),
                allowed=sealing.changes_of(exercise.grade_id),
                answer_error=notebook.answer_error(index, run),
            )
            seen = [check for check in run.checks if check.index == index]
            found = test.score(seen[0] if len(seen) == 1 else None, run)
    elif index is not None:
        found = SealedScore(_score_by_person(notebook.cells[index]))
    return ExerciseGrade(
        grade_id=exercise.grade_id,
        points=found.score.points,
        max_points=exercise.points,
        needs_review=found.score.needs_review,
        reason=found.score.reason,
        is_sealed=is_sealed,
        checks=found.checks,
        records=found.records,
    )


def _score_by_person(cell: dict[str, Any]) -> Score:
    if kind_of(cell) is CellKind.MANUAL and _is_unanswered(cell):
        return Score(0.0, "No answer.")
    return Score(0.0, "Waits for a person to read it.", needs_review=True)


def _score_unsealed(
    notebook: _Notebook, index: int, run: NotebookRun, exercise: Exercise, *, is_quiet: bool
) -> Score:
    if index not in run.finished:
        return Score(0.0, one_line(why_not_finished(run, index)))
    executed = run.notebook["cells"]
    outputs = executed[index].get("outputs", []) if index < len(executed) else []
    if notebook.is_unanswered(index) and _is_stub_error(outputs):
        return Score(0.0, "No answer yet.")
    source = notebook.cells[index]["source"]
    return score_outputs(
        outputs, exercise.points, notebook.hidden, source=source, is_quiet=is_quiet
    )


def score_outputs(
    outputs: Sequence[dict[str, Any]],
    points: float,
    hidden: Sequence[str] = (),
    *,
    source: str = "",
    is_quiet: bool = False,
) -> Score:
    """Score a test cell that ran to its end; ``points`` is its maximum, ``source`` its text.

    ``hidden`` are the hidden lines of the whole notebook, the longest first: an error that is
    raised here can quote any of them. ``is_quiet`` leaves out what the student's code could have
    put together, because hidden tests had run before.
    """
    for output in outputs:
        if output.get("output_type") == "error" and is_quiet:
            kind = builtin_error(text_of(output.get("ename")))
            told = f" with {kind}" if kind else ""
            return Score(0.0, f"A test failed{told}. {TEXT_NOT_SHOWN}")
        if output.get("output_type") == "error":
            shown = presentable(error_line(output), _QUOTED_MAX, hidden)
            found = (
                "A hidden test failed:" if failed_hidden(source, output) else "A test failed with"
            )
            return Score(0.0, one_line(f"{found} {shown}"))
    for output in outputs:
        if output.get("output_type") == "stream" and output.get("name") == "stderr":
            reason = "The tests wrote to the error stream, which counts as failed"
            return Score(0.0, f"{reason}." if is_quiet else f"{reason}; see the page.")
        if output.get("output_type") == "execute_result":
            return score_of_result(result_text(output), points, is_quiet=is_quiet)
    return Score(points, PASSED)


def error_line(output: dict[str, Any]) -> str:
    """Return an error output's name and message, as they came."""
    name, value = text_of(output.get("ename")), text_of(output.get("evalue"))
    return f"{name}: {value}" if value else name


def result_text(output: dict[str, Any]) -> object:
    """Return an execute_result's plain text, as it came; None if it has none."""
    data = output.get("data")
    found = data.get("text/plain") if isinstance(data, dict) else None
    return found[0] if isinstance(found, list) and len(found) == 1 else found


def _is_stub_error(outputs: Sequence[dict[str, Any]]) -> bool:
    """Whether the first error is what the stub in the place of an answer raises."""
    errors = [output for output in outputs if output.get("output_type") == "error"]
    return bool(errors) and error_line(errors[0]) == STUB_ERROR


def _is_unanswered(cell: dict[str, Any]) -> bool:
    from nbgrader.utils import compute_checksum

    return bool(nbgrader_of(cell).get("checksum") == compute_checksum(as_node(cell)))
