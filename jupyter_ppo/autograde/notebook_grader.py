"""The grading side of the notebook format: ``domain.ports.Grader`` for nbgrader notebooks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jupyter_ppo.autograde.cells import has_hidden_tests
from jupyter_ppo.autograde.check import check_submission
from jupyter_ppo.autograde.feedback import feedback_page
from jupyter_ppo.autograde.release import make_release, refuse_students_copy, to_bytes
from jupyter_ppo.autograde.restore import restore_notebook
from jupyter_ppo.autograde.score import score_run
from jupyter_ppo.domain.courses import Exercise
from jupyter_ppo.domain.grading import ExerciseGrade
from jupyter_ppo.domain.ports import ReleasedNotebook
from jupyter_ppo.domain.sandbox import NotebookRun
from jupyter_ppo.domain.submissions import Submission


class NotebookGrader:
    """Releases, checks, restores, scores and explains nbgrader notebooks. Holds no state."""

    def release(self, source: bytes) -> ReleasedNotebook:
        """Make the students' copy; raise ``InvalidNotebookError`` naming the cell.

        A students' copy is refused as the source.
        """
        made = make_release(source)
        refuse_students_copy(made)
        hidden_tests = sum(has_hidden_tests(cell) for cell in made.source["cells"])
        return ReleasedNotebook(to_bytes(made.release), made.exercises, hidden_tests)

    def check(self, data: bytes, released: ReleasedNotebook) -> tuple[str, ...]:
        """Return warnings for the student; raise when the bytes cannot be graded at all."""
        return check_submission(data, released)

    def restore(self, source: bytes, submitted: bytes) -> dict[str, Any]:
        """Return the notebook to run: the author's cells with the student's answers in them.

        Cells keep the author's order; an exercise's ``position`` (in the source) is not its index
        here, its grade_id is what leads to it.
        """
        return restore_notebook(source, submitted)

    def score(
        self, notebook: dict[str, Any], run: NotebookRun, exercises: Sequence[Exercise]
    ) -> tuple[ExerciseGrade, ...]:
        """Score the restored ``notebook`` (before the run) by what ``run`` saw."""
        return score_run(notebook, run, exercises)

    def feedback(
        self, submission: Submission, run: NotebookRun, grades: Sequence[ExerciseGrade]
    ) -> bytes:
        """Return the feedback page: UTF-8 HTML, sanitised, without hidden tests."""
        return feedback_page(submission, run, grades)
