"""What counts for each person in each assignment: settled with every change.

A standing is one row for one person and one assignment: the gradebook's cell. Whoever changes what
it is made of (a submission, a grade, a mark, terms, extensions, who is in a group, what is in the
trash) calls ``settle`` in the same transaction, so that no one ever sees the one without the other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, delete, false, func, insert, select, update
from sqlalchemy.orm import Session
from sqlalchemy.orm.util import identity_key

from jupyter_ppo.domain.grading import total
from jupyter_ppo.domain.ids import new_id
from jupyter_ppo.domain.marks import GradeChangeKind
from jupyter_ppo.domain.submissions import SubmissionState
from jupyter_ppo.domain.terms import Attempt, Counting, counting_attempt
from jupyter_ppo.storage.database import database_now
from jupyter_ppo.storage.evidence_log import Attempts, HandedIn, record_evidence
from jupyter_ppo.storage.tables import (
    AssignmentRow,
    ExerciseGradeRow,
    GradeChangeRow,
    GradeRow,
    MarkRow,
    StandingRow,
    SubmissionRow,
)
from jupyter_ppo.storage.term_rows import MOST_NAMED, own_extensions, terms_of

#: How rows are locked to be changed: others may refer to them meanwhile, as new standings do.
KEEPING_KEYS = {"key_share": True}
_COLUMNS = tuple(column.key for column in StandingRow.__table__.columns)


def settle(
    session: Session,
    assignment_id: UUID,
    users: Collection[str] | None = None,
    *,
    by: str = "",
    reason: str = "",
) -> None:
    """Write lateness and penalty of every attempt of ``users``, and what counts for each of them.

    What students know of it becomes evidence in their log of progress (``storage.evidence_log``).
    ``users`` is everybody if None. A penalty of a graded submission that changes is written into
    its history, with ``by`` (a username, empty for the server) and ``reason``. What the session
    holds is flushed first. The number of queries does not grow with the number of people. The
    assignment's row stays locked until the transaction ends: lock jobs and submissions before, and
    of several assignments all (``lock_attempts``) before the first is settled.
    """
    if users is not None and not users:
        return
    session.flush()
    # Two of one person's attempts may change at once; SQLite has one writer at a time anyway.
    _lock_assignment(session, assignment_id)
    found = _found(session, assignment_id, users)
    terms = terms_of(session, assignment_id)
    extensions = own_extensions(session, assignment_id, users)
    own_terms = {user: terms.with_extensions(own) for user, own in extensions.items()}
    changed: list[_Found] = []
    by_user: dict[str, list[_Found]] = defaultdict(list)
    for each in found:
        own = own_terms.get(each.user, terms)
        before = each.late_seconds, each.penalty
        late_seconds = own.late_seconds(each.submitted_at)
        penalty = 0.0 if each.points is None else own.penalty(each.points, each.submitted_at)
        if (late_seconds, penalty) != before:
            changed.append(each)
            each.late_before, each.penalty_before = before
            each.late_seconds, each.penalty = late_seconds, penalty
        by_user[each.user].append(each)
    _write_lateness(session, changed, by, reason)
    wanted: dict[str, dict[str, Any]] = {}
    evidence: dict[str, Attempts] = {}
    for user, attempts in by_user.items():
        counting = _counting(attempts, [each.attempt() for each in attempts], terms.counting)
        shown = _counting(attempts, [each.shown() for each in attempts], terms.counting)
        wanted[user] = counting.standing(assignment_id, len(attempts), shown.id)
        evidence[user] = _evidence(attempts, terms.counting)
    _write_standings(session, assignment_id, users, wanted)
    record_evidence(session, assignment_id, users, evidence)


def lock_attempts(
    session: Session, assignment_id: UUID, users: Collection[str] | None = None
) -> None:
    """Lock the attempts of ``users``, everybody's if None, and then the assignment.

    For whoever will ``settle`` them. Locks are taken in one order everywhere: jobs, submissions,
    the assignment, standings; of several assignments in the order of their ids. Who changes an
    attempt holds it already; who changes what attempts are judged by, or adds one, calls this
    first. States of progress come last: they are one person's in all assignments.
    """
    query = select(SubmissionRow.id).where(SubmissionRow.assignment_id == assignment_id)
    if users is not None and len(users) <= MOST_NAMED:
        query = query.where(SubmissionRow.user.in_(users))
    query = query.order_by(SubmissionRow.id)
    while True:
        with session.begin_nested() as savepoint:
            held = session.scalars(query.with_for_update(key_share=True)).all()
            _lock_assignment(session, assignment_id)
            if session.scalars(query).all() == held:
                return
            # One more came while this waited: going back to the savepoint lets go of the locks.
            savepoint.rollback()


def _lock_assignment(session: Session, assignment_id: UUID) -> None:
    session.execute(
        select(AssignmentRow.id)
        .where(AssignmentRow.id == assignment_id)
        .with_for_update(key_share=True)
    )


def set_state(session: Session, submission: SubmissionRow) -> None:
    """Carry a submission's state over to its standing, if it is the attempt that counts.

    For changes of the state alone, which ``settle`` would do as well, at more cost. The
    assignment's row is locked for it, as ``settle`` does.
    """
    session.flush()
    _lock_assignment(session, submission.assignment_id)
    session.execute(
        update(StandingRow)
        .where(StandingRow.submission_id == submission.id)
        .values(state=submission.state)
    )


@dataclass(slots=True)
class _Found:
    """One attempt with its grade, if it has one."""

    id: UUID
    user: str
    number: int
    submitted_at: datetime
    state: SubmissionState
    is_collected: bool
    released_at: datetime | None
    late_seconds: int
    penalty: float
    points: float | None
    max_points: float | None
    extra_credit: float
    needs_review: bool
    unsealed_points: float
    late_before: int = 0
    penalty_before: float = 0.0

    @property
    def is_released(self) -> bool:
        return self.released_at is not None

    @property
    def after_penalty(self) -> float | None:
        return None if self.points is None else total([self.points, -self.penalty])

    def attempt(self) -> Attempt:
        return Attempt(self.number, self.submitted_at, self.is_collected, self.after_penalty)

    def shown(self) -> Attempt:
        """Return it as its student knows it."""
        return self.attempt() if self.is_released else replace(self.attempt(), points=None)

    def standing(self, assignment_id: UUID, attempts: int, shown_id: UUID) -> dict[str, Any]:
        return {
            "assignment_id": assignment_id,
            "user": self.user,
            "submission_id": self.id,
            "shown_submission_id": shown_id,
            "attempts": attempts,
            "state": self.state,
            "submitted_at": self.submitted_at,
            "late_seconds": self.late_seconds,
            "points": self.after_penalty,
            "max_points": self.max_points,
            "penalty": self.penalty,
            "extra_credit": self.extra_credit,
            "needs_review": self.needs_review,
            "unsealed_points": self.unsealed_points,
            "is_released": self.is_released,
        }


def _counting(found: Sequence[_Found], attempts: Sequence[Attempt], counting: Counting) -> _Found:
    number = counting_attempt(attempts, counting)
    return next(each for each in found if each.number == number)


def _evidence(found: Sequence[_Found], counting: Counting) -> Attempts:
    """Return what the log of progress is told: of grades only those that are released."""
    released = [each for each in found if each.is_released and each.points is not None]
    chosen = (
        _counting(released, [one.attempt() for one in released], counting) if released else None
    )
    handed_in = {
        each.id: HandedIn(each.id, each.number, each.submitted_at, each.released_at)
        for each in found
    }
    return Attempts(tuple(handed_in.values()), None if chosen is None else handed_in[chosen.id])


def _found(
    session: Session, assignment_id: UUID, users: Collection[str] | None
) -> Sequence[_Found]:
    """Return the attempts of these people that are not in the trash, each person's in order."""
    of_assignment = [SubmissionRow.assignment_id == assignment_id]
    if users is not None and len(users) <= MOST_NAMED:
        of_assignment.append(SubmissionRow.user.in_(users))
    unsealed = _unsealed(session, of_assignment)
    rows = session.execute(
        select(
            SubmissionRow.id,
            SubmissionRow.user,
            SubmissionRow.attempt,
            SubmissionRow.submitted_at,
            SubmissionRow.state,
            SubmissionRow.collected_by,
            SubmissionRow.released_at,
            SubmissionRow.late_seconds,
            SubmissionRow.penalty,
            GradeRow.points,
            GradeRow.max_points,
            GradeRow.extra_credit,
            GradeRow.needs_review,
        )
        .outerjoin(GradeRow, GradeRow.submission_id == SubmissionRow.id)
        .where(*of_assignment, SubmissionRow.deleted_at.is_(None))
        .order_by(SubmissionRow.user, SubmissionRow.attempt)
    )
    wanted = None if users is None else set(users)
    return [
        _Found(
            id=row.id,
            user=row.user,
            number=row.attempt,
            submitted_at=row.submitted_at,
            state=row.state,
            is_collected=row.collected_by is not None,
            released_at=row.released_at,
            late_seconds=row.late_seconds,
            penalty=row.penalty,
            points=row.points,
            max_points=row.max_points,
            extra_credit=row.extra_credit or 0.0,
            needs_review=bool(row.needs_review),
            unsealed_points=total([unsealed.get(row.id, 0.0)]),
        )
        for row in rows
        if wanted is None or row.user in wanted
    ]


def _unsealed(
    session: Session, of_assignment: Sequence[ColumnElement[bool]]
) -> Mapping[UUID, float]:
    """Return the points of tests in the students' own process; a person's are none."""
    found = session.execute(
        select(ExerciseGradeRow.submission_id, func.sum(ExerciseGradeRow.points))
        .join(SubmissionRow, SubmissionRow.id == ExerciseGradeRow.submission_id)
        .outerjoin(
            MarkRow,
            (MarkRow.submission_id == ExerciseGradeRow.submission_id)
            & (MarkRow.grade_id == ExerciseGradeRow.grade_id),
        )
        .where(*of_assignment, ExerciseGradeRow.is_sealed == false(), MarkRow.points.is_(None))
        .group_by(ExerciseGradeRow.submission_id)
    )
    return dict(found.all())


def _write_lateness(session: Session, changed: Sequence[_Found], by: str, reason: str) -> None:
    if not changed:
        return
    session.execute(
        update(SubmissionRow),
        [
            {"id": each.id, "late_seconds": each.late_seconds, "penalty": each.penalty}
            for each in changed
        ],
    )
    _forget(session, SubmissionRow, (each.id for each in changed), ["late_seconds", "penalty"])
    graded = [
        each for each in changed if each.points is not None and each.penalty != each.penalty_before
    ]
    if not graded:
        return
    now = database_now(session)
    session.execute(
        insert(GradeChangeRow),
        [
            {
                "id": new_id(),
                "at": now,
                "submission_id": each.id,
                "grade_id": None,
                "kind": GradeChangeKind.LATENESS,
                "by": by,
                "reason": reason,
                "before": {"penalty": each.penalty_before, "late_seconds": each.late_before},
                "after": {"penalty": each.penalty, "late_seconds": each.late_seconds},
            }
            for each in graded
        ],
    )


def _write_standings(
    session: Session,
    assignment_id: UUID,
    users: Collection[str] | None,
    wanted: dict[str, dict[str, Any]],
) -> None:
    table = StandingRow.__table__
    query = select(table).where(StandingRow.assignment_id == assignment_id)
    if users is not None and len(users) <= MOST_NAMED:
        query = query.where(StandingRow.user.in_(users))
    picked = None if users is None else set(users)
    stored = {
        row["user"]: dict(row)
        for row in session.execute(query).mappings()
        if picked is None or row["user"] in picked
    }
    gone = [user for user in stored if user not in wanted]
    for first in range(0, len(gone), MOST_NAMED):
        session.execute(
            delete(StandingRow).where(
                StandingRow.assignment_id == assignment_id,
                StandingRow.user.in_(gone[first : first + MOST_NAMED]),
            )
        )
    new = [row for user, row in wanted.items() if user not in stored]
    other = [row for user, row in wanted.items() if user in stored and row != stored[user]]
    if other:
        session.execute(update(StandingRow), other)
        keys = ((assignment_id, row["user"]) for row in other)
        _forget(session, StandingRow, keys, list(_COLUMNS))
    if new:
        session.execute(insert(StandingRow), new)


def _forget(
    session: Session,
    kind: type[SubmissionRow | StandingRow],
    keys: Iterable[Any],
    attributes: list[str],
) -> None:
    """Let rows that the session holds be read anew: writing many at once passes them by."""
    held = session.identity_map
    if not held:
        return
    for key in keys:
        row = held.get(identity_key(kind, key))
        if row is not None:
            session.expire(row, attributes)
