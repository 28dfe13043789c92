"""Upgrades on both databases: from every version that was released, and by many at once."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import ExitStack, closing
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from row_filler import Filler, Row
from sqlalchemy import (
    Engine,
    MetaData,
    Table,
    create_engine,
    inspect,
    select,
    text,
)
from sqlalchemy.exc import ProgrammingError

import jupyter_ppo
from jupyter_ppo.domain.errors import DatabaseVersionError, UnavailableError
from jupyter_ppo.storage.connections import ConnectionLimits
from jupyter_ppo.storage.courses import Courses
from jupyter_ppo.storage.database import Database, open_database, sqlite_url
from jupyter_ppo.storage.row_security import follow_scope
from jupyter_ppo.storage.upgrade import MIGRATIONS, upgrade

RELEASED = sorted(script.revision for script in ScriptDirectory(str(MIGRATIONS)).walk_revisions())

NEXT_REVISION = """
import sqlalchemy as sa
from alembic import op

revision = "v9999"
down_revision = "NEWEST"

def upgrade():
    op.create_table("later", sa.Column("id", sa.Integer(), primary_key=True))
    op.execute("INSERT INTO later (id) VALUES (1)")
""".replace("NEWEST", RELEASED[-1])

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


@pytest.fixture(autouse=True)
def every_migration_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jupyter_ppo.storage.database.upgrade", upgrade)


@pytest.fixture
def blank_url(request: pytest.FixtureRequest, backend: str, tmp_path: Path) -> str:
    """Return the address of a database without a table."""
    if backend == "sqlite":
        return sqlite_url(tmp_path / "course.sqlite")
    url: str = request.getfixturevalue("blank_postgresql_url")
    return url


@pytest.fixture
def until(tmp_path: Path) -> Callable[[str], Path]:
    """Return the migrations as they were released with a version."""

    def until(revision: str) -> Path:
        folder = tmp_path / revision
        shutil.copytree(MIGRATIONS, folder, ignore=shutil.ignore_patterns("__pycache__"))
        for script in (folder / "versions").glob("v*.py"):
            if script.name[:5] > revision:
                script.unlink()
        return folder

    return until


@pytest.fixture
def newer(tmp_path: Path) -> Path:
    """Return the migrations of a later version, which adds a table."""
    folder = tmp_path / "later"
    shutil.copytree(MIGRATIONS, folder, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "versions" / "v9999_later.py").write_text(NEXT_REVISION)
    return folder


def rows(engine: Engine, table: str) -> list[Row]:
    with engine.connect() as connection:
        reflected = Table(table, MetaData(), autoload_with=connection)
        return [dict(row) for row in connection.execute(select(reflected)).mappings()]


def plain(value: Any) -> Any:
    """Return a value as both databases give it back: SQLite has no zones."""
    return value.replace(tzinfo=None) if isinstance(value, datetime) else value


def course_names(database: Database) -> list[str]:
    return [each.name for each in Courses(database).courses(None, offset=0, limit=99).items]


def test_what_every_version_wrote_is_there_after_each_upgrade(
    blank_url: str, until: Callable[[str], Path]
) -> None:
    """Each version writes into all its tables, and is upgraded to the next one."""
    filler, written = Filler(), list[tuple[str, str, Row]]()
    for revision in RELEASED:
        with closing(open_database(blank_url, migrations=until(revision))) as opened:
            with opened.engine.begin() as connection:
                made = filler.fill(connection)
            assert len(made) >= 10
            written += [(revision, table, row) for table, row in made.items()]

    with closing(open_database(blank_url)) as database:
        tables = {table: rows(database.engine, table) for table in {each[1] for each in written}}
        for revision, table, row in written:
            wanted = {name: plain(value) for name, value in row.items()}
            found = [{name: plain(each[name]) for name in wanted} for each in tables[table]]
            assert wanted in found, (revision, table)
        assert len(tables["courses"]) == len(RELEASED)
        Courses(database).create_course("now", "Made by the newest version")


def test_the_calls_that_older_drafts_name_are_their_batches_after_the_upgrade(
    blank_url: str, until: Callable[[str], Path]
) -> None:
    filler = Filler()
    with (
        closing(open_database(blank_url, migrations=until("v0012"))) as old,
        old.engine.begin() as connection,
    ):
        made, other = filler.fill(connection), filler.fill(connection)
        drafts = Table("feedback_drafts", MetaData(), autoload_with=connection)
        for draft, named in ((made, [str(made["model_calls"]["id"])]), (other, [])):
            mine = drafts.c.id == draft["feedback_drafts"]["id"]
            connection.execute(drafts.update().where(mine).values(call_ids=named))
    with closing(open_database(blank_url)) as database:
        calls = {row["id"]: row["batch_id"] for row in rows(database.engine, "model_calls")}
    assert calls == {
        made["model_calls"]["id"]: made["draft_batches"]["id"],
        other["model_calls"]["id"]: None,
    }


@pytest.mark.postgresql
def test_four_processes_upgrade_at_once_and_one_of_them_runs_it(
    blank_postgresql_url: str, until: Callable[[str], Path], newer: Path
) -> None:
    old = open_database(blank_postgresql_url, migrations=until("v0001"))
    with closing(old), old.engine.begin() as connection:
        made = Filler().fill(connection)
    environment = {**os.environ, "PYTHONPATH": str(Path(jupyter_ppo.__file__).parents[1])}
    command_line = [sys.executable, "-c", OPEN_WHEN_TOLD, blank_postgresql_url]
    with ExitStack() as stack:
        processes = [
            stack.enter_context(
                subprocess.Popen(
                    [*command_line, str(newer), name],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    text=True,
                    env=environment,
                )
            )
            for name in ("of-0", "of-1", "of-2", "of-3")
        ]
        for process in processes:
            stack.callback(process.kill)
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
    engine = create_engine(blank_postgresql_url)
    follow_scope(engine)
    try:
        assert [row["id"] for row in rows(engine, "later")] == [1]
        assert [row["version_num"] for row in rows(engine, "alembic_version")] == ["v9999"]
        names = {row["name"] for row in rows(engine, "courses")}
        assert names == {made["courses"]["name"], "of-0", "of-1", "of-2", "of-3"}
    finally:
        engine.dispose()


def test_an_upgrade_that_fails_leaves_everything_as_it_was(blank_url: str, newer: Path) -> None:
    with closing(open_database(blank_url)) as database:
        Courses(database).create_course("before", "Before the upgrade")
    script = newer / "versions" / "v9999_later.py"
    script.write_text(f'{script.read_text()}    op.execute("DROP TABLE no_such_table")\n')
    with pytest.raises((UnavailableError, ProgrammingError)):
        open_database(blank_url, migrations=newer)
    with closing(open_database(blank_url)) as database:
        assert course_names(database) == ["before"]
        assert "later" not in inspect(database.engine).get_table_names()


@pytest.mark.postgresql
def test_a_database_of_a_newer_version_or_another_program_is_refused(
    blank_postgresql_url: str, newer: Path
) -> None:
    open_database(blank_postgresql_url, migrations=newer).close()
    with pytest.raises(DatabaseVersionError, match="'v9999', written by a newer jupyter_ppo"):
        open_database(blank_postgresql_url)
    engine = create_engine(blank_postgresql_url)
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE alembic_version"))
    engine.dispose()
    with pytest.raises(DatabaseVersionError, match="Name an empty database"):
        open_database(blank_postgresql_url)


@pytest.mark.postgresql
def test_who_upgrades_waits_for_the_lock_however_short_the_bounds_of_requests_are(
    blank_postgresql_url: str,
) -> None:
    limits = ConnectionLimits(connections=1, statement=0.02, lock=0.02, idle=0.02)
    engine = create_engine(blank_postgresql_url)
    opened: list[Database] = []
    waiting = threading.Thread(
        target=lambda: opened.append(open_database(blank_postgresql_url, limits=limits))
    )
    try:
        with engine.connect() as other:
            key = int.from_bytes(b"jupyterp", "big")
            other.execute(text("SELECT pg_advisory_lock(:key)"), {"key": key})
            other.commit()
            waiting.start()
            waits = text(
                "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
            )
            while not other.scalar(waits):
                other.rollback()
            waiting.join(0.2)  # ten times the bounds
            assert waiting.is_alive()
        engine.dispose()  # as when the process that held it dies
        waiting.join(60)
        assert [course_names(database) for database in opened] == [[]]
    finally:
        engine.dispose()
        for database in opened:
            database.close()


@pytest.mark.postgresql
def test_migrations_can_be_undone(blank_postgresql_url: str) -> None:
    with closing(open_database(blank_postgresql_url)) as database:
        config = Config(attributes={})
        config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
        with database.engine.begin() as connection:
            config.attributes["connection"] = connection
            command.downgrade(config, "base")
            assert inspect(connection).get_table_names() == ["alembic_version"]
