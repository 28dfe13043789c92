"""The rows of a gradebook's page: the cells of some students."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import and_, case, func, or_, select, true
from sqlalchemy.orm import Session

from jupyter_ppo.domain.gradebook import (
    CellState,
    GradebookCell,
    GradebookColumn,
    GradebookRow,
)
from jupyter_ppo.domain.grading import total
from jupyter_ppo.domain.submissions import SubmissionState
from jupyter_ppo.storage.tables import (
    ExerciseGradeRow,
    GroupMemberRow,
    GroupRow,
    MarkRow,
    StandingRow,
)

#: More values than this are not named in one statement.
_MOST_NAMED = 500


class Student(NamedTuple):
    user: str
    first_name: str
    last_name: str


@dataclass(frozen=True, slots=True)
class Column:
    """``is_open`` says that students see the assignment; ``grade_id`` is None for all of it."""

    assignment_id: UUID
    column: GradebookColumn
    version_id: UUID
    is_open: bool
    grade_id: str | None = None


SAME_EXERCISE = and_(
    MarkRow.submission_id == ExerciseGradeRow.submission_id,
    MarkRow.grade_id == ExerciseGradeRow.grade_id,
)
_EXTRA = func.coalesce(MarkRow.extra_credit, 0.0)
SCORE = func.coalesce(MarkRow.points, ExerciseGradeRow.points) + _EXTRA
_WAITS = and_(ExerciseGradeRow.needs_review.is_(True), MarkRow.points.is_(None))
_UNSEALED = case(
    (or_(ExerciseGradeRow.is_sealed.is_(True), MarkRow.points.is_not(None)), 0.0),
    else_=ExerciseGradeRow.points,
)


@lru_cache(maxsize=10_000)
def folded(text: str) -> str:
    """Return ``text`` without case and accents, to be compared. Names come again at every page."""
    if text.isascii():
        return text.lower()
    parts = unicodedata.normalize("NFKD", text.casefold())
    return "".join(part for part in parts if not unicodedata.combining(part))


def student_rows(
    session: Session,
    course_id: UUID,
    students: Sequence[Student],
    assignments: Sequence[Column],
    columns: Sequence[Column],
) -> Iterable[GradebookRow]:
    users = [each.user for each in students]
    cells = _cells(session, users, assignments)
    groups = _groups(session, course_id, users)
    exercises: Mapping[UUID, Mapping[str, GradebookCell]] = {}
    if columns is not assignments:
        exercises = _exercise_cells(session, users, assignments[0])
    nothing = GradebookCell()
    for student in students:
        own = cells.get(student.user, {})
        points, most = [], []
        for each in assignments:
            cell = own.get(each.assignment_id, nothing)
            if each.is_open:
                points.append(cell.points or 0.0)
                most.append(each.column.max_points if cell.max_points is None else cell.max_points)
        if columns is assignments:
            shown = {each.column.name: own.get(each.assignment_id, nothing) for each in assignments}
        else:
            whole = own.get(assignments[0].assignment_id, nothing)
            parts = exercises.get(whole.submission_id, {}) if whole.submission_id else {}
            shown = {
                each.column.name: _part(whole, parts.get(each.column.name)) for each in columns
            }
        yield GradebookRow(
            student.user,
            student.first_name,
            student.last_name,
            groups.get(student.user, ()),
            total(points),
            total(most),
            shown,
        )


def _of(query: Any, column: Any, users: Sequence[str]) -> Any:
    """Keep the rows of these users; of many, everyone's are read and the rest left alone."""
    return query.where(column.in_(users) if len(users) <= _MOST_NAMED else true())


def _groups(session: Session, course_id: UUID, users: Sequence[str]) -> dict[str, tuple[str, ...]]:
    query = (
        select(GroupMemberRow.user, GroupRow.name)
        .join(GroupRow, GroupRow.id == GroupMemberRow.group_id)
        .where(GroupRow.course_id == course_id)
        .order_by(GroupRow.name)
    )
    found: defaultdict[str, tuple[str, ...]] = defaultdict(tuple)
    for user, name in session.execute(_of(query, GroupMemberRow.user, users)):
        found[user] += (name,)
    return found


def _cells(
    session: Session, users: Sequence[str], assignments: Collection[Column]
) -> dict[str, dict[UUID, GradebookCell]]:
    query = select(
        StandingRow.user,
        StandingRow.assignment_id,
        StandingRow.submission_id,
        StandingRow.state,
        StandingRow.is_released,
        StandingRow.points,
        StandingRow.max_points,
        StandingRow.penalty,
        StandingRow.extra_credit,
        StandingRow.late_seconds,
        StandingRow.attempts,
        StandingRow.needs_review,
        StandingRow.unsealed_points,
    ).where(StandingRow.assignment_id.in_([each.assignment_id for each in assignments]))
    cells: dict[str, dict[UUID, GradebookCell]] = {}
    for row in session.execute(_of(query, StandingRow.user, users)):
        cells.setdefault(row.user, {})[row.assignment_id] = GradebookCell(
            submission_id=row.submission_id,
            state=cell_state(row.state, is_released=row.is_released),
            points=row.points,
            max_points=row.max_points,
            penalty=row.penalty,
            extra_credit=row.extra_credit,
            late_seconds=row.late_seconds,
            attempts=row.attempts,
            needs_review=row.needs_review,
            unsealed_points=row.unsealed_points,
            is_released=row.is_released,
        )
    return cells


def cell_state(state: SubmissionState, *, is_released: bool) -> CellState:
    """Return where an attempt is, as the gradebook says it."""
    if state is SubmissionState.GRADED and is_released:
        return CellState.RELEASED
    return CellState(state.value)


def _exercise_cells(
    session: Session, users: Sequence[str], assignment: Column
) -> dict[UUID, dict[str, GradebookCell]]:
    query = (
        select(
            ExerciseGradeRow.submission_id,
            ExerciseGradeRow.grade_id,
            SCORE,
            ExerciseGradeRow.max_points,
            _EXTRA,
            _WAITS,
            _UNSEALED,
        )
        .join(StandingRow, StandingRow.submission_id == ExerciseGradeRow.submission_id)
        .outerjoin(MarkRow, SAME_EXERCISE)
        .where(StandingRow.assignment_id == assignment.assignment_id)
    )
    parts: dict[UUID, dict[str, GradebookCell]] = {}
    for submission_id, grade_id, score, most, extra, waits, unsealed in session.execute(
        _of(query, StandingRow.user, users)
    ):
        parts.setdefault(submission_id, {})[grade_id] = GradebookCell(
            points=total([score]),
            max_points=most,
            extra_credit=extra,
            needs_review=bool(waits),
            unsealed_points=unsealed,
        )
    return parts


def _part(whole: GradebookCell, part: GradebookCell | None) -> GradebookCell:
    """Return an exercise's cell: its own points, and what is said of the whole attempt."""
    known = part or GradebookCell()
    return GradebookCell(
        submission_id=whole.submission_id,
        state=whole.state,
        points=known.points,
        max_points=known.max_points,
        extra_credit=known.extra_credit,
        late_seconds=whole.late_seconds,
        attempts=whole.attempts,
        needs_review=known.needs_review,
        unsealed_points=known.unsealed_points,
        is_released=whole.is_released,
    )
