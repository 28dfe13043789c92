from __future__ import annotations

import logging
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, inspect, select, text
from sqlalchemy.exc import ProgrammingError, StatementError

import jupyter_ppo
from jupyter_ppo.domain.errors import (
    ConflictError,
    DatabaseVersionError,
    InvalidInputError,
    PPOError,
    StorageFullError,
    UnavailableError,
)
from jupyter_ppo.domain.ids import new_id
from jupyter_ppo.storage.courses import Courses
from jupyter_ppo.storage.database import Database, database_now, open_database, sqlite_url
from jupyter_ppo.storage.sealings import Sealings
from jupyter_ppo.storage.submissions import Submissions
from jupyter_ppo.storage.tables import Base, CourseRow
from jupyter_ppo.storage.upgrade import MIGRATIONS, upgrade

#: The newest revision that there is.
NEWEST = ScriptDirectory(str(MIGRATIONS)).get_current_head()

NEXT_REVISION = f"""
import sqlalchemy as sa
from alembic import op

revision = "v9999"
down_revision = "{NEWEST}"

def upgrade():
    op.create_table("later", sa.Column("id", sa.Integer(), primary_key=True))
"""

OLD_COURSE = (
    "INSERT INTO courses (id, name, title, created_at) "
    "VALUES (:id, 'before', 'Before the upgrade', '2026-01-01 00:00:00')"
)
OLD_GRADE = (
    "INSERT INTO assignments (id, course_id, name, created_at) "
    "VALUES (:assignment, :course, 'first', '2026-01-01 00:00:00')",
    "INSERT INTO assignment_versions "
    "(id, assignment_id, number, source_digest, release_digest, created_at) "
    "VALUES (:version, :assignment, 1, 'a', 'b', '2026-01-01 00:00:00')",
    "INSERT INTO submissions "
    "(id, assignment_id, version_id, user, attempt, digest, state, submitted_at, warnings) "
    "VALUES (:submission, :assignment, :version, 'ada', 1, 'c', 'graded', "
    "'2026-01-01 00:00:00', '[]')",
    "INSERT INTO grades (submission_id, points, max_points, needs_review, verdict, detail, "
    "feedback_digest, graded_at, wall_seconds) "
    "VALUES (:submission, 2, 2, 0, 'ran', '', 'd', '2026-01-01 00:00:00', 1)",
    "INSERT INTO exercise_grades "
    "(submission_id, grade_id, position, points, max_points, needs_review, reason) "
    "VALUES (:submission, 'gae', 0, 2, 2, 0, 'All tests passed.')",
)

OPEN_WHEN_TOLD = """
import sys
from pathlib import Path
from jupyter_ppo.storage.courses import Courses
from jupyter_ppo.storage.database import open_database

print("ready", flush=True)
sys.stdin.readline()
database = open_database(sys.argv[1], migrations=Path(sys.argv[2]))
Courses(database).create_course(sys.argv[3], "made by one of many")
database.close()
"""


class UtcNow:
    def now(self) -> datetime:
        return datetime.now(UTC)


@pytest.fixture(autouse=True)
def every_migration_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the real way to a new file: elsewhere a copy stands in for it."""
    monkeypatch.setattr("jupyter_ppo.storage.database.upgrade", upgrade)


@pytest.fixture
def newer_migrations(tmp_path: Path) -> Path:
    """The migrations of a later version of this package, which adds a table."""
    folder = tmp_path / "later migrations 100%"
    shutil.copytree(MIGRATIONS, folder, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "versions" / "v9999_later.py").write_text(NEXT_REVISION)
    return folder


@pytest.fixture
def connection(database: Database) -> Iterator[Any]:
    with database.engine.connect() as connection:
        yield connection


def open_in_processes(url: str, migrations: Path, count: int = 4) -> None:
    """Let several processes open the database at the same moment; each adds a course."""
    root = str(Path(jupyter_ppo.__file__).parents[1])
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", OPEN_WHEN_TOLD, url, str(migrations), f"course-{number}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": root},
        )
        for number in range(count)
    ]
    try:
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        for process in processes:
            _, problems = process.communicate(timeout=120)
            assert process.returncode == 0, problems
    finally:
        for process in processes:
            process.kill()
            process.communicate()


def names_in(url: str) -> list[str]:
    database = open_database(url)
    try:
        return [course.name for course in Courses(database).courses(None, offset=0, limit=9).items]
    finally:
        database.close()


def test_a_missing_file_is_made_with_its_folder_and_survives_reopening(tmp_path: Path) -> None:
    url = sqlite_url(tmp_path / "new" / "folder 100% #1?" / "course.sqlite")
    database = open_database(url)
    Courses(database).create_course("ppo", "PPO")
    database.close()
    assert (tmp_path / "new" / "folder 100% #1?" / "course.sqlite").is_file()
    assert names_in(url) == ["ppo"]


@pytest.mark.only_sqlite("these are its switches")
def test_sqlite_writes_ahead_and_checks_foreign_keys(connection: Any) -> None:
    assert connection.scalar(text("PRAGMA journal_mode")) == "wal"
    assert connection.scalar(text("PRAGMA foreign_keys")) == 1
    assert connection.scalar(text("PRAGMA busy_timeout")) >= 10_000


def test_four_processes_that_start_at_once_all_come_up(tmp_path: Path) -> None:
    url = sqlite_url(tmp_path / "course.sqlite")
    open_in_processes(url, MIGRATIONS)
    assert names_in(url) == [f"course-{number}" for number in range(4)]


def test_four_processes_upgrade_an_older_file_once_and_back_it_up_once(
    tmp_path: Path, newer_migrations: Path
) -> None:
    path = tmp_path / "course.sqlite"
    database = open_database(sqlite_url(path))
    Courses(database).create_course("before", "Before the upgrade")
    database.close()

    open_in_processes(sqlite_url(path), newer_migrations)

    (backup,) = tmp_path.glob("*.backup")
    assert backup.name.startswith(f"course.sqlite.{NEWEST}.")
    assert not list(tmp_path.glob("*.part"))
    with closing(sqlite3.connect(backup)) as old, closing(sqlite3.connect(path)) as new:
        assert old.execute("SELECT name FROM courses").fetchall() == [("before",)]
        assert old.execute("SELECT version_num FROM alembic_version").fetchall() == [(NEWEST,)]
        assert new.execute("SELECT count(*) FROM courses").fetchone() == (5,)
        assert new.execute("SELECT version_num FROM alembic_version").fetchall() == [("v9999",)]
        assert new.execute("SELECT count(*) FROM later").fetchone() == (0,)


def test_a_database_of_the_first_version_is_upgraded_and_keeps_what_it_holds(
    tmp_path: Path,
) -> None:
    path, first = tmp_path / "course.sqlite", tmp_path / "first"
    ignore = shutil.ignore_patterns("__pycache__", "v0002*", "v000[3-9]*", "v001*")
    shutil.copytree(MIGRATIONS, first, ignore=ignore)
    old = open_database(sqlite_url(path), migrations=first)
    assert "executions" not in inspect(old.engine).get_table_names()
    with old.engine.begin() as connection:
        connection.execute(text(OLD_COURSE), {"id": new_id().hex})
    old.close()

    assert names_in(sqlite_url(path)) == ["before"]
    with closing(sqlite3.connect(path)) as new:
        assert new.execute("SELECT count(*) FROM executions").fetchone() == (0,)
    (backup,) = tmp_path.glob("*.backup")
    assert backup.name.startswith("course.sqlite.v0001.")


def test_what_was_graded_before_there_was_sealing_counts_as_unsealed_after_the_upgrade(
    tmp_path: Path,
) -> None:
    path, second = tmp_path / "course.sqlite", tmp_path / "second"
    shutil.copytree(
        MIGRATIONS,
        second,
        ignore=shutil.ignore_patterns("__pycache__", "v000[3-9]*", "v001*"),
    )
    old = open_database(sqlite_url(path), migrations=second)
    ids = {name: new_id() for name in ("course", "other", "assignment", "version", "submission")}
    hexes = {name: value.hex for name, value in ids.items()}
    with old.engine.begin() as connection:
        connection.execute(text(OLD_COURSE), {"id": hexes["course"]})
        connection.execute(text(OLD_COURSE.replace("'before'", "'second'")), {"id": hexes["other"]})
        for statement in OLD_GRADE:
            connection.execute(text(statement), hexes)
    old.close()

    database = open_database(sqlite_url(path))
    try:
        courses, submissions = Courses(database), Submissions(database, UtcNow())
        grade = submissions.grade(ids["submission"])
        assert grade is not None
        [exercise] = grade.exercises
        assert (exercise.grade_id, exercise.points, exercise.is_sealed) == ("gae", 2.0, False)
        assert (exercise.checks, exercise.records) == ((), ())
        found = submissions.submission(ids["submission"])
        assert (found.points, found.unsealed_points) == (2.0, 2.0)
        assert (found.submitted_version, found.counts) == (1, True)
        assert found.released_at == grade.graded_at
        secrets = [courses.secret(ids[name]) for name in ("course", "other", "course")]
        assert secrets[0] == secrets[2] != secrets[1]
        assert {len(secret) for secret in secrets} == {32}
        assert Sealings(database).sealing(ids["version"]) is None
        with database.engine.connect() as connection:
            assert connection.execute(text("PRAGMA foreign_key_check")).all() == []
    finally:
        database.close()


def test_an_upgrade_that_fails_leaves_the_old_tables_and_their_content(
    tmp_path: Path, newer_migrations: Path
) -> None:
    url = sqlite_url(tmp_path / "course.sqlite")
    database = open_database(url)
    Courses(database).create_course("before", "Before the upgrade")
    database.close()
    script = newer_migrations / "versions" / "v9999_later.py"
    script.write_text(NEXT_REVISION + '    op.drop_table("no_such_table")\n')

    with pytest.raises(UnavailableError):
        open_database(url, migrations=newer_migrations)

    assert names_in(url) == ["before"]
    with closing(sqlite3.connect(tmp_path / "course.sqlite")) as left:
        assert left.execute("SELECT name FROM sqlite_master WHERE name='later'").fetchall() == []


def test_a_database_of_a_newer_version_is_refused_and_left_alone(
    tmp_path: Path, newer_migrations: Path
) -> None:
    path = tmp_path / "course.sqlite"
    open_database(sqlite_url(path), migrations=newer_migrations).close()
    before = path.read_bytes()
    with pytest.raises(DatabaseVersionError, match="'v9999', written by a newer jupyter_ppo"):
        open_database(sqlite_url(path))
    assert path.read_bytes() == before
    assert not list(tmp_path.glob("*.backup"))


def test_a_database_of_another_program_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "other.sqlite"
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE courses (id INTEGER)")
    with pytest.raises(DatabaseVersionError, match="Name an empty database"):
        open_database(sqlite_url(path))
    with closing(sqlite3.connect(path)) as other:
        assert other.execute("SELECT name FROM sqlite_master").fetchall() == [("courses",)]


def test_models_and_migrations_agree(connection: Any) -> None:
    context = MigrationContext.configure(
        connection, opts={"compare_type": True, "compare_server_default": True}
    )
    assert compare_metadata(context, Base.metadata) == []


def test_models_and_migrations_have_the_same_checks_under_the_same_names(
    connection: Any, backend: str
) -> None:
    modelled = create_engine("sqlite://")
    Base.metadata.create_all(modelled)
    try:
        for table in Base.metadata.tables:
            checks = [
                sorted(
                    # PostgreSQL says in its own words what a constraint asks for.
                    (item["name"], item["sqltext"] if backend == "sqlite" else "")
                    for item in found.get_check_constraints(table)
                )
                for found in (inspect(connection), inspect(modelled))
            ]
            assert checks[0] == checks[1], table
    finally:
        modelled.dispose()


@pytest.mark.only_sqlite("test_postgresql_upgrade.py does it there")
def test_migrations_can_be_undone(database: Database) -> None:
    config = Config(attributes={})
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    with database.engine.connect() as connection:
        # As when upgrading: SQLite makes tables anew that others refer to.
        connection.connection.driver_connection.execute("PRAGMA foreign_keys = OFF")
        config.attributes["connection"] = connection
        command.downgrade(config, "base")
        assert inspect(connection).get_table_names() == ["alembic_version"]


def test_a_file_that_is_not_a_database_is_named(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("not a database " * 100)
    with pytest.raises(UnavailableError, match=r"notes\.txt is not a readable SQLite database"):
        open_database(sqlite_url(path))
    assert path.read_text() == "not a database " * 100


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "sqlite:///file:a?mode=memory"])
def test_sqlite_in_memory_is_refused(url: str) -> None:
    with pytest.raises(InvalidInputError, match="in memory") as caught:
        open_database(url)
    assert caught.value.field == "db_url"


@pytest.mark.parametrize(
    "url",
    [
        "no url at all but s3cret",
        "nodialect://user:s3cret@host/db",
        "postgresql+psycopg://user:s3cret@host:notaport/db",
        "postgresql+psycopg://user:s3cret@127.0.0.1:1/db",
        "mysql+pymysql://user:s3cret@127.0.0.1:1/db",
    ],
)
def test_no_message_and_no_log_line_holds_the_password(
    url: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with pytest.raises(PPOError) as caught:
        open_database(url)
    assert caught.value.field == "db_url"
    cause: BaseException | None = caught.value
    while cause is not None:
        assert "s3cret" not in str(cause)
        cause = cause.__cause__
    assert "s3cret" not in caplog.text


@pytest.mark.parametrize("url", ["mysql+pymysql://host/db", "mssql+pyodbc://host/db", "oracle://h"])
def test_a_database_that_the_locks_are_not_written_for_is_refused(url: str) -> None:
    with pytest.raises(InvalidInputError, match=r"^db_url: .* is not supported\. Use") as caught:
        open_database(url)
    assert caught.value.field == "db_url"


def test_an_exception_undoes_the_whole_transaction(database: Database) -> None:
    def write_and_fail() -> None:
        with database.begin() as session:
            now = database_now(session)
            session.add(CourseRow(name="ppo", title="PPO", created_at=now))
            session.flush()
            msg = "stop"
            raise KeyError(msg)

    with pytest.raises(KeyError):
        write_and_fail()
    with database.session() as session:
        assert session.scalars(select(CourseRow)).all() == []


def test_a_reader_is_not_disturbed_by_a_writer(database: Database) -> None:
    with database.session() as reading:
        assert reading.scalars(select(CourseRow)).all() == []
        Courses(database).create_course("ppo", "PPO")
        assert reading.scalars(select(CourseRow)).all() == []
    with database.session() as reading:
        assert len(reading.scalars(select(CourseRow)).all()) == 1


def test_a_broken_constraint_is_a_conflict(database: Database) -> None:
    statement = text(
        "INSERT INTO memberships (course_id, \"user\", role) VALUES (:course, 'ada', :role)"
    )
    course = Courses(database).create_course("ppo", "PPO").id.hex
    for values in ({"course": course, "role": "king"}, {"course": "0" * 32, "role": "student"}):
        with pytest.raises(ConflictError), database.begin() as session:
            session.execute(statement, values)
    with database.begin() as session:
        session.execute(statement, {"course": course, "role": "student"})


def test_a_mistake_in_a_statement_is_not_taken_for_a_database_that_is_down(
    database: Database,
) -> None:
    for transaction in (database.session, database.begin):
        with pytest.raises(ProgrammingError), transaction() as session:
            session.connection().exec_driver_sql("SELECT ?", ())


@pytest.mark.only_sqlite("test_postgresql.py does it there")
def test_a_value_that_cannot_be_held_is_refused_and_not_a_mistake_of_ours(
    database: Database,
) -> None:
    for transaction in (database.session, database.begin):
        with pytest.raises(InvalidInputError, match="cannot hold"), transaction() as session:
            session.connection().exec_driver_sql("SELECT length(hex(zeroblob(2000000000)))")


@pytest.mark.only_sqlite("it has one lock for all")
def test_a_database_that_another_process_keeps_locked_does_not_answer(
    database: Database, tmp_path: Path
) -> None:
    with database.engine.connect() as only:  # the pool gives out this one connection again
        only.exec_driver_sql("PRAGMA busy_timeout = 0")
    with closing(sqlite3.connect(tmp_path / "course.sqlite", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(UnavailableError, match="does not answer"), database.begin() as session:
            session.execute(text("SELECT 1"))


def test_a_time_without_a_zone_is_refused(database: Database) -> None:
    naive = datetime(2026, 1, 1)  # noqa: DTZ001 - the point of the test
    with database.begin() as session:
        session.add(CourseRow(id=new_id(), name="ppo", title="PPO", created_at=naive))
        with pytest.raises(StatementError, match="no time zone"):
            session.flush()


@pytest.mark.only_sqlite("the disk is filled by a switch of its own")
def test_a_full_disk_is_reported_as_such_and_changes_nothing(database: Database) -> None:
    def fill() -> None:
        with database.begin() as session:
            pages = session.scalar(text("PRAGMA page_count"))
            session.execute(text(f"PRAGMA max_page_count = {pages}"))
            now = database_now(session)
            session.add(CourseRow(name="ppo", title="x" * 1_000_000, created_at=now))

    with pytest.raises(StorageFullError, match="nothing was changed"):
        fill()
    with database.session() as session:
        assert session.scalars(select(CourseRow)).all() == []


def test_closing_leaves_no_file_open(tmp_path: Path) -> None:
    folder = Path("/proc/self/fd")
    if not folder.is_dir():
        pytest.skip("open files cannot be listed on this system")
    database = open_database(sqlite_url(tmp_path / "course.sqlite"))
    Courses(database).create_course("ppo", "PPO")
    database.close()
    links = [link.readlink() for link in folder.iterdir() if link.is_symlink()]
    assert not [link for link in links if link.is_relative_to(tmp_path)]
