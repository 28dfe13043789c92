"""Grades in the database: written with a job's end, read with their exercises and marks."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from jupyter_ppo.domain.exam import CheckLine
from jupyter_ppo.domain.grading import ExerciseGrade, Grade
from jupyter_ppo.domain.marks import GradeChangeKind, Mark
from jupyter_ppo.domain.terms import GradeRelease
from jupyter_ppo.domain.tutoring import DraftState
from jupyter_ppo.domain.webhooks import WebhookEvent
from jupyter_ppo.storage.database import database_now
from jupyter_ppo.storage.history import add_change
from jupyter_ppo.storage.standings import settle
from jupyter_ppo.storage.tables import (
    DraftRow,
    ExerciseGradeRow,
    GradeRow,
    MarkRow,
    SubmissionRow,
    VersionRow,
)
from jupyter_ppo.storage.term_rows import terms_of
from jupyter_ppo.storage.webhook_events import announce_submissions

#: Submission, exercise and the words of a draft that a person approved.
DraftedWords = frozenset[tuple[UUID, str, str]]


def store_grade(
    session: Session,
    grade: Grade,
    *,
    kind: GradeChangeKind = GradeChangeKind.AUTOGRADED,
    by: str = "",
    reason: str = "",
) -> None:
    """Write a grade in the caller's transaction, in place of an earlier one.

    People's marks stay and count in it; those that ``grade`` itself may hold are not written. The
    change goes into the history, with ``kind``, ``by`` and ``reason``. The first grade of the
    autograder is released at once where the terms say so. ``grade.version_id``, if None, becomes
    that of the submission. The state of the submission is set before, so that its standing is
    right.
    """
    submission = session.get_one(SubmissionRow, grade.submission_id)
    old = _row(session, grade.submission_id)
    before = None if old is None else snapshot(session, grade.submission_id)
    if old is not None:
        for item in old.exercises:
            session.delete(item)
        session.delete(old)
        session.flush()
    row = GradeRow(
        submission_id=grade.submission_id,
        points=0.0,
        max_points=0.0,
        needs_review=False,
        version_id=grade.version_id or submission.version_id,
        verdict=grade.verdict,
        detail=grade.detail,
        feedback_digest=grade.feedback_digest,
        graded_at=grade.graded_at,
        wall_seconds=float(grade.wall_seconds),
        exercises=[_exercise_row(item, place) for place, item in enumerate(grade.exercises)],
    )
    session.add(row)
    _total(row, marks_of(session, grade.submission_id))
    session.flush()
    now = database_now(session)
    after = snapshot(session, grade.submission_id)
    add_change(
        session, submission.id, kind, by=by, reason=reason, before=before, after=after, at=now
    )
    announce_submissions(session, WebhookEvent.GRADED, [submission])
    is_first = old is None and kind is GradeChangeKind.AUTOGRADED
    if is_first and submission.released_at is None:
        terms = terms_of(session, submission.assignment_id)
        if terms.grades is GradeRelease.AT_ONCE:
            submission.released_at = now
            add_change(session, submission.id, GradeChangeKind.RELEASED, after=after, at=now)
            announce_submissions(session, WebhookEvent.RELEASED, [submission])
    settle(session, submission.assignment_id, [submission.user], by=by, reason=reason)


def retotal(session: Session, submission_id: UUID, *, by: str = "", reason: str = "") -> None:
    """Sum a submission's points anew from its exercises and marks, and settle what counts.

    In the transaction that changed a mark; nothing happens while there is no grade. ``by`` and
    ``reason`` are for the history of the penalty, should that change with the points.
    """
    session.flush()
    row = _row(session, submission_id)
    if row is None:
        return
    _total(row, marks_of(session, submission_id))
    submission = session.get_one(SubmissionRow, submission_id)
    announce_submissions(session, WebhookEvent.GRADED, [submission])
    settle(session, submission.assignment_id, [submission.user], by=by, reason=reason)


def grade_of(session: Session, submission_id: UUID) -> Grade | None:
    """Return a submission's grade with people's marks, if it has one."""
    row = _row(session, submission_id)
    return None if row is None else read_grade(row, marks_of(session, submission_id))


def marks_of(session: Session, submission_id: UUID) -> dict[str, Mark]:
    """Return the marks of a submission by grade_id; those that say nothing are left out."""
    rows = session.scalars(select(MarkRow).where(MarkRow.submission_id == submission_id)).all()
    drafted = drafted_words(session, [submission_id] if rows else [])
    marks = {row.grade_id: read_mark(row, drafted) for row in rows}
    return {grade_id: mark for grade_id, mark in marks.items() if not mark.is_empty}


def snapshot(session: Session, submission_id: UUID) -> dict[str, Any] | None:
    """Return a grade as plain data for a before and after; None if there is none.

    ``version`` is the number of the version that it was graded on, ``exercises`` what each counts.
    Points are with marks and before the penalty for lateness.
    """
    row = _row(session, submission_id)
    if row is None:
        return None
    grade = read_grade(row, marks_of(session, submission_id))
    version = None if row.version_id is None else session.get(VersionRow, row.version_id)
    return {
        "version": None if version is None else version.number,
        "points": grade.points,
        "max_points": grade.max_points,
        "extra_credit": grade.extra_credit,
        "exercises": {item.grade_id: item.score for item in grade.exercises},
    }


def drafted_words(session: Session, submission_ids: Collection[UUID]) -> DraftedWords:
    """Return the words of drafts that a person approved, as they were or changed."""
    if not submission_ids:
        return frozenset()
    rows = session.execute(
        select(DraftRow.submission_id, DraftRow.grade_id, DraftRow.comment).where(
            DraftRow.submission_id.in_(submission_ids),
            DraftRow.decided_state.in_([DraftState.APPROVED, DraftState.EDITED]),
        )
    )
    return frozenset((each, grade_id, words) for each, grade_id, words in rows)


def read_mark(row: MarkRow, drafted: DraftedWords = frozenset()) -> Mark:
    """Return the domain's object; its words are a draft's if ``drafted`` has them."""
    return Mark(
        points=row.points,
        extra_credit=row.extra_credit,
        comment=row.comment,
        revision=row.revision,
        marked_by=row.marked_by,
        marked_at=row.marked_at,
        auto_points=row.auto_points,
        is_drafted=(row.submission_id, row.grade_id, row.comment) in drafted,
    )


def read_exercise(row: ExerciseGradeRow, mark: Mark | None = None) -> ExerciseGrade:
    """Return the domain's object."""
    return ExerciseGrade(
        row.grade_id,
        row.points,
        row.max_points,
        row.needs_review,
        row.reason,
        row.is_sealed,
        tuple(CheckLine(**line) for line in row.checks),
        tuple(row.records),
        None if mark is None or mark.is_empty else mark,
        row.hint_deduction,
    )


def read_grade(row: GradeRow, marks: Mapping[str, Mark]) -> Grade:
    """Return the domain's object; ``row.exercises`` are loaded."""
    return Grade(
        submission_id=row.submission_id,
        exercises=tuple(read_exercise(item, marks.get(item.grade_id)) for item in row.exercises),
        verdict=row.verdict,
        detail=row.detail,
        feedback_digest=row.feedback_digest,
        graded_at=row.graded_at,
        wall_seconds=row.wall_seconds,
        version_id=row.version_id,
    )


def _row(session: Session, submission_id: UUID) -> GradeRow | None:
    return session.scalar(
        select(GradeRow)
        .where(GradeRow.submission_id == submission_id)
        .options(selectinload(GradeRow.exercises))
    )


def _total(row: GradeRow, marks: Mapping[str, Mark]) -> None:
    grade = read_grade(row, marks)
    row.points, row.max_points = float(grade.points), float(grade.max_points)
    row.extra_credit, row.needs_review = float(grade.extra_credit), grade.needs_review


def _exercise_row(item: ExerciseGrade, position: int) -> ExerciseGradeRow:
    return ExerciseGradeRow(
        grade_id=item.grade_id,
        position=position,
        points=float(item.points),
        max_points=float(item.max_points),
        needs_review=item.needs_review,
        reason=item.reason,
        hint_deduction=float(item.hint_deduction),
        is_sealed=item.is_sealed,
        checks=[_check_data(line) for line in item.checks],
        records=[_finite(dict(record)) for record in item.records],
    )


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
