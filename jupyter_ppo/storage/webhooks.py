"""Webhooks in the database, by the database's clock. Secrets come here sealed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from jupyter_ppo.domain.errors import ConflictError, NotFoundError
from jupyter_ppo.domain.ids import new_id
from jupyter_ppo.domain.ports import Page
from jupyter_ppo.domain.webhooks import (
    MAX_WEBHOOKS,
    Delivery,
    DeliveryState,
    NewWebhook,
    Webhook,
)
from jupyter_ppo.storage.database import Database, database_now
from jupyter_ppo.storage.tables import CourseRow, WebhookDeliveryRow, WebhookRow
from jupyter_ppo.storage.webhook_events import write_ping
from jupyter_ppo.storage.webhook_outbox import requeue
from jupyter_ppo.storage.webhook_rows import read_delivery, read_webhook


class Webhooks:
    """``services.webhooks.WebhookStore`` on a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, new: NewWebhook, secret: str) -> Webhook:
        """Add a webhook; raise ``ConflictError`` when its course has too many."""
        with self._database.begin() as session:
            # Two may come at once: the course's row is their lock.
            session.get_one(CourseRow, new.course_id, with_for_update={"key_share": True})
            of_course = WebhookRow.course_id == new.course_id
            if (session.scalar(select(func.count()).where(of_course)) or 0) >= MAX_WEBHOOKS:
                msg = f"This course has {MAX_WEBHOOKS} webhooks already. Delete one first."
                raise ConflictError(msg, field="webhook")
            row = WebhookRow(
                id=new_id(),
                course_id=new.course_id,
                name=new.name,
                url=new.url,
                events=[str(each) for each in new.events],
                is_active=True,
                secret=secret,
                created_by=new.created_by,
                created_at=database_now(session),
            )
            session.add(row)
            session.flush()
            return _webhook(session, row)

    def webhook(self, webhook_id: UUID) -> Webhook:
        """Return a webhook; raise ``NotFoundError``."""
        with self._database.session() as session:
            row = session.get(WebhookRow, webhook_id)
            if row is None:
                raise no_webhook(webhook_id)
            return _webhook(session, row)

    def of_course(self, course_id: UUID, *, offset: int, limit: int) -> Page[Webhook]:
        """Return the webhooks of a course, newest first."""
        query = select(WebhookRow).where(WebhookRow.course_id == course_id)
        with self._database.session() as session:
            total = session.scalar(select(func.count()).select_from(query.subquery()))
            newest = query.order_by(WebhookRow.created_at.desc(), WebhookRow.id.desc())
            rows = session.scalars(newest.offset(offset).limit(limit)).all()
            return Page(tuple(_webhook(session, row) for row in rows), total or 0, offset, limit)

    def change(self, webhook_id: UUID, changes: Mapping[str, Any]) -> Webhook:
        """Set ``name``, ``url``, ``events`` or ``is_active``; raise ``NotFoundError``."""
        with self._database.begin() as session:
            row = _locked(session, webhook_id)
            for name, value in changes.items():
                setattr(row, name, [str(each) for each in value] if name == "events" else value)
            session.flush()
            return _webhook(session, row)

    def rotate(self, webhook_id: UUID, secret: str, overlap: timedelta) -> Webhook:
        """Sign with ``secret`` from now on, and with the one before for ``overlap``.

        An older one ends now. Raises ``NotFoundError``.
        """
        with self._database.begin() as session:
            row = _locked(session, webhook_id)
            if overlap > timedelta(0):
                row.old_secret = row.secret
                row.overlap_until = database_now(session) + overlap
            else:
                row.old_secret = row.overlap_until = None
            row.secret = secret
            session.flush()
            return _webhook(session, row)

    def delete(self, webhook_id: UUID) -> None:
        """Delete a webhook with everything that was or is to be sent; raise ``NotFoundError``."""
        with self._database.begin() as session:
            # From here on nothing is announced to it: see ``webhook_events``.
            row = _locked(session, webhook_id, is_going=True)
            own = WebhookDeliveryRow.webhook_id == webhook_id
            session.execute(delete(WebhookDeliveryRow).where(own))
            session.delete(row)

    def ping(self, webhook_id: UUID) -> Delivery:
        """Send a message that says nothing but that it came; raise ``NotFoundError``."""
        with self._database.begin() as session:
            delivery_id = write_ping(session, _locked(session, webhook_id))
            return read_delivery(session.get_one(WebhookDeliveryRow, delivery_id))

    def deliveries(
        self, webhook_id: UUID, *, state: DeliveryState | None = None, offset: int, limit: int
    ) -> Page[Delivery]:
        """Return what was and is to be sent, newest first; ``state`` keeps some."""
        query = select(WebhookDeliveryRow).where(WebhookDeliveryRow.webhook_id == webhook_id)
        if state is not None:
            query = query.where(WebhookDeliveryRow.state == state)
        with self._database.session() as session:
            total = session.scalar(select(func.count()).select_from(query.subquery()))
            newest = query.order_by(
                WebhookDeliveryRow.created_at.desc(), WebhookDeliveryRow.id.desc()
            )
            rows = session.scalars(newest.offset(offset).limit(limit))
            return Page(tuple(read_delivery(row) for row in rows), total or 0, offset, limit)

    def delivery(self, delivery_id: UUID) -> Delivery:
        """Return a message; raise ``NotFoundError``."""
        with self._database.session() as session:
            row = session.get(WebhookDeliveryRow, delivery_id)
            if row is None:
                raise no_delivery(delivery_id)
            return read_delivery(row)

    def replay(self, delivery_id: UUID) -> Delivery:
        """Send a message again now, with the same id and every try before it.

        Raises ``NotFoundError``, and ``ConflictError`` while it is being sent.
        """
        with self._database.begin() as session:
            if session.get(WebhookDeliveryRow, delivery_id) is None:
                raise no_delivery(delivery_id)
            row = requeue(session, delivery_id)
            if row is None:
                msg = "delivery: this message is being sent right now. Wait for its end."
                raise ConflictError(msg, field="delivery")
            session.flush()
            return read_delivery(row)


def no_webhook(webhook_id: UUID) -> NotFoundError:
    """Return what is told of a webhook that is not there, or another course's."""
    return NotFoundError(f"There is no webhook {str(webhook_id)!r}.", field="webhook")


def no_delivery(delivery_id: UUID) -> NotFoundError:
    """Return what is told of a message that is not there, or another webhook's."""
    return NotFoundError(f"There is no delivery {str(delivery_id)!r}.", field="delivery")


def _locked(session: Session, webhook_id: UUID, *, is_going: bool = False) -> WebhookRow:
    # Who announces something to it meanwhile holds its key: only a deletion waits for that.
    row = session.get(
        WebhookRow, webhook_id, with_for_update=True if is_going else {"key_share": True}
    )
    if row is None:
        raise no_webhook(webhook_id)
    return row


def _webhook(session: Session, row: WebhookRow) -> Webhook:
    return read_webhook(row, session.get_one(CourseRow, row.course_id).name)
