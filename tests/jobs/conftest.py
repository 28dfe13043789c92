"""A real queue on a real database, and ways to wait for it."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import select

from jupyter_ppo.domain.courses import CellKind, Exercise
from jupyter_ppo.domain.grading import ExerciseGrade, Grade
from jupyter_ppo.domain.jobs import JobState, Lease
from jupyter_ppo.domain.sandbox import Verdict
from jupyter_ppo.domain.submissions import Submission, SubmissionState
from jupyter_ppo.storage.courses import Courses
from jupyter_ppo.storage.database import Database, open_database, sqlite_url
from jupyter_ppo.storage.jobs import Jobs
from jupyter_ppo.storage.submissions import Submissions
from jupyter_ppo.storage.tables import JobRow

#: How long a test waits for something that must happen; never reached when all is well.
DEADLINE_SECONDS = 120.0


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)


@dataclass
class Rig:
    """A course with one assignment, its queue, and shortcuts."""

    url: str
    database: Database
    jobs: Jobs
    submissions: Submissions
    courses: Courses

    def submit(self, count: int = 1) -> list[UUID]:
        assignment = self.courses.assignment(self.courses.course("ppo").id, "first")
        return [self.submissions.submit(assignment, "ada", "d" * 64, []).id for _ in range(count)]

    def submission(self, submission_id: UUID) -> Submission:
        return self.submissions.submission(submission_id)

    def state(self, submission_id: UUID) -> SubmissionState:
        return self.submission(submission_id).state

    def ended(self, submission_id: UUID) -> bool:
        return self.state(submission_id) in {SubmissionState.GRADED, SubmissionState.FAILED}

    def job(self, submission_id: UUID) -> JobRow:
        with self.database.session() as session:
            return session.scalars(
                select(JobRow).where(JobRow.submission_id == submission_id)
            ).one()

    def expire(self, submission_id: UUID) -> None:
        """Let the lease run out now; a renewal may come right after."""
        with self.database.begin() as session:
            job = session.scalars(select(JobRow).where(JobRow.submission_id == submission_id)).one()
            if job.state is JobState.LEASED:
                job.lease_until = datetime(2000, 1, 1, tzinfo=UTC)

    @staticmethod
    def wait_until(condition: Callable[[], object]) -> None:
        deadline = time.monotonic() + DEADLINE_SECONDS
        while not condition():
            assert time.monotonic() < deadline, "the condition did not come true"
            time.sleep(0.01)

    @staticmethod
    def wait_for(event: threading.Event) -> None:
        assert event.wait(DEADLINE_SECONDS), "the event was not set"


@pytest.fixture
def rig_url(tmp_path: Path, empty_database: Path) -> str:
    """Return the address of the rig's database, empty; a room may have another kind."""
    shutil.copy(empty_database, tmp_path / "course.sqlite")
    return sqlite_url(tmp_path / "course.sqlite")


@pytest.fixture
def rig(rig_url: str) -> Iterator[Rig]:
    url = rig_url
    database = open_database(url)
    courses = Courses(database)
    course = courses.create_course("ppo", "PPO")
    courses.release(
        course.id,
        "first",
        source_digest="a" * 64,
        release_digest="b" * 64,
        exercises=[Exercise("gae", CellKind.TESTS, 1.0, 0)],
    )
    yield Rig(url, database, Jobs(database), Submissions(database, SystemClock()), courses)
    database.close()


@pytest.fixture
def graded() -> Callable[[Lease], Grade]:
    """The grade that a worker gives when all goes well: as many points as the try's number."""

    def graded(lease: Lease) -> Grade:
        return Grade(
            submission_id=lease.submission_id,
            exercises=(ExerciseGrade("gae", float(lease.attempt), 3.0, False, "Good."),),
            verdict=Verdict.RAN,
            detail="",
            feedback_digest="c" * 64,
            graded_at=datetime(2026, 1, 1, tzinfo=UTC),
            wall_seconds=0.5,
        )

    return graded


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    """Every thread that a test starts has ended when the test has."""
    before = set(threading.enumerate())
    yield
    assert [thread.name for thread in threading.enumerate() if thread not in before] == []
