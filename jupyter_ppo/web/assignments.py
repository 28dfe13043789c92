"""Assignments: what students work on."""

from __future__ import annotations

from http import HTTPStatus

from tornado import web

from jupyter_ppo.web.base import PPOHandler
from jupyter_ppo.web.models import Assignment, AssignmentPage, PageQuery, page_numbers
from jupyter_ppo.web.operations import Action, MediaType, answers, permitted
from jupyter_ppo.web.sealing import Release


class AssignmentsHandler(PPOHandler):
    """``/courses/{course}/assignments``: all assignments of a course."""

    @web.authenticated
    @permitted(Action.READ)
    @answers(AssignmentPage, query=PageQuery)
    async def get(self, course: str) -> None:
        """List the course's assignments by name (members)."""
        query = self.query(PageQuery)
        page = await self.ask(
            self.service.assignments, course, offset=query.offset, limit=query.limit
        )
        items = [Assignment.of(each) for each in page.items]
        self.reply(AssignmentPage(items=items, **page_numbers(page)))


class AssignmentHandler(PPOHandler):
    """``/courses/{course}/assignments/{assignment}``: one assignment."""

    @web.authenticated
    @permitted(Action.READ)
    @answers(Assignment)
    async def get(self, course: str, assignment: str) -> None:
        """Return the newest version of an assignment (members)."""
        self.reply(Assignment.of(await self.ask(self.service.assignment, course, assignment)))

    @web.authenticated
    @permitted(Action.WRITE)
    @answers(Release, HTTPStatus.CREATED, body=MediaType.NOTEBOOK)
    async def put(self, course: str, assignment: str) -> None:
        """Release the author's notebook as the assignment's next version (instructors)."""
        source = self.notebook_body()
        released = await self.ask(self.service.release, course, assignment, source)
        location = f"/courses/{course}/assignments/{released.assignment.name}"
        self.reply(Release.made(released), HTTPStatus.CREATED, location=location)


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
