"""The person who asks."""

from __future__ import annotations

from tornado import web

from jupyter_ppo.web.base import PPOHandler
from jupyter_ppo.web.models import Me, MyCourse, Sandbox
from jupyter_ppo.web.operations import Action, answers, permitted

_MAX_COURSES = 500


class MeHandler(PPOHandler):
    """``/me``: what a front end needs to draw its first screen."""

    @web.authenticated
    @permitted(Action.READ)
    @answers(Me)
    async def get(self) -> None:
        """Say who asks, in which courses they are, and whether submitted code can run."""
        page = await self.ask(self.service.courses, offset=0, limit=_MAX_COURSES)
        caller = self.caller
        courses = [
            MyCourse(name=view.course.name, title=view.course.title, role=view.role)
            for view in page.items
        ]
        status = await self.context.sandbox_status()
        sandbox = Sandbox.of(status, is_mine=caller.admin, grades_here=self.context.grades_here)
        self.reply(Me(user=caller.user, admin=caller.admin, courses=courses, sandbox=sandbox))


handlers = [("/me", MeHandler)]
