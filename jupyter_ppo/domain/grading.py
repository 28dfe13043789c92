"""Grades: arithmetic over what the sandbox saw."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from jupyter_ppo.domain.exam import CheckLine
from jupyter_ppo.domain.sandbox import Verdict


@dataclass(frozen=True, slots=True)
class ExerciseGrade:
    """What one exercise scored.

    While ``needs_review`` is true a person has to look at it and ``points`` is zero. ``reason`` is
    one sentence for the student. ``is_sealed`` says that its tests did not run in the student's
    process; ``checks`` are those of them that have points of their own, ``records`` what the tests
    wrote down for people.
    """

    grade_id: str
    points: float
    max_points: float
    needs_review: bool
    reason: str
    is_sealed: bool = True
    checks: tuple[CheckLine, ...] = ()
    records: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Grade:
    """The grade of one submission, one entry per exercise of the version, in its order.

    ``feedback_digest`` names the feedback page (a blob, UTF-8 HTML, already sanitised).
    ``detail`` says which limit was hit, with the figure, when ``verdict`` is not RAN.
    """

    submission_id: UUID
    exercises: tuple[ExerciseGrade, ...]
    verdict: Verdict
    detail: str
    feedback_digest: str
    graded_at: datetime
    wall_seconds: float

    @property
    def points(self) -> float:
        """Points scored so far; exercises that wait for a person count as zero."""
        return total(grade.points for grade in self.exercises)

    @property
    def max_points(self) -> float:
        """Points that could be scored."""
        return total(grade.max_points for grade in self.exercises)

    @property
    def needs_review(self) -> bool:
        """Whether a person still has to look at some exercise."""
        return any(grade.needs_review for grade in self.exercises)


def total(points: Iterable[float]) -> float:
    """Sum points without the last-digit noise of binary fractions (0.1 + 0.2 is 0.3)."""
    return round(sum(points), 9)
