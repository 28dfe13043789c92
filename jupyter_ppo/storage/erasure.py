"""Erasing a person: the database in one transaction, then what only they had on the disk.

What is to be removed from the disk is written into the erasure's row by that transaction, so that
whoever comes after a crash can go on. Nothing that is kept leads from the stand-in to the person.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Table, and_, delete, func, literal, or_, select, text, update
from sqlalchemy.orm import Session

from jupyter_ppo.domain.courses import AssignmentKind, Role
from jupyter_ppo.domain.errors import ConflictError, NotFoundError
from jupyter_ppo.domain.execution import ExecutionState
from jupyter_ppo.domain.ids import new_id
from jupyter_ppo.domain.privacy import Erasure, Leftovers, new_stand_in
from jupyter_ppo.domain.progress_events import EventKind
from jupyter_ppo.domain.trials import TrialState
from jupyter_ppo.storage.blobs import FileBlobs
from jupyter_ppo.storage.database import Database, database_now
from jupyter_ppo.storage.erasure_texts import (
    chunks,
    empty_history,
    empty_outcomes,
    rename_in_outcomes,
    rewrite_audit,
)
from jupyter_ppo.storage.jobs import cancel_submissions
from jupyter_ppo.storage.personal_data import Erase, Owner, TableRule, columns, name_columns, tables
from jupyter_ppo.storage.progress_recompute import folded
from jupyter_ppo.storage.progress_states import locked, write_states
from jupyter_ppo.storage.references import files_of_entry, referenced_blobs
from jupyter_ppo.storage.tables import (
    AssignmentRow,
    AuditEventRow,
    ErasureRow,
    ExecutionRow,
    GradeRow,
    MembershipRow,
    ProgressEventRow,
    ProgressStateRow,
    SubmissionRow,
    TrainingRunRow,
    TrialRow,
)
from jupyter_ppo.storage.training_quota import one_at_a_time
from jupyter_ppo.storage.trials import LOST_AFTER

#: What of the log stays under the stand-in: grades as statistics, and nothing of what was done.
_KEPT_EVENTS = (EventKind.SUBMITTED, EventKind.GRADED, EventKind.WITHDRAWN)
#: A blob that was written or asked for within this time is left: somebody may be handing in the
#: same bytes right now.
GRACE = timedelta(minutes=10)
_LEFT = "left"
_MOST_NAMED = 5


class Erasures:
    """``services.privacy.ErasureStore`` on a database and a folder of blobs."""

    def __init__(self, database: Database, blobs: FileBlobs, *, grace: timedelta = GRACE) -> None:
        self._database = database
        self._blobs = blobs
        self._grace = grace

    def erase(self, user: str, by: str) -> Erasure:
        """Put a stand-in in the place of ``user`` everywhere and delete what is theirs alone.

        Grading that is queued or under way is cancelled. Files are not touched: ``leftovers`` says
        which are to be removed. Raises ``NotFoundError`` when nothing is kept of the person, and
        ``ConflictError`` naming the programs and runs of theirs that run; nothing is changed then.
        """
        with self._database.begin() as session:
            is_sqlite = session.get_bind().dialect.name == "sqlite"
            if is_sqlite:  # what is deleted is overwritten in the file, too
                session.execute(text("PRAGMA secure_delete = ON"))
            one_at_a_time(session)  # before any row is locked; no run is queued or taken from here
            if not any(_is_named(session, column, user) for column in name_columns()):
                msg = f"user: nothing is kept of {user!r}. Look at the spelling of the name."
                raise NotFoundError(msg, field="user")
            _check_nothing_runs(session, user)
            erasure = self._erase(session, user, by)
            if is_sqlite:
                session.execute(text("PRAGMA secure_delete = OFF"))
        if is_sqlite:
            self._shorten_log()
        return erasure

    def _erase(self, session: Session, user: str, by: str) -> Erasure:
        now = database_now(session)
        stand_in = _free_stand_in(session)
        submissions = _cancelled(session, user)
        left = {
            "blobs": sorted(self._blobs_of(session, user, submissions)),
            "runs": sorted(
                str(each)
                for each in session.scalars(
                    select(TrainingRunRow.id).where(TrainingRunRow.user == user)
                )
            ),
        }
        courses = session.scalars(
            select(ProgressStateRow.course_id)
            .where(ProgressStateRow.user == user)
            .order_by(ProgressStateRow.course_id)
        ).all()
        for course_id in courses:
            locked(session, course_id, [user])  # nothing is added to the log from here on
        # What was loaded above is changed below without the session's knowledge.
        session.flush()
        session.expunge_all()
        # Before the rows that say which submissions and runs are theirs get another name.
        empty_history(session, submissions)
        empty_outcomes(session, submissions)
        rename_in_outcomes(session, user, stand_in)
        rewrite_audit(session, user, stand_in, submissions)
        counts = _delete_and_clear(session, user)
        counts["submissions"] = len(submissions)
        _take_rights_away(session, user)
        for column in columns(Erase.RENAME):
            _execute(session, update(column.table).where(column == user).values({column: stand_in}))
        for course_id in courses:
            _refold(session, course_id, stand_in, now)
        who = stand_in if by == user else by
        row = ErasureRow(
            id=new_id(),
            stand_in=stand_in,
            erased_at=now,
            erased_by=who,
            counts={**counts, _LEFT: left},
        )
        session.add(row)
        session.add(
            AuditEventRow(
                id=new_id(),
                at=now,
                user=who,
                action="person.erased",
                subject=stand_in,
                detail=dict(counts),
            )
        )
        session.flush()
        return _erasure(row)

    def erasure(self, erasure_id: UUID) -> Erasure:
        """Return an erasure as it is now; raise ``NotFoundError``."""
        with self._database.session() as session:
            row = session.get(ErasureRow, erasure_id)
            if row is None:
                msg = f"There is no erasure {str(erasure_id)!r}."
                raise NotFoundError(msg, field="erasure")
            return _erasure(row)

    def leftovers(self) -> tuple[Leftovers, ...]:
        """Return what erasures have left on the disk to be removed, the oldest first."""
        with self._database.session() as session:
            rows = session.scalars(select(ErasureRow).order_by(ErasureRow.erased_at))
            found = [(row.id, row.counts.get(_LEFT)) for row in rows]
        return tuple(
            Leftovers(erasure_id, tuple(left["blobs"]), tuple(UUID(each) for each in left["runs"]))
            for erasure_id, left in found
            if left
        )

    def remove_blobs(self, digests: Collection[str]) -> set[str]:
        """Remove blobs that nothing refers to; return those that are done with.

        Done with is also what others use. What was touched a moment ago is left for later.
        """
        with self._database.session() as session:
            used = referenced_blobs(session, self._blobs)
            before = database_now(session) - self._grace
        shared = set(digests) & used
        for digest in shared:
            self._blobs.put_back(digest)
        return shared | {
            digest
            for digest in set(digests) - used
            if self._blobs.remove(digest, untouched_since=before)
        }

    def done(self, erasure_id: UUID, blobs: Collection[str], runs: Collection[UUID]) -> Erasure:
        """Forget that these files are to be removed; return the erasure as it is then."""
        names = {str(each) for each in runs}
        with self._database.begin() as session:
            row = session.get_one(ErasureRow, erasure_id, with_for_update=True)
            left = row.counts.get(_LEFT) or {"blobs": [], "runs": []}
            still = {
                "blobs": [each for each in left["blobs"] if each not in blobs],
                "runs": [each for each in left["runs"] if each not in names],
            }
            counts = {name: value for name, value in row.counts.items() if name != _LEFT}
            if any(still.values()):
                counts[_LEFT] = still
            row.counts = counts
            return _erasure(row)

    def _blobs_of(
        self, session: Session, user: str, submission_ids: Sequence[UUID]
    ) -> Iterator[str]:
        """Return the digest of every blob that the person's rows name, once."""
        found: set[str] = set()
        for ids in chunks(submission_ids):
            handed_in = session.execute(
                select(SubmissionRow.digest, AssignmentRow.kind)
                .join(AssignmentRow, AssignmentRow.id == SubmissionRow.assignment_id)
                .where(SubmissionRow.id.in_(ids))
            )
            for digest, kind in handed_in:
                found.add(digest)
                if kind is AssignmentKind.ENTRY:
                    found.update(files_of_entry(self._blobs, digest))
            pages = select(GradeRow.feedback_digest).where(GradeRow.submission_id.in_(ids))
            found.update(session.scalars(pages))
        found.update(session.scalars(select(TrialRow.digest).where(TrialRow.user == user)))
        found.discard("")
        return iter(found)

    def _shorten_log(self) -> None:
        """Let SQLite empty its write-ahead log, which has pages from before; readers may delay it.

        The next checkpoint does it then.
        """
        path = str(self._database.engine.url.database)
        with (
            contextlib.suppress(sqlite3.Error),
            contextlib.closing(sqlite3.connect(path, timeout=1.0)) as connection,
        ):
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def what_runs(session: Session, user: str) -> list[str]:
    """Name what of the person's runs now; work that is queued or graded does not count."""
    now = database_now(session)
    found: list[str] = []
    runs = session.scalars(
        select(TrainingRunRow.id).where(TrainingRunRow.user == user, TrainingRunRow.owner != "")
    ).all()
    found += [f"training run {each}" for each in runs]
    programs = session.scalars(
        select(ExecutionRow.id).where(
            ExecutionRow.user == user,
            ExecutionRow.state == ExecutionState.RUNNING,
            ExecutionRow.expires_at > now,
        )
    ).all()
    found += [f"program {each}" for each in programs]
    trials = session.scalars(
        select(TrialRow.id).where(
            TrialRow.user == user,
            TrialRow.state.in_([TrialState.QUEUED, TrialState.RUNNING]),
            TrialRow.created_at > now - LOST_AFTER,
        )
    ).all()
    return found + [f"validation {each}" for each in trials]


def _check_nothing_runs(session: Session, user: str) -> None:
    """Raise ``ConflictError`` naming what of the person's runs."""
    found = what_runs(session, user)
    if found:
        more = f" and {len(found) - _MOST_NAMED} more" if len(found) > _MOST_NAMED else ""
        msg = (
            f"user: this still runs: {', '.join(found[:_MOST_NAMED])}{more}. Stop it or wait until "
            "it has ended, then erase again. Nothing was changed."
        )
        raise ConflictError(msg, field="user")


def _cancelled(session: Session, user: str) -> list[UUID]:
    """Return the person's submissions, those in the trash too, with no grading under way."""
    found = session.execute(
        select(SubmissionRow.assignment_id, SubmissionRow.id)
        .where(SubmissionRow.user == user)
        .order_by(SubmissionRow.assignment_id, SubmissionRow.id)
    ).all()
    by_assignment: dict[UUID, list[UUID]] = {}
    for assignment_id, submission_id in found:
        by_assignment.setdefault(assignment_id, []).append(submission_id)
    for ids in by_assignment.values():
        cancel_submissions(session, ids)
    return [submission_id for _, submission_id in found]


def _delete_and_clear(session: Session, user: str) -> dict[str, int]:
    """Delete and empty the person's own rows as ``personal_data`` decides; count the deleted."""
    counts: dict[str, int] = {}
    activity = and_(ProgressEventRow.user == user, ProgressEventRow.kind.not_in(_KEPT_EVENTS))
    counts["activity_events"] = _execute(session, delete(ProgressEventRow).where(activity))
    for table, rules in tables():
        if rules.owner is Owner.NOBODY:
            continue
        own = _own(table, rules, user)
        if rules.is_deleted:
            counts[table.name] = _execute(session, delete(table).where(own))
            continue
        empty = {
            name: rule.empty for name, rule in rules.columns.items() if rule.erase is Erase.CLEAR
        }
        if empty:
            _execute(session, update(table).where(own).values(empty))
    return counts


def _own(table: Table, rules: TableRule, user: str) -> ColumnElement[bool]:
    if rules.owner is Owner.USER:
        return table.c.user == user
    parent = SubmissionRow if rules.owner is Owner.SUBMISSION else TrainingRunRow
    return table.c[rules.owner.value].in_(select(parent.id).where(parent.user == user))


def _refold(session: Session, course_id: UUID, stand_in: str, now: datetime) -> None:
    """Make the state anew from what is left of the log, as a recompute would."""
    ((state, events),) = folded(session, course_id, [stand_in])
    if events:
        write_states(session, course_id, [state], now)
        return
    row = ProgressStateRow.__table__
    nothing = and_(row.c.course_id == course_id, row.c.user == stand_in)
    _execute(session, delete(ProgressStateRow).where(nothing))


def _take_rights_away(session: Session, user: str) -> None:
    """Take staff out of their courses; a student's row stays, so that statistics count it."""
    now = database_now(session)
    _execute(
        session,
        update(MembershipRow)
        .where(
            MembershipRow.user == user,
            MembershipRow.role != Role.STUDENT,
            MembershipRow.removed_at.is_(None),
        )
        .values(removed_at=now),
    )


def _free_stand_in(session: Session) -> str:
    while True:
        name = new_stand_in()
        taken = or_(
            select(ErasureRow.id).where(ErasureRow.stand_in == name).exists(),
            select(MembershipRow.user).where(MembershipRow.user == name).exists(),
        )
        if not session.scalar(select(literal(1)).where(taken)):
            return name


def _is_named(session: Session, column: ColumnElement[Any], user: str) -> bool:
    return bool(session.scalar(select(func.count()).where(column == user)))


def _execute(session: Session, statement: Any) -> int:
    done: Any = session.execute(statement.execution_options(synchronize_session=False))
    return int(done.rowcount)


def _erasure(row: ErasureRow) -> Erasure:
    left = row.counts.get(_LEFT) or {"blobs": [], "runs": []}
    return Erasure(
        id=row.id,
        stand_in=row.stand_in,
        erased_at=row.erased_at,
        erased_by=row.erased_by,
        counts={name: value for name, value in row.counts.items() if name != _LEFT},
        waiting=len(left["blobs"]) + len(left["runs"]),
    )
