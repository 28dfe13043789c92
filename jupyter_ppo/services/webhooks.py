"""Webhooks of a course: registered, changed, rotated, tried and looked at by its instructors."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol
from uuid import UUID

from jupyter_ppo.domain import webhooks as domain
from jupyter_ppo.domain.access import Caller
from jupyter_ppo.domain.courses import Course
from jupyter_ppo.domain.errors import NotFoundError
from jupyter_ppo.domain.ports import CourseStore, Page
from jupyter_ppo.domain.webhook_addresses import AllowedHosts, checked_target, read_target
from jupyter_ppo.domain.webhooks import (
    Delivery,
    DeliveryState,
    NewWebhook,
    Webhook,
    WebhookEvent,
)
from jupyter_ppo.services.access import Access
from jupyter_ppo.services.audit import AuditLog, note


class WebhookStore(Protocol):
    """Where webhooks are kept, and what they were and are to be told."""

    def add(self, new: NewWebhook, secret: str) -> Webhook:
        """Add a webhook; raise ``ConflictError`` when its course has too many."""

    def webhook(self, webhook_id: UUID) -> Webhook:
        """Return a webhook; raise ``NotFoundError``."""

    def of_course(self, course_id: UUID, *, offset: int, limit: int) -> Page[Webhook]:
        """Return the webhooks of a course, newest first."""

    def change(self, webhook_id: UUID, changes: Mapping[str, Any]) -> Webhook:
        """Set ``name``, ``url``, ``events`` or ``is_active``."""

    def rotate(self, webhook_id: UUID, secret: str, overlap: timedelta) -> Webhook:
        """Sign with ``secret`` from now on, and with the one before for ``overlap``."""

    def delete(self, webhook_id: UUID) -> None:
        """Delete a webhook with everything that was or is to be sent."""

    def ping(self, webhook_id: UUID) -> Delivery:
        """Send a message that says nothing but that it came."""

    def deliveries(
        self, webhook_id: UUID, *, state: DeliveryState | None = None, offset: int, limit: int
    ) -> Page[Delivery]:
        """Return what was and is to be sent, newest first."""

    def delivery(self, delivery_id: UUID) -> Delivery:
        """Return a message; raise ``NotFoundError``."""

    def replay(self, delivery_id: UUID) -> Delivery:
        """Send a message again now; raise ``ConflictError`` while it is being sent."""


class SealsSecrets(Protocol):
    """Makes of a secret what may be kept."""

    def seal(self, secret: str) -> str:
        """Return it sealed; raise ``UnavailableError``."""


@dataclass(frozen=True, slots=True)
class MadeWebhook:
    """A webhook with its new secret, which is shown this once."""

    webhook: Webhook
    secret: str


class WebhookService:
    """What instructors do with the webhooks of their course; ``on_queued`` wakes who sends.

    Every method raises ``NotFoundError`` for a course that the caller is not in and
    ``ForbiddenError`` unless they may author in it.
    """

    def __init__(
        self,
        *,
        courses: CourseStore,
        webhooks: WebhookStore,
        box: SealsSecrets,
        allowed: AllowedHosts,
        on_queued: Callable[[], None],
        audit: AuditLog,
    ) -> None:
        self._access = Access(courses)
        self._webhooks = webhooks
        self._box = box
        self._allowed = allowed
        self._on_queued = on_queued
        self._audit = audit

    def create(
        self, caller: Caller, course_name: str, name: str, url: str, events: Iterable[WebhookEvent]
    ) -> MadeWebhook:
        """Register an address; raise ``InvalidInputError``, ``ConflictError`` for too many."""
        course = self._access.author(caller, course_name)
        new = NewWebhook(
            course_id=course.id,
            name=domain.checked_name(name),
            url=self._checked_url(url),
            events=domain.checked_events(events),
            created_by=caller.user,
        )
        secret = domain.new_webhook_secret()
        made = self._webhooks.add(new, self._box.seal(secret))
        self._note(caller, "webhook.created", made)
        return MadeWebhook(made, secret)

    def of_course(
        self, caller: Caller, course_name: str, *, offset: int, limit: int
    ) -> Page[Webhook]:
        """Return the webhooks of a course, newest first."""
        course = self._access.author(caller, course_name)
        return self._webhooks.of_course(course.id, offset=offset, limit=limit)

    def webhook(self, caller: Caller, course_name: str, webhook_id: UUID) -> Webhook:
        """Return one of them; raise ``NotFoundError``."""
        return self._own(self._access.author(caller, course_name), webhook_id)

    def change(
        self,
        caller: Caller,
        course_name: str,
        webhook_id: UUID,
        *,
        name: str | None = None,
        url: str | None = None,
        events: Iterable[WebhookEvent] | None = None,
        is_active: bool | None = None,
    ) -> Webhook:
        """Change what is given; raise ``NotFoundError`` or ``InvalidInputError``.

        What waits to be sent goes to the new address; while it is not active, it waits.
        """
        self._own(self._access.author(caller, course_name), webhook_id)
        changes: dict[str, Any] = {}
        if name is not None:
            changes["name"] = domain.checked_name(name)
        if url is not None:
            changes["url"] = self._checked_url(url)
        if events is not None:
            changes["events"] = domain.checked_events(events)
        if is_active is not None:
            changes["is_active"] = is_active
        changed = self._webhooks.change(webhook_id, changes)
        self._note(caller, "webhook.changed", changed)
        self._on_queued()
        return changed

    def rotate(
        self,
        caller: Caller,
        course_name: str,
        webhook_id: UUID,
        overlap_hours: float = domain.DEFAULT_OVERLAP_HOURS,
    ) -> MadeWebhook:
        """Give a webhook a new secret; the old one signs as well for ``overlap_hours``."""
        self._own(self._access.author(caller, course_name), webhook_id)
        overlap = domain.checked_overlap(overlap_hours)
        secret = domain.new_webhook_secret()
        made = self._webhooks.rotate(webhook_id, self._box.seal(secret), overlap)
        self._note(caller, "webhook.rotated", made)
        return MadeWebhook(made, secret)

    def delete(self, caller: Caller, course_name: str, webhook_id: UUID) -> Webhook:
        """Delete a webhook, and what it was and is to be told; return what it was."""
        webhook = self._own(self._access.author(caller, course_name), webhook_id)
        self._webhooks.delete(webhook_id)
        self._note(caller, "webhook.deleted", webhook)
        return webhook

    def test(self, caller: Caller, course_name: str, webhook_id: UUID) -> Delivery:
        """Send a ``ping``, whatever the webhook is subscribed to."""
        webhook = self._own(self._access.author(caller, course_name), webhook_id)
        delivery = self._webhooks.ping(webhook_id)
        self._note(caller, "webhook.tested", webhook)
        self._on_queued()
        return delivery

    def deliveries(
        self,
        caller: Caller,
        course_name: str,
        webhook_id: UUID,
        *,
        state: DeliveryState | None = None,
        offset: int,
        limit: int,
    ) -> Page[Delivery]:
        """Return what was and is to be sent, newest first; ``state`` keeps some."""
        self._own(self._access.author(caller, course_name), webhook_id)
        return self._webhooks.deliveries(webhook_id, state=state, offset=offset, limit=limit)

    def replay(self, caller: Caller, course_name: str, delivery_id: UUID) -> Delivery:
        """Send a message again now, with the same id; raise ``ConflictError`` while it is sent."""
        course = self._access.author(caller, course_name)
        delivery = self._webhooks.delivery(delivery_id)
        try:
            webhook = self._own(course, delivery.webhook_id)
        except NotFoundError:
            msg = f"There is no delivery {str(delivery_id)!r}."
            raise NotFoundError(msg, field="delivery") from None
        again = self._webhooks.replay(delivery_id)
        self._note(caller, "webhook.replayed", webhook, delivery=str(delivery_id))
        self._on_queued()
        return again

    # ----------------------------------------------------------------------------------------

    def _own(self, course: Course, webhook_id: UUID) -> Webhook:
        webhook = self._webhooks.webhook(webhook_id)
        if webhook.course_id != course.id:
            msg = f"There is no webhook {str(webhook_id)!r}."
            raise NotFoundError(msg, field="webhook")
        return webhook

    def _checked_url(self, url: str) -> str:
        url = url.strip()
        checked_target(url, self._allowed)
        return url

    def _note(self, caller: Caller, action: str, webhook: Webhook, **more: str) -> None:
        detail = {
            "webhook": str(webhook.id),
            # Not the whole address: a path may hold a secret of the receiver's.
            "origin": read_target(webhook.url).origin,
            "events": list(webhook.events),
            "is_active": webhook.is_active,
            **more,
        }
        note(self._audit, caller.user, action, f"{webhook.course}/{webhook.id}", detail)
