"""Bodies of progress: what clients report, and where students stand."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from pydantic import AwareDatetime, Field

from jupyter_ppo.domain import progress_records as records
from jupyter_ppo.domain.activity import MAX_EVENTS
from jupyter_ppo.domain.progress_events import (
    EventKind,
    EventReceipt,
    NewEvent,
    Receipt,
    Refusal,
)
from jupyter_ppo.domain.progress_records import ClassSort, ReasonKind, Recomputed, WorkState
from jupyter_ppo.services.progress import StudentRow
from jupyter_ppo.web.models import Answer, Body, Page, PageQuery, Time

# -- received ------------------------------------------------------------------------------------


class ReportedEvent(Body):
    """What happened. ``key`` is the client's own and makes a retry safe: one key, one event.

    ``data`` is by kind: ``{}`` for opened, ``{"minutes": [minutes since 1970 in UTC]}`` for active,
    ``{"passed": n, "failed": n}`` for checked. ``user`` may be left out; it is who asks.
    """

    key: str
    kind: EventKind
    assignment: str
    occurred_at: AwareDatetime
    data: dict[str, Any] = Field(default_factory=dict)
    user: str | None = None

    def to_domain(self) -> NewEvent:
        """Return the domain's object."""
        return NewEvent(
            self.key, self.kind, self.assignment, self.occurred_at, self.data, self.user
        )


class ReportedEvents(Body):
    """Events in the order in which they happened, as far as the client knows."""

    events: Annotated[list[ReportedEvent], Field(min_length=1, max_length=MAX_EVENTS)]


class ClassQuery(PageQuery):
    """Which students: those whose names hold every word of ``search``."""

    search: Annotated[str, Field(max_length=200)] = ""
    sort: ClassSort = ClassSort.NAME


# -- sent ----------------------------------------------------------------------------------------


class EventAnswer(Answer):
    """What became of an event; whatever it is, it need not be sent again.

    ``refusal`` and ``message`` say why an event was rejected.
    """

    key: str
    receipt: Receipt
    refusal: Refusal | None
    message: str

    @classmethod
    def of(cls, made: EventReceipt) -> EventAnswer:
        """Make the body from the domain's object."""
        return cls(key=made.key, receipt=made.receipt, refusal=made.refusal, message=made.message)


class EventAnswers(Answer):
    """One for each event that was sent, in the same order."""

    receipts: list[EventAnswer]


class ExerciseProgress(Answer):
    """An exercise; ``points`` is null until a grade is released. ``checks`` are its test cells."""

    grade_id: str
    title: str
    state: WorkState
    points: float | None
    max_points: float
    checks_passed: int
    checks: int
    goals: list[str]
    concepts: list[str]

    @classmethod
    def of(cls, found: records.ExerciseProgress) -> ExerciseProgress:
        """Make the body from the domain's object."""
        return cls(
            grade_id=found.grade_id,
            title=found.title,
            state=found.state,
            points=found.points,
            max_points=found.max_points,
            checks_passed=found.checks_passed,
            checks=found.checks,
            goals=list(found.goals),
            concepts=list(found.concepts),
        )


class ChapterProgress(Answer):
    """An assignment of the course. ``number`` is null outside of its numbered chapters.

    ``minutes`` is the time on task, ``expected_minutes`` what its author expects (0: not said).
    ``due_at`` and ``closes_at`` are this person's. ``submission_id`` is the attempt whose released
    grade counts.
    """

    assignment: str
    title: str
    number: int | None
    state: WorkState
    points: float | None
    max_points: float
    minutes: int
    expected_minutes: int
    opens_at: Time | None
    due_at: Time | None
    closes_at: Time | None
    submitted_at: Time | None
    attempts: int
    submission_id: UUID | None
    exercises: list[ExerciseProgress]

    @classmethod
    def of(cls, found: records.ChapterProgress) -> ChapterProgress:
        """Make the body from the domain's object."""
        return cls(
            assignment=found.assignment,
            title=found.title,
            number=found.number,
            state=found.state,
            points=found.points,
            max_points=found.max_points,
            minutes=found.minutes,
            expected_minutes=found.expected_minutes,
            opens_at=found.opens_at,
            due_at=found.due_at,
            closes_at=found.closes_at,
            submitted_at=found.submitted_at,
            attempts=found.attempts,
            submission_id=found.submission_id,
            exercises=[ExerciseProgress.of(each) for each in found.exercises],
        )


class ConceptProgress(Answer):
    """A detail of PPO or a goal of a chapter: ``shown`` of the exercises that practise it."""

    key: str
    title: str
    shown: int
    exercises: int

    @classmethod
    def of(cls, found: records.ConceptProgress) -> ConceptProgress:
        """Make the body from the domain's object."""
        return cls(key=found.key, title=found.title, shown=found.shown, exercises=found.exercises)


class EvidenceWeeks(Answer):
    """ISO weeks with work handed in or graded: in a row until now, the longest row, and in all."""

    current: int
    longest: int
    total: int


class Recommendation(Answer):
    """What to do next, and why; ``grade_id`` is null for a whole chapter."""

    assignment: str
    grade_id: str | None
    kind: ReasonKind
    reason: str

    @classmethod
    def of(cls, found: records.Recommendation) -> Recommendation:
        """Make the body from the domain's object."""
        return cls(
            assignment=found.assignment,
            grade_id=found.grade_id,
            kind=found.kind,
            reason=found.reason,
        )


class CourseProgress(Answer):
    """Where one student stands: made of released grades and recorded events only.

    ``minutes`` is the time on task: a minute in two notebooks counts in both chapters and once
    here. ``position`` grows with every event of the student.
    """

    user: str
    points: float
    max_points: float
    minutes: int
    minutes_by_day: dict[str, int]
    weeks: EvidenceWeeks
    next: Recommendation | None
    last_event_at: Time | None
    position: int
    chapters: list[ChapterProgress]
    concepts: list[ConceptProgress]
    goals: list[ConceptProgress]

    @classmethod
    def of(cls, found: records.Progress) -> CourseProgress:
        """Make the body from the domain's object."""
        weeks, following = found.weeks, found.next
        return cls(
            user=found.user,
            points=found.points,
            max_points=found.max_points,
            minutes=found.minutes,
            minutes_by_day={
                day.isoformat(): minutes for day, minutes in found.minutes_by_day.items()
            },
            weeks=EvidenceWeeks(current=weeks.current, longest=weeks.longest, total=weeks.total),
            next=None if following is None else Recommendation.of(following),
            last_event_at=found.last_event_at,
            position=found.position,
            chapters=[ChapterProgress.of(each) for each in found.chapters],
            concepts=[ConceptProgress.of(each) for each in found.concepts],
            goals=[ConceptProgress.of(each) for each in found.goals],
        )


class StudentChapter(Answer):
    """Where a student stands in one chapter."""

    assignment: str
    state: WorkState
    points: float | None
    max_points: float


class StudentProgress(Answer):
    """A student in the table of a class; ``chapters_done`` are those with all points."""

    user: str
    first_name: str
    last_name: str
    points: float
    max_points: float
    chapters_done: int
    minutes: int
    last_event_at: Time | None
    chapters: list[StudentChapter]

    @classmethod
    def of(cls, row: StudentRow) -> StudentProgress:
        """Make the body from the service's answer."""
        found = row.progress
        return cls(
            user=found.user,
            first_name=row.first_name,
            last_name=row.last_name,
            points=found.points,
            max_points=found.max_points,
            chapters_done=sum(each.state is WorkState.DONE for each in found.chapters),
            minutes=found.minutes,
            last_event_at=found.last_event_at,
            chapters=[
                StudentChapter(
                    assignment=each.assignment,
                    state=each.state,
                    points=each.points,
                    max_points=each.max_points,
                )
                for each in found.chapters
            ],
        )


class StudentProgressPage(Page[StudentProgress]):
    """Students in the order that was asked for."""


class RecomputeAnswer(Answer):
    """What was made anew from the log, and how many students' progress was another before."""

    students: int
    events: int
    changed: int

    @classmethod
    def of(cls, made: Recomputed) -> RecomputeAnswer:
        """Make the body from the domain's object."""
        return cls(students=made.students, events=made.events, changed=made.changed)
