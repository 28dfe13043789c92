"""Addresses that are told of a course, and what they are told: the outbox."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from jupyter_ppo.domain.ids import new_id
from jupyter_ppo.domain.webhooks import DeliveryState, WebhookEvent
from jupyter_ppo.storage.tables.base import Base, enum_column


class WebhookRow(Base):
    """An address of a course; its secrets are sealed (``storage.secret_box``).

    ``old_secret`` signs as well until ``overlap_until``.
    """

    __tablename__ = "webhooks"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    course_id: Mapped[UUID] = mapped_column(ForeignKey("courses.id"), index=True)
    name: Mapped[str] = mapped_column(Text)
    url: Mapped[str] = mapped_column(Text)
    events: Mapped[list[str]]
    is_active: Mapped[bool]
    secret: Mapped[str] = mapped_column(Text)
    old_secret: Mapped[str | None] = mapped_column(Text)
    overlap_until: Mapped[datetime | None]
    created_by: Mapped[str] = mapped_column(String(255))
    created_at: Mapped[datetime]


class WebhookDeliveryRow(Base):
    """One message to one webhook, leased as jobs are; ``body`` is sent as it stands here."""

    __tablename__ = "webhook_deliveries"
    __table_args__ = (
        CheckConstraint("tries >= 0", name="tries"),
        CheckConstraint("fence >= 0", name="fence"),
        Index(None, "state", "due_at"),
        Index(None, "webhook_id", "created_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    webhook_id: Mapped[UUID] = mapped_column(ForeignKey("webhooks.id"))
    event: Mapped[WebhookEvent] = mapped_column(enum_column(WebhookEvent, "event"))
    body: Mapped[str] = mapped_column(Text)
    state: Mapped[DeliveryState] = mapped_column(enum_column(DeliveryState, "state"))
    created_at: Mapped[datetime]
    due_at: Mapped[datetime]
    tries: Mapped[int]
    fence: Mapped[int]
    worker: Mapped[str | None] = mapped_column(String(255))
    lease_until: Mapped[datetime | None]
    last_tried_at: Mapped[datetime | None]
    status: Mapped[int | None]
    reason: Mapped[str] = mapped_column(Text)
    ended_at: Mapped[datetime | None]
