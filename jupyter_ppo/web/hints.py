"""Hints for exercises: one's own ladder, and its next step."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from pydantic import Field
from tornado import web

from jupyter_ppo.domain.hint_ladder import FailingCheck
from jupyter_ppo.domain.hint_records import Hint
from jupyter_ppo.domain.tutoring import HintLevel, HintSource, ModelAbout
from jupyter_ppo.services.hints import MAX_ANSWER, GivenHint, HintService, Ladder
from jupyter_ppo.services.model_words import OnWords
from jupyter_ppo.services.tutor_questions import said_by
from jupyter_ppo.web.base import PPOHandler
from jupyter_ppo.web.models import Answer, Body, Time
from jupyter_ppo.web.operations import Action, MediaType, answers, permitted
from jupyter_ppo.web.telling import TellingHandler

_MAX_BYTES = 512 * 2**10


class SeenFailure(Body):
    """What the student saw fail; plain text, shown to them only."""

    check: Annotated[str, Field(max_length=200)] = ""
    error_type: Annotated[str, Field(max_length=200)] = ""
    message: Annotated[str, Field(max_length=4_000)] = ""
    traceback: Annotated[str, Field(max_length=20_000)] = ""


class HintWish(Body):
    """The answer cell's code as it is now, and what failed."""

    answer: Annotated[str, Field(max_length=MAX_ANSWER)]
    failure: SeenFailure | None = None


class ModelName(Answer):
    """The language model that may be asked, and where."""

    provider: str
    model: str
    host: str

    @classmethod
    def of(cls, about: ModelAbout | None) -> ModelName | None:
        """Make the body from the domain's object."""
        if about is None:
            return None
        return cls(provider=about.provider, model=about.model, host=about.host)


class HintAnswer(Answer):
    """A hint.

    ``text`` is plain. ``said_by`` is a sentence on who wrote it, ``note`` one on why no model did,
    where one could have. ``cost_fraction`` is the share of the exercise's points that it takes.
    """

    id: UUID
    level: HintLevel
    number: int
    source: HintSource
    model: str | None
    text: str
    at: Time
    cost_fraction: float
    said_by: str
    note: str = ""

    @classmethod
    def of(cls, hint: Hint, about: ModelAbout | None, note: str = "") -> HintAnswer:
        """Make the body from the domain's object."""
        new = hint.new
        return cls(
            id=hint.id,
            level=new.level,
            number=new.level.number,
            source=new.source,
            model=new.model or None,
            text=new.text,
            at=hint.at,
            cost_fraction=new.cost_fraction,
            said_by=said_by(new.source, new.model, about),
            note=note,
        )


class NextHint(Answer):
    """What the next new attempt gives."""

    level: HintLevel
    number: int
    cost_fraction: float


class LadderAnswer(Answer):
    """One's hints for an exercise; ``model`` is the one that may be asked, None where none is."""

    enabled: bool
    taken: list[HintAnswer]
    next: NextHint | None
    why_not: str
    model: ModelName | None

    @classmethod
    def of(cls, ladder: Ladder, about: ModelAbout | None) -> LadderAnswer:
        """Make the body from the domain's object."""
        level = ladder.upcoming
        upcoming = None
        if level is not None:
            upcoming = NextHint(
                level=level, number=level.number, cost_fraction=ladder.cost_fraction
            )
        return cls(
            enabled=ladder.enabled,
            taken=[HintAnswer.of(hint, about) for hint in ladder.taken],
            next=upcoming,
            why_not=ladder.why_not,
            model=ModelName.of(ladder.model),
        )


class HintsHandler(TellingHandler):
    """``/courses/{course}/assignments/{assignment}/hints/{grade_id}``: one's own hints."""

    max_json_bytes = _MAX_BYTES

    @property
    def hints(self) -> HintService:
        """The use cases."""
        return self.use_cases.hints

    @web.authenticated
    @permitted(Action.READ)
    @answers(LadderAnswer)
    async def get(self, course: str, assignment: str, grade_id: str) -> None:
        """Return the caller's hints for an exercise, and what comes next (members)."""
        ladder = await self.ask(self.hints.ladder, course, assignment, grade_id)
        self.reply(LadderAnswer.of(ladder, self.hints.about))

    @web.authenticated
    @permitted(Action.WRITE)
    @answers(HintAnswer, HTTPStatus.CREATED, body=HintWish, also=MediaType.EVENTS)
    async def post(self, course: str, assignment: str, grade_id: str) -> None:
        """Give the caller the next hint; the same attempt gets its hint again (members).

        With `Accept: text/event-stream` as events: `text` and `replace` with `{text}`, then `done`
        with the hint, or `error` with the error's body.
        """
        wish = self.json_body(HintWish)
        failing = None
        if wish.failure is not None:
            failing = FailingCheck(**wish.failure.model_dump())
        caller = self.caller

        def work(on_words: OnWords | None) -> GivenHint:
            return self.hints.ask(
                caller, course, assignment, grade_id, wish.answer, failing, on_words
            )

        about = self.hints.about
        await self.tell(work, lambda given: HintAnswer.of(given.hint, about, given.note))


handlers: list[tuple[str, type[PPOHandler]]] = [
    ("/courses/{course}/assignments/{assignment}/hints/{grade_id}", HintsHandler)
]
