"""The gradebook: rows, filters, order and totals."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import insert, select, update

from jupyter_ppo.domain.courses import Assignment, CellKind, Course, Exercise, Role
from jupyter_ppo.domain.errors import InvalidInputError, NotFoundError
from jupyter_ppo.domain.gradebook import (
    CellState,
    Gradebook,
    GradebookQuery,
    Order,
    RowFilter,
    SortKey,
)
from jupyter_ppo.domain.grading import Grade
from jupyter_ppo.domain.ids import new_id
from jupyter_ppo.domain.terms import LatePolicy, LateRule, Terms
from jupyter_ppo.storage.courses import Courses
from jupyter_ppo.storage.database import Database
from jupyter_ppo.storage.gradebooks import Gradebooks
from jupyter_ppo.storage.grades import retotal, store_grade
from jupyter_ppo.storage.standings import settle
from jupyter_ppo.storage.submissions import Submissions
from jupyter_ppo.storage.tables import (
    GroupMemberRow,
    GroupRow,
    MarkRow,
    MembershipRow,
    SubmissionRow,
    TermsRow,
)
from jupyter_ppo.storage.term_rows import terms_values

LONG_AGO = datetime(2026, 2, 1, tzinfo=UTC)


class Class:
    """A course whose students, grades and terms a test sets as it likes."""

    def __init__(
        self, database: Database, course: Course, grade: Callable[[UUID, float], Grade]
    ) -> None:
        self.database, self.course, self._grade = database, course, grade
        self.courses = Courses(database)
        self.books = Gradebooks(database)

    def student(
        self, user: str, first: str = "", last: str = "", role: Role = Role.STUDENT
    ) -> None:
        self.courses.enrol(self.course.id, user, role)
        with self.database.begin() as session:
            session.execute(
                update(MembershipRow)
                .where(MembershipRow.user == user)
                .values(first_name=first, last_name=last)
            )

    def assignment(self, name: str, **terms: Any) -> Assignment:
        exercises = [
            Exercise("gae", CellKind.TESTS, 2.0, 1),
            Exercise("loss", CellKind.TESTS, 1.0, 3),
        ]
        made = self.courses.release(
            self.course.id,
            name,
            source_digest="a" * 64,
            release_digest="b" * 64,
            exercises=[*exercises, Exercise("why", CellKind.MANUAL, 3.0, 5)],
        )
        values = terms_values(Terms(**terms))
        with self.database.begin() as session:
            session.execute(
                insert(TermsRow).values(
                    assignment_id=made.id, updated_at=LONG_AGO, updated_by="ines", **values
                )
            )
        return made

    def submit(self, assignment: Assignment, user: str, at: datetime = LONG_AGO) -> UUID:
        class Then:
            def now(self) -> datetime:
                return at

        made = Submissions(self.database, Then()).submit(assignment, user, "d" * 64, [])
        return made.id

    def graded(
        self, assignment: Assignment, user: str, points: float, at: datetime = LONG_AGO
    ) -> UUID:
        submission = self.submit(assignment, user, at)
        with self.database.begin() as session:
            session.execute(
                update(SubmissionRow).where(SubmissionRow.id == submission).values(state="graded")
            )
            store_grade(session, self._grade(submission, points))
            settle(session, assignment.id)
        return submission

    def mark(self, submission: UUID, grade_id: str, points: float | None, extra: float) -> None:
        with self.database.begin() as session:
            session.add(
                MarkRow(
                    submission_id=submission,
                    grade_id=grade_id,
                    points=points,
                    extra_credit=extra,
                    comment="",
                    revision=1,
                    marked_by="gil",
                    marked_at=LONG_AGO,
                )
            )
            session.flush()
            retotal(session, submission)

    def group(self, name: str, *users: str) -> None:
        with self.database.begin() as session:
            row = GroupRow(id=new_id(), course_id=self.course.id, name=name, created_at=LONG_AGO)
            session.add(row)
            session.flush()
            session.add_all([GroupMemberRow(group_id=row.id, user=user) for user in users])

    def book(self, *, offset: int = 0, limit: int | None = 50, **query: Any) -> Gradebook:
        return self.books.gradebook(
            self.course.id, GradebookQuery(**query), offset=offset, limit=limit
        )

    def users(self, **query: Any) -> list[str]:
        return [row.user for row in self.book(**query).page.items]


@pytest.fixture
def room(database: Database, course: Course, make_grade: Callable[[UUID, float], Grade]) -> Class:
    return Class(database, course, make_grade)


def test_everybody_who_learns_here_has_a_row_and_nobody_else(room: Class) -> None:
    one = room.assignment("one")
    for user in ("sue", "sam", "lost"):
        room.student(user)
    room.student("gil", role=Role.GRADER)
    room.graded(one, "gil", 2.0)
    with room.database.begin() as session:
        session.execute(
            update(MembershipRow).where(MembershipRow.user == "lost").values(removed_at=LONG_AGO)
        )
    room.graded(one, "sam", 1.5)
    found = room.book()
    assert [column.name for column in found.columns] == ["one"]
    sam, sue = found.page.items
    assert (sam.user, sam.total, sam.max_total) == ("sam", 1.6, 6.0)
    assert sam.cells["one"].state in {CellState.GRADED, CellState.RELEASED}
    assert (sam.cells["one"].points, sam.cells["one"].max_points) == (1.6, 6.0)
    assert sam.cells["one"].needs_review
    assert sam.cells["one"].unsealed_points == 0.1
    assert (sue.user, sue.total, sue.max_total) == ("sue", 0.0, 6.0)
    assert sue.cells["one"].state is CellState.NOT_SUBMITTED


def test_lateness_is_off_the_points_and_can_be_filtered_and_sorted_by(room: Class) -> None:
    late = LatePolicy(LateRule.PER_DAY, percent_per_day=50)
    one = room.assignment("one", due_at=LONG_AGO, late=late)
    for user in ("a", "b", "c"):
        room.student(user)
    room.graded(one, "a", 1.9, LONG_AGO + timedelta(hours=1))
    room.graded(one, "b", 1.4)
    assert room.users(state=RowFilter.LATE) == ["a"]
    assert room.users(sort=SortKey.LATE, order=Order.DESCENDING) == ["a", "b", "c"]
    assert room.users(sort="one", order=Order.ASCENDING) == ["a", "b", "c"]
    assert room.users(sort="one", order=Order.DESCENDING) == ["b", "a", "c"]
    cell = room.book().page.items[0].cells["one"]
    assert (cell.points, cell.penalty, cell.late_seconds) == (1.0, 1.0, 3600)


def test_what_students_do_not_see_yet_is_in_no_total(room: Class) -> None:
    soon = datetime.now(UTC) + timedelta(days=1)
    room.student("sam")
    room.graded(room.assignment("open"), "sam", 0.9)
    room.graded(room.assignment("soon", opens_at=soon), "sam", 1.9)
    (sam,) = room.book().page.items
    assert set(sam.cells) == {"open", "soon"}
    assert (sam.total, sam.max_total) == (1.0, 6.0)


def test_with_an_assignment_its_exercises_are_the_columns(room: Class) -> None:
    one = room.assignment("one")
    room.student("sam")
    room.student("sue")
    submission = room.graded(one, "sam", 1.5)
    room.mark(submission, "why", 2.0, 0.5)
    found = room.book(assignment="one")
    assert [column.name for column in found.columns] == ["gae", "loss", "why"]
    sam, sue = found.page.items
    assert [sam.cells[name].points for name in ("gae", "loss", "why")] == [1.5, 0.1, 2.5]
    assert sam.cells["why"].extra_credit == 0.5
    assert not sam.cells["why"].needs_review
    assert (sam.total, sam.max_total) == (4.1, 6.0)
    assert sue.cells["why"].points is None
    assert room.users(assignment="one", sort="why", order=Order.DESCENDING) == ["sam", "sue"]


def test_words_are_found_in_names_whatever_their_case_and_accents(room: Class) -> None:
    room.student("u1", "Zoë", "Müller")
    room.student("u2", "Zoltan", "Straße")
    assert room.users(search="zoe") == ["u1"]
    assert room.users(search="MULLER zo") == ["u1"]
    assert room.users(search="strasse") == ["u2"]
    assert room.users(search="U2") == ["u2"]
    assert room.users(search="u1 straße") == []
    assert room.users(sort=SortKey.NAME) == ["u1", "u2"]
    assert room.users(sort=SortKey.NAME, order=Order.DESCENDING) == ["u2", "u1"]


def test_each_state_keeps_the_rows_that_have_it(room: Class) -> None:
    one, two = room.assignment("one"), room.assignment("two")
    for user in ("a", "b", "c"):
        room.student(user)
    room.graded(one, "a", 1.0)
    room.graded(two, "a", 1.0)
    room.submit(one, "b")
    with room.database.begin() as session:
        settle(session, one.id)
    assert room.users(state=RowFilter.NOT_SUBMITTED) == ["b", "c"]
    assert room.users(state=RowFilter.QUEUED) == ["b"]
    assert room.users(state=RowFilter.NEEDS_REVIEW) == ["a"]
    assert room.users(state=RowFilter.NOT_SUBMITTED, assignment="one") == ["c"]
    assert room.users(state=RowFilter.FAILED) == []
    graded = room.users(state=RowFilter.GRADED) + room.users(state=RowFilter.RELEASED)
    assert graded == ["a"]
    room.group("morning", "a", "c")
    assert room.users(group="morning") == ["a", "c"]
    assert room.book(group="morning").page.items[0].groups == ("morning",)


def test_pages_of_equal_rows_hold_everybody_once(room: Class) -> None:
    room.assignment("one")
    users = [f"s{number:02}" for number in range(23)]
    for user in users:
        room.student(user)
    for sort in (SortKey.TOTAL, SortKey.NAME, "one", SortKey.LATE):
        for order in Order:
            seen = [
                row.user
                for offset in range(0, 30, 5)
                for row in room.book(sort=sort, order=order, offset=offset, limit=5).page.items
            ]
            assert seen == users
    assert room.book(limit=None).page.total == 23


def test_what_is_not_there_is_named(room: Class) -> None:
    room.assignment("one")
    with pytest.raises(NotFoundError) as missing:
        room.book(assignment="two")
    assert missing.value.field == "assignment"
    with pytest.raises(NotFoundError) as no_group:
        room.book(group="none")
    assert no_group.value.field == "group"
    with pytest.raises(InvalidInputError) as no_column:
        room.book(sort="two")
    assert no_column.value.field == "sort"


def test_more_students_than_one_statement_names_have_their_cells(room: Class) -> None:
    one = room.assignment("one")
    with room.database.begin() as session:
        session.execute(
            insert(MembershipRow),
            [
                {"course_id": room.course.id, "user": f"s{n:04}", "role": Role.STUDENT}
                for n in range(700)
            ],
        )
    room.graded(one, "s0650", 1.0)
    found = room.book(limit=None)
    assert len(found.page.items) == 700
    assert [row.user for row in found.page.items if row.total] == ["s0650"]
    with room.database.session() as session:
        assert session.scalar(select(SubmissionRow.user)) == "s0650"
