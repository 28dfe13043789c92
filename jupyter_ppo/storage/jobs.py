"""The queue of grading jobs in the database.

A job is QUEUED, LEASED to one worker until a time on the database's clock, and ends SUCCEEDED or
FAILED, or CANCELLED by a person. A worker that dies says nothing: its lease runs out and the job is
leased again. Its fence, which grows with every lease, keeps a worker that was only slow from
writing over the next one. What is in the trash waits until it is restored.
"""

from __future__ import annotations

import logging
from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Subquery, and_, exists, func, or_, select
from sqlalchemy.orm import Session

from jupyter_ppo.domain.errors import InvalidInputError, LeaseLostError
from jupyter_ppo.domain.grading import Grade
from jupyter_ppo.domain.ids import new_id
from jupyter_ppo.domain.jobs import MAX_ATTEMPTS, JobState, Lease
from jupyter_ppo.domain.submissions import SubmissionState, checked_transition
from jupyter_ppo.storage.batch_items import cancel_items, chunks, end_items, reason_of
from jupyter_ppo.storage.database import Database, database_now
from jupyter_ppo.storage.grades import store_grade
from jupyter_ppo.storage.standings import KEEPING_KEYS, set_state, settle
from jupyter_ppo.storage.tables import AssignmentRow, CourseRow, GradeRow, JobRow, SubmissionRow

_log = logging.getLogger(__name__)

_CUT_SHORT = (
    f"Grading was cut short {MAX_ATTEMPTS} times before it could finish, because the worker "
    "stopped or lost the database. Grade it again."
)


class Jobs:
    """``domain.ports.JobQueue`` on a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def lease(
        self, worker: str, duration: timedelta, submission_id: UUID | None = None
    ) -> Lease | None:
        """Take the oldest job that is queued or whose lease ran out, None if there is none.

        Only the job of ``submission_id``, if given. A job whose last try was cut short ends as
        FAILED on the way.
        """
        with self._database.session() as session:
            # Idle workers ask often; only one that finds something takes the write lock.
            claimable = _claimable(database_now(session), submission_id)
            if session.scalar(select(JobRow.id).where(claimable).limit(1)) is None:
                return None
            cut_short = session.scalars(
                select(JobRow.id).where(claimable, JobRow.attempt >= MAX_ATTEMPTS)
            ).all()
        for job_id in cut_short:
            self._end_cut_short(job_id)
        with self._database.begin() as session:
            now = database_now(session)
            ready = (
                select(JobRow)
                .where(_claimable(now, submission_id))
                .order_by(JobRow.queued_at, JobRow.id)
                .with_for_update(skip_locked=True)
            )
            job = session.scalar(ready.where(JobRow.attempt < MAX_ATTEMPTS).limit(1))
            if job is None:
                return None
            submission = _submission_of(session, job)
            job.state, job.worker, job.lease_until = JobState.LEASED, worker, now + duration
            job.fence += 1
            job.attempt += 1
            if submission.state is not SubmissionState.GRADING:  # it is, after a lapsed lease
                _move(session, submission, SubmissionState.GRADING)
            return Lease(
                job_id=job.id,
                submission_id=job.submission_id,
                worker=worker,
                fence=job.fence,
                attempt=job.attempt,
                expires_at=job.lease_until,
            )

    def _end_cut_short(self, job_id: UUID) -> None:
        """End a job as FAILED that was cut short too often, unless somebody else does.

        Each in a transaction of its own, so that locks of two assignments are never mixed.
        """
        with self._database.begin() as session:
            job = session.scalar(
                select(JobRow)
                .where(
                    JobRow.id == job_id,
                    _claimable(database_now(session), None),
                    JobRow.attempt >= MAX_ATTEMPTS,
                )
                .with_for_update(skip_locked=True)
            )
            if job is not None:
                _finish_failed(session, job, _submission_of(session, job), _CUT_SHORT)

    def renew(self, lease: Lease, duration: timedelta) -> Lease:
        """Extend a lease from now on; raise ``LeaseLostError``.

        A lease that ran out can be renewed as long as nobody else took the job.
        """
        with self._database.begin() as session:
            job = _held(session, lease)
            job.lease_until = database_now(session) + duration
            return replace(lease, expires_at=job.lease_until)

    def succeed(self, lease: Lease, grade: Grade) -> None:
        """Store the grade and end the job in one transaction; raise ``LeaseLostError``.

        An earlier grade is replaced. A grade of another version than the submission is on now is
        dropped and the job queued again. Raises ``InvalidInputError`` for another submission's.
        """
        if grade.submission_id != lease.submission_id:
            msg = "submission_id: this grade belongs to another submission than the lease."
            raise InvalidInputError(msg, field="submission_id")
        with self._database.begin() as session:
            job = _held(session, lease)
            submission = _submission_of(session, job)
            if grade.version_id not in {None, submission.version_id}:
                _log.info("job %s: its version changed meanwhile; it is graded anew", job.id)
                _requeue(session, job, submission)
                job.attempt -= 1
                return
            submission.error = None
            # Its standing follows with the grade.
            submission.state = checked_transition(submission.state, SubmissionState.GRADED)
            _release(job, JobState.SUCCEEDED)
            store_grade(session, grade, reason=reason_of(session, submission.id))
            end_items(session, submission.id)

    def fail(self, lease: Lease, message: str) -> None:
        """Queue the job again, or end it as FAILED with ``message`` after the last try.

        It goes to the end of the queue, behind those that were not tried yet. Raises
        ``LeaseLostError``.
        """
        with self._database.begin() as session:
            job = _held(session, lease)
            submission = _submission_of(session, job)
            if lease.is_last_attempt:
                _finish_failed(session, job, submission, message)
                return
            _requeue(session, job, submission)
            job.error = message
            job.queued_at = database_now(session)

    def give_back(self, lease: Lease) -> None:
        """Queue the job again without counting this try; no error if lost.

        It goes to the end of the queue: whatever stopped it may be its own, and must not keep the
        other jobs waiting.
        """
        with self._database.begin() as session:
            try:
                job = _held(session, lease)
            except LeaseLostError:
                return
            _requeue(session, job, _submission_of(session, job))
            job.attempt -= 1
            job.queued_at = database_now(session)

    def pending(self, course_id: UUID | None = None) -> int:
        """Count the jobs that are queued or leased."""
        query = select(func.count(JobRow.id)).where(
            JobRow.state.in_([JobState.QUEUED, JobState.LEASED]), _not_in_trash()
        )
        if course_id is not None:
            query = (
                query.join(SubmissionRow, SubmissionRow.id == JobRow.submission_id)
                .join(AssignmentRow, AssignmentRow.id == SubmissionRow.assignment_id)
                .where(AssignmentRow.course_id == course_id)
            )
        with self._database.session() as session:
            return session.scalar(query) or 0


def queue_submission(session: Session, submission: SubmissionRow) -> JobRow:
    """Queue a submission for grading, at the end, with every try before it; return its job.

    In the caller's transaction, who calls ``storage.standings.settle`` afterwards. Its one job is
    made if there is none. Whoever grades it now loses the lease. The grade that it has stays until
    the new one is stored.
    """
    job = session.scalar(
        select(JobRow).where(JobRow.submission_id == submission.id).with_for_update()
    )
    queued = queue_locked(session, submission, job, database_now(session))
    session.flush()
    return queued


def queue_locked(
    session: Session, submission: SubmissionRow, job: JobRow | None, now: datetime
) -> JobRow:
    """Do as ``queue_submission`` with a job that is locked already, None if there is none."""
    if job is None:
        job = JobRow(id=new_id(), submission_id=submission.id, fence=0)
        session.add(job)
    # The fence is kept: it grows over the whole life of the job.
    _release(job, JobState.QUEUED)
    job.attempt, job.error, job.queued_at = 0, None, now
    if submission.state is not SubmissionState.QUEUED:
        submission.state = checked_transition(submission.state, SubmissionState.QUEUED)
    submission.error = None
    return job


def locked(
    session: Session, submission_ids: Collection[UUID]
) -> tuple[dict[UUID, JobRow], list[SubmissionRow]]:
    """Lock submissions and their jobs, in the one order that everybody locks in: jobs first."""
    jobs: dict[UUID, JobRow] = {}
    rows: list[SubmissionRow] = []
    for ids in chunks(sorted(submission_ids)):
        found = select(JobRow).where(JobRow.submission_id.in_(ids)).order_by(JobRow.id)
        jobs |= {job.submission_id: job for job in session.scalars(found.with_for_update())}
    for ids in chunks(sorted(submission_ids)):
        of_these = select(SubmissionRow).where(SubmissionRow.id.in_(ids)).order_by(SubmissionRow.id)
        rows += session.scalars(of_these.with_for_update(key_share=True))
    return jobs, rows


def cancel_submissions(session: Session, submission_ids: Collection[UUID]) -> int:
    """Stop the grading of submissions of one assignment; return of how many there was one.

    Each is GRADED again, on the version of the grade that it has, or SUBMITTED. Its worker loses
    the lease, and every batch that waits for it is told. What is not under way is left as it is.
    """
    jobs, rows = locked(session, submission_ids)
    under_way = [
        (jobs[row.id], row)
        for row in rows
        if row.id in jobs and jobs[row.id].state in {JobState.QUEUED, JobState.LEASED}
    ]
    if not under_way:
        return 0
    graded_on: dict[UUID, UUID | None] = {}
    for ids in chunks([row.id for _, row in under_way]):
        graded = select(GradeRow.submission_id, GradeRow.version_id)
        for submission_id, version_id in session.execute(
            graded.where(GradeRow.submission_id.in_(ids))
        ):
            graded_on[submission_id] = version_id
    for job, row in under_way:
        _release(job, JobState.CANCELLED)
        job.fence += 1
        job.error = row.error = None
        has_grade = row.id in graded_on
        state = SubmissionState.GRADED if has_grade else SubmissionState.SUBMITTED
        row.state = checked_transition(row.state, state)
        row.version_id = graded_on.get(row.id) or row.submitted_version_id or row.version_id
    session.flush()
    cancel_items(session, [row.id for _, row in under_way])
    settle(session, rows[0].assignment_id, {row.user for _, row in under_way})
    return len(under_way)


def queue_places() -> Subquery[Any]:
    """Every submission that waits to be graded, and its ``place`` in the queue, 1 for the next."""
    return (
        select(
            JobRow.submission_id,
            func.row_number().over(order_by=(JobRow.queued_at, JobRow.id)).label("place"),
        )
        .where(JobRow.state == JobState.QUEUED, _not_in_trash())
        .subquery()
    )


def _not_in_trash() -> ColumnElement[bool]:
    return exists(
        select(SubmissionRow.id)
        .join(AssignmentRow, AssignmentRow.id == SubmissionRow.assignment_id)
        .join(CourseRow, CourseRow.id == AssignmentRow.course_id)
        .where(
            SubmissionRow.id == JobRow.submission_id,
            SubmissionRow.deleted_at.is_(None),
            AssignmentRow.deleted_at.is_(None),
            CourseRow.deleted_at.is_(None),
        )
        .correlate(JobRow)
    )


def _claimable(now: datetime, submission_id: UUID | None) -> ColumnElement[bool]:
    condition = or_(
        JobRow.state == JobState.QUEUED,
        and_(JobRow.state == JobState.LEASED, JobRow.lease_until <= now),
    )
    if submission_id is not None:
        condition = and_(condition, JobRow.submission_id == submission_id)
    return and_(condition, _not_in_trash())


def _held(session: Session, lease: Lease) -> JobRow:
    """Return the job, locked, if the lease is still the newest one; raise ``LeaseLostError``."""
    job = session.get(JobRow, lease.job_id, with_for_update=True)
    if job is None or job.state is not JobState.LEASED or job.fence != lease.fence:
        msg = "Another worker has taken this job over, or it has ended; this result is dropped."
        raise LeaseLostError(msg)
    return job


def _submission_of(session: Session, job: JobRow) -> SubmissionRow:
    return session.get_one(SubmissionRow, job.submission_id, with_for_update=KEEPING_KEYS)


def _release(job: JobRow, state: JobState) -> None:
    job.state, job.worker, job.lease_until = state, None, None


def _move(session: Session, submission: SubmissionRow, state: SubmissionState) -> None:
    submission.state = checked_transition(submission.state, state)
    set_state(session, submission)


def _requeue(session: Session, job: JobRow, submission: SubmissionRow) -> None:
    _release(job, JobState.QUEUED)
    _move(session, submission, SubmissionState.QUEUED)


def _finish_failed(session: Session, job: JobRow, submission: SubmissionRow, message: str) -> None:
    _release(job, JobState.FAILED)
    job.error = submission.error = message
    _move(session, submission, SubmissionState.FAILED)
    end_items(session, submission.id, error=message)
