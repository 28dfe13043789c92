"""Marks, the history of grades and their release in the database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, case, func, not_, or_, select, true
from sqlalchemy.orm import Session

from jupyter_ppo.domain.courses import AssignmentKind, CellKind
from jupyter_ppo.domain.errors import ConflictError, EditConflictError, NotFoundError
from jupyter_ppo.domain.grading import ExerciseGrade
from jupyter_ppo.domain.marking import MarkingKey, MarkingState, MarkingTotal
from jupyter_ppo.domain.marks import GradeChange, GradeChangeKind, Mark
from jupyter_ppo.domain.ports import Page
from jupyter_ppo.domain.webhooks import WebhookEvent
from jupyter_ppo.storage.database import Database, database_now
from jupyter_ppo.storage.grades import (
    drafted_words,
    marks_of,
    read_exercise,
    read_mark,
    retotal,
)
from jupyter_ppo.storage.history import add_change, read_history
from jupyter_ppo.storage.standings import KEEPING_KEYS, settle
from jupyter_ppo.storage.tables import (
    AssignmentRow,
    ExerciseGradeRow,
    ExerciseRow,
    GradeRow,
    MarkRow,
    MembershipRow,
    StandingRow,
    SubmissionRow,
)
from jupyter_ppo.storage.webhook_events import announce_submissions

_BY_HAND = (CellKind.MANUAL, CellKind.TASK)


class Marks:
    """``services.marking.MarkStore`` on a database; times are the database's clock."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(
        self, submission_id: UUID, grade_id: str, mark: Mark, *, by: str, reason: str = ""
    ) -> ExerciseGrade:
        """Write a mark in one transaction with the totals and the history; return the exercise.

        ``mark.revision`` is the one that ``by`` saw, 0 for none. Raises ``EditConflictError`` when
        another one is stored, ``NotFoundError`` and ``InvalidInputError`` as ``write_mark`` does.
        """
        with self._database.begin() as session:
            row = write_mark(session, submission_id, grade_id, mark, by=by, reason=reason)
            return read_exercise(row, marks_of(session, submission_id).get(grade_id))

    def history(self, submission_id: UUID) -> tuple[GradeChange, ...]:
        """Return every change of a submission's grade, the oldest first."""
        with self._database.session() as session:
            return read_history(session, submission_id)

    def totals(self, course_id: UUID, *, offset: int, limit: int) -> Page[MarkingTotal]:
        """Return what people have to look at, by assignment, in the order of its exercises.

        That are manual answers and tasks, whatever a test left to a person, and marks of more
        points than there are by now.
        """
        waits = case((_waits(), 1), else_=0)
        marked = case((_is_marked(), 1), else_=0)
        kind = func.max(ExerciseRow.kind)
        query = (
            select(
                AssignmentRow.name,
                ExerciseGradeRow.grade_id,
                kind.label("kind"),
                func.max(ExerciseGradeRow.max_points).label("max_points"),
                func.sum(waits).label("waiting"),
                func.sum(marked).label("marked"),
                func.count().label("total"),
            )
            .select_from(StandingRow)
            .join(AssignmentRow, AssignmentRow.id == StandingRow.assignment_id)
            .join(SubmissionRow, SubmissionRow.id == StandingRow.submission_id)
            .join(GradeRow, GradeRow.submission_id == StandingRow.submission_id)
            .join(ExerciseGradeRow, ExerciseGradeRow.submission_id == StandingRow.submission_id)
            .outerjoin(MarkRow, _its_mark())
            .join(
                ExerciseRow,
                and_(
                    ExerciseRow.version_id
                    == func.coalesce(GradeRow.version_id, SubmissionRow.version_id),
                    ExerciseRow.grade_id == ExerciseGradeRow.grade_id,
                ),
            )
            .where(AssignmentRow.course_id == course_id, *_present())
            .group_by(AssignmentRow.name, ExerciseGradeRow.grade_id)
            .having(or_(kind.in_(_BY_HAND), func.sum(waits) > 0))
            .order_by(
                AssignmentRow.name, func.min(ExerciseGradeRow.position), ExerciseGradeRow.grade_id
            )
        )
        with self._database.session() as session:
            rows = session.execute(query).all()
        found = [
            MarkingTotal(
                assignment=row.name,
                grade_id=row.grade_id,
                kind=row.kind,
                max_points=row.max_points,
                waiting=row.waiting,
                marked=row.marked,
                total=row.total,
            )
            for row in rows
        ]
        return Page(tuple(found[offset : offset + limit]), len(found), offset, limit)

    def keys(
        self, assignment_id: UUID, *, grade_id: str | None, state: MarkingState
    ) -> Sequence[MarkingKey]:
        """Return which exercises of which students there are, in no order."""
        query = (
            select(
                StandingRow.submission_id,
                StandingRow.user,
                ExerciseGradeRow.grade_id,
                ExerciseGradeRow.position,
            )
            .join(AssignmentRow, AssignmentRow.id == StandingRow.assignment_id)
            .join(ExerciseGradeRow, ExerciseGradeRow.submission_id == StandingRow.submission_id)
            .outerjoin(MarkRow, _its_mark())
            .where(StandingRow.assignment_id == assignment_id, *_present())
        )
        if grade_id is not None:
            query = query.where(ExerciseGradeRow.grade_id == grade_id)
        if state is MarkingState.WAITING:
            query = query.where(_waits())
        elif state is MarkingState.MARKED:
            query = query.where(_is_marked())
        with self._database.session() as session:
            rows = session.execute(query).all()
        # Versions may have an exercise in different places: the first of them is its place.
        places: dict[str, int] = {}
        for _, _, name, position in rows:
            places[name] = min(position, places.get(name, position))
        return [
            MarkingKey(submission_id, user, name, places[name])
            for submission_id, user, name, _ in rows
        ]

    def users(self, assignment_id: UUID) -> Sequence[str]:
        """Return everybody who has an attempt that counts."""
        with self._database.session() as session:
            return session.scalars(
                select(StandingRow.user).where(StandingRow.assignment_id == assignment_id)
            ).all()

    def exercises(self, keys: Sequence[MarkingKey]) -> Sequence[ExerciseGrade | None]:
        """Return the exercises of ``keys``, a page of them, in their order; None if it is gone."""
        ids = {key.submission_id for key in keys}
        with self._database.session() as session:
            rows = session.execute(
                select(ExerciseGradeRow, MarkRow)
                .outerjoin(MarkRow, _its_mark())
                .where(
                    ExerciseGradeRow.submission_id.in_(ids),
                    ExerciseGradeRow.grade_id.in_({key.grade_id for key in keys}),
                )
            )
            drafted = drafted_words(session, ids)
            found = {
                (row.submission_id, row.grade_id): read_exercise(
                    row, None if mark is None else read_mark(mark, drafted)
                )
                for row, mark in rows
            }
        return [found.get((key.submission_id, key.grade_id)) for key in keys]

    def set_released(
        self,
        assignment_id: UUID,
        submission_ids: Sequence[UUID] | None,
        *,
        is_released: bool,
        by: str,
        reason: str = "",
    ) -> int:
        """Release grades to their students, or take them back; return how many that changed.

        Of every graded submission, or of those that are named. Raises ``NotFoundError`` for one
        that is not of this assignment, ``ConflictError`` for an assignment that is no notebook.
        """
        kind = GradeChangeKind.RELEASED if is_released else GradeChangeKind.WITHDRAWN
        with self._database.begin() as session:
            _refuse_entry(session, assignment_id)
            rows = session.execute(
                select(SubmissionRow, GradeRow)
                .outerjoin(GradeRow, GradeRow.submission_id == SubmissionRow.id)
                .where(
                    SubmissionRow.assignment_id == assignment_id,
                    SubmissionRow.deleted_at.is_(None),
                )
                .order_by(SubmissionRow.id)
                .with_for_update(of=SubmissionRow, key_share=True)
            )
            every = {submission.id: (submission, grade) for submission, grade in rows}
            for each in submission_ids or ():
                if each not in every:
                    msg = f"submissions: there is no submission {each} of this assignment."
                    raise NotFoundError(msg, field="submissions")
            wanted = every if submission_ids is None else dict.fromkeys(submission_ids)
            now, changed = database_now(session), list[SubmissionRow]()
            for submission, grade in map(every.__getitem__, wanted):
                if grade is None or (submission.released_at is not None) == is_released:
                    continue
                submission.released_at = now if is_released else None
                after = _released_data(submission, grade)
                add_change(session, submission.id, kind, by=by, reason=reason, after=after, at=now)
                changed.append(submission)
            if is_released:
                announce_submissions(session, WebhookEvent.RELEASED, changed)
            users = {submission.user for submission in changed}
            settle(session, assignment_id, users, by=by, reason=reason)
            return len(changed)


def write_mark(
    session: Session,
    submission_id: UUID,
    grade_id: str,
    mark: Mark,
    *,
    by: str,
    reason: str = "",
    kind: GradeChangeKind = GradeChangeKind.MARKED,
) -> ExerciseGradeRow:
    """Write a mark in the caller's transaction; return the exercise that it is about.

    A mark that says nothing takes the earlier one away: its row stays, so that its revisions go on.
    One that changes nothing is not written. Raises ``NotFoundError`` when there is no such
    exercise, ``ConflictError`` when there is no grade or the submission is an entry,
    ``EditConflictError`` when ``mark.revision`` is not the stored one, and ``InvalidInputError``
    as ``Mark.checked`` does.
    """
    # Every mark of a submission waits for this row, so that the totals are right.
    submission = session.get(SubmissionRow, submission_id, with_for_update=KEEPING_KEYS)
    if submission is None or submission.deleted_at is not None:
        msg = "submission: there is no such submission."
        raise NotFoundError(msg, field="submission")
    _refuse_entry(session, submission.assignment_id)
    exercise = _exercise(session, submission_id, grade_id)
    mark.checked(exercise.max_points)
    row = session.get(MarkRow, (submission_id, grade_id))
    stored = Mark(None) if row is None else read_mark(row)
    seen = {stored.revision, 0} if stored.is_empty else {stored.revision}
    if mark.revision not in seen:
        if stored.says_the_same(mark) and stored.marked_by == by:
            return exercise  # the same person sent it twice, as when an answer got lost
        msg = (
            f"revision: {stored.marked_by} saved another mark of {grade_id} meanwhile. "
            f"Look at it and save again, naming revision {stored.revision}."
        )
        yours = replace(mark, marked_by=by, marked_at=None).shown()
        raise EditConflictError(msg, yours=yours, theirs=stored.shown(), field="revision")
    if stored.says_the_same(mark):
        return exercise
    values: dict[str, Any] = {
        **mark.data(),
        "extra_credit": float(mark.extra_credit),
        "revision": stored.revision + 1,
        "marked_by": by,
        "marked_at": database_now(session),
        "auto_points": exercise.points,
    }
    if row is None:
        session.add(MarkRow(submission_id=submission_id, grade_id=grade_id, **values))
    else:
        for name, value in values.items():
            setattr(row, name, value)
    add_change(
        session,
        submission_id,
        kind,
        grade_id=grade_id,
        by=by,
        reason=reason,
        before=None if stored.is_empty else stored.data(),
        after=None if mark.is_empty else mark.data(),
    )
    retotal(session, submission_id, by=by, reason=reason)
    return exercise


def _exercise(session: Session, submission_id: UUID, grade_id: str) -> ExerciseGradeRow:
    rows = session.scalars(
        select(ExerciseGradeRow).where(ExerciseGradeRow.submission_id == submission_id)
    ).all()
    if not rows:
        msg = "state: this submission is not graded yet. Have it graded, then mark it."
        raise ConflictError(msg, field="state")
    for row in rows:
        if row.grade_id == grade_id:
            return row
    msg = f"grade_id: this submission has no exercise {grade_id[:80]!r}."
    raise NotFoundError(msg, field="grade_id")


def _refuse_entry(session: Session, assignment_id: UUID) -> None:
    kind = session.scalar(select(AssignmentRow.kind).where(AssignmentRow.id == assignment_id))
    if kind is AssignmentKind.ENTRY:
        msg = "This is an entry: what is said of it, and its release, is in its outcome."
        raise ConflictError(msg, field="assignment")


def _released_data(submission: SubmissionRow, grade: GradeRow) -> dict[str, Any]:
    return {
        "points": grade.points,
        "max_points": grade.max_points,
        "extra_credit": grade.extra_credit,
        "penalty": submission.penalty,
    }


def _waits() -> ColumnElement[bool]:
    """No one has given points, or more than there are since a new version."""
    no_points = and_(ExerciseGradeRow.needs_review == true(), MarkRow.points.is_(None))
    return or_(no_points, _is_above())


def _is_marked() -> ColumnElement[bool]:
    return and_(MarkRow.points.is_not(None), not_(_is_above()))


def _is_above() -> ColumnElement[bool]:
    has_points = MarkRow.points.is_not(None)  # so that it is never NULL: NOT NULL is NULL
    return and_(has_points, MarkRow.points > ExerciseGradeRow.max_points)


def _its_mark() -> ColumnElement[bool]:
    return and_(
        MarkRow.submission_id == ExerciseGradeRow.submission_id,
        MarkRow.grade_id == ExerciseGradeRow.grade_id,
    )


def _present() -> Sequence[ColumnElement[bool]]:
    """Return what leaves out the trash and people who are not in the course any more."""
    member = select(MembershipRow.user).where(
        MembershipRow.course_id == AssignmentRow.course_id,
        MembershipRow.user == StandingRow.user,
        MembershipRow.removed_at.is_(None),
    )
    return AssignmentRow.deleted_at.is_(None), member.exists()
