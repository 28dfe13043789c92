"""What the submissions of a batch scored before and after, written as they end."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Update, select, update
from sqlalchemy.orm import Session

from jupyter_ppo.domain.batches import Snapshot
from jupyter_ppo.domain.grading import total
from jupyter_ppo.storage.database import database_now
from jupyter_ppo.storage.tables import (
    BatchItemRow,
    BatchRow,
    ExerciseGradeRow,
    GradeRow,
    MarkRow,
    SubmissionRow,
    VersionRow,
)
from jupyter_ppo.storage.webhook_events import announce_finished, waiting_batches

#: How many ids one query names.
_CHUNK = 500


def chunks(ids: Collection[UUID]) -> Iterable[list[UUID]]:
    """Yield ``ids`` in lists that are short enough for one query."""
    every = list(ids)
    for first in range(0, len(every), _CHUNK):
        yield every[first : first + _CHUNK]


def snapshots(session: Session, submission_ids: Collection[UUID]) -> dict[UUID, dict[str, Any]]:
    """Return what each graded submission scores now, as plain data.

    Points are those with people's marks, before what lateness costs: a regrade changes neither.
    """
    found: dict[UUID, dict[str, Any]] = {}
    for ids in chunks(submission_ids):
        exercises: dict[UUID, dict[str, float]] = defaultdict(dict)
        for submission_id, grade_id, auto, given, extra in session.execute(
            select(
                ExerciseGradeRow.submission_id,
                ExerciseGradeRow.grade_id,
                ExerciseGradeRow.points,
                MarkRow.points,
                MarkRow.extra_credit,
            )
            .outerjoin(
                MarkRow,
                (MarkRow.submission_id == ExerciseGradeRow.submission_id)
                & (MarkRow.grade_id == ExerciseGradeRow.grade_id),
            )
            .where(ExerciseGradeRow.submission_id.in_(ids))
            .order_by(ExerciseGradeRow.submission_id, ExerciseGradeRow.position)
        ):
            score = total((auto if given is None else given, extra or 0.0))
            exercises[submission_id][grade_id] = score
        for submission_id, points, max_points, graded_on, now_on in session.execute(
            select(
                GradeRow.submission_id,
                GradeRow.points,
                GradeRow.max_points,
                GradeRow.version_id,
                SubmissionRow.version_id,
            )
            .join(SubmissionRow, SubmissionRow.id == GradeRow.submission_id)
            .where(GradeRow.submission_id.in_(ids))
        ):
            found[submission_id] = {
                "version": graded_on or now_on,
                "points": points,
                "max_points": max_points,
                "exercises": exercises[submission_id],
            }
    versions = {each["version"] for each in found.values()}
    numbers = {
        version_id: number
        for ids in chunks(versions)
        for version_id, number in session.execute(
            select(VersionRow.id, VersionRow.number).where(VersionRow.id.in_(ids))
        )
    }
    for each in found.values():
        each["version"] = numbers[each["version"]]
    return found


def read_snapshot(data: Mapping[str, Any] | None) -> Snapshot | None:
    """Return the domain's object."""
    if data is None:
        return None
    return Snapshot(data["version"], data["points"], data["max_points"], dict(data["exercises"]))


def reason_of(session: Session, submission_id: UUID) -> str:
    """Return why the newest batch that waits for this submission was asked for, or nothing."""
    reason = session.scalar(
        select(BatchRow.reason)
        .join(BatchItemRow, BatchItemRow.batch_id == BatchRow.id)
        .where(BatchItemRow.submission_id == submission_id, BatchItemRow.ended_at.is_(None))
        .order_by(BatchRow.created_at.desc())
        .limit(1)
    )
    return reason or ""


def end_items(session: Session, submission_id: UUID, *, error: str | None = None) -> None:
    """Write into every batch that waits for this submission what came of it.

    Without ``error`` that is the grade that is stored now.
    """
    batches = waiting_batches(session, [submission_id])
    if not batches:
        return
    after = None if error is not None else snapshots(session, [submission_id]).get(submission_id)
    session.execute(
        _waiting([submission_id], database_now(session)).values(after=after, error=error)
    )
    announce_finished(session, batches)


def cancel_items(
    session: Session, submission_ids: Collection[UUID], *, batch_id: UUID | None = None
) -> None:
    """Write into every batch that waits for these submissions, or one, that it was cancelled."""
    now = database_now(session)
    batches = waiting_batches(session, submission_ids)
    for ids in chunks(submission_ids):
        change = _waiting(ids, now).values(cancelled=True)
        if batch_id is not None:
            change = change.where(BatchItemRow.batch_id == batch_id)
        session.execute(change)
    announce_finished(session, batches)


def _waiting(ids: list[UUID], now: datetime) -> Update:
    return (
        update(BatchItemRow)
        .where(BatchItemRow.submission_id.in_(ids), BatchItemRow.ended_at.is_(None))
        .values(ended_at=now)
    )
