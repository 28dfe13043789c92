"""What the use cases need from outside; storage, sandbox and autograde implement these."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Generic, Protocol, TypeVar
from uuid import UUID

from jupyter_ppo.domain.courses import (
    Assignment,
    AssignmentKind,
    AssignmentVersion,
    Course,
    Exercise,
    Membership,
    Role,
)
from jupyter_ppo.domain.ending import Ending
from jupyter_ppo.domain.exam import Exam
from jupyter_ppo.domain.execution import (
    CaseResult,
    Execution,
    ExecutionQuota,
    ExecutionRequest,
    ExecutionUsage,
    Program,
    ProgramRun,
)
from jupyter_ppo.domain.grading import ExerciseGrade, Grade
from jupyter_ppo.domain.jobs import Lease
from jupyter_ppo.domain.sandbox import NotebookRun, PoolStatus, SandboxLimits, SandboxStatus
from jupyter_ppo.domain.sealing import CellSealing, Sealing
from jupyter_ppo.domain.submissions import Submission

T = TypeVar("T")


class Clock(Protocol):
    """The server's clock."""

    def now(self) -> datetime:
        """Return the time, aware, UTC."""


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """A slice of a list, and how long the whole list is."""

    items: tuple[T, ...]
    total: int
    offset: int
    limit: int


class BlobStore(Protocol):
    """Content-addressed bytes, kept for ever. Writing the same bytes twice keeps one copy."""

    def put(self, data: bytes) -> str:
        """Keep ``data`` durably (on disk before it returns); return its SHA-256 as hex.

        Raises ``StorageFullError`` when there is no room; nothing is left behind then.
        """

    def get(self, digest: str) -> bytes:
        """Return the bytes, checked against the digest.

        Raises ``NotFoundError``, or ``DamagedFileError`` when this one file cannot be read.
        """


class CourseStore(Protocol):
    """Courses, members, assignments."""

    def create_course(self, name: str, title: str) -> Course:
        """Add a course; raise ``ConflictError`` when the name is taken."""

    def course(self, name: str) -> Course:
        """Return a course by name; raise ``NotFoundError``."""

    def courses(self, user: str | None, *, offset: int, limit: int) -> Page[Course]:
        """Return courses by name; only those that ``user`` is a member of unless it is None."""

    def rename(self, course_id: UUID, title: str) -> Course:
        """Give the course another title; raise ``NotFoundError``."""

    def enrol(self, course_id: UUID, user: str, role: Role) -> Membership:
        """Give ``user`` this role, replacing an earlier one; who was removed is back."""

    def membership(self, course_id: UUID, user: str) -> Membership | None:
        """Return the person's membership; None also for who was removed."""

    def was_removed(self, course_id: UUID, user: str) -> bool:
        """Whether somebody took the person out of the course."""

    def release(
        self,
        course_id: UUID,
        name: str,
        *,
        source_digest: str,
        release_digest: str,
        exercises: Sequence[Exercise],
        kind: AssignmentKind = AssignmentKind.NOTEBOOK,
        note: str = "",
        released_by: str = "",
    ) -> Assignment:
        """Add the next version of the assignment, and the assignment itself if it is new.

        Raises ``ConflictError`` when the name is that of an assignment of another kind or of one
        in the trash.
        """

    def assignment(self, course_id: UUID, name: str) -> Assignment:
        """Return an assignment with its newest version; raise ``NotFoundError``."""

    def assignments(
        self, course_id: UUID, *, opened_by: datetime | None = None, offset: int, limit: int
    ) -> Page[Assignment]:
        """Return a course's assignments by name, each with its newest version.

        With ``opened_by`` only those that are open to students at that time.
        """

    def version(self, version_id: UUID) -> AssignmentVersion:
        """Return one version; raise ``NotFoundError``."""


class SubmissionStore(Protocol):
    """Submissions and their grades."""

    def submit(
        self,
        assignment: Assignment,
        user: str,
        digest: str,
        warnings: Sequence[str],
        *,
        submitted_at: datetime | None = None,
        attempts_per_hour: int = 0,
        is_bound: bool = False,
        idempotency_key: str | None = None,
        collected_by: str | None = None,
    ) -> Submission:
        """Add the next attempt and, unless people grade it, its grading job in one transaction.

        ``is_bound`` holds ``user`` to the assignment's terms, as students are. With an
        ``idempotency_key`` that came with these bytes before, the attempt of then is returned and
        nothing is added (``is_repeat``).

        Raises ``NotFoundError`` before it opens, ``ForbiddenError`` when it is closed or the
        attempts are used up, ``ConflictError`` when the key came with other bytes,
        ``TooManyRequestsError`` when the student handed in ``attempts_per_hour`` within the last
        hour already (0: no bound); all counted exactly, also when several are sent at once.
        """

    def submission(self, submission_id: UUID) -> Submission:
        """Return a submission; raise ``NotFoundError``."""

    def submissions(
        self,
        course_id: UUID,
        *,
        user: str | None = None,
        assignment_id: UUID | None = None,
        latest: bool = False,
        for_student: bool = False,
        offset: int,
        limit: int,
    ) -> Page[Submission]:
        """Return submissions, newest first.

        ``latest`` keeps only the attempt of each student that counts, for each assignment; with
        ``for_student`` that is the one that counts as far as the student knows.
        """

    def grade(self, submission_id: UUID) -> Grade | None:
        """Return the grade, if there is one."""

    def regrade(self, submission_id: UUID) -> Submission:
        """Queue a submission, also again; raise ``ConflictError`` if it is under way."""


class SealingStore(Protocol):
    """What is known of the test cells of each version."""

    def sealing(self, version_id: UUID) -> Sealing | None:
        """Return what the reference solution's run showed, if it was run."""

    def put(self, sealing: Sealing) -> Sealing:
        """Keep it; return what is kept, which is the earlier one if there is one."""

    def replace(self, sealing: Sealing) -> Sealing:
        """Keep it in the place of an earlier one."""


class JobQueue(Protocol):
    """Grading jobs. The database's clock decides; every write carries the lease's fence."""

    def lease(
        self, worker: str, duration: timedelta, submission_id: UUID | None = None
    ) -> Lease | None:
        """Take the oldest job that is queued or whose lease ran out; its submission is GRADING now.

        With ``submission_id``, only that submission's job. Jobs whose tries are used up become
        FAILED on the way.
        """

    def renew(self, lease: Lease, duration: timedelta) -> Lease:
        """Extend a lease; raise ``LeaseLostError``."""

    def succeed(self, lease: Lease, grade: Grade) -> None:
        """Store the grade and end the job in one transaction; raise ``LeaseLostError``."""

    def fail(self, lease: Lease, message: str) -> None:
        """Queue the job again, at the end, or end it as FAILED after the last try."""

    def give_back(self, lease: Lease) -> None:
        """Queue the job again, at the end, without counting this try; no error if lost."""

    def pending(self, course_id: UUID | None = None) -> int:
        """Count the jobs that are queued or leased."""


class Sandbox(Protocol):
    """Runs notebooks where submitted code may run, and nowhere else."""

    def status(self) -> SandboxStatus:
        """Say whether it can run anything; never raises."""

    async def run(
        self, notebook: dict[str, Any], limits: SandboxLimits, exam: Exam | None = None
    ) -> NotebookRun:
        """Run every code cell in a fresh container that is gone afterwards.

        The test cells of ``exam`` are run by the examiner instead, in a container of its own, and
        their text never gets into the first one; what came of them is in ``checks``.

        Raises ``EngineUnavailableError``, ``ImageMissingError`` or ``SandboxError``, never the
        student's fault; everything the student does ends as a verdict.
        """


class Programs(Protocol):
    """Runs programs where submitted code may run, and nowhere else."""

    def run(
        self,
        programs: Sequence[Program],
        limits: SandboxLimits,
        seconds: float,
        stop: Ending | None = None,
    ) -> tuple[ProgramRun, ...]:
        """Run each in a process of its own, one after another, in one fresh container.

        ``seconds`` is wall time for all of them, and they share ``limits.output_bytes``: what comes
        after these are used up ends as TIMEOUT or OUTPUT_LIMIT without being run. ``stop`` ends
        what runs; it and what would come after it are STOPPED. Blocks. Raises
        ``EngineUnavailableError``, ``ImageMissingError``, ``SandboxError``, or ``BusyError`` once
        the server stops, never the program's fault; a ``SandboxError`` says how many ``seconds``
        programs had run.
        """

    def status(self) -> PoolStatus:
        """Say how many containers wait; never raises, never asks the engine."""


class ExecutionStore(Protocol):
    """Executions: admitted, ended, listed. The database's clock decides."""

    def admit(self, user: str, request: ExecutionRequest, quota: ExecutionQuota) -> Execution:
        """Record a RUNNING execution, or raise ``TooManyRequestsError`` when over the quota.

        Counted exactly, also when several servers ask at once. Until it has ended it counts
        ``request.timeout_seconds``.
        """

    def finish(
        self,
        execution_id: UUID,
        *,
        run: ProgramRun | None = None,
        cases: Sequence[CaseResult] = (),
        seconds: float,
    ) -> Execution:
        """Record what came of it, and what it used; raise ``NotFoundError``.

        What is returned is whole; of long output a part is stored.
        """

    def fail(self, execution_id: UUID, message: str, *, seconds: float = 0.0) -> None:
        """Record that it ended through our fault; only ``seconds`` count then."""

    def usage(self, user: str) -> ExecutionUsage:
        """Return what counts against the person's quota now."""

    def execution(self, execution_id: UUID) -> Execution:
        """Return one execution; raise ``NotFoundError``."""

    def executions(self, user: str, *, offset: int, limit: int) -> Page[Execution]:
        """Return a person's executions, newest first."""

    def clean_up(self, keep: timedelta) -> int:
        """Delete what is older than ``keep``; return how many. FAIL what a killed server left."""


@dataclass(frozen=True, slots=True)
class ReleasedNotebook:
    """What the author's notebook gives: students' bytes and the exercises in it.

    ``hidden_tests`` is the number of test cells that hold hidden tests. ``cells`` says of each test
    cell what can be known without running it.
    """

    release: bytes
    exercises: tuple[Exercise, ...]
    hidden_tests: int = 0
    cells: tuple[CellSealing, ...] = ()


class Grader(Protocol):
    """The notebook format: what is released, what is accepted, what it scores."""

    def release(self, source: bytes) -> ReleasedNotebook:
        """Make the students' copy; raise ``InvalidNotebookError`` naming the cell."""

    def check(self, data: bytes, released: ReleasedNotebook) -> tuple[str, ...]:
        """Return warnings for the student; raise when the bytes cannot be graded at all."""

    def grade_ids(self, data: bytes) -> frozenset[str]:
        """Return the grade_ids in a notebook, whoever's it is; raise when it cannot be read."""

    def uses_seed(self, source: bytes) -> bool:
        """Say whether the author's notebook draws its data from a seed of each student's own."""

    def personal(self, released: bytes, seed: int) -> bytes:
        """Return the students' copy with this student's ``seed`` (0 or more) in it."""

    def restore(self, source: bytes, submitted: bytes, seed: int | None = None) -> dict[str, Any]:
        """Return the notebook to run: the author's cells with the student's answers in them.

        ``seed`` is the student's own, in the same places as in ``personal``; ``exam`` finds it in
        the notebook again. Without it the author's number stays.
        """

    def exam(self, source: bytes, notebook: dict[str, Any], sealing: Sealing | None) -> Exam | None:
        """Return what the examiner runs with the restored ``notebook``; None if nothing.

        Without a ``sealing`` the exam records what the reference solution needs, and holds every
        test cell that is not marked as unsealed.
        """

    def sealing(
        self, source: bytes, sealed: NotebookRun, plain: NotebookRun | None
    ) -> tuple[CellSealing, ...]:
        """Return each test cell's sealing from runs of the reference solution.

        ``sealed`` is its run with the examiner; ``plain`` the one without, None if every test
        passed in the first.
        """

    def score(
        self,
        notebook: dict[str, Any],
        run: NotebookRun,
        exercises: Sequence[Exercise],
        sealing: Sealing | None = None,
    ) -> tuple[ExerciseGrade, ...]:
        """Score the restored ``notebook`` (before the run) by what ``run`` saw.

        Without ``sealing`` every test is scored as run in the student's kernel.
        """

    def feedback(
        self, submission: Submission, run: NotebookRun, grades: Sequence[ExerciseGrade]
    ) -> bytes:
        """Return the feedback page: UTF-8 HTML, sanitised, without hidden tests."""


Progress = Callable[[int, int], None]
"""Called with (done, total) by anything long."""
