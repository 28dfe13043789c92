"""Submissions and grades in the database."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from jupyter_ppo.domain.courses import Assignment, AssignmentKind
from jupyter_ppo.domain.errors import (
    ConflictError,
    NotFoundError,
    TooManyRequestsError,
)
from jupyter_ppo.domain.grading import Grade
from jupyter_ppo.domain.ids import new_id
from jupyter_ppo.domain.ports import Clock, Page
from jupyter_ppo.domain.submissions import Submission, SubmissionState
from jupyter_ppo.domain.terms import check_time
from jupyter_ppo.domain.webhooks import WebhookEvent
from jupyter_ppo.storage.database import Database
from jupyter_ppo.storage.grades import grade_of
from jupyter_ppo.storage.jobs import queue_submission
from jupyter_ppo.storage.standings import KEEPING_KEYS, lock_attempts, settle
from jupyter_ppo.storage.submission_rows import SHOWN, joined, no_submission, one, read_rows
from jupyter_ppo.storage.tables import (
    AssignmentRow,
    JobRow,
    MembershipRow,
    StandingRow,
    SubmissionRow,
)
from jupyter_ppo.storage.term_rows import own_terms, terms_of
from jupyter_ppo.storage.webhook_events import announce_submissions

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
        is_bound: bool = False,
        idempotency_key: str | None = None,
        collected_by: str | None = None,
    ) -> Submission:
        """Add the next attempt and, unless people grade it, its grading job in one transaction.

        ``is_bound`` holds ``user`` to the assignment's terms, as students are. With an
        ``idempotency_key`` that came with these bytes before, the attempt of then is returned and
        nothing is added (``is_repeat``).

        Raises ``InvalidInputError`` when ``submitted_at`` cannot be used, ``NotFoundError`` when
        the assignment is gone or not open yet, ``ForbiddenError`` when it is closed or the attempts
        are used up, ``ConflictError`` when the key came with other bytes, ``TooManyRequestsError``
        when the student handed in ``attempts_per_hour`` within the last hour already (0: no bound).
        """
        if submitted_at is not None:
            check_time(submitted_at, "submitted_at")
        with self._database.begin() as session:
            # Two attempts of one student may come at once: the assignment's row is their lock.
            lock_attempts(session, assignment.id, [user])
            row = session.get(AssignmentRow, assignment.id)
            if row is None or row.deleted_at is not None:
                msg = f"assignment: there is no assignment {assignment.name!r} in this course."
                raise NotFoundError(msg, field="assignment")
            if idempotency_key is not None:
                repeated = _repeated(session, assignment, user, digest, idempotency_key)
                if repeated is not None:
                    return repeated
            received_at = self._clock.now()
            when = submitted_at or received_at
            if is_bound:
                own = own_terms(session, [assignment.id], user)[assignment.id]
                own.check(assignment.name, received_at)
            if attempts_per_hour:
                _check_rate(session, assignment, user, when, attempts_per_hour)
            last = session.scalar(
                select(func.max(SubmissionRow.attempt)).where(
                    SubmissionRow.assignment_id == assignment.id, SubmissionRow.user == user
                )
            )
            made = SubmissionRow(
                id=new_id(),
                assignment_id=assignment.id,
                version_id=assignment.version.id,
                submitted_version_id=assignment.version.id,
                user=user,
                attempt=(last or 0) + 1,
                digest=digest,
                state=SubmissionState.SUBMITTED,
                submitted_at=when,
                warnings=list(warnings),
                idempotency_key=idempotency_key,
                received_at=received_at,
                collected_by=collected_by,
            )
            session.add(made)
            session.flush()
            if row.kind is AssignmentKind.NOTEBOOK and terms_of(session, assignment.id).autograde:
                queue_submission(session, made)
            announce_submissions(session, WebhookEvent.RECEIVED, [made])
            settle(session, assignment.id, [user])
            return one(session, made.id)

    def submission(self, submission_id: UUID) -> Submission:
        """Return a submission; raise ``NotFoundError``."""
        with self._database.session() as session:
            return one(session, submission_id)

    def submissions(
        self,
        course_id: UUID,
        *,
        user: str | None = None,
        assignment_id: UUID | None = None,
        latest: bool = False,
        for_student: bool = False,
        offset: int,
        limit: int,
    ) -> Page[Submission]:
        """Return submissions, newest first; ``latest`` keeps the attempts that count only.

        Which one that is, the assignment's terms say (``domain.terms.counting_attempt``);
        ``for_student`` has those that count as far as their student knows. Those of people who were
        removed from the course are left out, unless ``user`` is one of them.
        """
        query = joined().where(AssignmentRow.course_id == course_id)
        if user is None:
            query = query.where(~_is_removed())
        else:
            query = query.where(SubmissionRow.user == user)
        if assignment_id is not None:
            query = query.where(SubmissionRow.assignment_id == assignment_id)
        if latest:
            counting = SHOWN.shown_submission_id if for_student else StandingRow.submission_id
            query = query.where(counting.is_not(None))
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
            return Page(read_rows(found), total or 0, offset, limit)

    def grade(self, submission_id: UUID) -> Grade | None:
        """Return the grade, if there is one."""
        with self._database.session() as session:
            return grade_of(session, submission_id)

    def regrade(self, submission_id: UUID) -> Submission:
        """Queue a submission that is not under way, for the first time or again.

        The old grade stays until the new one is there. Raises ``ConflictError`` if it is under
        way or an entry, which people judge, ``NotFoundError`` if there is none.
        """
        with self._database.begin() as session:
            # Locks are taken in one order everywhere: the job, the submission, the assignment.
            session.scalar(
                select(JobRow).where(JobRow.submission_id == submission_id).with_for_update()
            )
            row = session.get(SubmissionRow, submission_id, with_for_update=KEEPING_KEYS)
            if row is None or row.deleted_at is not None:
                raise no_submission()
            if session.get_one(AssignmentRow, row.assignment_id).kind is AssignmentKind.ENTRY:
                msg = "submission: this is an entry; a person judges it by its rubric."
                raise ConflictError(msg, field="submission")
            if not row.digest:
                msg = "submission: its student was erased, and nothing is left to be graded."
                raise ConflictError(msg, field="submission")
            if row.state in {SubmissionState.QUEUED, SubmissionState.GRADING}:
                msg = (
                    f"state: this submission is {row.state} already. Wait for its grade, "
                    "then grade it again."
                )
                raise ConflictError(msg, field="state")
            queue_submission(session, row)
            settle(session, row.assignment_id, [row.user])
            return one(session, submission_id)


def _is_removed() -> ColumnElement[bool]:
    return (
        select(MembershipRow.user)
        .where(
            MembershipRow.course_id == AssignmentRow.course_id,
            MembershipRow.user == SubmissionRow.user,
            MembershipRow.removed_at.is_not(None),
        )
        .correlate(AssignmentRow, SubmissionRow)
        .exists()
    )


def _repeated(
    session: Session, assignment: Assignment, user: str, digest: str, key: str
) -> Submission | None:
    row = session.scalar(
        select(SubmissionRow).where(
            SubmissionRow.assignment_id == assignment.id,
            SubmissionRow.user == user,
            SubmissionRow.idempotency_key == key,
        )
    )
    if row is None:
        return None
    if row.digest != digest:
        msg = (
            f"idempotency_key: attempt {row.attempt} came with this key and other bytes. "
            "Send a new key with every new attempt."
        )
        raise ConflictError(msg, field="idempotency_key")
    if row.deleted_at is not None:
        msg = (
            f"idempotency_key: attempt {row.attempt}, which came with this key, was deleted. "
            "Send a new key."
        )
        raise ConflictError(msg, field="idempotency_key")
    return one(session, row.id).as_repeat()


def _check_rate(
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
