"""Old activity, event by event, becomes one sum for each day: who was where when is forgotten.

Minutes are summed up that lie before the first moment (UTC) of the day ``activity_days`` ago. No
client can report such minutes any more (``domain.activity.MAX_AGE``), so they are summed up once,
and no key that goes with them can come again. What is shown of anybody stays the same.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple, cast
from uuid import UUID

from sqlalchemy import Table, bindparam, delete, func, insert, select, update
from sqlalchemy.orm import Session

from jupyter_ppo.domain.activity import Range, days, merged, minute_of, union
from jupyter_ppo.domain.ids import new_id
from jupyter_ppo.domain.progress_events import EventKind
from jupyter_ppo.storage.database import Database, database_now
from jupyter_ppo.storage.progress_recompute import folded
from jupyter_ppo.storage.progress_states import locked, write_states
from jupyter_ppo.storage.tables import ProgressEventRow
from jupyter_ppo.storage.term_rows import MOST_NAMED

_LOG = cast(Table, ProgressEventRow.__table__)
_ONCE = (EventKind.OPENED, EventKind.CHECKED)  # of these the first is kept
_ACTIVITY = (EventKind.ACTIVE, EventKind.ACTIVE_DAYS, *_ONCE)
#: People in one transaction.
_AT_ONCE = 50


class ActivityRetention:
    """Sums old activity up, on a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def sum_up(self, activity_days: int, now: datetime) -> int:
        """Replace activity from before ``activity_days`` (31 or more); return of how many events.

        One person's events are replaced in one transaction. Done again, it does nothing.
        """
        moment = (now.astimezone(UTC) - timedelta(days=activity_days)).replace(
            hour=0, minute=0, second=0, microsecond=0
        )
        with self._database.session() as session:
            people = _people(session, moment)
        replaced = 0
        for course_id, users in people.items():
            for first in range(0, len(users), _AT_ONCE):
                chunk = users[first : first + _AT_ONCE]
                with self._database.begin() as session:
                    replaced += _sum_up(session, course_id, chunk, moment)
        return replaced


def _people(session: Session, moment: datetime) -> Mapping[UUID, list[str]]:
    """Return who has something to sum up, by course; a first opening alone is nothing."""
    is_old = _LOG.c.received_at < moment
    columns = (_LOG.c.course_id, _LOG.c.user)
    active = select(*columns).where(_LOG.c.kind == EventKind.ACTIVE, is_old)
    often = (
        select(*columns)
        .where(_LOG.c.kind.in_(_ONCE), is_old)
        .group_by(*columns, _LOG.c.kind, _LOG.c.assignment)
        .having(func.count() > 1)
    )
    found: dict[UUID, list[str]] = defaultdict(list)
    for course_id, user in session.execute(active.union(often)):
        found[course_id].append(user)
    return {course_id: sorted(users) for course_id, users in found.items()}


class _Event(NamedTuple):
    position: int
    user: str
    kind: EventKind
    assignment: str
    occurred_at: datetime
    received_at: datetime
    data: Mapping[str, Any]


@dataclass(slots=True)
class _Sum:
    """What one event will stand for, of one person and one assignment; all of ``events`` go."""

    minutes: list[Range] = field(default_factory=list)
    events: list[_Event] = field(default_factory=list)

    def summed(self, once: Mapping[date, int]) -> dict[str, Any]:
        """Return its data; what was summed up earlier is among its events."""
        data = {"days": Counter[str](), "once": Counter[str]()}
        for each in self.events:
            if each.kind is EventKind.ACTIVE_DAYS:
                for name, counter in data.items():
                    counter.update(each.data[name])
        data["days"].update(_by_name(days(self.minutes)))
        data["once"].update(_by_name(once))
        return {name: dict(sorted(counter.items())) for name, counter in data.items()}


def _by_name(minutes: Mapping[date, int]) -> dict[str, int]:
    return {day.isoformat(): count for day, count in minutes.items() if count}


def _sum_up(session: Session, course_id: UUID, users: list[str], moment: datetime) -> int:
    locked(session, course_id, users)
    own: dict[str, list[_Event]] = defaultdict(list)
    for row in session.execute(
        select(*(_LOG.c[name] for name in _Event._fields))
        .where(_LOG.c.course_id == course_id, _LOG.c.user.in_(users), _LOG.c.kind.in_(_ACTIVITY))
        .order_by(_LOG.c.user, _LOG.c.position)
    ):
        own[row.user].append(_Event(*row))
    now = database_now(session)
    gone: list[int] = []
    new: list[dict[str, Any]] = []
    replaced = 0
    for user, events in own.items():
        sums = _sums(events, moment)
        for assignment, data in _data(sums):
            old = sums[assignment].events
            new.append(
                {
                    "id": new_id(),
                    "course_id": course_id,
                    "user": user,
                    "kind": EventKind.ACTIVE_DAYS,
                    "assignment": assignment,
                    "occurred_at": max(each.occurred_at for each in old),
                    "received_at": now,
                    "data": data,
                }
            )
            gone += [each.position for each in old if not _rest(each, moment)]
            replaced += sum(each.kind is not EventKind.ACTIVE_DAYS for each in old)
            shorter = [
                {"at": each.position, "rest": {"minutes": rest}}
                for each in old
                if (rest := _rest(each, moment))
            ]
            if shorter:
                session.execute(_SHORTEN, shorter)
    for first in range(0, len(gone), MOST_NAMED):
        chunk = gone[first : first + MOST_NAMED]
        session.execute(delete(_LOG).where(_LOG.c.position.in_(chunk)))
    if new:
        session.execute(insert(_LOG), new)
        states = [state for state, _ in folded(session, course_id, users)]
        write_states(session, course_id, states, now)
    return replaced


_SHORTEN = update(_LOG).where(_LOG.c.position == bindparam("at")).values(data=bindparam("rest"))


def _sums(events: Sequence[_Event], moment: datetime) -> dict[str, _Sum]:
    """Return what one person's events sum up to, of those assignments that have something."""
    limit = minute_of(moment)
    found: dict[str, _Sum] = defaultdict(_Sum)
    firsts: dict[tuple[str, EventKind], _Event] = {}
    for each in events:
        if each.kind in _ONCE:
            key = each.assignment, each.kind
            if key not in firsts or each.occurred_at < firsts[key].occurred_at:
                firsts[key] = each
    for each in events:
        if each.kind is EventKind.ACTIVE:
            old = [minute for minute in each.data["minutes"] if minute < limit]
            if old:
                one = found[each.assignment]
                one.minutes = merged(one.minutes, old)
                one.events.append(each)
        elif each.received_at < moment and firsts.get((each.assignment, each.kind), each) != each:
            found[each.assignment].events.append(each)
    for each in events:
        if each.kind is EventKind.ACTIVE_DAYS and each.assignment in found:
            found[each.assignment].events.append(each)
    return found


def _rest(event: _Event, moment: datetime) -> list[int]:
    """Return the minutes that stay: those of one event may lie before and after the moment."""
    if event.kind is not EventKind.ACTIVE:
        return []
    limit = minute_of(moment)
    return [minute for minute in event.data["minutes"] if minute >= limit]


def _data(sums: Mapping[str, _Sum]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the data of each assignment's event; a minute is in one ``once`` of a person's."""
    seen: list[Range] = []
    for assignment, one in sorted(sums.items()):
        before, seen = seen, union([seen, one.minutes])
        once = days(seen)
        for day, count in days(before).items():
            once[day] -= count
        yield assignment, one.summed(once)
