"""Bodies that say what a submission scored, and what people say of it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from jupyter_ppo.domain import grading, marks
from jupyter_ppo.domain.sandbox import Verdict
from jupyter_ppo.web.models import Answer, Time


class Check(Answer):
    """One of several checks in a test cell, with points of its own."""

    name: str
    points: float
    max_points: float
    message: str


class Mark(Answer):
    """What a person says of an exercise; ``points``, if any, stand in the place of the tests'.

    ``marked_by`` is null for students. Who changes a mark names its ``revision``. ``drafted``: a
    program drafted its words, and a person approved them.
    """

    points: float | None
    extra_credit: float
    comment: str
    revision: int
    marked_by: str | None
    marked_at: Time | None
    drafted: bool

    @classmethod
    def of(cls, mark: marks.Mark) -> Mark:
        """Make the body from the domain's object."""
        return cls(
            points=mark.points,
            extra_credit=mark.extra_credit,
            comment=mark.comment,
            revision=mark.revision,
            marked_by=mark.marked_by or None,
            marked_at=mark.marked_at,
            drafted=mark.is_drafted,
        )


class ExerciseGrade(Answer):
    """What one exercise scored; ``points`` are the automatic ones, ``score`` is what counts.

    Both are zero while it ``waits`` for a person. ``sealed`` is false when its tests ran in the
    student's own process. ``hint_deduction`` was taken off ``points`` for hints. ``records`` is
    what the tests wrote down for people, such as the returns of an examined policy.
    ``auto_changed``: the tests give other points than when it was marked.
    """

    grade_id: str
    points: float
    max_points: float
    score: float
    extra_credit: float
    comment: str
    needs_review: bool
    waits: bool
    auto_changed: bool
    reason: str
    hint_deduction: float
    sealed: bool
    checks: list[Check]
    records: list[dict[str, Any]]
    mark: Mark | None

    @classmethod
    def of(cls, grade: grading.ExerciseGrade) -> ExerciseGrade:
        """Make the body from the domain's object."""
        return cls(
            grade_id=grade.grade_id,
            points=grade.points,
            max_points=grade.max_points,
            score=grade.score,
            extra_credit=grade.extra_credit,
            comment=grade.comment,
            needs_review=grade.needs_review,
            waits=grade.waits,
            auto_changed=grade.auto_changed,
            reason=grade.reason,
            hint_deduction=grade.hint_deduction,
            sealed=grade.is_sealed,
            checks=[
                Check(
                    name=line.name,
                    points=line.points,
                    max_points=line.max_points,
                    message=line.message,
                )
                for line in grade.checks
            ],
            records=[dict(record) for record in grade.records],
            mark=None if grade.mark is None else Mark.of(grade.mark),
        )


class Grade(Answer):
    """The grade of a submission, exercise by exercise.

    ``points`` are with people's marks and before what lateness takes off (the submission's
    ``penalty``).
    """

    submission_id: UUID
    points: float
    max_points: float
    extra_credit: float
    needs_review: bool
    verdict: Verdict
    detail: str
    graded_at: Time
    exercises: list[ExerciseGrade]

    @classmethod
    def of(cls, grade: grading.Grade) -> Grade:
        """Make the body from the domain's object."""
        return cls(
            submission_id=grade.submission_id,
            points=grade.points,
            max_points=grade.max_points,
            extra_credit=grade.extra_credit,
            needs_review=grade.needs_review,
            verdict=grade.verdict,
            detail=grade.detail,
            graded_at=grade.graded_at,
            exercises=[ExerciseGrade.of(each) for each in grade.exercises],
        )
