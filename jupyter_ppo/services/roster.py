"""Who is in a course: members, groups, lists of people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol
from uuid import UUID

from jupyter_ppo.domain.access import Caller
from jupyter_ppo.domain.courses import Course, Role, checked_user, one_spelling
from jupyter_ppo.domain.errors import ConflictError, ForbiddenError, InvalidInputError
from jupyter_ppo.domain.ports import CourseStore, Page
from jupyter_ppo.domain.roster import (
    Group,
    Member,
    PersonChange,
    RosterImport,
    RosterRow,
    checked_group,
    checked_groups,
)
from jupyter_ppo.services.access import Access
from jupyter_ppo.services.audit import AuditLog, note
from jupyter_ppo.services.paging import every_page
from jupyter_ppo.services.roster_csv import MAX_PROBLEMS, read_roster

MAX_TITLE = 200
_MAX_GROUP_USERS = 10_000
_PAGE = 500


class RosterStore(Protocol):
    """What is stored of it."""

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

    def member(self, course_id: UUID, user: str) -> Member:
        """Return a person who is in the course, or was; raise ``NotFoundError``."""

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
        """Enrol a person or change what is written of them."""

    def remove_member(self, course_id: UUID, user: str) -> Member:
        """Take a person out of the course; all that is theirs is kept."""

    def import_rows(
        self, course_id: UUID, rows: Sequence[RosterRow], *, by: str, is_dry: bool
    ) -> RosterImport:
        """Enrol and change many people at once, or say what that would do; all or nothing."""

    def groups(self, course_id: UUID, *, offset: int, limit: int) -> Page[Group]:
        """Return a course's groups by name, each with its people."""

    def put_group(self, course_id: UUID, name: str, users: Sequence[str], *, by: str) -> Group:
        """Let exactly these people be in a group, which is made if it is new."""

    def delete_group(self, course_id: UUID, name: str, *, by: str) -> Group:
        """Delete a group; its people stay in the course."""


class RosterService:
    """Who is in a course: members, groups, lists of people.

    Every method takes the caller first and checks their rights.
    """

    def __init__(
        self,
        *,
        courses: CourseStore,
        rosters: RosterStore,
        audit: AuditLog,
    ) -> None:
        self._courses = courses
        self._rosters = rosters
        self._audit = audit
        self._access = Access(courses)

    def rename_course(self, caller: Caller, course_name: str, title: str) -> tuple[Course, Role]:
        """Give the course another title. Instructors only."""
        course = self._access.author(caller, course_name)
        shown = title.strip()
        if not 0 < len(shown) <= MAX_TITLE or not shown.isprintable():
            msg = f"title: use 1 to {MAX_TITLE} printable characters in one line."
            raise InvalidInputError(msg, field="title")
        renamed = self._courses.rename(course.id, shown)
        note(self._audit, caller.user, "course.renamed", course_name, {"title": shown})
        return renamed, self._access.course(caller, course_name)[1]

    # -- people ------------------------------------------------------------------------------

    def members(
        self,
        caller: Caller,
        course_name: str,
        *,
        search: str = "",
        role: Role | None = None,
        group: str | None = None,
        is_removed: bool = False,
        offset: int,
        limit: int,
    ) -> Page[Member]:
        """Return the course's people by username, or those who were removed. Graders only."""
        course = self._access.grader(caller, course_name)
        return self._rosters.members(
            course.id,
            search=one_spelling(search),
            role=role,
            group=None if group is None else one_spelling(group),
            is_removed=is_removed,
            offset=offset,
            limit=limit,
        )

    def every_member(
        self, caller: Caller, course_name: str, *, search: str = "", group: str | None = None
    ) -> Iterator[Member]:
        """Yield the course's people by username. Graders only."""
        return every_page(
            lambda offset: self.members(
                caller, course_name, search=search, group=group, offset=offset, limit=_PAGE
            )
        )

    def member(self, caller: Caller, course_name: str, user: str) -> Member:
        """Return one person of the course, also one who was removed. Graders only."""
        return self._rosters.member(self._access.grader(caller, course_name).id, one_spelling(user))

    def put_member(
        self,
        caller: Caller,
        course_name: str,
        user: str,
        role: Role,
        change: PersonChange | None = None,
        groups: Sequence[str] | None = None,
    ) -> Member:
        """Enrol a person, or change their role and what is known of them. Instructors only.

        What ``change`` does not say is kept; ``groups`` are all of theirs, None leaves them. Raises
        ``ConflictError`` when an instructor would give up their role or the last one would go.
        """
        course = self._access.author(caller, course_name)
        if role is Role.ADMIN:
            msg = "role: admins are named in the server's configuration, not in a course."
            raise ForbiddenError(msg, field="role")
        user = checked_user(user)
        now = self._courses.membership(course.id, user)
        if user == caller.user and now and now.role is Role.INSTRUCTOR is not role:
            raise _own_role()
        member = self._rosters.put_member(
            course.id,
            user,
            role,
            (change or PersonChange()).checked(),
            None if groups is None else checked_groups(groups),
            by=caller.user,
        )
        detail = {"role": role, "groups": list(member.groups)}
        note(self._audit, caller.user, "member.enrolled", f"{course_name}/{user}", detail)
        return member

    def remove_member(self, caller: Caller, course_name: str, user: str) -> Member:
        """Take a person out of the course. Instructors only.

        Their work, grades and groups are kept, and are back when they are enrolled again. Raises
        ``NotFoundError`` when they are not in the course, ``ConflictError`` when an instructor
        would remove themselves or the last one would go.
        """
        course = self._access.author(caller, course_name)
        user = one_spelling(user)
        now = self._courses.membership(course.id, user)
        if user == caller.user and now and now.role is Role.INSTRUCTOR:
            raise _own_role()
        member = self._rosters.remove_member(course.id, user)
        note(self._audit, caller.user, "member.removed", f"{course_name}/{user}", {})
        return member

    def import_members(
        self, caller: Caller, course_name: str, data: bytes, *, is_dry: bool = False
    ) -> RosterImport:
        """Enrol and change everybody in a list (see ``read_roster``). Instructors only.

        With any problem in it nothing is changed; ``is_dry`` only says what would be.
        """
        course = self._access.author(caller, course_name)
        read = read_roster(data)
        is_right = read.problem_count == 0
        made = self._rosters.import_rows(
            course.id, read.rows, by=caller.user, is_dry=is_dry or not is_right
        )
        problems = (*read.problems, *made.problems)[:MAX_PROBLEMS]
        if made.is_applied:
            detail = {"added": made.added, "changed": made.changed}
            note(self._audit, caller.user, "members.imported", course_name, detail)
        return RosterImport(
            added=made.added,
            changed=made.changed,
            unchanged=made.unchanged,
            problems=problems,
            problem_count=read.problem_count + made.problem_count,
            is_applied=made.is_applied,
        )

    # -- groups ------------------------------------------------------------------------------

    def groups(self, caller: Caller, course_name: str, *, offset: int, limit: int) -> Page[Group]:
        """Return the course's groups by name, each with its people. Graders only."""
        course = self._access.grader(caller, course_name)
        return self._rosters.groups(course.id, offset=offset, limit=limit)

    def put_group(self, caller: Caller, course_name: str, name: str, users: Sequence[str]) -> Group:
        """Let exactly these people be in a group, which is made if it is new. Instructors only."""
        course = self._access.author(caller, course_name)
        name = checked_group(name)
        if len(users) > _MAX_GROUP_USERS:
            msg = f"users: {len(users):,} people are too many. Use at most {_MAX_GROUP_USERS:,}."
            raise InvalidInputError(msg, field="users")
        people = [one_spelling(user) for user in users]
        group = self._rosters.put_group(course.id, name, people, by=caller.user)
        detail = {"users": list(group.users)}
        note(self._audit, caller.user, "group.changed", f"{course_name}/{name}", detail)
        return group

    def delete_group(self, caller: Caller, course_name: str, name: str) -> Group:
        """Delete a group; its people stay in the course. Instructors only.

        Raises ``ConflictError`` while the group has an extension.
        """
        course = self._access.author(caller, course_name)
        name = one_spelling(name)
        group = self._rosters.delete_group(course.id, name, by=caller.user)
        detail = {"users": list(group.users)}
        note(self._audit, caller.user, "group.deleted", f"{course_name}/{name}", detail)
        return group


def _own_role() -> ConflictError:
    msg = "user: you cannot give up your own role of instructor; ask another instructor."
    return ConflictError(msg, field="user")
