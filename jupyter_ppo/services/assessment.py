"""What students and instructors do: courses, releases, submissions, grades."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from jupyter_ppo.autograde.feedback import with_marks
from jupyter_ppo.domain.access import Caller
from jupyter_ppo.domain.courses import (
    Assignment,
    AssignmentKind,
    Course,
    Role,
    checked_name,
    checked_user,
    one_spelling,
)
from jupyter_ppo.domain.entries import checked_attempt, checked_kind
from jupyter_ppo.domain.errors import ForbiddenError, NotFoundError
from jupyter_ppo.domain.grading import Grade
from jupyter_ppo.domain.ports import (
    BlobStore,
    Clock,
    CourseStore,
    Grader,
    Page,
    SubmissionStore,
)
from jupyter_ppo.domain.sealing import CellSealing
from jupyter_ppo.domain.submissions import Submission, SubmissionState
from jupyter_ppo.domain.terms import check_opened
from jupyter_ppo.services.access import Access
from jupyter_ppo.services.audit import AuditLog, note
from jupyter_ppo.services.paging import every_page
from jupyter_ppo.services.seeds import PersonalSeeds
from jupyter_ppo.services.submitting import SubmissionIntake
from jupyter_ppo.services.versions import checked_note

_PAGE = 500


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

    What students get is what they may see: assignments once they are open, points and feedback
    once they are released. ``on_queued`` is called after a submission was queued, so that a worker
    need not wait for its next look at the queue, ``on_released`` with the course after a release.
    ``attempts_per_hour`` bounds what a student may hand in for one assignment (0: no bound), since
    each grade tells a little of the tests.
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
        clock: Clock,
        attempts_per_hour: int = 0,
        on_queued: Callable[[], None] = lambda: None,
        on_released: Callable[[UUID], None] = lambda _: None,
    ) -> None:
        self._courses = courses
        self._submissions = submissions
        self._blobs = blobs
        self._grader = grader
        self._audit = audit
        self._seeds = seeds
        self._clock = clock
        self._on_queued = on_queued
        self._on_released = on_released
        self._access = Access(courses)
        self._intake = SubmissionIntake(
            courses=courses,
            submissions=submissions,
            blobs=blobs,
            grader=grader,
            audit=audit,
            clock=clock,
            attempts_per_hour=attempts_per_hour,
            on_queued=on_queued,
        )

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

    # -- assignments -------------------------------------------------------------------------

    def assignments(
        self, caller: Caller, course_name: str, *, offset: int, limit: int
    ) -> Page[Assignment]:
        """Return the course's assignments by name; students see those that are open to them."""
        course, role = self._access.course(caller, course_name)
        opened_by = None if role.may_grade else self._clock.now()
        return self._courses.assignments(course.id, opened_by=opened_by, offset=offset, limit=limit)

    def assignment(self, caller: Caller, course_name: str, name: str) -> Assignment:
        """Return one assignment with its newest version.

        Raises ``NotFoundError``, to students also before it opens.
        """
        course, role = self._access.course(caller, course_name)
        return self._opened(course, role, name)

    def _opened(self, course: Course, role: Role, name: str) -> Assignment:
        assignment = self._courses.assignment(course.id, name)
        if not role.may_grade:
            check_opened(assignment.terms, name, self._clock.now())
        return assignment

    def release(
        self, caller: Caller, course_name: str, name: str, source: bytes, words: str = ""
    ) -> Released:
        """Release the author's notebook as the assignment's next version. Instructors only.

        ``words`` say what is new in it. Its terms stay as they are. Raises
        ``InvalidNotebookError`` naming the cell that cannot be released.
        """
        course = self._access.author(caller, course_name)
        checked_name(name, "assignment")
        said = checked_note(words)
        made = self._grader.release(source)
        assignment = self._courses.release(
            course.id,
            name,
            source_digest=self._blobs.put(source),
            release_digest=self._blobs.put(made.release),
            exercises=made.exercises,
            note=said,
            released_by=caller.user,
        )
        self._note(
            caller.user,
            "assignment.released",
            f"{course_name}/{name}",
            {"version": assignment.version.number},
        )
        self._on_released(course.id)
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
        checked_kind(assignment, AssignmentKind.NOTEBOOK)
        owner = caller.user if user is None else checked_user(user)
        return self._seeds.copy(assignment.course_id, assignment.version, owner)

    # -- submissions -------------------------------------------------------------------------

    def submit(
        self,
        caller: Caller,
        course_name: str,
        name: str | None,
        data: bytes,
        *,
        idempotency_key: str | None = None,
    ) -> Submission:
        """Keep the notebook as the caller's next attempt and queue it for grading.

        Without a ``name`` the assignment is the one that the notebook's graded cells are of. The
        same bytes with the same ``idempotency_key`` are the same attempt (``is_repeat``). The bytes
        are on disk before this returns. Raises ``InvalidInputError`` (and keeps nothing) when they
        cannot be graded at all; to students ``NotFoundError`` before the assignment opens,
        ``ForbiddenError`` once it is closed or no attempt is left, ``TooManyRequestsError`` when
        they try too often.
        """
        course, role = self._access.course(caller, course_name)
        if name is None:
            assignment = self._intake.find(course, role, data)
        else:
            assignment = self._courses.assignment(course.id, name)
        submission = self._intake.submit(caller, role, assignment, data, idempotency_key)
        return submission if role.may_grade else submission.for_student()

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
        attempt of theirs holds the very same bytes, so that collecting twice is harmless. It is
        taken whenever it comes; ``submitted_at`` says how late it is.
        """
        course = self._access.grader(caller, course_name)
        assignment = self._courses.assignment(course.id, name)
        user = checked_user(user)
        submission, enrolled = self._intake.collect(caller, assignment, user, data, submitted_at)
        if enrolled:
            self._note(
                caller.user, "member.enrolled", f"{course_name}/{user}", {"role": Role.STUDENT}
            )
        return Collected(submission, enrolled)

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
        elif user is not None:
            user = one_spelling(user)
        found = self._opened(course, role, assignment) if assignment else None
        page = self._submissions.submissions(
            course.id,
            user=user,
            assignment_id=found.id if found else None,
            latest=latest,
            for_student=not role.may_grade,
            offset=offset,
            limit=limit,
        )
        if role.may_grade:
            return page
        return replace(page, items=tuple(each.for_student() for each in page.items))

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
        if self._access.may_grade(caller, submission):
            return submission
        return submission.for_student()

    def submitted_notebook(self, caller: Caller, submission_id: UUID) -> bytes:
        """Return the submitted bytes exactly as they came."""
        submission = self.submission(caller, submission_id)
        return self._blobs.get(checked_attempt(submission, AssignmentKind.NOTEBOOK).digest)

    # -- grades ------------------------------------------------------------------------------

    def request_grading(self, caller: Caller, submission_id: UUID) -> Submission:
        """Queue a submission that is not under way, also again. Graders only."""
        submission = self.submission(caller, submission_id)
        if not self._access.may_grade(caller, submission):
            msg = "Only a grader of this course may have a submission graded again."
            raise ForbiddenError(msg)
        queued = self._submissions.regrade(submission_id)
        self._note(caller.user, "submission.regrade", str(submission_id), {})
        self._on_queued()
        return queued

    def grade(self, caller: Caller, submission_id: UUID) -> Grade:
        """Return a submission's grade with people's marks.

        Raises ``NotFoundError`` while there is none, and to its student while it is not released;
        they are not told who marked it.
        """
        return self._grade(caller, self.submission(caller, submission_id))

    def feedback(self, caller: Caller, submission_id: UUID) -> bytes:
        """Return the feedback page of a graded submission: UTF-8 HTML, sanitised.

        With people's marks and what lateness costs as they are now; raises like ``grade``.
        """
        submission = self.submission(caller, submission_id)
        grade = self._grade(caller, submission)
        return with_marks(self._blobs.get(grade.feedback_digest), grade, submission)

    def _grade(self, caller: Caller, submission: Submission) -> Grade:
        grade = self._submissions.grade(submission.id)
        if grade is None:
            msg = f"Submission {submission.id} is not graded yet."
            raise NotFoundError(msg, field="submission")
        if self._access.may_grade(caller, submission):
            return grade
        if submission.released_at is None:
            msg = f"The grade of submission {submission.id} is not released yet."
            raise NotFoundError(msg, field="submission")
        return grade.for_student()
