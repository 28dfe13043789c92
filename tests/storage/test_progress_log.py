"""Events of clients: exactly once, whoever sends them how often and from wherever."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
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
from jupyter_ppo.domain.progress import fold
from jupyter_ppo.domain.progress_events import (
    EventKind,
    EventReceipt,
    NewEvent,
    ProgressEvent,
    Receipt,
    Refusal,
)
from jupyter_ppo.domain.progress_records import StudentState
from jupyter_ppo.domain.terms import Terms
from jupyter_ppo.storage.database import Database, open_database
from jupyter_ppo.storage.progress_log import ProgressLog
from jupyter_ppo.storage.progress_states import ProgressStates
from jupyter_ppo.storage.tables import ProgressEventRow
from jupyter_ppo.storage.terms import AssignmentTerms
from jupyter_ppo.storage.trash import Trash

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
MINUTE = minute_of(NOW)


@pytest.fixture
def log(database: Database, assignment: Assignment) -> ProgressLog:
    return ProgressLog(database)


def active(key: str, *minutes: int, **changes: Any) -> NewEvent:
    data = {"minutes": [MINUTE - each for each in minutes]}
    return replace(NewEvent(key, EventKind.ACTIVE, "first", NOW, data), **changes)


def kinds(receipts: tuple[EventReceipt, ...]) -> list[Receipt | Refusal]:
    return [each.refusal or each.receipt for each in receipts]


def rows(database: Database) -> list[ProgressEventRow]:
    with database.session() as session:
        return list(session.scalars(select(ProgressEventRow).order_by(ProgressEventRow.position)))


def state(database: Database, course: Course, user: str = "ada") -> StudentState:
    return ProgressStates(database).read(course.id, user)


def folded(database: Database, user: str = "ada") -> StudentState:
    found = StudentState(user)
    for row in rows(database):
        if row.user == user:
            event = ProgressEvent(
                row.position,
                row.id,
                row.course_id,
                row.user,
                row.kind,
                row.assignment,
                row.occurred_at,
                row.received_at,
                row.data,
            )
            fold(found, event)
    return found


def test_an_event_is_in_the_log_and_in_the_state(
    database: Database, course: Course, log: ProgressLog
) -> None:
    assert log.append(course.id, "ada", [active("a", 0, 1)], NOW) == (
        EventReceipt("a", Receipt.ACCEPTED),
    )
    (row,) = rows(database)
    assert (row.user, row.kind, row.assignment, row.key) == ("ada", EventKind.ACTIVE, "first", "a")
    assert (row.occurred_at, row.received_at) == (NOW, NOW)
    found = state(database, course)
    assert found.works["first"].minutes == [(MINUTE - 1, 2)]
    assert found == folded(database)
    assert state(database, course, "bob") == StudentState("bob")


def test_a_batch_that_is_sent_again_counts_once(
    database: Database, course: Course, log: ProgressLog
) -> None:
    batch = [active("a", 0), active("b", 1), active("a", 0)]
    assert kinds(log.append(course.id, "ada", batch, NOW)) == ["accepted", "accepted", "duplicate"]
    before = state(database, course)
    later = NOW + timedelta(days=1)
    assert kinds(log.append(course.id, "ada", batch, later)) == ["duplicate"] * 3
    assert len(rows(database)) == 2
    assert state(database, course) == before


def test_a_known_key_with_other_content_is_refused(
    database: Database, course: Course, log: ProgressLog
) -> None:
    batch = [active("a", 0), active("a", 1)]
    assert kinds(log.append(course.id, "ada", batch, NOW)) == ["accepted", "different_content"]
    again = log.append(course.id, "ada", [active("a", 2)], NOW)
    assert kinds(again) == ["different_content"]
    assert again[0].message.startswith("key: ")
    assert len(rows(database)) == 1


def test_the_same_key_of_two_people_or_courses_is_two_events(
    database: Database, courses: CourseStore, course: Course, log: ProgressLog
) -> None:
    other = courses.create_course("other", "Another one")
    courses.release(other.id, "first", source_digest="a", release_digest="b", exercises=())
    for where, user in ((course, "ada"), (course, "bob"), (other, "ada")):
        assert kinds(log.append(where.id, user, [active("a", 0)], NOW)) == ["accepted"]
    assert len(rows(database)) == 3


def test_each_event_of_a_batch_is_judged_by_itself_and_answered_in_its_place(
    database: Database, course: Course, log: ProgressLog
) -> None:
    batch = [
        active("a", 0, user="bob"),
        active("b", 0, occurred_at=NOW + timedelta(hours=1)),
        active("c", 0),
        active("d", 0, assignment="nothing"),
        active("e", 0, assignment="a\0\ud800"),
        active("f\0\ud800", 0),
        active("g", 0, kind=EventKind.GRADED),
        active("h", 1, occurred_at=NOW - timedelta(days=31)),
        active("i", 1),
    ]
    receipts = log.append(course.id, "ada", batch, NOW)
    assert [each.key for each in receipts] == [each.key for each in batch]
    assert kinds(receipts) == [
        Refusal.OTHER_PERSON,
        Refusal.FUTURE,
        Receipt.ACCEPTED,
        Refusal.UNKNOWN_ASSIGNMENT,
        Refusal.UNKNOWN_ASSIGNMENT,
        Refusal.BAD_DATA,
        Refusal.NOT_FROM_CLIENTS,
        Refusal.TOO_OLD,
        Receipt.ACCEPTED,
    ]
    assert [row.key for row in rows(database)] == ["c", "i"]


def test_assignments_that_students_do_not_see_are_unknown(
    database: Database, course: Course, assignment: Assignment, log: ProgressLog
) -> None:
    opens = NOW + timedelta(hours=1)
    AssignmentTerms(database).save(assignment.id, Terms(opens_at=opens), "ida")
    assert kinds(log.append(course.id, "ada", [active("a", 0)], NOW)) == ["unknown_assignment"]
    assert kinds(log.append(course.id, "ada", [active("a", 0)], opens)) == ["accepted"]
    Trash(database).delete_assignment(course.id, "first", "ida")
    assert kinds(log.append(course.id, "ada", [active("b", 0)], opens)) == ["unknown_assignment"]


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(st.lists(st.integers(0, 30), min_size=1, max_size=5), min_size=1, max_size=8),
    st.randoms(use_true_random=False),
)
def test_retries_in_any_order_from_any_device_give_the_same_minutes(
    database: Database,
    course: Course,
    log: ProgressLog,
    reported: list[list[int]],
    chance: random.Random,
) -> None:
    user = f"user-{new_id()}"
    events = [active(f"k{place}", *minutes) for place, minutes in enumerate(reported)]
    sent = events + chance.choices(events, k=6)
    chance.shuffle(sent)
    while sent:
        size = chance.randint(1, len(sent))
        log.append(course.id, user, sent[:size], NOW)
        del sent[:size]
    found = state(database, course, user)
    every = {MINUTE - each for minutes in reported for each in minutes}
    held = {
        minute
        for first, count in found.works["first"].minutes
        for minute in range(first, first + count)
    }
    assert held == every
    assert found == folded(database, user)


def test_two_devices_at_once_lose_nothing_and_count_nothing_twice(
    database: Database, course: Course, assignment: Assignment, database_url: str
) -> None:
    other = open_database(database_url)
    try:
        devices = [ProgressLog(database), ProgressLog(other)]
        shared = [active(f"shared-{each}", each) for each in range(10)]

        def send(device: int) -> None:
            own = [active(f"{device}-{each}", 20 + 10 * device + each) for each in range(10)]
            for mine, ours in zip(own, shared, strict=True):
                devices[device].append(course.id, "ada", [mine, ours], NOW)

        with ThreadPoolExecutor(2) as pool:
            list(pool.map(send, range(2)))
    finally:
        other.close()
    assert len(rows(database)) == 30
    found = state(database, course)
    assert found.works["first"].minutes == [(MINUTE - 39, 20), (MINUTE - 9, 10)]
    assert found == folded(database)
