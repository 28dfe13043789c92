"""Opening the database, and the two kinds of transaction."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, func, make_url, select
from sqlalchemy.exc import ArgumentError, NoSuchModuleError
from sqlalchemy.orm import Session, sessionmaker

from jupyter_ppo.domain.errors import InvalidInputError, UnavailableError
from jupyter_ppo.storage.connections import DEFAULT_LIMITS, ConnectionLimits, engine_options
from jupyter_ppo.storage.database_errors import translated
from jupyter_ppo.storage.row_security import follow_scope
from jupyter_ppo.storage.upgrade import BEGIN_OPTION, BUSY_SECONDS, MIGRATIONS, upgrade

#: Locks, clocks and times are written for these.
_BACKENDS = frozenset({"sqlite", "postgresql"})

#: PostgreSQL's way to see one state of the database from begin to end.
_ONE_STATE = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}


class Database:
    """An open database. Use it from any thread; ``close()`` it at the end."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        is_sqlite = engine.dialect.name == "sqlite"
        # SQLite shows a transaction one state by itself; PostgreSQL when it is asked to.
        reader = engine if is_sqlite else engine.execution_options(**_ONE_STATE)
        self._read = sessionmaker(reader, expire_on_commit=False)
        # SQLite takes the write lock at BEGIN: a transaction that reads first and writes later
        # could otherwise fail with "database is locked" no matter how long it is ready to wait.
        writer = engine.execution_options(**{BEGIN_OPTION: "BEGIN IMMEDIATE"})
        self._write = sessionmaker(writer, expire_on_commit=False)
        # Whoever waits for SQLite's lock asks for it again and again, and may do so in vain for
        # seconds. The threads of this process wait for one another instead.
        self._turn: AbstractContextManager[object] = (
            threading.RLock() if is_sqlite else nullcontext()
        )

    @property
    def engine(self) -> Engine:
        """The engine, for tools that need it (migrations, tests)."""
        return self._engine

    @contextmanager
    def session(self) -> Generator[Session]:
        """A transaction that only reads; it sees one state of the database from begin to end.

        Raises ``UnavailableError`` when the database does not answer, ``BusyError`` when every
        connection is in use or it takes too long, ``InvalidInputError`` for a value that it cannot
        compare.
        """
        with translated(), self._read() as session:
            yield session

    @contextmanager
    def begin(self) -> Generator[Session]:
        """A transaction that writes: committed at the end, rolled back by any exception.

        Raises ``UnavailableError``, ``BusyError``, ``StorageFullError``, ``ConflictError`` when a
        constraint is broken, or ``InvalidInputError`` for a value that the database cannot hold.
        A database that stops answering at the very end may have committed or not: who tries again
        names the same idempotency key.
        """
        with self._turn, translated(), self._write.begin() as session:
            yield session

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()


def open_database(
    url: str, *, limits: ConnectionLimits = DEFAULT_LIMITS, migrations: Path = MIGRATIONS
) -> Database:
    """Connect to ``url`` (SQLAlchemy's notation) and bring its tables up to date.

    An SQLite file and its folder are made if they are missing, and copied beside the file before
    an upgrade. Any number of processes may start at once. ``migrations`` is for tests.

    Raises ``InvalidInputError`` (field ``db_url``), ``UnavailableError``, ``StorageFullError`` and
    ``DatabaseVersionError``. No message holds the password.
    """
    target = _checked_url(url)
    shown = target.render_as_string(hide_password=True)
    try:
        engine = create_engine(target, **engine_options(target, limits))
    except ImportError as error:
        msg = (
            f"db_url: the database driver for {target.drivername!r} is not installed "
            f"(no module named {error.name!r}). Install jupyter_ppo[postgresql] with pip."
        )
        raise UnavailableError(msg, field="db_url") from None
    if _is_sqlite(target):
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    else:
        follow_scope(engine)
    try:
        with translated(shown):
            upgrade(engine, migrations)
    except BaseException:
        engine.dispose()
        raise
    return Database(engine)


def sqlite_url(path: Path) -> str:
    """Return the URL of an SQLite file, also when its path holds ``?``, ``%`` or ``#``."""
    return URL.create("sqlite", database=str(path.absolute())).render_as_string()


def database_now(session: Session) -> datetime:
    """Return the database's clock: the one clock that all workers share.

    SQLite's is that of the machine, in milliseconds. PostgreSQL's ``clock_timestamp()`` goes on
    during a transaction, so that time spent waiting for a lock counts.
    """
    if session.get_bind().dialect.name == "sqlite":
        text = session.scalar(select(func.strftime("%Y-%m-%d %H:%M:%f", "now")))
        return datetime.fromisoformat(str(text)).replace(tzinfo=UTC)
    now = session.scalar(select(func.clock_timestamp()))
    assert isinstance(now, datetime)  # noqa: S101 - for the type checker
    return now.astimezone(UTC)


def _is_sqlite(url: URL) -> bool:
    return url.get_backend_name() == "sqlite"


def _checked_url(url: str) -> URL:
    try:
        target = make_url(url)
        target.get_dialect()
    except (ArgumentError, NoSuchModuleError, ValueError):
        # The cause quotes the URL, and with it the password: it is not chained.
        msg = (
            "db_url: this is not a database URL. Use for example sqlite:////folder/file.db or "
            "postgresql+psycopg://user:password@host/database."
        )
        raise InvalidInputError(msg, field="db_url") from None
    except ImportError:
        pass  # the missing driver is reported by the caller
    if target.get_backend_name() not in _BACKENDS:
        msg = (
            f"db_url: {target.get_backend_name()!r} is not supported. Use SQLite "
            "(sqlite:////folder/file.db) or PostgreSQL "
            "(postgresql+psycopg://user:password@host/database)."
        )
        raise InvalidInputError(msg, field="db_url")
    if _is_sqlite(target):
        if target.database in {None, "", ":memory:"} or "mode" in target.query:
            msg = (
                "db_url: SQLite in memory cannot be shared between threads and processes. "
                "Name a file: sqlite:////folder/file.db."
            )
            raise InvalidInputError(msg, field="db_url")
        target = target.set(database=str(Path(str(target.database)).absolute()))
    return target


def _prepare_sqlite(connection: sqlite3.Connection, _record: Any) -> None:
    # The driver must not begin transactions by itself: we do, see _begin_sqlite.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get(BEGIN_OPTION, "BEGIN"))
