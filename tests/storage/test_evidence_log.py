"""What counts goes into the log of progress with every change, and nothing that is not released."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import event, select

from jupyter_ppo.domain.courses import Assignment, Course
from jupyter_ppo.domain.grading import Grade
from jupyter_ppo.domain.marks import Mark
from jupyter_ppo.domain.ports import JobQueue, SubmissionStore
from jupyter_ppo.domain.progress_events import EventKind
from jupyter_ppo.domain.progress_records import WorkRecord
from jupyter_ppo.domain.terms import Counting, GradeRelease, Terms
from jupyter_ppo.storage.database import Database
from jupyter_ppo.storage.marks import Marks
from jupyter_ppo.storage.progress_states import ProgressStates
from jupyter_ppo.storage.standings import settle
from jupyter_ppo.storage.tables import ProgressEventRow
from jupyter_ppo.storage.terms import AssignmentTerms
from jupyter_ppo.storage.trash import Trash

MakeGrade = Callable[[UUID, float], Grade]
Graded = Callable[..., UUID]
HOUR = timedelta(hours=1)
# The clock of the tests begins here and goes on by a second with each look.
FIRST = datetime(2026, 3, 1, 12, 0, 1, tzinfo=UTC)
SUBMITTED, GRADED, WITHDRAWN = EventKind.SUBMITTED, EventKind.GRADED, EventKind.WITHDRAWN


@pytest.fixture
def marks(database: Database) -> Marks:
    return Marks(database)


@pytest.fixture
def graded(
    submissions: SubmissionStore, jobs: JobQueue, assignment: Assignment, make_grade: MakeGrade
) -> Graded:
    """Hand in and grade one attempt; ``gae`` scores ``points``, ``loss`` 0.1."""

    def graded(points: float, user: str = "ada") -> UUID:
        made = submissions.submit(assignment, user, "d" * 64, [])
        lease = jobs.lease("worker", HOUR, made.id)
        assert lease is not None
        jobs.succeed(lease, make_grade(made.id, points))
        return made.id

    return graded


@pytest.fixture
def by_hand(database: Database, assignment: Assignment) -> None:
    """Let grades wait for somebody to release them."""
    saved = AssignmentTerms(database).save(
        assignment.id, Terms(grades=GradeRelease.BY_HAND), "grace"
    )
    assert saved is not None


def log(database: Database, user: str = "ada") -> list[ProgressEventRow]:
    query = select(ProgressEventRow).where(ProgressEventRow.user == user)
    with database.session() as session:
        return list(session.scalars(query.order_by(ProgressEventRow.position)))


def kinds(database: Database, user: str = "ada") -> list[EventKind]:
    return [row.kind for row in log(database, user)]


def work(database: Database, course: Course, user: str = "ada") -> WorkRecord:
    return ProgressStates(database).read(course.id, user).works["first"]


def release(
    database: Database, assignment: Assignment, *, is_released: bool = True, only: Any = None
) -> None:
    Marks(database).set_released(assignment.id, only, is_released=is_released, by="ida")


@contextmanager
def writes(database: Database) -> Iterator[list[str]]:
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if statement.startswith(("INSERT", "UPDATE", "DELETE")):
            seen.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    yield seen
    event.remove(database.engine, "before_cursor_execute", note)


def test_a_hand_in_and_its_released_grade_are_evidence(
    database: Database, course: Course, graded: Graded
) -> None:
    made = graded(2.0)
    handed_in, grade = log(database)
    assert (handed_in.kind, handed_in.assignment) == (SUBMITTED, "first")
    assert handed_in.data == {"submission_id": str(made), "attempt": 1}
    assert handed_in.occurred_at == FIRST
    assert (grade.kind, grade.key) == (GRADED, None)
    points = {"gae": 2.0, "loss": 0.1, "why": 0.0}
    assert grade.data == {"submission_id": str(made), "attempt": 1, "points": points}
    found = work(database, course)
    assert (found.points, found.submission_id, found.attempts) == (points, made, 1)
    assert found.submitted_at == FIRST


@pytest.mark.usefixtures("by_hand")
def test_a_grade_is_no_evidence_before_it_is_released_nor_after_it_is_taken_back(
    database: Database, course: Course, assignment: Assignment, graded: Graded
) -> None:
    graded(2.0)
    assert kinds(database) == [SUBMITTED]
    release(database, assignment)
    assert kinds(database) == [SUBMITTED, GRADED]
    release(database, assignment, is_released=False)
    assert kinds(database) == [SUBMITTED, GRADED, WITHDRAWN]
    found = work(database, course)
    assert (found.points, found.submission_id, found.attempts) == ({}, None, 1)


def test_a_mark_changes_the_evidence_once(
    database: Database, course: Course, marks: Marks, graded: Graded
) -> None:
    made = graded(2.0)
    marks.put(made, "why", Mark(2.5, extra_credit=1.0, revision=0), by="ida")
    assert kinds(database) == [SUBMITTED, GRADED, GRADED]
    assert work(database, course).points == {"gae": 2.0, "loss": 0.1, "why": 3.5}
    marks.put(made, "why", Mark(2.5, extra_credit=1.0, comment="Well.", revision=1), by="ida")
    assert kinds(database) == [SUBMITTED, GRADED, GRADED]


def test_a_new_attempt_takes_no_evidence_away_before_its_own_grade(
    database: Database,
    course: Course,
    submissions: SubmissionStore,
    assignment: Assignment,
    graded: Graded,
) -> None:
    first = graded(2.0)
    submissions.submit(assignment, "ada", "e" * 64, [])
    assert kinds(database) == [SUBMITTED, GRADED, SUBMITTED]
    found = work(database, course)
    assert (found.submission_id, found.attempts) == (first, 2)


def test_the_terms_say_which_of_the_released_attempts_counts(
    database: Database, course: Course, assignment: Assignment, graded: Graded
) -> None:
    first, second = graded(2.0), graded(1.0)
    assert work(database, course).submission_id == second
    AssignmentTerms(database).save(assignment.id, Terms(counting=Counting.BEST), "ida")
    assert work(database, course).submission_id == first
    # The evidence of the first is as old as its release.
    assert log(database)[-1].occurred_at == log(database)[1].occurred_at


def test_an_attempt_in_the_trash_is_no_evidence_until_it_is_back(
    database: Database, course: Course, graded: Graded
) -> None:
    made = graded(2.0)
    trash = Trash(database)
    trash.delete_submission(made, "ida")
    assert kinds(database) == [SUBMITTED, GRADED, WITHDRAWN]
    assert work(database, course) == WorkRecord()
    trash.restore(course.id, made, "ida")
    assert kinds(database)[3:] == [SUBMITTED, GRADED]
    found = work(database, course)
    assert (found.attempts, found.submission_id, found.submitted_at) == (1, made, FIRST)


def test_an_earlier_attempt_counts_again_when_the_later_one_is_deleted(
    database: Database, course: Course, graded: Graded
) -> None:
    first, second = graded(2.0), graded(1.0)
    Trash(database).delete_submission(second, "ida")
    assert kinds(database)[-2:] == [WITHDRAWN, GRADED]
    found = work(database, course)
    assert (found.submission_id, found.attempts) == (first, 1)


def test_what_did_not_change_is_not_written_again(
    database: Database, assignment: Assignment, graded: Graded
) -> None:
    for user in ("ada", "bob"):
        graded(2.0, user)
    with writes(database) as seen, database.begin() as session:
        settle(session, assignment.id)
        settle(session, assignment.id, ["bob"])
    assert seen == []


def test_each_person_has_their_own_evidence(
    database: Database, assignment: Assignment, course: Course, graded: Graded
) -> None:
    graded(2.0, "ada")
    made = graded(1.0, "bob")
    release(database, assignment, is_released=False, only=[made])
    assert work(database, course, "ada").points["gae"] == 2.0
    assert work(database, course, "bob").points == {}
