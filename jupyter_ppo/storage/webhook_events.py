"""What happens in a course, written into the outbox in the transaction in which it happens.

So a webhook is told of everything that was committed, and of nothing else. A course without
webhooks costs one look.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, exists, insert, select
from sqlalchemy.orm import Session

from jupyter_ppo.domain.ids import new_id
from jupyter_ppo.domain.webhooks import DeliveryState, WebhookEvent, body_of
from jupyter_ppo.storage.database import database_now
from jupyter_ppo.storage.tables import (
    AssignmentRow,
    BatchItemRow,
    BatchRow,
    SubmissionRow,
    WebhookDeliveryRow,
    WebhookRow,
)

#: How many ids one query names.
_CHUNK = 500


def announce(
    session: Session, course_id: UUID, event: WebhookEvent, items: Iterable[Mapping[str, Any]]
) -> None:
    """Tell every active webhook of a course that is subscribed to ``event`` of each of ``items``.

    In the caller's transaction. An item is ids, states and times: no answer, no grade, no name.
    """
    hooks = _listening(session, event, WebhookRow.course_id == course_id)
    if hooks:
        _write(session, course_id, hooks, event, items)


def announce_submissions(
    session: Session, event: WebhookEvent, submissions: Sequence[SubmissionRow]
) -> None:
    """Tell of submissions of one assignment, as they are now, in the caller's transaction."""
    if not submissions:
        return
    assignment_id = submissions[0].assignment_id
    hooks = _listening(session, event, _of_assignment(assignment_id))
    if not hooks:
        return
    course_id = session.get_one(AssignmentRow, assignment_id).course_id
    items = [
        {
            "submission": str(each.id),
            "assignment": str(assignment_id),
            "attempt": each.attempt,
            "state": each.state,
        }
        for each in submissions
    ]
    _write(session, course_id, hooks, event, items)


def waiting_batches(session: Session, submission_ids: Collection[UUID]) -> list[UUID]:
    """Return the batches that wait for any of these submissions, in the order of their locks."""
    found: set[UUID] = set()
    every = list(submission_ids)
    for first in range(0, len(every), _CHUNK):
        query = select(BatchItemRow.batch_id).where(
            BatchItemRow.submission_id.in_(every[first : first + _CHUNK]),
            BatchItemRow.ended_at.is_(None),
        )
        found.update(session.scalars(query.distinct()))
    return sorted(found)


def announce_finished(session: Session, batch_ids: Sequence[UUID]) -> None:
    """Tell of those of ``waiting_batches`` that wait for nothing any more.

    What is in the trash is not waited for. Of two transactions that end the last two submissions of
    a batch at once, the second sees both: a batch is locked before it is looked at.
    """
    for batch_id in batch_ids:
        assignment_id = session.scalar(
            select(BatchRow.assignment_id).where(BatchRow.id == batch_id)
        )
        if assignment_id is None:
            continue
        event = WebhookEvent.BATCH_FINISHED
        hooks = _listening(session, event, _of_assignment(assignment_id))
        if not hooks:
            continue
        batch = session.get_one(BatchRow, batch_id, with_for_update={"key_share": True})
        is_open = exists(
            select(BatchItemRow.batch_id)
            .join(SubmissionRow, SubmissionRow.id == BatchItemRow.submission_id)
            .where(
                BatchItemRow.batch_id == batch_id,
                BatchItemRow.ended_at.is_(None),
                SubmissionRow.deleted_at.is_(None),
            )
        )
        if session.scalar(select(is_open)):
            continue
        course_id = session.get_one(AssignmentRow, assignment_id).course_id
        item = {
            "batch": str(batch_id),
            "assignment": str(assignment_id),
            "state": "finished" if batch.cancelled_at is None else "cancelled",
        }
        _write(session, course_id, hooks, event, [item])


def write_ping(session: Session, webhook: WebhookRow) -> UUID:
    """Write a message that says nothing but that it came; return its id."""
    return _write(session, webhook.course_id, [webhook.id], WebhookEvent.PING, [{}])[0]


def _of_assignment(assignment_id: UUID) -> ColumnElement[bool]:
    course = select(AssignmentRow.course_id).where(AssignmentRow.id == assignment_id)
    return WebhookRow.course_id == course.scalar_subquery()


def _listening(session: Session, event: WebhookEvent, of_course: ColumnElement[bool]) -> list[UUID]:
    """Return who is to be told. A webhook is not deleted before the transaction has ended."""
    query = (
        select(WebhookRow.id, WebhookRow.events)
        .where(of_course, WebhookRow.is_active)
        .order_by(WebhookRow.id)
        .with_for_update(read=True, key_share=True)
    )
    return [hook for hook, events in session.execute(query) if event in events]


def _write(
    session: Session,
    course_id: UUID,
    hooks: Sequence[UUID],
    event: WebhookEvent,
    items: Iterable[Mapping[str, Any]],
) -> list[UUID]:
    now = database_now(session)
    rows: list[dict[str, Any]] = []
    for item in items:
        for hook in hooks:
            delivery_id = new_id()
            rows.append(
                {
                    "id": delivery_id,
                    "webhook_id": hook,
                    "event": event,
                    "body": body_of(delivery_id, event, course_id, now, item),
                    "state": DeliveryState.WAITING,
                    "created_at": now,
                    "due_at": now,
                    "tries": 0,
                    "fence": 0,
                    "reason": "",
                }
            )
    if rows:
        session.execute(insert(WebhookDeliveryRow), rows)
    return [row["id"] for row in rows]
