"""What is known of one student's progress: the state that events fold into, and what is shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID


@dataclass(slots=True)
class WorkRecord:
    """What the log says of one person and one assignment.

    ``opened_at`` and ``checked_at`` are the first times. ``handed_in`` are the attempts that are
    not in the trash and when each came; ``submitted_at`` is the last of these times. ``points`` are
    those of the released attempt that counts, by ``grade_id``; empty before. ``minutes`` are ranges
    [first, count] of minutes since 1970 in UTC, apart and in order; ``older_minutes`` were summed
    up by day (``YYYY-MM-DD``), and ``older_once`` are those of them that no other assignment has.
    """

    opened_at: datetime | None = None
    checked_at: datetime | None = None
    submitted_at: datetime | None = None
    attempts: int = 0
    handed_in: dict[UUID, datetime] = field(default_factory=dict)
    graded_at: datetime | None = None
    submission_id: UUID | None = None
    attempt: int = 0
    points: dict[str, float] = field(default_factory=dict)
    minutes: list[tuple[int, int]] = field(default_factory=list)
    older_minutes: dict[str, int] = field(default_factory=dict)
    older_once: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class StudentState:
    """What the log of one person in one course folds into; ``position`` is the last event's.

    ``evidence_weeks`` are the ISO weeks (``2026-W47``) with work handed in or graded.
    """

    user: str
    position: int = 0
    works: dict[str, WorkRecord] = field(default_factory=dict)
    evidence_weeks: set[str] = field(default_factory=set)
    last_event_at: datetime | None = None


class WorkState(StrEnum):
    """Where a student stands in a chapter or an exercise."""

    NOT_STARTED = "not_started"
    STARTED = "started"  # opened, checked or worked at
    HANDED_IN = "handed_in"  # and no released grade yet
    PARTLY = "partly"  # graded, some points missing
    DONE = "done"  # graded, all points


@dataclass(frozen=True, slots=True)
class ExerciseProgress:
    """One exercise; ``points`` is None until a grade is released."""

    grade_id: str
    title: str
    state: WorkState
    points: float | None
    max_points: float
    checks_passed: int
    checks: int
    goals: tuple[str, ...]
    concepts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ChapterProgress:
    """One chapter. ``due_at`` is this person's; ``minutes`` is the time on task."""

    assignment: str
    title: str
    number: int | None
    state: WorkState
    points: float | None
    max_points: float
    exercises: tuple[ExerciseProgress, ...]
    minutes: int
    expected_minutes: int
    opens_at: datetime | None
    due_at: datetime | None
    closes_at: datetime | None
    submitted_at: datetime | None
    attempts: int
    submission_id: UUID | None  # whose released grade counts


@dataclass(frozen=True, slots=True)
class ConceptProgress:
    """A detail of PPO or a goal of a chapter: shown by exercises with all points."""

    key: str
    title: str
    shown: int
    exercises: int

    @property
    def is_shown(self) -> bool:
        """Whether every exercise that practises it is done."""
        return self.exercises > 0 and self.shown == self.exercises


class ReasonKind(StrEnum):
    """Why something is recommended next."""

    DUE_SOON = "due_soon"
    MISSING_POINTS = "missing_points"
    CONTINUE = "continue"
    NEXT_CHAPTER = "next_chapter"


@dataclass(frozen=True, slots=True)
class Recommendation:
    """What to do next, and why, in a sentence; ``grade_id`` is None for a whole chapter."""

    assignment: str
    grade_id: str | None
    kind: ReasonKind
    reason: str


@dataclass(frozen=True, slots=True)
class EvidenceWeeks:
    """Weeks with evidence: in a row until now, the longest row, and all of them."""

    current: int
    longest: int
    total: int


@dataclass(frozen=True, slots=True)
class Progress:
    """Where one student stands in one course."""

    user: str
    chapters: tuple[ChapterProgress, ...]
    concepts: tuple[ConceptProgress, ...]
    goals: tuple[ConceptProgress, ...]
    minutes: int
    minutes_by_day: Mapping[date, int]
    weeks: EvidenceWeeks
    next: Recommendation | None
    points: float
    max_points: float
    last_event_at: datetime | None
    position: int


class ClassSort(StrEnum):
    """How the students of a class are ordered; of the last three, who has least comes first."""

    NAME = "name"  # last name, first name
    USER = "user"
    POINTS = "points"
    MINUTES = "minutes"
    LAST_EVENT = "last_event_at"


@dataclass(frozen=True, slots=True)
class ClassMember:
    """A student of a class and what the log says of them."""

    user: str
    first_name: str
    last_name: str
    state: StudentState


@dataclass(frozen=True, slots=True)
class Recomputed:
    """What was made anew from the log; ``changed`` students had another state before."""

    students: int
    events: int
    changed: int
