"""Reading submissions: everything that a ``Submission`` says, in one query."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, ScalarSelect, Select, and_, false, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from jupyter_ppo.domain.errors import NotFoundError
from jupyter_ppo.domain.grading import total
from jupyter_ppo.domain.submissions import Submission
from jupyter_ppo.storage.jobs import queue_places
from jupyter_ppo.storage.tables import (
    AssignmentRow,
    CourseRow,
    ExerciseGradeRow,
    GradeRow,
    MarkRow,
    StandingRow,
    SubmissionRow,
    VersionRow,
)

#: In ``joined``: the standing of which a submission is what counts as far as its student knows.
SHOWN = aliased(StandingRow)


def joined() -> Select[*tuple[Any, ...]]:
    """Return the query of all submissions that are not in the trash; ``read_rows`` reads it."""
    submitted_version = aliased(VersionRow)
    unsealed = _of_tests(ExerciseGradeRow.points, ExerciseGradeRow.is_sealed == false())
    for_hints = _of_tests(ExerciseGradeRow.hint_deduction)
    places = queue_places()
    return (
        select(
            SubmissionRow,
            AssignmentRow.course_id,
            CourseRow.name.label("course_name"),
            AssignmentRow.name.label("assignment_name"),
            AssignmentRow.kind,
            VersionRow.number.label("version_number"),
            submitted_version.number.label("submitted_version"),
            GradeRow.points,
            GradeRow.max_points,
            GradeRow.needs_review,
            GradeRow.extra_credit,
            unsealed.label("unsealed_points"),
            for_hints.label("hint_deduction"),
            StandingRow.submission_id.label("standing"),
            SHOWN.shown_submission_id.label("shown_standing"),
            places.c.place.label("queue_position"),
        )
        .join(AssignmentRow, AssignmentRow.id == SubmissionRow.assignment_id)
        .join(CourseRow, CourseRow.id == AssignmentRow.course_id)
        .join(VersionRow, VersionRow.id == SubmissionRow.version_id)
        .outerjoin(submitted_version, submitted_version.id == SubmissionRow.submitted_version_id)
        .outerjoin(GradeRow, GradeRow.submission_id == SubmissionRow.id)
        .outerjoin(StandingRow, StandingRow.submission_id == SubmissionRow.id)
        .outerjoin(SHOWN, SHOWN.shown_submission_id == SubmissionRow.id)
        .outerjoin(places, places.c.submission_id == SubmissionRow.id)
        .where(
            SubmissionRow.deleted_at.is_(None),
            AssignmentRow.deleted_at.is_(None),
            CourseRow.deleted_at.is_(None),
        )
    )


def _of_tests(
    points: InstrumentedAttribute[float], *which: ColumnElement[bool]
) -> ScalarSelect[float]:
    """Return the sum over a submission's exercises that have their points from tests.

    Points that a person gave in the place of the tests' are not those of the tests any more.
    """
    its_mark = and_(
        MarkRow.submission_id == ExerciseGradeRow.submission_id,
        MarkRow.grade_id == ExerciseGradeRow.grade_id,
    )
    return (
        select(func.sum(points))
        .select_from(ExerciseGradeRow)
        .outerjoin(MarkRow, its_mark)
        .where(ExerciseGradeRow.submission_id == SubmissionRow.id, MarkRow.points.is_(None), *which)
        .correlate(SubmissionRow)
        .scalar_subquery()
    )


def read_rows(rows: Iterable[Any]) -> tuple[Submission, ...]:
    """Return the domain's objects for what ``joined`` found."""
    return tuple(_read(row) for row in rows)


def one(session: Session, submission_id: UUID) -> Submission:
    """Return one submission; raise ``NotFoundError``, also for one in the trash."""
    found = session.execute(joined().where(SubmissionRow.id == submission_id)).first()
    if found is None:
        raise no_submission()
    return _read(found)


def no_submission() -> NotFoundError:
    """Return the error for a submission that is not there."""
    return NotFoundError("submission: there is no such submission.", field="submission")


def _read(found: Any) -> Submission:
    row: SubmissionRow = found[0]
    points = None if found.points is None else total([found.points, -row.penalty])
    return Submission(
        id=row.id,
        course_id=found.course_id,
        course_name=found.course_name,
        assignment_id=row.assignment_id,
        assignment_name=found.assignment_name,
        kind=found.kind,
        version_id=row.version_id,
        version_number=found.version_number,
        submitted_version=found.submitted_version or found.version_number,
        user=row.user,
        attempt=row.attempt,
        digest=row.digest,
        state=row.state,
        submitted_at=row.submitted_at,
        warnings=tuple(row.warnings),
        error=row.error,
        points=points,
        max_points=found.max_points,
        needs_review=bool(found.needs_review),
        unsealed_points=total([found.unsealed_points or 0.0]),
        late_seconds=row.late_seconds,
        penalty=row.penalty,
        extra_credit=found.extra_credit or 0.0,
        hint_deduction=total([found.hint_deduction or 0.0]),
        counts=found.standing is not None,
        counts_for_student=found.shown_standing is not None,
        released_at=row.released_at,
        collected_by=row.collected_by,
        queue_position=found.queue_position,
    )
