"""What was deleted and can be brought back."""

from __future__ import annotations

from typing import Protocol
from uuid import UUID

from jupyter_ppo.domain.access import Caller
from jupyter_ppo.domain.courses import Course
from jupyter_ppo.domain.errors import ForbiddenError, NotFoundError
from jupyter_ppo.domain.ports import CourseStore, Page, SubmissionStore
from jupyter_ppo.domain.roster import Trashed
from jupyter_ppo.domain.submissions import Submission
from jupyter_ppo.services.access import Access, no_course
from jupyter_ppo.services.audit import AuditLog, note


class TrashStore(Protocol):
    """What is stored of it."""

    def course(self, name: str) -> tuple[Course, Trashed | None]:
        """Return a course that is there or in the trash; raise ``NotFoundError``."""

    def courses(self, *, offset: int, limit: int) -> Page[Trashed]:
        """Return the deleted courses, newest first."""

    def items(self, course_id: UUID, *, offset: int, limit: int) -> Page[Trashed]:
        """Return a course's deleted assignments and submissions, newest first."""

    def delete_course(self, course_id: UUID, by: str) -> Trashed:
        """Put a course into the trash with all that is in it."""

    def restore_course(self, course_id: UUID) -> Trashed:
        """Bring a course back; raise ``ConflictError`` when it is there."""

    def delete_assignment(self, course_id: UUID, name: str, by: str) -> Trashed:
        """Put an assignment into the trash with its submissions; raise ``NotFoundError``."""

    def delete_submission(self, submission_id: UUID, by: str) -> Trashed:
        """Put one attempt into the trash: it counts no more."""

    def restore(self, course_id: UUID, item_id: UUID, by: str) -> Trashed:
        """Bring an assignment or a submission of the course back."""


class TrashService:
    """What was deleted and can be brought back; nothing is ever erased.

    Every method takes the caller first and checks their rights.
    """

    def __init__(
        self,
        *,
        courses: CourseStore,
        trash: TrashStore,
        submissions: SubmissionStore,
        audit: AuditLog,
    ) -> None:
        self._trash = trash
        self._submissions = submissions
        self._audit = audit
        self._access = Access(courses)

    def delete_course(self, caller: Caller, course_name: str) -> Trashed:
        """Put a course into the trash: it is there for nobody until it is restored. Admins only."""
        course = self._access.admin(caller, course_name)
        deleted = self._trash.delete_course(course.id, caller.user)
        note(self._audit, caller.user, "course.deleted", course_name, {})
        return deleted

    def restore_course(self, caller: Caller, course_name: str) -> Trashed:
        """Bring a course back with all that is in it. Admins only.

        Raises ``ConflictError`` when it is not in the trash.
        """
        if not caller.admin:
            self._access.admin(caller, course_name)
        restored = self._trash.restore_course(self._course(course_name)[0].id)
        note(self._audit, caller.user, "course.restored", course_name, {})
        return restored

    def deleted_courses(self, caller: Caller, *, offset: int, limit: int) -> Page[Trashed]:
        """Return the deleted courses, newest first. Admins only."""
        if not caller.admin:
            msg = "Only an admin of this server sees the deleted courses."
            raise ForbiddenError(msg)
        return self._trash.courses(offset=offset, limit=limit)

    def items(self, caller: Caller, course_name: str, *, offset: int, limit: int) -> Page[Trashed]:
        """Return what of a course is in the trash, newest first. Instructors only.

        Of a course that was deleted itself an admin gets that one item.
        """
        if caller.admin:
            course, deleted = self._course(course_name)
            if deleted is not None:
                return Page((deleted,)[offset : offset + limit], 1, offset, limit)
        else:
            course = self._access.author(caller, course_name)
        return self._trash.items(course.id, offset=offset, limit=limit)

    def delete_assignment(self, caller: Caller, course_name: str, name: str) -> Trashed:
        """Put an assignment into the trash with its submissions. Instructors only."""
        course = self._access.author(caller, course_name)
        deleted = self._trash.delete_assignment(course.id, name, caller.user)
        note(self._audit, caller.user, "assignment.deleted", f"{course_name}/{name}", {})
        return deleted

    def delete_submission(self, caller: Caller, submission_id: UUID) -> Trashed:
        """Put one attempt into the trash: another one of that student counts. Instructors only."""
        submission = self._submission(submission_id)
        if submission is None or not self._access.may_see(caller, submission):
            msg = "There is no such submission."  # the same for a foreign one and for none
            raise NotFoundError(msg, field="submission")
        if not self._access.may_author(caller, submission):
            msg = "Only an instructor of this course may delete a submission."
            raise ForbiddenError(msg)
        deleted = self._trash.delete_submission(submission_id, caller.user)
        note(self._audit, caller.user, "submission.deleted", str(submission_id), {})
        return deleted

    def restore(self, caller: Caller, course_name: str, item_id: UUID) -> Trashed:
        """Bring an assignment or a submission of the course back. Instructors only.

        Raises ``NotFoundError`` when nothing of this id is in the trash of this course.
        """
        course = self._access.author(caller, course_name)
        restored = self._trash.restore(course.id, item_id, caller.user)
        note(self._audit, caller.user, f"{restored.kind}.restored", str(item_id), {})
        return restored

    def _course(self, name: str) -> tuple[Course, Trashed | None]:
        try:
            return self._trash.course(name)
        except NotFoundError:
            raise no_course(name) from None

    def _submission(self, submission_id: UUID) -> Submission | None:
        try:
            return self._submissions.submission(submission_id)
        except NotFoundError:
            return None
