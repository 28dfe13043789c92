"""An nbgrader ``gradebook.db`` that somebody uploaded, opened as what it is: bytes of a stranger.

It is opened for reading only, by SQLite and not by nbgrader: no statement of the file's is run
(views, triggers and virtual tables are refused), its schema is not trusted, and rows, lengths and
time are bounded.
"""

from __future__ import annotations

import re
import sqlite3
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NoReturn

from jupyter_ppo.domain.errors import InvalidInputError, TooLargeError

#: The most of each table, and of one text, and the seconds that reading may take.
MAX_ROWS = 2_000_000
MAX_TEXT = 10 * 2**20
MAX_SECONDS = 60.0
_STEPS = 10_000
_HEADER = b"SQLite format 3\x00"

_SCORES = ("auto_score", "manual_score", "extra_credit", "needs_manual_grade")
#: What is read of each table. ``lms_user_id`` and ``extra_credit`` came later than the tables.
_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "student": ("id", "first_name", "last_name", "email", "lms_user_id"),
    "assignment": ("id", "name", "duedate"),
    "notebook": ("id", "name", "assignment_id", "kernelspec"),
    "base_cell": ("id", "name", "notebook_id", "type"),
    "grade_cells": ("id", "max_score", "cell_type"),
    "task_cells": ("id", "max_score", "cell_type"),
    "source_cell": ("name", "cell_type", "locked", "source", "notebook_id"),
    "submitted_assignment": ("id", "assignment_id", "student_id", "timestamp", "extension"),
    "submitted_notebook": ("id", "assignment_id", "notebook_id", "late_submission_penalty"),
    "grade": ("cell_id", "notebook_id", *_SCORES),
    "comment": ("cell_id", "notebook_id", "manual_comment"),
}
_LATER = frozenset({"lms_user_id", "extra_credit", "kernelspec"})

Row = dict[str, Any]


def read_tables(data: bytes) -> dict[str, list[Row]]:
    """Return the rows of nbgrader's tables, by table, in the order in which they were written.

    Raises ``InvalidInputError`` (field ``gradebook``) when the bytes are no database, are damaged,
    or hold what a gradebook has no need of; ``TooLargeError`` when they hold more than is read.
    """
    if not data.startswith(_HEADER):
        refuse("this is not an SQLite database. Send nbgrader's gradebook.db")
    with tempfile.TemporaryDirectory(prefix="jupyter-ppo-") as folder:
        path = Path(folder) / "gradebook.db"
        path.write_bytes(data)
        with _opened(path) as connection:
            _check_schema(connection)
            return {name: _rows(connection, name) for name in _COLUMNS}


def refuse(problem: str, cause: BaseException | None = None) -> NoReturn:
    """Raise ``InvalidInputError`` that names the file."""
    msg = f"gradebook: {problem}."
    raise InvalidInputError(msg, field="gradebook") from cause


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    uri = f"{path.as_uri()}?mode=ro&immutable=1"
    deadline = time.monotonic() + MAX_SECONDS
    try:
        with closing(sqlite3.connect(uri, uri=True)) as connection:
            connection.execute("PRAGMA trusted_schema = OFF")
            connection.execute("PRAGMA cell_size_check = ON")
            connection.execute("PRAGMA query_only = ON")
            connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_TEXT)
            connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
            connection.set_progress_handler(lambda: time.monotonic() > deadline, _STEPS)
            yield connection
    except sqlite3.Error as error:
        if "too big" in str(error):
            msg = f"gradebook: a text in it is longer than {MAX_TEXT // 2**20} MiB."
            raise TooLargeError(msg, field="gradebook") from error
        if "interrupted" in str(error):
            msg = f"gradebook: it cannot be read within {MAX_SECONDS:g} seconds."
            raise TooLargeError(msg, field="gradebook") from error
        refuse(
            "the file is damaged, or no gradebook. Check it with "
            "'sqlite3 gradebook.db \"PRAGMA integrity_check\"'",
            error,
        )


def _check_schema(connection: sqlite3.Connection) -> None:
    """Raise ``InvalidInputError`` unless the file has nbgrader's tables, plain, and is intact."""
    kinds: dict[str, str] = {}
    for kind, name, sql in connection.execute("SELECT type, name, sql FROM sqlite_master"):
        if kind in {"view", "trigger"}:
            refuse(f"it holds a {kind}, which no gradebook of nbgrader's does")
        if kind == "table":
            if not isinstance(sql, str) or not re.match(r"\s*CREATE\s+TABLE\b", sql, re.IGNORECASE):
                refuse("it holds a virtual table, which no gradebook of nbgrader's does")
            kinds[str(name)] = sql
    for table, columns in _COLUMNS.items():
        if table not in kinds:
            refuse(
                f"it has no table {table!r}. Open it once with nbgrader 0.6 or newer, which brings "
                "old files up to date ('nbgrader db upgrade')"
            )
        there = {
            str(name): hidden
            for _, name, _, _, _, _, hidden in connection.execute(f"PRAGMA table_xinfo({table})")
        }
        if any(there.get(column) for column in columns):
            refuse(f"a column of {table!r} is computed, which none of nbgrader's is")
        missing = [name for name in columns if name not in there and name not in _LATER]
        if missing:
            refuse(f"the table {table!r} has no column {missing[0]!r}")
    if connection.execute("PRAGMA integrity_check(1)").fetchone() != ("ok",):
        refuse("the file is damaged. Restore it from nbgrader's backup")


def _rows(connection: sqlite3.Connection, table: str) -> list[Row]:
    there = {str(row[1]) for row in connection.execute(f"PRAGMA table_xinfo({table})")}
    columns = [name if name in there else f"NULL AS {name}" for name in _COLUMNS[table]]
    # Names are ours, from the table above. The order of rows is the order of cells.
    query = f"SELECT {', '.join(columns)} FROM {table} ORDER BY rowid LIMIT {MAX_ROWS + 1}"  # noqa: S608
    found = [dict(zip(_COLUMNS[table], row, strict=True)) for row in connection.execute(query)]
    if len(found) > MAX_ROWS:
        msg = f"gradebook: the table {table!r} has more than {MAX_ROWS:,} rows."
        raise TooLargeError(msg, field="gradebook")
    return found
