"""Courses and who is in them."""

from __future__ import annotations

from http import HTTPStatus

from tornado import web

from jupyter_ppo.web.base import PPOHandler
from jupyter_ppo.web.models import (
    Course,
    CoursePage,
    Member,
    NewCourse,
    NewRole,
    PageQuery,
    page_numbers,
)
from jupyter_ppo.web.operations import Action, answers, permitted


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


class MemberHandler(PPOHandler):
    """``/courses/{course}/members/{user}``: a person's role."""

    @web.authenticated
    @permitted(Action.WRITE)
    @answers(Member, body=NewRole)
    async def put(self, course: str, user: str) -> None:
        """Give a person a role in the course, replacing an earlier one (instructors)."""
        body = self.json_body(NewRole)
        membership = await self.ask(self.service.enrol, course, user, body.role)
        self.reply(Member(user=membership.user, role=membership.role))


handlers = [
    ("/courses", CoursesHandler),
    ("/courses/{course}", CourseHandler),
    ("/courses/{course}/members/{user}", MemberHandler),
]
