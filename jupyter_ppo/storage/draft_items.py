"""One answer of a batch of drafts: who holds it, and how it ends."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from jupyter_ppo.domain.draft_records import DraftLease
from jupyter_ppo.domain.errors import LeaseLostError
from jupyter_ppo.domain.tutoring import BatchState, ItemState
from jupyter_ppo.storage.tables import DraftBatchItemRow, DraftBatchRow

_OPEN = (ItemState.WAITING, ItemState.LEASED)


def held_item(session: Session, lease: DraftLease) -> DraftBatchItemRow:
    """Return the item of a lease, locked; raise ``LeaseLostError`` when it is another's now."""
    key = (lease.batch_id, lease.submission_id, lease.grade_id)
    row = session.get(DraftBatchItemRow, key, with_for_update=True)
    if row is None or row.state is not ItemState.LEASED or row.fence != lease.fence:
        msg = "Another worker drafts this answer now; this draft is dropped."
        raise LeaseLostError(msg)
    return row


def end_item(
    session: Session,
    row: DraftBatchItemRow,
    state: ItemState,
    *,
    error: str = "",
    draft_id: UUID | None = None,
) -> None:
    """End an item, and its batch with the last one."""
    row.state, row.error, row.draft_id, row.leased_until = state, error, draft_id, None
    session.flush()
    close_if_done(session, row.batch_id)


def close_if_done(session: Session, batch_id: UUID) -> None:
    """Make a running batch SUCCEEDED when nothing of it is open any more."""
    batch = session.get_one(DraftBatchRow, batch_id, with_for_update=True)
    left = session.scalar(
        select(DraftBatchItemRow.submission_id)
        .where(DraftBatchItemRow.batch_id == batch_id, DraftBatchItemRow.state.in_(_OPEN))
        .limit(1)
    )
    if left is None and batch.state is not BatchState.CANCELLED:
        batch.state, batch.message = BatchState.SUCCEEDED, ""
        batch.revision += 1
