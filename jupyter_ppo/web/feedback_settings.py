"""How a course and its assignments want hints, explanations and language models."""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field
from tornado import web

from jupyter_ppo.domain.feedback_settings import (
    MAX_CALIBRATION,
    MAX_CAP,
    MAX_SAMPLES,
    MIN_CALIBRATION,
)
from jupyter_ppo.domain.tutoring import PICO, Caps
from jupyter_ppo.services.feedback_settings import SettingsView
from jupyter_ppo.web.base import PPOHandler
from jupyter_ppo.web.models import Answer, Body
from jupyter_ppo.web.operations import Action, answers, permitted

_COURSE = "/courses/{course}/feedback-settings"
_ASSIGNMENT = "/courses/{course}/assignments/{assignment}/feedback-settings"

Dollars = Annotated[float, Field(ge=0, le=MAX_CAP, allow_inf_nan=False)]
Answers = Annotated[int, Field(ge=MIN_CALIBRATION, le=MAX_CALIBRATION)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class _Document(Body):
    """A part of a document: true is no number here, and "2" no number either."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class NewCaps(_Document):
    """The most that models may cost, in the server's currency; null is the server's limit."""

    user_day: Dollars | None = None
    assignment: Dollars | None = None
    course: Dollars | None = None


class NewFeedbackSettings(_Document):
    """What is chosen; null or absence is to inherit, from the course or the server."""

    hints: bool | None = None
    explanations: bool | None = None
    models_for_hints: bool | None = None
    models_for_explanations: bool | None = None
    drafts: bool | None = None
    samples: Annotated[int, Field(ge=1, le=MAX_SAMPLES)] | None = None
    bulk_threshold: Share | None = None
    calibration_answers: Answers | None = None
    calibration_qwk: Share | None = None
    hint_levels: Annotated[int, Field(ge=1, le=4)] | None = None
    hint_costs: Annotated[list[Share], Field(min_length=4, max_length=4)] | None = None
    caps: NewCaps | None = None


class CapsAnswer(Answer):
    """Caps in the server's currency; null where nothing was chosen."""

    user_day: float | None
    assignment: float | None
    course: float | None


class OwnSettings(Answer):
    """What was chosen here; null is inherited."""

    hints: bool | None
    explanations: bool | None
    models_for_hints: bool | None
    models_for_explanations: bool | None
    drafts: bool | None
    samples: int | None
    bulk_threshold: float | None
    calibration_answers: int | None
    calibration_qwk: float | None
    hint_levels: int | None
    hint_costs: list[float] | None
    caps: CapsAnswer


class EffectiveSettings(Answer):
    """What holds here."""

    hints: bool
    explanations: bool
    models_for_hints: bool
    models_for_explanations: bool
    drafts: bool
    samples: int
    bulk_threshold: float
    calibration_answers: int
    calibration_qwk: float
    hint_levels: int
    hint_costs: list[float]
    caps: CapsAnswer


class FeedbackSettingsAnswer(Answer):
    """What was chosen here, what holds, and the most that a cap may be."""

    revision: int
    settings: OwnSettings
    effective: EffectiveSettings
    ceilings: CapsAnswer
    currency: str

    @classmethod
    def of(cls, view: SettingsView) -> FeedbackSettingsAnswer:
        """Make the body from the service's object."""
        chosen = dict(view.stored.document)
        own = {name: chosen.get(name) for name in OwnSettings.model_fields}
        effective = view.effective
        return cls(
            revision=view.stored.revision,
            settings=OwnSettings.model_validate(own | {"caps": _own_caps(chosen.get("caps"))}),
            effective=EffectiveSettings.model_validate(
                effective.document() | {"caps": _dollars(effective.caps.within(view.ceilings))}
            ),
            ceilings=_dollars(view.ceilings),
            currency=view.currency,
        )


class CourseFeedbackSettingsHandler(PPOHandler):
    """``/courses/{course}/feedback-settings``: what holds for every assignment."""

    @web.authenticated
    @permitted(Action.READ)
    @answers(FeedbackSettingsAnswer)
    async def get(self, course: str) -> None:
        """Return the course's settings (members)."""
        self._reply(await self.ask(self.use_cases.feedback_settings.read, course))

    @web.authenticated
    @permitted(Action.WRITE)
    @answers(FeedbackSettingsAnswer, body=NewFeedbackSettings, has_revision=True)
    async def put(self, course: str) -> None:
        """Replace what the course chose; 409 with both if somebody saved between (instructors)."""
        await self._put(course, None)

    async def _put(self, course: str, assignment: str | None) -> None:
        body = self.json_body(NewFeedbackSettings).model_dump()
        write = self.use_cases.feedback_settings.write
        seen = self.seen_revision()
        self._reply(await self.ask(write, course, assignment, body, seen=seen))

    def _reply(self, view: SettingsView) -> None:
        self.set_header("ETag", f'"{view.stored.revision}"')
        self.reply(FeedbackSettingsAnswer.of(view))


class AssignmentFeedbackSettingsHandler(CourseFeedbackSettingsHandler):
    """The settings of one assignment, on top of the course's."""

    @web.authenticated
    @permitted(Action.READ)
    @answers(FeedbackSettingsAnswer)
    async def get(self, course: str, assignment: str) -> None:
        """Return the assignment's settings (members)."""
        self._reply(await self.ask(self.use_cases.feedback_settings.read, course, assignment))

    @web.authenticated
    @permitted(Action.WRITE)
    @answers(FeedbackSettingsAnswer, body=NewFeedbackSettings, has_revision=True)
    async def put(self, course: str, assignment: str) -> None:
        """Replace what the assignment chose; 409 with both if somebody saved (instructors)."""
        await self._put(course, assignment)


def _dollars(caps: Caps) -> CapsAnswer:
    return CapsAnswer(
        user_day=caps.user_day / PICO,
        assignment=caps.assignment / PICO,
        course=caps.course / PICO,
    )


def _own_caps(chosen: object) -> dict[str, object]:
    given = chosen if isinstance(chosen, dict) else {}
    return {name: given.get(name) for name in CapsAnswer.model_fields}


handlers: list[tuple[str, type[PPOHandler]]] = [
    (_COURSE, CourseFeedbackSettingsHandler),
    (_ASSIGNMENT, AssignmentFeedbackSettingsHandler),
]
