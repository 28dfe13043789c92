"""What was asked of language models, by whom, and what it cost: for whoever grades."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Protocol
from uuid import UUID

from jupyter_ppo.domain.access import Caller
from jupyter_ppo.domain.courses import Assignment
from jupyter_ppo.domain.errors import InvalidInputError, NotFoundError
from jupyter_ppo.domain.ports import Clock, CourseStore, Page
from jupyter_ppo.domain.tutoring import Caps, FeedbackDraft, ModelCall, Purpose, Spent
from jupyter_ppo.services.access import Access
from jupyter_ppo.services.model_calls import ModelCalls
from jupyter_ppo.services.paging import every_page

MAX_DAYS = 366
_PAGE = 200


class CostRow(Protocol):
    """What the calls of one day (UTC) for one purpose cost, in picodollars."""

    @property
    def day(self) -> str:
        """The date, as ISO 8601 writes it."""

    @property
    def assignment_id(self) -> UUID | None:
        """What they were about."""

    @property
    def purpose(self) -> Purpose:
        """Why."""

    @property
    def calls(self) -> int:
        """How many."""

    @property
    def cost(self) -> int:
        """What they cost."""


class CallReader(Protocol):
    """Where calls are read."""

    def call(self, call_id: UUID) -> ModelCall:
        """Return one; raise ``NotFoundError``."""

    def page(
        self,
        course_id: UUID,
        *,
        assignment_id: UUID | None = None,
        purpose: Purpose | None = None,
        user: str | None = None,
        offset: int,
        limit: int,
    ) -> Page[ModelCall]:
        """Return a part of a course's, newest first."""

    def spent(self, course_id: UUID, assignment_id: UUID | None, user: str) -> Spent:
        """Return what was spent or is reserved."""

    def spend(self, course_id: UUID, since: datetime) -> Sequence[CostRow]:
        """Return what was spent since then."""


class DraftReader(Protocol):
    """Where drafts are read."""

    def of_answers(
        self, assignment_id: UUID, grade_id: str, submissions: Sequence[UUID]
    ) -> dict[UUID, FeedbackDraft]:
        """Return the newest draft of each of these answers that has one."""


@dataclass(frozen=True, slots=True)
class CallView:
    """A call for whoever may see it; ``assignment`` is the name of what it is about.

    ``reviewer_action`` says what a person made of the draft that it was for, if anything.
    """

    call: ModelCall
    assignment: str | None
    reviewer_action: str | None = None


@dataclass(frozen=True, slots=True)
class DaySpend:
    """One day (UTC) of a course, in picodollars; ``cost`` is all of it."""

    day: date
    drafts: int
    hints: int
    explanations: int
    calls: int
    cost: int


@dataclass(frozen=True, slots=True)
class AssignmentSpend:
    """What was spent on one assignment, in picodollars; None: on none of them."""

    assignment: str | None
    calls: int
    cost: int


@dataclass(frozen=True, slots=True)
class Spending:
    """What a course spent; every day of the time is there, also those on which nothing was."""

    days: tuple[DaySpend, ...]
    by_assignment: tuple[AssignmentSpend, ...]
    caps: Caps
    spent_course: int
    spent_today: int
    has_price: bool


_OF = {
    Purpose.DRAFT: "drafts",
    Purpose.REPAIR: "drafts",
    Purpose.HINT: "hints",
    Purpose.EXPLANATION: "explanations",
}


class ModelCallLogService:
    """The audit of every call. Students see none of it."""

    def __init__(
        self,
        *,
        courses: CourseStore,
        calls: CallReader,
        drafts: DraftReader,
        gate: ModelCalls,
        clock: Clock,
        currency: str,
    ) -> None:
        self.currency = currency
        self._drafts = drafts
        self._courses = courses
        self._access = Access(courses)
        self._calls = calls
        self._gate = gate
        self._clock = clock

    def calls(
        self,
        caller: Caller,
        course_name: str,
        *,
        assignment: str | None = None,
        purpose: Purpose | None = None,
        user: str | None = None,
        offset: int = 0,
        limit: int = 50,
    ) -> Page[CallView]:
        """Return the calls of a course, newest first (graders)."""
        course = self._access.grader(caller, course_name)
        names = self._names(course.id)
        wanted = None
        if assignment is not None:
            wanted = self._courses.assignment(course.id, assignment).id
        page = self._calls.page(
            course.id, assignment_id=wanted, purpose=purpose, user=user, offset=offset, limit=limit
        )
        views = tuple(_view(each, names) for each in page.items)
        return Page(views, page.total, page.offset, page.limit)

    def call(self, caller: Caller, call_id: UUID) -> CallView:
        """Return everything of one call (graders); what was redacted only to instructors."""
        found = self._calls.call(call_id)
        role = self._access.role_in(caller, found.new.course_id)
        if role is None or not role.may_grade:
            msg = "There is no such call."
            raise NotFoundError(msg, field="call")
        if not role.may_author:
            hidden = dict.fromkeys(found.new.redactions, "")
            found = replace(found, new=replace(found.new, redactions=hidden))
        action = self._reviewer_action(found)
        return replace(_view(found, self._names(found.new.course_id)), reviewer_action=action)

    def _reviewer_action(self, call: ModelCall) -> str | None:
        assignment_id, submission_id = call.new.assignment_id, call.new.submission_id
        if assignment_id is None or submission_id is None:
            return None
        drafts = self._drafts.of_answers(assignment_id, call.new.grade_id, [submission_id])
        draft = drafts.get(submission_id)
        if draft is None or draft.decision is None or call.new.id not in draft.new.call_ids:
            return None
        decision = draft.decision
        at = decision.at.astimezone(UTC).isoformat(timespec="seconds")
        return f"{decision.state} by {decision.by}, {at}"

    def spending(self, caller: Caller, course_name: str, *, days: int = 30) -> Spending:
        """Return what the last ``days`` days cost, today included (graders)."""
        if not 1 <= days <= MAX_DAYS:
            msg = f"days: {days} cannot be used. Use 1 to {MAX_DAYS}."
            raise InvalidInputError(msg, field="days")
        course = self._access.grader(caller, course_name)
        today = self._clock.now().astimezone(UTC).date()
        first = today - timedelta(days=days - 1)
        rows = self._calls.spend(course.id, datetime.combine(first, time(), UTC))
        names = self._names(course.id)
        found = [_day(first + timedelta(days=number), rows) for number in range(days)]
        return Spending(
            days=tuple(found),
            by_assignment=_by_assignment(rows, names),
            caps=self._gate.caps(course.id, None),
            spent_course=self._calls.spent(course.id, None, caller.user).course,
            spent_today=found[-1].cost,
            has_price=self._gate.has_price,
        )

    def _names(self, course_id: UUID) -> dict[UUID, str]:
        def fetch(offset: int) -> Page[Assignment]:
            return self._courses.assignments(course_id, offset=offset, limit=_PAGE)

        return {each.id: each.name for each in every_page(fetch)}


def _view(call: ModelCall, names: dict[UUID, str]) -> CallView:
    wanted = call.new.assignment_id
    return CallView(call, None if wanted is None else names.get(wanted))


def _day(day: date, rows: Sequence[CostRow]) -> DaySpend:
    costs = {"drafts": 0, "hints": 0, "explanations": 0}
    calls = cost = 0
    for row in rows:
        if row.day != day.isoformat():
            continue
        calls += row.calls
        cost += row.cost
        if row.purpose in _OF:
            costs[_OF[row.purpose]] += row.cost
    return DaySpend(day=day, calls=calls, cost=cost, **costs)


def _by_assignment(rows: Sequence[CostRow], names: dict[UUID, str]) -> tuple[AssignmentSpend, ...]:
    found: dict[str | None, tuple[int, int]] = {}
    for row in rows:
        name = None if row.assignment_id is None else names.get(row.assignment_id)
        calls, cost = found.get(name, (0, 0))
        found[name] = calls + row.calls, cost + row.cost
    each = [AssignmentSpend(name, *counts) for name, counts in found.items()]
    return tuple(sorted(each, key=lambda one: (-one.cost, one.assignment or "")))
