"""Preferences in the database: revisions, nothing lost between two devices."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest
from sqlalchemy import func, select

from jupyter_ppo.domain.errors import InvalidInputError
from jupyter_ppo.domain.preferences import (
    ChartPreferences,
    Mode,
    Preferences,
    StoredPreferences,
    Theme,
    patched,
)
from jupyter_ppo.storage.database import Database
from jupyter_ppo.storage.preferences import PreferencesTable
from jupyter_ppo.storage.tables import PreferencesRow


@pytest.fixture
def table(database: Database) -> PreferencesTable:
    return PreferencesTable(database)


def rows(database: Database) -> int:
    with database.session() as session:
        return session.scalar(select(func.count()).select_from(PreferencesRow)) or 0


def test_who_never_changed_any_has_the_defaults_and_no_row(
    table: PreferencesTable, database: Database
) -> None:
    assert table.read("ada") == StoredPreferences(Preferences())
    same = table.change("ada", lambda before: before, None)
    assert same.after == StoredPreferences(Preferences())
    stale = table.change("ada", lambda before: replace(before, mode=Mode.EXPERT), 4)
    assert (stale.is_stale, stale.after.revision, stale.wanted.mode) == (True, 0, Mode.EXPERT)
    with pytest.raises(InvalidInputError):
        table.change("ada", lambda before: patched(before, {"mode": "wizard"}), None)
    assert rows(database) == 0


def test_each_change_is_a_revision_and_what_is_equal_is_none(table: PreferencesTable) -> None:
    wanted = Preferences(mode=Mode.EXPERT, chart=ChartPreferences(20))
    first = table.change("ada", lambda _: wanted, 0)
    assert first.after == table.read("ada") == StoredPreferences(wanted, 1, first.after.updated_at)
    assert first.after.updated_at is not None
    again = table.change("ada", lambda _: wanted, 1)
    assert again.before == again.after == first.after
    back = table.change("ada", lambda _: Preferences(), 1)
    assert (back.after.revision, back.after.preferences) == (2, Preferences())
    assert table.change("ada", lambda _: wanted, 1).is_stale
    assert table.read("ada") == back.after
    assert table.read("bob").revision == 0


def test_two_devices_that_come_first_at_once_lose_nothing(
    table: PreferencesTable, database: Database
) -> None:
    barrier, failed = threading.Barrier(2), []

    def device(patch: dict[str, str]) -> None:
        barrier.wait()
        try:
            table.change("ada", lambda before: patched(before, patch), None)
        except Exception as error:
            failed.append(error)

    devices = [
        threading.Thread(target=device, args=({"mode": "expert"},)),
        threading.Thread(target=device, args=({"theme": "dark"},)),
    ]
    for each in devices:
        each.start()
    for each in devices:
        each.join()
    stored = table.read("ada")
    assert (failed, stored.revision) == ([], 2)
    assert stored.preferences == Preferences(mode=Mode.EXPERT, theme=Theme.DARK)
    assert rows(database) == 1
