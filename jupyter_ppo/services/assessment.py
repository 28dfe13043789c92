"""What students and instructors do: courses, releases, submissions, grades."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from jupyter_ppo.domain.access import Caller
from jupyter_ppo.domain.courses import (
    Assignment,
    Course,
    Membership,
    Role,
    checked_name,
    checked_user,
)
from jupyter_ppo.domain.errors import ConflictError, ForbiddenError, NotFoundError
from jupyter_ppo.domain.grading import Grade
from jupyter_ppo.domain.ports import (
    BlobStore,
    CourseStore,
    Grader,
    Page,
    ReleasedNotebook,
    SubmissionStore,
)
from jupyter_ppo.domain.sealing import CellSealing
from jupyter_ppo.domain.submissions import Submission, SubmissionState
from jupyter_ppo.services.access import Access
from jupyter_ppo.services.paging import every_page
from jupyter_ppo.services.seeds import PersonalSeeds

_log = logging.getLogger(__name__)

_PAGE = 500


class AuditLog(Protocol):
    """Where every change is written down, by whom and when."""

    def audit(self, user: str, action: str, subject: str, detail: dict[str, Any]) -> None:
        """Append one entry."""


def note(audit: AuditLog, user: str, action: str, subject: str, detail: dict[str, Any]) -> None:
    """Write an audit entry about what is done already.

    An entry that cannot be written goes to the log: the change is made and must not look as if it
    had failed.
    """
    try:
        audit.audit(user, action, subject, detail)
    except Exception:
        _log.exception("no audit entry: %r did %s to %s, %r", user, action, subject, detail)


@dataclass(frozen=True, slots=True)
class CourseView:
    """A course as its member sees it."""

    course: Course
    role: Role


@dataclass(frozen=True, slots=True)
class Released:
    """A released assignment; ``hidden_tests`` counts its cells with tests kept from students.

    ``cells`` says of each test cell what can be known without running it, ``has_student_seed``
    whether each student's data come from a seed of their own.
    """

    assignment: Assignment
    hidden_tests: int
    cells: tuple[CellSealing, ...] = ()
    has_student_seed: bool = False


@dataclass(frozen=True, slots=True)
class Collected:
    """What came of a notebook that was taken in.

    ``submission`` is None when it was there already; ``enrolled`` says that its student is new.
    """

    submission: Submission | None
    enrolled: bool


class AssessmentService:
    """Use cases of a course. Every method takes the caller first and checks their rights.

    ``on_queued`` is called after a submission was queued, so that a worker need not wait for its
    next look at the queue. ``attempts_per_hour`` bounds what a student may hand in for one
    assignment (0: no bound), since each grade tells a little of the tests.
    """

    def __init__(
        self,
        *,
        courses: CourseStore,
        submissions: SubmissionStore,
        blobs: BlobStore,
        grader: Grader,
        audit: AuditLog,
        seeds: PersonalSeeds,
        attempts_per_hour: int = 0,
        on_queued: Callable[[], None] = lambda: None,
    ) -> None:
        self._courses = courses
        self._submissions = submissions
        self._blobs = blobs
        self._grader = grader
        self._audit = audit
        self._seeds = seeds
        self._attempts_per_hour = attempts_per_hour
        self._on_queued = on_queued
        self._access = Access(courses)

    def _note(self, user: str, action: str, subject: str, detail: dict[str, Any]) -> None:
        note(self._audit, user, action, subject, detail)

    # -- courses -----------------------------------------------------------------------------

    def create_course(self, caller: Caller, name: str, title: str = "") -> CourseView:
        """Create a course; its creator is its instructor. Admins only."""
        if not caller.admin:
            msg = "Only an admin may create a course."
            raise ForbiddenError(msg)
        course = self._courses.create_course(checked_name(name, "name"), title.strip() or name)
        self._courses.enrol(course.id, caller.user, Role.INSTRUCTOR)
        self._note(caller.user, "course.created", name, {})
        return CourseView(course, Role.ADMIN)

    def courses(self, caller: Caller, *, offset: int, limit: int) -> Page[CourseView]:
        """Return the caller's courses by name; an admin sees all of them."""
        user = None if caller.admin else caller.user
        page = self._courses.courses(user, offset=offset, limit=limit)
        views = ((course, self._access.role(caller, course)) for course in page.items)
        items = tuple(CourseView(course, role) for course, role in views if role is not None)
        return Page(items, page.total, page.offset, page.limit)

    def course(self, caller: Caller, name: str) -> CourseView:
        """Return one course; raise ``NotFoundError`` also when the caller is not in it."""
        return CourseView(*self._access.course(caller, name))

    def enrol(self, caller: Caller, course_name: str, user: str, role: Role) -> Membership:
        """Give a person a role in the course, replacing an earlier one. Instructors only."""
        course = self._access.author(caller, course_name)
        if role is Role.ADMIN:
            msg = "role: admins are named in the server's configuration, not in a course."
            raise ForbiddenError(msg, field="role")
        now = self._courses.membership(course.id, checked_user(user))
        if user == caller.user and now and now.role is Role.INSTRUCTOR is not role:
            msg = "user: you cannot give up your own role of instructor; ask another instructor."
            raise ConflictError(msg, field="user")
        membership = self._courses.enrol(course.id, user, role)
        self._note(caller.user, "member.enrolled", f"{course_name}/{user}", {"role": role})
        return membership

    # -- assignments -------------------------------------------------------------------------

    def assignments(
        self, caller: Caller, course_name: str, *, offset: int, limit: int
    ) -> Page[Assignment]:
        """Return the course's assignments by name."""
        course, _ = self._access.course(caller, course_name)
        return self._courses.assignments(course.id, offset=offset, limit=limit)

    def assignment(self, caller: Caller, course_name: str, name: str) -> Assignment:
        """Return one assignment with its newest version."""
        course, _ = self._access.course(caller, course_name)
        return self._courses.assignment(course.id, name)

    def release(self, caller: Caller, course_name: str, name: str, source: bytes) -> Released:
        """Release the author's notebook as the assignment's next version. Instructors only.

        Raises ``InvalidNotebookError`` naming the cell that cannot be released.
        """
        course = self._access.author(caller, course_name)
        checked_name(name, "assignment")
        made = self._grader.release(source)
        assignment = self._courses.release(
            course.id,
            name,
            source_digest=self._blobs.put(source),
            release_digest=self._blobs.put(made.release),
            exercises=made.exercises,
        )
        self._note(
            caller.user,
            "assignment.released",
            f"{course_name}/{name}",
            {"version": assignment.version.number},
        )
        has_seed = self._grader.uses_seed(source)
        return Released(assignment, made.hidden_tests, made.cells, has_seed)

    def released_notebook(
        self, caller: Caller, course_name: str, name: str, user: str | None = None
    ) -> bytes:
        """Return the students' copy of the newest version, with the seed of ``user`` if it has one.

        ``user`` is the caller unless a grader names somebody else. The copy that one person gets is
        always the same.
        """
        if user not in {None, caller.user}:
            self._access.grader(caller, course_name)
        assignment = self.assignment(caller, course_name, name)
        owner = caller.user if user is None else checked_user(user)
        return self._seeds.copy(assignment.course_id, assignment.version, owner)

    # -- submissions -------------------------------------------------------------------------

    def submit(self, caller: Caller, course_name: str, name: str, data: bytes) -> Submission:
        """Keep the notebook as the caller's next attempt and queue it for grading.

        The bytes are on disk before this returns. Raises ``InvalidInputError`` (and keeps nothing)
        when they cannot be graded at all, ``TooManyRequestsError`` when a student tries too often.
        """
        course, role = self._access.course(caller, course_name)
        assignment, digest, warnings = self._received(course, name, data)
        bound = 0 if role.may_grade else self._attempts_per_hour
        return self._queue(caller, assignment, caller.user, digest, warnings, per_hour=bound)

    def collect(
        self,
        caller: Caller,
        course_name: str,
        name: str,
        user: str,
        data: bytes,
        *,
        submitted_at: datetime | None = None,
    ) -> Collected:
        """Take in a student's notebook that came by another way. Graders only.

        A person who is not in the course is enrolled as a student. Nothing is submitted when any
        attempt of theirs holds the very same bytes, so that collecting twice is harmless.
        """
        course = self._access.grader(caller, course_name)
        checked_user(user)
        assignment, digest, warnings = self._received(course, name, data)
        enrolled = self._courses.membership(course.id, user) is None
        if enrolled:
            self._courses.enrol(course.id, user, Role.STUDENT)
            self._note(
                caller.user, "member.enrolled", f"{course_name}/{user}", {"role": Role.STUDENT}
            )
        if any(item.digest == digest for item in self._attempts(assignment, user)):
            return Collected(None, enrolled)
        submission = self._queue(
            caller, assignment, user, digest, warnings, submitted_at=submitted_at
        )
        return Collected(submission, enrolled)

    def _attempts(self, assignment: Assignment, user: str) -> Iterator[Submission]:
        return every_page(
            lambda offset: self._submissions.submissions(
                assignment.course_id,
                user=user,
                assignment_id=assignment.id,
                offset=offset,
                limit=_PAGE,
            )
        )

    def _received(
        self, course: Course, name: str, data: bytes
    ) -> tuple[Assignment, str, tuple[str, ...]]:
        assignment = self._courses.assignment(course.id, name)
        version = assignment.version
        released = ReleasedNotebook(self._blobs.get(version.release_digest), version.exercises)
        warnings = self._grader.check(data, released)
        return assignment, self._blobs.put(data), warnings

    def _queue(
        self,
        caller: Caller,
        assignment: Assignment,
        user: str,
        digest: str,
        warnings: tuple[str, ...],
        *,
        submitted_at: datetime | None = None,
        per_hour: int = 0,
    ) -> Submission:
        submission = self._submissions.submit(
            assignment,
            user,
            digest,
            warnings,
            submitted_at=submitted_at,
            attempts_per_hour=per_hour,
        )
        self._note(caller.user, "submission.received", str(submission.id), {"digest": digest})
        self._on_queued()
        return submission

    def submissions(
        self,
        caller: Caller,
        course_name: str,
        *,
        user: str | None = None,
        assignment: str | None = None,
        latest: bool = False,
        offset: int,
        limit: int,
    ) -> Page[Submission]:
        """Return submissions, newest first; a student sees only their own."""
        course, role = self._access.course(caller, course_name)
        if not role.may_grade:
            if user not in {None, caller.user}:
                return Page((), 0, offset, limit)
            user = caller.user
        found = self._courses.assignment(course.id, assignment) if assignment else None
        return self._submissions.submissions(
            course.id,
            user=user,
            assignment_id=found.id if found else None,
            latest=latest,
            offset=offset,
            limit=limit,
        )

    def every_latest(
        self, caller: Caller, course_name: str, assignment: str | None = None
    ) -> Iterator[Submission]:
        """Yield what each student submitted last for each assignment: the rows of a grade table."""
        return self._every(caller, course_name, assignment, latest=True)

    def waiting(
        self, caller: Caller, course_name: str, assignment: str | None = None
    ) -> Iterator[Submission]:
        """Yield the submissions that are not graded yet, earlier attempts too, oldest first."""
        unfinished = {SubmissionState.QUEUED, SubmissionState.GRADING}
        every = self._every(caller, course_name, assignment, latest=False)
        return reversed([each for each in every if each.state in unfinished])

    def _every(
        self, caller: Caller, course_name: str, assignment: str | None, *, latest: bool
    ) -> Iterator[Submission]:
        return every_page(
            lambda offset: self.submissions(
                caller,
                course_name,
                assignment=assignment,
                latest=latest,
                offset=offset,
                limit=_PAGE,
            )
        )

    def submission(self, caller: Caller, submission_id: UUID) -> Submission:
        """Return a submission that the caller owns or grades; else raise ``NotFoundError``."""
        try:
            submission = self._submissions.submission(submission_id)
        except NotFoundError:
            submission = None
        if submission is None or not self._access.may_see(caller, submission):
            msg = "There is no such submission."  # the same for a foreign one and for none
            raise NotFoundError(msg, field="submission")
        return submission

    def submitted_notebook(self, caller: Caller, submission_id: UUID) -> bytes:
        """Return the submitted bytes exactly as they came."""
        return self._blobs.get(self.submission(caller, submission_id).digest)

    # -- grades ------------------------------------------------------------------------------

    def request_grading(self, caller: Caller, submission_id: UUID) -> Submission:
        """Queue a graded or failed submission again. Graders only."""
        submission = self.submission(caller, submission_id)
        if not self._access.may_grade(caller, submission):
            msg = "Only a grader of this course may have a submission graded again."
            raise ForbiddenError(msg)
        queued = self._submissions.regrade(submission_id)
        self._note(caller.user, "submission.regrade", str(submission_id), {})
        self._on_queued()
        return queued

    def grade(self, caller: Caller, submission_id: UUID) -> Grade:
        """Return a submission's grade; raise ``NotFoundError`` while there is none."""
        self.submission(caller, submission_id)
        grade = self._submissions.grade(submission_id)
        if grade is None:
            msg = f"Submission {submission_id} is not graded yet."
            raise NotFoundError(msg, field="submission")
        return grade

    def feedback(self, caller: Caller, submission_id: UUID) -> bytes:
        """Return the feedback page of a graded submission: UTF-8 HTML, sanitised."""
        return self._blobs.get(self.grade(caller, submission_id).feedback_digest)
