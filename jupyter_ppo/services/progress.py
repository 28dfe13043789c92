"""Progress: what happened goes into a log, and where a student stands follows from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol
from uuid import UUID

from jupyter_ppo.domain.access import Caller
from jupyter_ppo.domain.activity import MAX_EVENTS
from jupyter_ppo.domain.courses import one_spelling
from jupyter_ppo.domain.errors import InvalidInputError, NotFoundError
from jupyter_ppo.domain.ports import Clock, CourseStore, Page
from jupyter_ppo.domain.progress import derive
from jupyter_ppo.domain.progress_events import EventReceipt, NewEvent
from jupyter_ppo.domain.progress_records import (
    ClassMember,
    ClassSort,
    Progress,
    Recomputed,
    StudentState,
)
from jupyter_ppo.services.access import Access
from jupyter_ppo.services.audit import AuditLog, note
from jupyter_ppo.services.outlines import CourseOutlines


class EventStore(Protocol):
    """The log, to which clients add."""

    def append(
        self, course_id: UUID, user: str, events: Sequence[NewEvent], now: datetime
    ) -> tuple[EventReceipt, ...]:
        """Take what a client of ``user`` reports, all at once; answer each in its place."""


class StateStore(Protocol):
    """What the log of each person folds into."""

    def read(self, course_id: UUID, user: str) -> StudentState:
        """Return what the log of a person folds into, nothing if there is no event of theirs."""

    def page(
        self,
        course_id: UUID,
        *,
        search: str = "",
        sort: ClassSort = ClassSort.NAME,
        offset: int,
        limit: int,
    ) -> Page[ClassMember]:
        """Return the students of a course whose names hold every word of ``search``."""


class RecomputeStore(Protocol):
    """Makes states anew."""

    def recompute(self, course_id: UUID) -> Recomputed:
        """Fold the whole log of a course again."""


@dataclass(frozen=True, slots=True)
class StudentRow:
    """A student in the table of a class."""

    first_name: str
    last_name: str
    progress: Progress


class ProgressService:
    """Use cases of progress. Every method takes the caller first and checks their rights."""

    def __init__(
        self,
        *,
        courses: CourseStore,
        log: EventStore,
        states: StateStore,
        recomputing: RecomputeStore,
        outlines: CourseOutlines,
        clock: Clock,
        audit: AuditLog,
    ) -> None:
        self._courses = courses
        self._log = log
        self._states = states
        self._recomputing = recomputing
        self._outlines = outlines
        self._clock = clock
        self._audit = audit
        self._access = Access(courses)

    def report(
        self, caller: Caller, course_name: str, events: Sequence[NewEvent]
    ) -> tuple[EventReceipt, ...]:
        """Take events of the caller's own work into the log, each key once for ever. Members.

        Each is answered in its place; whatever the answer is, it need not be sent again. Raises
        ``InvalidInputError`` for no events or more than 200.
        """
        course, _ = self._access.course(caller, course_name)
        if not 1 <= len(events) <= MAX_EVENTS:
            msg = f"events: there are {len(events):,}. Send 1 to {MAX_EVENTS} at a time."
            raise InvalidInputError(msg, field="events")
        spelled = [
            replace(each, user=None if each.user is None else one_spelling(each.user))
            for each in events
        ]
        return self._log.append(course.id, caller.user, spelled, self._clock.now())

    def mine(self, caller: Caller, course_name: str) -> Progress:
        """Return where the caller stands. Members."""
        course, _ = self._access.course(caller, course_name)
        return self._progress(course.id, caller.user)

    def student(self, caller: Caller, course_name: str, user: str) -> Progress:
        """Return where a person of the course stands, as they see it. Graders only.

        Raises ``NotFoundError`` when they are not in the course.
        """
        course = self._access.grader(caller, course_name)
        user = one_spelling(user)
        if self._courses.membership(course.id, user) is None:
            msg = f"user: {user[:120]!r} is not in this course."
            raise NotFoundError(msg, field="user")
        return self._progress(course.id, user)

    def students(
        self,
        caller: Caller,
        course_name: str,
        *,
        search: str = "",
        sort: ClassSort = ClassSort.NAME,
        offset: int,
        limit: int,
    ) -> Page[StudentRow]:
        """Return where the students stand; of ``search`` every word is in their names. Graders.

        Times are those for everybody here: extensions are shown with one student's progress.
        """
        course = self._access.grader(caller, course_name)
        page = self._states.page(
            course.id, search=one_spelling(search), sort=sort, offset=offset, limit=limit
        )
        outline, now = self._outlines.outline(course.id).outline, self._clock.now()
        rows = tuple(
            StudentRow(each.first_name, each.last_name, derive(each.state, outline, now))
            for each in page.items
        )
        return Page(rows, page.total, page.offset, page.limit)

    def recompute(self, caller: Caller, course_name: str) -> Recomputed:
        """Make everybody's progress anew from the log. Instructors only.

        It changes nothing but what was wrong: progress is always what the log folds into.
        """
        course = self._access.author(caller, course_name)
        made = self._recomputing.recompute(course.id)
        detail = {"students": made.students, "events": made.events, "changed": made.changed}
        note(self._audit, caller.user, "progress.recomputed", course_name, detail)
        return made

    def _progress(self, course_id: UUID, user: str) -> Progress:
        found, own = self._outlines.own(course_id, user)
        state = self._states.read(course_id, user)
        return derive(state, found.outline, self._clock.now(), own)
