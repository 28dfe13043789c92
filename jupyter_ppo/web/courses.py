"""Courses."""

from __future__ import annotations

from http import HTTPStatus

from tornado import web

from jupyter_ppo.services.assessment import CourseView
from jupyter_ppo.web.base import PPOHandler
from jupyter_ppo.web.models import (
    Body,
    Course,
    CoursePage,
    NewCourse,
    PageQuery,
    page_numbers,
)
from jupyter_ppo.web.operations import Action, answers, permitted
from jupyter_ppo.web.trash import Trashed


class NewTitle(Body):
    """The title that a course gets."""

    title: str


class CoursesHandler(PPOHandler):
    """``/courses``: all courses of the caller."""

    @web.authenticated
    @permitted(Action.READ)
    @answers(CoursePage, query=PageQuery)
    async def get(self) -> None:
        """List the caller's courses by name; an admin sees all of them."""
        query = self.query(PageQuery)
        page = await self.ask(self.service.courses, offset=query.offset, limit=query.limit)
        items = [Course.of(view) for view in page.items]
        self.reply(CoursePage(items=items, **page_numbers(page)))

    @web.authenticated
    @permitted(Action.WRITE)
    @answers(Course, HTTPStatus.CREATED, body=NewCourse)
    async def post(self) -> None:
        """Create a course (admins)."""
        body = self.json_body(NewCourse)
        view = await self.ask(self.service.create_course, body.name, body.title)
        location = f"/courses/{view.course.name}"
        self.reply(Course.of(view), HTTPStatus.CREATED, location=location)


class CourseHandler(PPOHandler):
    """``/courses/{course}``: one course."""

    @web.authenticated
    @permitted(Action.READ)
    @answers(Course)
    async def get(self, course: str) -> None:
        """Return a course (members)."""
        self.reply(Course.of(await self.ask(self.service.course, course)))

    @web.authenticated
    @permitted(Action.WRITE)
    @answers(Course, body=NewTitle)
    async def patch(self, course: str) -> None:
        """Give a course another title; its name stays (instructors)."""
        body = self.json_body(NewTitle)
        renamed, role = await self.ask(self.use_cases.roster.rename_course, course, body.title)
        self.reply(Course.of(CourseView(renamed, role)))

    @web.authenticated
    @permitted(Action.WRITE)
    @answers(Trashed)
    async def delete(self, course: str) -> None:
        """Put a course into the trash, from where it can be restored (admins)."""
        self.reply(Trashed.of(await self.ask(self.use_cases.trash.delete_course, course)))


handlers = [
    ("/courses", CoursesHandler),
    ("/courses/{course}", CourseHandler),
]
