"""Old activity is summed up by day, and what is shown of anybody stays the same."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from jupyter_ppo.domain.activity import minute_of
from jupyter_ppo.domain.courses import Assignment, Course
from jupyter_ppo.domain.ids import new_id
from jupyter_ppo.domain.ports import CourseStore
from jupyter_ppo.domain.progress import minutes_by_day, work_minutes
from jupyter_ppo.domain.progress_events import EventKind, NewEvent, Receipt
from jupyter_ppo.domain.progress_records import StudentState
from jupyter_ppo.storage.activity_retention import ActivityRetention
from jupyter_ppo.storage.database import Database
from jupyter_ppo.storage.progress_log import ProgressLog
from jupyter_ppo.storage.progress_recompute import stale_people
from jupyter_ppo.storage.progress_states import ProgressStates
from jupyter_ppo.storage.tables import ProgressEventRow

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
DAYS = 31
DAY = timedelta(days=1)


@pytest.fixture
def both(courses: CourseStore, course: Course, assignment: Assignment) -> Course:
    courses.release(course.id, "second", source_digest="a", release_digest="b", exercises=())
    return course


@pytest.fixture
def retention(database: Database) -> ActivityRetention:
    return ActivityRetention(database)


def report(
    database: Database,
    course: Course,
    kind: EventKind,
    at: datetime,
    *,
    minutes: list[int] | None = None,
    **changes: Any,
) -> NewEvent:
    """Report something at ``at``; ``minutes`` are before that."""
    data: dict[str, Any] = {}
    if kind is EventKind.ACTIVE:
        data = {"minutes": [minute_of(at) - each for each in minutes or [0]]}
    elif kind is EventKind.CHECKED:
        data = {"passed": 1, "failed": 0}
    user = changes.pop("user", "ada")
    event = replace(NewEvent(str(new_id()), kind, "first", at, data), **changes)
    [receipt] = ProgressLog(database).append(course.id, user, [event], at)
    assert receipt.receipt is Receipt.ACCEPTED, receipt
    return event


def kinds(database: Database) -> list[tuple[str, EventKind]]:
    query = select(ProgressEventRow.assignment, ProgressEventRow.kind)
    with database.session() as session:
        return [tuple(row) for row in session.execute(query.order_by(ProgressEventRow.position))]


def state(database: Database, course: Course, user: str = "ada") -> StudentState:
    return ProgressStates(database).read(course.id, user)


def shown(found: StudentState) -> Any:
    """Return all that is ever shown of a state's activity."""
    works = {
        name: (work.opened_at, work.checked_at, work_minutes(work))
        for name, work in found.works.items()
    }
    return works, minutes_by_day(found), found.last_event_at


def test_old_minutes_become_one_sum_for_each_day_and_assignment(
    database: Database, both: Course, retention: ActivityRetention
) -> None:
    old = NOW - 40 * DAY
    report(database, both, EventKind.ACTIVE, old, minutes=[0, 1, 2])
    report(database, both, EventKind.ACTIVE, old + DAY, minutes=[0])
    report(database, both, EventKind.ACTIVE, old, minutes=[2, 3], assignment="second")
    report(database, both, EventKind.ACTIVE, NOW, minutes=[0])
    before = shown(state(database, both))
    assert retention.sum_up(DAYS, NOW) == 3
    assert shown(state(database, both)) == before
    with database.session() as session:
        rows = session.scalars(select(ProgressEventRow).order_by(ProgressEventRow.position)).all()
    assert [(row.assignment, row.kind) for row in rows] == [
        ("first", EventKind.ACTIVE),
        ("first", EventKind.ACTIVE_DAYS),
        ("second", EventKind.ACTIVE_DAYS),
    ]
    assert [row.data for row in rows[1:]] == [
        {
            "days": {"2026-10-13": 3, "2026-10-14": 1},
            "once": {"2026-10-13": 3, "2026-10-14": 1},
        },
        {"days": {"2026-10-13": 2}, "once": {"2026-10-13": 1}},
    ]
    found = state(database, both)
    assert found.works["first"].minutes == [(minute_of(NOW), 1)]
    assert retention.sum_up(DAYS, NOW) == 0


def test_a_later_sum_takes_the_earlier_one_in(
    database: Database, both: Course, retention: ActivityRetention
) -> None:
    for days in (60, 50, 40):
        report(database, both, EventKind.ACTIVE, NOW - days * DAY, minutes=[0, 1])
    before = shown(state(database, both))
    assert retention.sum_up(DAYS, NOW - 14 * DAY) == 2
    assert shown(state(database, both)) == before
    assert retention.sum_up(DAYS, NOW) == 1
    assert shown(state(database, both)) == before
    assert kinds(database) == [("first", EventKind.ACTIVE_DAYS)]


def test_of_openings_and_checks_the_first_is_kept(
    database: Database, both: Course, retention: ActivityRetention
) -> None:
    for kind in (EventKind.OPENED, EventKind.CHECKED):
        for days in (40, 60, 50):
            report(database, both, kind, NOW - days * DAY)
    before = shown(state(database, both))
    assert retention.sum_up(DAYS, NOW) == 4
    assert kinds(database) == [
        ("first", EventKind.OPENED),
        ("first", EventKind.CHECKED),
        ("first", EventKind.ACTIVE_DAYS),
    ]
    assert shown(state(database, both)) == before
    assert retention.sum_up(DAYS, NOW) == 0


def test_an_event_with_minutes_on_both_sides_keeps_the_later_ones_and_its_key(
    database: Database, both: Course, retention: ActivityRetention
) -> None:
    midnight = datetime(2026, 10, 22, tzinfo=UTC)  # 31 days ago
    late = report(database, both, EventKind.ACTIVE, midnight + timedelta(minutes=1), minutes=[0, 2])
    report(database, both, EventKind.ACTIVE, midnight - DAY)
    before = shown(state(database, both))
    assert retention.sum_up(DAYS, NOW) == 2
    assert shown(state(database, both)) == before
    assert state(database, both).works["first"].minutes == [(minute_of(midnight) + 1, 1)]
    [receipt] = ProgressLog(database).append(both.id, "ada", [late], midnight + DAY)
    assert receipt.receipt is Receipt.DUPLICATE


def test_what_was_summed_up_is_refused_when_it_comes_again(
    database: Database, both: Course, retention: ActivityRetention
) -> None:
    old = NOW - 32 * DAY
    report(database, both, EventKind.OPENED, old)
    events = [
        report(database, both, EventKind.OPENED, old + timedelta(minutes=1)),
        report(database, both, EventKind.ACTIVE, old, minutes=[5]),
    ]
    assert retention.sum_up(DAYS, NOW) == 2
    before = state(database, both)
    receipts = ProgressLog(database).append(both.id, "ada", events, NOW)
    assert {each.receipt for each in receipts} == {Receipt.REJECTED}
    assert state(database, both) == before


EVENTS = st.lists(
    st.tuples(
        st.sampled_from(["first", "second"]),
        st.sampled_from([EventKind.ACTIVE, EventKind.OPENED, EventKind.CHECKED]),
        st.integers(0, 90 * 24 * 60),
        st.lists(st.integers(0, 3000), min_size=1, max_size=4),
    ),
    max_size=12,
)


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(EVENTS, st.lists(st.integers(0, 50), max_size=3).map(sorted))
def test_whatever_is_summed_up_when_nothing_that_is_shown_changes(
    database: Database,
    both: Course,
    retention: ActivityRetention,
    reported: list[tuple[str, EventKind, int, list[int]]],
    runs: list[int],
) -> None:
    user = f"user-{new_id()}"
    for assignment, kind, ago, minutes in reported:
        at = NOW - timedelta(minutes=ago)
        report(database, both, kind, at, minutes=minutes, user=user, assignment=assignment)
    before = shown(state(database, both, user))
    for days in reversed(runs):
        retention.sum_up(DAYS, NOW - days * DAY)
        assert shown(state(database, both, user)) == before
    with database.session() as session:
        assert stale_people(session, both.id) == []
