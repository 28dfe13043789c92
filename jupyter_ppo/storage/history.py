"""The history of grades: lines are added in the transaction that makes the change."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from jupyter_ppo.domain.ids import new_id
from jupyter_ppo.domain.marks import GradeChange, GradeChangeKind
from jupyter_ppo.storage.database import database_now
from jupyter_ppo.storage.tables import GradeChangeRow

# What one transaction writes can have one and the same time: in this order it was meant.
_ORDER = {kind: place for place, kind in enumerate(GradeChangeKind)} | {
    GradeChangeKind.IMPORTED: -1,
}


def add_change(
    session: Session,
    submission_id: UUID,
    kind: GradeChangeKind,
    *,
    grade_id: str | None = None,
    by: str = "",
    reason: str = "",
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    at: datetime | None = None,
) -> None:
    """Add one line; ``by`` is a username or empty for the server, ``at`` the database's clock."""
    session.add(
        GradeChangeRow(
            id=new_id(),
            at=at or database_now(session),
            submission_id=submission_id,
            grade_id=grade_id,
            kind=kind,
            by=by,
            reason=reason,
            before=None if before is None else dict(before),
            after=None if after is None else dict(after),
        )
    )


def read_history(session: Session, submission_id: UUID) -> tuple[GradeChange, ...]:
    """Return every change of a submission's grade, the oldest first."""
    rows = session.scalars(
        select(GradeChangeRow).where(GradeChangeRow.submission_id == submission_id)
    ).all()
    return tuple(
        GradeChange(
            id=row.id,
            at=row.at,
            submission_id=row.submission_id,
            grade_id=row.grade_id,
            kind=row.kind,
            by=row.by,
            reason=row.reason,
            before=row.before,
            after=row.after,
        )
        for row in sorted(rows, key=lambda row: (row.at, _ORDER[row.kind], row.id))
    )
