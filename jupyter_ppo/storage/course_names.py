"""What the people of a course are called, to be taken out of texts that leave this server."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select

from jupyter_ppo.storage.database import Database
from jupyter_ppo.storage.tables import MembershipRow


class CourseNames:
    """``services.model_calls.NameReader`` on a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def names(self, course_id: UUID) -> frozenset[str]:
        """Return usernames, names, addresses and LMS ids of everybody who is or was in it."""
        query = select(
            MembershipRow.user,
            MembershipRow.first_name,
            MembershipRow.last_name,
            MembershipRow.email,
            MembershipRow.lms_user_id,
        ).where(MembershipRow.course_id == course_id)
        found: set[str] = set()
        with self._database.session() as session:
            for user, first, last, *more in session.execute(query):
                found.update((user, first, last, f"{first} {last}", f"{last}, {first}", *more))
        return frozenset(name for name in found if name and name.strip(" ,"))
