"""Nothing that is deleted is lost, and nobody meets it until it is restored."""

from __future__ import annotations

from uuid import UUID

import pytest

from jupyter_ppo.domain.courses import Assignment, AssignmentKind, Course, Role
from jupyter_ppo.domain.errors import ConflictError, NotFoundError
from jupyter_ppo.domain.ids import new_id
from jupyter_ppo.domain.ports import CourseStore, SubmissionStore
from jupyter_ppo.domain.roster import TrashKind
from jupyter_ppo.storage.database import Database
from jupyter_ppo.storage.trash import Trash


@pytest.fixture
def trash(database: Database) -> Trash:
    return Trash(database)


def counting(submissions: SubmissionStore, course: Course) -> list[UUID]:
    page = submissions.submissions(course.id, latest=True, offset=0, limit=9)
    return [each.id for each in page.items]


def test_a_deleted_course_is_there_for_nobody_and_comes_back_whole(
    trash: Trash, courses: CourseStore, course: Course, assignment: Assignment
) -> None:
    courses.enrol(course.id, "ada", Role.STUDENT)
    deleted = trash.delete_course(course.id, "root")
    assert (deleted.kind, deleted.name, deleted.deleted_by) == (TrashKind.COURSE, "ppo", "root")
    assert trash.course("ppo") == (course, deleted)
    assert trash.courses(offset=0, limit=9).items == (deleted,)
    with pytest.raises(NotFoundError, match="no course 'ppo'"):
        courses.course("ppo")
    assert courses.courses(None, offset=0, limit=9).total == 0
    assert courses.courses("ada", offset=0, limit=9).total == 0
    for change in (
        lambda: courses.enrol(course.id, "bob", Role.STUDENT),
        lambda: courses.rename(course.id, "Another"),
        lambda: courses.release(
            course.id, "x", source_digest="a" * 64, release_digest="b" * 64, exercises=[]
        ),
        lambda: trash.delete_course(course.id, "root"),
    ):
        with pytest.raises(NotFoundError, match="no such course"):
            change()
    with pytest.raises(ConflictError, match=r"in the trash\. Restore it or choose another name"):
        courses.create_course("ppo", "A second one")
    assert trash.restore_course(course.id) == deleted
    assert courses.course("ppo") == course
    assert courses.assignment(course.id, "first") == assignment
    assert courses.courses("ada", offset=0, limit=9).items == (course,)
    with pytest.raises(ConflictError, match="not in the trash"):
        trash.restore_course(course.id)


def test_a_deleted_assignment_keeps_its_name_and_its_submissions(
    trash: Trash,
    courses: CourseStore,
    submissions: SubmissionStore,
    course: Course,
    assignment: Assignment,
) -> None:
    made = submissions.submit(assignment, "ada", "a" * 64, []).id
    deleted = trash.delete_assignment(course.id, "first", "ines")
    assert trash.items(course.id, offset=0, limit=9).items == (deleted,)
    assert courses.assignments(course.id, offset=0, limit=9).total == 0
    for look in (
        lambda: courses.assignment(course.id, "first"),
        lambda: trash.delete_assignment(course.id, "first", "ines"),
        lambda: submissions.submission(made),
        lambda: submissions.submit(assignment, "ada", "b" * 64, []),
    ):
        with pytest.raises(NotFoundError):
            look()
    assert submissions.submissions(course.id, offset=0, limit=9).total == 0
    with pytest.raises(ConflictError, match=r"in the trash\. Restore it or use another name"):
        courses.release(
            course.id, "first", source_digest="a" * 64, release_digest="b" * 64, exercises=[]
        )
    assert trash.restore(course.id, assignment.id, "ines") == deleted
    assert courses.assignment(course.id, "first") == assignment
    assert counting(submissions, course) == [made]
    with pytest.raises(NotFoundError, match="trash of this course"):
        trash.restore(course.id, assignment.id, "ines")


def test_a_deleted_attempt_counts_no_more_and_its_number_is_not_given_again(
    trash: Trash, submissions: SubmissionStore, course: Course, assignment: Assignment
) -> None:
    first, second = (submissions.submit(assignment, "ada", d * 64, []) for d in "ab")
    assert counting(submissions, course) == [second.id]
    deleted = trash.delete_submission(second.id, "ines")
    assert (deleted.kind, deleted.name) == (TrashKind.SUBMISSION, "first, attempt 2 of ada")
    assert counting(submissions, course) == [first.id]
    for look in (
        lambda: submissions.submission(second.id),
        lambda: submissions.regrade(second.id),
        lambda: trash.delete_submission(second.id, "ines"),
    ):
        with pytest.raises(NotFoundError):
            look()
    third = submissions.submit(assignment, "ada", "c" * 64, [])
    assert third.attempt == 3
    trash.delete_submission(third.id, "ines")
    trash.restore(course.id, second.id, "ines")
    assert counting(submissions, course) == [second.id]
    assert [item.id for item in trash.items(course.id, offset=0, limit=9).items] == [third.id]


def test_an_attempt_comes_back_after_its_assignment(
    trash: Trash, submissions: SubmissionStore, course: Course, assignment: Assignment
) -> None:
    made = submissions.submit(assignment, "ada", "a" * 64, []).id
    trash.delete_submission(made, "ines")
    trash.delete_assignment(course.id, "first", "ines")
    assert [item.id for item in trash.items(course.id, offset=0, limit=9).items] == [assignment.id]
    with pytest.raises(ConflictError, match=r"'first' is in the trash\. Restore that first"):
        trash.restore(course.id, made, "ines")
    trash.restore(course.id, assignment.id, "ines")
    trash.restore(course.id, made, "ines")
    assert counting(submissions, course) == [made]


def test_one_course_does_not_restore_what_is_of_another(
    trash: Trash,
    courses: CourseStore,
    submissions: SubmissionStore,
    course: Course,
    assignment: Assignment,
) -> None:
    other = courses.create_course("dqn", "Another")
    made = submissions.submit(assignment, "ada", "a" * 64, []).id
    trash.delete_submission(made, "ines")
    for item in (made, assignment.id, new_id()):
        with pytest.raises(NotFoundError, match="trash of this course"):
            trash.restore(other.id, item, "ines")
    trash.delete_assignment(course.id, "first", "ines")
    with pytest.raises(NotFoundError, match="trash of this course"):
        trash.restore(other.id, assignment.id, "ines")


def test_an_assignment_stays_of_its_kind(
    courses: CourseStore, course: Course, assignment: Assignment
) -> None:
    with pytest.raises(ConflictError, match="of the kind notebook"):
        courses.release(
            course.id,
            "first",
            source_digest="a" * 64,
            release_digest="b" * 64,
            exercises=[],
            kind=AssignmentKind.ENTRY,
        )
