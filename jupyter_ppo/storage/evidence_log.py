"""What counts, into the log of progress: in the transaction in which it comes to count.

Only what students know goes there. Hand-ins are theirs; of grades it is the released attempt that
counts among the released ones, so that a new attempt takes no evidence away before its own grade
is released. Called by ``storage.standings.settle`` and by nobody else.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from jupyter_ppo.domain.grading import total
from jupyter_ppo.domain.progress_events import EventKind
from jupyter_ppo.domain.progress_records import WorkRecord
from jupyter_ppo.storage import awards
from jupyter_ppo.storage.database import database_now
from jupyter_ppo.storage.gradebook_rows import SAME_EXERCISE, SCORE
from jupyter_ppo.storage.progress_log import Entry, record
from jupyter_ppo.storage.progress_states import locked, read_works
from jupyter_ppo.storage.tables import AssignmentRow, ExerciseGradeRow, MarkRow, SubmissionRow
from jupyter_ppo.storage.term_rows import MOST_NAMED


@dataclass(frozen=True, slots=True)
class HandedIn:
    """An attempt that is not in the trash; ``released_at`` is None unless students see a grade."""

    id: UUID
    number: int
    submitted_at: datetime
    released_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Attempts:
    """One person's attempts at an assignment, and which of the released ones counts."""

    handed_in: tuple[HandedIn, ...] = field(default=())
    counting: HandedIn | None = None


def record_evidence(
    session: Session,
    assignment_id: UUID,
    users: Collection[str] | None,
    attempts: Mapping[str, Attempts],
) -> None:
    """Add what the log does not say yet of ``users``, everybody if None, and evaluate awards.

    ``attempts`` are those of them who have some. The assignment's row is locked: two of these never
    run at once for one assignment. Nothing is added for whom nothing changed. The number of queries
    does not grow with the number of people.
    """
    assignment, course_id = session.execute(
        select(AssignmentRow.name, AssignmentRow.course_id).where(AssignmentRow.id == assignment_id)
    ).one()
    known = read_works(session, course_id, assignment, users)
    points = _points(session, assignment_id, users, attempts)
    now: datetime | None = None
    entries: list[Entry] = []
    for user in sorted(attempts.keys() | known.keys()):
        own = attempts.get(user, Attempts())
        work = known.get(user, WorkRecord())
        graded = points.get(own.counting.id, {}) if own.counting is not None else {}
        for kind, at, data in _missing(work, own, graded):
            now = now or database_now(session)
            entries.append(Entry(user, kind, assignment, at or now, data))
    if now is None:
        return
    concerned = {each.user for each in entries}
    states = locked(session, course_id, concerned)
    record(session, course_id, states, entries, now)
    awards.evaluate(session, course_id, concerned, states=states)


def _missing(
    work: WorkRecord, own: Attempts, points: Mapping[str, float]
) -> Iterator[tuple[EventKind, datetime | None, dict[str, Any]]]:
    """Yield the events that lead from what is known to what is; a time of None is now."""
    for each in own.handed_in:
        if each.id not in work.handed_in:
            data: dict[str, Any] = {"submission_id": str(each.id), "attempt": each.number}
            yield EventKind.SUBMITTED, each.submitted_at, data
    here = {each.id for each in own.handed_in}
    gone = [str(each) for each in work.handed_in if each not in here]
    if gone:
        yield EventKind.WITHDRAWN, None, {"submissions": gone}
    counting = own.counting
    if counting is None:
        if work.submission_id in here:
            yield EventKind.WITHDRAWN, None, {}
    elif (work.submission_id, work.points) != (counting.id, points):
        # A grade that was there before there was a log is as old as its release.
        at = counting.released_at if work.submission_id != counting.id else None
        data = {
            "submission_id": str(counting.id),
            "attempt": counting.number,
            "points": dict(points),
        }
        yield EventKind.GRADED, at, data


def _points(
    session: Session,
    assignment_id: UUID,
    users: Collection[str] | None,
    attempts: Mapping[str, Attempts],
) -> Mapping[UUID, Mapping[str, float]]:
    """Return the points of each exercise, with marks, of the attempts that count."""
    wanted = {own.counting.id for own in attempts.values() if own.counting is not None}
    if not wanted:
        return {}
    query = (
        select(ExerciseGradeRow.submission_id, ExerciseGradeRow.grade_id, SCORE)
        .join(SubmissionRow, SubmissionRow.id == ExerciseGradeRow.submission_id)
        .outerjoin(MarkRow, SAME_EXERCISE)
        .where(SubmissionRow.assignment_id == assignment_id, SubmissionRow.released_at.is_not(None))
    )
    if users is not None and len(users) <= MOST_NAMED:
        query = query.where(SubmissionRow.user.in_(users))
    found: dict[UUID, dict[str, float]] = {}
    for submission_id, grade_id, points in session.execute(query):
        if submission_id in wanted:
            found.setdefault(submission_id, {})[grade_id] = total([points])
    return found
