"""Webhooks: what is told to which address, signed, and when it is tried again."""

from __future__ import annotations

import hashlib
import hmac
import json
import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from jupyter_ppo.domain.api_tokens import new_secret
from jupyter_ppo.domain.errors import InvalidInputError

#: What every secret begins with, so that people and secret scanners know one when they see it.
SECRET_PREFIX = "ppowh_"  # noqa: S105 - no secret
#: Webhooks of one course.
MAX_WEBHOOKS = 20
#: How long the secret before a rotation signs beside the new one, in hours.
MAX_OVERLAP_HOURS, DEFAULT_OVERLAP_HOURS = 168.0, 24.0
_NAME_LENGTH = 100

#: How often something is sent before it is given up: for a bit more than a day.
MAX_TRIES = 12
#: How long is waited after the first try; three times as long after each more, until the most.
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=10), timedelta(hours=6)
_GROWTH = 3.0
#: The least share of a wait: the rest is left to chance, so that not all come back at once.
LEAST_SHARE = 0.5
#: The longest that a receiver may ask us to wait.
LONGEST_RETRY_AFTER = timedelta(hours=24)

SIGNATURE_HEADER = "X-JupyterPPO-Signature"
EVENT_HEADER = "X-JupyterPPO-Event"
DELIVERY_HEADER = "X-JupyterPPO-Delivery"
WEBHOOK_HEADER = "X-JupyterPPO-Webhook"


class WebhookEvent(StrEnum):
    """What a webhook may be told of."""

    RECEIVED = "submission.received"
    GRADED = "submission.graded"
    RELEASED = "outcome.released"
    BATCH_FINISHED = "batch.finished"
    PING = "ping"  # somebody tries the webhook


#: What a webhook can be subscribed to; a ping always comes.
SUBSCRIBABLE = tuple(each for each in WebhookEvent if each is not WebhookEvent.PING)


class DeliveryState(StrEnum):
    """Where a delivery is."""

    WAITING = "waiting"
    SENDING = "sending"
    DELIVERED = "delivered"
    GIVEN_UP = "given_up"

    @property
    def is_over(self) -> bool:
        """Whether nothing is sent any more."""
        return self in {DeliveryState.DELIVERED, DeliveryState.GIVEN_UP}


@dataclass(frozen=True, slots=True)
class Webhook:
    """An address of a course that is told of ``events`` while it ``is_active``.

    ``overlap_until`` is how long the secret before the last rotation signs as well.
    """

    id: UUID
    course_id: UUID
    course: str
    name: str
    url: str
    events: tuple[WebhookEvent, ...]
    is_active: bool
    created_by: str
    created_at: datetime
    overlap_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class NewWebhook:
    """What a new webhook is to be."""

    course_id: UUID
    name: str
    url: str
    events: tuple[WebhookEvent, ...]
    created_by: str


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message to one webhook. ``id`` stays the same however often it is sent.

    ``due_at`` is when it is tried next, None when it is over. ``status`` is the last HTTP status,
    None when there was no answer; ``reason`` says why the last try failed.
    """

    id: UUID
    webhook_id: UUID
    event: WebhookEvent
    body: str
    state: DeliveryState
    created_at: datetime
    tries: int = 0
    due_at: datetime | None = None
    last_tried_at: datetime | None = None
    status: int | None = None
    reason: str = ""
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class SendLease:
    """The right to send ``delivery`` until ``expires_at``; ``fence`` as in ``domain.jobs.Lease``.

    ``secrets`` are as they are kept, the newest first; ``delivery.tries`` counts this try.
    """

    delivery: Delivery
    url: str
    secrets: tuple[str, ...] = field(repr=False)
    worker: str
    fence: int
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class PostResult:
    """How one try ended: ``status`` None means that there was no answer.

    ``is_down``: nobody was there, or the other side said that it cannot now. ``retry_after`` is
    what it asked for, None when it did not.
    """

    status: int | None
    reason: str = ""
    is_down: bool = False
    retry_after: timedelta | None = None

    @property
    def is_delivered(self) -> bool:
        """Whether the receiver took it."""
        return self.status is not None and 200 <= self.status < 300

    @property
    def is_gone(self) -> bool:
        """Whether the receiver says that it is not there any more, for good."""
        return self.status == 410


def new_webhook_secret() -> str:
    """Return a new secret, as a receiver is given it."""
    return SECRET_PREFIX + new_secret()


def body_of(
    delivery_id: UUID, event: WebhookEvent, course_id: UUID, at: datetime, data: Mapping[str, Any]
) -> str:
    """Return the body that is sent, and signed: ids, states and times."""
    whole = {
        "id": str(delivery_id),
        "event": event,
        "course": str(course_id),
        "at": at.astimezone(UTC).isoformat(),
        "data": dict(data),
    }
    return json.dumps(whole, separators=(",", ":"))


def sign(secret: str, timestamp: int, body: bytes) -> str:
    """Return the HMAC-SHA256 of ``timestamp.body`` in hex."""
    return hmac.new(secret.encode(), b"%d." % timestamp + body, hashlib.sha256).hexdigest()


def signature(secrets: Iterable[str], timestamp: int, body: bytes) -> str:
    """Return the header: ``t=<unix seconds>,v1=<hex>``, one ``v1`` for each secret."""
    return ",".join([f"t={timestamp}", *(f"v1={sign(each, timestamp, body)}" for each in secrets)])


def wait_after(tries: int, result: PostResult, chance: float | None = None) -> timedelta:
    """Return how long to wait after so many tries (from 1) that failed.

    ``chance`` is from 0 to 1; left out, it is drawn. What the receiver asked for is the least.
    """
    drawn = random.random() if chance is None else chance  # noqa: S311 - nothing to guess
    grown = FIRST_WAIT.total_seconds() * _GROWTH ** min(tries - 1, 60)
    most = min(grown, LONGEST_WAIT.total_seconds())
    wait = timedelta(seconds=most * (LEAST_SHARE + (1 - LEAST_SHARE) * drawn))
    if result.retry_after is None:
        return wait
    return max(wait, min(result.retry_after, LONGEST_RETRY_AFTER))


def read_retry_after(text: str | None, now: datetime) -> timedelta | None:
    """Return what a ``Retry-After`` asks for (RFC 9110, 10.2.3), None for what cannot be read."""
    if text is None or len(text) > 60:
        return None
    text = text.strip()
    if text.isascii() and text.isdigit():
        return timedelta(seconds=min(int(text), int(LONGEST_RETRY_AFTER.total_seconds())))
    try:
        when = parsedate_to_datetime(text)
        if when.utcoffset() is None:
            when = when.replace(tzinfo=UTC)
        return max(when - now, timedelta(0))
    except (ValueError, OverflowError):
        return None


def checked_name(name: str) -> str:
    """Return the name of a webhook; raise ``InvalidInputError`` (field ``name``)."""
    name = name.strip()
    if not 0 < len(name) <= _NAME_LENGTH or not name.isprintable():
        msg = (
            f"name: {name[:40]!r} cannot be used. Use 1 to {_NAME_LENGTH} printable characters "
            "that say who is told."
        )
        raise InvalidInputError(msg, field="name")
    return name


def checked_events(events: Iterable[WebhookEvent]) -> tuple[WebhookEvent, ...]:
    """Return events in one order, each once; raise ``InvalidInputError`` (field ``events``)."""
    wanted = set(events)
    if not wanted or WebhookEvent.PING in wanted:
        msg = f"events: name at least one of {', '.join(SUBSCRIBABLE)}."
        raise InvalidInputError(msg, field="events")
    return tuple(each for each in SUBSCRIBABLE if each in wanted)


def checked_overlap(hours: float) -> timedelta:
    """Return how long the old secret signs as well; raise ``InvalidInputError``."""
    if not 0 <= hours <= MAX_OVERLAP_HOURS:
        msg = f"overlap_hours: {hours} cannot be used. Use 0 to {MAX_OVERLAP_HOURS:g}."
        raise InvalidInputError(msg, field="overlap_hours")
    return timedelta(hours=hours)
