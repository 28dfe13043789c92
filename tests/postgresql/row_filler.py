"""Rows for every table of a database, whatever its columns are."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, MetaData, Table, inspect
from sqlalchemy import types as kinds

#: Of two columns of which one must be empty, the one that is.
EMPTY = {("extensions", "group_name"), ("extensions", "group_id")}

Row = dict[str, Any]


class Filler:
    """Puts a row into every table, whatever its columns are."""

    def __init__(self) -> None:
        self._number = 0
        self._checks: dict[str, Any] = {}

    def fill(self, connection: Connection) -> dict[str, Row]:
        """Return the row that each table got."""
        self._number += 1
        metadata = MetaData()
        metadata.reflect(connection)
        looked = inspect(connection).get_multi_check_constraints()
        self._checks = {table: checks for (_, table), checks in looked.items()}
        made: dict[str, Row] = {}
        for table in metadata.sorted_tables:
            if table.name != "alembic_version":
                row = {
                    column.name: self._value(table, column.name, made) for column in table.columns
                }
                connection.execute(table.insert(), row)
                made[table.name] = row
        return made

    def _value(self, table: Table, name: str, made: dict[str, Row]) -> Any:
        column = table.columns[name]
        if (table.name, name) in EMPTY:
            return None
        for key in column.foreign_keys:
            if key.column.table is table:
                return None  # the first row has none of its own kind to refer to
            return made[key.column.table.name][key.column.name]
        for check in self._checks.get(table.name, []):
            if check["name"] == f"ck_{table.name}_{name}" and "'" in check["sqltext"]:
                values = re.findall(r"'([^']*)'", check["sqltext"])
                return values[self._number % len(values)]
        match column.type:
            case kinds.Boolean():
                return self._number % 2 == 0
            case kinds.Integer() | kinds.Numeric() | kinds.Float():
                return self._number
            case kinds.DateTime():
                return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=self._number)
            case kinds.JSON():
                return [{"number": self._number}]
            case kinds.Uuid():
                return uuid4()
            case kinds.LargeBinary():
                return f"{self._number}-{name}".encode()
            case kinds.CHAR():
                return uuid4().hex
            case _:
                return f"{self._number}-{name}"[: getattr(column.type, "length", None)]
