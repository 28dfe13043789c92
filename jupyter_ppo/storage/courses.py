"""Courses, members and assignments in the database."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, func, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, selectinload

from jupyter_ppo.domain.courses import (
    COURSE_LIST,
    Assignment,
    AssignmentKind,
    AssignmentVersion,
    Course,
    Exercise,
    Membership,
    Role,
)
from jupyter_ppo.domain.errors import ConflictError, NotFoundError
from jupyter_ppo.domain.ids import new_id
from jupyter_ppo.domain.ports import Page
from jupyter_ppo.storage.database import Database, database_now
from jupyter_ppo.storage.tables import (
    AssignmentRow,
    CourseRow,
    ExerciseRow,
    MembershipRow,
    TermsRow,
    VersionRow,
)
from jupyter_ppo.storage.term_rows import read_terms

_SECRET_BYTES = 32


class Courses:
    """``domain.ports.CourseStore`` on a database; times are the database's clock.

    What is in the trash and who was removed from a course is not there for any of these.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def create_course(self, name: str, title: str) -> Course:
        """Add a course; raise ``ConflictError`` when the name is taken."""
        with self._database.begin() as session:
            taken = session.scalar(select(CourseRow).where(CourseRow.name == name))
            if taken is not None:
                raise _name_taken(name, is_deleted=taken.deleted_at is not None)
            row = CourseRow(
                id=new_id(),
                name=name,
                title=title,
                created_at=database_now(session),
                secret=secrets.token_hex(_SECRET_BYTES),
            )
            session.add(row)
            try:
                session.flush()
            except IntegrityError as error:
                raise _name_taken(name, is_deleted=False) from error
            return _course(row)

    def course(self, name: str) -> Course:
        """Return a course by name; raise ``NotFoundError``."""
        with self._database.session() as session:
            row = session.scalar(
                select(CourseRow).where(CourseRow.name == name, CourseRow.deleted_at.is_(None))
            )
            if row is None:
                msg = f"course: there is no course {name!r}. {COURSE_LIST}"
                raise NotFoundError(msg, field="course")
            return _course(row)

    def rename(self, course_id: UUID, title: str) -> Course:
        """Give the course another title; raise ``NotFoundError``."""
        with self._database.begin() as session:
            row = _locked_course(session, course_id)
            row.title = title
            return _course(row)

    def secret(self, course_id: UUID) -> bytes:
        """Return the course's secret, 32 random bytes that never change; nobody is shown them.

        Raises ``NotFoundError`` when there is no such course.
        """
        with self._database.begin() as session:
            row = _locked_course(session, course_id)
            row.secret = row.secret or secrets.token_hex(_SECRET_BYTES)
            return bytes.fromhex(row.secret)

    def first_version(self, assignment_id: UUID) -> UUID:
        """Return the id of an assignment's version 1; raise ``NotFoundError``."""
        with self._database.session() as session:
            found = session.scalar(
                select(VersionRow.id).where(
                    VersionRow.assignment_id == assignment_id, VersionRow.number == 1
                )
            )
            if found is None:
                msg = "assignment: there is no such assignment."
                raise NotFoundError(msg, field="assignment")
            return found

    def courses(self, user: str | None, *, offset: int, limit: int) -> Page[Course]:
        """Return courses by name; only those that ``user`` is a member of unless it is None."""
        query = select(CourseRow).where(CourseRow.deleted_at.is_(None))
        if user is not None:
            query = query.join(MembershipRow).where(
                MembershipRow.user == user, MembershipRow.removed_at.is_(None)
            )
        with self._database.session() as session:
            total = session.scalar(select(func.count()).select_from(query.subquery()))
            rows = session.scalars(query.order_by(CourseRow.name).offset(offset).limit(limit))
            return Page(tuple(_course(row) for row in rows), total or 0, offset, limit)

    def enrol(self, course_id: UUID, user: str, role: Role) -> Membership:
        """Give ``user`` this role, replacing an earlier one; raise ``NotFoundError``.

        What is known of the person is kept, and who was removed is back with their groups.
        """
        with self._database.begin() as session:
            _locked_course(session, course_id)
            row = session.get(MembershipRow, (course_id, user))
            if row is None:
                row = MembershipRow(course_id=course_id, user=user)
                row.enrolled_at = database_now(session)
                session.add(row)
            row.role, row.removed_at = role, None
            return Membership(course_id, user, role)

    def membership(self, course_id: UUID, user: str) -> Membership | None:
        """Return the person's membership; None also for who was removed."""
        with self._database.session() as session:
            row = session.get(MembershipRow, (course_id, user))
            if row is None or row.removed_at is not None:
                return None
            return Membership(row.course_id, row.user, row.role)

    def was_removed(self, course_id: UUID, user: str) -> bool:
        """Whether somebody took the person out of the course."""
        with self._database.session() as session:
            row = session.get(MembershipRow, (course_id, user))
            return row is not None and row.removed_at is not None

    def release(
        self,
        course_id: UUID,
        name: str,
        *,
        source_digest: str,
        release_digest: str,
        exercises: Sequence[Exercise],
        kind: AssignmentKind = AssignmentKind.NOTEBOOK,
        note: str = "",
        released_by: str = "",
    ) -> Assignment:
        """Add the next version of the assignment, and the assignment itself if it is new.

        Raises ``NotFoundError`` when there is no such course, ``ConflictError`` when the name is
        that of an assignment of another kind or of one in the trash.
        """
        with self._database.begin() as session:
            _locked_course(session, course_id)  # one release at a time: numbers have no gaps
            now = database_now(session)
            row = session.scalar(
                select(AssignmentRow).where(
                    AssignmentRow.course_id == course_id, AssignmentRow.name == name
                )
            )
            if row is None:
                row = AssignmentRow(
                    id=new_id(), course_id=course_id, name=name, created_at=now, kind=kind
                )
                session.add(row)
                session.flush()
            _check_name(row, kind)
            newest = session.scalar(
                select(func.max(VersionRow.number)).where(VersionRow.assignment_id == row.id)
            )
            version = VersionRow(
                id=new_id(),
                assignment_id=row.id,
                number=(newest or 0) + 1,
                source_digest=source_digest,
                release_digest=release_digest,
                created_at=now,
                note=note,
                released_by=released_by,
                exercises=[
                    ExerciseRow(
                        grade_id=exercise.grade_id,
                        kind=exercise.kind,
                        points=float(exercise.points),
                        position=exercise.position,
                    )
                    for exercise in sorted(exercises, key=lambda exercise: exercise.position)
                ],
            )
            session.add(version)
            session.flush()
            return _assignment(row, version, session.get(TermsRow, row.id))

    def assignment(self, course_id: UUID, name: str) -> Assignment:
        """Return an assignment with its newest version; raise ``NotFoundError``."""
        with self._database.session() as session:
            found = session.execute(
                _with_newest_version(course_id).where(AssignmentRow.name == name)
            ).first()
            if found is None:
                msg = f"assignment: there is no assignment {name!r} in this course."
                raise NotFoundError(msg, field="assignment")
            return _assignment(*found)

    def assignments(
        self, course_id: UUID, *, opened_by: datetime | None = None, offset: int, limit: int
    ) -> Page[Assignment]:
        """Return a course's assignments by name, each with its newest version.

        With ``opened_by`` only those that are open to students at that time.
        """
        query = _with_newest_version(course_id)
        if opened_by is not None:
            query = query.where(or_(TermsRow.opens_at.is_(None), TermsRow.opens_at <= opened_by))
        with self._database.session() as session:
            total = session.scalar(
                select(func.count()).select_from(
                    query.with_only_columns(AssignmentRow.id).subquery()
                )
            )
            found = session.execute(query.order_by(AssignmentRow.name).offset(offset).limit(limit))
            items = tuple(_assignment(*each) for each in found)
            return Page(items, total or 0, offset, limit)

    def version(self, version_id: UUID) -> AssignmentVersion:
        """Return one version; raise ``NotFoundError``."""
        with self._database.session() as session:
            row = session.get(VersionRow, version_id, options=[selectinload(VersionRow.exercises)])
            if row is None:
                msg = "version: there is no such version of an assignment."
                raise NotFoundError(msg, field="version")
            return read_version(row)


def _locked_course(session: Session, course_id: UUID) -> CourseRow:
    row = session.get(CourseRow, course_id, with_for_update=True)
    if row is None or row.deleted_at is not None:
        msg = "course: there is no such course."
        raise NotFoundError(msg, field="course")
    return row


def _name_taken(name: str, *, is_deleted: bool) -> ConflictError:
    msg = f"name: there is a course {name!r} already. Choose another name."
    if is_deleted:
        msg = f"name: a course {name!r} is in the trash. Restore it or choose another name."
    return ConflictError(msg, field="name")


def _check_name(row: AssignmentRow, kind: AssignmentKind) -> None:
    if row.deleted_at is not None:
        msg = (
            f"assignment: an assignment {row.name!r} is in the trash. "
            "Restore it or use another name."
        )
        raise ConflictError(msg, field="assignment")
    if row.kind is not kind:
        msg = (
            f"assignment: {row.name!r} is an assignment of the kind {row.kind}, and stays one. "
            "Use another name."
        )
        raise ConflictError(msg, field="assignment")


def _with_newest_version(
    course_id: UUID,
) -> Select[AssignmentRow, VersionRow, TermsRow | None]:
    newest = (
        select(func.max(VersionRow.number))
        .where(VersionRow.assignment_id == AssignmentRow.id)
        .correlate(AssignmentRow)
        .scalar_subquery()
    )
    return (
        select(AssignmentRow, VersionRow, TermsRow)
        .join(VersionRow, VersionRow.assignment_id == AssignmentRow.id)
        .outerjoin(TermsRow, TermsRow.assignment_id == AssignmentRow.id)
        .where(
            AssignmentRow.course_id == course_id,
            AssignmentRow.deleted_at.is_(None),
            VersionRow.number == newest,
        )
        .options(selectinload(VersionRow.exercises))
    )


def _course(row: CourseRow) -> Course:
    return Course(row.id, row.name, row.title, row.created_at)


def read_version(row: VersionRow) -> AssignmentVersion:
    """Return the domain's object; ``row.exercises`` are loaded."""
    return AssignmentVersion(
        id=row.id,
        assignment_id=row.assignment_id,
        number=row.number,
        source_digest=row.source_digest,
        release_digest=row.release_digest,
        exercises=tuple(
            Exercise(item.grade_id, item.kind, item.points, item.position) for item in row.exercises
        ),
        created_at=row.created_at,
        note=row.note,
        released_by=row.released_by,
    )


def _assignment(row: AssignmentRow, version: VersionRow, terms: TermsRow | None) -> Assignment:
    return Assignment(
        id=row.id,
        course_id=row.course_id,
        name=row.name,
        created_at=row.created_at,
        version=read_version(version),
        kind=row.kind,
        terms=read_terms(terms),
    )
