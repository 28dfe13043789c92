"""The tables. Rows are private to this package: callers get the domain's objects."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import (
    JSON,
    CheckConstraint,
    DateTime,
    Dialect,
    Enum,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    MetaData,
    String,
    Text,
    TypeDecorator,
    UniqueConstraint,
    Uuid,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from jupyter_ppo.domain.courses import CellKind, Role
from jupyter_ppo.domain.execution import ExecutionState, Outcome
from jupyter_ppo.domain.ids import new_id
from jupyter_ppo.domain.jobs import JobState
from jupyter_ppo.domain.sandbox import Verdict
from jupyter_ppo.domain.submissions import SubmissionState

#: Every constraint has a name, so that a later migration can find it on every database.
NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class UtcDateTime(TypeDecorator[datetime]):
    """An aware time, kept as UTC; refuses a time without a zone (``ValueError``).

    SQLite has no zones: the text in the file is UTC, and the zone is put back when it is read.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.utcoffset() is None:
            msg = f"{value!r} has no time zone; times in the database are UTC."
            raise ValueError(msg)
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _enum(kind: type[StrEnum], name: str) -> Enum:
    """Keep the enum's value as text and let the database check it under ``ck_<table>_<name>``."""
    return Enum(
        kind,
        name=name,
        native_enum=False,
        create_constraint=True,
        validate_strings=True,
        length=30,
        values_callable=lambda members: [str(member.value) for member in members],
    )


class Base(DeclarativeBase):
    """The root of all rows."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy reads it from the class
        datetime: UtcDateTime(),
        UUID: Uuid(),
        dict[str, Any]: JSON(),
        list[str]: JSON(),
        list[dict[str, Any]]: JSON(),
    }


class CourseRow(Base):
    """A course. ``secret``, 64 hexadecimal digits, is made when it is first needed."""

    __tablename__ = "courses"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(String(100), unique=True)
    title: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime]
    secret: Mapped[str | None] = mapped_column(String(64))


class MembershipRow(Base):
    __tablename__ = "memberships"

    course_id: Mapped[UUID] = mapped_column(ForeignKey("courses.id"), primary_key=True)
    user: Mapped[str] = mapped_column(String(255), primary_key=True, index=True)
    role: Mapped[Role] = mapped_column(_enum(Role, "role"))


class LeaderboardMemberRow(Base):
    """Who joined a course's leaderboard; ``folded`` is the pseudonym as ``domain`` compares it."""

    __tablename__ = "leaderboard_members"
    __table_args__ = (UniqueConstraint("course_id", "folded"),)

    course_id: Mapped[UUID] = mapped_column(ForeignKey("courses.id"), primary_key=True)
    user: Mapped[str] = mapped_column(String(255), primary_key=True)
    pseudonym: Mapped[str] = mapped_column(String(40))
    folded: Mapped[str] = mapped_column(String(1000))
    joined_at: Mapped[datetime]


class AssignmentRow(Base):
    __tablename__ = "assignments"
    __table_args__ = (UniqueConstraint("course_id", "name"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    course_id: Mapped[UUID] = mapped_column(ForeignKey("courses.id"))
    name: Mapped[str] = mapped_column(String(100))
    created_at: Mapped[datetime]


class VersionRow(Base):
    __tablename__ = "assignment_versions"
    __table_args__ = (
        UniqueConstraint("assignment_id", "number"),
        CheckConstraint("number >= 1", name="number"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    assignment_id: Mapped[UUID] = mapped_column(ForeignKey("assignments.id"))
    number: Mapped[int]
    source_digest: Mapped[str] = mapped_column(String(64))
    release_digest: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime]

    exercises: Mapped[list[ExerciseRow]] = relationship(
        order_by="ExerciseRow.position", lazy="raise"
    )


class ExerciseRow(Base):
    __tablename__ = "exercises"

    version_id: Mapped[UUID] = mapped_column(ForeignKey("assignment_versions.id"), primary_key=True)
    grade_id: Mapped[str] = mapped_column(Text, primary_key=True)
    kind: Mapped[CellKind] = mapped_column(_enum(CellKind, "kind"))
    points: Mapped[float]
    position: Mapped[int]


class SealingRow(Base):
    """What is known of a version's test cells, as ``storage.sealings`` writes it."""

    __tablename__ = "sealings"

    version_id: Mapped[UUID] = mapped_column(ForeignKey("assignment_versions.id"), primary_key=True)
    cells: Mapped[list[dict[str, Any]]]
    created_at: Mapped[datetime]
    wall_seconds: Mapped[float]


class SubmissionRow(Base):
    __tablename__ = "submissions"
    __table_args__ = (
        UniqueConstraint("assignment_id", "user", "attempt"),
        CheckConstraint("attempt >= 1", name="attempt"),
        Index(None, "assignment_id", "submitted_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    assignment_id: Mapped[UUID] = mapped_column(ForeignKey("assignments.id"))
    version_id: Mapped[UUID] = mapped_column(ForeignKey("assignment_versions.id"))
    user: Mapped[str] = mapped_column(String(255))
    attempt: Mapped[int]
    digest: Mapped[str] = mapped_column(String(64))
    state: Mapped[SubmissionState] = mapped_column(_enum(SubmissionState, "state"))
    submitted_at: Mapped[datetime]
    warnings: Mapped[list[str]]
    error: Mapped[str | None] = mapped_column(Text)


class GradeRow(Base):
    """A grade. The three totals are those of ``domain.grading.Grade``, kept for lists."""

    __tablename__ = "grades"

    submission_id: Mapped[UUID] = mapped_column(ForeignKey("submissions.id"), primary_key=True)
    points: Mapped[float]
    max_points: Mapped[float]
    needs_review: Mapped[bool]
    verdict: Mapped[Verdict] = mapped_column(_enum(Verdict, "verdict"))
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
    is_sealed: Mapped[bool]
    checks: Mapped[list[dict[str, Any]]]
    records: Mapped[list[dict[str, Any]]]


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
    state: Mapped[JobState] = mapped_column(_enum(JobState, "state"))
    attempt: Mapped[int]
    fence: Mapped[int]
    worker: Mapped[str | None] = mapped_column(String(255))
    lease_until: Mapped[datetime | None]
    queued_at: Mapped[datetime]
    error: Mapped[str | None] = mapped_column(Text)


class AuditEventRow(Base):
    """Who did what. Rows are added, never changed or deleted."""

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
    state: Mapped[ExecutionState] = mapped_column(_enum(ExecutionState, "state"))
    code: Mapped[str] = mapped_column(Text)
    timeout_seconds: Mapped[float]
    memory_mb: Mapped[int]
    owner: Mapped[str] = mapped_column(String(255))
    created_at: Mapped[datetime] = mapped_column(index=True)
    expires_at: Mapped[datetime]
    seconds: Mapped[float]
    outcome: Mapped[Outcome | None] = mapped_column(_enum(Outcome, "outcome"))
    cases_passed: Mapped[int]
    cases_total: Mapped[int]
    result: Mapped[bytes | None] = mapped_column(LargeBinary)
    error: Mapped[str | None] = mapped_column(Text)
