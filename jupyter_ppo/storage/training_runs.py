"""Training runs in the database: queued within a quota, held by a process, ended, listed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from jupyter_ppo.domain.errors import (
    ConflictError,
    InvalidInputError,
    LeaseLostError,
    NotFoundError,
)
from jupyter_ppo.domain.ids import new_id
from jupyter_ppo.domain.ports import Page
from jupyter_ppo.domain.run_records import (
    CreatedRuns,
    RunProgress,
    TrainingQuota,
    TrainingRun,
    TrainingUsage,
)
from jupyter_ppo.domain.run_spec import RunSpec
from jupyter_ppo.domain.training import RunState
from jupyter_ppo.storage.database import Database, database_now
from jupyter_ppo.storage.tables import TrainingRunRow, TrainingTagRow
from jupyter_ppo.storage.training_quota import (
    check_quota,
    forget_old_use,
    one_at_a_time,
    people_without_a_place,
    take_cpu,
    usage,
)
from jupyter_ppo.storage.training_rows import all_runs, one_run, storable, tag_rows

#: A process that has not been heard of for so long has died, wherever it ran.
LOST = timedelta(minutes=5)
#: Runs of one request begin in its order: each is queued so much after the one before.
_ORDER = timedelta(microseconds=1)


class TrainingRuns:
    """``domain.run_records.RunStore`` on a database. All times are the database's clock.

    ``is_gone`` says of the name of another process whether that is gone for certain; one that
    cannot be told of is taken for gone when it was not heard of for ``lost``.
    """

    def __init__(
        self,
        database: Database,
        *,
        is_gone: Callable[[str], bool] = lambda owner: False,
        lost: timedelta = LOST,
    ) -> None:
        self._database = database
        self._is_gone = is_gone
        self._lost = lost

    def create(
        self,
        user: str,
        name: str,
        tags: tuple[str, ...],
        specs: tuple[RunSpec, ...],
        quota: TrainingQuota,
        *,
        request_key: str | None = None,
        request_digest: str = "",
    ) -> CreatedRuns:
        """Queue one run per spec, all or none, in their order.

        Raises ``TooManyRequestsError`` naming the quota (its ``field``), and ``ConflictError``
        (field ``request_key``) for a key that the person used for another request.
        """
        with self._database.begin() as session:
            one_at_a_time(session)
            if request_key is not None:
                earlier = _earlier(session, user, request_key, request_digest)
                if earlier:
                    return CreatedRuns(all_runs(session, earlier), is_repeat=True)
            now = database_now(session)
            check_quota(session, user, quota, now, queued=len(specs), kept=len(specs))
            group_id = new_id()
            rows = [
                TrainingRunRow(
                    id=new_id(),
                    user=user,
                    group_id=group_id,
                    name=name,
                    spec=spec.to_dict(),
                    state=RunState.QUEUED,
                    step=0,
                    total_steps=spec.planned_steps,
                    message="",
                    created_at=now + index * _ORDER,
                    updated_at=now,
                    queued_at=now + index * _ORDER,
                    seen_at=now,
                    owner="",
                    cpu_seconds=0.0,
                    wall_seconds=0.0,
                    disk_bytes=0,
                    commands_from=0,
                    request_key=request_key,
                    request_digest=request_digest if request_key is not None else None,
                    tags=tag_rows(tags),
                )
                for index, spec in enumerate(specs)
            ]
            session.add_all(rows)
            session.flush()
            return CreatedRuns(all_runs(session, rows))

    def run(self, run_id: UUID) -> TrainingRun:
        """Return a run with its position; raise ``NotFoundError``."""
        with self._database.session() as session:
            return one_run(session, _row(session, run_id))

    def runs(
        self,
        user: str | None,
        *,
        state: RunState | None,
        tag: str | None,
        group_id: UUID | None,
        offset: int,
        limit: int,
    ) -> Page[TrainingRun]:
        """Return runs, newest first; ``user`` None: everybody's."""
        wanted: list[ColumnElement[bool]] = []
        if user is not None:
            wanted.append(TrainingRunRow.user == user)
        if state is not None:
            wanted.append(TrainingRunRow.state == state)
        if tag is not None:
            wanted.append(TrainingRunRow.tags.any(TrainingTagRow.tag == tag))
        if group_id is not None:
            wanted.append(TrainingRunRow.group_id == group_id)
        with self._database.session() as session:
            count = select(func.count()).select_from(TrainingRunRow).where(*wanted)
            rows = session.scalars(
                select(TrainingRunRow)
                .where(*wanted)
                .order_by(TrainingRunRow.created_at.desc(), TrainingRunRow.id.desc())
                .offset(offset)
                .limit(limit)
            ).all()
            return Page(all_runs(session, rows), session.scalar(count) or 0, offset, limit)

    def rename(self, run_id: UUID, name: str, tags: tuple[str, ...]) -> TrainingRun:
        """Give a run another name and other tags; raise ``NotFoundError``."""
        with self._database.begin() as session:
            row = _row(session, run_id, lock=True)
            row.name, row.updated_at = name, database_now(session)
            if [each.tag for each in row.tags] != list(tags):
                row.tags.clear()
                session.flush()
                row.tags.extend(tag_rows(tags))
            session.flush()
            return one_run(session, row)

    def requeue(
        self, run_id: UUID, *, quota: TrainingQuota, total_steps: int | None, commands_from: int
    ) -> TrainingRun:
        """Queue an ended or parked run again, at the end of the queue.

        Raises ``ConflictError`` when it waits, is held, has nothing left to do or has used its
        time, ``InvalidInputError`` (field ``total_steps``), and ``TooManyRequestsError``.
        """
        with self._database.begin() as session:
            one_at_a_time(session)
            row, now = _row(session, run_id, lock=True), database_now(session)
            if row.owner or row.state is RunState.QUEUED:
                msg = f"state: this run is {row.state}, so it goes on without being asked."
                raise ConflictError(msg, field="state")
            if total_steps is not None:
                _extend(row, total_steps)
            elif row.state is RunState.FINISHED:
                msg = "state: this run is finished. Extend it to more steps to go on."
                raise ConflictError(msg, field="state")
            if row.wall_seconds >= quota.wall_seconds:
                msg = (
                    f"wall_seconds: this run has used the {quota.wall_seconds:g} s that one run "
                    "may take. Start a new one."
                )
                raise ConflictError(msg, field="wall_seconds")
            check_quota(session, row.user, quota, now, queued=1, kept=0)
            row.state, row.message, row.ended_at = RunState.QUEUED, "", None
            row.queued_at = row.updated_at = now
            row.commands_from = commands_from
            session.flush()
            return one_run(session, row)

    def extend(self, run_id: UUID, total_steps: int) -> TrainingRun:
        """Give a run that waits or is parked more steps.

        Raises ``ConflictError`` for others and ``InvalidInputError`` (field ``total_steps``).
        """
        with self._database.begin() as session:
            row = _row(session, run_id, lock=True)
            if not _waits(row):
                msg = f"state: this run is {row.state} by now."
                raise ConflictError(msg, field="state")
            _extend(row, total_steps)
            row.updated_at = database_now(session)
            session.flush()
            return one_run(session, row)

    def stop_waiting(self, run_id: UUID, message: str) -> bool:
        """Stop a run that waits or is parked; False when it is held or has ended."""
        with self._database.begin() as session:
            row = _row(session, run_id, lock=True)
            if not _waits(row):
                return False
            row.state, row.message = RunState.STOPPED, message
            row.updated_at = row.ended_at = database_now(session)
            return True

    def delete(self, run_id: UUID) -> None:
        """Forget a run that is not held; what it used today still counts.

        Raises ``ConflictError`` and ``NotFoundError``.
        """
        with self._database.begin() as session:
            row = _row(session, run_id, lock=True)
            if row.owner:
                msg = f"state: this run is {row.state}. Stop it, then delete it."
                raise ConflictError(msg, field="state")
            session.delete(row)

    def take_next(self, worker: str, quota: TrainingQuota) -> TrainingRun | None:
        """Give the oldest queued run whose person has a place to the process ``worker``."""
        with self._database.session() as session:  # asked every second: most times for nothing
            queued = select(TrainingRunRow.id).where(TrainingRunRow.state == RunState.QUEUED)
            if session.scalar(queued.limit(1)) is None:
                return None
        with self._database.begin() as session:
            one_at_a_time(session)
            now = database_now(session)
            must_wait = people_without_a_place(quota, now)
            row = session.scalars(
                select(TrainingRunRow)
                .where(
                    TrainingRunRow.state == RunState.QUEUED,
                    *(TrainingRunRow.user.not_in(people) for people in must_wait),
                )
                .order_by(TrainingRunRow.queued_at, TrainingRunRow.id)
                .limit(1)
                .with_for_update(of=TrainingRunRow)
            ).first()
            if row is None:
                return None
            row.state, row.owner, row.message = RunState.STARTING, worker, ""
            row.seen_at = row.updated_at = now
            row.started_at = row.started_at or now
            session.flush()
            return one_run(session, row)

    def record(self, run_id: UUID, worker: str, progress: RunProgress) -> None:
        """Write progress; an ended run is held no more.

        Raises ``LeaseLostError`` when another process has the run, or it is deleted.
        """
        with self._database.begin() as session:
            row, now = _held(session, run_id, worker), database_now(session)
            row.state, row.step = progress.state, progress.step
            row.total_steps = progress.total_steps or row.total_steps
            row.message = storable(progress.message)
            take_cpu(row, session, now, progress.cpu_seconds)
            row.wall_seconds = max(row.wall_seconds, progress.wall_seconds)
            row.disk_bytes = progress.disk_bytes
            row.seen_at = row.updated_at = now
            if progress.state.has_ended:
                row.owner, row.ended_at = "", now

    def give_back(self, run_id: UUID, worker: str, message: str = "") -> None:
        """Queue a run again, in its old place, that ``worker`` cannot go on with.

        A paused one is parked. Nothing happens when another process has the run.
        """
        with self._database.begin() as session:
            try:
                row = _held(session, run_id, worker)
            except LeaseLostError:
                return
            _release(row, database_now(session), message)

    def reclaim(self, worker: str) -> int:
        """Give back what processes that are gone hold; return how many runs those were."""
        with self._database.session() as session:
            now = database_now(session)
            held = session.execute(
                select(TrainingRunRow.owner, func.min(TrainingRunRow.seen_at))
                .where(TrainingRunRow.owner.not_in(["", worker]))
                .group_by(TrainingRunRow.owner)
            ).all()
        lost = [owner for owner, seen in held if seen <= now - self._lost or self._is_gone(owner)]
        if not lost:
            return 0
        with self._database.begin() as session:
            one_at_a_time(session)
            now = database_now(session)
            forget_old_use(session, now)
            rows = session.scalars(
                select(TrainingRunRow)
                .where(TrainingRunRow.owner.in_(lost))
                .order_by(TrainingRunRow.id)
                .with_for_update(of=TrainingRunRow)
            ).all()
            given = [
                row for row in rows if row.seen_at <= now - self._lost or self._is_gone(row.owner)
            ]
            for row in given:
                _release(row, now, "")
            return len(given)

    def usage(self, user: str) -> TrainingUsage:
        """Return what a person uses now."""
        with self._database.session() as session:
            return usage(session, user, database_now(session))


def _row(session: Session, run_id: UUID, *, lock: bool = False) -> TrainingRunRow:
    row = session.get(
        TrainingRunRow, run_id, with_for_update={"of": TrainingRunRow} if lock else None
    )
    if row is None:
        msg = f"There is no training run {str(run_id)!r}."
        raise NotFoundError(msg, field="run")
    return row


def _held(session: Session, run_id: UUID, worker: str) -> TrainingRunRow:
    row = session.get(TrainingRunRow, run_id, with_for_update={"of": TrainingRunRow})
    if row is None or row.owner != worker:
        msg = f"Another process has the training run {str(run_id)!r} now."
        raise LeaseLostError(msg)
    return row


def _release(row: TrainingRunRow, now: datetime, message: str) -> None:
    if row.state is not RunState.PAUSED:
        row.state = RunState.QUEUED
    row.owner, row.message, row.updated_at = "", storable(message), now


def _waits(row: TrainingRunRow) -> bool:
    """Whether it is queued, or parked: paused, and nobody has it."""
    return not row.owner and not row.state.has_ended


def _extend(row: TrainingRunRow, total_steps: int) -> None:
    planned = max(row.step, row.total_steps)
    if total_steps <= planned:
        msg = (
            f"total_steps: {total_steps} is not more than the {planned} steps that this run makes "
            "anyway. Name the total that it shall reach."
        )
        raise InvalidInputError(msg, field="total_steps")
    spec = RunSpec.from_dict(row.spec).changed(total_steps=total_steps)
    row.spec, row.total_steps = spec.to_dict(), spec.planned_steps


def _earlier(
    session: Session, user: str, request_key: str, request_digest: str
) -> Sequence[TrainingRunRow]:
    rows = session.scalars(
        select(TrainingRunRow)
        .where(TrainingRunRow.user == user, TrainingRunRow.request_key == request_key)
        .order_by(TrainingRunRow.created_at, TrainingRunRow.id)
    ).all()
    if any(row.request_digest != request_digest for row in rows):
        msg = "request_key: you used this key for another request. Use a new one."
        raise ConflictError(msg, field="request_key")
    return rows
