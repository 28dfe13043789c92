"""Assignments: what students work on."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from pydantic import Field
from tornado import web

from jupyter_ppo.services.versions import MAX_NOTE
from jupyter_ppo.web.base import PPOHandler
from jupyter_ppo.web.models import Assignment, AssignmentPage, PageQuery, Query, page_numbers
from jupyter_ppo.web.operations import Action, MediaType, answers, permitted
from jupyter_ppo.web.sealing import Release
from jupyter_ppo.web.trash import Trashed


class ReleaseQuery(Query):
    """What is new in the version."""

    note: Annotated[str, Field(max_length=MAX_NOTE)] = ""


class AssignmentsHandler(PPOHandler):
    """``/courses/{course}/assignments``: all assignments of a course."""

    @web.authenticated
    @permitted(Action.READ)
    @answers(AssignmentPage, query=PageQuery)
    async def get(self, course: str) -> None:
        """List the course's assignments by name (members; students those that are open)."""
        query = self.query(PageQuery)
        page = await self.ask(
            self.use_cases.terms.assignments, course, offset=query.offset, limit=query.limit
        )
        items = [Assignment.of(each.assignment, each.own) for each in page.items]
        self.reply(AssignmentPage(items=items, **page_numbers(page)))


class AssignmentHandler(PPOHandler):
    """``/courses/{course}/assignments/{assignment}``: one assignment."""

    @web.authenticated
    @permitted(Action.READ)
    @answers(Assignment)
    async def get(self, course: str, assignment: str) -> None:
        """Return the newest version of an assignment (members; students once it is open)."""
        view = await self.ask(self.use_cases.terms.assignment, course, assignment)
        self.reply(Assignment.of(view.assignment, view.own))

    @web.authenticated
    @permitted(Action.WRITE)
    @answers(Release, HTTPStatus.CREATED, body=MediaType.NOTEBOOK, query=ReleaseQuery)
    async def put(self, course: str, assignment: str) -> None:
        """Release the author's notebook as the assignment's next version (instructors)."""
        query, source = self.query(ReleaseQuery), self.notebook_body()
        released = await self.ask(self.service.release, course, assignment, source, query.note)
        location = f"/courses/{course}/assignments/{released.assignment.name}"
        self.reply(Release.made(released), HTTPStatus.CREATED, location=location)

    @web.authenticated
    @permitted(Action.WRITE)
    @answers(Trashed)
    async def delete(self, course: str, assignment: str) -> None:
        """Put an assignment with its submissions into the trash (instructors)."""
        deleted = await self.ask(self.use_cases.trash.delete_assignment, course, assignment)
        self.reply(Trashed.of(deleted))


class ReleasedNotebookHandler(PPOHandler):
    """``/courses/{course}/assignments/{assignment}/notebook``: the students' copy."""

    @web.authenticated
    @permitted(Action.READ)
    @answers(MediaType.NOTEBOOK)
    async def get(self, course: str, assignment: str) -> None:
        """Download the released notebook, without solutions and hidden tests (members)."""
        data = await self.ask(self.service.released_notebook, course, assignment)
        self.reply_bytes(data, MediaType.NOTEBOOK, filename=f"{assignment}.ipynb")


handlers = [
    ("/courses/{course}/assignments", AssignmentsHandler),
    ("/courses/{course}/assignments/{assignment}", AssignmentHandler),
    ("/courses/{course}/assignments/{assignment}/notebook", ReleasedNotebookHandler),
]
