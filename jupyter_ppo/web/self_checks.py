"""How students judge their own answers by the rubric."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from tornado import web

from jupyter_ppo.services.self_checks import SelfCheckView
from jupyter_ppo.web.base import PPOHandler
from jupyter_ppo.web.models import Answer, Body
from jupyter_ppo.web.operations import Action, answers, permitted

_MAX_CRITERIA = 100

Name = Annotated[str, Field(max_length=200)]


class NewSelfCheck(Body):
    """The level of each criterion that the student thinks they reached; some may be left out."""

    levels: Annotated[dict[Name, Name], Field(max_length=_MAX_CRITERIA)]


class CheckedLevel(Answer):
    """A level of a criterion."""

    name: str
    points: float
    description: str


class CheckedCriterion(Answer):
    """A criterion as students see it."""

    name: str
    title: str
    description: str
    levels: list[CheckedLevel]


class SelfCheckAnswer(Answer):
    """The rubric, and the levels that the caller chose; of revision 0 until they do."""

    rubric: list[CheckedCriterion]
    levels: dict[str, str]
    revision: int

    @classmethod
    def of(cls, view: SelfCheckView) -> SelfCheckAnswer:
        """Make the body from the service's object."""
        return cls(
            rubric=[
                CheckedCriterion(
                    name=criterion.name,
                    title=criterion.title,
                    description=criterion.description,
                    levels=[
                        CheckedLevel(
                            name=level.name, points=level.points, description=level.description
                        )
                        for level in criterion.levels
                    ],
                )
                for criterion in view.rubric
            ],
            levels=dict(view.check.levels),
            revision=view.check.revision,
        )


class SelfCheckHandler(PPOHandler):
    """``/courses/{course}/assignments/{assignment}/self-checks/{grade_id}``: one's own answer."""

    @web.authenticated
    @permitted(Action.READ)
    @answers(SelfCheckAnswer)
    async def get(self, course: str, assignment: str, grade_id: str) -> None:
        """Return the rubric of an answer in words, and how the caller judges theirs."""
        read = self.use_cases.self_checks.read
        self._reply(await self.ask(read, course, assignment, grade_id))

    @web.authenticated
    @permitted(Action.WRITE)
    @answers(SelfCheckAnswer, body=NewSelfCheck, has_revision=True)
    async def put(self, course: str, assignment: str, grade_id: str) -> None:
        """Keep how the caller judges their answer; it gives no points."""
        levels = self.json_body(NewSelfCheck).levels
        write = self.use_cases.self_checks.write
        seen = self.seen_revision()
        self._reply(await self.ask(write, course, assignment, grade_id, levels, seen=seen))

    def _reply(self, view: SelfCheckView) -> None:
        self.set_header("ETag", f'"{view.check.revision}"')
        self.reply(SelfCheckAnswer.of(view))


handlers: list[tuple[str, type[PPOHandler]]] = [
    ("/courses/{course}/assignments/{assignment}/self-checks/{grade_id}", SelfCheckHandler),
]
