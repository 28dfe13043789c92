"""What students think of their own answers, in the database."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy.dialects import postgresql, sqlite

from jupyter_ppo.domain.self_checks import SelfCheck
from jupyter_ppo.storage.database import Database, database_now
from jupyter_ppo.storage.tables import SelfCheckRow


class SelfChecks:
    """``services.self_checks.SelfCheckStore`` on a database; times are the database's clock."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def read(self, assignment_id: UUID, user: str, grade_id: str) -> SelfCheck:
        """Return what a person thinks of one answer: nothing, of revision 0, until they say it."""
        with self._database.session() as session:
            row = session.get(SelfCheckRow, (assignment_id, user, grade_id))
            return SelfCheck() if row is None else _read(row)

    def write(
        self,
        course_id: UUID,
        assignment_id: UUID,
        user: str,
        grade_id: str,
        levels: Mapping[str, str],
        *,
        seen: int | None,
    ) -> SelfCheck | None:
        """Store the levels if ``seen`` is None or the stored revision; return None otherwise."""
        with self._database.begin() as session:
            is_sqlite = session.get_bind().dialect.name == "sqlite"
            insert = sqlite.insert if is_sqlite else postgresql.insert
            first = {
                "assignment_id": assignment_id,
                "user": user,
                "grade_id": grade_id,
                "course_id": course_id,
                "levels": {},
                "revision": 0,
                "at": database_now(session),
            }
            session.execute(insert(SelfCheckRow).values(**first).on_conflict_do_nothing())
            key = (assignment_id, user, grade_id)
            row = session.get_one(SelfCheckRow, key, with_for_update=True)
            if seen not in {None, row.revision}:
                if row.revision == 0:
                    session.delete(row)
                return None
            row.levels, row.revision = dict(levels), row.revision + 1
            row.at = database_now(session)
            return _read(row)


def _read(row: SelfCheckRow) -> SelfCheck:
    return SelfCheck(dict(row.levels), row.revision, row.at)
