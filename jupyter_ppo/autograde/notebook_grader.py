"""The grading side of the notebook format: ``domain.ports.Grader`` for nbgrader notebooks."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from jupyter_ppo.autograde.calibration import sealings_of
from jupyter_ppo.autograde.cells import grade_id_of, has_hidden_tests
from jupyter_ppo.autograde.check import check_submission
from jupyter_ppo.autograde.feedback import feedback_page
from jupyter_ppo.autograde.model_cell import refuse_model_cells
from jupyter_ppo.autograde.read import read_notebook
from jupyter_ppo.autograde.release import (
    make_release,
    refuse_dead_seed_marks,
    refuse_students_copy,
    to_bytes,
)
from jupyter_ppo.autograde.restore import restore_notebook, seed_of
from jupyter_ppo.autograde.saved_model import is_archive
from jupyter_ppo.autograde.score import score_run
from jupyter_ppo.autograde.sealing.exam import make_exam, test_cell_sealings
from jupyter_ppo.autograde.sealing.seeds import personal_seed, uses_personal_seed
from jupyter_ppo.domain.courses import Exercise
from jupyter_ppo.domain.errors import InvalidNotebookError
from jupyter_ppo.domain.exam import Exam
from jupyter_ppo.domain.grading import ExerciseGrade
from jupyter_ppo.domain.ports import ReleasedNotebook
from jupyter_ppo.domain.sandbox import NotebookRun
from jupyter_ppo.domain.sealing import CellSealing, Sealing
from jupyter_ppo.domain.submissions import Submission


class NotebookGrader:
    """Releases, checks, restores, scores and explains nbgrader notebooks. Holds no state."""

    def release(self, source: bytes) -> ReleasedNotebook:
        """Make the students' copy; raise ``InvalidNotebookError`` naming the cell.

        A students' copy is refused as the source, and so is a seed's mark that has no effect.
        """
        made = make_release(source)
        refuse_students_copy(made)
        refuse_dead_seed_marks(made)
        refuse_model_cells(made.source)
        hidden_tests = sum(has_hidden_tests(cell) for cell in made.source["cells"])
        cells = test_cell_sealings(made.source)
        return ReleasedNotebook(to_bytes(made.release), made.exercises, hidden_tests, cells)

    def check(self, data: bytes, released: ReleasedNotebook) -> tuple[str, ...]:
        """Return warnings for the student; raise when the bytes cannot be graded at all."""
        return check_submission(data, released)

    def grade_ids(self, data: bytes) -> frozenset[str]:
        """Return the grade_ids in a notebook; raise ``InvalidNotebookError``, also for a model."""
        if is_archive(data):
            msg = (
                "notebook: these bytes are an archive, such as a saved model, and no notebook; "
                "which assignment it is for cannot be told. Name the assignment."
            )
            raise InvalidNotebookError(msg, field="notebook")
        names = (grade_id_of(cell) for cell in read_notebook(data)["cells"])
        return frozenset(name for name in names if name is not None)

    def uses_seed(self, source: bytes) -> bool:
        """Say whether the author's notebook draws its data from a seed of each student's own."""
        return uses_personal_seed(make_release(source).source)

    def personal(self, released: bytes, seed: int) -> bytes:
        """Return the students' copy with this student's ``seed`` in it."""
        return to_bytes(personal_seed(read_notebook(released), seed))

    def restore(self, source: bytes, submitted: bytes, seed: int | None = None) -> dict[str, Any]:
        """Return the notebook to run: the author's cells with the student's answers in them.

        Cells keep the author's order; an exercise's ``position`` (in the source) is not its index
        here, its grade_id is what leads to it.
        """
        return restore_notebook(source, submitted, seed)

    def exam(self, source: bytes, notebook: dict[str, Any], sealing: Sealing | None) -> Exam | None:
        """Return what the examiner runs with the restored ``notebook``; None if nothing."""
        original, seed = make_release(source).source, seed_of(notebook)
        if seed is not None:
            original = personal_seed(original, seed)
        return make_exam(original, notebook, sealing, key=hashlib.sha256(source).hexdigest())

    def sealing(
        self, source: bytes, sealed: NotebookRun, plain: NotebookRun | None
    ) -> tuple[CellSealing, ...]:
        """Return each test cell's sealing from runs of the reference solution."""
        exam = self.exam(source, sealed.notebook, None)
        return sealings_of(make_release(source).source, exam, sealed, plain)

    def score(
        self,
        notebook: dict[str, Any],
        run: NotebookRun,
        exercises: Sequence[Exercise],
        sealing: Sealing | None = None,
    ) -> tuple[ExerciseGrade, ...]:
        """Score the restored ``notebook`` (before the run) by what ``run`` saw."""
        return score_run(notebook, run, exercises, sealing)

    def feedback(
        self, submission: Submission, run: NotebookRun, grades: Sequence[ExerciseGrade]
    ) -> bytes:
        """Return the feedback page: UTF-8 HTML, sanitised, without hidden tests."""
        return feedback_page(submission, run, grades)
