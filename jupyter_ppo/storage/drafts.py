"""Drafts of feedback in the database, and what people decide about them.

A decision and the human's record (a mark, an outcome) are written in one transaction. A program
never writes over a person: an answer that somebody judged meanwhile gets no draft.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.orm import Session

from jupyter_ppo.domain.courses import AssignmentKind, CellKind
from jupyter_ppo.domain.draft_records import AnswerKey, DraftLease
from jupyter_ppo.domain.entries import AuthorKind, Outcome
from jupyter_ppo.domain.errors import ConflictError, NotFoundError
from jupyter_ppo.domain.grading import Grade
from jupyter_ppo.domain.marks import Mark
from jupyter_ppo.domain.ports import Page
from jupyter_ppo.domain.tutoring import (
    DraftDecision,
    DraftResult,
    DraftState,
    FeedbackDraft,
    Flag,
    ItemState,
    NewDraft,
)
from jupyter_ppo.storage.database import Database, database_now
from jupyter_ppo.storage.draft_items import end_item, held_item
from jupyter_ppo.storage.marks import write_mark
from jupyter_ppo.storage.outcomes import write_outcome
from jupyter_ppo.storage.standings import KEEPING_KEYS
from jupyter_ppo.storage.tables import (
    AssignmentRow,
    DraftRow,
    ExerciseGradeRow,
    ExerciseRow,
    GradeRow,
    MarkRow,
    MembershipRow,
    OutcomeRow,
    StandingRow,
    SubmissionRow,
)


class Drafts:
    """``services.draft_stores.DraftStore`` on a database; times are the database's clock."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # -- written by programs -----------------------------------------------------------------

    def finish(self, lease: DraftLease, new: NewDraft) -> FeedbackDraft | None:
        """Add a draft and end its item in one transaction.

        None, and the item is SKIPPED, when a person has judged the answer meanwhile; a batch for
        calibration goes on then, as its drafts are only compared. Raises ``LeaseLostError``.
        """
        with self._database.begin() as session:
            # Whoever marks or judges this answer waits here, or was first.
            submission = _locked(session, new.submission_id)
            item = held_item(session, lease)
            if not lease.for_calibration and _is_judged(session, new.submission_id, new.grade_id):
                end_item(session, item, ItemState.SKIPPED)
                return None
            row = _add(session, submission, lease.course_id, new)
            end_item(session, item, ItemState.DONE, draft_id=row.id)
            return _draft(row, submission)

    # -- read --------------------------------------------------------------------------------

    def draft(self, draft_id: UUID) -> FeedbackDraft:
        """Return a draft; raise ``NotFoundError``."""
        with self._database.session() as session:
            row = session.get(DraftRow, draft_id)
            if row is None:
                raise _no_draft()
            return _draft(row, session.get_one(SubmissionRow, row.submission_id))

    def of_answers(
        self, assignment_id: UUID, grade_id: str, submissions: Sequence[UUID]
    ) -> dict[UUID, FeedbackDraft]:
        """Return the newest draft of each of these answers that has one."""
        query = (
            select(DraftRow, SubmissionRow)
            .join(SubmissionRow, SubmissionRow.id == DraftRow.submission_id)
            .where(
                DraftRow.assignment_id == assignment_id, DraftRow.grade_id == grade_id, _newest()
            )
        )
        wanted = set(submissions)
        with self._database.session() as session:
            rows = session.execute(query).all()
        return {row.submission_id: _draft(row, its) for row, its in rows if its.id in wanted}

    def queue(
        self, assignment_id: UUID, *, grade_id: str | None, state: str, offset: int, limit: int
    ) -> Page[FeedbackDraft]:
        """Return the drafts of the attempts that count: flagged, then least agreement, then oldest.

        ``state`` is "open", "decided" or "all"; of each answer only the newest draft is returned.
        """
        query = (
            select(DraftRow, SubmissionRow)
            .join(SubmissionRow, SubmissionRow.id == DraftRow.submission_id)
            .join(StandingRow, StandingRow.submission_id == DraftRow.submission_id)
            .where(
                DraftRow.assignment_id == assignment_id,
                SubmissionRow.deleted_at.is_(None),
                _newest(),
            )
        )
        if grade_id is not None:
            query = query.where(DraftRow.grade_id == grade_id)
        if state == "open":
            query = query.where(DraftRow.decided_state.is_(None))
        elif state == "decided":
            query = query.where(DraftRow.decided_state.is_not(None))
        ordered = query.order_by(
            DraftRow.state != DraftState.FLAGGED, DraftRow.agreement, DraftRow.created_at
        ).order_by(DraftRow.id)
        with self._database.session() as session:
            total = session.scalar(select(func.count()).select_from(query.subquery())) or 0
            rows = session.execute(ordered.offset(offset).limit(limit)).all()
            return Page(tuple(_draft(row, its) for row, its in rows), total, offset, limit)

    def answers(self, assignment_id: UUID) -> Sequence[AnswerKey]:
        """Return the answers that people mark, of the attempts that count, members' only.

        Those of a notebook need a grade by its tests first; an entry is one answer, "".
        """
        with self._database.session() as session:
            assignment = session.get_one(AssignmentRow, assignment_id)
            member = select(MembershipRow.user).where(
                MembershipRow.course_id == assignment.course_id,
                MembershipRow.user == StandingRow.user,
                MembershipRow.removed_at.is_(None),
            )
            query = (
                select(StandingRow.submission_id, StandingRow.user)
                .where(StandingRow.assignment_id == assignment_id, member.exists())
                .order_by(StandingRow.submission_id)
            )
            if assignment.kind is AssignmentKind.ENTRY:
                return [AnswerKey(each, user, "") for each, user in session.execute(query)]
            by_hand = (
                query.add_columns(ExerciseGradeRow.grade_id)
                .join(GradeRow, GradeRow.submission_id == StandingRow.submission_id)
                .join(SubmissionRow, SubmissionRow.id == StandingRow.submission_id)
                .join(ExerciseGradeRow, ExerciseGradeRow.submission_id == StandingRow.submission_id)
                .join(
                    ExerciseRow,
                    and_(
                        ExerciseRow.version_id
                        == func.coalesce(GradeRow.version_id, SubmissionRow.version_id),
                        ExerciseRow.grade_id == ExerciseGradeRow.grade_id,
                    ),
                )
                .where(ExerciseRow.kind == CellKind.MANUAL)
                .order_by(ExerciseGradeRow.position)
            )
            return [AnswerKey(*row) for row in session.execute(by_hand)]

    def undecided(self, assignment_id: UUID, grade_ids: Collection[str]) -> int:
        """Return how many drafts of these questions nobody has decided on."""
        query = select(func.count()).where(
            DraftRow.assignment_id == assignment_id,
            DraftRow.grade_id.in_(grade_ids),
            DraftRow.decided_at.is_(None),
        )
        with self._database.session() as session:
            return session.scalar(query) or 0

    def judged(self, assignment_id: UUID) -> frozenset[tuple[UUID, str]]:
        """Return the answers that a person has judged: a mark with points, a touched outcome."""
        marked = (
            select(MarkRow.submission_id, MarkRow.grade_id)
            .join(SubmissionRow, SubmissionRow.id == MarkRow.submission_id)
            .where(SubmissionRow.assignment_id == assignment_id, MarkRow.points.is_not(None))
        )
        written = (
            select(OutcomeRow)
            .join(SubmissionRow, SubmissionRow.id == OutcomeRow.submission_id)
            .where(SubmissionRow.assignment_id == assignment_id)
        )
        with self._database.session() as session:
            found = {(each, grade_id) for each, grade_id in session.execute(marked)}
            found |= {
                (row.submission_id, "") for row in session.scalars(written) if _is_touched(row)
            }
        return frozenset(found)

    # -- decided by people -------------------------------------------------------------------

    def decide_mark(self, draft_id: UUID, decision: DraftDecision, mark: Mark) -> FeedbackDraft:
        """Write a decision and the mark that it is.

        Raises ``EditConflictError`` when another mark was saved, ``ConflictError`` (field
        ``state``) when the draft is decided or not the newest, and what ``write_mark`` raises.
        """
        with self._database.begin() as session:
            row, submission = _undecided(session, draft_id)
            write_mark(session, row.submission_id, row.grade_id, mark, by=decision.by)
            return _decide(session, row, submission, decision)

    def decide_outcome(
        self,
        draft_id: UUID,
        decision: DraftDecision,
        revisions: Sequence[tuple[Outcome, Grade | None]],
        *,
        seen: int,
    ) -> FeedbackDraft | None:
        """Write a decision and its revisions of the outcome, one after the other.

        None, and nothing is written, when the stored revision is not ``seen``. Raises
        ``ConflictError`` as ``decide_mark`` does.
        """
        with self._database.begin() as session:
            row, submission = _undecided(session, draft_id)
            stored = session.get(OutcomeRow, row.submission_id)
            if (stored.revision if stored else 0) != seen:
                return None
            for number, (outcome, grade) in enumerate(revisions):
                write_outcome(session, outcome, seen=seen + number, grade=grade)
            return _decide(session, row, submission, decision)

    def reject(self, draft_id: UUID, decision: DraftDecision) -> FeedbackDraft:
        """Write that a draft is of no use; raise ``ConflictError`` as ``decide_mark`` does."""
        with self._database.begin() as session:
            row, submission = _undecided(session, draft_id)
            return _decide(session, row, submission, decision)


def _locked(session: Session, submission_id: UUID) -> SubmissionRow:
    return session.get_one(SubmissionRow, submission_id, with_for_update=KEEPING_KEYS)


def _undecided(session: Session, draft_id: UUID) -> tuple[DraftRow, SubmissionRow]:
    found = session.get(DraftRow, draft_id)
    if found is None:
        raise _no_draft()
    submission = _locked(session, found.submission_id)
    row = session.get_one(DraftRow, draft_id, populate_existing=True, with_for_update=True)
    if row.decided_state is not None:
        msg = f"state: {row.decided_by} has {row.decided_state} this draft already. Load it again."
        raise ConflictError(msg, field="state")
    if row.number != _last_number(session, row.submission_id, row.grade_id):
        msg = "state: there is a newer draft of this answer. Look at that one."
        raise ConflictError(msg, field="state")
    return row, submission


def _decide(
    session: Session, row: DraftRow, submission: SubmissionRow, decision: DraftDecision
) -> FeedbackDraft:
    row.decided_state, row.decided_by = decision.state, decision.by
    row.decided_at = database_now(session)
    row.points, row.comment, row.reason = decision.points, decision.comment, decision.reason
    row.edit_distance = decision.edit_distance
    session.flush()
    return _draft(row, submission)


def _add(session: Session, submission: SubmissionRow, course_id: UUID, new: NewDraft) -> DraftRow:
    row = DraftRow(
        course_id=course_id,
        assignment_id=submission.assignment_id,
        submission_id=new.submission_id,
        grade_id=new.grade_id,
        number=_last_number(session, new.submission_id, new.grade_id) + 1,
        batch_id=new.batch_id,
        created_at=database_now(session),
        state=new.state,
        results=[asdict(result) | {"votes": dict(result.votes)} for result in new.results],
        agreement=new.agreement,
        flags=[flag.value for flag in new.flags],
        program=new.program,
        rubric_digest=new.rubric_digest,
        call_ids=[str(each) for each in new.call_ids],
        comment="",
        reason="",
        edit_distance=0.0,
    )
    session.add(row)
    session.flush()
    return row


def _last_number(session: Session, submission_id: UUID, grade_id: str) -> int:
    return (
        session.scalar(
            select(func.max(DraftRow.number)).where(
                DraftRow.submission_id == submission_id, DraftRow.grade_id == grade_id
            )
        )
        or 0
    )


def _newest() -> ColumnElement[bool]:
    later = DraftRow.__table__.alias("later")
    newer = select(later.c.id).where(
        later.c.submission_id == DraftRow.submission_id,
        later.c.grade_id == DraftRow.grade_id,
        later.c.number > DraftRow.number,
    )
    return ~newer.exists()


def _is_judged(session: Session, submission_id: UUID, grade_id: str) -> bool:
    mark = session.get(MarkRow, (submission_id, grade_id))
    if mark is not None and mark.points is not None:
        return True
    outcome = session.get(OutcomeRow, submission_id)
    return grade_id == "" and outcome is not None and _is_touched(outcome)


def _is_touched(row: OutcomeRow) -> bool:
    return row.author_kind is AuthorKind.PERSON or bool(row.content.get("changed_by"))


def _no_draft() -> NotFoundError:
    return NotFoundError("There is no such draft.", field="draft")


def _draft(row: DraftRow, submission: SubmissionRow) -> FeedbackDraft:
    new = NewDraft(
        submission_id=row.submission_id,
        grade_id=row.grade_id,
        state=row.state,
        results=tuple(DraftResult(**result) for result in row.results),
        agreement=row.agreement,
        flags=tuple(Flag(flag) for flag in row.flags),
        program=row.program,
        rubric_digest=row.rubric_digest,
        call_ids=tuple(UUID(each) for each in row.call_ids),
        batch_id=row.batch_id,
    )
    decision = None
    if row.decided_state is not None and row.decided_at is not None:
        decision = DraftDecision(
            state=row.decided_state,
            by=row.decided_by or "",
            at=row.decided_at,
            points=row.points or 0.0,
            comment=row.comment,
            reason=row.reason,
            edit_distance=row.edit_distance,
        )
    return FeedbackDraft(
        id=row.id,
        new=new,
        course_id=row.course_id,
        assignment_id=row.assignment_id,
        user=submission.user,
        number=row.number,
        created_at=row.created_at,
        decision=decision,
        is_released=submission.released_at is not None,
    )
