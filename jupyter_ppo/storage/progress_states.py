"""What each person's log folds into: one row a person and course.

Whoever adds to a person's log holds the lock of their row first (``locked``), so that the events of
one person get their positions in the order in which they are committed, and none is left out of the
state. Locks of several people are taken in the order of their names; the rows of assignments, which
``storage.standings`` locks, come before.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple, cast
from uuid import UUID

from sqlalchemy import Table, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from jupyter_ppo.domain.activity import total_minutes, union
from jupyter_ppo.domain.courses import Role
from jupyter_ppo.domain.grading import total
from jupyter_ppo.domain.ports import Page
from jupyter_ppo.domain.progress_records import (
    ClassMember,
    ClassSort,
    StudentState,
    WorkRecord,
)
from jupyter_ppo.storage.database import Database
from jupyter_ppo.storage.gradebook_rows import folded
from jupyter_ppo.storage.tables import MembershipRow, ProgressStateRow
from jupyter_ppo.storage.term_rows import MOST_NAMED

_TABLE = cast(Table, ProgressStateRow.__table__)


class ProgressStates:
    """``services.progress.StateStore`` on a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def read(self, course_id: UUID, user: str) -> StudentState:
        """Return what the log of a person folds into, nothing if there is no event of theirs."""
        with self._database.session() as session:
            return read_states(session, course_id, [user]).get(user, StudentState(user))

    def page(
        self,
        course_id: UUID,
        *,
        search: str = "",
        sort: ClassSort = ClassSort.NAME,
        offset: int,
        limit: int,
    ) -> Page[ClassMember]:
        """Return the students of a course whose names hold every word of ``search``.

        They are few (thousands): names are searched and sorted here, as the gradebook does it.
        """
        with self._database.session() as session:
            rows = session.execute(
                select(
                    MembershipRow.user,
                    MembershipRow.first_name,
                    MembershipRow.last_name,
                    ProgressStateRow.points,
                    ProgressStateRow.minutes,
                    ProgressStateRow.last_event_at,
                )
                .outerjoin(
                    ProgressStateRow,
                    (ProgressStateRow.course_id == MembershipRow.course_id)
                    & (ProgressStateRow.user == MembershipRow.user),
                )
                .where(
                    MembershipRow.course_id == course_id,
                    MembershipRow.role == Role.STUDENT,
                    MembershipRow.removed_at.is_(None),
                )
            )
            found = [_Row(*row) for row in rows]
            words = folded(search).split()
            if words:
                found = [one for one in found if _holds(one, words)]
            found.sort(key=_SORTS[sort])
            picked = found[offset : offset + limit]
            states = read_states(session, course_id, [one.user for one in picked])
        items = tuple(
            ClassMember(
                one.user,
                one.first_name,
                one.last_name,
                states.get(one.user, StudentState(one.user)),
            )
            for one in picked
        )
        return Page(items, len(found), offset, limit)


class _Row(NamedTuple):
    user: str
    first_name: str
    last_name: str
    points: float | None
    minutes: int | None
    last_event_at: datetime | None


def _holds(row: _Row, words: Iterable[str]) -> bool:
    text = folded(f"{row.user} {row.first_name} {row.last_name}")
    return all(word in text for word in words)


def _by_user(row: _Row) -> tuple[str, str]:
    return folded(row.user), row.user


#: Of equal rows the username decides, so that no page shows one twice.
_SORTS: Mapping[ClassSort, Callable[[_Row], Any]] = {
    ClassSort.NAME: lambda row: (folded(row.last_name), folded(row.first_name), _by_user(row)),
    ClassSort.USER: _by_user,
    ClassSort.POINTS: lambda row: (row.points or 0.0, _by_user(row)),
    ClassSort.MINUTES: lambda row: (row.minutes or 0, _by_user(row)),
    ClassSort.LAST_EVENT: lambda row: (
        0.0 if row.last_event_at is None else row.last_event_at.timestamp(),
        _by_user(row),
    ),
}


# -- rows ----------------------------------------------------------------------------------------


def read_states(
    session: Session, course_id: UUID, users: Collection[str] | None = None
) -> dict[str, StudentState]:
    """Return the states of those of ``users`` who have one, everybody's if None, in one query."""
    return _read(session, course_id, users, is_locked=False)


def read_works(
    session: Session, course_id: UUID, assignment: str, users: Collection[str] | None = None
) -> dict[str, WorkRecord]:
    """Return what is known of these people and one assignment; of the others nothing is known."""
    found = _TABLE.c.state["works", assignment]
    query = select(_TABLE.c.user, found).where(_TABLE.c.course_id == course_id)
    if users is not None and len(users) <= MOST_NAMED:
        query = query.where(_TABLE.c.user.in_(users))
    wanted = None if users is None else set(users)
    return {
        user: _work(data)
        for user, data in session.execute(query)
        if data is not None and (wanted is None or user in wanted)
    }


def locked(session: Session, course_id: UUID, users: Collection[str]) -> dict[str, StudentState]:
    """Lock the states of ``users`` until the transaction ends, and return them.

    Who has none yet gets one. The number of queries does not grow with the number of people.
    """
    found = _read(session, course_id, users, is_locked=True)
    missing = sorted(set(users) - found.keys())
    if missing:
        add = (
            postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
        )
        rows = [_values(course_id, StudentState(user), _NEVER) for user in missing]
        session.execute(add(_TABLE).on_conflict_do_nothing(), rows)
        found |= _read(session, course_id, missing, is_locked=True)
    return found


def write_states(
    session: Session, course_id: UUID, states: Iterable[StudentState], now: datetime
) -> None:
    """Write states that are locked."""
    rows = [_values(course_id, state, now) for state in states]
    if rows:
        session.execute(update(ProgressStateRow), rows)


_NEVER = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


def _read(
    session: Session, course_id: UUID, users: Collection[str] | None, *, is_locked: bool
) -> dict[str, StudentState]:
    rows = _rows(session, course_id, users, is_locked=is_locked)
    return {user: decoded(user, position, data) for user, position, data in rows}


def _rows(
    session: Session, course_id: UUID, users: Collection[str] | None, *, is_locked: bool
) -> list[tuple[str, int, Mapping[str, Any]]]:
    query = select(_TABLE.c.user, _TABLE.c.position, _TABLE.c.state).where(
        _TABLE.c.course_id == course_id
    )
    if users is not None and len(users) <= MOST_NAMED:
        query = query.where(_TABLE.c.user.in_(users))
    if is_locked:
        query = query.order_by(_TABLE.c.user).with_for_update()
    wanted = None if users is None else set(users)
    return [
        (user, position, data)
        for user, position, data in session.execute(query)
        if wanted is None or user in wanted
    ]


def _values(course_id: UUID, state: StudentState, now: datetime) -> dict[str, Any]:
    works = state.works.values()
    older = sum(minutes for work in works for minutes in work.older_once.values())
    return {
        "course_id": course_id,
        "user": state.user,
        "position": state.position,
        "state": encoded(state),
        "points": total(points for work in works for points in work.points.values()),
        "minutes": total_minutes(union(work.minutes for work in works)) + older,
        "last_event_at": state.last_event_at,
        "updated_at": now,
    }


# -- as plain data -------------------------------------------------------------------------------


def encoded(state: StudentState) -> dict[str, Any]:
    """Return a state as plain data, without its user and position; empty values are left out."""
    data = {
        "works": {name: _work_data(work) for name, work in sorted(state.works.items())},
        "weeks": sorted(state.evidence_weeks),
        "last_event_at": _text(state.last_event_at),
    }
    return {key: value for key, value in data.items() if value}


def decoded(user: str, position: int, data: Mapping[str, Any]) -> StudentState:
    """Return the state that ``encoded`` made data of."""
    return StudentState(
        user,
        position,
        {name: _work(each) for name, each in data.get("works", {}).items()},
        set(data.get("weeks", ())),
        _time(data.get("last_event_at")),
    )


def _work_data(work: WorkRecord) -> dict[str, Any]:
    data = {
        "opened_at": _text(work.opened_at),
        "checked_at": _text(work.checked_at),
        "handed_in": {str(each): _text(when) for each, when in work.handed_in.items()},
        "graded_at": _text(work.graded_at),
        "submission_id": None if work.submission_id is None else str(work.submission_id),
        "attempt": work.attempt,
        "points": work.points,
        "minutes": [list(each) for each in work.minutes],
        "older_minutes": work.older_minutes,
        "older_once": work.older_once,
    }
    return {key: value for key, value in data.items() if value}


def _work(data: Mapping[str, Any]) -> WorkRecord:
    handed_in = {
        UUID(each): datetime.fromisoformat(when) for each, when in data.get("handed_in", {}).items()
    }
    submission = data.get("submission_id")
    return WorkRecord(
        opened_at=_time(data.get("opened_at")),
        checked_at=_time(data.get("checked_at")),
        submitted_at=max(handed_in.values(), default=None),
        attempts=len(handed_in),
        handed_in=handed_in,
        graded_at=_time(data.get("graded_at")),
        submission_id=None if submission is None else UUID(submission),
        attempt=data.get("attempt", 0),
        points=data.get("points", {}),
        minutes=[(first, count) for first, count in data.get("minutes", ())],
        older_minutes=data.get("older_minutes", {}),
        older_once=data.get("older_once", {}),
    )


def _text(time: datetime | None) -> str | None:
    return None if time is None else time.isoformat()


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
