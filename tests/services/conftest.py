"""A service on a real SQLite file; only the notebook format and the sandbox are small."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from jupyter_ppo.domain.access import Caller
from jupyter_ppo.domain.courses import CellKind, Exercise, Role
from jupyter_ppo.domain.errors import InvalidNotebookError
from jupyter_ppo.domain.grading import ExerciseGrade
from jupyter_ppo.domain.ports import ReleasedNotebook
from jupyter_ppo.domain.sandbox import NotebookRun, SandboxLimits, SandboxStatus, Verdict
from jupyter_ppo.domain.submissions import Submission
from jupyter_ppo.services.assessment import AssessmentService
from jupyter_ppo.storage.audit import Audit
from jupyter_ppo.storage.blobs import FileBlobs
from jupyter_ppo.storage.courses import Courses
from jupyter_ppo.storage.database import Database, open_database
from jupyter_ppo.storage.jobs import Jobs
from jupyter_ppo.storage.submissions import Submissions

ADMIN = Caller("root", admin=True)


class FixedClock:
    def now(self) -> datetime:
        return datetime(2026, 11, 21, 12, tzinfo=UTC)


class AnswerGrader:
    """A notebook format of one exercise: ``{"answer": 42}`` is right."""

    exercises = (Exercise("answer", CellKind.TESTS, 3.0, 0),)

    def release(self, source: bytes) -> ReleasedNotebook:
        return ReleasedNotebook(b'{"answer": null}', self.exercises)

    def check(self, data: bytes, released: ReleasedNotebook) -> tuple[str, ...]:
        try:
            answer = json.loads(data)["answer"]
        except (ValueError, KeyError, TypeError) as error:
            msg = "notebook: no answer in it."
            raise InvalidNotebookError(msg, field="notebook") from error
        return ("the answer is empty",) if answer is None else ()

    def restore(self, source: bytes, submitted: bytes) -> dict[str, Any]:
        return dict(json.loads(submitted))

    def score(
        self, notebook: dict[str, Any], run: NotebookRun, exercises: Sequence[Exercise]
    ) -> tuple[ExerciseGrade, ...]:
        right = run.verdict is Verdict.RAN and run.notebook["answer"] == 42
        return (ExerciseGrade("answer", 3.0 if right else 0.0, 3.0, False, "looked at it"),)

    def feedback(
        self, submission: Submission, run: NotebookRun, grades: Sequence[ExerciseGrade]
    ) -> bytes:
        return f"<p>{submission.user}: {grades[0].points:g}</p>".encode()


@dataclass
class EchoSandbox:
    """Returns what it was given; ``fail`` makes it fail as the engine would."""

    fail: Exception | None = None
    ran: list[dict[str, Any]] = field(default_factory=list)

    def status(self) -> SandboxStatus:
        return SandboxStatus(True, "echo", "echo", None, None)

    async def run(self, notebook: dict[str, Any], limits: SandboxLimits) -> NotebookRun:
        self.ran.append(notebook)
        if self.fail is not None:
            raise self.fail
        return NotebookRun(notebook, Verdict.RAN, "", (), 0.5)


@dataclass
class World:
    """Everything that a test of the use cases looks at."""

    database: Database
    courses: Courses
    submissions: Submissions
    jobs: Jobs
    blobs: FileBlobs
    audit: Audit
    assessment: AssessmentService
    woken: list[int]
    folder: Path

    def member(self, user: str, role: Role, course: str = "rl") -> Caller:
        self.assessment.enrol(ADMIN, course, user, role)
        return Caller(user)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    database = open_database(f"sqlite:///{tmp_path / 'ppo.sqlite'}")
    courses, submissions = Courses(database), Submissions(database, FixedClock())
    blobs, audit, woken = FileBlobs(tmp_path / "blobs"), Audit(database), []
    assessment = AssessmentService(
        courses=courses,
        submissions=submissions,
        blobs=blobs,
        grader=AnswerGrader(),
        audit=audit,
        on_queued=lambda: woken.append(1),
    )
    jobs, folder = Jobs(database), tmp_path / "blobs"
    yield World(database, courses, submissions, jobs, blobs, audit, assessment, woken, folder)
    database.close()


@pytest.fixture
def course(world: World) -> World:
    """The world with one course ``rl`` and its released assignment ``ps1``."""
    world.assessment.create_course(ADMIN, "rl", "Reinforcement Learning")
    world.assessment.release(ADMIN, "rl", "ps1", b"source with the solution")
    return world


@pytest.fixture
def admin() -> Caller:
    return ADMIN


@pytest.fixture
def echo() -> EchoSandbox:
    return EchoSandbox()


@pytest.fixture
def grader() -> AnswerGrader:
    return AnswerGrader()


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()
