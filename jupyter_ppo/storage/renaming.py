"""Another username for a person: everywhere, in one transaction.

Which columns hold usernames is what ``storage.personal_data`` says for an erasure, so a new column
that names a person is renamed as soon as it has a decision, and a test fails until it has one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import Column, func, or_, select, update
from sqlalchemy.orm import Session

from jupyter_ppo.domain.entries import AuthorKind
from jupyter_ppo.domain.errors import ConflictError, NotFoundError
from jupyter_ppo.domain.ids import new_id
from jupyter_ppo.domain.jobs import JobState
from jupyter_ppo.storage.database import Database, database_now
from jupyter_ppo.storage.erasure import what_runs
from jupyter_ppo.storage.erasure_texts import BEFORE, rename_in_audit, rename_in_outcomes
from jupyter_ppo.storage.personal_data import name_columns
from jupyter_ppo.storage.progress_recompute import folded
from jupyter_ppo.storage.progress_states import locked, write_states
from jupyter_ppo.storage.tables import (
    AuditEventRow,
    JobRow,
    OutcomeRevisionRow,
    OutcomeRow,
    ProgressStateRow,
    SubmissionRow,
)
from jupyter_ppo.storage.training_quota import one_at_a_time

#: Tables with plain data in which usernames are renamed here.
REWRITTEN = frozenset({"audit_events", "outcomes", "outcome_revisions", "progress_states"})
#: Tables whose plain data an erasure empties in part and in which nobody is named.
NAMELESS = frozenset({"grade_changes"})
_MOST_NAMED = 5


class _OnlyLookedError(Exception):
    """Ends the transaction of a dry run."""


class Renamings:
    """``services.renaming.RenamingStore`` on a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def rename(self, old: str, new: str, by: str, *, dry_run: bool) -> Mapping[str, int]:
        """Put ``new`` in the place of ``old`` everywhere; return how many rows by table.

        A dry run does it all and takes it back, so its counts are those of the real one. Raises
        ``NotFoundError`` when nothing is kept of ``old`` and ``ConflictError`` when there is a
        ``new``, or when work of the person runs or waits to be graded; nothing is changed then.
        """
        counts: dict[str, int] = {}
        try:
            with self._database.begin() as session:
                one_at_a_time(session)  # before any row is locked; no run is queued from here on
                _check(session, old, new)
                counts = _rename(session, old, new)
                if dry_run:
                    raise _OnlyLookedError
                session.add(
                    AuditEventRow(
                        id=new_id(),
                        at=database_now(session),
                        user=new if by == old else by,
                        action="person.renamed",
                        subject=new,
                        detail={BEFORE: old, **counts},
                    )
                )
        except _OnlyLookedError:
            pass
        return counts


def _check(session: Session, old: str, new: str) -> None:
    if not any(_columns_with(session, old).values()) and not _wrote(session, old):
        msg = f"old: nothing is kept of {old[:120]!r}. Look at the spelling of the name."
        raise NotFoundError(msg, field="old")
    taken = sorted(name for name, count in _columns_with(session, new).items() if count)
    if taken or _wrote(session, new):
        msg = (
            f"new: there is somebody called {new!r} ({', '.join(taken[:_MOST_NAMED])}). What two "
            "people did cannot be put together. If this is the same person, who came once under "
            f"the new name and did nothing, run jupyter ppo privacy erase {new} --confirm {new} "
            "first; otherwise use another name."
        )
        raise ConflictError(msg, field="new")
    under_way = what_runs(session, old) + _to_be_graded(session, old)
    if under_way:
        more = len(under_way) - _MOST_NAMED
        msg = (
            f"old: this is under way: {', '.join(under_way[:_MOST_NAMED])}"
            f"{f' and {more} more' if more > 0 else ''}. Wait until it has ended, or stop it, then "
            "rename again. Nothing was changed."
        )
        raise ConflictError(msg, field="old")


def _to_be_graded(session: Session, user: str) -> list[str]:
    """Name what waits for its grade: the data of some assignments are drawn from the username."""
    found = session.scalars(
        select(JobRow.submission_id)
        .join(SubmissionRow, SubmissionRow.id == JobRow.submission_id)
        .where(SubmissionRow.user == user, JobRow.state.in_([JobState.QUEUED, JobState.LEASED]))
        .order_by(JobRow.submission_id)
    )
    return [f"grading of {each}" for each in found]


def _columns_with(session: Session, user: str) -> dict[str, int]:
    """Return in how many rows of each table a column is this username."""
    by_table: dict[str, list[Column[Any]]] = {}
    for column in name_columns():
        by_table.setdefault(column.table.name, []).append(column)
    return {
        name: session.scalar(
            select(func.count())
            .select_from(columns[0].table)
            .where(or_(*(column == user for column in columns)))
        )
        or 0
        for name, columns in by_table.items()
    }


def _wrote(session: Session, user: str) -> bool:
    """Whether the person is the author of an outcome, as it is now or as it was."""
    return any(
        session.scalar(
            select(func.count()).where(row.author == user, row.author_kind == AuthorKind.PERSON)
        )
        for row in (OutcomeRow, OutcomeRevisionRow)
    )


def _rename(session: Session, old: str, new: str) -> dict[str, int]:
    counts = _columns_with(session, old)
    courses = session.scalars(
        select(ProgressStateRow.course_id)
        .where(ProgressStateRow.user == old)
        .order_by(ProgressStateRow.course_id)
    ).all()
    for course_id in courses:
        locked(session, course_id, [old])  # nothing is added to the log from here on
    session.flush()
    session.expunge_all()
    for name, count in rename_in_outcomes(session, old, new).items():
        counts[name] = max(counts.get(name, 0), count)
    in_details = rename_in_audit(session, old, new)
    counts["audit_events"] = max(counts.get("audit_events", 0), in_details)
    for column in name_columns():
        session.execute(
            update(column.table)
            .where(column == old)
            .values({column: new})
            .execution_options(synchronize_session=False)
        )
    for course_id in courses:
        _refold(session, course_id, new)
    return {name: count for name, count in sorted(counts.items()) if count}


def _refold(session: Session, course_id: UUID, user: str) -> None:
    """Make the state anew from the log: it names its person."""
    ((state, _),) = folded(session, course_id, [user])
    write_states(session, course_id, [state], database_now(session))
