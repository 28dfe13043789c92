"""Who did what, and when: a log that only grows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from jupyter_ppo.domain.ids import new_id
from jupyter_ppo.domain.ports import Page
from jupyter_ppo.storage.database import Database, database_now
from jupyter_ppo.storage.tables import AuditEventRow


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """``user`` did ``action`` to ``subject`` at ``at`` (the database's clock, UTC)."""

    id: UUID
    at: datetime
    user: str
    action: str
    subject: str
    detail: dict[str, Any]


class Audit:
    """Adds events and lists them. Nothing deletes one; only an erasure takes names out."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def audit(self, user: str, action: str, subject: str, detail: Mapping[str, Any]) -> None:
        """Add an event; ``detail`` is JSON. Students' work does not belong in it."""
        with self._database.begin() as session:
            session.add(
                AuditEventRow(
                    id=new_id(),
                    at=database_now(session),
                    user=user,
                    action=action,
                    subject=subject,
                    detail=dict(detail),
                )
            )

    def events(self, *, subject: str | None = None, offset: int, limit: int) -> Page[AuditEvent]:
        """Return events, newest first; only those about ``subject`` if given."""
        query = select(AuditEventRow)
        if subject is not None:
            query = query.where(AuditEventRow.subject == subject)
        with self._database.session() as session:
            total = session.scalar(select(func.count()).select_from(query.subquery()))
            rows = session.scalars(
                query.order_by(AuditEventRow.at.desc(), AuditEventRow.id.desc())
                .offset(offset)
                .limit(limit)
            )
            return Page(tuple(_event(row) for row in rows), total or 0, offset, limit)


def _event(row: AuditEventRow) -> AuditEvent:
    return AuditEvent(row.id, row.at, row.user, row.action, row.subject, row.detail)
