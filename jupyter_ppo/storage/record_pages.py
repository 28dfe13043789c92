"""Rows of long tables as records, page by page, with values as JSON has them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from enum import Enum
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from jupyter_ppo.storage.database import Database

Record = dict[str, Any]
_ROWS_AT_ONCE = 500


def pages(
    database: Database, query: Any, key: Any, record: Callable[[Session, Any], Record]
) -> Iterator[Record]:
    """Yield a record of every row of ``query`` in the order of ``key``, which is unique.

    ``record`` gets the row. No transaction is open between two pages.
    """
    last: Any = None
    while True:
        page = query if last is None else query.where(key > last)
        with database.session() as session:
            rows = session.execute(
                page.add_columns(key.label("page_key")).order_by(key).limit(_ROWS_AT_ONCE)
            ).all()
            records = [record(session, row[:-1]) for row in rows]
        yield from records
        if len(rows) < _ROWS_AT_ONCE:
            return
        last = rows[-1][-1]


def fields_of(row: Any, names: Sequence[str]) -> Record:
    """Return these columns of a row."""
    return {name: plain_value(getattr(row, name)) for name in names}


def plain_value(value: Any) -> Any:
    """Return a column's value as JSON has it."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, Enum):
        return value.value
    return value
