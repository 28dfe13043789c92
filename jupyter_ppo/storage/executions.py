"""Executions in the database: admitted within a quota, ended, listed, forgotten."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, and_, delete, func, or_, select, text, update
from sqlalchemy.orm import Session, defer

from jupyter_ppo.domain.errors import ConflictError, NotFoundError
from jupyter_ppo.domain.execution import (
    CaseResult,
    CaseVerdict,
    Execution,
    ExecutionQuota,
    ExecutionRequest,
    ExecutionState,
    ExecutionUsage,
    ProgramRun,
)
from jupyter_ppo.domain.ids import new_id
from jupyter_ppo.domain.ports import Page
from jupyter_ppo.storage.database import Database, database_now
from jupyter_ppo.storage.execution_quota import DAY, check_quota, running, usage
from jupyter_ppo.storage.results import pack, unpack
from jupyter_ppo.storage.tables import ExecutionRow

#: How many executions of one person are kept, however young they are.
HISTORY_ROWS = 1000

#: More than are ever added between two looks at what is too much.
_AT_A_TIME = 100

_CUT_SHORT = "The server stopped before this had ended. Run it again."


class Executions:
    """``domain.ports.ExecutionStore`` on a database. All times are the database's clock.

    A running execution that has not ended ``grace`` after its time limit was left by a server that
    died; that is the time for a place, for the start of containers, and for its end. ``owner``
    names this process, and ``is_gone`` says of another's name whether that is gone for certain:
    what it left need not be waited for. ``most`` executions of each person are kept.
    """

    def __init__(
        self,
        database: Database,
        *,
        grace: timedelta,
        owner: str = "",
        is_gone: Callable[[str], bool] = lambda owner: False,
        most: int = HISTORY_ROWS,
    ) -> None:
        self._database = database
        self._grace = grace
        self._owner = owner
        self._is_gone = is_gone
        self._most = most

    def admit(self, user: str, request: ExecutionRequest, quota: ExecutionQuota) -> Execution:
        """Record a RUNNING execution, or raise ``TooManyRequestsError`` when over the quota.

        ``retry_after`` is when enough of what counts now will have left the window. Who ends
        earlier may be admitted earlier.

        What is beyond the newest ``most`` of the person is forgotten.
        """
        with self._database.begin() as session:
            _one_at_a_time(session, user)
            now = database_now(session)
            self._end_what_is_left(session, now, ExecutionRow.user == user)
            check_quota(session, user, quota, now, request.timeout_seconds)
            row = ExecutionRow(
                id=new_id(),
                user=user,
                state=ExecutionState.RUNNING,
                code=request.code,
                timeout_seconds=request.timeout_seconds,
                memory_mb=request.memory_mb,
                owner=self._owner,
                created_at=now,
                expires_at=now + timedelta(seconds=request.timeout_seconds) + self._grace,
                seconds=request.timeout_seconds,
                cases_passed=0,
                cases_total=len(request.cases),
            )
            session.add(row)
            session.flush()
            self._forget_the_oldest(session, user)
            return _execution(row, now)

    def finish(
        self,
        execution_id: UUID,
        *,
        run: ProgramRun | None = None,
        cases: Sequence[CaseResult] = (),
        seconds: float,
    ) -> Execution:
        """Record what came of it, and what it used.

        All of it is returned, and stored as ``pack`` cuts it. What was taken for lost is recorded
        too: it did end. Raises ``NotFoundError``, and
        ``ConflictError`` when it has been finished already.
        """
        result = pack(run, cases)  # before the transaction: it takes a while when much was printed
        with self._database.begin() as session:
            row = session.get(ExecutionRow, execution_id, with_for_update=True)
            if row is None:
                raise _not_found(execution_id)
            if row.state is ExecutionState.DONE:
                msg = f"The execution {str(execution_id)!r} has ended already."
                raise ConflictError(msg)
            row.state, row.error, row.seconds = ExecutionState.DONE, None, seconds
            row.outcome = None if run is None else run.outcome
            row.cases_passed = sum(case.verdict is CaseVerdict.PASSED for case in cases)
            row.cases_total = len(cases)
            row.result = result
            session.flush()
            return _execution(row, database_now(session), run, tuple(cases))

    def fail(self, execution_id: UUID, message: str, *, seconds: float = 0.0) -> None:
        """Record that it ended through our fault; only ``seconds`` count then.

        What is finished stays so; no error when it is gone.
        """
        with self._database.begin() as session:
            session.execute(
                update(ExecutionRow)
                .where(ExecutionRow.id == execution_id, running())
                .values(state=ExecutionState.FAILED, seconds=seconds, error=_storable(message))
            )

    def usage(self, user: str) -> ExecutionUsage:
        """Return what counts against the person's quota now."""
        with self._database.session() as session:
            return usage(session, user, database_now(session))

    def execution(self, execution_id: UUID) -> Execution:
        """Return one execution; raise ``NotFoundError``."""
        with self._database.session() as session:
            row = session.get(ExecutionRow, execution_id)
            if row is None or not row.code:
                raise _not_found(execution_id)
            run, cases = (None, ()) if row.result is None else unpack(row.result)
            return _execution(row, database_now(session), run, cases)

    def executions(self, user: str, *, offset: int, limit: int) -> Page[Execution]:
        """Return a person's executions, newest first, without their ``run`` and ``cases``."""
        own = ExecutionRow.user == user
        with self._database.session() as session:
            found = session.scalar(select(func.count()).select_from(ExecutionRow).where(own)) or 0
            total = min(found, self._most)
            rows = session.scalars(
                select(ExecutionRow)
                .options(defer(ExecutionRow.result, raiseload=True))
                .where(own)
                .order_by(ExecutionRow.created_at.desc(), ExecutionRow.id.desc())
                .offset(offset)
                .limit(max(0, min(limit, total - offset)))
            ).all()
            now = database_now(session)
            return Page(tuple(_execution(row, now) for row in rows), total, offset, limit)

    def clean_up(self, keep: timedelta) -> int:
        """Delete what is older than ``keep``; return how many. FAIL what a killed server left.

        What still counts against a quota is kept: nothing younger than a day is deleted.
        """
        with self._database.begin() as session:
            now = database_now(session)
            self._end_what_is_left(session, now)
            forgotten = and_(ExecutionRow.code == "", ExecutionRow.created_at <= now - DAY)
            ids = session.scalars(
                delete(ExecutionRow)
                .where(or_(ExecutionRow.created_at <= now - max(keep, DAY), forgotten))
                .returning(ExecutionRow.id)
                .execution_options(synchronize_session=False)
            ).all()
            return len(ids)

    def _end_what_is_left(
        self, session: Session, now: datetime, *among: ColumnElement[bool]
    ) -> None:
        """FAIL what runs too long, and what runs in a process that is gone."""
        others = session.scalars(
            select(ExecutionRow.owner)
            .where(running(), ExecutionRow.owner != self._owner, *among)
            .distinct()
        ).all()
        gone = [owner for owner in others if self._is_gone(owner)]
        session.execute(
            update(ExecutionRow)
            .where(
                running(),
                or_(ExecutionRow.expires_at <= now, ExecutionRow.owner.in_(gone)),
                *among,
            )
            .values(state=ExecutionState.FAILED, seconds=0.0, error=_CUT_SHORT)
            .execution_options(synchronize_session=False)
        )

    def _forget_the_oldest(self, session: Session, user: str) -> None:
        """Empty what is beyond the newest ``most``; its row counts in the quota for a day more."""
        beyond = (
            select(ExecutionRow.id)
            .where(ExecutionRow.user == user)
            .order_by(ExecutionRow.created_at.desc(), ExecutionRow.id.desc())
            .offset(self._most)
            .limit(_AT_A_TIME)
        )
        session.execute(
            update(ExecutionRow)
            .where(ExecutionRow.id.in_(beyond), ~running(), ExecutionRow.code != "")
            .values(code="", result=None, error=None)
            .execution_options(synchronize_session=False)
        )


def _one_at_a_time(session: Session, user: str) -> None:
    """Let nobody else admit anything for ``user`` until this transaction has ended.

    On SQLite a transaction that writes is alone anyway, see ``Database``.
    """
    if session.get_bind().dialect.name == "postgresql":
        digest = hashlib.blake2b(f"jupyter_ppo executions {user}".encode(), digest_size=8).digest()
        key = int.from_bytes(digest, "big", signed=True)
        session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": key})


def _not_found(execution_id: UUID) -> NotFoundError:
    msg = f"There is no execution {str(execution_id)!r}."
    return NotFoundError(msg, field="execution")


def _storable(message: str) -> str:
    """Without what a text column of some database refuses."""
    return message.replace("\0", "\\0").encode("utf-8", "backslashreplace").decode()


def _execution(
    row: ExecutionRow,
    now: datetime,
    run: ProgramRun | None = None,
    cases: tuple[CaseResult, ...] = (),
) -> Execution:
    lost = row.state is ExecutionState.RUNNING and row.expires_at <= now
    return Execution(
        id=row.id,
        user=row.user,
        code=row.code,
        timeout_seconds=row.timeout_seconds,
        memory_mb=row.memory_mb,
        state=ExecutionState.FAILED if lost else row.state,
        created_at=row.created_at,
        seconds=0.0 if lost else row.seconds,
        run=run,
        cases=cases,
        error=_CUT_SHORT if lost else row.error,
        outcome=row.outcome,
        cases_passed=row.cases_passed,
        cases_total=row.cases_total,
    )
