"""What a course is made of, as progress is measured against it.

Made from the newest released version of every assignment; who reads it never opens a notebook.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from jupyter_ppo.domain.courses import AssignmentKind, Exercise
from jupyter_ppo.domain.terms import Terms


@dataclass(frozen=True, slots=True)
class OutlineExercise:
    """Something that gives points: an exercise of a chapter, an answer in words, a criterion.

    ``checks`` maps each graded cell that belongs to it (``grade_id``) to the points it can give.
    ``concepts`` are keys of ``domain.details``; ``goals`` are ids of the chapter's goals.
    """

    grade_id: str
    title: str
    checks: Mapping[str, float]
    goals: tuple[str, ...] = ()
    concepts: tuple[str, ...] = ()

    @property
    def max_points(self) -> float:
        """The points of all its checks."""
        return sum(self.checks.values())


@dataclass(frozen=True, slots=True)
class OutlineChapter:
    """An assignment in the order in which the course teaches; ``number`` is None outside of it.

    ``minutes`` is about how long it takes, 0 if its author did not say. The times are those of the
    assignment's terms for everybody; one person's may be later.
    """

    assignment: str
    title: str
    number: int | None
    kind: AssignmentKind
    minutes: int
    goals: Mapping[str, str]  # id -> what one can do afterwards
    exercises: tuple[OutlineExercise, ...]
    opens_at: datetime | None = None
    due_at: datetime | None = None
    closes_at: datetime | None = None

    @property
    def max_points(self) -> float:
        """The points of all its exercises."""
        return sum(exercise.max_points for exercise in self.exercises)


@dataclass(frozen=True, slots=True)
class CourseOutline:
    """All chapters: numbered ones by number, then the others by name."""

    course: str
    chapters: tuple[OutlineChapter, ...] = field(default=())

    def chapter(self, assignment: str) -> OutlineChapter | None:
        """Return the chapter of an assignment, if the course has it."""
        return next((one for one in self.chapters if one.assignment == assignment), None)


@dataclass(frozen=True, slots=True)
class UnreadVersion:
    """A version of which no outline is kept yet, and what one is made from."""

    version_id: UUID
    assignment: str
    kind: AssignmentKind
    source_digest: str
    graded: tuple[Exercise, ...]


@dataclass(frozen=True, slots=True)
class FoundOutline:
    """A course's outline; of ``unread`` versions it knows only what is graded.

    ``terms`` are everybody's, by assignment.
    """

    outline: CourseOutline
    unread: tuple[UnreadVersion, ...]
    terms: Mapping[str, Terms]


def plain_chapter(
    assignment: str, kind: AssignmentKind, graded: Iterable[Exercise]
) -> OutlineChapter:
    """Return the chapter of an assignment of which only the graded cells are known.

    Each that can give points is an exercise of its own.
    """
    exercises = tuple(
        OutlineExercise(each.grade_id, each.grade_id, {each.grade_id: each.points})
        for each in sorted(graded, key=lambda each: each.position)
        if each.points > 0
    )
    return OutlineChapter(assignment, assignment, None, kind, 0, {}, exercises)


def in_order(chapters: Iterable[OutlineChapter]) -> tuple[OutlineChapter, ...]:
    """Return chapters as a course lists them: numbered ones by number, then others by name."""
    return tuple(
        sorted(chapters, key=lambda one: (one.number is None, one.number or 0, one.assignment))
    )
