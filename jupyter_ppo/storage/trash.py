"""What was deleted, and bringing it back."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from jupyter_ppo.domain.courses import Course
from jupyter_ppo.domain.errors import ConflictError, NotFoundError
from jupyter_ppo.domain.ports import Page
from jupyter_ppo.domain.roster import Trashed, TrashKind
from jupyter_ppo.storage.database import Database, database_now
from jupyter_ppo.storage.standings import KEEPING_KEYS, settle
from jupyter_ppo.storage.tables import AssignmentRow, CourseRow, SubmissionRow
from jupyter_ppo.storage.webhook_events import announce_finished, waiting_batches


class Trash:
    """``services.trash.TrashStore`` on a database; times are the database's clock.

    Nothing is ever erased: a deleted row says when and by whom, and everything below it is kept.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def course(self, name: str) -> tuple[Course, Trashed | None]:
        """Return a course that is there or in the trash; raise ``NotFoundError``."""
        with self._database.session() as session:
            row = session.scalar(select(CourseRow).where(CourseRow.name == name))
            if row is None:
                raise _no_course()
            course = Course(row.id, row.name, row.title, row.created_at)
            return course, None if row.deleted_at is None else _course(row)

    def courses(self, *, offset: int, limit: int) -> Page[Trashed]:
        """Return the deleted courses, newest first."""
        query = select(CourseRow).where(CourseRow.deleted_at.is_not(None))
        with self._database.session() as session:
            total = session.scalar(select(func.count()).select_from(query.subquery()))
            rows = session.scalars(
                query.order_by(CourseRow.deleted_at.desc(), CourseRow.id)
                .offset(offset)
                .limit(limit)
            )
            return Page(tuple(_course(row) for row in rows), total or 0, offset, limit)

    def items(self, course_id: UUID, *, offset: int, limit: int) -> Page[Trashed]:
        """Return a course's deleted assignments and submissions, newest first.

        Submissions of a deleted assignment are not listed one by one: they come back with it.
        """
        with self._database.session() as session:
            rows = session.scalars(
                select(AssignmentRow).where(
                    AssignmentRow.course_id == course_id, AssignmentRow.deleted_at.is_not(None)
                )
            )
            items = [_assignment(row) for row in rows]
            items += [_submission(*found) for found in session.execute(_submissions(course_id))]
        items.sort(key=lambda item: (item.deleted_at, item.id), reverse=True)
        return Page(tuple(items[offset : offset + limit]), len(items), offset, limit)

    def delete_course(self, course_id: UUID, by: str) -> Trashed:
        """Put a course into the trash with all that is in it; raise ``NotFoundError``."""
        with self._database.begin() as session:
            row = session.get(CourseRow, course_id, with_for_update=True)
            if row is None or row.deleted_at is not None:
                raise _no_course()
            row.deleted_at, row.deleted_by = database_now(session), by
            return _course(row)

    def restore_course(self, course_id: UUID) -> Trashed:
        """Bring a course back; raise ``NotFoundError`` or, when it is there, ``ConflictError``."""
        with self._database.begin() as session:
            row = session.get(CourseRow, course_id, with_for_update=True)
            if row is None:
                raise _no_course()
            if row.deleted_at is None:
                msg = f"course: {row.name!r} is not in the trash."
                raise ConflictError(msg, field="course")
            item = _course(row)
            row.deleted_at = row.deleted_by = None
            return item

    def delete_assignment(self, course_id: UUID, name: str, by: str) -> Trashed:
        """Put an assignment into the trash with its submissions; raise ``NotFoundError``."""
        with self._database.begin() as session:
            row = session.scalar(
                select(AssignmentRow)
                .where(
                    AssignmentRow.course_id == course_id,
                    AssignmentRow.name == name,
                    AssignmentRow.deleted_at.is_(None),
                )
                .with_for_update(key_share=True)
            )
            if row is None:
                msg = f"assignment: there is no assignment {name!r} in this course."
                raise NotFoundError(msg, field="assignment")
            row.deleted_at, row.deleted_by = database_now(session), by
            return _assignment(row)

    def delete_submission(self, submission_id: UUID, by: str) -> Trashed:
        """Put one attempt into the trash: it counts no more. Raises ``NotFoundError``."""
        with self._database.begin() as session:
            row = session.get(SubmissionRow, submission_id, with_for_update=KEEPING_KEYS)
            if row is None or row.deleted_at is not None:
                raise _no_submission()
            row.deleted_at, row.deleted_by = database_now(session), by
            session.flush()
            announce_finished(session, waiting_batches(session, [row.id]))
            settle(session, row.assignment_id, [row.user], by=by, reason="an attempt was deleted")
            return _submission(row, _assignment_name(session, row))

    def restore(self, course_id: UUID, item_id: UUID, by: str) -> Trashed:
        """Bring an assignment or a submission of the course back.

        Raises ``NotFoundError`` when nothing of this id is in its trash, ``ConflictError`` for a
        submission whose assignment is there, too.
        """
        with self._database.begin() as session:
            row = session.get(SubmissionRow, item_id, with_for_update=KEEPING_KEYS)
            if row is None:
                assignment = session.get(AssignmentRow, item_id, with_for_update=KEEPING_KEYS)
                if assignment is None or assignment.course_id != course_id:
                    raise _no_item()
                if assignment.deleted_at is None:
                    raise _no_item()
                item = _assignment(assignment)
                assignment.deleted_at = assignment.deleted_by = None
                return item
            if row.deleted_at is None:
                raise _no_item()
            above = session.get_one(AssignmentRow, row.assignment_id)
            if above.course_id != course_id:
                raise _no_item()
            if above.deleted_at is not None:
                msg = f"item: its assignment {above.name!r} is in the trash. Restore that first."
                raise ConflictError(msg, field="item")
            item = _submission(row, above.name)
            row.deleted_at = row.deleted_by = None
            settle(session, above.id, [row.user], by=by, reason="an attempt was restored")
            return item


def _submissions(course_id: UUID) -> Select[SubmissionRow, str]:
    return (
        select(SubmissionRow, AssignmentRow.name)
        .join(AssignmentRow, AssignmentRow.id == SubmissionRow.assignment_id)
        .where(
            AssignmentRow.course_id == course_id,
            AssignmentRow.deleted_at.is_(None),
            SubmissionRow.deleted_at.is_not(None),
        )
    )


def _assignment_name(session: Session, row: SubmissionRow) -> str:
    return session.get_one(AssignmentRow, row.assignment_id).name


def _no_course() -> NotFoundError:
    return NotFoundError("course: there is no such course.", field="course")


def _no_submission() -> NotFoundError:
    return NotFoundError("submission: there is no such submission.", field="submission")


def _no_item() -> NotFoundError:
    return NotFoundError("item: there is no such thing in the trash of this course.", field="item")


def _course(row: CourseRow) -> Trashed:
    return _trashed(TrashKind.COURSE, row, row.name)


def _assignment(row: AssignmentRow) -> Trashed:
    return _trashed(TrashKind.ASSIGNMENT, row, row.name)


def _submission(row: SubmissionRow, assignment: str) -> Trashed:
    return _trashed(TrashKind.SUBMISSION, row, f"{assignment}, attempt {row.attempt} of {row.user}")


def _trashed(kind: TrashKind, row: CourseRow | AssignmentRow | SubmissionRow, name: str) -> Trashed:
    assert row.deleted_at is not None  # noqa: S101 - for the type checker
    return Trashed(kind, row.id, name, row.deleted_at, row.deleted_by or "")
