"""Webhooks of a course: its addresses, and what they were told."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field
from tornado import web

from jupyter_ppo.domain import webhooks as domain
from jupyter_ppo.domain.webhooks import DeliveryState, WebhookEvent
from jupyter_ppo.services.webhooks import MadeWebhook as DomainMade
from jupyter_ppo.web.base import PPOHandler
from jupyter_ppo.web.models import Answer, Body, Page, PageQuery, Time, page_numbers
from jupyter_ppo.web.operations import Action, answers, permitted

_COURSE = "/courses/{course}/webhooks"


class NewWebhook(Body):
    """An address to register: ``events`` are all that there are if left out."""

    name: str
    url: str
    events: Annotated[
        list[WebhookEvent], Field(default_factory=lambda: list(domain.SUBSCRIBABLE), max_length=20)
    ]


class WebhookPatch(Body):
    """What to change; what is absent stays."""

    name: str | None = None
    url: str | None = None
    events: Annotated[list[WebhookEvent] | None, Field(max_length=20)] = None
    is_active: bool | None = None


class WebhookRotation(Body):
    """How long the old secret signs beside the new one."""

    overlap_hours: Annotated[float, Field(ge=0, le=domain.MAX_OVERLAP_HOURS)] = (
        domain.DEFAULT_OVERLAP_HOURS
    )


class DeliveriesQuery(PageQuery):
    """Which part of the list; ``state`` keeps some."""

    state: DeliveryState | None = None


class Webhook(Answer):
    """An address without its secret. ``overlap_until``: two secrets sign until then."""

    id: UUID
    name: str
    url: str
    events: list[WebhookEvent]
    is_active: bool
    created_by: str
    created_at: Time
    overlap_until: Time | None

    @classmethod
    def of(cls, webhook: domain.Webhook) -> Webhook:
        """Make the body from the domain's object."""
        return cls(**_fields(cls, webhook) | {"events": list(webhook.events)})


class MadeWebhook(Answer):
    """A webhook and its new secret, which is shown this once."""

    webhook: Webhook
    secret: str

    @classmethod
    def of(cls, made: DomainMade) -> MadeWebhook:
        """Make the body from the service's object."""
        return cls(webhook=Webhook.of(made.webhook), secret=made.secret)


class WebhookPage(Page[Webhook]):
    """Webhooks, newest first."""


class Delivery(Answer):
    """A message: how often it was sent, and how the last try ended."""

    id: UUID
    webhook_id: UUID
    event: WebhookEvent
    body: str
    state: DeliveryState
    created_at: Time
    tries: int
    due_at: Time | None
    last_tried_at: Time | None
    status: int | None
    reason: str
    ended_at: Time | None

    @classmethod
    def of(cls, delivery: domain.Delivery) -> Delivery:
        """Make the body from the domain's object."""
        return cls(**_fields(cls, delivery))


class DeliveryPage(Page[Delivery]):
    """Messages, newest first."""


def _fields(kind: type[Answer], item: object) -> dict[str, Any]:
    return {name: getattr(item, name) for name in kind.model_fields}


class WebhooksHandler(PPOHandler):
    """``/courses/{course}/webhooks``."""

    @web.authenticated
    @permitted(Action.READ)
    @answers(WebhookPage, query=PageQuery)
    async def get(self, course: str) -> None:
        """Return the webhooks of a course (instructors), newest first."""
        query = self.query(PageQuery)
        page = await self.ask(
            self.use_cases.webhooks.of_course, course, offset=query.offset, limit=query.limit
        )
        items = [Webhook.of(each) for each in page.items]
        self.reply(WebhookPage(items=items, **page_numbers(page)))

    @web.authenticated
    @permitted(Action.WRITE)
    @answers(MadeWebhook, HTTPStatus.CREATED, body=NewWebhook, same=(HTTPStatus.CONFLICT,))
    async def post(self, course: str) -> None:
        """Register an address (instructors); its secret is shown this once."""
        new = self.json_body(NewWebhook)
        use_case = self.use_cases.webhooks.create
        made = await self.ask(use_case, course, new.name, new.url, new.events)
        self.reply(MadeWebhook.of(made), HTTPStatus.CREATED)


class WebhookHandler(PPOHandler):
    """``/courses/{course}/webhooks/{webhook_id}``."""

    @web.authenticated
    @permitted(Action.READ)
    @answers(Webhook)
    async def get(self, course: str, webhook_id: str) -> None:
        """Return a webhook (instructors)."""
        wanted = self.identifier(webhook_id, "webhook")
        self.reply(Webhook.of(await self.ask(self.use_cases.webhooks.webhook, course, wanted)))

    @web.authenticated
    @permitted(Action.WRITE)
    @answers(Webhook, body=WebhookPatch)
    async def patch(self, course: str, webhook_id: str) -> None:
        """Change a webhook's name, address or events, or stop it for a while (instructors)."""
        patch = self.json_body(WebhookPatch)
        changed = await self.ask(
            self.use_cases.webhooks.change,
            course,
            self.identifier(webhook_id, "webhook"),
            name=patch.name,
            url=patch.url,
            events=patch.events,
            is_active=patch.is_active,
        )
        self.reply(Webhook.of(changed))

    @web.authenticated
    @permitted(Action.WRITE)
    @answers(Webhook)
    async def delete(self, course: str, webhook_id: str) -> None:
        """Delete a webhook with everything that it was and is to be told (instructors)."""
        wanted = self.identifier(webhook_id, "webhook")
        self.reply(Webhook.of(await self.ask(self.use_cases.webhooks.delete, course, wanted)))


class WebhookRotationHandler(PPOHandler):
    """``/courses/{course}/webhooks/{webhook_id}/rotate``."""

    @web.authenticated
    @permitted(Action.WRITE)
    @answers(MadeWebhook, body=WebhookRotation)
    async def post(self, course: str, webhook_id: str) -> None:
        """Give a webhook a new secret (instructors); the old one signs as well for a while."""
        rotation = self.json_body(WebhookRotation)
        made = await self.ask(
            self.use_cases.webhooks.rotate,
            course,
            self.identifier(webhook_id, "webhook"),
            rotation.overlap_hours,
        )
        self.reply(MadeWebhook.of(made))


class WebhookTestHandler(PPOHandler):
    """``/courses/{course}/webhooks/{webhook_id}/test``."""

    @web.authenticated
    @permitted(Action.WRITE)
    @answers(Delivery, HTTPStatus.ACCEPTED)
    async def post(self, course: str, webhook_id: str) -> None:
        """Send a ping to a webhook (instructors); what comes of it is among its deliveries."""
        wanted = self.identifier(webhook_id, "webhook")
        sent = await self.ask(self.use_cases.webhooks.test, course, wanted)
        self.reply(Delivery.of(sent), HTTPStatus.ACCEPTED)


class DeliveriesHandler(PPOHandler):
    """``/courses/{course}/webhooks/{webhook_id}/deliveries``."""

    @web.authenticated
    @permitted(Action.READ)
    @answers(DeliveryPage, query=DeliveriesQuery)
    async def get(self, course: str, webhook_id: str) -> None:
        """Return what a webhook was and is to be told (instructors), newest first."""
        query = self.query(DeliveriesQuery)
        page = await self.ask(
            self.use_cases.webhooks.deliveries,
            course,
            self.identifier(webhook_id, "webhook"),
            state=query.state,
            offset=query.offset,
            limit=query.limit,
        )
        items = [Delivery.of(each) for each in page.items]
        self.reply(DeliveryPage(items=items, **page_numbers(page)))


class ReplayHandler(PPOHandler):
    """``/courses/{course}/webhooks/deliveries/{delivery_id}/replay``."""

    @web.authenticated
    @permitted(Action.WRITE)
    @answers(Delivery, HTTPStatus.ACCEPTED, same=(HTTPStatus.CONFLICT,))
    async def post(self, course: str, delivery_id: str) -> None:
        """Send a message again now, with the same id and every try before it (instructors)."""
        wanted = self.identifier(delivery_id, "delivery")
        again = await self.ask(self.use_cases.webhooks.replay, course, wanted)
        self.reply(Delivery.of(again), HTTPStatus.ACCEPTED)


handlers: list[tuple[str, type[PPOHandler]]] = [
    (_COURSE, WebhooksHandler),
    (f"{_COURSE}/{{webhook_id}}", WebhookHandler),
    (f"{_COURSE}/{{webhook_id}}/rotate", WebhookRotationHandler),
    (f"{_COURSE}/{{webhook_id}}/test", WebhookTestHandler),
    (f"{_COURSE}/{{webhook_id}}/deliveries", DeliveriesHandler),
    (f"{_COURSE}/deliveries/{{delivery_id}}/replay", ReplayHandler),
]
