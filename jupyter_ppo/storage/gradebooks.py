"""The gradebook of a class, a page at a time.

The rows of a class are few (thousands): their names are searched and sorted here, so that case and
accents mean the same on every database. The cells are many: they are summed by the database, and
read for one page only.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from jupyter_ppo.domain.courses import Role
from jupyter_ppo.domain.errors import InvalidInputError, NotFoundError
from jupyter_ppo.domain.gradebook import (
    ClassRecord,
    Gradebook,
    GradebookColumn,
    GradebookQuery,
    ImportReport,
    Order,
    RowFilter,
    SortKey,
)
from jupyter_ppo.domain.grading import total
from jupyter_ppo.domain.ports import Page
from jupyter_ppo.domain.submissions import SubmissionState
from jupyter_ppo.storage.class_import import write_record
from jupyter_ppo.storage.class_records import read_record
from jupyter_ppo.storage.database import Database, database_now
from jupyter_ppo.storage.gradebook_rows import (
    SAME_EXERCISE,
    SCORE,
    Column,
    Student,
    folded,
    student_rows,
)
from jupyter_ppo.storage.tables import (
    AssignmentRow,
    ExerciseGradeRow,
    ExerciseRow,
    GroupMemberRow,
    GroupRow,
    MarkRow,
    MembershipRow,
    StandingRow,
    TermsRow,
    VersionRow,
)


class Gradebooks:
    """Gradebooks on a database; the database's clock says what students see already."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def gradebook(
        self, course_id: UUID, query: GradebookQuery, *, offset: int, limit: int | None
    ) -> Gradebook:
        """Return the students' rows from ``offset`` on, at most ``limit`` of them (None: all).

        Raises ``NotFoundError`` for an unknown assignment or group, ``InvalidInputError`` (field
        ``sort``) for an unknown column.
        """
        with self._database.session() as session:
            assignments = _assignments(session, course_id)
            columns = assignments
            if query.assignment is not None:
                assignments = [_named(assignments, query.assignment)]
                columns = _exercises(session, assignments[0])
            found = _filtered(session, course_id, assignments, query)
            ordered = _ordered(session, found, assignments, columns, query)
            end = None if limit is None else offset + limit
            students = ordered[offset:end]
            rows = student_rows(session, course_id, students, assignments, columns)
            page = Page(tuple(rows), len(ordered), offset, len(ordered) if limit is None else limit)
            return Gradebook(tuple(each.column for each in columns), page)

    def record(self, course_id: UUID) -> ClassRecord:
        """Return the class with what counts of everyone, for another program."""
        with self._database.session() as session:
            return read_record(session, course_id)

    def add_record(
        self, course_id: UUID, record: ClassRecord, *, by: str, digest: str, feedback_digest: str
    ) -> ImportReport:
        """Add what another program knew of a class, all in one transaction.

        What exists is not overwritten. ``digest`` and ``feedback_digest`` name the blobs that stand
        in the place of every submitted notebook and feedback page.
        """
        with self._database.begin() as session:
            return write_record(
                session, course_id, record, by=by, digest=digest, feedback_digest=feedback_digest
            )


# -- columns -------------------------------------------------------------------------------------


def _assignments(session: Session, course_id: UUID) -> list[Column]:
    newest = (
        select(VersionRow.assignment_id, func.max(VersionRow.number).label("number"))
        .group_by(VersionRow.assignment_id)
        .subquery()
    )
    points = (
        select(func.coalesce(func.sum(ExerciseRow.points), 0.0))
        .where(ExerciseRow.version_id == VersionRow.id)
        .correlate(VersionRow)
        .scalar_subquery()
    )
    found = session.execute(
        select(
            AssignmentRow.id,
            AssignmentRow.name,
            AssignmentRow.kind,
            TermsRow.opens_at,
            TermsRow.due_at,
            VersionRow.id,
            points,
        )
        .join(newest, newest.c.assignment_id == AssignmentRow.id)
        .join(
            VersionRow,
            and_(
                VersionRow.assignment_id == AssignmentRow.id, VersionRow.number == newest.c.number
            ),
        )
        .outerjoin(TermsRow, TermsRow.assignment_id == AssignmentRow.id)
        .where(AssignmentRow.course_id == course_id, AssignmentRow.deleted_at.is_(None))
        .order_by(AssignmentRow.name)
    )
    now = database_now(session)
    return [
        Column(
            assignment_id,
            GradebookColumn(name, kind, total([most]), due_at),
            version_id,
            is_open=opens_at is None or opens_at <= now,
        )
        for assignment_id, name, kind, opens_at, due_at, version_id, most in found
    ]


def _named(assignments: Sequence[Column], name: str) -> Column:
    for each in assignments:
        if each.column.name == name:
            return each
    msg = f"assignment: there is no assignment {name[:120]!r} in this course."
    raise NotFoundError(msg, field="assignment")


def _exercises(session: Session, assignment: Column) -> list[Column]:
    found = session.execute(
        select(ExerciseRow.grade_id, ExerciseRow.kind, ExerciseRow.points)
        .where(ExerciseRow.version_id == assignment.version_id)
        .order_by(ExerciseRow.position)
    )
    return [
        Column(
            assignment.assignment_id,
            GradebookColumn(grade_id, kind, points),
            assignment.version_id,
            assignment.is_open,
            grade_id,
        )
        for grade_id, kind, points in found
    ]


# -- which rows ----------------------------------------------------------------------------------


def _filtered(
    session: Session, course_id: UUID, assignments: Sequence[Column], query: GradebookQuery
) -> list[Student]:
    found = [
        Student(user, first_name, last_name)
        for user, first_name, last_name in session.execute(
            select(MembershipRow.user, MembershipRow.first_name, MembershipRow.last_name).where(
                MembershipRow.course_id == course_id,
                MembershipRow.role == Role.STUDENT,
                MembershipRow.removed_at.is_(None),
            )
        )
    ]
    words = folded(query.search).split()
    if words:
        found = [each for each in found if _holds(each, words)]
    if query.group is not None:
        members = _members(session, course_id, query.group)
        found = [each for each in found if each.user in members]
    if query.state is not None:
        ids = [each.assignment_id for each in assignments]
        if query.state is RowFilter.NOT_SUBMITTED:
            counts = dict(
                session.execute(
                    select(StandingRow.user, func.count())
                    .where(StandingRow.assignment_id.in_(ids))
                    .group_by(StandingRow.user)
                ).all()
            )
            found = [each for each in found if counts.get(each.user, 0) < len(ids)]
        else:
            with_it = set(
                session.scalars(
                    select(StandingRow.user)
                    .where(StandingRow.assignment_id.in_(ids), _is(query.state))
                    .distinct()
                )
            )
            found = [each for each in found if each.user in with_it]
    return found


def _holds(student: Student, words: Iterable[str]) -> bool:
    text = folded(" ".join(student))
    return all(word in text for word in words)


def _members(session: Session, course_id: UUID, group: str) -> set[str]:
    group_id = session.scalar(
        select(GroupRow.id).where(GroupRow.course_id == course_id, GroupRow.name == group)
    )
    if group_id is None:
        msg = f"group: there is no group {group[:120]!r} in this course."
        raise NotFoundError(msg, field="group")
    return set(
        session.scalars(select(GroupMemberRow.user).where(GroupMemberRow.group_id == group_id))
    )


def _is(state: RowFilter) -> Any:
    if state is RowFilter.LATE:
        return StandingRow.late_seconds > 0
    if state is RowFilter.NEEDS_REVIEW:
        return StandingRow.needs_review.is_(True)
    if state in {RowFilter.GRADED, RowFilter.RELEASED}:
        released = StandingRow.is_released.is_(state is RowFilter.RELEASED)
        return and_(StandingRow.state == SubmissionState.GRADED, released)
    return StandingRow.state == SubmissionState(state.value)


# -- in which order ------------------------------------------------------------------------------


def _ordered(
    session: Session,
    found: list[Student],
    assignments: Sequence[Column],
    columns: Sequence[Column],
    query: GradebookQuery,
) -> list[Student]:
    down = query.order is Order.DESCENDING
    found.sort(key=lambda each: (folded(each.user), each.user))
    if query.sort == SortKey.USER:
        return found[::-1] if down else found
    if query.sort == SortKey.NAME:
        by_name = {each: (folded(each.last_name), folded(each.first_name)) for each in found}
        return sorted(found, key=by_name.__getitem__, reverse=down)
    values = _values(session, assignments, columns, query.sort)
    having = [each for each in found if each.user in values]
    # Sorting is stable in both directions: equal ones stay by username.
    having.sort(key=lambda each: values[each.user], reverse=down)
    return having + [each for each in found if each.user not in values]


def _values(
    session: Session, assignments: Sequence[Column], columns: Sequence[Column], sort: str
) -> dict[str, float]:
    """Return what rows are sorted by, of everyone who has it."""
    if sort == SortKey.LATE:
        value: Any = func.sum(StandingRow.late_seconds)
        wanted: Sequence[Column] = assignments
    elif sort == SortKey.TOTAL:
        value = func.sum(StandingRow.points)
        wanted = [each for each in assignments if each.is_open]
    else:
        wanted = [each for each in columns if each.column.name == sort]
        if not wanted:
            words = ", ".join(SortKey)
            msg = f"sort: there is no column {sort[:120]!r}. Use one of {words}, or a column."
            raise InvalidInputError(msg, field="sort")
        if wanted[0].grade_id is not None:
            return _scores(session, wanted[0])
        value = func.sum(StandingRow.points)
    found = session.execute(
        select(StandingRow.user, value)
        .where(StandingRow.assignment_id.in_([each.assignment_id for each in wanted]))
        .group_by(StandingRow.user)
    )
    return {user: total([number]) for user, number in found if number is not None}


def _scores(session: Session, column: Column) -> dict[str, float]:
    found = session.execute(
        select(StandingRow.user, SCORE)
        .join(ExerciseGradeRow, ExerciseGradeRow.submission_id == StandingRow.submission_id)
        .outerjoin(MarkRow, SAME_EXERCISE)
        .where(
            StandingRow.assignment_id == column.assignment_id,
            ExerciseGradeRow.grade_id == column.grade_id,
        )
    )
    return {user: total([number]) for user, number in found}
