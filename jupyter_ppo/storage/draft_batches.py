"""Batches of drafts in the database, and the queue that their answers are taken from.

An answer is LEASED to one worker until a time on the database's clock; that of a worker that died
is leased again afterwards. Its fence, which grows with every lease, keeps who was only slow from
writing twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from jupyter_ppo.domain.draft_records import DraftBatch, DraftLease
from jupyter_ppo.domain.errors import ConflictError, NotFoundError
from jupyter_ppo.domain.ids import new_id
from jupyter_ppo.domain.ports import Page
from jupyter_ppo.domain.tutoring import BatchState, ItemState
from jupyter_ppo.storage.database import Database, database_now
from jupyter_ppo.storage.draft_items import close_if_done, end_item, held_item
from jupyter_ppo.storage.tables import DraftBatchItemRow, DraftBatchRow, ModelCallRow

#: So often an answer is tried before it counts as failed.
MAX_TRIES = 3

_CUT_SHORT = f"The work on it was cut short {MAX_TRIES} times. Resume the batch to try it again."
_MOVES = {
    BatchState.PAUSED: {BatchState.RUNNING},
    BatchState.RUNNING: {BatchState.PAUSED, BatchState.STOPPED},
    BatchState.CANCELLED: {BatchState.RUNNING, BatchState.PAUSED, BatchState.STOPPED},
}


class DraftBatches:
    """``services.draft_stores.DraftBatchStore`` on a database; times are the database's clock."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # -- batches -----------------------------------------------------------------------------

    def create(
        self,
        *,
        course_id: UUID,
        assignment_id: UUID,
        grade_id: str | None,
        created_by: str,
        samples: int,
        estimate: Mapping[str, Any],
        for_calibration: bool,
        items: Sequence[tuple[UUID, str]],
    ) -> DraftBatch:
        """Add a running batch of these answers, at least one."""
        with self._database.begin() as session:
            row = DraftBatchRow(
                id=new_id(),
                course_id=course_id,
                assignment_id=assignment_id,
                grade_id=grade_id,
                created_by=created_by,
                created_at=database_now(session),
                state=BatchState.RUNNING,
                samples=samples,
                estimate=dict(estimate),
                for_calibration=for_calibration,
                message="",
                revision=1,
            )
            session.add(row)
            session.flush()
            session.add_all(
                DraftBatchItemRow(
                    batch_id=row.id,
                    submission_id=submission_id,
                    grade_id=name,
                    position=position,
                    state=ItemState.WAITING,
                    tries=0,
                    fence=0,
                    error="",
                )
                for position, (submission_id, name) in enumerate(items)
            )
            session.flush()
            return _batch(row, _counts(session, [row.id])[row.id])

    def batch(self, batch_id: UUID) -> DraftBatch:
        """Return a batch and how far it is; raise ``NotFoundError``."""
        with self._database.session() as session:
            row = session.get(DraftBatchRow, batch_id)
            if row is None:
                raise _no_batch()
            return _batch(row, _counts(session, [batch_id])[batch_id])

    def batches(self, assignment_id: UUID, *, offset: int, limit: int) -> Page[DraftBatch]:
        """Return an assignment's batches, newest first."""
        query = select(DraftBatchRow).where(DraftBatchRow.assignment_id == assignment_id)
        with self._database.session() as session:
            total = session.scalar(select(func.count()).select_from(query.subquery())) or 0
            rows = session.scalars(
                query.order_by(DraftBatchRow.created_at.desc(), DraftBatchRow.id.desc())
                .offset(offset)
                .limit(limit)
            ).all()
            counts = _counts(session, [row.id for row in rows])
            return Page(tuple(_batch(row, counts[row.id]) for row in rows), total, offset, limit)

    def set_state(self, batch_id: UUID, state: BatchState) -> DraftBatch:
        """Pause (PAUSED), resume (RUNNING) or cancel a batch; the same state again is no error.

        To resume tries what failed once more. Raises ``ConflictError`` (field ``state``) for a
        batch that is over, ``NotFoundError``.
        """
        with self._database.begin() as session:
            row = session.get(DraftBatchRow, batch_id, with_for_update=True)
            if row is None:
                raise _no_batch()
            if row.state is not state:
                if row.state not in _MOVES[state]:
                    msg = f"state: a batch that is {row.state} cannot become {state}."
                    raise ConflictError(msg, field="state")
                row.state, row.message = state, ""
                row.revision += 1
            if state is BatchState.RUNNING:
                _again(session, batch_id)
                session.flush()
                close_if_done(session, batch_id)
            session.flush()
            return _batch(row, _counts(session, [batch_id])[batch_id])

    def stop(self, batch_id: UUID, message: str) -> None:
        """Stop a running batch until a person resumes it; ``message`` says what to do."""
        with self._database.begin() as session:
            row = session.get(DraftBatchRow, batch_id, with_for_update=True)
            if row is not None and row.state is BatchState.RUNNING:
                row.state, row.message = BatchState.STOPPED, message
                row.revision += 1

    def spent(self, batch_ids: Sequence[UUID]) -> Mapping[UUID, int]:
        """Return what each batch paid for, in picodollars; an answer from the cache costs nothing.

        Calls whose answers went into no draft are counted too. One that is under way counts from
        its end, and one that was lost with its process what was reserved for it, once it is closed.
        """
        query = (
            select(ModelCallRow.batch_id, func.sum(ModelCallRow.cost))
            .where(ModelCallRow.batch_id.in_(batch_ids))
            .group_by(ModelCallRow.batch_id)
        )
        with self._database.session() as session:
            paid = {batch_id: int(cost) for batch_id, cost in session.execute(query)}
        return {batch_id: paid.get(batch_id, 0) for batch_id in batch_ids}

    # -- their answers -----------------------------------------------------------------------

    def lease(self, seconds: float, batch_id: UUID | None = None) -> DraftLease | None:
        """Take the next answer of a running batch, or one whose lease ran out; None: none waits.

        An answer that was cut short too often is FAILED on the way.
        """
        with self._database.session() as session:
            # Idle workers ask often; only one that finds something takes the write lock.
            claimable = _claimable(database_now(session), batch_id)
            if session.scalar(_first(claimable)) is None:
                return None
        with self._database.begin() as session:
            now = database_now(session)
            while True:
                query = _first(_claimable(now, batch_id))
                row = session.scalar(query.with_for_update(of=DraftBatchItemRow, skip_locked=True))
                if row is None:
                    return None
                if row.tries < MAX_TRIES:
                    break
                end_item(session, row, ItemState.FAILED, error=_CUT_SHORT)
            batch = session.get_one(DraftBatchRow, row.batch_id)
            row.state, row.leased_until = ItemState.LEASED, now + timedelta(seconds=seconds)
            row.tries += 1
            row.fence += 1
            return DraftLease(
                batch_id=row.batch_id,
                submission_id=row.submission_id,
                grade_id=row.grade_id,
                course_id=batch.course_id,
                assignment_id=batch.assignment_id,
                created_by=batch.created_by,
                samples=batch.samples,
                for_calibration=batch.for_calibration,
                tries=row.tries,
                fence=row.fence,
            )

    def renew(self, lease: DraftLease, seconds: float) -> None:
        """Hold an answer longer, from now on; raise ``LeaseLostError``."""
        with self._database.begin() as session:
            row = held_item(session, lease)
            row.leased_until = database_now(session) + timedelta(seconds=seconds)

    def give_back(self, lease: DraftLease) -> None:
        """Let an answer wait again without counting this try; no error if the lease is lost."""
        with self._database.begin() as session:
            row = session.get(
                DraftBatchItemRow,
                (lease.batch_id, lease.submission_id, lease.grade_id),
                with_for_update=True,
            )
            if row is not None and row.state is ItemState.LEASED and row.fence == lease.fence:
                row.state, row.leased_until = ItemState.WAITING, None
                row.tries -= 1

    def skip(self, lease: DraftLease, why: str) -> None:
        """End an answer without a draft; raise ``LeaseLostError``."""
        with self._database.begin() as session:
            end_item(session, held_item(session, lease), ItemState.SKIPPED, error=why)

    def fail(self, lease: DraftLease, error: str) -> None:
        """End an answer as FAILED; raise ``LeaseLostError``."""
        with self._database.begin() as session:
            end_item(session, held_item(session, lease), ItemState.FAILED, error=error)


def _first(claimable: ColumnElement[bool]) -> Any:
    return (
        select(DraftBatchItemRow)
        .join(DraftBatchRow, DraftBatchRow.id == DraftBatchItemRow.batch_id)
        .where(claimable)
        .order_by(DraftBatchRow.created_at, DraftBatchItemRow.batch_id, DraftBatchItemRow.position)
        .limit(1)
    )


def _claimable(now: datetime, batch_id: UUID | None) -> ColumnElement[bool]:
    ran_out = and_(
        DraftBatchItemRow.state == ItemState.LEASED, DraftBatchItemRow.leased_until < now
    )
    conditions = [
        DraftBatchRow.state == BatchState.RUNNING,
        or_(DraftBatchItemRow.state == ItemState.WAITING, ran_out),
    ]
    if batch_id is not None:
        conditions.append(DraftBatchRow.id == batch_id)
    return and_(*conditions)


def _again(session: Session, batch_id: UUID) -> None:
    failed = session.scalars(
        select(DraftBatchItemRow).where(
            DraftBatchItemRow.batch_id == batch_id, DraftBatchItemRow.state == ItemState.FAILED
        )
    )
    for row in failed:
        row.state, row.tries, row.error = ItemState.WAITING, 0, ""


def _counts(session: Session, batch_ids: Sequence[UUID]) -> dict[UUID, dict[ItemState, int]]:
    rows = session.execute(
        select(DraftBatchItemRow.batch_id, DraftBatchItemRow.state, func.count())
        .where(DraftBatchItemRow.batch_id.in_(batch_ids))
        .group_by(DraftBatchItemRow.batch_id, DraftBatchItemRow.state)
    )
    found: dict[UUID, dict[ItemState, int]] = {each: {} for each in batch_ids}
    for batch_id, state, count in rows:
        found[batch_id][state] = count
    return found


def _no_batch() -> NotFoundError:
    return NotFoundError("There is no such batch of drafts.", field="batch")


def _batch(row: DraftBatchRow, counts: Mapping[ItemState, int]) -> DraftBatch:
    return DraftBatch(
        id=row.id,
        course_id=row.course_id,
        assignment_id=row.assignment_id,
        grade_id=row.grade_id,
        created_by=row.created_by,
        created_at=row.created_at,
        state=row.state,
        samples=row.samples,
        estimate=row.estimate,
        for_calibration=row.for_calibration,
        message=row.message,
        revision=row.revision,
        counts=counts,
    )
