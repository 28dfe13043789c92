"""Whether everything that is kept is whole: references, what counts, progress, and every blob."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session, selectinload

from jupyter_ppo.domain.errors import DamagedFileError, NotFoundError
from jupyter_ppo.domain.grading import total
from jupyter_ppo.domain.ports import Progress
from jupyter_ppo.storage.blobs import FileBlobs
from jupyter_ppo.storage.database import Database
from jupyter_ppo.storage.progress_recompute import stale_people
from jupyter_ppo.storage.references import referenced_blobs
from jupyter_ppo.storage.standings import lock_attempts, settle
from jupyter_ppo.storage.tables import (
    AssignmentRow,
    CourseRow,
    GradeRow,
    MarkRow,
    ProgressEventRow,
    StandingRow,
    SubmissionRow,
)

#: Points closer than this are the same.
_SAME = 1e-6
_ROWS_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Findings:
    """``problems`` is what is wrong, a sentence each.

    ``orphans`` are blobs that nothing refers to: left by what was sent and then refused. They do
    no harm.
    """

    problems: tuple[str, ...]
    blobs: int
    orphans: int
    submissions: int


class _UndoError(Exception):
    """Ends a transaction so that nothing of it stays."""


def verify(
    database: Database, blobs: FileBlobs, *, progress: Progress = lambda done, total: None
) -> Findings:
    """Read everything that is kept and return what is wrong; nothing is changed.

    While what counts is computed anew nobody else can write.
    """
    with database.session() as session:
        if database.engine.dialect.name == "postgresql":
            session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        problems = _references(session) + _totals(session)
        stale = _stale(session)
        referenced = sorted(referenced_blobs(session, blobs))
        submissions = len(session.scalars(select(SubmissionRow.id)).all())
    problems += [
        f"progress of {user} in course {course_id}: what is stored is not what the log says. Have "
        "the progress of this course recomputed."
        for course_id, user in stale
    ]
    problems += _standings(database, set(stale))
    for done, digest in enumerate(referenced, start=1):
        try:
            blobs.get(digest)
        except NotFoundError:
            problems.append(f"blob {digest}: it is missing. Restore it from a backup.")
        except DamagedFileError as error:
            problems.append(f"blob {digest}: {error.message}")
        progress(done, len(referenced))
    orphans = len(set(blobs.digests()) - set(referenced))
    return Findings(tuple(problems), len(referenced), orphans, submissions)


def _references(session: Session) -> list[str]:
    """Return what SQLite finds; PostgreSQL never lets a row refer to nothing."""
    connection = session.connection()
    if connection.dialect.name != "sqlite":
        return []
    found = [
        f"database: {row[0]}"
        for row in connection.exec_driver_sql("PRAGMA integrity_check")
        if row[0] != "ok"
    ]
    for table, row_id, other, _ in connection.exec_driver_sql("PRAGMA foreign_key_check"):
        found.append(f"table {table}: row {row_id} refers to a row of {other} that is not there")
    return found


def _totals(session: Session) -> list[str]:
    """Return the grades whose points are not those of their exercises and marks."""
    marks: dict[UUID, dict[str, MarkRow]] = {}
    for mark in session.scalars(select(MarkRow)):
        marks.setdefault(mark.submission_id, {})[mark.grade_id] = mark
    found: list[str] = []
    grades = session.scalars(
        select(GradeRow)
        .options(selectinload(GradeRow.exercises))
        .execution_options(yield_per=_ROWS_AT_ONCE)
    )
    for grade in grades:
        own = marks.get(grade.submission_id, {})
        points = []
        for item in grade.exercises:
            said = own.get(item.grade_id)
            given = item.points if said is None or said.points is None else said.points
            points.append(given + (0.0 if said is None else said.extra_credit))
        if grade.exercises and abs(total(points) - grade.points) > _SAME:
            found.append(
                f"grade of submission {grade.submission_id}: it says {grade.points:g} points, its "
                f"exercises and marks give {total(points):g}"
            )
    return found


def _stale(session: Session) -> list[tuple[UUID, str]]:
    """Return whose state of progress is not what their log folds into, and in which course."""
    return [
        (course_id, user)
        for course_id in session.scalars(select(CourseRow.id).order_by(CourseRow.id)).all()
        for user in stale_people(session, course_id)
    ]


def _standings(database: Database, stale: Collection[tuple[UUID, str]]) -> list[str]:
    """Settle everything anew, compare, and undo it; ``stale`` people's evidence says nothing."""
    found: list[str] = []
    try:
        with database.begin() as session:
            before = _all_standings(session)
            last = session.scalar(select(func.max(ProgressEventRow.position))) or 0
            every = session.scalars(select(AssignmentRow.id).order_by(AssignmentRow.id)).all()
            for assignment_id in every:
                lock_attempts(session, assignment_id)
            for assignment_id in every:
                settle(session, assignment_id)
            session.flush()
            session.expire_all()
            after = _all_standings(session)
            for key in sorted(before.keys() | after.keys(), key=str):
                if before.get(key) != after.get(key):
                    found.append(
                        f"standing of {key[1]} in assignment {key[0]}: what is stored is not what "
                        "counts. It is put right by the next change of the assignment's terms."
                    )
            lacking = select(ProgressEventRow.course_id, ProgressEventRow.user)
            for course_id, user in session.execute(
                lacking.where(ProgressEventRow.position > last).distinct()
            ):
                if (course_id, user) not in stale:
                    found.append(
                        f"progress of {user} in course {course_id}: the log lacks evidence. Have "
                        "the progress of this course recomputed."
                    )
            raise _UndoError
    except _UndoError:
        return found


def _all_standings(session: Session) -> dict[tuple[UUID, str], tuple[Any, ...]]:
    table = StandingRow.__table__
    return {
        (row.assignment_id, row.user): tuple(
            total([value]) if isinstance(value, float) else value for value in row
        )
        for row in session.execute(select(table))
    }
