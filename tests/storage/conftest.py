"""A real database per test, SQLite or PostgreSQL, and one course with one assignment in it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import pytest
from sqlalchemy import update

from jupyter_ppo.domain.courses import Assignment, CellKind, Course, Exercise
from jupyter_ppo.domain.exam import CheckLine
from jupyter_ppo.domain.grading import ExerciseGrade, Grade
from jupyter_ppo.domain.ports import CourseStore, JobQueue, SubmissionStore
from jupyter_ppo.domain.sandbox import Verdict
from jupyter_ppo.storage.courses import Courses
from jupyter_ppo.storage.database import Database, open_database, sqlite_url
from jupyter_ppo.storage.jobs import Jobs
from jupyter_ppo.storage.submissions import Submissions
from jupyter_ppo.storage.tables import JobRow

if TYPE_CHECKING:
    from postgresql_server import Databases

EXERCISES = (
    Exercise("gae", CellKind.TESTS, 2.0, 1),
    Exercise("loss", CellKind.TESTS, 1.0, 3),
    Exercise("why", CellKind.MANUAL, 3.0, 5),
)


class TickingClock:
    """Every look is one second after the one before."""

    def __init__(self) -> None:
        self._now = datetime(2026, 3, 1, 12, tzinfo=UTC)

    def now(self) -> datetime:
        self._now += timedelta(seconds=1)
        return self._now


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run every test that has a database on SQLite and on PostgreSQL.

    A test that is about SQLite itself is marked so, with the reason.
    """
    if "backend" in metafunc.fixturenames:
        postgresql = pytest.param("postgresql", marks=pytest.mark.postgresql)
        is_about_sqlite = metafunc.definition.get_closest_marker("only_sqlite") is not None
        metafunc.parametrize("backend", ["sqlite"] if is_about_sqlite else ["sqlite", postgresql])


@pytest.fixture
def one_database(
    request: pytest.FixtureRequest, backend: str, tmp_path: Path, empty_database: Path
) -> Callable[[], AbstractContextManager[str]]:
    """Have the address of a database with all tables and nothing in them, as often as needed."""
    if backend == "postgresql":
        databases: Databases = request.getfixturevalue("postgresql_databases")
        return databases.one
    numbers = count()

    @contextmanager
    def sqlite() -> Iterator[str]:
        number = next(numbers)
        path = tmp_path / ("course.sqlite" if number == 0 else f"course-{number}.sqlite")
        shutil.copy(empty_database, path)
        yield sqlite_url(path)

    return sqlite


@pytest.fixture
def new_database(
    one_database: Callable[[], AbstractContextManager[str]],
) -> Iterator[Callable[[], Database]]:
    """Return empty databases, each time another one; they are closed after the test."""
    with ExitStack() as stack:

        def new_database() -> Database:
            url = stack.enter_context(one_database())
            return stack.enter_context(closing(open_database(url)))

        yield new_database


@pytest.fixture
def database_url(one_database: Callable[[], AbstractContextManager[str]]) -> Iterator[str]:
    """Return the address of ``database``, for a second process or pool at the same one."""
    with one_database() as url:
        yield url


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """An empty database."""
    opened = open_database(database_url)
    yield opened
    opened.close()


@pytest.fixture
def courses(database: Database) -> CourseStore:
    return Courses(database)


@pytest.fixture
def submissions(database: Database) -> SubmissionStore:
    return Submissions(database, TickingClock())


@pytest.fixture
def jobs(database: Database) -> JobQueue:
    return Jobs(database)


@pytest.fixture
def course(courses: CourseStore) -> Course:
    return courses.create_course("ppo", "Proximal Policy Optimization")


@pytest.fixture
def assignment(courses: CourseStore, course: Course) -> Assignment:
    return courses.release(
        course.id, "first", source_digest="a" * 64, release_digest="b" * 64, exercises=EXERCISES
    )


@pytest.fixture
def expire(database: Database) -> Callable[[UUID], None]:
    """Let a job's lease run out now, without waiting for it."""

    def expire(job_id: UUID) -> None:
        with database.begin() as session:
            session.execute(
                update(JobRow)
                .where(JobRow.id == job_id)
                .values(lease_until=datetime(2000, 1, 1, tzinfo=UTC))
            )

    return expire


@pytest.fixture
def make_grade() -> Callable[[UUID, float], Grade]:
    def make_grade(submission_id: UUID, points: float) -> Grade:
        return Grade(
            submission_id=submission_id,
            exercises=(
                ExerciseGrade(
                    "gae",
                    points,
                    2.0,
                    False,
                    "All tests passed.",
                    checks=(CheckLine("shape", 1.0, 1.0), CheckLine("by hand", 0.0, 1.0, "No.")),
                    records=({"env_id": "CartPole-v1", "mean": 9.5, "returns": [9.0, 10.0]},),
                ),
                ExerciseGrade(
                    "loss", 0.1, 1.0, False, "A part of the tests passed.", is_sealed=False
                ),
                ExerciseGrade("why", 0.0, 3.0, True, "A person reads this."),
            ),
            verdict=Verdict.RAN,
            detail="",
            feedback_digest="c" * 64,
            graded_at=datetime(2026, 3, 2, 8, 0, 0, 123456, tzinfo=UTC),
            wall_seconds=1.25,
        )

    return make_grade
