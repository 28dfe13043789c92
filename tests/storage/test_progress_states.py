"""States as they are kept, and the page of a class."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_ppo.domain.courses import Course, Role
from jupyter_ppo.domain.progress_records import ClassSort, StudentState, WorkRecord
from jupyter_ppo.domain.roster import PersonChange
from jupyter_ppo.storage.database import Database
from jupyter_ppo.storage.progress_states import (
    ProgressStates,
    decoded,
    encoded,
    locked,
    write_states,
)
from jupyter_ppo.storage.rosters import Rosters

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)

TIMES = st.datetimes(timezones=st.just(UTC))
MINUTES = st.lists(st.tuples(st.integers(0, 9), st.integers(1, 9)), max_size=3)
DAYS = st.dictionaries(st.dates().map(str), st.integers(1, 1440), max_size=2)


@st.composite
def works(draw: st.DrawFn) -> WorkRecord:
    work = WorkRecord(
        opened_at=draw(st.none() | TIMES),
        checked_at=draw(st.none() | TIMES),
        handed_in=draw(st.dictionaries(st.uuids(), TIMES, max_size=3)),
        minutes=draw(MINUTES),
        older_minutes=draw(DAYS),
        older_once=draw(DAYS),
    )
    work.attempts = len(work.handed_in)
    work.submitted_at = max(work.handed_in.values(), default=None)
    if draw(st.booleans()):
        work.graded_at, work.submission_id = draw(TIMES), draw(st.uuids())
        work.attempt = draw(st.integers(1, 9))
        work.points = draw(st.dictionaries(st.text(), st.floats(0, 9), max_size=3))
    return work


@given(
    st.dictionaries(st.text(max_size=3), works(), max_size=3),
    st.sets(st.sampled_from(["2026-W46", "2026-W47"])),
    st.none() | TIMES,
)
def test_a_state_is_the_same_after_it_was_kept(
    found: dict[str, WorkRecord], weeks: set[str], last: datetime | None
) -> None:
    state = StudentState("ada", 7, found, weeks, last)
    assert decoded("ada", 7, encoded(state)) == state


def put(database: Database, course_id: UUID, **states: StudentState) -> None:
    with database.begin() as session:
        found = locked(session, course_id, states)
        assert found == {user: StudentState(user) for user in states}
        write_states(session, course_id, states.values(), NOW)


def student(user: str, points: float, minutes: int, days: int) -> StudentState:
    work = WorkRecord(points={"gae": points}, minutes=[(1000, minutes)])
    other = WorkRecord(minutes=[(1000, 1)], older_once={"2026-01-01": 1})
    return StudentState(user, 1, {"a": work, "b": other}, set(), NOW - timedelta(days=days))


@pytest.fixture
def classroom(database: Database, course: Course) -> Course:
    rosters = Rosters(database)
    people = {
        "ada": ("Ada", "Lovelace"),
        "bob": ("Bob", "Ärmel"),
        "cy": ("Cy", "Lovelace"),
        "dan": ("Dan", "Zimmer"),
        "gone": ("Gone", "Away"),
        "ida": ("Ida", "Teacher"),
    }
    for user, (first, last) in people.items():
        role = Role.INSTRUCTOR if user == "ida" else Role.STUDENT
        rosters.put_member(course.id, user, role, PersonChange(first, last), None, by="ida")
    rosters.remove_member(course.id, "gone")
    put(
        database,
        course.id,
        ada=student("ada", 3.0, 10, 5),
        bob=student("bob", 2.0, 30, 9),
        cy=student("cy", 3.0, 20, 1),
        gone=student("gone", 0.0, 1, 99),
    )
    return course


@pytest.mark.parametrize(
    ("sort", "users"),
    [
        (ClassSort.NAME, ["bob", "ada", "cy", "dan"]),
        (ClassSort.USER, ["ada", "bob", "cy", "dan"]),
        (ClassSort.POINTS, ["dan", "bob", "ada", "cy"]),
        (ClassSort.MINUTES, ["dan", "ada", "cy", "bob"]),
        (ClassSort.LAST_EVENT, ["dan", "bob", "ada", "cy"]),
    ],
)
def test_a_class_is_its_students_in_the_order_that_is_asked_for(
    database: Database, classroom: Course, sort: ClassSort, users: list[str]
) -> None:
    states = ProgressStates(database)
    page = states.page(classroom.id, sort=sort, offset=0, limit=10)
    assert [each.user for each in page.items] == users
    assert page.total == 4
    second = states.page(classroom.id, sort=sort, offset=1, limit=2)
    assert second.items == page.items[1:3]
    by_user = {each.user: each for each in page.items}
    assert by_user["ada"].state == states.read(classroom.id, "ada")
    assert by_user["dan"].state == StudentState("dan")
    assert (by_user["bob"].first_name, by_user["bob"].last_name) == ("Bob", "Ärmel")


def test_words_of_names_are_looked_for_without_case_and_accents(
    database: Database, classroom: Course
) -> None:
    states = ProgressStates(database)
    for search, users in {"LOVE": ["ada", "cy"], "arm bob": ["bob"], "teacher": []}.items():
        page = states.page(classroom.id, search=search, offset=0, limit=10)
        assert [each.user for each in page.items] == users


def test_states_of_many_people_are_locked_and_read_together(
    database: Database, course: Course
) -> None:
    users = [f"u{number:04}" for number in range(700)]
    with database.begin() as session:
        assert locked(session, course.id, users[:600]).keys() == set(users[:600])
    with database.begin() as session:
        assert sorted(locked(session, course.id, users[1:])) == users[1:]
