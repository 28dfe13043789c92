"""PostgreSQL shows and takes nothing of a course that the work at hand is not about."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from row_filler import Filler, Row
from sqlalchemy import (
    ColumnElement,
    Table,
    and_,
    create_engine,
    delete,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.exc import ProgrammingError

from jupyter_ppo.domain.scope import EVERY_COURSE, Scope, courses_with, every_course, narrow
from jupyter_ppo.storage.database import Database, open_database, sqlite_url
from jupyter_ppo.storage.row_security import SETTING, is_bypassed, setting_for
from jupyter_ppo.storage.tables import Base

if TYPE_CHECKING:
    from postgresql_server import Databases, PostgresqlServer


def _of_a_course(table: Table) -> bool:
    """Say whether the rows of a table belong to a course, directly or by way of others."""
    parents = {key.column.table for key in table.foreign_keys} - {table}
    return table.name == "courses" or any(_of_a_course(parent) for parent in parents)


TABLES = [table for table in Base.metadata.sorted_tables if _of_a_course(table)]
Two = tuple[Database, dict[str, Row], dict[str, Row]]


@pytest.fixture(scope="module")
def two(postgresql_databases: Databases) -> Iterator[Two]:
    """Return a database with a row in every table for each of two courses, and these rows."""
    with postgresql_databases.one() as url, closing(open_database(url)) as database:
        filler = Filler()
        with database.engine.begin() as connection:
            mine, theirs = filler.fill(connection), filler.fill(connection)
        yield database, mine, theirs


@pytest.fixture(autouse=True)
def afterwards_every_course() -> Iterator[None]:
    """Let no test narrow the next one."""
    with every_course():
        yield


def _is(table: Table, row: Row) -> ColumnElement[bool]:
    return and_(*(column == row[column.name] for column in table.primary_key))


@pytest.mark.postgresql
@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_a_row_of_another_course_is_neither_seen_nor_changed_nor_made(
    two: Two, table: Table
) -> None:
    database, mine, theirs = two
    own, other = mine[table.name], theirs[table.name]
    key = next(iter(table.primary_key))
    narrow(courses_with([mine["courses"]["id"]]))

    with database.session() as session:
        shown = session.execute(select(table)).mappings().all()
    names = [column.name for column in table.primary_key]
    assert [[row[name] for name in names] for row in shown] == [[own[name] for name in names]]
    with database.engine.connect() as connection:
        same = {key.name: key}
        assert connection.execute(update(table).where(_is(table, other)).values(same)).rowcount == 0
        assert connection.execute(update(table).where(_is(table, own)).values(same)).rowcount == 1
        assert connection.execute(delete(table).where(_is(table, other))).rowcount == 0
        with pytest.raises(ProgrammingError, match="row-level security"):
            connection.execute(insert(table), other)


@pytest.mark.postgresql
def test_who_does_not_say_which_courses_sees_none(two: Two) -> None:
    database, _, _ = two
    engine = create_engine(database.engine.url)
    with closing(engine.connect()) as connection:
        for table in TABLES:
            assert connection.execute(select(table)).all() == [], table.name
        connection.execute(text(f"SET {SETTING} = '*'"))
        for table in TABLES:
            assert len(connection.execute(select(table)).all()) == 2, table.name
    engine.dispose()


@pytest.mark.postgresql
def test_a_course_is_named_by_name_or_by_id_and_the_scope_is_of_one_transaction(two: Two) -> None:
    database, mine, theirs = two
    courses = Base.metadata.tables["courses"]

    def shown(wanted: Scope) -> set[str]:
        narrow(wanted)
        with database.session() as session:
            return set(session.scalars(select(courses.c.name)))

    one, two_ = mine["courses"], theirs["courses"]
    assert shown(Scope(names=frozenset({one["name"]}))) == {one["name"]}
    assert shown(Scope(ids=frozenset({two_["id"]}))) == {two_["name"]}
    both = Scope(names=frozenset({one["name"]}), ids=frozenset({two_["id"]}))
    assert shown(both) == {one["name"], two_["name"]}
    assert shown(Scope()) == set()
    # A name that reads like an id, a star or a list is a name.
    for name in (str(two_["id"]), "*", f"x,i:{two_['id']}", f"x,n:{two_['name']}"):
        assert shown(Scope(names=frozenset({name}))) == set()
    assert shown(EVERY_COURSE) == {one["name"], two_["name"]}


@pytest.mark.postgresql
def test_a_role_that_no_policy_holds_is_noticed(
    two: Two, postgresql_server: PostgresqlServer, tmp_path: Any
) -> None:
    database, _, _ = two
    assert not is_bypassed(database.engine)
    admin = create_engine(postgresql_server.url(str(database.engine.url.database), "postgres"))
    assert is_bypassed(admin)
    admin.dispose()
    with closing(open_database(sqlite_url(tmp_path / "course.sqlite"))) as file:
        assert not is_bypassed(file.engine)


@given(st.frozensets(st.text(max_size=12)), st.frozensets(st.uuids()))
def test_no_name_widens_the_scope(names: frozenset[str], ids: frozenset[Any]) -> None:
    said = setting_for(Scope(names=names, ids=ids))
    parts = said.split(",") if said else []
    assert {part[2:] for part in parts if part.startswith("i:")} == set(map(str, ids))
    assert all(part[2:] in names for part in parts if not part.startswith("i:"))
    assert all(part.startswith(("n:", "i:")) for part in parts)
    assert said != "*"
