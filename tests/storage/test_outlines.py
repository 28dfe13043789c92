"""Outlines are kept by version; the newest versions with the terms of now are the course."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import event

from jupyter_ppo.domain.courses import Assignment, AssignmentKind, CellKind, Course, Exercise, Role
from jupyter_ppo.domain.outline import OutlineChapter, OutlineExercise
from jupyter_ppo.domain.roster import PersonChange
from jupyter_ppo.domain.terms import MoreTime, Terms
from jupyter_ppo.storage.courses import Courses
from jupyter_ppo.storage.database import Database
from jupyter_ppo.storage.outlines import Outlines, course_outline
from jupyter_ppo.storage.rosters import Rosters
from jupyter_ppo.storage.terms import AssignmentTerms

DUE = datetime(2026, 4, 1, 12, tzinfo=UTC)


@pytest.fixture
def outlines(database: Database) -> Outlines:
    return Outlines(database)


@contextmanager
def counted(database: Database) -> Iterator[list[str]]:
    """Yield the statements that are sent meanwhile."""
    sent: list[str] = []

    def note(_c: object, _cursor: object, statement: str, *_rest: object) -> None:
        if not statement.startswith(("BEGIN", "PRAGMA", "SELECT set_config")):
            sent.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(database.engine, "before_cursor_execute", note)


def chapter(name: str, number: int | None, *, title: str = "GAE") -> OutlineChapter:
    return OutlineChapter(
        assignment=name,
        title=title,
        number=number,
        kind=AssignmentKind.NOTEBOOK,
        minutes=90,
        goals={"sum": "Add up"},
        exercises=(
            OutlineExercise("z", "First", {"b": 2.0, "a": 1.0}, ("sum",), ("core-5",)),
            OutlineExercise("y", "Second", {"y": 3.0}),
        ),
    )


def release(courses: Courses, course: Course, name: str, points: float = 1.0) -> Assignment:
    return courses.release(
        course.id,
        name,
        source_digest="a" * 64,
        release_digest="b" * 64,
        exercises=[Exercise("t", CellKind.TESTS, points, 1)],
    )


def test_a_version_that_was_not_read_is_known_by_its_graded_cells(
    outlines: Outlines, course: Course, assignment: Assignment
) -> None:
    found = outlines.outline(course.id)
    [unread] = found.unread
    assert (unread.version_id, unread.assignment) == (assignment.version.id, "first")
    assert unread.graded == assignment.version.exercises
    [only] = found.outline.chapters
    assert {each.grade_id: each.max_points for each in only.exercises} == {
        "gae": 2.0,
        "loss": 1.0,
        "why": 3.0,
    }


def test_what_was_read_of_a_version_comes_back_and_is_never_replaced(
    outlines: Outlines, course: Course, assignment: Assignment
) -> None:
    read = chapter("first", 5)
    outlines.put(assignment.version.id, read)
    outlines.put(assignment.version.id, replace(read, title="Other"))
    found = outlines.outline(course.id)
    assert found.unread == ()
    assert found.outline.chapters == (read,)
    assert list(found.outline.chapters[0].exercises[0].checks) == ["b", "a"]


def test_only_the_newest_version_counts(
    outlines: Outlines, courses: Courses, course: Course, assignment: Assignment
) -> None:
    outlines.put(assignment.version.id, chapter("first", 5))
    again = release(courses, course, "first", 9.0)
    found = outlines.outline(course.id)
    assert [each.version_id for each in found.unread] == [again.version.id]
    assert found.outline.chapters[0].max_points == 9.0


def test_chapters_come_by_number_and_then_by_name(
    outlines: Outlines, courses: Courses, course: Course
) -> None:
    for name, number in (("zeta", 0), ("beta", None), ("alpha", 10), ("acme", None)):
        outlines.put(release(courses, course, name).version.id, chapter(name, number))
    names = [each.assignment for each in outlines.outline(course.id).outline.chapters]
    assert names == ["zeta", "alpha", "acme", "beta"]


def test_a_person_has_their_own_times(
    outlines: Outlines, database: Database, course: Course, assignment: Assignment
) -> None:
    terms, rosters = AssignmentTerms(database), Rosters(database)
    terms.save(assignment.id, Terms(due_at=DUE), "ines")
    for user in ("ada", "bob", "eve"):
        rosters.put_member(course.id, user, Role.STUDENT, PersonChange(), None, by="ines")
    rosters.put_group(course.id, "slow", ["bob"], by="ines")
    terms.extend(assignment, MoreTime(user="ada", group=None, seconds=3600), "ines")
    terms.extend(assignment, MoreTime(user=None, group="slow", seconds=7200), "ines")
    for user, hours in (("ada", 1), ("bob", 2)):
        found, own = outlines.own(course.id, user)
        assert own["first"].due_at == DUE + timedelta(hours=hours)
        assert found.outline.chapters[0].due_at == DUE
    assert outlines.own(course.id, "eve")[1] == {}


def test_an_outline_that_is_known_costs_one_query_and_a_persons_two(
    outlines: Outlines, database: Database, courses: Courses, course: Course
) -> None:
    for number in range(5):
        made = release(courses, course, f"c{number}")
        outlines.put(made.version.id, chapter(f"c{number}", number))
    outlines.outline(course.id)
    with counted(database) as sent:
        outlines.outline(course.id)
    assert len(sent) == 1
    with counted(database) as sent:
        outlines.own(course.id, "ada")
    assert len(sent) == 2


def test_a_course_without_assignments_has_an_empty_outline(
    outlines: Outlines, database: Database, course: Course
) -> None:
    assert outlines.outline(course.id).outline.chapters == ()
    with database.session() as session:
        assert course_outline(session, course.id).course == "ppo"
    assert outlines.courses() == (course.id,)
