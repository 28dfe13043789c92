"""Training runs of people, and the processor time that these used."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from jupyter_ppo.domain.ids import new_id
from jupyter_ppo.domain.run_records import MAX_NAME, MAX_TAG
from jupyter_ppo.domain.training import RunState
from jupyter_ppo.storage.tables.base import Base, enum_column


class TrainingRunRow(Base):
    """A run of one person; what it measured is in its folder.

    ``owner`` is the process that has it, "" when none has, and ``seen_at`` when that was heard of
    last. The queue is in the order of ``queued_at`` and ``id``. Runs of one request share
    ``group_id``; ``request_key`` and ``request_digest`` tell a request that was sent twice.
    """

    __tablename__ = "training_runs"
    __table_args__ = (
        CheckConstraint("cpu_seconds >= 0", name="cpu_seconds"),
        CheckConstraint("wall_seconds >= 0", name="wall_seconds"),
        CheckConstraint("disk_bytes >= 0", name="disk_bytes"),
        Index(None, "user", "created_at"),
        Index(None, "user", "request_key"),
        Index(None, "state", "queued_at"),
        Index(None, "owner"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    user: Mapped[str] = mapped_column(String(255))
    group_id: Mapped[UUID] = mapped_column(index=True)
    name: Mapped[str] = mapped_column(String(MAX_NAME))
    spec: Mapped[dict[str, Any]]
    state: Mapped[RunState] = mapped_column(enum_column(RunState, "state"))
    step: Mapped[int] = mapped_column(BigInteger)
    total_steps: Mapped[int] = mapped_column(BigInteger)
    message: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(index=True)
    updated_at: Mapped[datetime]
    queued_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    seen_at: Mapped[datetime]
    owner: Mapped[str] = mapped_column(String(255))
    cpu_seconds: Mapped[float]
    wall_seconds: Mapped[float]
    disk_bytes: Mapped[int] = mapped_column(BigInteger)
    commands_from: Mapped[int] = mapped_column(BigInteger)
    request_key: Mapped[str | None] = mapped_column(String(255))
    request_digest: Mapped[str | None] = mapped_column(String(64))

    tags: Mapped[list[TrainingTagRow]] = relationship(
        order_by="TrainingTagRow.position",
        cascade="all, delete-orphan",
        lazy="selectin",
    )


class TrainingTagRow(Base):
    """A tag of a run."""

    __tablename__ = "training_tags"

    run_id: Mapped[UUID] = mapped_column(ForeignKey("training_runs.id"), primary_key=True)
    tag: Mapped[str] = mapped_column(String(MAX_TAG), primary_key=True, index=True)
    position: Mapped[int]


class TrainingUseRow(Base):
    """Processor time that a person's runs used within one hour, those of deleted runs too."""

    __tablename__ = "training_use"
    __table_args__ = (CheckConstraint("cpu_seconds >= 0", name="cpu_seconds"),)

    user: Mapped[str] = mapped_column(String(255), primary_key=True)
    hour: Mapped[datetime] = mapped_column(primary_key=True)
    cpu_seconds: Mapped[float]
