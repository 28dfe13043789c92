"""When an assignment may be handed in, and who has more time."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from jupyter_ppo.domain.access import Caller
from jupyter_ppo.domain.courses import Assignment, checked_user
from jupyter_ppo.domain.errors import EditConflictError
from jupyter_ppo.domain.ports import Clock, CourseStore, Page
from jupyter_ppo.domain.roster import checked_group
from jupyter_ppo.domain.terms import (
    Extension,
    MoreTime,
    OwnTerms,
    Terms,
    check_opened,
    late_data,
)
from jupyter_ppo.services.access import Access
from jupyter_ppo.services.audit import AuditLog, note


class TermsStore(Protocol):
    """What is stored of it; every change settles what counts for those whom it concerns."""

    def terms(self, assignment_id: UUID) -> Terms:
        """Return the terms, without anybody's extensions."""

    def own(self, assignment_ids: Collection[UUID], user: str) -> Mapping[UUID, OwnTerms]:
        """Return the terms of each assignment as they are for ``user``."""

    def save(self, assignment_id: UUID, terms: Terms, by: str) -> Terms | None:
        """Store the terms; None, and no change, when ``terms.revision`` is not the one stored."""

    def extensions(
        self, assignment_id: UUID, *, revoked: bool = False, offset: int, limit: int
    ) -> Page[Extension]:
        """Return the extensions, newest first; those that were revoked only with ``revoked``."""

    def extend(self, assignment: Assignment, more: MoreTime, by: str) -> Extension:
        """Add an extension; raise ``NotFoundError`` when the course has no such person or group."""

    def revoke(self, assignment: Assignment, extension_id: UUID, by: str) -> Extension:
        """Take an extension back, and keep it as revoked; raise ``NotFoundError``."""


@dataclass(frozen=True, slots=True)
class TermsView:
    """The terms of an assignment, and as they are for the one who asks at ``now``."""

    terms: Terms
    own: OwnTerms
    now: datetime


@dataclass(frozen=True, slots=True)
class AssignmentView:
    """An assignment with its terms as they are for the one who asks."""

    assignment: Assignment
    own: OwnTerms


class TermsService:
    """When an assignment may be handed in, and who has more time.

    Every method takes the caller first and checks their rights.
    """

    def __init__(
        self,
        *,
        courses: CourseStore,
        terms: TermsStore,
        clock: Clock,
        audit: AuditLog,
    ) -> None:
        self._courses = courses
        self._terms = terms
        self._clock = clock
        self._audit = audit
        self._access = Access(courses)

    def assignments(
        self, caller: Caller, course_name: str, *, offset: int, limit: int
    ) -> Page[AssignmentView]:
        """Return the course's assignments by name; students see those that are open to them."""
        course, role = self._access.course(caller, course_name)
        opened_by = None if role.may_grade else self._clock.now()
        page = self._courses.assignments(course.id, opened_by=opened_by, offset=offset, limit=limit)
        own = self._terms.own([each.id for each in page.items], caller.user)
        items = tuple(AssignmentView(each, own[each.id]) for each in page.items)
        return Page(items, page.total, page.offset, page.limit)

    def assignment(self, caller: Caller, course_name: str, name: str) -> AssignmentView:
        """Return one assignment; raise ``NotFoundError``, to students also before it opens."""
        course, role = self._access.course(caller, course_name)
        assignment = self._courses.assignment(course.id, name)
        if not role.may_grade:
            check_opened(assignment.terms, name, self._clock.now())
        own = self._terms.own([assignment.id], caller.user)
        return AssignmentView(assignment, own[assignment.id])

    def terms(self, caller: Caller, course_name: str, name: str) -> TermsView:
        """Return an assignment's terms, and those of the caller with their extensions."""
        view = self.assignment(caller, course_name, name)
        return TermsView(view.assignment.terms, view.own, self._clock.now())

    def set_terms(self, caller: Caller, course_name: str, name: str, terms: Terms) -> TermsView:
        """Store new terms; ``terms.revision`` is the one that was seen. Instructors only.

        What was handed in already is judged by them from now on. Raises ``InvalidInputError``
        naming the part that cannot be used, ``EditConflictError`` when somebody saved in between.
        """
        course = self._access.author(caller, course_name)
        terms.check()
        assignment = self._courses.assignment(course.id, name)
        saved = self._terms.save(assignment.id, terms, caller.user)
        if saved is None:
            stored = self._terms.terms(assignment.id)
            msg = (
                f"revision: the terms of {name} are at revision {stored.revision} now, and you saw "
                f"{terms.revision}. Look at them and save again."
            )
            raise EditConflictError(
                msg, yours=terms_data(terms), theirs=terms_data(stored), field="revision"
            )
        note(
            self._audit,
            caller.user,
            "terms.changed",
            f"{course_name}/{name}",
            {"before": terms_data(assignment.terms), "after": terms_data(saved)},
        )
        return self.terms(caller, course_name, name)

    def extensions(
        self,
        caller: Caller,
        course_name: str,
        name: str,
        *,
        revoked: bool = False,
        offset: int,
        limit: int,
    ) -> Page[Extension]:
        """Return an assignment's extensions, newest first. Graders only."""
        course = self._access.grader(caller, course_name)
        assignment = self._courses.assignment(course.id, name)
        return self._terms.extensions(assignment.id, revoked=revoked, offset=offset, limit=limit)

    def extend(self, caller: Caller, course_name: str, name: str, more: MoreTime) -> Extension:
        """Give one person or one group more time or attempts; it adds up. Instructors only.

        Raises ``InvalidInputError`` naming the part that cannot be used, ``NotFoundError`` when the
        course has no such person or group.
        """
        course = self._access.author(caller, course_name)
        assignment = self._courses.assignment(course.id, name)
        if more.user is not None:
            more = replace(more, user=checked_user(more.user))
        if more.group is not None:
            more = replace(more, group=checked_group(more.group))
        extension = self._terms.extend(assignment, more, caller.user)
        self._note_extension(caller, "extension.given", f"{course_name}/{name}", extension)
        return extension

    def revoke(self, caller: Caller, course_name: str, name: str, extension_id: UUID) -> Extension:
        """Take an extension back; it is kept as revoked. Instructors only."""
        course = self._access.author(caller, course_name)
        assignment = self._courses.assignment(course.id, name)
        extension = self._terms.revoke(assignment, extension_id, caller.user)
        self._note_extension(caller, "extension.revoked", f"{course_name}/{name}", extension)
        return extension

    def _note_extension(
        self, caller: Caller, action: str, subject: str, extension: Extension
    ) -> None:
        detail = {
            "id": str(extension.id),
            "user": extension.user,
            "group": extension.group,
            "seconds": extension.seconds,
            "attempts": extension.attempts,
            "reason": extension.reason,
        }
        note(self._audit, caller.user, action, subject, detail)


def terms_data(terms: Terms) -> dict[str, Any]:
    """Return terms as plain data, in the shape in which they are answered."""

    def shown(time: datetime | None) -> str | None:
        return None if time is None else time.isoformat()

    return {
        "opens_at": shown(terms.opens_at),
        "due_at": shown(terms.due_at),
        "closes_at": shown(terms.closes_at),
        "grace_seconds": terms.grace_seconds,
        "late": late_data(terms.late),
        "max_attempts": terms.max_attempts,
        "counting": terms.counting.value,
        "autograde": terms.autograde,
        "grades": terms.grades.value,
        "revision": terms.revision,
    }
