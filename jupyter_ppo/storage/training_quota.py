"""What a person has used of what training may use, counted from rows.

So it is exact for any number of servers on one database. Call these in a transaction that has
``one_at_a_time``.
"""

from __future__ import annotations

import hashlib
import math
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, delete, func, select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from jupyter_ppo.domain.errors import TooManyRequestsError
from jupyter_ppo.domain.run_records import TrainingQuota, TrainingUsage
from jupyter_ppo.domain.training import RunState
from jupyter_ppo.storage.tables import TrainingRunRow, TrainingUseRow

#: The hour that has begun counts whole, so that time is counted for 24 to 25 hours.
_WINDOW = timedelta(hours=24)
_HOUR = timedelta(hours=1)
_MIB = 2**20
#: When to look again whether an earlier run has ended, in seconds.
_TRY_AGAIN_SECONDS = 60.0
#: What a new run must find free of its person's disk space, in MiB.
_LEAST_DISK_MB = 1


def one_at_a_time(session: Session) -> None:
    """Let nobody else queue or take a run until this transaction has ended.

    Take it before any row is locked: that is the order of everybody. On SQLite a transaction that
    writes is alone anyway, see ``Database``.
    """
    if session.get_bind().dialect.name == "postgresql":
        digest = hashlib.blake2b(b"jupyter_ppo training runs", digest_size=8).digest()
        key = int.from_bytes(digest, "big", signed=True)
        session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": key})


def check_quota(
    session: Session, user: str, quota: TrainingQuota, now: datetime, *, queued: int, kept: int
) -> None:
    """Raise ``TooManyRequestsError`` when so many more that wait, and are kept, are too much."""
    used = usage(session, user, now)
    if used.queued + queued > quota.queued:
        msg = (
            f"queued: {used.queued} of your runs wait, and this would be {queued} more; at most "
            f"{quota.queued} may wait. Ask for fewer, or wait until some have begun."
        )
        raise _too_many(msg, "queued")
    if used.runs + kept > quota.runs:
        msg = (
            f"runs: {used.runs} of your runs are kept, and this would be {kept} more; at most "
            f"{quota.runs} are. Delete some."
        )
        raise _too_many(msg, "runs")
    if used.disk_bytes > (quota.disk_mb - _LEAST_DISK_MB) * _MIB:
        msg = (
            f"disk_mb: your runs take {math.ceil(used.disk_bytes / _MIB)} of {quota.disk_mb} MiB. "
            "Delete some."
        )
        raise _too_many(msg, "disk_mb")
    if used.cpu_seconds_today >= quota.cpu_seconds_per_day:
        msg = (
            f"cpu_seconds_per_day: the {quota.cpu_seconds_per_day:g} s of processor time that your "
            "runs may use in 24 hours are used. Try again later."
        )
        raise _too_many(msg, "cpu_seconds_per_day", _until_some_has_left(session, user, now))


def usage(session: Session, user: str, now: datetime) -> TrainingUsage:
    """Return what counts against the person's quota."""

    def count(*conditions: ColumnElement[bool]) -> int:
        rows = select(func.count()).select_from(TrainingRunRow)
        return session.scalar(rows.where(TrainingRunRow.user == user, *conditions)) or 0

    own = TrainingRunRow.user == user
    disk = session.scalar(select(func.sum(TrainingRunRow.disk_bytes)).where(own))
    cpu = session.scalar(
        select(func.sum(TrainingUseRow.cpu_seconds)).where(
            TrainingUseRow.user == user, TrainingUseRow.hour > now - _WINDOW - _HOUR
        )
    )
    return TrainingUsage(
        running=count(TrainingRunRow.owner != ""),
        queued=count(TrainingRunRow.state == RunState.QUEUED),
        cpu_seconds_today=float(cpu or 0.0),
        disk_bytes=int(disk or 0),
        runs=count(),
    )


def people_without_a_place(quota: TrainingQuota, now: datetime) -> tuple[Select[str], ...]:
    """Return queries of the people whose next run must wait."""
    many_run = (
        select(TrainingRunRow.user)
        .where(TrainingRunRow.owner != "")
        .group_by(TrainingRunRow.user)
        .having(func.count() >= quota.running)
    )
    out_of_time = (
        select(TrainingUseRow.user)
        .where(TrainingUseRow.hour > now - _WINDOW - _HOUR)
        .group_by(TrainingUseRow.user)
        .having(func.sum(TrainingUseRow.cpu_seconds) >= quota.cpu_seconds_per_day)
    )
    full = (
        select(TrainingRunRow.user)
        .group_by(TrainingRunRow.user)
        .having(func.sum(TrainingRunRow.disk_bytes) > (quota.disk_mb - _LEAST_DISK_MB) * _MIB)
    )
    return many_run, out_of_time, full


def count_cpu(session: Session, user: str, now: datetime, seconds: float) -> None:
    """Add processor time that a person's run has used just now."""
    if seconds <= 0:
        return
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    insert = sqlite.insert if is_sqlite else postgresql.insert
    hour = now.replace(minute=0, second=0, microsecond=0)
    row = insert(TrainingUseRow).values(user=user, hour=hour, cpu_seconds=seconds)
    session.execute(
        row.on_conflict_do_update(
            index_elements=["user", "hour"],
            set_={"cpu_seconds": TrainingUseRow.cpu_seconds + row.excluded.cpu_seconds},
        )
    )


def forget_old_use(session: Session, now: datetime) -> None:
    """Delete what counts no more."""
    session.execute(
        delete(TrainingUseRow)
        .where(TrainingUseRow.hour <= now - _WINDOW - _HOUR)
        .execution_options(synchronize_session=False)
    )


def take_cpu(row: TrainingRunRow, session: Session, now: datetime, cpu_seconds: float) -> None:
    """Bring a run's processor time up to ``cpu_seconds``, and count what is new."""
    count_cpu(session, row.user, now, cpu_seconds - row.cpu_seconds)
    row.cpu_seconds = max(row.cpu_seconds, cpu_seconds)


def _until_some_has_left(session: Session, user: str, now: datetime) -> float:
    oldest = session.scalar(
        select(func.min(TrainingUseRow.hour)).where(
            TrainingUseRow.user == user,
            TrainingUseRow.hour > now - _WINDOW - _HOUR,
            TrainingUseRow.cpu_seconds > 0,
        )
    )
    if oldest is None:
        return _HOUR.total_seconds()
    return max(1.0, (oldest + _WINDOW + _HOUR - now).total_seconds())


def _too_many(
    message: str, quota: str, seconds: float = _TRY_AGAIN_SECONDS
) -> TooManyRequestsError:
    return TooManyRequestsError(message, retry_after=seconds, field=quota)
