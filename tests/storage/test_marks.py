"""Marks, history and release on a real database."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, update

from jupyter_ppo.domain.courses import Assignment, CellKind, Course, Role
from jupyter_ppo.domain.errors import (
    ConflictError,
    EditConflictError,
    InvalidInputError,
    NotFoundError,
)
from jupyter_ppo.domain.grading import Grade
from jupyter_ppo.domain.ids import new_id
from jupyter_ppo.domain.marking import MarkingState
from jupyter_ppo.domain.marks import GradeChangeKind, Mark
from jupyter_ppo.domain.ports import CourseStore, JobQueue, SubmissionStore
from jupyter_ppo.domain.terms import GradeRelease
from jupyter_ppo.storage.database import Database, database_now
from jupyter_ppo.storage.grades import snapshot, store_grade
from jupyter_ppo.storage.marks import Marks
from jupyter_ppo.storage.tables import ExerciseGradeRow, StandingRow, SubmissionRow, TermsRow

MakeGrade = Callable[[UUID, float], Grade]
MINUTE = timedelta(minutes=1)
KIND = GradeChangeKind


@pytest.fixture
def marks(database: Database) -> Marks:
    return Marks(database)


@pytest.fixture
def graded(
    courses: CourseStore,
    submissions: SubmissionStore,
    jobs: JobQueue,
    assignment: Assignment,
    make_grade: MakeGrade,
) -> Callable[..., UUID]:
    """Let a student hand in, and grade it: 'gae' has these points of 2, 'loss' 0.1, 'why' waits."""

    def graded(user: str = "ada", points: float = 1.0) -> UUID:
        courses.enrol(assignment.course_id, user, Role.STUDENT)
        made = submissions.submit(assignment, user, "d" * 64, [])
        lease = jobs.lease("worker", MINUTE, made.id)
        assert lease is not None
        jobs.succeed(lease, make_grade(made.id, points))
        return made.id

    return graded


@pytest.fixture
def again(
    submissions: SubmissionStore, jobs: JobQueue, make_grade: MakeGrade
) -> Callable[..., None]:
    def again(submission_id: UUID, points: float) -> None:
        submissions.regrade(submission_id)
        lease = jobs.lease("worker", MINUTE, submission_id)
        assert lease is not None
        jobs.succeed(lease, make_grade(submission_id, points))

    return again


def by_hand(database: Database, assignment: Assignment) -> None:
    """Keep grades from students until somebody releases them."""
    with database.begin() as session:
        session.merge(
            TermsRow(
                assignment_id=assignment.id,
                grace_seconds=0,
                late={"rule": "none", "percent_per_day": 10, "at_least_percent": 0, "steps": []},
                max_attempts=0,
                counting="latest",
                autograde=True,
                grades=GradeRelease.BY_HAND,
                revision=1,
                updated_at=database_now(session),
                updated_by="ines",
            )
        )


def standing(database: Database, user: str = "ada") -> StandingRow:
    with database.session() as session:
        row = session.scalar(select(StandingRow).where(StandingRow.user == user))
        assert row is not None
        return row


def test_a_mark_counts_at_once_everywhere(
    marks: Marks, graded: Any, submissions: SubmissionStore, database: Database
) -> None:
    one = graded()
    said = marks.put(one, "why", Mark(2.5, 0.25, "Good."), by="gil")
    assert (said.score, said.waits, said.comment) == (2.75, False, "Good.")
    grade, submission = submissions.grade(one), submissions.submission(one)
    assert grade is not None
    assert (grade.points, grade.extra_credit, grade.needs_review) == (3.85, 0.25, False)
    assert (submission.points, submission.extra_credit, submission.needs_review) == (
        3.85,
        0.25,
        False,
    )
    row = standing(database)
    assert (row.points, row.extra_credit, row.needs_review) == (3.85, 0.25, False)
    mark = grade.exercises[2].mark
    assert mark is not None
    assert (mark.revision, mark.marked_by, mark.auto_points) == (1, "gil", 0.0)
    assert mark.marked_at is not None
    assert mark.marked_at.utcoffset() == timedelta(0)


def test_a_mark_survives_every_regrade_and_a_change_of_the_tests_is_told(
    marks: Marks, graded: Any, again: Any, submissions: SubmissionStore
) -> None:
    one = graded(points=1.0)
    marks.put(one, "gae", Mark(1.5, comment="Half right."), by="gil")
    again(one, 2.0)
    grade = submissions.grade(one)
    assert grade is not None
    gae = grade.exercises[0]
    assert (gae.points, gae.score, gae.comment, gae.auto_changed) == (2.0, 1.5, "Half right.", True)
    assert submissions.submission(one).points == 1.6


def test_a_mark_of_an_exercise_that_a_new_version_has_not_does_not_count(
    marks: Marks, graded: Any, submissions: SubmissionStore, jobs: JobQueue, make_grade: MakeGrade
) -> None:
    one = graded()
    marks.put(one, "why", Mark(3.0), by="gil")
    submissions.regrade(one)
    lease = jobs.lease("worker", MINUTE, one)
    assert lease is not None
    grade = make_grade(one, 1.0)
    jobs.succeed(lease, replace(grade, exercises=grade.exercises[:2]))
    assert submissions.submission(one).points == 1.1


def test_two_graders_who_save_at_once_are_shown_both_values(
    marks: Marks, graded: Any, submissions: SubmissionStore
) -> None:
    one = graded()
    start = threading.Barrier(2)

    def save(by: str, points: float) -> EditConflictError | None:
        start.wait(10)
        try:
            marks.put(one, "why", Mark(points, comment=by), by=by)
        except EditConflictError as error:
            return error
        return None

    with ThreadPoolExecutor(2) as threads:
        came = list(threads.map(save, ("gil", "gus"), (1.0, 2.0)))
    (error,) = [each for each in came if each is not None]
    kept = submissions.grade(one)
    assert kept is not None
    mark = kept.exercises[2].mark
    assert mark is not None
    assert error.theirs == mark.shown()
    assert {error.yours["comment"], error.theirs["comment"]} == {"gil", "gus"}
    assert error.theirs["marked_by"] == error.theirs["comment"]
    assert error.theirs["revision"] == 1
    assert [change.kind for change in marks.history(one)].count(KIND.MARKED) == 1


def test_many_marks_of_one_submission_at_once_all_count(
    marks: Marks, graded: Any, submissions: SubmissionStore
) -> None:
    one = graded()
    given = {"gae": 2.0, "loss": 1.0, "why": 3.0}
    with ThreadPoolExecutor(3) as threads:
        list(threads.map(lambda name: marks.put(one, name, Mark(given[name]), by="gil"), given))
    assert submissions.submission(one).points == 6.0


def test_the_same_mark_sent_twice_is_written_once(marks: Marks, graded: Any) -> None:
    one = graded()
    mark = Mark(2.0, 0.5, "Good.")
    marks.put(one, "why", mark, by="gil")
    marks.put(one, "why", mark, by="gil")  # the first answer got lost
    said = marks.put(one, "why", replace(mark, revision=1), by="gus")
    assert said.mark is not None
    assert (said.mark.revision, said.mark.marked_by) == (1, "gil")
    with pytest.raises(EditConflictError):
        marks.put(one, "why", mark, by="gus")
    assert [change.kind for change in marks.history(one)].count(KIND.MARKED) == 1


def test_a_mark_can_be_taken_away_and_the_history_keeps_it(
    marks: Marks, graded: Any, submissions: SubmissionStore
) -> None:
    one = graded()
    marks.put(one, "why", Mark(2.0), by="gil")
    said = marks.put(one, "why", Mark(None, revision=1), by="gil", reason="The wrong student.")
    assert said.mark is None
    assert said.waits
    assert submissions.submission(one).points == 1.1
    with pytest.raises(EditConflictError):  # it was seen before it was taken away
        marks.put(one, "why", Mark(1.0, revision=1), by="gus")
    again = marks.put(one, "why", Mark(1.0), by="gus")
    assert again.mark is not None
    assert again.mark.revision == 3
    told = [
        (change.grade_id, change.by, change.reason, change.before, change.after)
        for change in marks.history(one)
        if change.kind is KIND.MARKED
    ]
    first = {"points": 2.0, "extra_credit": 0.0, "comment": ""}
    assert told == [
        ("why", "gil", "", None, first),
        ("why", "gil", "The wrong student.", first, None),
        ("why", "gus", "", None, {**first, "points": 1.0}),
    ]


def test_what_cannot_be_marked_is_refused_and_nothing_changes(
    marks: Marks, graded: Any, submissions: SubmissionStore, assignment: Assignment
) -> None:
    one = graded()
    before = submissions.grade(one), marks.history(one)
    for call, error, field in (
        ((one, "why", Mark(3.5)), InvalidInputError, "points"),
        ((one, "nothing", Mark(1.0)), NotFoundError, "grade_id"),
        ((new_id(), "why", Mark(1.0)), NotFoundError, "submission"),
        ((one, "why", Mark(1.0, revision=7)), EditConflictError, "revision"),
    ):
        with pytest.raises(error) as caught:
            marks.put(*call, by="gil")
        assert caught.value.field == field
    assert (submissions.grade(one), marks.history(one)) == before
    waiting = submissions.submit(assignment, "ada", "e" * 64, [])
    with pytest.raises(ConflictError) as caught:
        marks.put(waiting.id, "why", Mark(1.0), by="gil")
    assert caught.value.field == "state"


def test_the_history_has_every_grade_with_before_and_after(
    marks: Marks, graded: Any, again: Any, database: Database
) -> None:
    one = graded(points=1.0)
    again(one, 2.0)
    first, released, second = marks.history(one)
    kinds = (first.kind, released.kind, second.kind)
    assert kinds == (KIND.AUTOGRADED, KIND.RELEASED, KIND.AUTOGRADED)
    assert first.before is None
    assert first.after == second.before
    assert second.after == {
        "version": 1,
        "points": 2.1,
        "max_points": 6.0,
        "extra_credit": 0.0,
        "exercises": {"gae": 2.0, "loss": 0.1, "why": 0.0},
    }
    with database.session() as session:
        assert snapshot(session, one) == second.after
        assert snapshot(session, new_id()) is None


def test_a_grade_can_be_stored_for_another_reason_than_the_autograder(
    marks: Marks, submissions: SubmissionStore, assignment: Assignment, database: Database,
    make_grade: MakeGrade,
) -> None:  # fmt: skip
    one = submissions.submit(assignment, "ada", "d" * 64, []).id
    with database.begin() as session:
        store_grade(
            session, make_grade(one, 2.0), kind=KIND.IMPORTED, by="ines", reason="Last year's."
        )
    (change,) = marks.history(one)
    assert (change.kind, change.by, change.reason) == (KIND.IMPORTED, "ines", "Last year's.")
    assert submissions.submission(one).released_at is None


def test_grades_are_released_at_once_or_by_hand(
    marks: Marks, graded: Any, again: Any, submissions: SubmissionStore, assignment: Assignment,
    database: Database,
) -> None:  # fmt: skip
    at_once = graded("ada")
    assert submissions.submission(at_once).released_at is not None
    by_hand(database, assignment)
    one, two = graded("ben"), graded("cy")
    assert submissions.submission(one).released_at is None
    assert not standing(database, "ben").is_released
    assert marks.set_released(assignment.id, [one], is_released=True, by="ines") == 1
    assert standing(database, "ben").is_released
    assert submissions.submission(two).released_at is None
    assert marks.set_released(assignment.id, None, is_released=True, by="ines") == 1
    assert marks.set_released(assignment.id, None, is_released=True, by="ines") == 0
    assert marks.set_released(assignment.id, None, is_released=False, by="ines", reason="x") == 3
    again(at_once, 2.0)
    assert submissions.submission(at_once).released_at is None  # what was taken back stays so
    kinds = [change.kind for change in marks.history(one)]
    assert kinds == [KIND.AUTOGRADED, KIND.RELEASED, KIND.WITHDRAWN]
    last = marks.history(one)[-1]
    assert (last.by, last.reason) == ("ines", "x")
    assert last.after == {"points": 1.1, "max_points": 6.0, "extra_credit": 0.0, "penalty": 0.0}


def test_what_is_not_graded_is_not_released_and_a_strange_one_is_refused(
    marks: Marks, graded: Any, submissions: SubmissionStore, assignment: Assignment,
    database: Database,
) -> None:  # fmt: skip
    by_hand(database, assignment)
    one = graded("ben")
    waiting = submissions.submit(assignment, "ada", "e" * 64, [])
    with pytest.raises(NotFoundError) as caught:
        marks.set_released(assignment.id, [one, new_id()], is_released=True, by="ines")
    assert caught.value.field == "submissions"
    assert submissions.submission(one).released_at is None
    assert marks.set_released(assignment.id, [waiting.id], is_released=True, by="ines") == 0
    assert submissions.submission(waiting.id).released_at is None


def test_the_list_counts_what_waits_in_the_attempts_that_count(
    marks: Marks, graded: Any, course: Course, assignment: Assignment, courses: CourseStore
) -> None:
    graded("ada")
    newest = graded("ada")
    other = graded("ben")
    marks.put(other, "why", Mark(1.0), by="gil")
    (total,) = marks.totals(course.id, offset=0, limit=10).items
    assert (total.assignment, total.grade_id, total.kind) == ("first", "why", CellKind.MANUAL)
    assert (total.max_points, total.waiting, total.marked, total.total) == (3.0, 1, 1, 2)
    assert not marks.totals(courses.create_course("other", "").id, offset=0, limit=10).items

    def found(state: MarkingState, grade_id: str | None = "why") -> set[tuple[UUID, str]]:
        keys = marks.keys(assignment.id, grade_id=grade_id, state=state)
        return {(key.submission_id, key.grade_id) for key in keys}

    assert found(MarkingState.WAITING) == {(newest, "why")}
    assert found(MarkingState.MARKED) == {(other, "why")}
    assert found(MarkingState.ALL) == {(newest, "why"), (other, "why")}
    assert len(found(MarkingState.ALL, None)) == 6
    keys = marks.keys(assignment.id, grade_id="why", state=MarkingState.ALL)
    exercises = marks.exercises(keys)
    scores = {key.user: each.score for key, each in zip(keys, exercises, strict=True) if each}
    assert scores == {"ada": 0.0, "ben": 1.0}


def test_the_trash_cannot_be_marked(marks: Marks, graded: Any, database: Database) -> None:
    one = graded()
    with database.begin() as session:
        row = session.get_one(SubmissionRow, one)
        row.deleted_at, row.deleted_by = datetime(2026, 1, 1, tzinfo=UTC), "ines"
    with pytest.raises(NotFoundError):
        marks.put(one, "why", Mark(1.0), by="gil")


def test_a_mark_above_a_lowered_maximum_counts_and_waits_in_the_list_again(
    marks: Marks,
    graded: Any,
    database: Database,
    course: Course,
    assignment: Assignment,
    submissions: SubmissionStore,
) -> None:
    one = graded()
    marks.put(one, "gae", Mark(2.0), by="gil")
    with database.begin() as session:
        session.execute(
            update(ExerciseGradeRow)
            .where(ExerciseGradeRow.grade_id == "gae")
            .values(max_points=1.0, points=1.0)
        )
    grade = submissions.grade(one)
    assert grade is not None
    assert (grade.exercises[0].score, grade.exercises[0].auto_changed) == (2.0, True)
    totals = marks.totals(course.id, offset=0, limit=10).items
    [gae] = [each for each in totals if each.grade_id == "gae"]
    assert (gae.waiting, gae.marked) == (1, 0)

    def found(state: MarkingState) -> list[UUID]:
        keys = marks.keys(assignment.id, grade_id="gae", state=state)
        return [key.submission_id for key in keys]

    assert (found(MarkingState.WAITING), found(MarkingState.MARKED)) == ([one], [])
    marks.put(one, "gae", Mark(1.0, revision=1), by="gil")
    assert (found(MarkingState.WAITING), found(MarkingState.MARKED)) == ([], [one])
