"""A service on a real SQLite file; only the notebook format and the sandbox are small."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from jupyter_ppo.domain.access import Caller
from jupyter_ppo.domain.courses import CellKind, Exercise, Role
from jupyter_ppo.domain.errors import InvalidNotebookError
from jupyter_ppo.domain.exam import CheckRun, CheckState, Exam, ExamCell
from jupyter_ppo.domain.grading import ExerciseGrade
from jupyter_ppo.domain.ports import ReleasedNotebook
from jupyter_ppo.domain.sandbox import NotebookRun, SandboxLimits, SandboxStatus, Verdict
from jupyter_ppo.domain.sealing import CellSealing, Finding, FindingKind, Sealing, SealState
from jupyter_ppo.domain.submissions import Submission
from jupyter_ppo.services.assessment import AssessmentService
from jupyter_ppo.services.roster import RosterService
from jupyter_ppo.services.sealing import SealingService
from jupyter_ppo.services.seeds import PersonalSeeds
from jupyter_ppo.storage.audit import Audit
from jupyter_ppo.storage.blobs import FileBlobs
from jupyter_ppo.storage.courses import Courses
from jupyter_ppo.storage.database import Database, open_database
from jupyter_ppo.storage.jobs import Jobs
from jupyter_ppo.storage.rosters import Rosters
from jupyter_ppo.storage.sealings import Sealings
from jupyter_ppo.storage.submissions import Submissions

ADMIN = Caller("root", admin=True)


class FixedClock:
    def now(self) -> datetime:
        return datetime(2026, 11, 21, 12, tzinfo=UTC)


class AnswerGrader:
    """A notebook format of one exercise: ``{"answer": 42}`` is right.

    A source that names a seed gives every person their own, which the answer has to be then. Of a
    source without tests nothing is sealed, and the tests of one that is wrong fail on itself.
    """

    exercises = (Exercise("answer", CellKind.TESTS, 3.0, 0),)

    def release(self, source: bytes) -> ReleasedNotebook:
        weak = Finding(1, FindingKind.WEAK, "Compare with 42.")
        cells = (CellSealing("answer", SealState.SEALED, findings=(weak,)),)
        return ReleasedNotebook(b'{"answer": null}', self.exercises, cells=cells)

    def grade_ids(self, data: bytes) -> frozenset[str]:
        return frozenset(json.loads(data))

    def uses_seed(self, source: bytes) -> bool:
        return b"seed" in source

    def personal(self, released: bytes, seed: int) -> bytes:
        return json.dumps({**json.loads(released), "seed": seed}).encode()

    def check(self, data: bytes, released: ReleasedNotebook) -> tuple[str, ...]:
        try:
            answer = json.loads(data)["answer"]
        except (ValueError, KeyError, TypeError) as error:
            msg = "notebook: no answer in it."
            raise InvalidNotebookError(msg, field="notebook") from error
        return ("the answer is empty",) if answer is None else ()

    def restore(self, source: bytes, submitted: bytes, seed: int | None = None) -> dict[str, Any]:
        if submitted == source:
            return {"answer": 1 if b"wrong" in source else 42}
        return {**json.loads(submitted), "right": 42 if seed is None else seed}

    def exam(self, source: bytes, notebook: dict[str, Any], sealing: Sealing | None) -> Exam | None:
        if b"no tests" in source:
            return None
        code = f"assert answer == {notebook.get('right', 42)}"
        contract = frozenset() if sealing is None else sealing.contract
        cell = ExamCell(0, code, is_test=True, contract=contract)
        return Exam((cell,), frozenset({"answer"}), is_recording=sealing is None)

    def sealing(
        self, source: bytes, sealed: NotebookRun, plain: NotebookRun | None
    ) -> tuple[CellSealing, ...]:
        state = SealState.UNSEALED if not sealed.checks else SealState.SEALED
        if plain is not None:
            state = SealState.REFERENCE_FAILS
        uses = tuple(use for check in sealed.checks for use in check.uses)
        return (CellSealing("answer", state, contract=uses),)

    def score(
        self,
        notebook: dict[str, Any],
        run: NotebookRun,
        exercises: Sequence[Exercise],
        sealing: Sealing | None = None,
    ) -> tuple[ExerciseGrade, ...]:
        is_sealed = sealing is not None and sealing.states["answer"] is SealState.SEALED
        right = run.verdict is Verdict.RAN and all(
            check.state is CheckState.PASSED for check in run.checks
        )
        points = 3.0 if right else 0.0
        return (ExerciseGrade("answer", points, 3.0, False, "looked at it", is_sealed),)

    def feedback(
        self, submission: Submission, run: NotebookRun, grades: Sequence[ExerciseGrade]
    ) -> bytes:
        return f"<p>{submission.user}: {grades[0].points:g}</p>".encode()


@dataclass
class EchoSandbox:
    """Looks whether the answer is what the exam asks; ``fail`` makes it fail as an engine would."""

    fail: Exception | None = None
    ran: list[dict[str, Any]] = field(default_factory=list)
    exams: list[Exam | None] = field(default_factory=list)

    def status(self) -> SandboxStatus:
        return SandboxStatus(True, "echo", "echo", None, None)

    async def run(
        self, notebook: dict[str, Any], limits: SandboxLimits, exam: Exam | None = None
    ) -> NotebookRun:
        self.ran.append(notebook)
        self.exams.append(exam)
        if self.fail is not None:
            raise self.fail
        checks = ()
        if exam is not None:
            right = exam.cells[0].code == f"assert answer == {notebook['answer']}"
            state = CheckState.PASSED if right else CheckState.FAILED
            checks = (CheckRun(0, state, uses=frozenset({"compare Net"})),)
        return NotebookRun(notebook, Verdict.RAN, "", (), 0.5, checks=checks)


@dataclass
class World:
    """Everything that a test of the use cases looks at."""

    database: Database
    courses: Courses
    submissions: Submissions
    jobs: Jobs
    blobs: FileBlobs
    audit: Audit
    seeds: PersonalSeeds
    assessment: AssessmentService
    roster: RosterService
    woken: list[int]
    folder: Path

    def sealings(self, sandbox: Any, grader: Any = None) -> SealingService:
        return SealingService(
            courses=self.courses,
            sealings=Sealings(self.database),
            blobs=self.blobs,
            grader=grader or AnswerGrader(),
            sandbox=sandbox,
            limits=SandboxLimits(),
            clock=FixedClock(),
            audit=self.audit,
        )

    def member(self, user: str, role: Role, course: str = "rl") -> Caller:
        self.roster.put_member(ADMIN, course, user, role)
        return Caller(user)


@pytest.fixture
def world_url(tmp_path: Path, empty_database: Path) -> str:
    """Return the address of the world's database, empty; a room may have another kind."""
    shutil.copy(empty_database, tmp_path / "ppo.sqlite")
    return f"sqlite:///{tmp_path / 'ppo.sqlite'}"


@pytest.fixture
def world(tmp_path: Path, world_url: str) -> Iterator[World]:
    database = open_database(world_url)
    courses, submissions = Courses(database), Submissions(database, FixedClock())
    blobs, audit, woken = FileBlobs(tmp_path / "blobs"), Audit(database), []
    seeds = PersonalSeeds(courses, blobs, AnswerGrader())
    assessment = AssessmentService(
        courses=courses,
        submissions=submissions,
        blobs=blobs,
        grader=AnswerGrader(),
        audit=audit,
        seeds=seeds,
        clock=FixedClock(),
        on_queued=lambda: woken.append(1),
    )
    roster = RosterService(courses=courses, rosters=Rosters(database), audit=audit)
    jobs, folder = Jobs(database), tmp_path / "blobs"
    yield World(
        database,
        courses,
        submissions,
        jobs,
        blobs,
        audit,
        seeds,
        assessment,
        roster,
        woken,
        folder,
    )
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
