"""Trials in the database."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, or_, select, text, true
from sqlalchemy.orm import Session

from jupyter_ppo.domain.errors import NotFoundError, TooManyRequestsError
from jupyter_ppo.domain.ids import new_id
from jupyter_ppo.domain.scope import every_course
from jupyter_ppo.domain.trials import Trial, TrialKind, TrialState
from jupyter_ppo.storage.database import Database, database_now
from jupyter_ppo.storage.tables import AssignmentRow, CourseRow, TrialRow

_HOUR = timedelta(hours=1)
_CUT_SHORT = "The server stopped before this had ended. Try again."
#: A trial that has not ended by then was left by a server that died, wherever that ran.
LOST_AFTER = timedelta(hours=6)
#: When to look again whether an earlier trial has ended, in seconds.
_TRY_AGAIN_SECONDS = 10.0
_UNFINISHED = (TrialState.QUEUED, TrialState.RUNNING)


class Trials:
    """``services.trials.TrialStore`` on a database. All times are the database's clock.

    ``owner`` names this process, and ``is_gone`` says of another's name whether that is gone for
    certain.
    """

    def __init__(
        self,
        database: Database,
        *,
        owner: str = "",
        is_gone: Callable[[str], bool] = lambda owner: False,
    ) -> None:
        self._database = database
        self._owner = owner
        self._is_gone = is_gone

    def admit(
        self,
        course_id: UUID,
        assignment: str,
        user: str,
        kind: TrialKind,
        digest: str,
        *,
        per_hour: int = 0,
        at_once: int = 0,
    ) -> Trial:
        """Add a QUEUED trial.

        Raises ``TooManyRequestsError`` when the person has ``at_once`` of this kind under way or
        began ``per_hour`` of it within the last hour (0: no bound); counted exactly, also when
        several are asked for at the same time, and in whichever courses.
        """
        with every_course(), self._database.begin() as session:
            _one_at_a_time(session, user)
            now = database_now(session)
            self._end_what_is_left(session, TrialRow.user == user)
            mine = and_(TrialRow.user == user, TrialRow.kind == kind)
            if at_once and _count(session, mine, TrialRow.state.in_(_UNFINISHED)) >= at_once:
                msg = "An earlier one of yours is still under way. Wait until it has ended."
                raise TooManyRequestsError(msg, retry_after=_TRY_AGAIN_SECONDS)
            recent = and_(mine, TrialRow.created_at > now - _HOUR)
            if per_hour and _count(session, recent) >= per_hour:
                oldest = session.scalar(
                    select(TrialRow.created_at)
                    .where(recent)
                    .order_by(TrialRow.created_at.desc())
                    .offset(per_hour - 1)
                    .limit(1)
                )
                wait = (oldest + _HOUR - now).total_seconds() if oldest is not None else 0.0
                msg = f"You asked for {per_hour} of them within the last hour. Try again later."
                raise TooManyRequestsError(msg, retry_after=max(1.0, wait))
            row = TrialRow(
                id=new_id(),
                course_id=course_id,
                assignment=assignment,
                user=user,
                kind=kind,
                state=TrialState.QUEUED,
                digest=digest,
                owner=self._owner,
                created_at=now,
            )
            session.add(row)
            session.flush()
            return _trial(row)

    def begin(self, trial_id: UUID) -> None:
        """Say that it runs now."""
        with self._database.begin() as session:
            row = _row(session, trial_id)
            if row.state is TrialState.QUEUED:
                row.state = TrialState.RUNNING

    def finish(self, trial_id: UUID, result: Mapping[str, Any]) -> None:
        """Record what came of it; of one that was taken for lost too."""
        with self._database.begin() as session:
            row = _row(session, trial_id)
            row.state, row.result, row.error = TrialState.DONE, dict(result), None
            row.ended_at = database_now(session)

    def fail(self, trial_id: UUID, message: str) -> None:
        """Record why nothing came of it."""
        with self._database.begin() as session:
            row = _row(session, trial_id)
            if row.state in _UNFINISHED:
                row.state, row.error = TrialState.FAILED, message
                row.ended_at = database_now(session)

    def trial(self, trial_id: UUID) -> Trial:
        """Return one trial.

        Raises ``NotFoundError``, also while its course or its assignment is in the trash.
        """
        is_there = (
            select(AssignmentRow.id)
            .where(
                AssignmentRow.course_id == TrialRow.course_id,
                AssignmentRow.name == TrialRow.assignment,
                AssignmentRow.deleted_at.is_(None),
            )
            .exists()
        )
        query = (
            select(TrialRow)
            .join(CourseRow, CourseRow.id == TrialRow.course_id)
            .where(
                TrialRow.id == trial_id,
                CourseRow.deleted_at.is_(None),
                # A check is of a notebook that need not have been released.
                or_(TrialRow.kind == TrialKind.CHECK, is_there),
            )
        )
        with self._database.session() as session:
            row = session.scalar(query)
            if row is None:
                raise _no_trial(trial_id)
            return _trial(row)

    def end_what_is_left(self) -> int:
        """Fail the trials of servers that are gone; return how many those were."""
        with self._database.begin() as session:
            return self._end_what_is_left(session, true())

    def _end_what_is_left(self, session: Session, whose: ColumnElement[bool]) -> int:
        now = database_now(session)
        rows = session.scalars(select(TrialRow).where(TrialRow.state.in_(_UNFINISHED), whose)).all()
        left = [
            row
            for row in rows
            if row.created_at < now - LOST_AFTER
            or (row.owner != self._owner and self._is_gone(row.owner))
        ]
        for row in left:
            row.state, row.error, row.ended_at = TrialState.FAILED, _CUT_SHORT, now
        session.flush()
        return len(left)


def _count(session: Session, *wanted: ColumnElement[bool]) -> int:
    return session.scalar(select(func.count()).select_from(TrialRow).where(*wanted)) or 0


def _one_at_a_time(session: Session, user: str) -> None:
    """Let nobody else admit a trial of ``user`` until this transaction has ended.

    On SQLite a transaction that writes is alone anyway, see ``Database``.
    """
    if session.get_bind().dialect.name == "postgresql":
        digest = hashlib.blake2b(f"jupyter_ppo trials {user}".encode(), digest_size=8).digest()
        key = int.from_bytes(digest, "big", signed=True)
        session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": key})


def _row(session: Session, trial_id: UUID) -> TrialRow:
    row = session.get(TrialRow, trial_id)
    if row is None:
        raise _no_trial(trial_id)
    return row


def _no_trial(trial_id: UUID) -> NotFoundError:
    return NotFoundError(f"There is no trial {str(trial_id)!r}.", field="trial")


def _trial(row: TrialRow) -> Trial:
    return Trial(
        id=row.id,
        course_id=row.course_id,
        assignment=row.assignment,
        user=row.user,
        kind=row.kind,
        state=row.state,
        created_at=row.created_at,
        ended_at=row.ended_at,
        result=row.result,
        error=row.error,
    )
