"""What was asked of language models, and what it cost: for whoever grades."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field
from tornado import web

from jupyter_ppo.domain import tutoring
from jupyter_ppo.domain.tutoring import PICO, CallState, Purpose
from jupyter_ppo.services.model_call_log import MAX_DAYS, CallView, Spending
from jupyter_ppo.web.base import PPOHandler
from jupyter_ppo.web.models import Answer, Page, PageQuery, Query, Time, page_numbers
from jupyter_ppo.web.operations import Action, answers, permitted


class ModelCallsQuery(PageQuery):
    """Which calls of a course; ``user`` is whose text they are about."""

    assignment: str | None = None
    purpose: Purpose | None = None
    user: str | None = None


class SpendQuery(Query):
    """How many days (UTC), today included."""

    days: Annotated[int, Field(ge=1, le=MAX_DAYS)] = 30


class ModelCall(Answer):
    """One call without its texts; tokens are null until it is answered, ``cost`` is money."""

    id: UUID
    at: Time
    purpose: Purpose
    state: CallState
    user: str
    asked_by: str
    assignment: str | None
    grade_id: str
    provider: str
    model: str
    model_said: str
    template: str
    template_version: int
    input_tokens: int | None
    output_tokens: int | None
    cached_tokens: int | None
    usage_estimated: bool
    cost: float
    currency: str
    latency_ms: int
    tries: int
    flags: list[str]
    error: str

    @classmethod
    def fields_of(cls, view: CallView, currency: str) -> dict[str, Any]:
        """Return what every answer about a call has."""
        call, new, usage = view.call, view.call.new, view.call.usage
        return {
            "id": new.id,
            "at": call.at,
            "purpose": new.purpose,
            "state": call.state,
            "user": new.user,
            "asked_by": new.asked_by,
            "assignment": view.assignment,
            "grade_id": new.grade_id,
            "provider": new.provider,
            "model": new.model,
            "model_said": call.model_said,
            "template": new.template,
            "template_version": new.template_version,
            "input_tokens": None if usage is None else usage.input,
            "output_tokens": None if usage is None else usage.output,
            "cached_tokens": None if usage is None else usage.cached_input,
            "usage_estimated": usage is not None and usage.is_estimated,
            "cost": money(call.cost),
            "currency": currency,
            "latency_ms": call.latency_ms,
            "tries": call.tries,
            "flags": list(new.flags),
            "error": call.error,
        }


class ModelCallPage(Page[ModelCall]):
    """A part of a course's calls, newest first."""


class PromptPart(Answer):
    """A part of what was sent: ours (``system``), or what holds people's words (``user``)."""

    role: Literal["system", "user"]
    text: str


class ModelCallDetail(ModelCall):
    """Everything of one call; its texts are empty after ``purged_at``.

    ``redactions`` says what stands behind each placeholder, null to who is no instructor.
    """

    parameters: dict[str, Any]
    prompt: list[PromptPart]
    raw_answer: str
    parsed: dict[str, Any] | None
    redactions: dict[str, str | None]
    reviewer_action: str | None
    purged_at: Time | None


class DaySpend(Answer):
    """What one day (UTC) cost, by what it was for; ``cost`` is all of it, ``calls`` a count."""

    date: str
    drafts: float
    hints: float
    explanations: float
    calls: int
    cost: float


class AssignmentSpend(Answer):
    """What one assignment cost; null: what belongs to none."""

    assignment: str | None
    calls: int
    cost: float


class Caps(Answer):
    """The most that may be spent."""

    user_day: float
    assignment: float
    course: float

    @classmethod
    def of(cls, caps: tutoring.Caps) -> Caps:
        """Make the body from the domain's object."""
        return cls(
            user_day=money(caps.user_day),
            assignment=money(caps.assignment),
            course=money(caps.course),
        )


class Spent(Answer):
    """What was spent or is reserved: in the whole course, and today (UTC)."""

    course: float
    today: float


class Spend(Answer):
    """What a course spends on language models; without a price every cost is 0."""

    currency: str
    has_price: bool
    days: list[DaySpend]
    caps: Caps
    spent: Spent
    by_assignment: list[AssignmentSpend]

    @classmethod
    def of(cls, spending: Spending, currency: str) -> Spend:
        """Make the body from the service's answer."""
        return cls(
            currency=currency,
            has_price=spending.has_price,
            days=[
                DaySpend(
                    date=each.day.isoformat(),
                    drafts=money(each.drafts),
                    hints=money(each.hints),
                    explanations=money(each.explanations),
                    calls=each.calls,
                    cost=money(each.cost),
                )
                for each in spending.days
            ],
            caps=Caps.of(spending.caps),
            spent=Spent(course=money(spending.spent_course), today=money(spending.spent_today)),
            by_assignment=[
                AssignmentSpend(assignment=each.assignment, calls=each.calls, cost=money(each.cost))
                for each in spending.by_assignment
            ],
        )


def money(pico: int) -> float:
    """Return picodollars as money."""
    return pico / PICO


class ModelCallsHandler(PPOHandler):
    """``/courses/{course}/model-calls``: the calls of a course."""

    @web.authenticated
    @permitted(Action.READ)
    @answers(ModelCallPage, query=ModelCallsQuery)
    async def get(self, course: str) -> None:
        """List what was asked of language models, newest first, without texts (graders)."""
        log = self.use_cases.model_calls
        query = self.query(ModelCallsQuery)
        page = await self.ask(log.calls, course, **query.model_dump())
        items = [ModelCall(**ModelCall.fields_of(each, log.currency)) for each in page.items]
        self.reply(ModelCallPage(items=items, **page_numbers(page)))


class ModelCallHandler(PPOHandler):
    """``/model-calls/{call}``: one call with its texts."""

    @web.authenticated
    @permitted(Action.READ)
    @answers(ModelCallDetail)
    async def get(self, call: str) -> None:
        """Return exactly what was sent and what came back (graders)."""
        log = self.use_cases.model_calls
        view = await self.ask(log.call, self.identifier(call, "call"))
        found = view.call
        self.reply(
            ModelCallDetail(
                **ModelCall.fields_of(view, log.currency),
                parameters=dict(found.new.parameters),
                prompt=[PromptPart(**each) for each in found.new.prompt],  # type: ignore[arg-type]
                raw_answer=found.raw_answer,
                parsed=None if found.parsed is None else dict(found.parsed),
                redactions={name: value or None for name, value in found.new.redactions.items()},
                reviewer_action=view.reviewer_action,
                purged_at=found.purged_at,
            )
        )


class SpendHandler(PPOHandler):
    """``/courses/{course}/model-spend``: what a course spends."""

    @web.authenticated
    @permitted(Action.READ)
    @answers(Spend, query=SpendQuery)
    async def get(self, course: str) -> None:
        """Return what language models cost, by day and by assignment (graders)."""
        log = self.use_cases.model_calls
        spending = await self.ask(log.spending, course, **self.query(SpendQuery).model_dump())
        self.reply(Spend.of(spending, log.currency))


handlers = [
    ("/courses/{course}/model-calls", ModelCallsHandler),
    ("/model-calls/{call}", ModelCallHandler),
    ("/courses/{course}/model-spend", SpendHandler),
]
