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
from sqlalchemy.exc import (
    ArgumentError,
    DataError,
    DBAPIError,
    IntegrityError,
    InterfaceError,
    NoSuchModuleError,
    OperationalError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm import Session, sessionmaker

from jupyter_ppo.domain.errors import (
    ConflictError,
    InvalidInputError,
    PPOError,
    StorageFullError,
    UnavailableError,
)
from jupyter_ppo.storage.upgrade import BEGIN_OPTION, BUSY_SECONDS, MIGRATIONS, upgrade

#: Locks, clocks and times are written for these.
_BACKENDS = frozenset({"sqlite", "postgresql"})


class Database:
    """An open database. Use it from any thread; ``close()`` it at the end."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._read = sessionmaker(engine, expire_on_commit=False)
        # SQLite takes the write lock at BEGIN: a transaction that reads first and writes later
        # could otherwise fail with "database is locked" no matter how long it is ready to wait.
        writer = engine.execution_options(**{BEGIN_OPTION: "BEGIN IMMEDIATE"})
        self._write = sessionmaker(writer, expire_on_commit=False)
        # Whoever waits for SQLite's lock asks for it again and again, and may do so in vain for
        # seconds. The threads of this process wait for one another instead.
        is_sqlite = engine.dialect.name == "sqlite"
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

        Raises ``UnavailableError`` when the database does not answer, ``InvalidInputError`` for a
        value that it cannot compare.
        """
        with _translated(), self._read() as session:
            yield session

    @contextmanager
    def begin(self) -> Generator[Session]:
        """A transaction that writes: committed at the end, rolled back by any exception.

        Raises ``UnavailableError``, ``StorageFullError``, ``ConflictError`` when a constraint is
        broken, or ``InvalidInputError`` for a value that the database cannot hold.
        """
        with self._turn, _translated(), self._write.begin() as session:
            yield session

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()


def open_database(url: str, *, migrations: Path = MIGRATIONS) -> Database:
    """Connect to ``url`` (SQLAlchemy's notation) and bring its tables up to date.

    An SQLite file and its folder are made if they are missing, and copied beside the file before
    an upgrade. Any number of processes may start at once. ``migrations`` is for tests.

    Raises ``InvalidInputError`` (field ``db_url``), ``UnavailableError``, ``StorageFullError`` and
    ``DatabaseVersionError``. No message holds the password.
    """
    target = _checked_url(url)
    shown = target.render_as_string(hide_password=True)
    try:
        # Statements go to the log without their values: those are students' data.
        engine = create_engine(target, hide_parameters=True, pool_pre_ping=not _is_sqlite(target))
    except ImportError as error:
        msg = (
            f"db_url: the database driver for {target.drivername!r} is not installed "
            f"(no module named {error.name!r}). Install it with pip."
        )
        raise UnavailableError(msg, field="db_url") from None
    if _is_sqlite(target):
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    try:
        with _translated(shown):
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


_NO_ANSWER = (
    OperationalError,
    InterfaceError,
    PoolTimeoutError,
    sqlite3.OperationalError,
    sqlite3.InterfaceError,
)


def _lost_connection(error: Exception) -> bool:
    return isinstance(error, DBAPIError) and error.connection_invalidated


@contextmanager
def _translated(shown: str = "") -> Generator[None]:
    """Turn the database's errors into ours, as far as they are the database's.

    A statement that cannot be right (``ProgrammingError``) is a mistake of this package: it is
    raised as it is, and trying again would not help. A value that cannot be held (``DataError``: a
    NUL, a number out of range) came from outside.
    """
    where = f" at {shown}" if shown else ""
    try:
        yield
    except PPOError:
        raise
    except IntegrityError as error:
        msg = "This contradicts what is stored already; nothing was changed."
        raise ConflictError(msg) from error
    except DataError as error:
        msg = (
            "The database cannot hold one of these values; nothing was changed. Leave out control "
            "characters and numbers of many digits."
        )
        raise InvalidInputError(msg) from error
    except (DBAPIError, PoolTimeoutError, sqlite3.Error) as error:
        if "disk is full" in str(error) or "No space left on device" in str(error):
            msg = "The disk of the database is full; nothing was changed. Free some space."
            raise StorageFullError(msg) from error
        if "not a database" in str(error) or "malformed" in str(error):
            msg = f"The file{where} is not a readable SQLite database. Restore it from a backup."
            raise UnavailableError(msg, field="db_url") from error
        if not isinstance(error, _NO_ANSWER) and not _lost_connection(error):
            raise
        msg = f"The database{where} does not answer. Try again; if it stays so, see the log."
        raise UnavailableError(msg, field="db_url") from error
