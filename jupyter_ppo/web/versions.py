"""Versions of assignments."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from pydantic import Field
from tornado import web

from jupyter_ppo.domain.courses import VersionUse
from jupyter_ppo.domain.errors import NotFoundError
from jupyter_ppo.domain.grading import total
from jupyter_ppo.services.versions import MAX_NOTE, VersionFile
from jupyter_ppo.web.base import PPOHandler
from jupyter_ppo.web.models import (
    Answer,
    Body,
    Exercise,
    Page,
    PageQuery,
    Query,
    Time,
    page_numbers,
)
from jupyter_ppo.web.operations import Action, MediaType, answers, permitted

_PATH = "/courses/{course}/assignments/{assignment}/versions"
#: Larger numbers do not fit the integers of every database.
_MAX_NUMBER = 2**31 - 1


class NewVersion(Body):
    """The version to publish again, and what is said of it."""

    number: Annotated[int, Field(ge=1, le=_MAX_NUMBER)]
    note: Annotated[str, Field(max_length=MAX_NOTE)] = ""


class FileQuery(Query):
    """Which file: the author's notebook, or the students' copy."""

    kind: VersionFile = VersionFile.SOURCE


class Version(Answer):
    """One version of an assignment.

    ``submissions`` came while it was the newest, ``graded`` have a grade that was made on it.
    """

    number: int
    released_at: Time
    released_by: str
    note: str
    points: float
    exercises: list[Exercise]
    submissions: int
    graded: int

    @classmethod
    def of(cls, use: VersionUse) -> Version:
        """Make the body from the domain's object."""
        version = use.version
        return cls(
            number=version.number,
            released_at=version.created_at,
            released_by=version.released_by,
            note=version.note,
            points=total(exercise.points for exercise in version.exercises),
            exercises=[Exercise.of(each) for each in version.exercises],
            submissions=use.submissions,
            graded=use.graded,
        )


class VersionPage(Page[Version]):
    """Versions, newest first."""


class VersionsHandler(PPOHandler):
    """``/courses/{course}/assignments/{assignment}/versions``: every version."""

    @web.authenticated
    @permitted(Action.READ)
    @answers(VersionPage, query=PageQuery)
    async def get(self, course: str, assignment: str) -> None:
        """List the versions, newest first, with what was handed in and graded on each (graders)."""
        query = self.query(PageQuery)
        page = await self.ask(
            self.use_cases.versions.versions,
            course,
            assignment,
            offset=query.offset,
            limit=query.limit,
        )
        items = [Version.of(each) for each in page.items]
        self.reply(VersionPage(items=items, **page_numbers(page)))

    @web.authenticated
    @permitted(Action.WRITE)
    @answers(Version, HTTPStatus.CREATED, body=NewVersion)
    async def post(self, course: str, assignment: str) -> None:
        """Publish an earlier version again, as the newest one (instructors)."""
        body = self.json_body(NewVersion)
        made = await self.ask(
            self.use_cases.versions.publish_again, course, assignment, body.number, body.note
        )
        answer = Version.of(VersionUse(made.version, 0, 0))
        location = f"/courses/{course}/assignments/{made.name}"
        self.reply(answer, HTTPStatus.CREATED, location=location)


class VersionNotebookHandler(PPOHandler):
    """``/courses/{course}/assignments/{assignment}/versions/{number}/notebook``: its files."""

    @web.authenticated
    @permitted(Action.READ)
    @answers(MediaType.NOTEBOOK, query=FileQuery)
    async def get(self, course: str, assignment: str, number: str) -> None:
        """Download the author's notebook of one version, or the students' copy (instructors)."""
        kind = self.query(FileQuery).kind
        # No version has a longer number; int() takes signs and digits of every script.
        is_number = number.isascii() and number.isdecimal() and len(number) < len(str(_MAX_NUMBER))
        if not is_number:
            await self.ask(self.use_cases.versions.versions, course, assignment, offset=0, limit=1)
            msg = f"number: this assignment has no version {number[:80]!r}."
            raise NotFoundError(msg, field="number")
        data = await self.ask(
            self.use_cases.versions.notebook, course, assignment, int(number), kind
        )
        filename = f"{assignment}-{int(number)}-{kind}.ipynb"
        self.reply_bytes(data, MediaType.NOTEBOOK, filename=filename)


handlers: list[tuple[str, type[PPOHandler]]] = [
    (_PATH, VersionsHandler),
    (f"{_PATH}/{{number}}/notebook", VersionNotebookHandler),
]
