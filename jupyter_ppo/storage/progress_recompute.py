"""Everybody's progress anew from the log, and a log for what was graded before there was one."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import cast as typed
from uuid import UUID

from sqlalchemy import Table, Text, cast, func, select
from sqlalchemy.orm import Session

from jupyter_ppo.domain.ports import Progress
from jupyter_ppo.domain.progress import apply
from jupyter_ppo.domain.progress_events import EventKind
from jupyter_ppo.domain.progress_records import Recomputed, StudentState
from jupyter_ppo.storage import awards
from jupyter_ppo.storage.database import Database, database_now
from jupyter_ppo.storage.progress_states import locked, read_states, write_states
from jupyter_ppo.storage.standings import lock_attempts, settle
from jupyter_ppo.storage.tables import (
    AssignmentRow,
    ProgressEventRow,
    ProgressStateRow,
    StandingRow,
)

_LOG = typed(Table, ProgressEventRow.__table__)
#: People in one transaction: while it runs, on SQLite nobody else can write.
_AT_ONCE = 100


class Recomputing:
    """``services.progress.RecomputeStore`` on a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def recompute(
        self, course_id: UUID, *, progress: Progress = lambda done, total: None
    ) -> Recomputed:
        """Fold the log of everybody in a course anew and evaluate their achievements.

        Evidence that the log lacks is added then: what is missing is known once the states are
        right. Others may write meanwhile: each person is done under their lock. ``progress`` is
        told how many people are done, of how many.
        """
        with self._database.session() as session:
            users = _people(session, course_id)
        events, changed = 0, set[str]()
        for first in range(0, len(users), _AT_ONCE):
            chunk = users[first : first + _AT_ONCE]
            with self._database.begin() as session:
                before = locked(session, course_id, chunk)
                now = database_now(session)
                states, other = {}, []
                for state, count in folded(session, course_id, chunk):
                    events += count
                    states[state.user] = state
                    if state != before[state.user]:
                        other.append(state)
                write_states(session, course_id, other, now)
                changed.update(state.user for state in other)
                awards.evaluate(session, course_id, chunk, states=states)
            progress(first + len(chunk), len(users))
        added = self._settle(course_id)
        people = {*users, *added}
        return Recomputed(len(people), events + len(added), len(changed.union(added)))

    def _settle(self, course_id: UUID) -> list[str]:
        """Settle all of a course; return whose each event is that the log lacked."""
        with self._database.session() as session:
            assignments = session.scalars(
                select(AssignmentRow.id).where(AssignmentRow.course_id == course_id)
            ).all()
        added: list[str] = []
        for assignment_id in assignments:
            with self._database.begin() as session:
                lock_attempts(session, assignment_id)
                last = session.scalar(select(func.max(_LOG.c.position))) or 0
                settle(session, assignment_id)
                query = select(_LOG.c.user).where(
                    _LOG.c.position > last, _LOG.c.course_id == course_id, _LOG.c.key.is_(None)
                )
                added += session.scalars(query)
        return added

    def add_missing(self) -> int:
        """Add evidence of what was handed in before there was a log; return of how many cells.

        A cell is a person and an assignment. Nothing is done where the log has a hand-in already,
        so that it costs little when a server starts, and any number may do it at the same time.
        """
        with self._database.session() as session:
            missing = _missing(session)
        for assignment_id, users in sorted(missing.items()):
            with self._database.begin() as session:
                lock_attempts(session, assignment_id, users)
                settle(session, assignment_id, users)
        return sum(map(len, missing.values()))


def folded(
    session: Session, course_id: UUID, users: Sequence[str]
) -> Iterator[tuple[StudentState, int]]:
    """Yield what the log of each of these people folds into, and of how many events it is."""
    rows = session.execute(
        select(
            _LOG.c.user,
            _LOG.c.position,
            _LOG.c.kind,
            _LOG.c.assignment,
            _LOG.c.occurred_at,
            cast(_LOG.c.data, Text),
        )
        .where(_LOG.c.course_id == course_id, _LOG.c.user.in_(users))
        .order_by(_LOG.c.user, _LOG.c.position)
    ).all()
    # Parsed together: a call for each row would take longer than the parsing.
    data = json.loads(f"[{','.join(row[5] for row in rows)}]")
    states = {user: StudentState(user) for user in users}
    counts = dict.fromkeys(users, 0)
    for (user, position, kind, assignment, occurred_at, _), each in zip(rows, data, strict=True):
        apply(states[user], position, kind, assignment, occurred_at, each)
        counts[user] += 1
    for user, state in states.items():
        yield state, counts[user]


def stale_people(session: Session, course_id: UUID) -> list[str]:
    """Return whose state is not what their log folds into; nothing is changed."""
    users = _people(session, course_id)
    found = []
    for first in range(0, len(users), _AT_ONCE):
        chunk = users[first : first + _AT_ONCE]
        stored = read_states(session, course_id, chunk)
        for state, _ in folded(session, course_id, chunk):
            if stored.get(state.user, StudentState(state.user)) != state:
                found.append(state.user)
    return found


def _people(session: Session, course_id: UUID) -> list[str]:
    """Return everybody who has a log or a state."""
    log = select(_LOG.c.user).where(_LOG.c.course_id == course_id)
    states = select(ProgressStateRow.user).where(ProgressStateRow.course_id == course_id)
    return sorted(session.scalars(log.union(states)))


def _missing(session: Session) -> dict[UUID, list[str]]:
    """Return who has a cell in the gradebook and no hand-in in the log, by assignment."""
    names = {
        each.id: (each.course_id, each.name)
        for each in session.execute(
            select(AssignmentRow.id, AssignmentRow.course_id, AssignmentRow.name)
        )
    }
    known = {
        tuple(row)
        for row in session.execute(
            select(_LOG.c.course_id, _LOG.c.assignment, _LOG.c.user)
            .where(_LOG.c.kind == EventKind.SUBMITTED)
            .distinct()
        )
    }
    found: dict[UUID, list[str]] = defaultdict(list)
    for assignment_id, user in session.execute(select(StandingRow.assignment_id, StandingRow.user)):
        if (*names[assignment_id], user) not in known:
            found[assignment_id].append(user)
    return found
