"""Progress: events that a student's page reports, and where students stand."""

from __future__ import annotations

from typing import ClassVar

from tornado import web

from jupyter_ppo.web.base import PPOHandler
from jupyter_ppo.web.models import page_numbers
from jupyter_ppo.web.operations import Action, answers, permitted
from jupyter_ppo.web.progress_models import (
    ClassQuery,
    CourseProgress,
    EventAnswer,
    EventAnswers,
    RecomputeAnswer,
    ReportedEvents,
    StudentProgress,
    StudentProgressPage,
)


class ProgressEventsHandler(PPOHandler):
    """``/courses/{course}/progress/events``: what a student's page saw."""

    #: 200 events of 120 minutes each take about 250 KiB.
    max_json_bytes: ClassVar[int] = 512 * 2**10

    @web.authenticated
    @permitted(Action.WRITE)
    @answers(EventAnswers, body=ReportedEvents)
    async def post(self, course: str) -> None:
        """Report up to 200 events of the caller; each is answered, and counts once (members)."""
        events = [each.to_domain() for each in self.json_body(ReportedEvents).events]
        receipts = await self.ask(self.use_cases.progress.report, course, events)
        self.reply(EventAnswers(receipts=[EventAnswer.of(each) for each in receipts]))


class ProgressHandler(PPOHandler):
    """``/courses/{course}/progress``: where the caller stands."""

    @web.authenticated
    @permitted(Action.READ)
    @answers(CourseProgress)
    async def get(self, course: str) -> None:
        """Return the caller's own progress, from released grades and recorded events (members)."""
        self.reply(CourseProgress.of(await self.ask(self.use_cases.progress.mine, course)))


class ClassProgressHandler(PPOHandler):
    """``/courses/{course}/progress/students``: where the class stands."""

    @web.authenticated
    @permitted(Action.READ)
    @answers(StudentProgressPage, query=ClassQuery)
    async def get(self, course: str) -> None:
        """List the students with their progress by chapter (graders)."""
        query = self.query(ClassQuery)
        page = await self.ask(self.use_cases.progress.students, course, **query.model_dump())
        items = [StudentProgress.of(row) for row in page.items]
        self.reply(StudentProgressPage(items=items, **page_numbers(page)))


class StudentProgressHandler(PPOHandler):
    """``/courses/{course}/progress/students/{user}``: where one student stands."""

    @web.authenticated
    @permitted(Action.READ)
    @answers(CourseProgress)
    async def get(self, course: str, user: str) -> None:
        """Return one student's progress as they see it themselves (graders)."""
        self.reply(CourseProgress.of(await self.ask(self.use_cases.progress.student, course, user)))


class RecomputeHandler(PPOHandler):
    """``/courses/{course}/progress/recompute``: everything from the log again."""

    @web.authenticated
    @permitted(Action.WRITE)
    @answers(RecomputeAnswer)
    async def post(self, course: str) -> None:
        """Make everybody's progress anew from the log of events (instructors)."""
        made = await self.ask(self.use_cases.progress.recompute, course)
        self.reply(RecomputeAnswer.of(made))


handlers: list[tuple[str, type[PPOHandler]]] = [
    ("/courses/{course}/progress", ProgressHandler),
    ("/courses/{course}/progress/events", ProgressEventsHandler),
    ("/courses/{course}/progress/recompute", RecomputeHandler),
    ("/courses/{course}/progress/students", ClassProgressHandler),
    ("/courses/{course}/progress/students/{user}", StudentProgressHandler),
]
