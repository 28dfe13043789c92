"""What students and instructors can rely on, whatever the door they come through."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from jupyter_ppo.domain.access import Caller
from jupyter_ppo.domain.courses import Role
from jupyter_ppo.domain.errors import (
    ConflictError,
    ForbiddenError,
    InvalidInputError,
    InvalidNotebookError,
    NotFoundError,
    StorageFullError,
)
from jupyter_ppo.domain.ids import new_id
from jupyter_ppo.domain.submissions import SubmissionState
from jupyter_ppo.services.assessment import AssessmentService
from jupyter_ppo.storage.rosters import Rosters

World = Any
RIGHT = b'{"answer": 42}'


def test_only_an_admin_creates_a_course_and_its_name_is_unique(world: World, admin: Caller) -> None:
    with pytest.raises(ForbiddenError):
        world.assessment.create_course(Caller("ada"), "rl")
    view = world.assessment.create_course(admin, "rl", "  ")
    assert (view.course.name, view.course.title) == ("rl", "rl")
    with pytest.raises(ConflictError):
        world.assessment.create_course(admin, "rl")
    with pytest.raises(InvalidInputError):
        world.assessment.create_course(admin, "../rl")


def test_a_course_is_absent_for_whoever_is_not_in_it(course: World) -> None:
    stranger = Caller("eve")
    assert course.assessment.courses(stranger, offset=0, limit=10).items == ()
    for call in (
        lambda: course.assessment.course(stranger, "rl"),
        lambda: course.assessment.assignments(stranger, "rl", offset=0, limit=10),
        lambda: course.assessment.released_notebook(stranger, "rl", "ps1"),
        lambda: course.assessment.submit(stranger, "rl", "ps1", RIGHT),
    ):
        with pytest.raises(NotFoundError, match="no course 'rl'"):
            call()


def test_members_see_their_courses_with_their_role(course: World) -> None:
    ada = course.member("ada", Role.STUDENT)
    page = course.assessment.courses(ada, offset=0, limit=10)
    assert [(view.course.name, view.role) for view in page.items] == [("rl", Role.STUDENT)]


def test_only_instructors_release_and_enrol(course: World) -> None:
    for role in (Role.STUDENT, Role.GRADER):
        caller = course.member(f"a-{role}", role)
        with pytest.raises(ForbiddenError, match="instructor"):
            course.assessment.release(caller, "rl", "ps2", b"")
        with pytest.raises(ForbiddenError, match="instructor"):
            course.roster.put_member(caller, "rl", "bob", Role.STUDENT)
    instructor = course.member("iris", Role.INSTRUCTOR)
    assert course.assessment.release(instructor, "rl", "ps2", b"x").assignment.version.number == 1
    with pytest.raises(ForbiddenError, match="role"):
        course.roster.put_member(instructor, "rl", "bob", Role.ADMIN)


def test_students_get_the_released_copy_and_never_the_source(course: World) -> None:
    ada = course.member("ada", Role.STUDENT)
    assert course.assessment.released_notebook(ada, "rl", "ps1") == b'{"answer": null}'


def test_releasing_again_makes_a_new_version_and_earlier_submissions_keep_theirs(
    course: World, admin: Caller
) -> None:
    ada = course.member("ada", Role.STUDENT)
    first = course.assessment.submit(ada, "rl", "ps1", RIGHT)
    assert course.assessment.release(admin, "rl", "ps1", b"fixed").assignment.version.number == 2
    second = course.assessment.submit(ada, "rl", "ps1", RIGHT)
    assert (first.version_number, second.version_number) == (1, 2)
    assert course.assessment.submission(ada, first.id).version_number == 1


def test_a_submission_is_kept_byte_for_byte_and_queued(course: World) -> None:
    ada = course.member("ada", Role.STUDENT)
    received = course.assessment.submit(ada, "rl", "ps1", b'{ "answer" : 42 }\n')
    assert (received.attempt, received.state, received.user) == (1, SubmissionState.QUEUED, "ada")
    assert course.assessment.submitted_notebook(ada, received.id) == b'{ "answer" : 42 }\n'
    assert course.woken == [1]
    assert course.jobs.pending() == 1


def test_warnings_of_the_notebook_come_with_the_receipt(course: World) -> None:
    ada = course.member("ada", Role.STUDENT)
    received = course.assessment.submit(ada, "rl", "ps1", b'{"answer": null}')
    assert received.warnings == ("the answer is empty",)


def test_what_cannot_be_graded_is_refused_and_nothing_is_kept(course: World) -> None:
    ada = course.member("ada", Role.STUDENT)
    with pytest.raises(InvalidNotebookError):
        course.assessment.submit(ada, "rl", "ps1", b"not a notebook")
    assert course.assessment.submissions(ada, "rl", offset=0, limit=9).total == 0
    assert course.jobs.pending() == 0


def test_a_student_sees_their_own_submissions_only(course: World) -> None:
    ada, bob = course.member("ada", Role.STUDENT), course.member("bob", Role.STUDENT)
    grader = course.member("gus", Role.GRADER)
    of_ada = course.assessment.submit(ada, "rl", "ps1", RIGHT)
    of_bob = course.assessment.submit(bob, "rl", "ps1", RIGHT)
    for user in (None, "ada"):
        page = course.assessment.submissions(ada, "rl", user=user, offset=0, limit=9)
        assert [item.id for item in page.items] == [of_ada.id]
    assert course.assessment.submissions(ada, "rl", user="bob", offset=0, limit=9).total == 0
    for call in (
        course.assessment.submission,
        course.assessment.submitted_notebook,
        course.assessment.grade,
        course.assessment.feedback,
        course.assessment.request_grading,
    ):
        with pytest.raises(NotFoundError):
            call(ada, of_bob.id)
    assert course.assessment.submissions(grader, "rl", offset=0, limit=9).total == 2
    assert course.assessment.submission(grader, of_bob.id).user == "bob"


def test_a_submission_of_another_course_is_absent_for_an_instructor(
    course: World, admin: Caller
) -> None:
    course.assessment.create_course(admin, "cv")
    foreign = course.member("ivan", Role.INSTRUCTOR, course="cv")
    ada = course.member("ada", Role.STUDENT)
    received = course.assessment.submit(ada, "rl", "ps1", RIGHT)
    with pytest.raises(NotFoundError):
        course.assessment.submission(foreign, received.id)


def test_only_graders_have_a_submission_graded_again(course: World) -> None:
    ada = course.member("ada", Role.STUDENT)
    received = course.assessment.submit(ada, "rl", "ps1", RIGHT)
    with pytest.raises(ForbiddenError):
        course.assessment.request_grading(ada, received.id)
    grader = course.member("gus", Role.GRADER)
    with pytest.raises(ConflictError):  # it is queued already
        course.assessment.request_grading(grader, received.id)


def test_an_ungraded_submission_has_no_grade_and_no_page_yet(course: World) -> None:
    ada = course.member("ada", Role.STUDENT)
    received = course.assessment.submit(ada, "rl", "ps1", RIGHT)
    with pytest.raises(NotFoundError, match="not graded yet"):
        course.assessment.grade(ada, received.id)
    with pytest.raises(NotFoundError):
        course.assessment.submission(ada, new_id())


def test_collecting_enrols_keeps_the_given_time_and_twice_is_harmless(course: World) -> None:
    grader = course.member("gus", Role.GRADER)
    when = datetime(2026, 2, 3, 4, 5, tzinfo=UTC)
    first = course.assessment.collect(grader, "rl", "ps1", "bob", RIGHT, submitted_at=when)
    assert (first.submission.user, first.submission.submitted_at) == ("bob", when)
    assert first.enrolled
    again = course.assessment.collect(grader, "rl", "ps1", "bob", RIGHT)
    assert (again.submission, again.enrolled) == (None, False)
    assert course.assessment.course(Caller("bob"), "rl").role is Role.STUDENT
    changed = course.assessment.collect(grader, "rl", "ps1", "bob", b'{"answer": 1}')
    assert changed.submission.attempt == 2


def test_collecting_an_older_file_does_not_replace_the_attempt_that_counts(
    course: World,
) -> None:
    grader, bob = course.member("gus", Role.GRADER), course.member("bob", Role.STUDENT)
    own = course.assessment.submit(bob, "rl", "ps1", RIGHT)
    older = own.submitted_at - timedelta(days=1)
    collected = course.assessment.collect(
        grader, "rl", "ps1", "bob", b'{"answer": 1}', submitted_at=older
    )
    assert collected.submission.attempt == 2
    assert [row.id for row in course.assessment.every_latest(grader, "rl")] == [own.id]


def test_collecting_two_notebooks_of_one_person_twice_is_harmless(course: World) -> None:
    grader, bob = course.member("gus", Role.GRADER), course.member("bob", Role.STUDENT)
    course.assessment.submit(bob, "rl", "ps1", b'{"answer": 0}')
    files = (RIGHT, b'{"answer": 1}', b'{"answer": 0}')
    for expected in ([2, 3], []):
        found = [
            course.assessment.collect(grader, "rl", "ps1", "bob", data).submission for data in files
        ]
        assert [item.attempt for item in found if item is not None] == expected
    # The same bytes of another person, or at another assignment, are another matter.
    assert course.assessment.collect(grader, "rl", "ps1", "eve", RIGHT).submission.attempt == 1


def test_a_refused_notebook_of_a_stranger_does_not_enrol_them(course: World) -> None:
    grader = course.member("gus", Role.GRADER)
    with pytest.raises(InvalidNotebookError):
        course.assessment.collect(grader, "rl", "ps1", "bob", b"junk")
    with pytest.raises(NotFoundError):
        course.assessment.course(Caller("bob"), "rl")


def test_only_graders_collect(course: World) -> None:
    bob = course.member("bob", Role.STUDENT)
    with pytest.raises(ForbiddenError, match="grader"):
        course.assessment.collect(bob, "rl", "ps1", "bob", RIGHT)


def test_the_grade_table_has_the_last_attempt_of_everyone(course: World) -> None:
    ada, bob = course.member("ada", Role.STUDENT), course.member("bob", Role.STUDENT)
    course.assessment.submit(ada, "rl", "ps1", RIGHT)
    last = course.assessment.submit(ada, "rl", "ps1", RIGHT)
    of_bob = course.assessment.submit(bob, "rl", "ps1", RIGHT)
    grader = course.member("gus", Role.GRADER)
    rows = list(course.assessment.every_latest(grader, "rl"))
    assert {row.id for row in rows} == {last.id, of_bob.id}
    assert [row.id for row in course.assessment.every_latest(bob, "rl")] == [of_bob.id]


def test_every_change_is_in_the_audit_log_with_its_author(course: World) -> None:
    ada = course.member("ada", Role.STUDENT)
    received = course.assessment.submit(ada, "rl", "ps1", RIGHT)
    events = course.audit.events(offset=0, limit=50).items
    seen = {(event.user, event.action, event.subject) for event in events}
    assert {
        ("root", "course.created", "rl"),
        ("root", "assignment.released", "rl/ps1"),
        ("root", "member.enrolled", "rl/ada"),
        ("ada", "submission.received", str(received.id)),
    } <= seen


class FullAudit:
    """A log that takes no entry any more."""

    def audit(self, user: str, action: str, subject: str, detail: dict[str, Any]) -> None:
        msg = "The disk of the database is full."
        raise StorageFullError(msg)


def test_a_change_that_is_made_succeeds_although_its_audit_entry_cannot_be_written(
    course: World, grader: Any, clock: Any, admin: Caller, caplog: pytest.LogCaptureFixture
) -> None:
    woken: list[int] = []
    service = AssessmentService(
        courses=course.courses,
        submissions=course.submissions,
        blobs=course.blobs,
        grader=grader,
        audit=FullAudit(),
        seeds=course.seeds,
        clock=clock,
        on_queued=lambda: woken.append(1),
    )
    service.create_course(admin, "cv")
    service.release(admin, "cv", "ps1", b"source")
    course.roster.put_member(admin, "cv", "ada", Role.STUDENT)
    received = service.submit(Caller("ada"), "cv", "ps1", RIGHT)
    assert service.submission(Caller("ada"), received.id) == received
    assert woken == [1]
    for action in ("course.created", "assignment.released"):
        assert action in caplog.text
    assert f"submission.received to {received.id}" in caplog.text


def test_people_are_enrolled_under_the_names_of_their_identity_provider(course: World) -> None:
    eve = course.member("eve@uni.edu", Role.STUDENT)
    assert course.assessment.submit(eve, "rl", "ps1", RIGHT).user == "eve@uni.edu"


def test_what_waits_for_a_grade_is_every_attempt_oldest_first(course: World) -> None:
    ada = course.member("ada", Role.STUDENT)
    made = [course.assessment.submit(ada, "rl", "ps1", RIGHT).id for _ in range(3)]
    assert [item.id for item in course.assessment.waiting(ada, "rl")] == made


def test_who_was_removed_is_in_no_list_and_nothing_is_collected_for_them(course: World) -> None:
    grader, bob = course.member("gus", Role.GRADER), course.member("bob", Role.STUDENT)
    course.assessment.submit(bob, "rl", "ps1", RIGHT)
    rl = course.courses.course("rl")
    Rosters(course.database).remove_member(rl.id, "bob")
    assert course.assessment.submissions(grader, "rl", offset=0, limit=9).total == 0
    assert list(course.assessment.every_latest(grader, "rl")) == []
    with pytest.raises(ConflictError, match="was removed"):
        course.assessment.collect(grader, "rl", "ps1", "bob", b'{"answer": 1}')
    assert course.courses.membership(rl.id, "bob") is None


def test_a_time_that_cannot_be_kept_is_refused_by_its_name(course: World) -> None:
    grader = course.member("gus", Role.GRADER)
    for time in ("9999-12-31T23:00:00-12:00", "8999-12-31T23:00:00+00:00"):
        when = datetime.fromisoformat(time)
        with pytest.raises(InvalidInputError) as caught:
            course.assessment.collect(grader, "rl", "ps1", "bob", RIGHT, submitted_at=when)
        assert caught.value.field == "submitted_at"
