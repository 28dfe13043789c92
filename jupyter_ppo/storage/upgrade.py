"""Bringing a database up to date, once, however many processes start at the same time."""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Generator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, inspect, text

from jupyter_ppo.domain.errors import DatabaseVersionError, StorageFullError, UnavailableError

#: The folder with Alembic's environment and the migrations.
MIGRATIONS = Path(__file__).with_name("migrations")

#: How long a connection waits for another one's lock.
BUSY_SECONDS = 60

#: The execution option that chooses how a transaction begins on SQLite.
BEGIN_OPTION = "jupyter_ppo_begin"

#: Any constant will do for PostgreSQL's lock; this one is "jupyter_ppo" cut to eight bytes.
_ADVISORY_LOCK = int.from_bytes(b"jupyterp", "big")


def upgrade(engine: Engine, migrations: Path) -> None:
    """Run the missing migrations; an SQLite file that has older tables is copied first.

    Raises ``DatabaseVersionError`` when the database is newer than the migrations, or not ours,
    ``UnavailableError`` or ``StorageFullError`` when the SQLite file cannot be made or copied.
    """
    config = Config(attributes={})
    # Alembic expands percent signs in its options.
    config.set_main_option("script_location", str(migrations).replace("%", "%%"))
    known = _package_revisions() if migrations == MIGRATIONS else _revisions(migrations)
    if engine.dialect.name == "sqlite":
        path = Path(str(engine.url.database))
        with _file_lock(path):
            _use_wal(path)
            _migrate_sqlite(engine, config, known, path)
    else:
        with engine.connect() as connection, _advisory_lock(connection):
            _migrate_postgresql(connection, config, known)


@dataclass(frozen=True)
class _Revisions:
    """The newest revision of a folder of migrations, and all of them."""

    head: str | None
    every: frozenset[str]


def _revisions(migrations: Path) -> _Revisions:
    scripts = ScriptDirectory(str(migrations))
    every = frozenset(script.revision for script in scripts.walk_revisions())
    return _Revisions(scripts.get_current_head(), every)


@cache
def _package_revisions() -> _Revisions:
    """Read the package's own migrations once: they do not change, and it takes a tenth second."""
    return _revisions(MIGRATIONS)


def _migrate_sqlite(engine: Engine, config: Config, known: _Revisions, path: Path) -> None:
    with engine.connect() as connection:
        current = _checked_revision(connection, known)
    if current == known.head:
        return
    if current is not None:
        _back_up(path, current)
    writer = engine.execution_options(**{BEGIN_OPTION: "BEGIN IMMEDIATE"})
    with writer.connect() as connection, _unchecked_references(connection), connection.begin():
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        _check_references(connection)


def _migrate_postgresql(connection: Connection, config: Config, known: _Revisions) -> None:
    with connection.begin():
        current = _checked_revision(connection, known)
    if current == known.head:
        return
    with connection.begin():
        # A request is ended after a while; a migration of a large table is not.
        for limit in ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"):
            connection.exec_driver_sql(f"SET LOCAL {limit} = 0")
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


@contextmanager
def _advisory_lock(connection: Connection) -> Generator[None]:
    """Let one process of all migrate this database; the others wait, as long as it takes.

    The lock is that of the connection that migrates, and of no transaction. When the connection
    ends, however it ends, the server gives the lock to the next.
    """
    connection.detach()  # closed in the end, and not given to a request
    with connection.begin():
        connection.exec_driver_sql("SET statement_timeout = 0")
        connection.exec_driver_sql("SET lock_timeout = 0")
    with connection.begin():
        connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _ADVISORY_LOCK})
    yield


@contextmanager
def _unchecked_references(connection: Connection) -> Generator[None]:
    """Let SQLite make anew a table that others refer to; PostgreSQL changes it in place.

    The switch does nothing within a transaction, so it goes past SQLAlchemy, which would begin one.
    """
    if connection.dialect.name != "sqlite":
        yield
        return
    driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)  # noqa: S101 - for the type checker
    driver.execute("PRAGMA foreign_keys = OFF")
    try:
        yield
    finally:
        driver.execute("PRAGMA foreign_keys = ON")


def _check_references(connection: Connection) -> None:
    """Raise ``UnavailableError``, which undoes the upgrade, when a row refers to nothing."""
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
    if broken:
        tables = ", ".join(sorted({row[0] for row in broken}))
        msg = (
            f"db_url: rows of {tables} refer to others that are not there, so the database was "
            "not upgraded. Restore it from a backup."
        )
        raise UnavailableError(msg, field="db_url")


def _checked_revision(connection: Connection, known: _Revisions) -> str | None:
    """Return the database's revision, None for an empty database."""
    current = MigrationContext.configure(connection).get_current_revision()
    if current is None:
        if inspect(connection).get_table_names():
            msg = (
                "db_url: this database holds other tables and none of jupyter_ppo's revisions. "
                "Name an empty database or a new file."
            )
            raise DatabaseVersionError(msg, field="db_url")
    elif current not in known.every:
        msg = (
            f"db_url: this database is at revision {current!r}, written by a newer jupyter_ppo; "
            f"this one knows revisions up to {known.head!r}. Upgrade jupyter_ppo, "
            "or restore the backup that was made before the upgrade. Nothing was changed."
        )
        raise DatabaseVersionError(msg, field="db_url")
    return current


@contextmanager
def _file_lock(path: Path) -> Generator[None]:
    """Hold a lock beside ``path``: an SQLite file of its own, so it works on every system.

    The operating system releases it when the process dies.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        msg = f"db_url: the folder of {path.name!r} cannot be made: {error.strerror}."
        raise UnavailableError(msg, field="db_url") from error
    lock_file = path.with_name(f"{path.name}.lock")
    with closing(sqlite3.connect(lock_file, timeout=BUSY_SECONDS, isolation_level=None)) as lock:
        lock.execute("BEGIN EXCLUSIVE")
        try:
            yield
        finally:
            lock.execute("ROLLBACK")


def _use_wal(path: Path) -> None:
    """Turn on write-ahead logging: readers and the one writer do not block each other.

    The file remembers it. It is done here because the switch itself does not wait for locks.
    """
    with closing(sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)) as connection:
        if connection.execute("PRAGMA journal_mode").fetchone() != ("wal",):
            connection.execute("PRAGMA journal_mode = WAL")


def _back_up(path: Path, revision: str) -> None:
    """Copy the file with SQLite's backup interface, also right while others write to it."""
    moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    target = path.with_name(f"{path.name}.{revision}.{moment}.backup")
    part = target.with_name(f"{target.name}.part")
    try:
        with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(part)) as copy:
            source.backup(copy)
        os.replace(part, target)
    except (sqlite3.Error, OSError) as error:
        part.unlink(missing_ok=True)
        if "disk is full" in str(error) or getattr(error, "errno", None) == errno.ENOSPC:
            msg = "There is no room for a backup of the database; it was not upgraded."
            raise StorageFullError(msg, field="db_url") from error
        msg = "The database could not be copied, so it was not upgraded. See the log."
        raise UnavailableError(msg, field="db_url") from error
