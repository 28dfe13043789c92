"""The outbox of webhooks: leased by whoever sends, as jobs are, by the database's clock.

A sender that dies says nothing: its lease runs out and the same message is sent again, with the
same id. Nothing is sent for a course in the trash or a webhook that is not active: it waits.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, and_, delete, exists, or_, select, update
from sqlalchemy.orm import Session, aliased

from jupyter_ppo.domain.errors import LeaseLostError
from jupyter_ppo.domain.webhooks import MAX_TRIES, DeliveryState, PostResult, SendLease
from jupyter_ppo.storage.database import Database, database_now
from jupyter_ppo.storage.tables import CourseRow, WebhookDeliveryRow, WebhookRow
from jupyter_ppo.storage.webhook_rows import read_delivery

_CUT_SHORT = "Sending it was cut short: the server stopped or lost the database."
_MAX_REASON = 300
#: How many rows one transaction of the retention deletes.
_CHUNK = 1000


class WebhookOutbox:
    """``domain.webhooks`` messages on a database, for senders."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def lease(self, worker: str, duration: timedelta) -> SendLease | None:
        """Take the message that is due longest, None if there is none.

        None of a webhook that another sender is busy with, so that a slow receiver holds up one
        sender at most. A message whose last try was cut short is given up on the way.
        """
        with self._database.session() as session:
            # Idle senders ask often; only one that finds something takes the write lock.
            claimable = _claimable(database_now(session))
            if session.scalar(select(WebhookDeliveryRow.id).where(claimable).limit(1)) is None:
                return None
        with self._database.begin() as session:
            now = database_now(session)
            ready = (
                select(WebhookDeliveryRow)
                .where(_claimable(now))
                .order_by(WebhookDeliveryRow.due_at, WebhookDeliveryRow.id)
                .limit(1)
                .with_for_update(skip_locked=True)
            )
            while (row := session.scalar(ready)) is not None and row.tries >= MAX_TRIES:
                row.reason = _CUT_SHORT
                _end(row, DeliveryState.GIVEN_UP, now)
                session.flush()
            if row is None:
                return None
            hook = session.get_one(WebhookRow, row.webhook_id)
            row.state, row.worker, row.lease_until = DeliveryState.SENDING, worker, now + duration
            row.fence += 1
            row.tries += 1
            row.last_tried_at = now
            secrets = [hook.secret]
            is_overlapping = hook.overlap_until is not None and now < hook.overlap_until
            if hook.old_secret is not None and is_overlapping:
                secrets.append(hook.old_secret)
            return SendLease(
                delivery=read_delivery(row),
                url=hook.url,
                secrets=tuple(secrets),
                worker=worker,
                fence=row.fence,
                expires_at=row.lease_until,
            )

    def record(self, lease: SendLease, result: PostResult, wait: timedelta | None) -> None:
        """Write down how a try ended; raise ``LeaseLostError`` when another sender has it.

        Of one that failed, ``wait`` is when it is tried again; None: it is given up.
        """
        with self._database.begin() as session:
            row = _held(session, lease)
            now = database_now(session)
            row.status, row.reason = result.status, result.reason[:_MAX_REASON]
            if result.is_delivered:
                _end(row, DeliveryState.DELIVERED, now)
            elif wait is None:
                _end(row, DeliveryState.GIVEN_UP, now)
            else:
                _release(row, DeliveryState.WAITING)
                row.due_at = now + wait

    def put_off(self, lease: SendLease, wait: timedelta, reason: str) -> None:
        """Send nothing now, and do not count this try; raise ``LeaseLostError``.

        Everything else that waits for the same webhook waits as long.
        """
        with self._database.begin() as session:
            row = _held(session, lease)
            until = database_now(session) + wait
            _release(row, DeliveryState.WAITING)
            row.tries -= 1
            row.reason = reason[:_MAX_REASON]
            session.flush()
            session.execute(
                update(WebhookDeliveryRow)
                .where(
                    WebhookDeliveryRow.webhook_id == row.webhook_id,
                    WebhookDeliveryRow.state == DeliveryState.WAITING,
                    WebhookDeliveryRow.due_at < until,
                )
                .values(due_at=until)
                .execution_options(synchronize_session=False)
            )

    def forget(self, older_than: timedelta) -> int:
        """Delete messages that have been over for so long; return how many.

        And secrets before a rotation that sign nothing any more.
        """
        with self._database.begin() as session:
            session.execute(
                update(WebhookRow)
                .where(WebhookRow.overlap_until < database_now(session))
                .values(old_secret=None, overlap_until=None)
            )
        count = 0
        while True:
            with self._database.begin() as session:
                before = database_now(session) - older_than
                ended = select(WebhookDeliveryRow.id).where(WebhookDeliveryRow.ended_at < before)
                ids = session.scalars(ended.limit(_CHUNK)).all()
                session.execute(delete(WebhookDeliveryRow).where(WebhookDeliveryRow.id.in_(ids)))
            count += len(ids)
            if len(ids) < _CHUNK:
                return count


def _claimable(now: datetime) -> ColumnElement[bool]:
    other = aliased(WebhookDeliveryRow)
    return and_(
        or_(
            and_(
                WebhookDeliveryRow.state == DeliveryState.WAITING, WebhookDeliveryRow.due_at <= now
            ),
            and_(
                WebhookDeliveryRow.state == DeliveryState.SENDING,
                WebhookDeliveryRow.lease_until <= now,
            ),
        ),
        exists(
            select(WebhookRow.id)
            .join(CourseRow, CourseRow.id == WebhookRow.course_id)
            .where(
                WebhookRow.id == WebhookDeliveryRow.webhook_id,
                WebhookRow.is_active,
                CourseRow.deleted_at.is_(None),
            )
            .correlate(WebhookDeliveryRow)
        ),
        ~exists(
            select(other.id)
            .where(
                other.webhook_id == WebhookDeliveryRow.webhook_id,
                other.state == DeliveryState.SENDING,
                other.lease_until > now,
            )
            .correlate(WebhookDeliveryRow)
        ),
    )


def _held(session: Session, lease: SendLease) -> WebhookDeliveryRow:
    """Return the row, locked, if the lease is still the newest one; raise ``LeaseLostError``."""
    row = session.get(WebhookDeliveryRow, lease.delivery.id, with_for_update=True)
    if row is None or row.state is not DeliveryState.SENDING or row.fence != lease.fence:
        msg = "Another sender has this message now, or its webhook was deleted."
        raise LeaseLostError(msg)
    return row


def _release(row: WebhookDeliveryRow, state: DeliveryState) -> None:
    row.state, row.worker, row.lease_until = state, None, None


def _end(row: WebhookDeliveryRow, state: DeliveryState, now: datetime) -> None:
    _release(row, state)
    row.ended_at = now


def requeue(session: Session, delivery_id: UUID) -> WebhookDeliveryRow | None:
    """Let a message be sent again now, with every try before it; None while it is being sent."""
    row = session.get_one(WebhookDeliveryRow, delivery_id, with_for_update=True)
    if row.state is DeliveryState.SENDING:
        return None
    _release(row, DeliveryState.WAITING)
    row.due_at, row.tries, row.ended_at = database_now(session), 0, None
    return row
