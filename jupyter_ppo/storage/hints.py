"""Hints that were given, in the database."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects import postgresql, sqlite

from jupyter_ppo.domain.hint_records import Hint, NewHint
from jupyter_ppo.domain.ids import new_id
from jupyter_ppo.domain.scope import every_course
from jupyter_ppo.storage.database import Database, database_now
from jupyter_ppo.storage.tables import HintRow


class Hints:
    """``services.hints.HintStore`` on a database; times are the database's clock."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def taken(self, assignment_id: UUID, user: str, grade_id: str) -> Sequence[Hint]:
        """Return a person's hints for one exercise, oldest first."""
        query = (
            select(HintRow)
            .where(
                HintRow.assignment_id == assignment_id,
                HintRow.user == user,
                HintRow.grade_id == grade_id,
            )
            .order_by(HintRow.at, HintRow.id)
        )
        with self._database.session() as session:
            return [_hint(row) for row in session.scalars(query)]

    def asked_since(self, user: str, since: datetime) -> int:
        """Return how many hints a person got since a time, in every course."""
        query = select(func.count()).where(HintRow.user == user, HintRow.at >= since)
        with every_course(), self._database.session() as session:
            return session.scalar(query) or 0

    def add(self, new: NewHint) -> Hint:
        """Keep a hint; of the same attempt the one that is there already is returned."""
        with self._database.begin() as session:
            is_sqlite = session.get_bind().dialect.name == "sqlite"
            insert = sqlite.insert if is_sqlite else postgresql.insert
            values = {
                "id": new_id(),
                "course_id": new.course_id,
                "assignment_id": new.assignment_id,
                "user": new.user,
                "grade_id": new.grade_id,
                "level": new.level,
                "source": new.source,
                "model": new.model,
                "text": new.text,
                "attempt_digest": new.attempt_digest,
                "call_id": new.call_id,
                "cost_fraction": new.cost_fraction,
                "at": database_now(session),
            }
            session.execute(insert(HintRow).values(**values).on_conflict_do_nothing())
            row = session.scalars(
                select(HintRow).where(
                    HintRow.assignment_id == new.assignment_id,
                    HintRow.user == new.user,
                    HintRow.grade_id == new.grade_id,
                    HintRow.attempt_digest == new.attempt_digest,
                )
            ).one()
            return _hint(row)

    def costs(self, assignment_id: UUID, user: str, before: datetime) -> dict[str, float]:
        """Return by exercise the share, 0 to 1, that a person's hints take from its points.

        Those count that were given until ``before``; of several the one that takes most.
        """
        query = (
            select(HintRow.grade_id, func.max(HintRow.cost_fraction))
            .where(
                HintRow.assignment_id == assignment_id,
                HintRow.user == user,
                HintRow.at <= before,
                HintRow.cost_fraction > 0,
            )
            .group_by(HintRow.grade_id)
        )
        with self._database.session() as session:
            return {row[0]: float(row[1]) for row in session.execute(query)}


def _hint(row: HintRow) -> Hint:
    new = NewHint(
        course_id=row.course_id,
        assignment_id=row.assignment_id,
        user=row.user,
        grade_id=row.grade_id,
        level=row.level,
        source=row.source,
        model=row.model,
        text=row.text,
        attempt_digest=row.attempt_digest,
        call_id=row.call_id,
        cost_fraction=row.cost_fraction,
    )
    return Hint(row.id, new, row.at)
