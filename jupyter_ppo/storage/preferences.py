"""Preferences in the database: one row per person who ever changed any."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from jupyter_ppo.domain.preferences import (
    Change,
    Preferences,
    StoredPreferences,
    preferences_from,
)
from jupyter_ppo.storage.database import Database, database_now
from jupyter_ppo.storage.tables import PreferencesRow


class PreferencesTable:
    """``services.preferences.PreferencesStore`` on a database; times are the database's clock."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def read(self, user: str) -> StoredPreferences:
        """Return the preferences of ``user``: the defaults, of revision 0, until they are changed.

        Nothing is stored by reading.
        """
        with self._database.session() as session:
            row = session.get(PreferencesRow, user)
            return StoredPreferences(Preferences()) if row is None else _stored(row)

    def change(
        self, user: str, change: Callable[[Preferences], Preferences], seen: int | None
    ) -> Change:
        """Store what ``change`` makes of the preferences, if ``seen`` is None or the revision.

        ``change`` is given what is stored while nobody else can write it, so that no change of
        another device is lost. What is equal is not stored again, and its revision stays. Raises
        what ``change`` raises.
        """
        with self._database.begin() as session:
            row = _locked(session, user)
            before = _stored(row)
            wanted = change(before.preferences)
            is_stale = seen not in {None, before.revision}
            if is_stale or wanted == before.preferences:
                if row.revision == 0:
                    session.delete(row)
                return Change(before, before, wanted, is_stale=is_stale)
            row.document = wanted.document()
            row.revision = before.revision + 1
            row.updated_at = database_now(session)
            return Change(before, _stored(row), wanted)


def _locked(session: Session, user: str) -> PreferencesRow:
    """Return the person's row; of who has none a new one, of revision 0 and without a document.

    Two devices may come first at the same time: the later one waits here for the other.
    """
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    insert = sqlite.insert if is_sqlite else postgresql.insert
    first = {"user": user, "document": {}, "revision": 0, "updated_at": database_now(session)}
    session.execute(insert(PreferencesRow).values(**first).on_conflict_do_nothing())
    return session.get_one(PreferencesRow, user, with_for_update=True)


def _stored(row: PreferencesRow) -> StoredPreferences:
    if row.revision == 0:
        return StoredPreferences(Preferences())
    return StoredPreferences(preferences_from(row.document), row.revision, row.updated_at)
