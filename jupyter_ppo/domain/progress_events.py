"""The events that progress is made of: an append-only log, one schema for each kind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID


class EventKind(StrEnum):
    """What happened. Clients may report the first three; the server writes the others itself."""

    OPENED = "opened"  # a notebook of the assignment was opened
    ACTIVE = "active"  # minutes of work: {"minutes": [minutes since 1970 (UTC), ...]}
    CHECKED = "checked"  # Validate was run: {"passed": n, "failed": n}
    SUBMITTED = "submitted"  # {"submission_id": str, "attempt": n}
    GRADED = "graded"  # a released attempt counts: {"submission_id", "attempt", "points": {..}}
    #: What counted does not any more: {}; or attempts are in the trash: {"submissions": [str, ..]}.
    WITHDRAWN = "withdrawn"
    #: Older minutes, summed up: {"days": {"2026-11-22": n}, "once": {..}}, ``once`` without those
    #: minutes that the person's other summed-up assignments have, too.
    ACTIVE_DAYS = "active_days"

    @property
    def is_from_clients(self) -> bool:
        """Whether a student's page may report it."""
        return self in {EventKind.OPENED, EventKind.ACTIVE, EventKind.CHECKED}


@dataclass(frozen=True, slots=True)
class NewEvent:
    """An event as a client reports it. ``key`` makes retries safe: one key is one event for ever.

    ``user`` is what the client says, None if it says nothing; it must be who asks.
    """

    key: str
    kind: EventKind
    assignment: str
    occurred_at: datetime
    data: Mapping[str, Any]
    user: str | None = None


@dataclass(frozen=True, slots=True)
class ProgressEvent:
    """An event of the log. ``position`` grows with every event of the server."""

    position: int
    id: UUID
    course_id: UUID
    user: str
    kind: EventKind
    assignment: str
    occurred_at: datetime
    received_at: datetime
    data: Mapping[str, Any]


class Receipt(StrEnum):
    """What became of an event that a client reported."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"  # its key is known: it counts once, and need not be sent again
    REJECTED = "rejected"  # it will never be taken, and need not be sent again


class Refusal(StrEnum):
    """Why an event was rejected."""

    FUTURE = "future"
    TOO_OLD = "too_old"
    OTHER_PERSON = "other_person"
    UNKNOWN_ASSIGNMENT = "unknown_assignment"
    NOT_FROM_CLIENTS = "not_from_clients"
    DIFFERENT_CONTENT = "different_content"  # the key is known, with other content
    BAD_DATA = "bad_data"


@dataclass(frozen=True, slots=True)
class EventReceipt:
    """What became of one reported event; ``message`` says why it was rejected and what to do."""

    key: str
    receipt: Receipt
    refusal: Refusal | None = None
    message: str = ""
