"""Drafted feedback, the batches that make it, and what people marked to compare it with."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from jupyter_ppo.domain.ids import new_id
from jupyter_ppo.domain.tutoring import BatchState, DraftState, ItemState
from jupyter_ppo.storage.tables.base import Base, enum_column


class DraftRow(Base):
    """A draft and what a person made of it. Of one answer the highest ``number`` counts.

    ``state`` is the program's, ``decided_state`` the person's.
    """

    __tablename__ = "feedback_drafts"
    __table_args__ = (
        UniqueConstraint("submission_id", "grade_id", "number"),
        CheckConstraint("number >= 1", name="number"),
        Index(None, "assignment_id", "grade_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    course_id: Mapped[UUID] = mapped_column(ForeignKey("courses.id"))
    assignment_id: Mapped[UUID] = mapped_column(ForeignKey("assignments.id"))
    submission_id: Mapped[UUID] = mapped_column(ForeignKey("submissions.id"))
    grade_id: Mapped[str] = mapped_column(Text)
    number: Mapped[int]
    batch_id: Mapped[UUID | None] = mapped_column(ForeignKey("draft_batches.id"), index=True)
    created_at: Mapped[datetime]
    state: Mapped[DraftState] = mapped_column(enum_column(DraftState, "state"))
    results: Mapped[list[dict[str, Any]]]
    agreement: Mapped[float]
    flags: Mapped[list[str]]
    program: Mapped[str] = mapped_column(String(255))
    rubric_digest: Mapped[str] = mapped_column(String(64))
    call_ids: Mapped[list[str]]
    decided_state: Mapped[DraftState | None] = mapped_column(
        enum_column(DraftState, "decided_state")
    )
    decided_by: Mapped[str | None] = mapped_column(String(255))
    decided_at: Mapped[datetime | None]
    points: Mapped[float | None]
    comment: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)
    edit_distance: Mapped[float]


class DraftBatchRow(Base):
    """Answers that are drafted together."""

    __tablename__ = "draft_batches"
    __table_args__ = (Index(None, "state"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    course_id: Mapped[UUID] = mapped_column(ForeignKey("courses.id"))
    assignment_id: Mapped[UUID] = mapped_column(ForeignKey("assignments.id"), index=True)
    grade_id: Mapped[str | None] = mapped_column(Text)
    created_by: Mapped[str] = mapped_column(String(255))
    created_at: Mapped[datetime]
    state: Mapped[BatchState] = mapped_column(enum_column(BatchState, "state"))
    samples: Mapped[int]
    estimate: Mapped[dict[str, Any]]
    for_calibration: Mapped[bool]
    message: Mapped[str] = mapped_column(Text)
    revision: Mapped[int]


class DraftBatchItemRow(Base):
    """One answer of a batch; whoever writes names the fence of their lease."""

    __tablename__ = "draft_batch_items"
    __table_args__ = (Index(None, "batch_id", "state", "position"),)

    batch_id: Mapped[UUID] = mapped_column(ForeignKey("draft_batches.id"), primary_key=True)
    submission_id: Mapped[UUID] = mapped_column(ForeignKey("submissions.id"), primary_key=True)
    grade_id: Mapped[str] = mapped_column(Text, primary_key=True)
    position: Mapped[int]
    state: Mapped[ItemState] = mapped_column(enum_column(ItemState, "state"))
    tries: Mapped[int]
    fence: Mapped[int]
    leased_until: Mapped[datetime | None]
    error: Mapped[str] = mapped_column(Text)
    draft_id: Mapped[UUID | None] = mapped_column(ForeignKey("feedback_drafts.id"))


class CalibrationMarkRow(Base):
    """The levels that a person chose for an answer, to compare drafts with."""

    __tablename__ = "calibration_marks"

    submission_id: Mapped[UUID] = mapped_column(ForeignKey("submissions.id"), primary_key=True)
    grade_id: Mapped[str] = mapped_column(Text, primary_key=True)
    assignment_id: Mapped[UUID] = mapped_column(ForeignKey("assignments.id"), index=True)
    levels: Mapped[dict[str, Any]]
    marked_by: Mapped[str] = mapped_column(String(255))
    marked_at: Mapped[datetime]
