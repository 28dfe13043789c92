"""Who is in a course because somebody else keeps the list: a hub, by its groups."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from jupyter_ppo.domain.courses import Course, Membership, Role, checked_name, one_spelling
from jupyter_ppo.domain.errors import ConflictError, InvalidInputError, NotFoundError
from jupyter_ppo.domain.ports import Page
from jupyter_ppo.services.audit import AuditLog, note
from jupyter_ppo.services.paging import every_page

_PAGE = 500
#: Of so many people it is remembered that nothing is to be written.
_REMEMBERED = 20_000
#: Who acts, in the audit log.
BY_HUB = "(hub)"


class CourseList(Protocol):
    """What is asked of the courses."""

    def create_course(self, name: str, title: str) -> Course:
        """Add a course; raise ``ConflictError`` when the name is taken."""

    def course(self, name: str) -> Course:
        """Return a course by name; raise ``NotFoundError``."""

    def courses(self, user: str | None, *, offset: int, limit: int) -> Page[Course]:
        """Return the courses that ``user`` is in."""

    def enrol(self, course_id: UUID, user: str, role: Role) -> Membership:
        """Give ``user`` this role; who was removed is back."""

    def membership(self, course_id: UUID, user: str) -> Membership | None:
        """Return the person's membership; None also for who was removed."""


class Removing(Protocol):
    """What is asked of the rosters."""

    def remove_member(self, course_id: UUID, user: str) -> object:
        """Take a person out of a course; all that is theirs is kept."""


@dataclass(frozen=True, slots=True)
class _Known:
    held: Mapping[str, Role]
    ids: Mapping[str, UUID]
    until: float


class EnrolmentService:
    """Keeps memberships as the hub's groups are, person by person, when they come.

    What a person may do in a request is never read from the memberships then: it is what
    ``grants`` returns. The memberships say who is in the class, for the gradebook and the roster.
    ``seconds`` is how long it is taken for granted that they are as they were left.
    """

    def __init__(
        self,
        *,
        courses: CourseList,
        rosters: Removing,
        audit: AuditLog,
        seconds: float = 60.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._courses = courses
        self._rosters = rosters
        self._audit = audit
        self._seconds = seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._known: dict[str, _Known] = {}

    def grants(
        self, user: str, held: Mapping[str, Role], allowed: Mapping[str, Role]
    ) -> dict[UUID, Role]:
        """Return the roles ``allowed`` in this request by course id.

        ``held`` are the person's roles by the name of the course, as the groups say, and become
        the memberships. ``allowed`` are no higher: what the token that asks may use of them. A
        course that an instructor comes to and that is not there is made; of any other that is not
        there, or in the trash, nothing is granted.
        """
        known = self.remembered(user, held, allowed)
        if known is not None:
            return known
        return _granted(self._bring_in_line(one_spelling(user), held, allowed), allowed)

    def remembered(
        self, user: str, held: Mapping[str, Role], allowed: Mapping[str, Role]
    ) -> dict[UUID, Role] | None:
        """Return what ``grants`` would, None when it would have to ask the database."""
        ids = self._remembered(one_spelling(user), held)
        return None if ids is None else _granted(ids, allowed)

    def _remembered(self, user: str, held: Mapping[str, Role]) -> Mapping[str, UUID] | None:
        with self._lock:
            known = self._known.get(user)
        if known is None or known.held != held or known.until < self._clock():
            return None
        return known.ids

    def _bring_in_line(
        self, user: str, held: Mapping[str, Role], allowed: Mapping[str, Role]
    ) -> Mapping[str, UUID]:
        ids: dict[str, UUID] = {}
        for name, role in held.items():
            course = self._course(name, may_make=allowed.get(name) is Role.INSTRUCTOR)
            if course is None:
                continue
            ids[name] = course.id
            now = self._courses.membership(course.id, user)
            if now is None or now.role is not role:
                self._courses.enrol(course.id, user, role)
                note(self._audit, BY_HUB, "member.enrolled", f"{name}/{user}", {"role": role})
        self._remove_elsewhere(user, frozenset(ids.values()))
        known = _Known(dict(held), ids, self._clock() + self._seconds)
        with self._lock:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            # A course that is yet to be made is looked for again at the next request.
            if ids.keys() == held.keys():
                self._known[user] = known
        return ids

    def _course(self, name: str, *, may_make: bool) -> Course | None:
        try:
            return self._courses.course(name)
        except NotFoundError:
            if not may_make:
                return None
        try:
            made = self._courses.create_course(checked_name(name, "name"), name)
        except InvalidInputError:
            return None  # a group of somebody else's that happens to look like ours
        except ConflictError:
            return self._made_meanwhile(name)
        note(self._audit, BY_HUB, "course.created", name, {})
        return made

    def _made_meanwhile(self, name: str) -> Course | None:
        try:
            return self._courses.course(name)
        except NotFoundError:
            return None  # it is in the trash

    def _remove_elsewhere(self, user: str, present: frozenset[UUID]) -> None:
        pages = every_page(lambda offset: self._courses.courses(user, offset=offset, limit=_PAGE))
        for course in [course for course in pages if course.id not in present]:
            try:
                self._rosters.remove_member(course.id, user)
            except (NotFoundError, ConflictError):
                # Gone meanwhile, or the last instructor: the row stays and grants nothing.
                continue
            note(self._audit, BY_HUB, "member.removed", f"{course.name}/{user}", {})


def _granted(ids: Mapping[str, UUID], allowed: Mapping[str, Role]) -> dict[UUID, Role]:
    return {ids[name]: role for name, role in allowed.items() if name in ids}
