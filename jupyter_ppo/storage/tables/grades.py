"""Grades, marks, outcomes, and the history of all of them."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    JSON,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from jupyter_ppo.domain.entries import AuthorKind, OutcomeState
from jupyter_ppo.domain.ids import new_id
from jupyter_ppo.domain.marks import GradeChangeKind
from jupyter_ppo.domain.sandbox import Verdict
from jupyter_ppo.storage.tables.base import Base, enum_column


class GradeRow(Base):
    """A grade. The totals are those of ``domain.grading.Grade`` with marks, kept for lists."""

    __tablename__ = "grades"

    submission_id: Mapped[UUID] = mapped_column(ForeignKey("submissions.id"), primary_key=True)
    points: Mapped[float]
    max_points: Mapped[float]
    extra_credit: Mapped[float] = mapped_column(default=0.0, server_default="0")
    needs_review: Mapped[bool]
    version_id: Mapped[UUID | None] = mapped_column(ForeignKey("assignment_versions.id"))
    verdict: Mapped[Verdict] = mapped_column(enum_column(Verdict, "verdict"))
    detail: Mapped[str] = mapped_column(Text)
    feedback_digest: Mapped[str] = mapped_column(String(64))
    graded_at: Mapped[datetime]
    wall_seconds: Mapped[float]

    exercises: Mapped[list[ExerciseGradeRow]] = relationship(
        order_by="ExerciseGradeRow.position", lazy="raise"
    )


class ExerciseGradeRow(Base):
    __tablename__ = "exercise_grades"
    __table_args__ = (
        ForeignKeyConstraint(["submission_id"], ["grades.submission_id"], ondelete="CASCADE"),
    )

    submission_id: Mapped[UUID] = mapped_column(primary_key=True)
    grade_id: Mapped[str] = mapped_column(Text, primary_key=True)
    position: Mapped[int]
    points: Mapped[float]
    max_points: Mapped[float]
    needs_review: Mapped[bool]
    reason: Mapped[str] = mapped_column(Text)
    hint_deduction: Mapped[float] = mapped_column(default=0.0, server_default="0")
    is_sealed: Mapped[bool]
    checks: Mapped[list[dict[str, Any]]]
    records: Mapped[list[dict[str, Any]]]


class MarkRow(Base):
    """What a person says of one exercise; no regrade touches it."""

    __tablename__ = "marks"

    submission_id: Mapped[UUID] = mapped_column(ForeignKey("submissions.id"), primary_key=True)
    grade_id: Mapped[str] = mapped_column(Text, primary_key=True)
    points: Mapped[float | None]
    extra_credit: Mapped[float]
    comment: Mapped[str] = mapped_column(Text)
    revision: Mapped[int]
    marked_by: Mapped[str] = mapped_column(String(255))
    marked_at: Mapped[datetime]
    auto_points: Mapped[float | None]


class GradeChangeRow(Base):
    """The history of grades. Rows are added, never changed or deleted."""

    __tablename__ = "grade_changes"
    __table_args__ = (Index(None, "submission_id", "at"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    at: Mapped[datetime]
    submission_id: Mapped[UUID] = mapped_column(ForeignKey("submissions.id"))
    grade_id: Mapped[str | None] = mapped_column(Text)
    kind: Mapped[GradeChangeKind] = mapped_column(enum_column(GradeChangeKind, "kind"))
    by: Mapped[str] = mapped_column(String(255))
    reason: Mapped[str] = mapped_column(Text)
    before: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    after: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))


class OutcomeRow(Base):
    """The newest revision of a submission's outcome."""

    __tablename__ = "outcomes"

    submission_id: Mapped[UUID] = mapped_column(ForeignKey("submissions.id"), primary_key=True)
    revision: Mapped[int]
    state: Mapped[OutcomeState] = mapped_column(enum_column(OutcomeState, "state"))
    content: Mapped[dict[str, Any]]
    author_kind: Mapped[AuthorKind] = mapped_column(enum_column(AuthorKind, "author_kind"))
    author: Mapped[str] = mapped_column(String(255))
    at: Mapped[datetime]
    approved_by: Mapped[str | None] = mapped_column(String(255))


class OutcomeRevisionRow(Base):
    """Every revision of an outcome, and who or what wrote it. Rows are added, never changed."""

    __tablename__ = "outcome_revisions"
    __table_args__ = (UniqueConstraint("submission_id", "revision"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    submission_id: Mapped[UUID] = mapped_column(ForeignKey("submissions.id"))
    revision: Mapped[int]
    state: Mapped[OutcomeState] = mapped_column(enum_column(OutcomeState, "state"))
    content: Mapped[dict[str, Any]]
    author_kind: Mapped[AuthorKind] = mapped_column(enum_column(AuthorKind, "author_kind"))
    author: Mapped[str] = mapped_column(String(255))
    at: Mapped[datetime]
