"""The work behind a trial: what is run in the sandbox, and the plain data that comes of it."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from jupyter_ppo.autograde.author_check import (
    AuthorProblem,
    Severity,
    author_problems,
    places_of_grade_ids,
)
from jupyter_ppo.autograde.visible import VisibleResult, visible_results, visible_source
from jupyter_ppo.domain.courses import AssignmentVersion, CellKind, Exercise
from jupyter_ppo.domain.errors import InvalidNotebookError
from jupyter_ppo.domain.grading import ExerciseGrade, total
from jupyter_ppo.domain.ports import BlobStore, Grader, ReleasedNotebook, Sandbox
from jupyter_ppo.domain.sandbox import NotebookRun, SandboxLimits
from jupyter_ppo.domain.sealing import CellSealing, FindingKind, SealState
from jupyter_ppo.services.running import run_notebook
from jupyter_ppo.services.sealing import SealingService

#: What a student is told beside every result.
NOTE = "Hidden tests are not run here; passing these does not settle the grade."
#: A notebook that is checked is no version yet, but its sealing has to name one.
_NO_VERSION = UUID(int=0)
_SEVERITY = {
    FindingKind.OBSTACLE: Severity.WARNING,
    FindingKind.WEAK: Severity.WARNING,
    FindingKind.CARE: Severity.INFO,
}


@dataclass(frozen=True)
class TrialRuns:
    """Runs trials and stores nothing. One object serves all threads.

    What the sandbox raises is passed on, and ``Cancelled`` soon after ``cancel`` is set.
    """

    grader: Grader
    sandbox: Sandbox
    sealings: SealingService
    blobs: BlobStore
    limits: SandboxLimits

    def validation(
        self,
        version: AssignmentVersion,
        submitted: bytes,
        seed: int | None,
        cancel: threading.Event,
    ) -> dict[str, Any]:
        """Return what the tests that students can read say of a student's notebook.

        The hidden ones are cut out before anything is restored, so that no sandbox gets them.
        """
        released = ReleasedNotebook(self.blobs.get(version.release_digest), version.exercises)
        warnings = self.grader.check(submitted, released)
        sealing = self.sealings.of_version(version, cancel)
        source = visible_source(self.blobs.get(version.source_digest))
        notebook = self.grader.restore(source, submitted, seed)
        exam = self.grader.exam(source, notebook, sealing)
        run = run_notebook(self.sandbox, notebook, self.limits, exam, cancel)
        grades = self.grader.score(notebook, run, version.exercises, sealing)
        results = visible_results(notebook, grades, version.exercises)
        return {
            "passed": sum(result.is_passed is True for result in results),
            "total": sum(result.is_passed is not None for result in results),
            "exercises": [_visible(result) for result in results],
            "warnings": list(warnings),
            "note": NOTE,
        }

    def check(self, source: bytes, cancel: threading.Event) -> dict[str, Any]:
        """Return whether an author's notebook is ready for its release, and what is not.

        The reference solution must get all points of the tests, the students' copy none of them.
        """
        problems = list(author_problems(source))
        try:
            made = self.grader.release(source)
        except InvalidNotebookError as error:
            if not any(item.severity is Severity.ERROR for item in problems):
                problems.append(AuthorProblem(Severity.ERROR, error.message))
            return _checked(problems)
        places = places_of_grade_ids(source)
        calibrated = self.sealings.of_source(source, _NO_VERSION, cancel)
        sealing, notebook = calibrated.sealing, calibrated.notebook
        run = calibrated.run or self._plain(notebook, cancel)
        solution = self.grader.score(notebook, run, made.exercises, sealing)
        skeleton_notebook = self.grader.restore(source, made.release)
        exam = self.grader.exam(source, skeleton_notebook, sealing)
        skeleton_run = run_notebook(self.sandbox, skeleton_notebook, self.limits, exam, cancel)
        skeleton = self.grader.score(skeleton_notebook, skeleton_run, made.exercises, sealing)
        wrong = {item.grade_id for item in problems if item.severity is Severity.ERROR}
        found = [
            *_of_sealing(sealing.cells),
            *_of_solution(solution, made.exercises, sealing.cells),
            *(
                item
                for item in _of_skeleton(skeleton, made.exercises)
                if item.grade_id not in wrong
            ),
        ]
        problems += [
            AuthorProblem(item.severity, item.message, item.grade_id, places.get(item.grade_id))
            for item in found
        ]
        return _checked(problems, solution, skeleton, sealing.cells)

    def _plain(self, notebook: dict[str, Any], cancel: threading.Event) -> NotebookRun:
        return run_notebook(self.sandbox, notebook, self.limits, None, cancel)


def _visible(result: VisibleResult) -> dict[str, Any]:
    return {
        "grade_id": result.grade_id,
        "points": result.points,
        "max_points": result.max_points,
        "passed": result.is_passed,
        "reason": result.reason,
        "checks": [asdict(check) for check in result.checks],
    }


def _of_sealing(cells: Iterable[CellSealing]) -> Iterator[AuthorProblem]:
    for cell in cells:
        if cell.state is SealState.CANNOT_SEAL:
            message = (
                f"These tests cannot be run apart from the answer: {cell.reason} They give no "
                "points and wait for a person. Rewrite them, or tag the cell 'unsealed'."
            )
            yield AuthorProblem(Severity.ERROR, message, cell.grade_id)
        for finding in cell.findings:
            message = f"Line {finding.line}: {finding.text}"
            yield AuthorProblem(_SEVERITY[finding.kind], message, cell.grade_id)


def _of_solution(
    grades: Sequence[ExerciseGrade], exercises: Sequence[Exercise], cells: Iterable[CellSealing]
) -> Iterator[AuthorProblem]:
    known = {cell.grade_id: cell for cell in cells}
    for grade, exercise in zip(grades, exercises, strict=True):
        cell = known.get(grade.grade_id)
        if exercise.kind is not CellKind.TESTS or (
            cell is not None and cell.state is SealState.CANNOT_SEAL
        ):
            continue
        fails = cell is not None and cell.state is SealState.REFERENCE_FAILS
        if fails or grade.needs_review or grade.points < exercise.points:
            why = cell.reason if cell is not None and fails and cell.reason else grade.reason
            message = (
                f"The reference solution gets {grade.points:g} of {exercise.points:g} points: {why}"
            )
            yield AuthorProblem(Severity.ERROR, message, grade.grade_id)


def _of_skeleton(
    grades: Sequence[ExerciseGrade], exercises: Sequence[Exercise]
) -> Iterator[AuthorProblem]:
    for grade, exercise in zip(grades, exercises, strict=True):
        if exercise.kind is CellKind.TESTS and grade.points > 0:
            message = (
                f"The students' copy gets {grade.points:g} of {exercise.points:g} points without "
                "an answer. Make these tests fail before there is one."
            )
            yield AuthorProblem(Severity.ERROR, message, grade.grade_id)


def _checked(
    problems: Sequence[AuthorProblem],
    solution: Sequence[ExerciseGrade] | None = None,
    skeleton: Sequence[ExerciseGrade] | None = None,
    cells: Iterable[CellSealing] = (),
) -> dict[str, Any]:
    return {
        "is_ready": not any(item.severity is Severity.ERROR for item in problems),
        "problems": [asdict(item) for item in problems],
        "solution": _scored(solution),
        "skeleton": _scored(skeleton),
        "sealing": [
            {
                "grade_id": cell.grade_id,
                "state": cell.state.value,
                "findings": [asdict(finding) for finding in cell.findings],
            }
            for cell in cells
        ],
    }


def _scored(grades: Sequence[ExerciseGrade] | None) -> dict[str, Any] | None:
    if grades is None:
        return None
    return {
        "points": total(grade.points for grade in grades),
        "max_points": total(grade.max_points for grade in grades),
        "exercises": [
            {
                "grade_id": grade.grade_id,
                "points": grade.points,
                "max_points": grade.max_points,
                "needs_review": grade.needs_review,
                "reason": grade.reason,
            }
            for grade in grades
        ],
    }
