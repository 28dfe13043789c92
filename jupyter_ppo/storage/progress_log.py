"""The log of progress: events of clients, exactly once, and those of the server."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Table, func, insert, or_, select
from sqlalchemy.orm import Session

from jupyter_ppo.domain.activity import check_event, digest_of, explained
from jupyter_ppo.domain.ids import new_id
from jupyter_ppo.domain.progress import apply
from jupyter_ppo.domain.progress_events import (
    EventKind,
    EventReceipt,
    NewEvent,
    Receipt,
    Refusal,
)
from jupyter_ppo.domain.progress_records import StudentState
from jupyter_ppo.storage.database import Database
from jupyter_ppo.storage.progress_states import locked, write_states
from jupyter_ppo.storage.tables import AssignmentRow, ProgressEventRow, TermsRow

_TABLE = cast(Table, ProgressEventRow.__table__)


class ProgressLog:
    """``services.progress.EventStore`` on a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def append(
        self, course_id: UUID, user: str, events: Sequence[NewEvent], now: datetime
    ) -> tuple[EventReceipt, ...]:
        """Take what a client of ``user`` reports, all in one transaction; answer each in its place.

        A key that is known counts once, however often and from wherever it comes. Whoever reports
        for the same person meanwhile waits. ``now`` is the server's clock.
        """
        with self._database.begin() as session:
            states = locked(session, course_id, [user])
            known = _open_assignments(session, course_id, events, now)
            seen = _digests(session, course_id, user, events)
            receipts, taken = [], []
            for each in events:
                receipt, entry = _judged(each, user, check_event(each, user, known, now), seen)
                receipts.append(receipt)
                if entry is not None:
                    taken.append(entry)
            record(session, course_id, states, taken, now)
            return tuple(receipts)


@dataclass(frozen=True, slots=True)
class Entry:
    """An event that is about to be added; ``key`` and ``digest`` are those of a client's."""

    user: str
    kind: EventKind
    assignment: str
    occurred_at: datetime
    data: Mapping[str, Any]
    key: str | None = None
    digest: str | None = None


def record(
    session: Session,
    course_id: UUID,
    states: Mapping[str, StudentState],
    entries: Sequence[Entry],
    now: datetime,
) -> None:
    """Add events in the caller's transaction, and fold them into the states of their people.

    ``states`` are those that ``progress_states.locked`` gave in this transaction. Each person's
    events come in order. The number of queries does not grow with the number of people.
    """
    if not entries:
        return
    before = session.scalar(select(func.max(_TABLE.c.position))) or 0
    rows = [
        {
            "id": new_id(),
            "course_id": course_id,
            "user": each.user,
            "kind": each.kind,
            "assignment": each.assignment,
            "occurred_at": each.occurred_at,
            "received_at": now,
            "data": dict(each.data),
            "key": each.key,
            "digest": each.digest,
        }
        for each in entries
    ]
    session.execute(insert(_TABLE), rows)
    # Positions are given one after another, in the order of the rows; others may add theirs.
    positions = dict(
        session.execute(
            select(_TABLE.c.id, _TABLE.c.position).where(_TABLE.c.position > before)
        ).all()
    )
    for row, each in zip(rows, entries, strict=True):
        state = states[each.user]
        occurred_at = each.occurred_at.astimezone(UTC)
        apply(state, positions[row["id"]], each.kind, each.assignment, occurred_at, each.data)
    concerned = {each.user for each in entries}
    write_states(session, course_id, [states[user] for user in sorted(concerned)], now)


def _judged(
    new: NewEvent, user: str, refusal: Refusal | None, seen: dict[str, str]
) -> tuple[EventReceipt, Entry | None]:
    """Return what becomes of an event, and what is added; ``seen`` are digests by key."""
    if refusal is None:
        digest = digest_of(new)
        before = seen.get(new.key)
        if before is None:
            seen[new.key] = digest
            entry = Entry(
                user, new.kind, new.assignment, new.occurred_at, new.data, new.key, digest
            )
            return EventReceipt(new.key, Receipt.ACCEPTED), entry
        if before == digest:
            return EventReceipt(new.key, Receipt.DUPLICATE), None
        refusal = Refusal.DIFFERENT_CONTENT
    return EventReceipt(new.key, Receipt.REJECTED, refusal, explained(refusal)), None


def _open_assignments(
    session: Session, course_id: UUID, events: Iterable[NewEvent], now: datetime
) -> set[str]:
    """Return those of the assignments that students see: of others they must not learn."""
    names = {each.assignment for each in events if each.assignment.isprintable()}
    return set(
        session.scalars(
            select(AssignmentRow.name)
            .outerjoin(TermsRow, TermsRow.assignment_id == AssignmentRow.id)
            .where(
                AssignmentRow.course_id == course_id,
                AssignmentRow.name.in_(names),
                AssignmentRow.deleted_at.is_(None),
                or_(TermsRow.opens_at.is_(None), TermsRow.opens_at <= now),
            )
        )
    )


def _digests(
    session: Session, course_id: UUID, user: str, events: Iterable[NewEvent]
) -> dict[str, str]:
    """Return the keys that came before, each with the digest of what came with it."""
    found = session.execute(
        select(_TABLE.c.key, _TABLE.c.digest).where(
            _TABLE.c.course_id == course_id,
            _TABLE.c.user == user,
            # A key that no database can hold is refused, and was never stored.
            _TABLE.c.key.in_({each.key for each in events if each.key.isprintable()}),
        )
    )
    return {str(key): str(digest) for key, digest in found}
