"""What was deleted, and bringing it back."""

from __future__ import annotations

from uuid import UUID

from tornado import web

from jupyter_ppo.domain import roster
from jupyter_ppo.domain.roster import TrashKind
from jupyter_ppo.web.base import PPOHandler
from jupyter_ppo.web.models import Answer, Page, PageQuery, Time, page_numbers
from jupyter_ppo.web.operations import Action, answers, permitted


class Trashed(Answer):
    """Something that was deleted; nothing of it is lost."""

    kind: TrashKind
    id: UUID
    name: str
    deleted_at: Time
    deleted_by: str

    @classmethod
    def of(cls, item: roster.Trashed) -> Trashed:
        """Make the body from the domain's object."""
        return cls(
            kind=item.kind,
            id=item.id,
            name=item.name,
            deleted_at=item.deleted_at,
            deleted_by=item.deleted_by,
        )


class TrashPage(Page[Trashed]):
    """What was deleted, newest first."""


class TrashHandler(PPOHandler):
    """``/courses/{course}/trash``: what of a course was deleted."""

    @web.authenticated
    @permitted(Action.READ)
    @answers(TrashPage, query=PageQuery)
    async def get(self, course: str) -> None:
        """List the deleted assignments and submissions, newest first (instructors).

        Of a deleted course an admin gets the course.
        """
        query = self.query(PageQuery)
        page = await self.ask(
            self.use_cases.trash.items, course, offset=query.offset, limit=query.limit
        )
        items = [Trashed.of(each) for each in page.items]
        self.reply(TrashPage(items=items, **page_numbers(page)))


class TrashItemHandler(PPOHandler):
    """``/courses/{course}/trash/{item_id}``: one deleted thing."""

    @web.authenticated
    @permitted(Action.WRITE)
    @answers(Trashed)
    async def post(self, course: str, item_id: str) -> None:
        """Restore an assignment or a submission; answers what it was (instructors)."""
        item = await self.ask(
            self.use_cases.trash.restore, course, self.identifier(item_id, "item")
        )
        self.reply(Trashed.of(item))


class CourseRestoreHandler(PPOHandler):
    """``/courses/{course}/restore``: a deleted course."""

    @web.authenticated
    @permitted(Action.WRITE)
    @answers(Trashed)
    async def post(self, course: str) -> None:
        """Restore a course with all that is in it; answers what it was (admins)."""
        self.reply(Trashed.of(await self.ask(self.use_cases.trash.restore_course, course)))


handlers: list[tuple[str, type[PPOHandler]]] = [
    ("/courses/{course}/trash", TrashHandler),
    ("/courses/{course}/trash/{item_id}", TrashItemHandler),
    ("/courses/{course}/restore", CourseRestoreHandler),
]
