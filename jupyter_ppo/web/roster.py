"""Members, groups and lists of people."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import Field
from tornado import web

from jupyter_ppo.domain import roster
from jupyter_ppo.domain.courses import Role
from jupyter_ppo.domain.errors import TooLargeError
from jupyter_ppo.services.roster_csv import MAX_BYTES
from jupyter_ppo.web.base import PPOHandler
from jupyter_ppo.web.models import Answer, Body, Page, PageQuery, Query, Time, page_numbers
from jupyter_ppo.web.operations import Action, MediaType, answers, permitted

_MANY_USERS_BYTES = 2**20


class MembersQuery(PageQuery):
    """Which people; ``removed`` are those who were taken out of the course."""

    search: Annotated[str, Field(max_length=200)] = ""
    role: Role | None = None
    group: str | None = None
    removed: bool = False


class ImportQuery(Query):
    """With ``dry_run`` nothing is changed."""

    dry_run: bool = False


class NewMember(Body):
    """A person's role, and what is known of them; null leaves what is there.

    ``groups`` are all groups of theirs, made where they are new.
    """

    role: Role
    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None
    lms_user_id: str | None = None
    groups: list[str] | None = None


class NewGroup(Body):
    """Everybody who is in the group."""

    users: list[str]


class Member(Answer):
    """A person of a course; ``removed_at`` is set for who was taken out of it."""

    user: str
    role: Role
    first_name: str
    last_name: str
    email: str
    lms_user_id: str
    groups: list[str]
    enrolled_at: Time | None
    removed_at: Time | None

    @classmethod
    def of(cls, member: roster.Member) -> Member:
        """Make the body from the domain's object."""
        person = member.person
        return cls(
            user=member.user,
            role=member.role,
            first_name=person.first_name,
            last_name=person.last_name,
            email=person.email,
            lms_user_id=person.lms_user_id,
            groups=list(member.groups),
            enrolled_at=member.enrolled_at,
            removed_at=member.removed_at,
        )


class MemberPage(Page[Member]):
    """People by username."""


class Group(Answer):
    """A group and its people, by username."""

    id: UUID
    name: str
    users: list[str]

    @classmethod
    def of(cls, group: roster.Group) -> Group:
        """Make the body from the domain's object."""
        return cls(id=group.id, name=group.name, users=list(group.users))


class GroupPage(Page[Group]):
    """Groups by name."""


class ImportProblem(Answer):
    """What is wrong with one line, counted from 1 with the heading; ``field`` is its column."""

    line: int
    field: str
    message: str


class RosterImport(Answer):
    """What a list of people did, or would do; with a problem nothing is changed.

    ``problems`` are the first 100 of ``problem_count``.
    """

    added: int
    changed: int
    unchanged: int
    problems: list[ImportProblem]
    problem_count: int
    applied: bool

    @classmethod
    def of(cls, made: roster.RosterImport) -> RosterImport:
        """Make the body from the domain's object."""
        return cls(
            added=made.added,
            changed=made.changed,
            unchanged=made.unchanged,
            problems=[
                ImportProblem(line=each.line, field=each.field, message=each.message)
                for each in made.problems
            ],
            problem_count=made.problem_count,
            applied=made.is_applied,
        )


class MembersHandler(PPOHandler):
    """``/courses/{course}/members``: the people of a course."""

    @web.authenticated
    @permitted(Action.READ)
    @answers(MemberPage, query=MembersQuery)
    async def get(self, course: str) -> None:
        """List the course's people by username (graders)."""
        query = self.query(MembersQuery)
        page = await self.ask(
            self.use_cases.roster.members,
            course,
            search=query.search,
            role=query.role,
            group=query.group,
            is_removed=query.removed,
            offset=query.offset,
            limit=query.limit,
        )
        items = [Member.of(each) for each in page.items]
        self.reply(MemberPage(items=items, **page_numbers(page)))


class MembersImportHandler(PPOHandler):
    """``/courses/{course}/members/import``: many people at once."""

    @web.authenticated
    @permitted(Action.WRITE)
    @answers(RosterImport, body=MediaType.CSV, query=ImportQuery)
    async def post(self, course: str) -> None:
        """Enrol and change everybody in a CSV file, or nobody if a line is wrong (instructors)."""
        query = self.query(ImportQuery)
        if self._received > MAX_BYTES:  # more than was kept, perhaps
            msg = f"The list is larger than {MAX_BYTES // 2**20} MiB. Send it in parts."
            raise TooLargeError(msg, field="body")
        made = await self.ask(
            self.use_cases.roster.import_members, course, bytes(self._body), is_dry=query.dry_run
        )
        self.reply(RosterImport.of(made))


class MemberHandler(PPOHandler):
    """``/courses/{course}/members/{user}``: one person of a course."""

    @web.authenticated
    @permitted(Action.READ)
    @answers(Member)
    async def get(self, course: str, user: str) -> None:
        """Return one person of the course, also one who was taken out of it (graders)."""
        self.reply(Member.of(await self.ask(self.use_cases.roster.member, course, user)))

    @web.authenticated
    @permitted(Action.WRITE)
    @answers(Member, body=NewMember)
    async def put(self, course: str, user: str) -> None:
        """Enrol a person, or change their role and what is known of them (instructors)."""
        body = self.json_body(NewMember)
        change = roster.PersonChange(body.first_name, body.last_name, body.email, body.lms_user_id)
        member = await self.ask(
            self.use_cases.roster.put_member, course, user, body.role, change, body.groups
        )
        self.reply(Member.of(member))

    @web.authenticated
    @permitted(Action.WRITE)
    @answers(Member)
    async def delete(self, course: str, user: str) -> None:
        """Take a person out of the course; their work is kept (instructors)."""
        self.reply(Member.of(await self.ask(self.use_cases.roster.remove_member, course, user)))


class GroupsHandler(PPOHandler):
    """``/courses/{course}/groups``: the groups of a course."""

    @web.authenticated
    @permitted(Action.READ)
    @answers(GroupPage, query=PageQuery)
    async def get(self, course: str) -> None:
        """List the course's groups by name (graders)."""
        query = self.query(PageQuery)
        page = await self.ask(
            self.use_cases.roster.groups, course, offset=query.offset, limit=query.limit
        )
        items = [Group.of(each) for each in page.items]
        self.reply(GroupPage(items=items, **page_numbers(page)))


class GroupHandler(PPOHandler):
    """``/courses/{course}/groups/{group}``: one group."""

    max_json_bytes = _MANY_USERS_BYTES

    @web.authenticated
    @permitted(Action.WRITE)
    @answers(Group, body=NewGroup)
    async def put(self, course: str, group: str) -> None:
        """Let exactly these people be in a group, which is made if it is new (instructors)."""
        body = self.json_body(NewGroup)
        made = await self.ask(self.use_cases.roster.put_group, course, group, body.users)
        self.reply(Group.of(made))

    @web.authenticated
    @permitted(Action.WRITE)
    @answers(Group)
    async def delete(self, course: str, group: str) -> None:
        """Delete a group without an extension; its people stay in the course (instructors)."""
        self.reply(Group.of(await self.ask(self.use_cases.roster.delete_group, course, group)))


handlers: list[tuple[str, type[PPOHandler]]] = [
    ("/courses/{course}/members", MembersHandler),
    ("/courses/{course}/members/import", MembersImportHandler),  # before somebody of that name
    ("/courses/{course}/members/{user}", MemberHandler),
    ("/courses/{course}/groups", GroupsHandler),
    ("/courses/{course}/groups/{group}", GroupHandler),
]
