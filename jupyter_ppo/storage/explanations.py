"""Explanations that were given, in the database."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select

from jupyter_ppo.domain.hint_records import Explanation, NewExplanation
from jupyter_ppo.domain.ids import new_id
from jupyter_ppo.domain.scope import every_course
from jupyter_ppo.storage.database import Database, database_now
from jupyter_ppo.storage.tables import ExplanationRow


class Explanations:
    """``services.explaining.ExplanationStore`` on a database; times are the database's clock."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def asked_since(self, user: str, since: datetime) -> int:
        """Return how many explanations a person got since a time, in every course."""
        query = select(func.count()).where(ExplanationRow.user == user, ExplanationRow.at >= since)
        with every_course(), self._database.session() as session:
            return session.scalar(query) or 0

    def add(self, new: NewExplanation) -> Explanation:
        """Keep an explanation and return it."""
        with self._database.begin() as session:
            row = ExplanationRow(
                id=new_id(),
                course_id=new.course_id,
                assignment_id=new.assignment_id,
                user=new.user,
                kind=new.kind,
                subject=dict(new.subject),
                source=new.source,
                model=new.model,
                text=new.text,
                call_id=new.call_id,
                at=database_now(session),
            )
            session.add(row)
            session.flush()
            return Explanation(row.id, new, row.at)
