"""Courses, members and assignments in the database."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, selectinload

from jupyter_ppo.domain.courses import (
    Assignment,
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
    VersionRow,
)

_SECRET_BYTES = 32


class Courses:
    """``domain.ports.CourseStore`` on a database; times are the database's clock."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create_course(self, name: str, title: str) -> Course:
        """Add a course; raise ``ConflictError`` when the name is taken."""
        with self._database.begin() as session:
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
                msg = f"name: there is a course {name!r} already. Choose another name."
                raise ConflictError(msg, field="name") from error
            return _course(row)

    def course(self, name: str) -> Course:
        """Return a course by name; raise ``NotFoundError``."""
        with self._database.session() as session:
            row = session.scalar(select(CourseRow).where(CourseRow.name == name))
            if row is None:
                msg = f"course: there is no course {name!r}."
                raise NotFoundError(msg, field="course")
            return _course(row)

    def secret(self, course_id: UUID) -> bytes:
        """Return the course's secret, 32 random bytes that never change; nobody is shown them.

        Raises ``NotFoundError`` when there is no such course.
        """
        with self._database.begin() as session:
            row = _locked_course(session, course_id)
            row.secret = row.secret or secrets.token_hex(_SECRET_BYTES)
            return bytes.fromhex(row.secret)

    def courses(self, user: str | None, *, offset: int, limit: int) -> Page[Course]:
        """Return courses by name; only those that ``user`` is a member of unless it is None."""
        query = select(CourseRow)
        if user is not None:
            query = query.join(MembershipRow).where(MembershipRow.user == user)
        with self._database.session() as session:
            total = session.scalar(select(func.count()).select_from(query.subquery()))
            rows = session.scalars(query.order_by(CourseRow.name).offset(offset).limit(limit))
            return Page(tuple(_course(row) for row in rows), total or 0, offset, limit)

    def enrol(self, course_id: UUID, user: str, role: Role) -> Membership:
        """Give ``user`` this role, replacing an earlier one; raise ``NotFoundError``."""
        with self._database.begin() as session:
            _locked_course(session, course_id)
            session.merge(MembershipRow(course_id=course_id, user=user, role=role))
            return Membership(course_id, user, role)

    def membership(self, course_id: UUID, user: str) -> Membership | None:
        """Return the person's membership, if any."""
        with self._database.session() as session:
            row = session.get(MembershipRow, (course_id, user))
            return None if row is None else Membership(row.course_id, row.user, row.role)

    def release(
        self,
        course_id: UUID,
        name: str,
        *,
        source_digest: str,
        release_digest: str,
        exercises: Sequence[Exercise],
    ) -> Assignment:
        """Add the next version of the assignment, and the assignment itself if it is new.

        Raises ``NotFoundError`` when there is no such course.
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
                row = AssignmentRow(id=new_id(), course_id=course_id, name=name, created_at=now)
                session.add(row)
                session.flush()
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
            return _assignment(row, version)

    def assignment(self, course_id: UUID, name: str) -> Assignment:
        """Return an assignment with its newest version; raise ``NotFoundError``."""
        with self._database.session() as session:
            found = session.execute(
                _with_newest_version(course_id).where(AssignmentRow.name == name)
            ).first()
            if found is None:
                msg = f"assignment: there is no assignment {name!r} in this course."
                raise NotFoundError(msg, field="assignment")
            return _assignment(found[0], found[1])

    def assignments(self, course_id: UUID, *, offset: int, limit: int) -> Page[Assignment]:
        """Return a course's assignments by name, each with its newest version."""
        with self._database.session() as session:
            total = session.scalar(
                select(func.count())
                .select_from(AssignmentRow)
                .where(AssignmentRow.course_id == course_id)
            )
            found = session.execute(
                _with_newest_version(course_id)
                .order_by(AssignmentRow.name)
                .offset(offset)
                .limit(limit)
            )
            items = tuple(_assignment(row, version) for row, version in found)
            return Page(items, total or 0, offset, limit)

    def version(self, version_id: UUID) -> AssignmentVersion:
        """Return one version; raise ``NotFoundError``."""
        with self._database.session() as session:
            row = session.get(VersionRow, version_id, options=[selectinload(VersionRow.exercises)])
            if row is None:
                msg = "version: there is no such version of an assignment."
                raise NotFoundError(msg, field="version")
            return _version(row)


def _locked_course(session: Session, course_id: UUID) -> CourseRow:
    row = session.get(CourseRow, course_id, with_for_update=True)
    if row is None:
        msg = "course: there is no such course."
        raise NotFoundError(msg, field="course")
    return row


def _with_newest_version(course_id: UUID) -> Select[AssignmentRow, VersionRow]:
    newest = (
        select(func.max(VersionRow.number))
        .where(VersionRow.assignment_id == AssignmentRow.id)
        .correlate(AssignmentRow)
        .scalar_subquery()
    )
    return (
        select(AssignmentRow, VersionRow)
        .join(VersionRow, VersionRow.assignment_id == AssignmentRow.id)
        .where(AssignmentRow.course_id == course_id, VersionRow.number == newest)
        .options(selectinload(VersionRow.exercises))
    )


def _course(row: CourseRow) -> Course:
    return Course(row.id, row.name, row.title, row.created_at)


def _version(row: VersionRow) -> AssignmentVersion:
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
    )


def _assignment(row: AssignmentRow, version: VersionRow) -> Assignment:
    return Assignment(row.id, row.course_id, row.name, row.created_at, _version(version))
