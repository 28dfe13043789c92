"""What language models were asked, what students were told, and how a course wants it."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from jupyter_ppo.domain.ids import new_id
from jupyter_ppo.domain.tutoring import (
    CallState,
    ExplanationKind,
    HintLevel,
    HintSource,
    Purpose,
)
from jupyter_ppo.storage.tables.base import Base, enum_column


class FeedbackSettingsRow(Base):
    """How a course, or one assignment of it, wants feedback; ``scope`` is "" or the assignment."""

    __tablename__ = "feedback_settings"

    course_id: Mapped[UUID] = mapped_column(ForeignKey("courses.id"), primary_key=True)
    scope: Mapped[str] = mapped_column(String(36), primary_key=True)
    document: Mapped[dict[str, Any]]
    revision: Mapped[int]
    changed_by: Mapped[str] = mapped_column(String(255))
    changed_at: Mapped[datetime]


class ModelCallRow(Base):
    """One call of a language model. Its money, in picodollars, is reserved before it is sent.

    Texts are emptied after the time that they are kept for; counts and costs stay.
    """

    __tablename__ = "model_calls"
    __table_args__ = (
        CheckConstraint("reserved >= 0", name="reserved"),
        CheckConstraint("cost >= 0", name="cost"),
        Index(None, "batch_id"),
        Index(None, "cache_key"),
        Index(None, "course_id", "at"),
        Index(None, "user", "at"),
        Index(None, "state"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    course_id: Mapped[UUID] = mapped_column(ForeignKey("courses.id"))
    assignment_id: Mapped[UUID | None] = mapped_column(ForeignKey("assignments.id"), index=True)
    submission_id: Mapped[UUID | None] = mapped_column(ForeignKey("submissions.id"), index=True)
    grade_id: Mapped[str] = mapped_column(Text)
    # The batch of drafts that paid for it; not a foreign key: what was paid outlives a batch.
    batch_id: Mapped[UUID | None]
    user: Mapped[str] = mapped_column(String(255))
    asked_by: Mapped[str] = mapped_column(String(255))
    purpose: Mapped[Purpose] = mapped_column(enum_column(Purpose, "purpose"))
    template: Mapped[str] = mapped_column(String(100))
    template_version: Mapped[int]
    provider: Mapped[str] = mapped_column(String(100))
    model: Mapped[str] = mapped_column(String(255))
    parameters: Mapped[dict[str, Any]]
    prompt: Mapped[list[dict[str, Any]]]
    redactions: Mapped[dict[str, Any]]
    flags: Mapped[list[str]]
    cache_key: Mapped[str] = mapped_column(String(64))
    state: Mapped[CallState] = mapped_column(enum_column(CallState, "state"))
    at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    raw_answer: Mapped[str] = mapped_column(Text)
    parsed: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    finish: Mapped[str] = mapped_column(String(30))
    error: Mapped[str] = mapped_column(Text)
    input_tokens: Mapped[int | None]
    output_tokens: Mapped[int | None]
    cached_tokens: Mapped[int | None]
    is_usage_estimated: Mapped[bool]
    reserved: Mapped[int] = mapped_column(BigInteger)
    cost: Mapped[int] = mapped_column(BigInteger)
    latency_ms: Mapped[int]
    tries: Mapped[int]
    model_said: Mapped[str] = mapped_column(String(255))
    purged_at: Mapped[datetime | None]


class HintRow(Base):
    """A hint that was given; one for each attempt of a person at an exercise."""

    __tablename__ = "hints"
    __table_args__ = (UniqueConstraint("assignment_id", "user", "grade_id", "attempt_digest"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    course_id: Mapped[UUID] = mapped_column(ForeignKey("courses.id"))
    assignment_id: Mapped[UUID] = mapped_column(ForeignKey("assignments.id"))
    user: Mapped[str] = mapped_column(String(255), index=True)
    grade_id: Mapped[str] = mapped_column(Text)
    level: Mapped[HintLevel] = mapped_column(enum_column(HintLevel, "level"))
    source: Mapped[HintSource] = mapped_column(enum_column(HintSource, "source"))
    model: Mapped[str] = mapped_column(String(255))
    text: Mapped[str] = mapped_column(Text)
    attempt_digest: Mapped[str] = mapped_column(String(64))
    call_id: Mapped[UUID | None] = mapped_column(ForeignKey("model_calls.id"))
    cost_fraction: Mapped[float]
    at: Mapped[datetime]


class ExplanationRow(Base):
    """An explanation that was given."""

    __tablename__ = "explanations"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    course_id: Mapped[UUID] = mapped_column(ForeignKey("courses.id"))
    assignment_id: Mapped[UUID | None] = mapped_column(ForeignKey("assignments.id"))
    user: Mapped[str] = mapped_column(String(255), index=True)
    kind: Mapped[ExplanationKind] = mapped_column(enum_column(ExplanationKind, "kind"))
    subject: Mapped[dict[str, Any]]
    source: Mapped[HintSource] = mapped_column(enum_column(HintSource, "source"))
    model: Mapped[str] = mapped_column(String(255))
    text: Mapped[str] = mapped_column(Text)
    call_id: Mapped[UUID | None] = mapped_column(ForeignKey("model_calls.id"))
    at: Mapped[datetime]


class SelfCheckRow(Base):
    """Which levels of a rubric a student thinks their answer has reached."""

    __tablename__ = "self_checks"

    assignment_id: Mapped[UUID] = mapped_column(ForeignKey("assignments.id"), primary_key=True)
    user: Mapped[str] = mapped_column(String(255), primary_key=True)
    grade_id: Mapped[str] = mapped_column(Text, primary_key=True)
    course_id: Mapped[UUID] = mapped_column(ForeignKey("courses.id"))
    levels: Mapped[dict[str, Any]]
    revision: Mapped[int]
    at: Mapped[datetime]
