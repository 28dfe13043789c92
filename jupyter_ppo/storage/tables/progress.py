"""Progress: the log, what it folds into, outlines, achievements, preferences and privacy."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from jupyter_ppo.domain.ids import new_id
from jupyter_ppo.domain.progress_events import EventKind
from jupyter_ppo.storage.tables.base import Base, enum_column

#: SQLite numbers only rows of this type by itself.
_POSITION = BigInteger().with_variant(Integer(), "sqlite")


class ProgressEventRow(Base):
    """An event. Rows are added; only retention and erasure take any away.

    ``key`` is the client's, None of an event of the server; ``digest`` (SHA-256, hex) is of what
    it reported, so that the same key with other content is noticed.
    """

    __tablename__ = "progress_events"
    __table_args__ = (
        UniqueConstraint("course_id", "user", "key"),
        Index(None, "course_id", "user", "position"),
        Index(None, "kind", "received_at"),
        {"sqlite_autoincrement": True},
    )

    position: Mapped[int] = mapped_column(_POSITION, primary_key=True, autoincrement=True)
    id: Mapped[UUID] = mapped_column(default=new_id, unique=True)
    course_id: Mapped[UUID] = mapped_column(ForeignKey("courses.id"))
    user: Mapped[str] = mapped_column(String(255))
    kind: Mapped[EventKind] = mapped_column(enum_column(EventKind, "kind"))
    assignment: Mapped[str] = mapped_column(String(100))
    occurred_at: Mapped[datetime]
    received_at: Mapped[datetime]
    data: Mapped[dict[str, Any]]
    key: Mapped[str | None] = mapped_column(String(200))
    digest: Mapped[str | None] = mapped_column(String(64))


class ProgressStateRow(Base):
    """What one person's log folds into, written by ``storage.progress_states``.

    Classes are sorted by ``points`` (of all released grades), ``minutes`` and ``last_event_at``.
    """

    __tablename__ = "progress_states"

    course_id: Mapped[UUID] = mapped_column(ForeignKey("courses.id"), primary_key=True)
    user: Mapped[str] = mapped_column(String(255), primary_key=True)
    position: Mapped[int] = mapped_column(BigInteger())
    state: Mapped[dict[str, Any]]
    points: Mapped[float]
    minutes: Mapped[int]
    last_event_at: Mapped[datetime | None]
    updated_at: Mapped[datetime]


class OutlineRow(Base):
    """The part of a course's outline that one assignment version gives."""

    __tablename__ = "outlines"

    version_id: Mapped[UUID] = mapped_column(ForeignKey("assignment_versions.id"), primary_key=True)
    chapter: Mapped[dict[str, Any]]


class RuleEditionRow(Base):
    """An edition of a course's rules of achievements; editions are added, never changed."""

    __tablename__ = "rule_editions"

    course_id: Mapped[UUID] = mapped_column(ForeignKey("courses.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    rules: Mapped[list[dict[str, Any]]]
    created_at: Mapped[datetime]
    created_by: Mapped[str] = mapped_column(String(255))


class AwardRow(Base):
    """An achievement of a person; ``rule`` is the rule as it was then."""

    __tablename__ = "awards"
    __table_args__ = (UniqueConstraint("course_id", "user", "rule_id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    course_id: Mapped[UUID] = mapped_column(ForeignKey("courses.id"))
    user: Mapped[str] = mapped_column(String(255), index=True)
    rule_id: Mapped[str] = mapped_column(String(100))
    rule: Mapped[dict[str, Any]]
    evidence: Mapped[list[dict[str, Any]]]
    awarded_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    revoked_because: Mapped[str] = mapped_column(Text)


class PreferencesRow(Base):
    """One person's preferences on this server; who has no row has the defaults."""

    __tablename__ = "preferences"

    user: Mapped[str] = mapped_column(String(255), primary_key=True)
    document: Mapped[dict[str, Any]]
    revision: Mapped[int]
    updated_at: Mapped[datetime]


class ErasureRow(Base):
    """That a person's data were erased: when, by whom, and the name that stands in their place."""

    __tablename__ = "erasures"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    stand_in: Mapped[str] = mapped_column(String(255), unique=True)
    erased_at: Mapped[datetime]
    erased_by: Mapped[str] = mapped_column(String(255))
    counts: Mapped[dict[str, Any]]
