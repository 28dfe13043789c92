"""Explanations of an error, a cell or a training run."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, RootModel
from tornado import web

from jupyter_ppo.domain.tutoring import ExplanationKind, HintSource, ModelAbout
from jupyter_ppo.services.explaining import (
    MAX_CODE,
    MAX_MESSAGE,
    MAX_QUESTION,
    Asked,
    CellAsked,
    ErrorAsked,
    GivenExplanation,
    RunAsked,
)
from jupyter_ppo.services.model_words import OnWords
from jupyter_ppo.services.tutor_questions import said_by
from jupyter_ppo.web.base import PPOHandler
from jupyter_ppo.web.models import Answer, Body, Time
from jupyter_ppo.web.operations import Action, MediaType, answers, permitted
from jupyter_ppo.web.telling import TellingHandler

_MAX_BYTES = 512 * 2**10

Code = Annotated[str, Field(max_length=MAX_CODE)]
Name = Annotated[str, Field(max_length=100)]


class ErrorWish(Body):
    """An error to explain, as the notebook shows it."""

    kind: Literal["error"]
    assignment: Name | None = None
    code: Code
    error_type: Annotated[str, Field(max_length=MAX_QUESTION)]
    message: Annotated[str, Field(max_length=MAX_MESSAGE)]
    traceback: Code


class CellWish(Body):
    """A cell to explain."""

    kind: Literal["cell"]
    assignment: Name | None = None
    code: Code


class RunWish(Body):
    """A run of one's own to explain; without ``update`` its most striking one."""

    kind: Literal["run"]
    run_id: UUID
    update: Annotated[int, Field(ge=1, le=2**31)] | None = None
    question: Annotated[str, Field(max_length=MAX_QUESTION)] = ""


class ExplanationWish(
    RootModel[Annotated[ErrorWish | CellWish | RunWish, Field(discriminator="kind")]]
):
    """What is to be explained."""

    @property
    def asked(self) -> Asked:
        """The same as the use case takes it."""
        wish = self.root
        match wish:
            case ErrorWish():
                return ErrorAsked(
                    wish.code, wish.error_type, wish.message, wish.traceback, wish.assignment
                )
            case CellWish():
                return CellAsked(wish.code, wish.assignment)
            case RunWish():
                return RunAsked(wish.run_id, wish.update, wish.question)


class ExplanationAnswer(Answer):
    """An explanation in plain text; ``facts`` were found by rules, whoever wrote the text."""

    id: UUID
    kind: ExplanationKind
    source: HintSource
    model: str | None
    text: str
    facts: list[str]
    at: Time
    said_by: str
    note: str

    @classmethod
    def of(cls, given: GivenExplanation, about: ModelAbout | None) -> ExplanationAnswer:
        """Make the body from the domain's object."""
        new = given.explanation.new
        return cls(
            id=given.explanation.id,
            kind=new.kind,
            source=new.source,
            model=new.model or None,
            text=new.text,
            facts=list(given.facts),
            at=given.explanation.at,
            said_by=said_by(new.source, new.model, about),
            note=given.note,
        )


class ExplanationsHandler(TellingHandler):
    """``/courses/{course}/explanations``: an explanation of what is one's own."""

    max_json_bytes = _MAX_BYTES

    @web.authenticated
    @permitted(Action.WRITE)
    @answers(ExplanationAnswer, HTTPStatus.CREATED, body=ExplanationWish, also=MediaType.EVENTS)
    async def post(self, course: str) -> None:
        """Explain an error, a cell or a training run of the caller's (members).

        With `Accept: text/event-stream` as events: `text` and `replace` with `{text}`, then `done`
        with the explanation, or `error` with the error's body.
        """
        asked = self.json_body(ExplanationWish).asked
        explanations, caller = self.use_cases.explanations, self.caller

        def work(on_words: OnWords | None) -> GivenExplanation:
            return explanations.explain(caller, course, asked, on_words)

        about = explanations.about
        await self.tell(work, lambda given: ExplanationAnswer.of(given, about))


handlers: list[tuple[str, type[PPOHandler]]] = [
    ("/courses/{course}/explanations", ExplanationsHandler)
]
