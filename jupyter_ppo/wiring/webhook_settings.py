"""Settings of webhooks, and the objects that they become."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from traitlets import Integer, List, TraitError, Unicode, validate
from traitlets.config import LoggingConfigurable

from jupyter_ppo.domain.errors import InvalidInputError
from jupyter_ppo.domain.ports import Clock, CourseStore
from jupyter_ppo.domain.webhook_addresses import AllowedHosts
from jupyter_ppo.jobs.posting import Poster
from jupyter_ppo.jobs.senders import Senders
from jupyter_ppo.services.audit import AuditLog
from jupyter_ppo.services.webhook_sending import WebhookSending
from jupyter_ppo.services.webhooks import WebhookService
from jupyter_ppo.storage.database import Database
from jupyter_ppo.storage.secret_box import BOX_KEY_FILE, SecretBox
from jupyter_ppo.storage.webhook_outbox import WebhookOutbox
from jupyter_ppo.storage.webhooks import Webhooks


@dataclass(frozen=True)
class BuiltWebhooks:
    """The use cases, who sends, and what is deleted once a day."""

    service: WebhookService
    senders: Senders
    forget: Callable[[], int]


class WebhookSettings(LoggingConfigurable):
    """The part of ``PPOService`` that is about webhooks."""

    webhook_allowed_hosts = List(
        Unicode(),
        help="""Where webhooks may go beyond the public internet: names of hosts, IP addresses and
        networks, for example ``["hooks.example.edu", "10.20.0.0/16"]``. A host that is named
        may also be reached by http. Default: none. See docs/webhooks.md.""",
    ).tag(config=True)

    webhook_senders = Integer(
        2,
        min=0,
        max=32,
        help="""Messages to webhooks that this process sends at the same time. 0: it sends none,
        and another process that shares the database does.""",
    ).tag(config=True)

    webhook_days = Integer(
        30,
        min=1,
        help="""Days for which messages to webhooks that were sent or given up are kept.""",
    ).tag(config=True)

    @validate("webhook_allowed_hosts")
    def _check_webhook_allowed_hosts(self, proposal: Any) -> list[str]:
        value: list[str] = proposal["value"]
        try:
            AllowedHosts(value)
        except InvalidInputError as error:
            raise TraitError(error.message) from None
        return value

    def build_webhooks(
        self,
        *,
        database: Database,
        folder: Path,
        courses: CourseStore,
        clock: Clock,
        audit: AuditLog,
    ) -> BuiltWebhooks:
        """Return what webhooks need; the key in ``folder`` is made on first use."""
        allowed = AllowedHosts(self.webhook_allowed_hosts)
        outbox, box = WebhookOutbox(database), SecretBox(folder / BOX_KEY_FILE)
        sending = WebhookSending(
            outbox=outbox, box=box, posts=Poster(allowed), allowed=allowed, clock=clock
        )
        senders = Senders(outbox, sending.send, senders=self.webhook_senders)
        service = WebhookService(
            courses=courses,
            webhooks=Webhooks(database),
            box=box,
            allowed=allowed,
            on_queued=senders.wake,
            audit=audit,
        )
        days = timedelta(days=self.webhook_days)
        return BuiltWebhooks(service, senders, lambda: outbox.forget(days))
