"""When the demo's class worked: invented minutes of the days before, reported as JupyterLab would.

Who works well works longest, and nobody on every day. Reported again nothing changes: each event
has one key.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from jupyter_ppo.cli.app import Context
from jupyter_ppo.cli.demo_class import CLASS, CLIP, GAE, LOOP, Kind, Person
from jupyter_ppo.domain.access import Caller
from jupyter_ppo.domain.activity import MAX_EVENTS, minute_of
from jupyter_ppo.domain.errors import NotFoundError
from jupyter_ppo.domain.progress_events import EventKind, NewEvent

#: The chapter that is due next, and in how many days, so that something is.
NEXT, NEXT_DUE_DAYS = "08-ppo", 5.0


@dataclass(frozen=True, slots=True)
class _Habit:
    """How somebody works: sessions for each chapter, their minutes, the part of checks passed."""

    sessions: int
    minutes: int
    passed: float


_HABITS = {
    Kind.HONEST: _Habit(3, 38, 0.9),
    Kind.HALF_RIGHT: _Habit(2, 33, 0.6),
    Kind.WRONG: _Habit(1, 24, 0.2),
    Kind.HOSTILE: _Habit(1, 12, 0.0),
}
#: Days ago at which a chapter was begun, and how many exercises it has.
_BEGUN = {LOOP: (16, 5), GAE: (9, 5), CLIP: (4, 7), NEXT: (1, 7)}
#: Who works at what. Some have begun what they have not handed in.
_AT_WORK = {
    LOOP: tuple(person.user for person in CLASS),
    GAE: ("wren", "tamsin", "idris", "noor", "jonas", "otto", "trudy", "mila"),
    CLIP: ("wren", "tamsin", "mila", "pia", "noor"),
    NEXT: ("wren", "tamsin"),
}


def activity(person: Person, now: datetime) -> Iterator[NewEvent]:
    """Yield what a person's notebooks saw in the days before ``now``; always the same sessions."""
    habit = _HABITS[person.kind]
    for chapter, (days_ago, exercises) in _BEGUN.items():
        if person.user not in _AT_WORK[chapter]:
            continue
        chance = random.Random(f"{person.user}/{chapter}")  # noqa: S311  nothing secret
        for session in range(habit.sessions):
            days = max(1, days_ago - 2 * session)
            begin = now - timedelta(days=days, minutes=chance.randrange(10, 300))
            length = round(habit.minutes * chance.uniform(0.7, 1.3))
            # A pause now and then: such minutes have no key press in them.
            at_work = [minute for minute in range(length) if chance.random() < 0.85] or [0]
            first = minute_of(begin)
            name = f"demo/{person.user}/{chapter}/{session}"
            opened = NewEvent(f"{name}/opened", EventKind.OPENED, chapter, begin, {})
            yield opened
            minutes = {"minutes": [first + minute for minute in at_work]}
            end = begin + timedelta(minutes=length)
            yield replace(
                opened, key=f"{name}/active", kind=EventKind.ACTIVE, data=minutes, occurred_at=end
            )
            passed = min(
                exercises, round(exercises * habit.passed * (session + 1) / habit.sessions)
            )
            checked = {"passed": passed, "failed": exercises - passed}
            yield replace(
                opened, key=f"{name}/checked", kind=EventKind.CHECKED, data=checked, occurred_at=end
            )


def report_activity(context: Context, course: str, people: Iterable[Person] = CLASS) -> int:
    """Report what these people did; return how many events were sent.

    Nobody's who was taken out of the course.
    """
    progress, now, sent = context.service.use_cases.progress, datetime.now(UTC), 0
    for person in people:
        events = list(activity(person, now))
        for first in range(0, len(events), MAX_EVENTS):
            part = events[first : first + MAX_EVENTS]
            try:
                progress.report(Caller(person.user), course, part)
            except NotFoundError:
                break
            sent += len(part)
    return sent


def set_next_due(context: Context, course: str) -> None:
    """Let one chapter be due in some days, unless somebody has set its terms."""
    service, caller = context.service.use_cases.terms, context.caller
    terms = service.terms(caller, course, NEXT).terms
    if terms.revision == 0:
        due = (datetime.now(UTC) + timedelta(days=NEXT_DUE_DAYS)).replace(
            hour=22, minute=0, second=0, microsecond=0
        )
        service.set_terms(caller, course, NEXT, replace(terms, due_at=due))
