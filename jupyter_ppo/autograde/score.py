"""Points, cell by cell, from what the sandbox saw: nbgrader's rules, and where we differ.

Source of the rules: ``nbgrader.utils.determine_grade`` (0.9). Differences, each to the safe side:

* an error anywhere in a test cell gives 0; nbgrader stops at the first result;
* a test cell that the kernel did not finish gives 0;
* more than the maximum, or a result without text, waits for a person with 0; nbgrader gives up on
  the whole notebook;
* less than zero, or not a number (NaN), waits for a person with 0; nbgrader gives full points.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from jupyter_ppo.autograde.cells import grade_id_of, hidden_lines_of, kind_of, nbgrader_of, text_of
from jupyter_ppo.autograde.failure import failed_hidden, why_not_finished
from jupyter_ppo.autograde.release import as_node
from jupyter_ppo.autograde.text import presentable
from jupyter_ppo.domain.courses import CellKind, Exercise
from jupyter_ppo.domain.grading import ExerciseGrade
from jupyter_ppo.domain.sandbox import NotebookRun

_REASON_MAX = 300
_NUMBER_MAX = 64


@dataclass(frozen=True, slots=True)
class _Score:
    points: float
    reason: str
    needs_review: bool = False


def score_run(
    notebook: dict[str, Any], run: NotebookRun, exercises: Sequence[Exercise]
) -> tuple[ExerciseGrade, ...]:
    """Return one grade per exercise, in their order; points are within 0 and the exercise's.

    ``notebook`` is the restored notebook before the run: what a cell is comes from there, only its
    outputs come from ``run``.
    """
    places = {grade_id_of(cell): index for index, cell in enumerate(notebook["cells"])}
    hidden = hidden_lines_of(notebook["cells"])
    first_unanswered = min(
        (
            index
            for index, cell in enumerate(notebook["cells"])
            if kind_of(cell) is CellKind.SOLUTION
            and cell["cell_type"] == "code"
            and _is_unanswered(cell)
        ),
        default=len(notebook["cells"]),
    )
    grades = []
    for exercise in exercises:
        index = places.get(exercise.grade_id)
        if index is None:
            score = _Score(0.0, "Not run: the cell is not in the notebook.")
        else:
            cell = notebook["cells"][index]
            before = index > first_unanswered
            score = _score_cell(cell, index, run, exercise, hidden, unanswered=before)
        grades.append(
            ExerciseGrade(
                grade_id=exercise.grade_id,
                points=score.points,
                max_points=exercise.points,
                needs_review=score.needs_review,
                reason=score.reason,
            )
        )
    return tuple(grades)


def _score_cell(
    cell: dict[str, Any],
    index: int,
    run: NotebookRun,
    exercise: Exercise,
    hidden: Sequence[str],
    *,
    unanswered: bool,
) -> _Score:
    kind = kind_of(cell)
    if kind is CellKind.TESTS:
        if not cell["source"].strip():  # the kernel is never asked to run an empty cell
            return _Score(exercise.points, "All tests passed.")
        if index not in run.finished:
            return _Score(0.0, _one_line(why_not_finished(run, index)))
        executed = run.notebook["cells"]
        outputs = executed[index].get("outputs", []) if index < len(executed) else []
        if unanswered and _is_stub_error(outputs):
            return _Score(0.0, "No answer yet.")
        return score_outputs(outputs, exercise.points, hidden, source=cell["source"])
    if kind is CellKind.MANUAL and _is_unanswered(cell):
        return _Score(0.0, "No answer.")
    return _Score(0.0, "Waits for a person to read it.", needs_review=True)


def score_outputs(
    outputs: Sequence[dict[str, Any]],
    points: float,
    hidden: Sequence[str] = (),
    *,
    source: str = "",
) -> _Score:
    """Score a test cell that ran to its end; ``points`` is its maximum, ``source`` its text.

    ``hidden`` are the hidden lines of the whole notebook, the longest first: an error that is
    raised here can quote any of them.
    """
    for output in outputs:
        if output.get("output_type") == "error":
            shown = presentable(error_line(output), 4 * _REASON_MAX, hidden)
            found = (
                "A hidden test failed:" if failed_hidden(source, output) else "A test failed with"
            )
            return _Score(0.0, _one_line(f"{found} {shown}"))
    for output in outputs:
        if output.get("output_type") == "stream" and output.get("name") == "stderr":
            reason = "The tests wrote to the error stream, which counts as failed; see the page."
            return _Score(0.0, reason)
        if output.get("output_type") == "execute_result":
            return _partial(output, points)
    return _Score(points, "All tests passed.")


def error_line(output: dict[str, Any]) -> str:
    """Return an error output's name and message, as they came."""
    name, value = text_of(output.get("ename")), text_of(output.get("evalue"))
    return f"{name}: {value}" if value else name


def _partial(output: dict[str, Any], points: float) -> _Score:
    data = output.get("data")
    found = data.get("text/plain") if isinstance(data, dict) else None
    if isinstance(found, list) and len(found) == 1:
        found = found[0]
    if not found:
        return _Score(0.0, "The tests gave a result without text; a person looks at it.", True)
    number = _number(found)
    if number is None:  # as nbgrader has it: what is no number at all is no partial credit
        return _Score(
            points, "No test failed. The last line gave no plain number to count as points."
        )
    if not 0.0 <= number <= points:  # NaN is neither
        reason = f"The tests gave {number:g} of at most {points:g} points; a person looks at it."
        return _Score(0.0, reason, True)
    return _Score(number, f"The tests gave {number:g} of {points:g} points.")


def _number(found: object) -> float | None:
    if not isinstance(found, str) or len(found) > _NUMBER_MAX:
        return None
    try:
        return float(found)
    except ValueError:
        return None


def _is_stub_error(outputs: Sequence[dict[str, Any]]) -> bool:
    """Whether the first error is what the stub in the place of an answer raises."""
    errors = [output for output in outputs if output.get("output_type") == "error"]
    return bool(errors) and error_line(errors[0]) == "NotImplementedError"


def _is_unanswered(cell: dict[str, Any]) -> bool:
    from nbgrader.utils import compute_checksum

    return bool(nbgrader_of(cell).get("checksum") == compute_checksum(as_node(cell)))


def _one_line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _REASON_MAX else line[: _REASON_MAX - 1] + "…"
