"""Outcomes of entries and their revisions in the database.

Every change adds a revision, and none is ever changed or deleted. The grade of the submission is
written in the same transaction: there is one as long as the outcome is approved or released.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, replace
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from jupyter_ppo.domain.entries import CriterionResult, Outcome, OutcomeState
from jupyter_ppo.domain.grading import Grade
from jupyter_ppo.domain.ids import new_id
from jupyter_ppo.domain.marks import GradeChangeKind
from jupyter_ppo.domain.ports import Page
from jupyter_ppo.domain.submissions import SubmissionState
from jupyter_ppo.domain.webhooks import WebhookEvent
from jupyter_ppo.storage.database import Database, database_now
from jupyter_ppo.storage.grades import snapshot, store_grade
from jupyter_ppo.storage.history import add_change
from jupyter_ppo.storage.standings import KEEPING_KEYS, settle
from jupyter_ppo.storage.submission_rows import no_submission
from jupyter_ppo.storage.tables import (
    ExerciseGradeRow,
    GradeRow,
    OutcomeRevisionRow,
    OutcomeRow,
    SubmissionRow,
)
from jupyter_ppo.storage.webhook_events import announce_submissions


class Outcomes:
    """Outcomes on a database; times are the database's clock."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def outcome(self, submission_id: UUID) -> Outcome | None:
        """Return the newest revision, if there is an outcome."""
        with self._database.session() as session:
            row = session.get(OutcomeRow, submission_id)
            return None if row is None else _outcome(row)

    def revisions(self, submission_id: UUID, *, offset: int, limit: int) -> Page[Outcome]:
        """Return every revision of a submission's outcome, newest first."""
        query = select(OutcomeRevisionRow).where(OutcomeRevisionRow.submission_id == submission_id)
        with self._database.session() as session:
            total = session.scalar(select(func.count()).select_from(query.subquery()))
            rows = session.scalars(
                query.order_by(OutcomeRevisionRow.revision.desc()).offset(offset).limit(limit)
            )
            return Page(tuple(_outcome(row) for row in rows), total or 0, offset, limit)

    def write(
        self, outcome: Outcome, *, seen: int, grade: Grade | None = None, reason: str = ""
    ) -> Outcome | None:
        """Add ``outcome`` as the revision after ``seen`` (0: there is none yet), and its effects.

        ``grade`` is the grade that it gives, or None to leave the one that is there; a draft takes
        it away. Returns None, and changes nothing, when ``seen`` is not the newest revision. Raises
        ``NotFoundError`` when the submission is gone.
        """
        with self._database.begin() as session:
            return write_outcome(session, outcome, seen=seen, grade=grade, reason=reason)

    def release_approved(self, assignment_id: UUID, by: str) -> tuple[UUID, ...]:
        """Release every approved outcome of an assignment at once; return their submissions."""
        with self._database.begin() as session:
            found = session.execute(
                select(SubmissionRow, OutcomeRow)
                .join(OutcomeRow, OutcomeRow.submission_id == SubmissionRow.id)
                .where(
                    SubmissionRow.assignment_id == assignment_id,
                    SubmissionRow.deleted_at.is_(None),
                    OutcomeRow.state == OutcomeState.APPROVED,
                )
                .order_by(SubmissionRow.id)
                .with_for_update(key_share=True)
            ).all()
            for submission, row in found:
                now = _outcome(row)
                then = replace(now, state=OutcomeState.RELEASED, changed_by=by)
                _add(session, row, then)
                _set_released(session, submission, now.state, then.state, by=by, reason="")
            every = [submission for submission, _ in found]
            announce_submissions(session, WebhookEvent.RELEASED, every)
            settle(session, assignment_id, {submission.user for submission, _ in found}, by=by)
            return tuple(submission.id for submission, _ in found)


def write_outcome(
    session: Session, outcome: Outcome, *, seen: int, grade: Grade | None = None, reason: str = ""
) -> Outcome | None:
    """Write an outcome in the caller's transaction, as ``Outcomes.write`` does."""
    submission = session.get(SubmissionRow, outcome.submission_id, with_for_update=KEEPING_KEYS)
    if submission is None or submission.deleted_at is not None:
        raise no_submission()
    row = session.get(OutcomeRow, outcome.submission_id)
    if (row.revision if row else 0) != seen:
        return None
    before = row.state if row else OutcomeState.DRAFT
    row = _add(session, row, outcome)
    by = outcome.changed_by or ""
    _set_released(session, submission, before, outcome.state, by=by, reason=reason)
    if grade is not None:
        # An outcome that is judged is a graded submission, whatever it was before.
        submission.state = SubmissionState.GRADED
        submission.error = None
        store_grade(session, grade, kind=GradeChangeKind.OUTCOME, by=by, reason=reason)
    elif outcome.state is OutcomeState.DRAFT and before is not OutcomeState.DRAFT:
        _take_grade_away(session, submission, by=by, reason=reason)
    if outcome.state is OutcomeState.RELEASED and before is not OutcomeState.RELEASED:
        announce_submissions(session, WebhookEvent.RELEASED, [submission])
    settle(session, submission.assignment_id, [submission.user], by=by, reason=reason)
    session.flush()
    return _outcome(row)


def _add(session: Session, row: OutcomeRow | None, outcome: Outcome) -> OutcomeRow:
    """Add a revision with the next number, and make it the newest one."""
    now = database_now(session)
    if row is None:
        row = OutcomeRow(submission_id=outcome.submission_id, revision=0)
        session.add(row)
    row.revision += 1
    row.state, row.content, row.at = outcome.state, _content(outcome), now
    row.author_kind, row.author = outcome.author_kind, outcome.author
    row.approved_by = outcome.approved_by
    session.flush()
    session.add(
        OutcomeRevisionRow(
            id=new_id(),
            submission_id=row.submission_id,
            revision=row.revision,
            state=row.state,
            content=_content(outcome),
            author_kind=row.author_kind,
            author=row.author,
            at=now,
        )
    )
    return row


def _set_released(
    session: Session,
    submission: SubmissionRow,
    before: OutcomeState,
    after: OutcomeState,
    *,
    by: str,
    reason: str,
) -> None:
    is_released = after is OutcomeState.RELEASED
    if is_released == (before is OutcomeState.RELEASED):
        return
    now = database_now(session)
    submission.released_at = now if is_released else None
    kind = GradeChangeKind.RELEASED if is_released else GradeChangeKind.WITHDRAWN
    state = snapshot(session, submission.id)
    add_change(session, submission.id, kind, by=by, reason=reason, after=state, at=now)


def _take_grade_away(session: Session, submission: SubmissionRow, *, by: str, reason: str) -> None:
    before = snapshot(session, submission.id)
    if before is None:
        return
    exercises: Iterable[ExerciseGradeRow] = session.scalars(
        select(ExerciseGradeRow).where(ExerciseGradeRow.submission_id == submission.id)
    ).all()
    for exercise in exercises:
        session.delete(exercise)
    session.flush()
    session.delete(session.get_one(GradeRow, submission.id))
    # Not one of the steps of autograding: what was decided is open again.
    submission.state = SubmissionState.SUBMITTED
    add_change(
        session,
        submission.id,
        GradeChangeKind.OUTCOME,
        by=by,
        reason=reason,
        before=before,
        at=database_now(session),
    )


def _content(outcome: Outcome) -> dict[str, Any]:
    return {
        "results": [asdict(result) for result in outcome.results],
        "summary": outcome.summary,
        "private_note": outcome.private_note,
        "changed_by": outcome.changed_by,
        "approved_by": outcome.approved_by,
    }


def _outcome(row: OutcomeRow | OutcomeRevisionRow) -> Outcome:
    content = row.content
    return Outcome(
        submission_id=row.submission_id,
        revision=row.revision,
        state=row.state,
        results=tuple(CriterionResult(**result) for result in content["results"]),
        summary=content["summary"],
        private_note=content["private_note"],
        author_kind=row.author_kind,
        author=row.author,
        at=row.at,
        approved_by=content["approved_by"],
        changed_by=content["changed_by"],
    )
