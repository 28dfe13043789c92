"""Every table and column that may hold personal data has a decision, and none is made up."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import JSON, Column, Enum, LargeBinary, MetaData, String, Table, Text

from jupyter_ppo.services.privacy_archive import readme
from jupyter_ppo.storage.personal_data import DECISIONS, Erase, Owner, columns, name_columns
from jupyter_ppo.storage.tables import Base

#: The columns that name a person, as everybody reads them.
NAMES = ("user", "by", "author")


def _undecided(metadata: MetaData) -> set[str]:
    """Return tables without decisions, and columns with words, data or bytes without one."""
    found: set[str] = set()
    for table in metadata.sorted_tables:
        rules = DECISIONS.get(table.name)
        if rules is None:
            found.add(table.name)
            continue
        for column in table.columns:
            holds_anything = isinstance(column.type, String | Text | JSON | LargeBinary)
            is_enum = isinstance(column.type, Enum)
            if holds_anything and not is_enum and column.name not in rules.columns:
                found.add(f"{table.name}.{column.name}")
    return found


def test_every_table_and_every_column_with_text_has_a_decision() -> None:
    assert _undecided(Base.metadata) == set()


@pytest.mark.parametrize("kind", [String(20), Text(), JSON(), LargeBinary()], ids=str)
def test_a_new_table_or_column_is_noticed(kind: String | Text | JSON | LargeBinary) -> None:
    metadata = MetaData()
    Table("diaries", metadata, Column("words", kind))
    members = Base.metadata.tables["memberships"].to_metadata(metadata)
    members.append_column(Column("nickname", kind))
    Base.metadata.tables["courses"].to_metadata(metadata)
    assert _undecided(metadata) == {"diaries", "memberships.nickname"}


def test_no_decision_is_about_what_is_not_there() -> None:
    assert set(DECISIONS) == set(Base.metadata.tables)
    for name, rules in DECISIONS.items():
        table = Base.metadata.tables[name]
        assert set(rules.columns) <= set(table.columns.keys()), name
        if rules.owner is not Owner.NOBODY:
            assert rules.owner.value in table.columns, name


def test_whatever_is_called_after_a_person_is_renamed_rewritten_or_deleted() -> None:
    for name, rules in DECISIONS.items():
        for column, rule in rules.columns.items():
            if column in NAMES or (column.endswith(("_by", "_name")) and column != "group_name"):
                assert rule.erase is not Erase.KEEP, (name, column)


def test_a_table_with_a_user_is_that_persons_or_says_why_not() -> None:
    for name, table in Base.metadata.tables.items():
        if "user" in table.columns and name != "audit_events":
            assert DECISIONS[name].owner is Owner.USER, name


def test_of_a_table_whose_rows_are_deleted_no_column_stays() -> None:
    for name, rules in DECISIONS.items():
        if rules.is_deleted:
            kinds = {rule.erase for rule in rules.columns.values()}
            assert kinds == {Erase.DELETE}, name


def test_only_rows_of_a_person_are_emptied() -> None:
    for column in columns(Erase.CLEAR):
        assert DECISIONS[column.table.name].owner is not Owner.NOBODY


def test_every_file_that_a_decision_names_is_explained_in_the_export() -> None:
    text = readme("sam", datetime(2026, 11, 22, tzinfo=UTC)).decode()
    files = {rule.file for rules in DECISIONS.values() for rule in rules.columns.values()}
    for file in files - {""}:
        assert f"\n{file} " in text


def test_the_names_of_people_are_where_they_are_looked_for() -> None:
    found = {f"{column.table.name}.{column.name}" for column in name_columns()}
    assert {"submissions.user", "preferences.user", "marks.marked_by"} <= found
    assert "courses.name" not in found
