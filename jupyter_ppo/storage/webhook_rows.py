"""Rows of webhooks as the domain's objects."""

from __future__ import annotations

from jupyter_ppo.domain.webhooks import Delivery, Webhook, WebhookEvent
from jupyter_ppo.storage.tables import WebhookDeliveryRow, WebhookRow


def read_webhook(row: WebhookRow, course: str) -> Webhook:
    """Return a webhook of the course of this name, without its secrets."""
    return Webhook(
        id=row.id,
        course_id=row.course_id,
        course=course,
        name=row.name,
        url=row.url,
        events=tuple(WebhookEvent(each) for each in row.events),
        is_active=row.is_active,
        created_by=row.created_by,
        created_at=row.created_at,
        overlap_until=row.overlap_until,
    )


def read_delivery(row: WebhookDeliveryRow) -> Delivery:
    """Return a message and how far it is."""
    return Delivery(
        id=row.id,
        webhook_id=row.webhook_id,
        event=row.event,
        body=row.body,
        state=row.state,
        created_at=row.created_at,
        tries=row.tries,
        due_at=None if row.state.is_over else row.due_at,
        last_tried_at=row.last_tried_at,
        status=row.status,
        reason=row.reason,
        ended_at=row.ended_at,
    )
