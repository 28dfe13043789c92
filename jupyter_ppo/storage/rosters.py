"""Members and groups of courses in the database."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, Select, delete, func, or_, select, update
from sqlalchemy.orm import Session

from jupyter_ppo.domain.courses import Role
from jupyter_ppo.domain.errors import ConflictError, InvalidInputError, NotFoundError
from jupyter_ppo.domain.ids import new_id
from jupyter_ppo.domain.ports import Page
from jupyter_ppo.domain.roster import Group, Member, Person, PersonChange, RosterImport, RosterRow
from jupyter_ppo.storage.database import Database, database_now
from jupyter_ppo.storage.roster_import import import_roster
from jupyter_ppo.storage.standings import lock_attempts, settle
from jupyter_ppo.storage.tables import (
    AssignmentRow,
    CourseRow,
    ExtensionRow,
    GroupMemberRow,
    GroupRow,
    MembershipRow,
)
from jupyter_ppo.storage.term_rows import assignments_with_group_extensions


class Rosters:
    """``services.roster.RosterStore`` on a database; times are the database's clock.

    Who is removed from a course stays in their groups and is shown in none of them: enrolled again
    they are back. Whatever changes who is in a group settles what counts for them.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def members(
        self,
        course_id: UUID,
        *,
        search: str = "",
        role: Role | None = None,
        group: str | None = None,
        is_removed: bool = False,
        offset: int,
        limit: int,
    ) -> Page[Member]:
        """Return a course's people by username; ``search`` looks into names and addresses too."""
        query = select(MembershipRow).where(
            MembershipRow.course_id == course_id, _removed(is_removed=is_removed)
        )
        if search.strip():
            query = query.where(_holds(search.strip()))
        if role is not None:
            query = query.where(MembershipRow.role == role)
        if group is not None:
            query = query.where(
                MembershipRow.user.in_(
                    select(GroupMemberRow.user)
                    .join(GroupRow, GroupRow.id == GroupMemberRow.group_id)
                    .where(GroupRow.course_id == course_id, GroupRow.name == group)
                )
            )
        with self._database.session() as session:
            total = session.scalar(select(func.count()).select_from(query.subquery()))
            rows = session.scalars(
                query.order_by(MembershipRow.user).offset(offset).limit(limit)
            ).all()
            groups = _groups_of(session, course_id, [row.user for row in rows])
            items = tuple(_member(row, groups[row.user]) for row in rows)
            return Page(items, total or 0, offset, limit)

    def member(self, course_id: UUID, user: str) -> Member:
        """Return a person who is in the course, or was; raise ``NotFoundError``."""
        with self._database.session() as session:
            row = session.get(MembershipRow, (course_id, user))
            if row is None:
                raise _no_member(user)
            return _member(row, _groups_of(session, course_id, [user])[user])

    def put_member(
        self,
        course_id: UUID,
        user: str,
        role: Role,
        change: PersonChange,
        groups: Sequence[str] | None,
        *,
        by: str,
    ) -> Member:
        """Enrol a person or change what is written of them.

        ``groups`` are all that they are in then, and are made if they are new; None leaves them.
        Raises ``NotFoundError`` when there is no such course, ``ConflictError`` when it would be
        left without an instructor.
        """
        with self._database.begin() as session:
            _lock(session, course_id)
            row = session.get(MembershipRow, (course_id, user))
            if row is None:
                row = MembershipRow(course_id=course_id, user=user, first_name="", last_name="")
                row.email = row.lms_user_id = ""
                row.enrolled_at = database_now(session)
                session.add(row)
            elif row.removed_at is None and row.role is Role.INSTRUCTOR is not role:
                _check_not_last(session, course_id, user)
            person = change.of(_person(row))
            row.role, row.removed_at = role, None
            row.first_name, row.last_name = person.first_name, person.last_name
            row.email, row.lms_user_id = person.email, person.lms_user_id
            session.flush()
            if groups is not None:
                _put_into(session, course_id, user, groups, by=by)
            return _member(row, _groups_of(session, course_id, [user])[user])

    def remove_member(self, course_id: UUID, user: str) -> Member:
        """Take a person out of the course; all that is theirs is kept.

        Raises ``NotFoundError`` when they are not in it, ``ConflictError`` when they are its last
        instructor.
        """
        with self._database.begin() as session:
            _lock(session, course_id)
            row = session.get(MembershipRow, (course_id, user))
            if row is None or row.removed_at is not None:
                raise _no_member(user)
            if row.role is Role.INSTRUCTOR:
                _check_not_last(session, course_id, user)
            row.removed_at = database_now(session)
            return _member(row, _groups_of(session, course_id, [user])[user])

    def import_rows(
        self, course_id: UUID, rows: Sequence[RosterRow], *, by: str, is_dry: bool
    ) -> RosterImport:
        """Enrol and change many people at once, or say what that would do; all or nothing."""
        with self._database.begin() as session:
            _lock(session, course_id)
            return import_roster(session, course_id, rows, by=by, is_dry=is_dry)

    def groups(self, course_id: UUID, *, offset: int, limit: int) -> Page[Group]:
        """Return a course's groups by name, each with those of its people who are there."""
        query = select(GroupRow).where(GroupRow.course_id == course_id)
        with self._database.session() as session:
            total = session.scalar(select(func.count()).select_from(query.subquery()))
            rows = session.scalars(query.order_by(GroupRow.name).offset(offset).limit(limit)).all()
            users: dict[UUID, list[str]] = defaultdict(list)
            for group_id, user in session.execute(
                _present(course_id).where(GroupMemberRow.group_id.in_([row.id for row in rows]))
            ):
                users[group_id].append(user)
            items = tuple(Group(row.id, row.name, tuple(users[row.id])) for row in rows)
            return Page(items, total or 0, offset, limit)

    def put_group(self, course_id: UUID, name: str, users: Collection[str], *, by: str) -> Group:
        """Let exactly these people be in a group, which is made if it is new.

        Raises ``InvalidInputError`` when one of them is not in the course.
        """
        wanted = set(users)
        with self._database.begin() as session:
            _lock(session, course_id)
            row = session.scalar(_named(course_id, name))
            if row is None:
                row = GroupRow(
                    id=new_id(), course_id=course_id, name=name, created_at=database_now(session)
                )
                session.add(row)
                session.flush()
            there = set(
                session.scalars(
                    select(MembershipRow.user).where(
                        MembershipRow.course_id == course_id, MembershipRow.removed_at.is_(None)
                    )
                )
            )
            absent = min(wanted - there, default=None)
            if absent is not None:
                msg = f"users: {absent[:120]!r} is not in this course. Enrol them first."
                raise InvalidInputError(msg, field="users")
            now = set(
                session.scalars(
                    select(GroupMemberRow.user).where(GroupMemberRow.group_id == row.id)
                )
            )
            gone, new = (now & there) - wanted, wanted - now
            if gone:
                session.execute(
                    delete(GroupMemberRow).where(
                        GroupMemberRow.group_id == row.id, GroupMemberRow.user.in_(gone)
                    )
                )
            session.add_all(GroupMemberRow(group_id=row.id, user=user) for user in sorted(new))
            _settle_groups(session, {row.id}, gone | new, by=by)
            return Group(row.id, name, tuple(sorted(wanted)))

    def delete_group(self, course_id: UUID, name: str, *, by: str) -> Group:
        """Delete a group; its people stay in the course, and its extensions are kept as revoked.

        Raises ``NotFoundError``, and ``ConflictError`` while it has an extension in force: without
        it they would be late. One of an assignment in the trash is revoked with the group.
        """
        with self._database.begin() as session:
            _lock(session, course_id)
            row = session.scalar(_named(course_id, name))
            if row is None:
                msg = f"group: there is no group {name!r} in this course."
                raise NotFoundError(msg, field="group")
            extended = assignments_with_group_extensions(session, [row.id])
            in_trash = session.scalars(
                select(AssignmentRow.id).where(
                    AssignmentRow.id.in_(extended), AssignmentRow.deleted_at.is_not(None)
                )
            ).all()
            if len(in_trash) < len(extended):
                msg = f"group: {name!r} has an extension. Revoke it first, then delete the group."
                raise ConflictError(msg, field="group")
            session.execute(
                update(ExtensionRow)
                .where(ExtensionRow.group_id == row.id, ExtensionRow.revoked_at.is_(None))
                .values(revoked_at=database_now(session))
            )
            users = session.scalars(
                select(_present(course_id).where(GroupMemberRow.group_id == row.id).subquery().c[1])
            ).all()
            session.execute(delete(GroupMemberRow).where(GroupMemberRow.group_id == row.id))
            session.delete(row)
            for assignment_id in in_trash:
                lock_attempts(session, assignment_id)
            for assignment_id in in_trash:
                settle(session, assignment_id, by=by, reason="a group was deleted")
            return Group(row.id, name, tuple(sorted(users)))


def _lock(session: Session, course_id: UUID) -> None:
    """Let one change of who is in a course happen at a time."""
    row = session.get(CourseRow, course_id, with_for_update=True)
    if row is None or row.deleted_at is not None:
        msg = "course: there is no such course."
        raise NotFoundError(msg, field="course")


def _removed(*, is_removed: bool) -> ColumnElement[bool]:
    column = MembershipRow.removed_at
    return column.is_not(None) if is_removed else column.is_(None)


def _holds(search: str) -> ColumnElement[bool]:
    """Say whether a person's names hold ``search``, upper and lower case alike.

    SQLite knows the case of ASCII letters only, so that others are looked for as they are, too.
    """
    full_name = MembershipRow.first_name + " " + MembershipRow.last_name
    columns = (MembershipRow.user, full_name, MembershipRow.email, MembershipRow.lms_user_id)
    return or_(
        *(func.lower(column).contains(search.lower(), autoescape=True) for column in columns),
        *(column.contains(search, autoescape=True) for column in columns),
    )


def _named(course_id: UUID, name: str) -> Select[GroupRow]:
    return select(GroupRow).where(GroupRow.course_id == course_id, GroupRow.name == name)


def _present(course_id: UUID) -> Select[UUID, str]:
    """Who is in which group, by username; who was removed from the course is not shown."""
    return (
        select(GroupMemberRow.group_id, GroupMemberRow.user)
        .join(
            MembershipRow,
            (MembershipRow.user == GroupMemberRow.user) & (MembershipRow.course_id == course_id),
        )
        .where(MembershipRow.removed_at.is_(None))
        .order_by(GroupMemberRow.user)
    )


def _groups_of(
    session: Session, course_id: UUID, users: Sequence[str]
) -> defaultdict[str, list[str]]:
    found: defaultdict[str, list[str]] = defaultdict(list)
    for user, name in session.execute(
        select(GroupMemberRow.user, GroupRow.name)
        .join(GroupRow, GroupRow.id == GroupMemberRow.group_id)
        .where(GroupRow.course_id == course_id, GroupMemberRow.user.in_(users))
        .order_by(GroupRow.name)
    ):
        found[user].append(name)
    return found


def _put_into(
    session: Session, course_id: UUID, user: str, names: Sequence[str], *, by: str
) -> None:
    known = {
        row.name: row.id
        for row in session.scalars(select(GroupRow).where(GroupRow.course_id == course_id))
    }
    for name in names:
        if name not in known:
            row = GroupRow(
                id=new_id(), course_id=course_id, name=name, created_at=database_now(session)
            )
            session.add(row)
            known[name] = row.id
    session.flush()
    wanted = {known[name] for name in names}
    now = set(
        session.scalars(
            select(GroupMemberRow.group_id).where(
                GroupMemberRow.user == user, GroupMemberRow.group_id.in_(known.values())
            )
        )
    )
    if now - wanted:
        session.execute(
            delete(GroupMemberRow).where(
                GroupMemberRow.user == user, GroupMemberRow.group_id.in_(now - wanted)
            )
        )
    session.add_all(GroupMemberRow(group_id=group_id, user=user) for group_id in wanted - now)
    _settle_groups(session, now ^ wanted, {user}, by=by)


def _settle_groups(
    session: Session, group_ids: Iterable[UUID], users: Collection[str], *, by: str
) -> None:
    if not users:
        return
    assignments = assignments_with_group_extensions(session, group_ids)
    for assignment_id in assignments:
        lock_attempts(session, assignment_id, users)
    for assignment_id in assignments:
        settle(session, assignment_id, users, by=by, reason="groups changed")


def _check_not_last(session: Session, course_id: UUID, user: str) -> None:
    others = session.scalar(
        select(func.count())
        .select_from(MembershipRow)
        .where(
            MembershipRow.course_id == course_id,
            MembershipRow.role == Role.INSTRUCTOR,
            MembershipRow.removed_at.is_(None),
            MembershipRow.user != user,
        )
    )
    if not others:
        msg = f"user: {user!r} is the last instructor of this course. Name another one first."
        raise ConflictError(msg, field="user")


def _no_member(user: str) -> NotFoundError:
    return NotFoundError(f"user: {user[:120]!r} is not in this course.", field="user")


def _person(row: MembershipRow) -> Person:
    return Person(row.first_name, row.last_name, row.email, row.lms_user_id)


def _member(row: MembershipRow, groups: Iterable[str]) -> Member:
    return Member(
        user=row.user,
        role=row.role,
        person=_person(row),
        groups=tuple(groups),
        enrolled_at=row.enrolled_at,
        removed_at=row.removed_at,
    )
