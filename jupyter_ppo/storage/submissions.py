"""Submissions and grades in the database."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Select, false, func, select
from sqlalchemy.orm import Session, selectinload

from jupyter_ppo.domain.courses import Assignment
from jupyter_ppo.domain.errors import (
    ConflictError,
    InvalidInputError,
    NotFoundError,
    TooManyRequestsError,
)
from jupyter_ppo.domain.exam import CheckLine
from jupyter_ppo.domain.grading import ExerciseGrade, Grade, total
from jupyter_ppo.domain.ids import new_id
from jupyter_ppo.domain.jobs import JobState
from jupyter_ppo.domain.ports import Clock, Page
from jupyter_ppo.domain.submissions import Submission, SubmissionState, checked_transition
from jupyter_ppo.storage.database import Database, database_now
from jupyter_ppo.storage.tables import (
    AssignmentRow,
    CourseRow,
    ExerciseGradeRow,
    GradeRow,
    JobRow,
    SubmissionRow,
    VersionRow,
)

_HOUR = timedelta(hours=1)


class Submissions:
    """``domain.ports.SubmissionStore`` on a database; ``clock`` says when something was submitted.

    The queue's times are the database's clock, as everywhere in ``storage.jobs``.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def submit(
        self,
        assignment: Assignment,
        user: str,
        digest: str,
        warnings: Sequence[str],
        *,
        submitted_at: datetime | None = None,
        attempts_per_hour: int = 0,
    ) -> Submission:
        """Add the next attempt and its grading job in one transaction.

        Raises ``InvalidInputError`` when ``submitted_at`` has no time zone, ``NotFoundError`` when
        the assignment is gone, ``TooManyRequestsError`` when the student handed in
        ``attempts_per_hour`` within the last hour already (0: no bound).
        """
        when = submitted_at or self._clock.now()
        if when.utcoffset() is None:
            msg = f"submitted_at: {when} has no time zone. Add one, for example +00:00."
            raise InvalidInputError(msg, field="submitted_at")
        with self._database.begin() as session:
            # Two attempts of one student may come at once: the assignment's row is their lock.
            if session.get(AssignmentRow, assignment.id, with_for_update=True) is None:
                msg = f"assignment: there is no assignment {assignment.name!r} any more."
                raise NotFoundError(msg, field="assignment")
            if attempts_per_hour:
                _check_attempts(session, assignment, user, when, attempts_per_hour)
            last = session.scalar(
                select(func.max(SubmissionRow.attempt)).where(
                    SubmissionRow.assignment_id == assignment.id, SubmissionRow.user == user
                )
            )
            row = SubmissionRow(
                id=new_id(),
                assignment_id=assignment.id,
                version_id=assignment.version.id,
                user=user,
                attempt=(last or 0) + 1,
                digest=digest,
                state=SubmissionState.QUEUED,
                submitted_at=when,
                warnings=list(warnings),
            )
            session.add(row)
            session.flush()
            session.add(
                JobRow(
                    id=new_id(),
                    submission_id=row.id,
                    state=JobState.QUEUED,
                    attempt=0,
                    fence=0,
                    queued_at=database_now(session),
                )
            )
            session.flush()
            return _one(session, row.id)

    def submission(self, submission_id: UUID) -> Submission:
        """Return a submission; raise ``NotFoundError``."""
        with self._database.session() as session:
            return _one(session, submission_id)

    def submissions(
        self,
        course_id: UUID,
        *,
        user: str | None = None,
        assignment_id: UUID | None = None,
        latest: bool = False,
        offset: int,
        limit: int,
    ) -> Page[Submission]:
        """Return submissions, newest first; ``latest`` keeps each student's last one only.

        The last one is the one with the latest ``submitted_at``, of equal ones the one with the
        highest attempt: an older file that is collected afterwards does not count.
        """
        query = _joined().where(AssignmentRow.course_id == course_id)
        if user is not None:
            query = query.where(SubmissionRow.user == user)
        if assignment_id is not None:
            query = query.where(SubmissionRow.assignment_id == assignment_id)
        if latest:
            ranked = (
                select(
                    SubmissionRow.id,
                    func.row_number()
                    .over(
                        partition_by=(SubmissionRow.assignment_id, SubmissionRow.user),
                        order_by=(SubmissionRow.submitted_at.desc(), SubmissionRow.attempt.desc()),
                    )
                    .label("place"),
                )
                .join(AssignmentRow, AssignmentRow.id == SubmissionRow.assignment_id)
                .where(AssignmentRow.course_id == course_id)
                .subquery()
            )
            query = query.join(ranked, ranked.c.id == SubmissionRow.id).where(ranked.c.place == 1)
        with self._database.session() as session:
            total = session.scalar(
                select(func.count()).select_from(
                    query.with_only_columns(SubmissionRow.id).subquery()
                )
            )
            found = session.execute(
                query.order_by(
                    SubmissionRow.submitted_at.desc(),
                    SubmissionRow.attempt.desc(),
                    SubmissionRow.id.desc(),
                )
                .offset(offset)
                .limit(limit)
            )
            return Page(tuple(_submission(*row) for row in found), total or 0, offset, limit)

    def grade(self, submission_id: UUID) -> Grade | None:
        """Return the grade, if there is one."""
        with self._database.session() as session:
            row = session.get(GradeRow, submission_id, options=[selectinload(GradeRow.exercises)])
            return None if row is None else _grade(row)

    def regrade(self, submission_id: UUID) -> Submission:
        """Queue a graded or failed submission again.

        The old grade stays until the new one is there. Raises ``ConflictError`` if it is under
        way, ``NotFoundError`` if there is none.
        """
        with self._database.begin() as session:
            # Locks are taken in one order everywhere: the job, then the submission.
            job = session.scalar(
                select(JobRow).where(JobRow.submission_id == submission_id).with_for_update()
            )
            row = session.get(SubmissionRow, submission_id, with_for_update=True)
            if row is None or job is None:
                raise _no_submission()
            if row.state in {SubmissionState.QUEUED, SubmissionState.GRADING}:
                msg = (
                    f"state: this submission is {row.state} already. Wait for its grade, "
                    "then grade it again."
                )
                raise ConflictError(msg, field="state")
            row.state = checked_transition(row.state, SubmissionState.QUEUED)
            row.error = None
            # The fence is kept: it grows over the whole life of the job.
            job.state, job.attempt, job.error = JobState.QUEUED, 0, None
            job.queued_at = database_now(session)
            session.flush()
            return _one(session, submission_id)


def _check_attempts(
    session: Session, assignment: Assignment, user: str, when: datetime, attempts_per_hour: int
) -> None:
    recent = session.scalars(
        select(SubmissionRow.submitted_at)
        .where(
            SubmissionRow.assignment_id == assignment.id,
            SubmissionRow.user == user,
            SubmissionRow.submitted_at > when - _HOUR,
        )
        .order_by(SubmissionRow.submitted_at.desc())
        .limit(attempts_per_hour)
    ).all()
    if len(recent) == attempts_per_hour:
        wait = (recent[-1] + _HOUR - when).total_seconds()
        msg = (
            f"attempts: you have handed in {attempts_per_hour} attempts at {assignment.name} "
            f"within an hour. The next one is taken in {math.ceil(wait / 60)} minutes."
        )
        raise TooManyRequestsError(msg, retry_after=wait, field="attempts")


def store_grade(session: Session, grade: Grade) -> None:
    """Write a grade in the caller's transaction, in place of an earlier one."""
    old = session.get(GradeRow, grade.submission_id, options=[selectinload(GradeRow.exercises)])
    if old is not None:
        for item in old.exercises:
            session.delete(item)
        session.delete(old)
        session.flush()
    session.add(
        GradeRow(
            submission_id=grade.submission_id,
            points=float(grade.points),
            max_points=float(grade.max_points),
            needs_review=grade.needs_review,
            verdict=grade.verdict,
            detail=grade.detail,
            feedback_digest=grade.feedback_digest,
            graded_at=grade.graded_at,
            wall_seconds=float(grade.wall_seconds),
            exercises=[
                ExerciseGradeRow(
                    grade_id=item.grade_id,
                    position=position,
                    points=float(item.points),
                    max_points=float(item.max_points),
                    needs_review=item.needs_review,
                    reason=item.reason,
                    is_sealed=item.is_sealed,
                    checks=[_check_data(line) for line in item.checks],
                    records=[_finite(dict(record)) for record in item.records],
                )
                for position, item in enumerate(grade.exercises)
            ],
        )
    )
    session.flush()


def _check_data(line: CheckLine) -> dict[str, Any]:
    return {
        "name": line.name,
        "points": float(line.points),
        "max_points": float(line.max_points),
        "message": line.message,
    }


def _finite(value: Any) -> Any:
    """Return plain data with None for NaN and infinities, which JSON does not have."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _joined() -> Select[SubmissionRow, UUID, str, str, int, float, float, bool, float]:
    """Everything that a ``Submission`` says, in one query."""
    unsealed = (
        select(func.sum(ExerciseGradeRow.points))
        .where(
            ExerciseGradeRow.submission_id == SubmissionRow.id,
            ExerciseGradeRow.is_sealed == false(),
        )
        .correlate(SubmissionRow)
        .scalar_subquery()
    )
    return (
        select(
            SubmissionRow,
            AssignmentRow.course_id,
            CourseRow.name,
            AssignmentRow.name,
            VersionRow.number,
            GradeRow.points,
            GradeRow.max_points,
            GradeRow.needs_review,
            unsealed,
        )
        .join(AssignmentRow, AssignmentRow.id == SubmissionRow.assignment_id)
        .join(CourseRow, CourseRow.id == AssignmentRow.course_id)
        .join(VersionRow, VersionRow.id == SubmissionRow.version_id)
        .outerjoin(GradeRow, GradeRow.submission_id == SubmissionRow.id)
    )


def _one(session: Session, submission_id: UUID) -> Submission:
    found = session.execute(_joined().where(SubmissionRow.id == submission_id)).first()
    if found is None:
        raise _no_submission()
    return _submission(*found)


def _no_submission() -> NotFoundError:
    return NotFoundError("submission: there is no such submission.", field="submission")


def _submission(
    row: SubmissionRow,
    course_id: UUID,
    course_name: str,
    assignment_name: str,
    version_number: int,
    points: float | None,
    max_points: float | None,
    needs_review: bool | None,
    unsealed_points: float | None,
) -> Submission:
    return Submission(
        id=row.id,
        course_id=course_id,
        assignment_id=row.assignment_id,
        course_name=course_name,
        assignment_name=assignment_name,
        version_id=row.version_id,
        version_number=version_number,
        user=row.user,
        attempt=row.attempt,
        digest=row.digest,
        state=row.state,
        submitted_at=row.submitted_at,
        warnings=tuple(row.warnings),
        error=row.error,
        points=points,
        max_points=max_points,
        needs_review=bool(needs_review),
        unsealed_points=total([unsealed_points or 0.0]),
    )


def _grade(row: GradeRow) -> Grade:
    return Grade(
        submission_id=row.submission_id,
        exercises=tuple(
            ExerciseGrade(
                item.grade_id,
                item.points,
                item.max_points,
                item.needs_review,
                item.reason,
                item.is_sealed,
                tuple(CheckLine(**line) for line in item.checks),
                tuple(item.records),
            )
            for item in row.exercises
        ),
        verdict=row.verdict,
        detail=row.detail,
        feedback_digest=row.feedback_digest,
        graded_at=row.graded_at,
        wall_seconds=row.wall_seconds,
    )
