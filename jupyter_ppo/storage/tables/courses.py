"""Courses, their people, and assignments in versions with terms."""

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
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from jupyter_ppo.domain.courses import AssignmentKind, CellKind, Role
from jupyter_ppo.domain.ids import new_id
from jupyter_ppo.domain.terms import Counting, GradeRelease
from jupyter_ppo.storage.tables.base import Base, enum_column


class CourseRow(Base):
    """A course. ``secret``, 64 hexadecimal digits, is made when it is first needed."""

    __tablename__ = "courses"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(String(100), unique=True)
    title: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime]
    secret: Mapped[str | None] = mapped_column(String(64))
    deleted_at: Mapped[datetime | None]
    deleted_by: Mapped[str | None] = mapped_column(String(255))


class MembershipRow(Base):
    """A person in a course; one who was unenrolled has ``removed_at``, and no rights."""

    __tablename__ = "memberships"

    course_id: Mapped[UUID] = mapped_column(ForeignKey("courses.id"), primary_key=True)
    user: Mapped[str] = mapped_column(String(255), primary_key=True, index=True)
    role: Mapped[Role] = mapped_column(enum_column(Role, "role"))
    first_name: Mapped[str] = mapped_column(Text, default="", server_default=text("''"))
    last_name: Mapped[str] = mapped_column(Text, default="", server_default=text("''"))
    email: Mapped[str] = mapped_column(Text, default="", server_default=text("''"))
    lms_user_id: Mapped[str] = mapped_column(Text, default="", server_default=text("''"))
    enrolled_at: Mapped[datetime | None]
    removed_at: Mapped[datetime | None]


class GroupRow(Base):
    __tablename__ = "groups"
    __table_args__ = (UniqueConstraint("course_id", "name"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    course_id: Mapped[UUID] = mapped_column(ForeignKey("courses.id"))
    name: Mapped[str] = mapped_column(String(100))
    created_at: Mapped[datetime]


class GroupMemberRow(Base):
    __tablename__ = "group_members"

    group_id: Mapped[UUID] = mapped_column(
        ForeignKey("groups.id", ondelete="CASCADE"), primary_key=True
    )
    user: Mapped[str] = mapped_column(String(255), primary_key=True, index=True)


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
    kind: Mapped[AssignmentKind] = mapped_column(
        enum_column(AssignmentKind, "kind"),
        default=AssignmentKind.NOTEBOOK,
        server_default=AssignmentKind.NOTEBOOK.value,
    )
    deleted_at: Mapped[datetime | None]
    deleted_by: Mapped[str | None] = mapped_column(String(255))


class TermsRow(Base):
    """The terms of an assignment; one without a row has those of ``domain.terms.Terms()``."""

    __tablename__ = "assignment_terms"

    assignment_id: Mapped[UUID] = mapped_column(ForeignKey("assignments.id"), primary_key=True)
    opens_at: Mapped[datetime | None]
    due_at: Mapped[datetime | None]
    closes_at: Mapped[datetime | None]
    grace_seconds: Mapped[int]
    late: Mapped[dict[str, Any]]
    max_attempts: Mapped[int]
    counting: Mapped[Counting] = mapped_column(enum_column(Counting, "counting"))
    autograde: Mapped[bool]
    grades: Mapped[GradeRelease] = mapped_column(enum_column(GradeRelease, "grades"))
    revision: Mapped[int]
    updated_at: Mapped[datetime]
    updated_by: Mapped[str] = mapped_column(String(255))


class ExtensionRow(Base):
    """More time or attempts for one person or one group; revoked ones are kept.

    ``group_name`` outlives the group, of which ``group_id`` is None once it is deleted.
    """

    __tablename__ = "extensions"
    __table_args__ = (
        CheckConstraint('("user" IS NULL) <> (group_name IS NULL)', name="whose"),
        Index(None, "assignment_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    assignment_id: Mapped[UUID] = mapped_column(ForeignKey("assignments.id"))
    user: Mapped[str | None] = mapped_column(String(255))
    group_id: Mapped[UUID | None] = mapped_column(ForeignKey("groups.id", ondelete="SET NULL"))
    group_name: Mapped[str | None] = mapped_column(String(100))
    seconds: Mapped[int]
    attempts: Mapped[int]
    reason: Mapped[str] = mapped_column(Text)
    created_by: Mapped[str] = mapped_column(String(255))
    created_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


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
    note: Mapped[str] = mapped_column(Text, default="", server_default=text("''"))
    released_by: Mapped[str] = mapped_column(String(255), default="", server_default=text("''"))

    exercises: Mapped[list[ExerciseRow]] = relationship(
        order_by="ExerciseRow.position", lazy="raise"
    )


class ExerciseRow(Base):
    __tablename__ = "exercises"

    version_id: Mapped[UUID] = mapped_column(ForeignKey("assignment_versions.id"), primary_key=True)
    grade_id: Mapped[str] = mapped_column(Text, primary_key=True)
    kind: Mapped[CellKind] = mapped_column(enum_column(CellKind, "kind"))
    points: Mapped[float]
    position: Mapped[int]


class SealingRow(Base):
    """What is known of a version's test cells, as ``storage.sealings`` writes it."""

    __tablename__ = "sealings"

    version_id: Mapped[UUID] = mapped_column(ForeignKey("assignment_versions.id"), primary_key=True)
    cells: Mapped[list[dict[str, Any]]]
    created_at: Mapped[datetime]
    wall_seconds: Mapped[float]
