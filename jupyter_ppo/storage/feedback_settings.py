"""What courses and assignments chose for feedback: one row for each that ever changed any."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite

from jupyter_ppo.domain.feedback_settings import FeedbackSettings, StoredSettings, settings_from
from jupyter_ppo.storage.database import Database, database_now
from jupyter_ppo.storage.tables import FeedbackSettingsRow

_COURSE = ""


class FeedbackSettingsTable:
    """``services.feedback_settings.SettingsStore`` on a database; times are the database's."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def read(self, course_id: UUID, assignment_id: UUID | None) -> StoredSettings:
        """Return what was chosen for an assignment, or for the course if None."""
        with self._database.session() as session:
            row = session.get(FeedbackSettingsRow, (course_id, _scope(assignment_id)))
            return StoredSettings({}) if row is None else _stored(row)

    def effective(self, course_id: UUID, assignment_id: UUID | None) -> FeedbackSettings:
        """Return what holds: the assignment's choice, else the course's, else the default."""
        scopes = {_COURSE, _scope(assignment_id)}
        query = select(FeedbackSettingsRow).where(
            FeedbackSettingsRow.course_id == course_id, FeedbackSettingsRow.scope.in_(scopes)
        )
        settings = FeedbackSettings()
        with self._database.session() as session:
            for row in session.scalars(query.order_by(FeedbackSettingsRow.scope)):
                settings = settings_from(row.document, settings)  # the course's comes first
        return settings

    def write(
        self,
        course_id: UUID,
        assignment_id: UUID | None,
        document: dict[str, Any],
        *,
        seen: int | None,
        by: str,
    ) -> StoredSettings | None:
        """Store a checked document if ``seen`` is None or the stored revision; None otherwise.

        What is equal to the stored one is not stored again.
        """
        key = (course_id, _scope(assignment_id))
        with self._database.begin() as session:
            now = database_now(session)
            is_sqlite = session.get_bind().dialect.name == "sqlite"
            insert = sqlite.insert if is_sqlite else postgresql.insert
            first = {
                "course_id": course_id,
                "scope": key[1],
                "document": {},
                "revision": 0,
                "changed_by": by,
                "changed_at": now,
            }
            # Two people may come first at the same time: the later one waits here for the other.
            session.execute(insert(FeedbackSettingsRow).values(**first).on_conflict_do_nothing())
            row = session.get_one(FeedbackSettingsRow, key, with_for_update=True)
            is_stale = seen not in {None, row.revision}
            if is_stale or row.document == document:
                stored = _stored(row)
                if row.revision == 0:
                    session.delete(row)
                return None if is_stale else stored
            row.document, row.revision = document, row.revision + 1
            row.changed_by, row.changed_at = by, now
            return _stored(row)


def _scope(assignment_id: UUID | None) -> str:
    return _COURSE if assignment_id is None else str(assignment_id)


def _stored(row: FeedbackSettingsRow) -> StoredSettings:
    if row.revision == 0:
        return StoredSettings({})
    return StoredSettings(row.document, row.revision, row.changed_by, row.changed_at)
