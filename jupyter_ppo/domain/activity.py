"""What a student's page may report, and the minutes that time on task is made of.

A minute of work is one clock minute in which the student pressed a key, clicked or scrolled in a
notebook of the assignment while it was visible. That measures presence, not thought: it is shown,
and no grade and no achievement ever looks at it. Minutes are numbers since 1970 in UTC.
"""

from __future__ import annotations

import hashlib
import json
from bisect import bisect_left
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from jupyter_ppo.domain.progress_events import EventKind, NewEvent, Refusal

#: How far a client's clock may be ahead of the server's.
MAX_AHEAD: Final = timedelta(minutes=5)
#: How long a client may keep an event before it sends it.
MAX_AGE: Final = timedelta(days=30)
MAX_EVENTS: Final = 200  # in one batch
MAX_MINUTES: Final = 120  # in one event
MAX_CHECKS: Final = 10_000
MAX_KEY: Final = 200
MINUTES_PER_DAY: Final = 1440

Range = tuple[int, int]  # first minute, how many

_MESSAGES: Final = {
    Refusal.FUTURE: (
        "occurred_at: this is later than the server's clock by more than 5 minutes. "
        "Set the computer's clock."
    ),
    Refusal.TOO_OLD: "occurred_at: this is more than 30 days ago. It is not counted any more.",
    Refusal.OTHER_PERSON: "user: this is somebody else. Leave it out, or report as that person.",
    Refusal.UNKNOWN_ASSIGNMENT: (
        "assignment: there is no assignment of this name in the course. Use its exact name."
    ),
    Refusal.NOT_FROM_CLIENTS: (
        "kind: the server writes these events itself. Use opened, active or checked."
    ),
    Refusal.DIFFERENT_CONTENT: (
        "key: another event came with this key. Use a new key for every new event."
    ),
    Refusal.BAD_DATA: (
        f"data: this does not fit its kind. Use {{}} for opened; 1 to {MAX_MINUTES} whole minutes "
        'since 1970 of the last 30 days as "minutes" for active; two whole numbers from 0 to '
        f'{MAX_CHECKS:,} as "passed" and "failed" for checked; a key of 1 to {MAX_KEY} printable '
        "characters; a time with its zone."
    ),
}


def explained(refusal: Refusal) -> str:
    """Return what is wrong with an event that was refused, and what to do."""
    return _MESSAGES[refusal]


def check_event(
    new: NewEvent, caller: str, known_assignments: Collection[str], now: datetime
) -> Refusal | None:
    """Return why an event of ``caller`` is not taken; None if it is.

    ``known_assignments`` are those that the caller may see; ``now`` is the server's clock.
    """
    if new.user is not None and new.user != caller:
        return Refusal.OTHER_PERSON
    if not new.kind.is_from_clients:
        return Refusal.NOT_FROM_CLIENTS
    if not (0 < len(new.key) <= MAX_KEY and new.key.isprintable()):
        return Refusal.BAD_DATA
    if new.occurred_at.utcoffset() is None:
        return Refusal.BAD_DATA
    if new.occurred_at > now + MAX_AHEAD:
        return Refusal.FUTURE
    if new.occurred_at < now - MAX_AGE:
        return Refusal.TOO_OLD
    if new.assignment not in known_assignments:
        return Refusal.UNKNOWN_ASSIGNMENT
    return None if _fits(new.kind, new.data, now) else Refusal.BAD_DATA


def _fits(kind: EventKind, data: Mapping[str, Any], now: datetime) -> bool:
    if kind is EventKind.OPENED:
        return not data
    if kind is EventKind.CHECKED:
        return data.keys() == {"passed", "failed"} and all(
            _is_whole(value) and 0 <= value <= MAX_CHECKS for value in data.values()
        )
    minutes = data.get("minutes")
    if data.keys() != {"minutes"} or not isinstance(minutes, list | tuple):
        return False
    first, last = minute_of(now - MAX_AGE), minute_of(now + MAX_AHEAD)
    return 1 <= len(minutes) <= MAX_MINUTES and all(
        _is_whole(minute) and first <= minute <= last for minute in minutes
    )


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def digest_of(new: NewEvent) -> str:
    """Return the SHA-256 (hex) of what an event says, its key and its user left out."""
    content = [
        new.kind.value,
        new.assignment,
        new.occurred_at.astimezone(UTC).isoformat(),
        dict(new.data),
    ]
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def minute_of(time: datetime) -> int:
    """Return the minute since 1970 (UTC) that a time is in."""
    return int(time.timestamp() // 60)


def merged(ranges: Iterable[Range], minutes: Iterable[int]) -> list[Range]:
    """Return the ranges with these minutes in them, in order, apart, each minute once.

    ``ranges`` are in order and apart; ``minutes`` may come in any order, and again and again.
    """
    found = list(ranges)
    for minute in minutes:
        first, count = found[-1] if found else (minute, 0)
        if minute == first + count:  # most go on where the last one was
            found[-1:] = [(first, count + 1)]
        elif minute > first + count:
            found.append((minute, 1))
        elif minute < first:
            _add(found, minute)
    return found


def _add(ranges: list[Range], minute: int) -> None:
    place = bisect_left(ranges, (minute + 1, 0))  # the first range that begins later
    if place:
        first, count = ranges[place - 1]
        if minute < first + count:
            return
        if minute == first + count:
            ranges[place - 1] = first, count + 1
            _join(ranges, place - 1)
            return
    ranges.insert(place, (minute, 1))
    _join(ranges, place)


def _join(ranges: list[Range], place: int) -> None:
    """Make one range of this one and the next, if nothing is between them."""
    if place + 1 < len(ranges):
        first, count = ranges[place]
        if first + count == ranges[place + 1][0]:
            ranges[place : place + 2] = [(first, count + ranges[place + 1][1])]


def union(several: Iterable[Sequence[Range]]) -> list[Range]:
    """Return the minutes that are in any of them, each once."""
    found: list[Range] = []
    for first, count in sorted(one for ranges in several for one in ranges):
        if found and first <= found[-1][0] + found[-1][1]:
            start, length = found[-1]
            found[-1] = start, max(length, first + count - start)
        else:
            found.append((first, count))
    return found


def total_minutes(ranges: Iterable[Range]) -> int:
    """Return how many minutes there are in all."""
    return sum(count for _, count in ranges)


def days(ranges: Iterable[Range]) -> dict[date, int]:
    """Return the minutes of each day (UTC) that has some."""
    found: dict[date, int] = {}
    for first, count in ranges:
        minute, end = first, first + count
        while minute < end:
            day, offset = divmod(minute, MINUTES_PER_DAY)
            length = min(end - minute, MINUTES_PER_DAY - offset)
            key = date.fromordinal(_EPOCH + day)
            found[key] = found.get(key, 0) + length
            minute += length
    return found


_EPOCH: Final = date(1970, 1, 1).toordinal()
