"""Who may do what. Every use case asks here, and only here."""

from __future__ import annotations

from uuid import UUID

from jupyter_ppo.domain.access import Caller
from jupyter_ppo.domain.courses import COURSE_LIST, Course, Role
from jupyter_ppo.domain.errors import ForbiddenError, NotFoundError
from jupyter_ppo.domain.ports import CourseStore
from jupyter_ppo.domain.privacy import is_stand_in
from jupyter_ppo.domain.submissions import Submission


class Access:
    """The caller's rights in a course; a course looks absent to whoever is not in it."""

    def __init__(self, courses: CourseStore) -> None:
        self._courses = courses

    def course(self, caller: Caller, name: str) -> tuple[Course, Role]:
        """Return the course and the caller's role in it; raise ``NotFoundError``."""
        try:
            course = self._courses.course(name)
        except NotFoundError:
            course = None
        role = self.role(caller, course) if course else None
        if course is None or role is None:
            raise no_course(name)
        return course, role

    def role(self, caller: Caller, course: Course) -> Role | None:
        """Return the caller's role in ``course``, or None."""
        return self.role_in(caller, course.id)

    def role_in(self, caller: Caller, course_id: UUID) -> Role | None:
        """Return the caller's role in a course of which only the id is known, or None."""
        if caller.admin:
            return Role.ADMIN
        # Of who was erased a row stays for statistics: who signs in by its name has no rights.
        if is_stand_in(caller.user):
            return None
        if caller.grants is not None:
            return caller.grants.get(course_id)
        membership = self._courses.membership(course_id, caller.user)
        return membership.role if membership else None

    def author(self, caller: Caller, name: str) -> Course:
        """Return the course if the caller may release in it; raise ``ForbiddenError``."""
        course, role = self.course(caller, name)
        if not role.may_author:
            msg = f"Only an instructor of {name!r} may do this; you are a {role} there."
            raise ForbiddenError(msg)
        return course

    def admin(self, caller: Caller, name: str) -> Course:
        """Return the course if the caller is an admin; raise ``ForbiddenError``."""
        course, role = self.course(caller, name)
        if role is not Role.ADMIN:
            msg = f"Only an admin of this server may do this; you are a {role} of {name!r}."
            raise ForbiddenError(msg)
        return course

    def grader(self, caller: Caller, name: str) -> Course:
        """Return the course if the caller may grade in it; raise ``ForbiddenError``."""
        course, role = self.course(caller, name)
        if not role.may_grade:
            msg = f"Only a grader of {name!r} may do this; you are a {role} there."
            raise ForbiddenError(msg)
        return course

    def may_grade(self, caller: Caller, submission: Submission) -> bool:
        """Whether the caller grades in the submission's course."""
        role = self.role_in(caller, submission.course_id)
        return role is not None and role.may_grade

    def may_author(self, caller: Caller, submission: Submission) -> bool:
        """Whether the caller is an instructor of the submission's course."""
        role = self.role_in(caller, submission.course_id)
        return role is not None and role.may_author

    def may_see(self, caller: Caller, submission: Submission) -> bool:
        """Whether the caller owns the submission or grades in its course."""
        role = self.role_in(caller, submission.course_id)
        return role is not None and (role.may_grade or submission.user == caller.user)


def no_course(name: str) -> NotFoundError:
    """Return what is told of a course that is not there, foreign, or in the trash: the same."""
    msg = f"There is no course {name!r}. {COURSE_LIST}"
    return NotFoundError(msg, field="course")
