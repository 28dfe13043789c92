"""The queue of grading jobs in the database.

A job is QUEUED, LEASED to one worker until a time on the database's clock, and ends SUCCEEDED or
FAILED. A worker that dies says nothing: its lease runs out and the job is leased again. Its fence,
which grows with every lease, keeps a worker that was only slow from writing over the next one.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from jupyter_ppo.domain.errors import InvalidInputError, LeaseLostError
from jupyter_ppo.domain.grading import Grade
from jupyter_ppo.domain.jobs import MAX_ATTEMPTS, JobState, Lease
from jupyter_ppo.domain.submissions import SubmissionState, checked_transition
from jupyter_ppo.storage.database import Database, database_now
from jupyter_ppo.storage.submissions import store_grade
from jupyter_ppo.storage.tables import AssignmentRow, JobRow, SubmissionRow

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
        with self._database.begin() as session:
            now = database_now(session)
            ready = (
                select(JobRow)
                .where(_claimable(now, submission_id))
                .order_by(JobRow.queued_at, JobRow.id)
                .with_for_update(skip_locked=True)
            )
            for cut_short in session.scalars(ready.where(JobRow.attempt >= MAX_ATTEMPTS)).all():
                _finish_failed(cut_short, _submission_of(session, cut_short), _CUT_SHORT)
            session.flush()
            job = session.scalar(ready.where(JobRow.attempt < MAX_ATTEMPTS).limit(1))
            if job is None:
                return None
            submission = _submission_of(session, job)
            job.state, job.worker, job.lease_until = JobState.LEASED, worker, now + duration
            job.fence += 1
            job.attempt += 1
            if submission.state is not SubmissionState.GRADING:  # it is, after a lapsed lease
                submission.state = checked_transition(submission.state, SubmissionState.GRADING)
            return Lease(
                job_id=job.id,
                submission_id=job.submission_id,
                worker=worker,
                fence=job.fence,
                attempt=job.attempt,
                expires_at=job.lease_until,
            )

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

        An earlier grade is replaced. Raises ``InvalidInputError`` for another submission's grade.
        """
        if grade.submission_id != lease.submission_id:
            msg = "submission_id: this grade belongs to another submission than the lease."
            raise InvalidInputError(msg, field="submission_id")
        with self._database.begin() as session:
            job = _held(session, lease)
            submission = _submission_of(session, job)
            store_grade(session, grade)
            submission.state = checked_transition(submission.state, SubmissionState.GRADED)
            submission.error = None
            _release(job, JobState.SUCCEEDED)

    def fail(self, lease: Lease, message: str) -> None:
        """Queue the job again, or end it as FAILED with ``message`` after the last try.

        It goes to the end of the queue, behind those that were not tried yet. Raises
        ``LeaseLostError``.
        """
        with self._database.begin() as session:
            job = _held(session, lease)
            submission = _submission_of(session, job)
            if lease.is_last_attempt:
                _finish_failed(job, submission, message)
                return
            _requeue(job, submission)
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
            _requeue(job, _submission_of(session, job))
            job.attempt -= 1
            job.queued_at = database_now(session)

    def pending(self, course_id: UUID | None = None) -> int:
        """Count the jobs that are queued or leased."""
        query = select(func.count(JobRow.id)).where(
            JobRow.state.in_([JobState.QUEUED, JobState.LEASED])
        )
        if course_id is not None:
            query = (
                query.join(SubmissionRow, SubmissionRow.id == JobRow.submission_id)
                .join(AssignmentRow, AssignmentRow.id == SubmissionRow.assignment_id)
                .where(AssignmentRow.course_id == course_id)
            )
        with self._database.session() as session:
            return session.scalar(query) or 0


def _claimable(now: datetime, submission_id: UUID | None) -> ColumnElement[bool]:
    condition = or_(
        JobRow.state == JobState.QUEUED,
        and_(JobRow.state == JobState.LEASED, JobRow.lease_until <= now),
    )
    if submission_id is not None:
        condition = and_(condition, JobRow.submission_id == submission_id)
    return condition


def _held(session: Session, lease: Lease) -> JobRow:
    """Return the job, locked, if the lease is still the newest one; raise ``LeaseLostError``."""
    job = session.get(JobRow, lease.job_id, with_for_update=True)
    if job is None or job.state is not JobState.LEASED or job.fence != lease.fence:
        msg = "Another worker has taken this job over, or it has ended; this result is dropped."
        raise LeaseLostError(msg)
    return job


def _submission_of(session: Session, job: JobRow) -> SubmissionRow:
    return session.get_one(SubmissionRow, job.submission_id, with_for_update=True)


def _release(job: JobRow, state: JobState) -> None:
    job.state, job.worker, job.lease_until = state, None, None


def _requeue(job: JobRow, submission: SubmissionRow) -> None:
    _release(job, JobState.QUEUED)
    submission.state = checked_transition(submission.state, SubmissionState.QUEUED)


def _finish_failed(job: JobRow, submission: SubmissionRow, message: str) -> None:
    _release(job, JobState.FAILED)
    job.error = submission.error = message
    submission.state = checked_transition(submission.state, SubmissionState.FAILED)
