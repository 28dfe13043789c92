"""Every call of a language model, and the money that these take.

What counts against a cap are the costs of calls that have ended and the reservations of the others,
summed in the transaction that reserves: no number of servers and threads spends more than a cap.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, case, func, select, update
from sqlalchemy.orm import Session

from jupyter_ppo.domain.errors import BudgetSpentError, NotFoundError
from jupyter_ppo.domain.ports import Page
from jupyter_ppo.domain.scope import every_course
from jupyter_ppo.domain.tutoring import (
    PICO,
    CallState,
    Caps,
    Finish,
    ModelAnswer,
    ModelCall,
    NewCall,
    Purpose,
    Spent,
    Usage,
)
from jupyter_ppo.storage.database import Database, database_now
from jupyter_ppo.storage.standings import KEEPING_KEYS
from jupyter_ppo.storage.tables import CourseRow, ModelCallRow

_DAY = timedelta(days=1)
_ENDED = (CallState.SUCCEEDED, CallState.FAILED)
_NO_USAGE = {"input_tokens": None, "output_tokens": None, "cached_tokens": None}


@dataclass(frozen=True, slots=True)
class SpendRow:
    """What one purpose cost on one day (UTC), in picodollars."""

    day: str
    assignment_id: UUID | None
    purpose: Purpose
    calls: int
    input_tokens: int
    output_tokens: int
    cost: int


class ModelCallLog:
    """The calls on a database; times are the database's clock."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # -- one call ----------------------------------------------------------------------------

    def reserve(self, new: NewCall, caps: Caps) -> None:
        """Write down a call that is about to be sent, and reserve the most that it can cost.

        Raises ``BudgetSpentError``, whose field names the cap, when that is more than is left; then
        nothing is written.
        """
        # What a person may spend in a day is one sum over all courses.
        with every_course(), self._database.begin() as session:
            # On PostgreSQL one reservation of a course waits here for the other.
            session.get(CourseRow, new.course_id, with_for_update=KEEPING_KEYS)
            now = database_now(session)
            if new.reserved:
                _check_caps(session, new, caps, now)
            session.add(_row(new, now))

    def settle(self, call_id: UUID, answer: ModelAnswer, cost: int) -> None:
        """Write down the answer of a call and what it cost, in picodollars."""
        usage = answer.usage
        self._end(
            call_id,
            {
                "state": CallState.SUCCEEDED,
                "raw_answer": answer.text,
                "finish": answer.finish.value,
                "input_tokens": usage.input,
                "output_tokens": usage.output,
                "cached_tokens": usage.cached_input,
                "is_usage_estimated": usage.is_estimated,
                "cost": cost,
                "latency_ms": answer.latency_ms,
                "tries": answer.tries,
                "model_said": answer.model[:255],
            },
        )

    def fail(self, call_id: UUID, error: str) -> None:
        """Write down that there was no answer; the reservation is given back."""
        self._end(call_id, {"state": CallState.FAILED, "error": error, "cost": 0})

    def parsed(self, call_id: UUID, parsed: Mapping[str, Any]) -> None:
        """Write down what our code made of the answer."""
        with self._database.begin() as session:
            session.execute(
                update(ModelCallRow)
                .where(ModelCallRow.id == call_id, ModelCallRow.purged_at.is_(None))
                .values(parsed=dict(parsed))
            )

    def lose_reserved(self, before: datetime) -> int:
        """Close calls whose process is gone: whatever they cost, their reservation stays counted.

        ``before`` is so long ago that no call of a running process can still be under way. Returns
        how many there were.
        """
        with self._database.begin() as session:
            lost = session.execute(
                update(ModelCallRow)
                .where(ModelCallRow.state == CallState.RESERVED, ModelCallRow.at < before)
                .values(
                    state=CallState.LOST,
                    cost=ModelCallRow.reserved,
                    ended_at=database_now(session),
                    error="The server ended before the answer came; what it cost is not known.",
                )
            )
            return int(lost.rowcount)  # type: ignore[attr-defined]

    def cached(self, cache_key: str) -> ModelCall | None:
        """Return a call with this key that was answered in full and is still kept."""
        query = (
            select(ModelCallRow)
            .where(
                ModelCallRow.cache_key == cache_key,
                ModelCallRow.state == CallState.SUCCEEDED,
                ModelCallRow.finish == Finish.STOP.value,
                ModelCallRow.purged_at.is_(None),
            )
            .order_by(ModelCallRow.at)
            .limit(1)
        )
        with self._database.session() as session:
            row = session.scalars(query).first()
            return None if row is None else _call(row)

    # -- reading -----------------------------------------------------------------------------

    def call(self, call_id: UUID) -> ModelCall:
        """Return one call; raise ``NotFoundError``."""
        with self._database.session() as session:
            row = session.get(ModelCallRow, call_id)
            if row is None:
                msg = "There is no such call."
                raise NotFoundError(msg, field="call")
            return _call(row)

    def page(
        self,
        course_id: UUID,
        *,
        assignment_id: UUID | None = None,
        purpose: Purpose | None = None,
        user: str | None = None,
        offset: int,
        limit: int,
    ) -> Page[ModelCall]:
        """Return the calls of a course, newest first."""
        query = select(ModelCallRow).where(ModelCallRow.course_id == course_id)
        if assignment_id is not None:
            query = query.where(ModelCallRow.assignment_id == assignment_id)
        if purpose is not None:
            query = query.where(ModelCallRow.purpose == purpose)
        if user is not None:
            query = query.where(ModelCallRow.user == user)
        with self._database.session() as session:
            total = session.scalar(select(func.count()).select_from(query.subquery())) or 0
            rows = session.scalars(
                query.order_by(ModelCallRow.at.desc(), ModelCallRow.id.desc())
                .offset(offset)
                .limit(limit)
            )
            return Page(tuple(_call(row) for row in rows), total, offset, limit)

    def spent(self, course_id: UUID, assignment_id: UUID | None, user: str) -> Spent:
        """Return what was spent or is reserved; of the user in this day (UTC), in every course."""
        with every_course(), self._database.session() as session:
            return _spent(session, course_id, assignment_id, user, database_now(session))

    def spend(self, course_id: UUID, since: datetime) -> tuple[SpendRow, ...]:
        """Return what a course cost by day (UTC), assignment and purpose, the oldest first."""
        with self._database.session() as session:
            rows = session.execute(
                select(
                    ModelCallRow.at,
                    ModelCallRow.assignment_id,
                    ModelCallRow.purpose,
                    ModelCallRow.input_tokens,
                    ModelCallRow.output_tokens,
                    _counted(),
                ).where(ModelCallRow.course_id == course_id, ModelCallRow.at >= since)
            ).all()
        found: dict[tuple[str, str, Purpose], SpendRow] = {}
        for at, assignment_id, purpose, read, written, cost in rows:
            day = at.astimezone(UTC).date().isoformat()
            key = (day, str(assignment_id or ""), purpose)
            before = found.get(key, SpendRow(day, assignment_id, purpose, 0, 0, 0, 0))
            found[key] = SpendRow(
                day,
                assignment_id,
                purpose,
                before.calls + 1,
                before.input_tokens + (read or 0),
                before.output_tokens + (written or 0),
                before.cost + cost,
            )
        return tuple(found[key] for key in sorted(found))

    def purge(self, before: datetime) -> int:
        """Empty the texts of calls from before a time; counts and costs stay. Return how many."""
        with self._database.begin() as session:
            purged = session.execute(
                update(ModelCallRow)
                .where(
                    ModelCallRow.at < before,
                    ModelCallRow.purged_at.is_(None),
                    ModelCallRow.state != CallState.RESERVED,
                )
                .values(
                    prompt=[],
                    redactions={},
                    raw_answer="",
                    parsed=None,
                    purged_at=database_now(session),
                )
            )
            return int(purged.rowcount)  # type: ignore[attr-defined]

    def _end(self, call_id: UUID, values: dict[str, Any]) -> None:
        with self._database.begin() as session:
            values |= {"ended_at": database_now(session)}
            session.execute(update(ModelCallRow).where(ModelCallRow.id == call_id).values(**values))


# -- caps ----------------------------------------------------------------------------------------


def _check_caps(session: Session, new: NewCall, caps: Caps, now: datetime) -> None:
    spent = _spent(session, new.course_id, new.assignment_id, new.asked_by, now)
    midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + _DAY
    until_midnight = (midnight - now).total_seconds()
    for name, used, cap, passes in (
        ("user_day", spent.user_day, caps.user_day, until_midnight),
        ("assignment", spent.assignment, caps.assignment, _DAY.total_seconds()),
        ("course", spent.course, caps.course, _DAY.total_seconds()),
    ):
        if name == "assignment" and new.assignment_id is None:
            continue
        # Whoever drafts for a class works for the course, and the caps of that hold.
        if name == "user_day" and new.purpose in _FOR_THE_COURSE:
            continue
        if used + new.reserved > cap:
            msg = (
                f"{name}: {_dollars(used)} of {_dollars(cap)} are spent or reserved, and this may "
                f"cost {_dollars(new.reserved)}. {_REMEDIES[name]}"
            )
            raise BudgetSpentError(msg, retry_after=passes, field=name)


_FOR_THE_COURSE = (Purpose.DRAFT, Purpose.REPAIR)
_REMEDIES = {
    "user_day": "It begins anew at midnight (UTC).",
    "assignment": "An instructor can raise the cap of this assignment.",
    "course": "An instructor can raise the cap of this course.",
}


def _dollars(pico: int) -> str:
    return f"{pico / PICO:.4f}"


def _counted() -> ColumnElement[int]:
    """What a call counts: its cost once it has ended, its reservation until then and if lost."""
    return case((ModelCallRow.state.in_(_ENDED), ModelCallRow.cost), else_=ModelCallRow.reserved)


def _spent(
    session: Session, course_id: UUID, assignment_id: UUID | None, user: str, now: datetime
) -> Spent:
    today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)

    def total(*conditions: ColumnElement[bool]) -> int:
        return int(session.scalar(select(func.sum(_counted())).where(*conditions)) or 0)

    return Spent(
        user_day=total(
            ModelCallRow.asked_by == user,
            ModelCallRow.at >= today,
            ModelCallRow.purpose.not_in(_FOR_THE_COURSE),
        ),
        assignment=0
        if assignment_id is None
        else total(ModelCallRow.assignment_id == assignment_id),
        course=total(ModelCallRow.course_id == course_id),
    )


# -- rows ----------------------------------------------------------------------------------------


def _row(new: NewCall, now: datetime) -> ModelCallRow:
    return ModelCallRow(
        id=new.id,
        course_id=new.course_id,
        assignment_id=new.assignment_id,
        submission_id=new.submission_id,
        grade_id=new.grade_id,
        user=new.user,
        asked_by=new.asked_by,
        purpose=new.purpose,
        template=new.template,
        template_version=new.template_version,
        provider=new.provider,
        model=new.model,
        parameters=dict(new.parameters),
        prompt=[dict(each) for each in new.prompt],
        redactions=dict(new.redactions),
        flags=list(new.flags),
        cache_key=new.cache_key,
        batch_id=new.batch_id,
        state=CallState.RESERVED,
        at=now,
        ended_at=None,
        raw_answer="",
        parsed=None,
        finish="",
        error="",
        **_NO_USAGE,
        is_usage_estimated=False,
        reserved=new.reserved,
        cost=0,
        latency_ms=0,
        tries=0,
        model_said="",
        purged_at=None,
    )


def _call(row: ModelCallRow) -> ModelCall:
    new = NewCall(
        id=row.id,
        course_id=row.course_id,
        assignment_id=row.assignment_id,
        submission_id=row.submission_id,
        grade_id=row.grade_id,
        user=row.user,
        asked_by=row.asked_by,
        purpose=row.purpose,
        template=row.template,
        template_version=row.template_version,
        provider=row.provider,
        model=row.model,
        parameters=row.parameters,
        prompt=tuple(row.prompt),
        redactions=row.redactions,
        flags=tuple(row.flags),
        cache_key=row.cache_key,
        reserved=row.reserved,
        batch_id=row.batch_id,
    )
    usage = None
    if row.input_tokens is not None and row.output_tokens is not None:
        usage = Usage(
            row.input_tokens, row.output_tokens, row.cached_tokens or 0, row.is_usage_estimated
        )
    return ModelCall(
        new=new,
        state=row.state,
        at=row.at,
        ended_at=row.ended_at,
        raw_answer=row.raw_answer,
        parsed=row.parsed,
        error=row.error,
        usage=usage,
        cost=row.cost,
        latency_ms=row.latency_ms,
        tries=row.tries,
        model_said=row.model_said,
        purged_at=row.purged_at,
    )
