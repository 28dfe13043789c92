"""Rows of training runs as the domain has them."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from jupyter_ppo.domain.run_records import TrainingRun
from jupyter_ppo.domain.run_spec import RunSpec
from jupyter_ppo.domain.training import RunState
from jupyter_ppo.storage.tables import TrainingRunRow, TrainingTagRow

_LONGEST_MESSAGE = 2000


def tag_rows(tags: Sequence[str]) -> list[TrainingTagRow]:
    """Return the rows of a run's tags, in order."""
    return [TrainingTagRow(tag=tag, position=position) for position, tag in enumerate(tags)]


def storable(message: str) -> str:
    """Without what a text column of some database refuses, and not without end."""
    cut = message[:_LONGEST_MESSAGE]
    return cut.replace("\0", "\\0").encode("utf-8", "backslashreplace").decode()


def _positions(session: Session, rows: Sequence[TrainingRunRow]) -> dict[UUID, int]:
    ids = [row.id for row in rows if row.state is RunState.QUEUED]
    if not ids:
        return {}
    order = (TrainingRunRow.queued_at, TrainingRunRow.id)
    queue = (
        select(TrainingRunRow.id, func.row_number().over(order_by=order).label("position"))
        .where(TrainingRunRow.state == RunState.QUEUED)
        .subquery()
    )
    found = session.execute(select(queue.c.id, queue.c.position).where(queue.c.id.in_(ids)))
    return {row.id: row.position for row in found}


def one_run(session: Session, row: TrainingRunRow) -> TrainingRun:
    """Return a run with its position in the queue."""
    (run,) = all_runs(session, [row])
    return run


def all_runs(session: Session, rows: Sequence[TrainingRunRow]) -> tuple[TrainingRun, ...]:
    """Return runs with their positions in the queue."""
    positions = _positions(session, rows)
    return tuple(
        TrainingRun(
            id=row.id,
            user=row.user,
            group_id=row.group_id,
            name=row.name,
            tags=tuple(each.tag for each in row.tags),
            spec=RunSpec.from_dict(row.spec),
            state=row.state,
            step=row.step,
            total_steps=row.total_steps,
            message=row.message,
            created_at=row.created_at,
            updated_at=row.updated_at,
            started_at=row.started_at,
            ended_at=row.ended_at,
            cpu_seconds=row.cpu_seconds,
            wall_seconds=row.wall_seconds,
            disk_bytes=row.disk_bytes,
            position=positions.get(row.id),
            is_held=bool(row.owner),
            commands_from=row.commands_from,
        )
        for row in rows
    )
