from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import event

from jupyter_ppo.domain.courses import Assignment, CellKind, Course, Exercise, Role
from jupyter_ppo.domain.errors import (
    ConflictError,
    InvalidInputError,
    NotFoundError,
    TooManyRequestsError,
)
from jupyter_ppo.domain.grading import Grade
from jupyter_ppo.domain.ids import new_id
from jupyter_ppo.domain.ports import CourseStore, JobQueue, SubmissionStore
from jupyter_ppo.domain.submissions import SubmissionState
from jupyter_ppo.storage.database import Database
from jupyter_ppo.storage.rosters import Rosters

MakeGrade = Callable[[UUID, float], Grade]
MINUTE = timedelta(minutes=1)


@contextmanager
def statements(database: Database) -> Iterator[list[str]]:
    """Collect the statements that reach the database."""
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        seen.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    yield seen
    event.remove(database.engine, "before_cursor_execute", note)


def test_a_submission_comes_back_with_its_assignment_and_version(
    submissions: SubmissionStore, assignment: Assignment
) -> None:
    made = submissions.submit(assignment, "ada", "d" * 64, ["gae is missing", "ümlaut"])
    assert submissions.submission(made.id) == made
    assert made.course_id == assignment.course_id
    assert (made.assignment_name, made.version_number) == ("first", 1)
    assert (made.user, made.attempt, made.digest) == ("ada", 1, "d" * 64)
    assert made.state is SubmissionState.QUEUED
    assert made.warnings == ("gae is missing", "ümlaut")
    assert (made.points, made.max_points, made.needs_review) == (None, None, False)
    assert made.submitted_at == datetime(2026, 3, 1, 12, 0, 1, tzinfo=UTC)


def test_a_submission_and_its_job_are_made_together(
    submissions: SubmissionStore, jobs: JobQueue, assignment: Assignment
) -> None:
    made = submissions.submit(assignment, "ada", "d" * 64, [])
    assert jobs.pending() == 1
    lease = jobs.lease("worker", MINUTE)
    assert lease is not None
    assert lease.submission_id == made.id


def test_attempts_are_counted_per_student_and_assignment(
    submissions: SubmissionStore, courses: CourseStore, assignment: Assignment
) -> None:
    second = courses.release(
        assignment.course_id,
        "second",
        source_digest="a" * 64,
        release_digest="b" * 64,
        exercises=[Exercise("x", CellKind.TESTS, 1, 0)],
    )
    made = [
        submissions.submit(to, user, "d" * 64, []).attempt
        for to, user in [(assignment, "ada"), (assignment, "bob"), (assignment, "ada")]
    ]
    assert made == [1, 1, 2]
    assert submissions.submit(second, "ada", "d" * 64, []).attempt == 1


def test_attempts_at_the_same_moment_get_different_numbers(
    submissions: SubmissionStore, assignment: Assignment
) -> None:
    gate = threading.Barrier(8)
    attempts: list[int] = []

    def run() -> None:
        gate.wait()
        attempts.append(submissions.submit(assignment, "ada", "d" * 64, []).attempt)

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(attempts) == list(range(1, 9))


def test_a_student_hands_in_so_many_attempts_an_hour_and_then_waits(
    submissions: SubmissionStore, courses: CourseStore, course: Course, assignment: Assignment
) -> None:
    other = courses.release(
        course.id, "second", source_digest="a" * 64, release_digest="b" * 64, exercises=()
    )
    noon = datetime(2026, 2, 1, 12, tzinfo=UTC)

    def submit(minute: float, to: Assignment = assignment, user: str = "ada") -> int:
        when = noon + timedelta(minutes=minute)
        return submissions.submit(
            to, user, "d" * 64, [], submitted_at=when, attempts_per_hour=2
        ).attempt

    assert [submit(0), submit(10)] == [1, 2]
    with pytest.raises(TooManyRequestsError, match="taken in 40 minutes") as caught:
        submit(20)
    assert (caught.value.retry_after, caught.value.field) == (2400, "attempts")
    assert [submit(20, other), submit(20, user="bob")] == [1, 1]
    assert submit(60) == 3
    with pytest.raises(TooManyRequestsError):
        submit(61)


def test_of_attempts_at_the_same_moment_no_more_than_the_bound_are_taken(
    submissions: SubmissionStore, assignment: Assignment
) -> None:
    came: list[object] = []

    def run() -> None:
        try:
            came.append(submissions.submit(assignment, "ada", "d" * 64, [], attempts_per_hour=3))
        except TooManyRequestsError as error:
            came.append(error)

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sum(isinstance(each, TooManyRequestsError) for each in came) == 5
    assert len(came) == 8


def test_a_given_time_is_kept_as_the_same_moment_in_utc(
    submissions: SubmissionStore, assignment: Assignment
) -> None:
    berlin = timezone(timedelta(hours=1))
    when = datetime(2026, 2, 1, 0, 30, 0, 5, tzinfo=berlin)
    made = submissions.submit(assignment, "ada", "d" * 64, [], submitted_at=when)
    assert submissions.submission(made.id).submitted_at == when
    assert submissions.submission(made.id).submitted_at.tzinfo is UTC
    with pytest.raises(InvalidInputError, match=r"submitted_at: .* with its zone"):
        submissions.submit(assignment, "ada", "d" * 64, [], submitted_at=when.replace(tzinfo=None))


def test_what_is_not_there_is_not_found(
    submissions: SubmissionStore, assignment: Assignment
) -> None:
    with pytest.raises(NotFoundError):
        submissions.submission(new_id())
    with pytest.raises(NotFoundError):
        submissions.regrade(new_id())
    with pytest.raises(NotFoundError):
        submissions.submit(replace(assignment, id=new_id()), "ada", "d" * 64, [])
    assert submissions.grade(new_id()) is None


def test_submissions_are_listed_newest_first_and_filtered(
    submissions: SubmissionStore, courses: CourseStore, course: Course, assignment: Assignment
) -> None:
    other_course = courses.create_course("dqn", "Another course")
    other = courses.release(
        other_course.id, "first", source_digest="a" * 64, release_digest="b" * 64, exercises=[]
    )
    ada1 = submissions.submit(assignment, "ada", "d" * 64, [])
    bob1 = submissions.submit(assignment, "bob", "d" * 64, [])
    ada2 = submissions.submit(assignment, "ada", "e" * 64, [])
    submissions.submit(other, "ada", "d" * 64, [])

    def listed(**filters: Any) -> tuple[list[UUID], int]:
        page = submissions.submissions(course.id, **{"offset": 0, "limit": 10, **filters})
        return [item.id for item in page.items], page.total

    assert listed() == ([ada2.id, bob1.id, ada1.id], 3)
    assert listed(user="ada") == ([ada2.id, ada1.id], 2)
    assert listed(latest=True) == ([ada2.id, bob1.id], 2)
    assert listed(user="ada", latest=True) == ([ada2.id], 1)
    assert listed(assignment_id=assignment.id, offset=1, limit=1) == ([bob1.id], 3)
    assert listed(assignment_id=other.id) == ([], 0)
    assert listed(offset=7) == ([], 3)


def test_an_older_file_that_is_collected_afterwards_does_not_count(
    submissions: SubmissionStore, course: Course, assignment: Assignment
) -> None:
    noon = datetime(2026, 2, 1, 12, tzinfo=UTC)
    made = [
        submissions.submit(assignment, "ada", "d" * 64, [], submitted_at=when, collected_by="grace")
        for when in (noon, noon - timedelta(hours=3), noon, noon - timedelta(hours=2))
    ]
    page = submissions.submissions(course.id, latest=True, offset=0, limit=9)
    assert ([item.attempt for item in page.items], page.total) == ([3], 1)
    page = submissions.submissions(course.id, offset=0, limit=9)
    assert [item.attempt for item in page.items] == [3, 1, 4, 2]
    assert [item.attempt for item in made] == [1, 2, 3, 4]


def test_a_list_takes_as_many_statements_for_thirty_as_for_one(
    database: Database,
    submissions: SubmissionStore,
    jobs: JobQueue,
    course: Course,
    assignment: Assignment,
    make_grade: MakeGrade,
) -> None:
    counts = []
    for size in (1, 30):
        for number in range(submissions.submissions(course.id, offset=0, limit=1).total, size):
            submissions.submit(assignment, f"student-{number}", "d" * 64, [])
            lease = jobs.lease("worker", MINUTE)
            assert lease is not None
            jobs.succeed(lease, make_grade(lease.submission_id, 1.0))
        with statements(database) as seen:
            page = submissions.submissions(course.id, offset=0, limit=100)
        assert [item.max_points for item in page.items] == [6.0] * size
        counts.append(len(seen))
    assert counts[0] == counts[1]


def test_a_grade_comes_back_as_it_was_stored(
    submissions: SubmissionStore, jobs: JobQueue, assignment: Assignment, make_grade: MakeGrade
) -> None:
    made = submissions.submit(assignment, "ada", "d" * 64, [])
    assert submissions.grade(made.id) is None
    lease = jobs.lease("worker", MINUTE)
    assert lease is not None
    grade = replace(make_grade(made.id, 0.2), version_id=made.version_id)
    jobs.succeed(lease, grade)
    assert submissions.grade(made.id) == grade
    graded = submissions.submission(made.id)
    assert graded.state is SubmissionState.GRADED
    assert graded.unsealed_points == 0.1
    # 0.1 + 0.2 without the noise of binary fractions
    assert (graded.points, graded.max_points, graded.needs_review) == (0.3, 6.0, True)


def test_numbers_that_json_does_not_have_are_left_out_of_what_a_test_wrote_down(
    submissions: SubmissionStore, jobs: JobQueue, assignment: Assignment, make_grade: MakeGrade
) -> None:
    made = submissions.submit(assignment, "ada", "d" * 64, [])
    lease = jobs.lease("worker", MINUTE)
    assert lease is not None
    records = ({"mean": math.nan, "returns": [1.0, -math.inf, {"deep": math.inf}]},)
    grade = make_grade(made.id, 1.0)
    written = replace(grade.exercises[0], records=records)
    jobs.succeed(lease, replace(grade, exercises=(written, *grade.exercises[1:])))
    kept = submissions.grade(made.id)
    assert kept is not None
    assert kept.exercises[0].records == ({"mean": None, "returns": [1.0, None, {"deep": None}]},)


def test_the_old_grade_stays_until_the_new_one_is_there(
    submissions: SubmissionStore, jobs: JobQueue, assignment: Assignment, make_grade: MakeGrade
) -> None:
    made = submissions.submit(assignment, "ada", "d" * 64, [])
    old, new = make_grade(made.id, 1.0), make_grade(made.id, 2.0)
    old = replace(old, version_id=made.version_id)
    new = replace(new, exercises=new.exercises[:2], version_id=made.version_id)
    first = jobs.lease("worker", MINUTE)
    assert first is not None
    jobs.succeed(first, old)

    assert submissions.regrade(made.id).state is SubmissionState.QUEUED
    assert submissions.grade(made.id) == old
    second = jobs.lease("worker", MINUTE)
    assert second is not None
    assert second.fence > first.fence
    assert second.attempt == 1
    assert submissions.grade(made.id) == old
    jobs.succeed(second, new)
    assert submissions.grade(made.id) == new


def test_a_submission_under_way_cannot_be_graded_again(
    submissions: SubmissionStore, jobs: JobQueue, assignment: Assignment
) -> None:
    made = submissions.submit(assignment, "ada", "d" * 64, [])
    with pytest.raises(ConflictError, match="queued already"):
        submissions.regrade(made.id)
    assert jobs.lease("worker", MINUTE) is not None
    with pytest.raises(ConflictError, match="grading already"):
        submissions.regrade(made.id)


def test_a_failed_submission_can_be_graded_again(
    submissions: SubmissionStore, jobs: JobQueue, assignment: Assignment, make_grade: MakeGrade
) -> None:
    made = submissions.submit(assignment, "ada", "d" * 64, [])
    while (lease := jobs.lease("worker", MINUTE)) is not None:
        jobs.fail(lease, "The engine is gone.")
    assert submissions.submission(made.id).error == "The engine is gone."

    again = submissions.regrade(made.id)
    assert (again.state, again.error) == (SubmissionState.QUEUED, None)
    lease = jobs.lease("worker", MINUTE)
    assert lease is not None
    jobs.succeed(lease, make_grade(made.id, 1.0))
    assert submissions.submission(made.id).state is SubmissionState.GRADED


def test_work_of_who_was_removed_is_listed_only_by_their_name(
    database: Database,
    courses: CourseStore,
    course: Course,
    submissions: SubmissionStore,
    assignment: Assignment,
) -> None:
    courses.enrol(course.id, "bob", Role.STUDENT)
    made = submissions.submit(assignment, "bob", "a" * 64, [])
    kept = submissions.submit(assignment, "ann", "a" * 64, [])
    Rosters(database).remove_member(course.id, "bob")
    for latest in (False, True):
        every = submissions.submissions(course.id, latest=latest, offset=0, limit=9)
        assert [each.id for each in every.items] == [kept.id]
        named = submissions.submissions(course.id, user="bob", latest=latest, offset=0, limit=9)
        assert [each.id for each in named.items] == [made.id]
