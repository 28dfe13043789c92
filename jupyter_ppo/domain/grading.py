"""Grades: arithmetic over what the sandbox saw."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from jupyter_ppo.domain.exam import CheckLine
from jupyter_ppo.domain.marks import Mark
from jupyter_ppo.domain.sandbox import Verdict


@dataclass(frozen=True, slots=True)
class ExerciseGrade:
    """What one exercise scored.

    While ``needs_review`` is true a person has to look at it and ``points`` is zero. ``reason`` is
    one sentence for the student. ``is_sealed`` says that its tests did not run in the student's
    process; ``checks`` are those of them that have points of their own, ``records`` what the tests
    wrote down for people. ``points`` are the automatic ones, after ``hint_deduction`` was taken off
    them; ``mark`` is what a person says.
    """

    grade_id: str
    points: float
    max_points: float
    needs_review: bool
    reason: str
    is_sealed: bool = True
    checks: tuple[CheckLine, ...] = ()
    records: tuple[Mapping[str, Any], ...] = ()
    mark: Mark | None = None
    hint_deduction: float = 0.0

    @property
    def extra_credit(self) -> float:
        """What a person added to the points or took off them."""
        return 0.0 if self.mark is None else self.mark.extra_credit

    @property
    def score(self) -> float:
        """What the exercise counts: the person's points in the place of the automatic ones."""
        given = None if self.mark is None else self.mark.points
        return total((self.points if given is None else given, self.extra_credit))

    @property
    def waits(self) -> bool:
        """Whether a person still has to look at it: no one has given points."""
        return self.needs_review and (self.mark is None or self.mark.points is None)

    @property
    def comment(self) -> str:
        """What a person wrote to the student."""
        return "" if self.mark is None else self.mark.comment

    @property
    def auto_changed(self) -> bool:
        """Whether the automatic points, or the most there is, are others than when it was marked.

        A mark of more points than there are now is from before the exercise's points were lowered.
        """
        if self.mark is None:
            return False
        given, seen = self.mark.points, self.mark.auto_points
        if given is not None and given > self.max_points:
            return True
        return seen is not None and total([seen, -self.points]) != 0

    def for_student(self) -> ExerciseGrade:
        """Return what its student may see: not who marked it, nor what the tests gave then."""
        if self.mark is None:
            return self
        return replace(self, mark=replace(self.mark, marked_by="", auto_points=None))


@dataclass(frozen=True, slots=True)
class Grade:
    """The grade of one submission, one entry per exercise of the version, in its order.

    ``feedback_digest`` names the feedback page (a blob, UTF-8 HTML, already sanitised).
    ``detail`` says which limit was hit, with the figure, when ``verdict`` is not RAN.
    ``version_id`` is the version that it was graded on.
    """

    submission_id: UUID
    exercises: tuple[ExerciseGrade, ...]
    verdict: Verdict
    detail: str
    feedback_digest: str
    graded_at: datetime
    wall_seconds: float
    version_id: UUID | None = None

    @property
    def points(self) -> float:
        """Points scored so far, with people's marks; what waits for a person counts as zero."""
        return total(grade.score for grade in self.exercises)

    @property
    def extra_credit(self) -> float:
        """What people added to the points or took off them."""
        return total(grade.extra_credit for grade in self.exercises)

    @property
    def max_points(self) -> float:
        """Points that could be scored."""
        return total(grade.max_points for grade in self.exercises)

    @property
    def needs_review(self) -> bool:
        """Whether a person still has to look at some exercise."""
        return any(grade.waits for grade in self.exercises)

    def for_student(self) -> Grade:
        """Return what its student may see once it is released."""
        return replace(self, exercises=tuple(each.for_student() for each in self.exercises))


def less_hints(
    exercises: Iterable[ExerciseGrade], fractions: Mapping[str, float]
) -> tuple[ExerciseGrade, ...]:
    """Return the exercises with what hints take off their points; the reason says so.

    ``fractions`` are the shares, 0 to 1, by ``grade_id``.
    """
    found = []
    for each in exercises:
        taken = round(each.points * fractions.get(each.grade_id, 0.0), 9)
        if taken <= 0:
            found.append(each)
            continue
        said = f"{each.reason} {hints_took(taken, each.points)}"
        left = total([each.points, -taken])
        found.append(replace(each, points=left, hint_deduction=taken, reason=said.strip()))
    return tuple(found)


def hints_took(taken: float, of: float) -> str:
    """Return the sentence on what hints took off the points of an exercise."""
    return f"Hints took {taken:g} of {of:g} points."


def total(points: Iterable[float]) -> float:
    """Sum points without the last-digit noise of binary fractions (0.1 + 0.2 is 0.3)."""
    return round(sum(points), 9)
