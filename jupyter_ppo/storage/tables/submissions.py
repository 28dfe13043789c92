"""What is handed in, and the jobs that grade it."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    JSON,
    CheckConstraint,
    ForeignKey,
    Index,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from jupyter_ppo.domain.batches import BatchScope
from jupyter_ppo.domain.ids import new_id
from jupyter_ppo.domain.jobs import JobState
from jupyter_ppo.domain.submissions import SubmissionState
from jupyter_ppo.domain.trials import TrialKind, TrialState
from jupyter_ppo.storage.tables.base import Base, enum_column


class SubmissionRow(Base):
    __tablename__ = "submissions"
    __table_args__ = (
        UniqueConstraint("assignment_id", "user", "attempt"),
        UniqueConstraint("assignment_id", "user", "idempotency_key"),
        CheckConstraint("attempt >= 1", name="attempt"),
        Index(None, "assignment_id", "submitted_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    assignment_id: Mapped[UUID] = mapped_column(ForeignKey("assignments.id"))
    version_id: Mapped[UUID] = mapped_column(ForeignKey("assignment_versions.id"))
    submitted_version_id: Mapped[UUID | None] = mapped_column(ForeignKey("assignment_versions.id"))
    user: Mapped[str] = mapped_column(String(255))
    attempt: Mapped[int]
    digest: Mapped[str] = mapped_column(String(64))
    state: Mapped[SubmissionState] = mapped_column(enum_column(SubmissionState, "state"))
    submitted_at: Mapped[datetime]
    warnings: Mapped[list[str]]
    error: Mapped[str | None] = mapped_column(Text)
    idempotency_key: Mapped[str | None] = mapped_column(String(200))
    received_at: Mapped[datetime | None]
    collected_by: Mapped[str | None] = mapped_column(String(255))
    late_seconds: Mapped[int] = mapped_column(default=0, server_default="0")
    penalty: Mapped[float] = mapped_column(default=0.0, server_default="0")
    released_at: Mapped[datetime | None]
    deleted_at: Mapped[datetime | None]
    deleted_by: Mapped[str | None] = mapped_column(String(255))


class StandingRow(Base):
    """What counts for one person in one assignment: the gradebook's cell.

    Written only by ``storage.standings.settle``, in the transaction that changes what it is made
    of. ``points`` are after the penalty; they and ``max_points`` are None until graded.
    ``shown_submission_id`` is the attempt that counts as far as its student knows: with the points
    that are released, so that which one it is tells nothing of the others.
    """

    __tablename__ = "standings"
    __table_args__ = (Index(None, "user", "assignment_id"),)

    assignment_id: Mapped[UUID] = mapped_column(ForeignKey("assignments.id"), primary_key=True)
    user: Mapped[str] = mapped_column(String(255), primary_key=True)
    submission_id: Mapped[UUID] = mapped_column(ForeignKey("submissions.id"), unique=True)
    shown_submission_id: Mapped[UUID] = mapped_column(ForeignKey("submissions.id"), unique=True)
    attempts: Mapped[int]
    state: Mapped[SubmissionState] = mapped_column(enum_column(SubmissionState, "state"))
    submitted_at: Mapped[datetime]
    late_seconds: Mapped[int]
    points: Mapped[float | None]
    max_points: Mapped[float | None]
    penalty: Mapped[float]
    extra_credit: Mapped[float]
    needs_review: Mapped[bool]
    unsealed_points: Mapped[float]
    is_released: Mapped[bool]


class JobRow(Base):
    """The one job of a submission; grading it again queues the same job, with growing fences."""

    __tablename__ = "jobs"
    __table_args__ = (
        CheckConstraint("attempt >= 0", name="attempt"),
        CheckConstraint("fence >= 0", name="fence"),
        Index(None, "state", "queued_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    submission_id: Mapped[UUID] = mapped_column(ForeignKey("submissions.id"), unique=True)
    state: Mapped[JobState] = mapped_column(enum_column(JobState, "state"))
    attempt: Mapped[int]
    fence: Mapped[int]
    worker: Mapped[str | None] = mapped_column(String(255))
    lease_until: Mapped[datetime | None]
    queued_at: Mapped[datetime]
    error: Mapped[str | None] = mapped_column(Text)


class BatchRow(Base):
    __tablename__ = "batches"
    __table_args__ = (Index(None, "assignment_id", "created_at"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    assignment_id: Mapped[UUID] = mapped_column(ForeignKey("assignments.id"))
    created_by: Mapped[str] = mapped_column(String(255))
    created_at: Mapped[datetime]
    reason: Mapped[str] = mapped_column(Text)
    scope: Mapped[BatchScope] = mapped_column(enum_column(BatchScope, "scope"))
    version_id: Mapped[UUID | None] = mapped_column(ForeignKey("assignment_versions.id"))
    cancelled_at: Mapped[datetime | None]


class BatchItemRow(Base):
    """One submission of a batch; ``before`` and ``after`` are snapshots as plain data.

    Until ``ended_at`` its state is that of the submission's job.
    """

    __tablename__ = "batch_items"

    batch_id: Mapped[UUID] = mapped_column(ForeignKey("batches.id"), primary_key=True)
    submission_id: Mapped[UUID] = mapped_column(
        ForeignKey("submissions.id"), primary_key=True, index=True
    )
    before: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    after: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    error: Mapped[str | None] = mapped_column(Text)
    cancelled: Mapped[bool] = mapped_column(default=False)
    ended_at: Mapped[datetime | None]


class TrialRow(Base):
    """A run without a grade. ``owner`` is the process that runs it."""

    __tablename__ = "trials"
    __table_args__ = (Index(None, "user", "created_at"), Index(None, "state"))

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    course_id: Mapped[UUID] = mapped_column(ForeignKey("courses.id"))
    assignment: Mapped[str] = mapped_column(String(100))
    user: Mapped[str] = mapped_column(String(255))
    kind: Mapped[TrialKind] = mapped_column(enum_column(TrialKind, "kind"))
    state: Mapped[TrialState] = mapped_column(enum_column(TrialState, "state"))
    digest: Mapped[str] = mapped_column(String(64))
    owner: Mapped[str] = mapped_column(String(255))
    created_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    result: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    error: Mapped[str | None] = mapped_column(Text)
