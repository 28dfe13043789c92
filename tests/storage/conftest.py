"""A real SQLite database per test, and one course with one assignment in it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from sqlalchemy import create_engine, make_url, text, update

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

#: Such as ``postgresql+psycopg://postgres@/postgres?host=/run/postgresql``; empty: SQLite.
SERVER = os.environ.get("TEST_POSTGRESQL_URL", "")

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


@pytest.fixture
def database(
    request: pytest.FixtureRequest, tmp_path: Path, empty_database: Path
) -> Iterator[Database]:
    """An empty database: an SQLite file, or one of the PostgreSQL in TEST_POSTGRESQL_URL."""
    if SERVER:
        opened = open_database(request.getfixturevalue("postgresql_url"))
    else:
        shutil.copy(empty_database, tmp_path / "course.sqlite")
        opened = open_database(sqlite_url(tmp_path / "course.sqlite"))
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def postgresql_template() -> Iterator[str]:
    """Return the name of a PostgreSQL database with all tables and nothing in them."""
    name = f"template_{uuid4().hex}"
    _administer(f"CREATE DATABASE {name}")
    open_database(_address(name)).close()
    yield name
    _administer(f"DROP DATABASE {name}")


@pytest.fixture
def postgresql_url(postgresql_template: str) -> Iterator[str]:
    """Return the address of a copy of that template; it is dropped after the test."""
    name = f"test_{uuid4().hex}"
    _administer(f"CREATE DATABASE {name} TEMPLATE {postgresql_template}")
    yield _address(name)
    _administer(f"DROP DATABASE {name} WITH (FORCE)")


def _address(name: str) -> str:
    return make_url(SERVER).set(database=name).render_as_string(hide_password=False)


def _administer(statement: str) -> None:
    """Run a statement that no transaction may hold."""
    engine = create_engine(SERVER, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()


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
