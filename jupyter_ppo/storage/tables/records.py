"""What people did and ran."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    Index,
    LargeBinary,
    String,
    Text,
)
from sqlalchemy.orm import Mapped, mapped_column

from jupyter_ppo.domain.execution import ExecutionState, Outcome
from jupyter_ppo.domain.ids import new_id
from jupyter_ppo.storage.tables.base import Base, enum_column


class AuditEventRow(Base):
    """Who did what. Rows are added, never deleted; only ``storage.erasure`` takes names out."""

    __tablename__ = "audit_events"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    at: Mapped[datetime] = mapped_column(index=True)
    user: Mapped[str] = mapped_column(String(255))
    action: Mapped[str] = mapped_column(String(100))
    subject: Mapped[str] = mapped_column(Text)
    detail: Mapped[dict[str, Any]]


class ExecutionRow(Base):
    """Code that a person ran on request. ``seconds`` is what it counts against the quota.

    ``result`` holds its runs as ``storage.results`` writes them; lists do without it. ``owner`` is
    the process that runs it. A row without code is kept for the quota only.
    """

    __tablename__ = "executions"
    __table_args__ = (
        CheckConstraint("seconds >= 0", name="seconds"),
        Index(None, "user", "created_at"),
        Index(None, "state", "expires_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    user: Mapped[str] = mapped_column(String(255))
    state: Mapped[ExecutionState] = mapped_column(enum_column(ExecutionState, "state"))
    code: Mapped[str] = mapped_column(Text)
    timeout_seconds: Mapped[float]
    memory_mb: Mapped[int]
    owner: Mapped[str] = mapped_column(String(255))
    created_at: Mapped[datetime] = mapped_column(index=True)
    expires_at: Mapped[datetime]
    seconds: Mapped[float]
    outcome: Mapped[Outcome | None] = mapped_column(enum_column(Outcome, "outcome"))
    cases_passed: Mapped[int]
    cases_total: Mapped[int]
    result: Mapped[bytes | None] = mapped_column(LargeBinary)
    error: Mapped[str | None] = mapped_column(Text)
