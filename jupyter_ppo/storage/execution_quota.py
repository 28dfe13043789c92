"""What a person has used of a quota, counted from the rows of the last day.

So it is exact for any number of servers on one database, and a server that dies takes nothing of
it along. Call these in a transaction.
"""

from __future__ import annotations

import math
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from jupyter_ppo.domain.errors import TooManyRequestsError
from jupyter_ppo.domain.execution import ExecutionQuota, ExecutionState, ExecutionUsage
from jupyter_ppo.storage.tables import ExecutionRow

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)

#: Sums of many times differ a little with their order; nobody is refused for that.
_ROUNDING = 1e-6


def check_quota(
    session: Session, user: str, quota: ExecutionQuota, now: datetime, asked: float
) -> None:
    """Raise ``TooManyRequestsError`` when one more, of ``asked`` seconds, is too much.

    ``retry_after`` is when enough of what counts now will have left the window.
    """
    _check_rate(session, user, quota, now)
    _check_at_once(session, user, quota, now)
    _check_seconds(session, user, quota, now, asked)


def usage(session: Session, user: str, now: datetime) -> ExecutionUsage:
    """Return what counts against the person's quota."""

    def count(*conditions: ColumnElement[bool]) -> int:
        rows = select(func.count()).select_from(ExecutionRow)
        return session.scalar(rows.where(ExecutionRow.user == user, *conditions)) or 0

    return ExecutionUsage(
        last_minute=count(*_recent(now)),
        running=count(running(), ExecutionRow.expires_at > now),
        seconds_today=_seconds_used(session, user, now),
    )


def running() -> ColumnElement[bool]:
    """Rows of what has not ended, as far as the database knows."""
    return ExecutionRow.state == ExecutionState.RUNNING


def _check_rate(session: Session, user: str, quota: ExecutionQuota, now: datetime) -> None:
    recent = session.scalars(
        select(ExecutionRow.created_at)
        .where(ExecutionRow.user == user, *_recent(now))
        .order_by(ExecutionRow.created_at.desc())
        .limit(quota.per_minute)
    ).all()
    if len(recent) < quota.per_minute:
        return
    msg = (
        f"{len(recent)} programs were started in the last minute; at most {quota.per_minute} in "
        "a minute are allowed."
    )
    opens = recent[-1] + MINUTE if recent else now + MINUTE
    raise _too_many(msg, opens - now)


def _check_at_once(session: Session, user: str, quota: ExecutionQuota, now: datetime) -> None:
    found = session.execute(
        select(
            ExecutionRow.created_at, ExecutionRow.timeout_seconds, ExecutionRow.expires_at
        ).where(ExecutionRow.user == user, running(), ExecutionRow.expires_at > now)
    ).all()
    if len(found) < quota.at_once:
        return
    msg = (
        f"{len(found)} programs are running; at most {quota.at_once} at the same time are "
        "allowed. Wait until one has ended."
    )
    # When a program must have ended by its own limit; the grace is not for people to wait for,
    # but where that moment has passed, nothing sooner is certain.
    ends = sorted(
        end if (end := began + timedelta(seconds=seconds)) > now else expires
        for began, seconds, expires in found
    )
    opens = ends[len(found) - quota.at_once] if quota.at_once else now + MINUTE
    raise _too_many(msg, opens - now)


def _check_seconds(
    session: Session, user: str, quota: ExecutionQuota, now: datetime, asked: float
) -> None:
    used = _seconds_used(session, user, now)
    if used + asked <= quota.seconds_per_day + _ROUNDING:
        return
    left = max(0.0, quota.seconds_per_day - used)
    msg = (
        f"{used:.0f} of {quota.seconds_per_day:g} s of a day are used, and this asks for "
        f"{asked:g} s. Ask for a timeout of at most {math.floor(left)} s, or wait."
        if left >= 1
        else f"The {quota.seconds_per_day:g} s of a day are used."
    )
    # The oldest ones leave first: the first of them with which enough has left.
    so_far = (
        select(
            ExecutionRow.created_at.label("at"),
            func.sum(ExecutionRow.seconds)
            .over(order_by=(ExecutionRow.created_at, ExecutionRow.id))
            .label("freed"),
        )
        .where(*_counted(user, now))
        .subquery()
    )
    last = session.scalar(
        select(so_far.c.at)
        .where(so_far.c.freed >= used + asked - quota.seconds_per_day)
        .order_by(so_far.c.at)
        .limit(1)
    )
    raise _too_many(msg, last + DAY - now if last is not None else DAY)


def _recent(now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        ExecutionRow.created_at > now - MINUTE,
        # What failed through our fault before it ran counts nothing.
        or_(ExecutionRow.state != ExecutionState.FAILED, ExecutionRow.seconds > 0),
    )


def _seconds_used(session: Session, user: str, now: datetime) -> float:
    used = select(func.sum(ExecutionRow.seconds)).where(*_counted(user, now))
    return session.scalar(used) or 0.0


def _counted(user: str, now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        ExecutionRow.user == user,
        ExecutionRow.created_at > now - DAY,
        ExecutionRow.seconds > 0,
        # What a killed server left counts nothing, also while nobody has cleaned up.
        or_(~running(), ExecutionRow.expires_at > now),
    )


def _too_many(message: str, wait: timedelta) -> TooManyRequestsError:
    seconds = max(1.0, wait.total_seconds())
    return TooManyRequestsError(
        f"{message} Try again in {math.ceil(seconds)} s.", retry_after=seconds
    )
