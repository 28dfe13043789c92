"""The database's errors, turned into ours."""

from __future__ import annotations

import sqlite3
from collections.abc import Generator
from contextlib import contextmanager

from sqlalchemy.exc import (
    DataError,
    DBAPIError,
    IntegrityError,
    InterfaceError,
    OperationalError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from jupyter_ppo.domain.errors import (
    BusyError,
    ConflictError,
    InvalidInputError,
    PPOError,
    StorageFullError,
    UnavailableError,
)

_NO_ANSWER = (OperationalError, InterfaceError, sqlite3.OperationalError, sqlite3.InterfaceError)

#: PostgreSQL's codes of what will go better later, and what is told of it.
#: https://www.postgresql.org/docs/current/errcodes-appendix.html
_BUSY = {
    "40001": "Another change came in between",  # serialization_failure
    "40P01": "Another change came in between",  # deadlock_detected
    "53300": "Every connection to the database is in use",  # too_many_connections
    "55P03": "Another change takes long",  # lock_not_available: lock_timeout
    "57014": "The database took too long",  # query_canceled: statement_timeout
}
#: Refused connections come as text only.
_CROWDED = ("too many clients", "too many connections", "remaining connection slots")
_RETRY_SECONDS = 5.0


@contextmanager
def translated(shown: str = "") -> Generator[None]:
    """Turn the database's errors into ours, as far as they are the database's.

    A statement that cannot be right (``ProgrammingError``) is a mistake of this package: it is
    raised as it is, and trying again would not help. A value that cannot be held (``DataError``: a
    NUL, a number out of range) came from outside. ``shown`` is the address without its password.
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
    except PoolTimeoutError as error:
        raise _busy(_BUSY["53300"]) from error
    except (DBAPIError, sqlite3.Error) as error:
        code = str(getattr(getattr(error, "orig", None), "sqlstate", None) or "")
        text = str(error)
        if "disk is full" in text or "No space left on device" in text or code == "53100":
            msg = "The disk of the database is full; nothing was changed. Free some space."
            raise StorageFullError(msg) from error
        if "not a database" in text or "malformed" in text:
            msg = f"The file{where} is not a readable SQLite database. Restore it from a backup."
            raise UnavailableError(msg, field="db_url") from error
        if code in _BUSY:
            raise _busy(_BUSY[code]) from error
        if isinstance(error, OperationalError) and any(words in text for words in _CROWDED):
            raise _busy(_BUSY["53300"]) from error
        if not isinstance(error, _NO_ANSWER) and not _lost_connection(error):
            raise
        msg = f"The database{where} does not answer. Try again; if it stays so, see the log."
        raise UnavailableError(msg, field="db_url", retry_after=_RETRY_SECONDS) from error


def _busy(what: str) -> BusyError:
    msg = f"{what}; nothing was changed. Try again in a moment."
    return BusyError(msg, retry_after=_RETRY_SECONDS, field="database")


def _lost_connection(error: Exception) -> bool:
    return isinstance(error, DBAPIError) and error.connection_invalidated
