"""The server extension: settings to objects to handlers, and an orderly end."""

from __future__ import annotations

import asyncio
import threading
from typing import ClassVar

from jupyter_server.auth import User
from jupyter_server.extension.application import ExtensionApp
from traitlets import TraitError

from jupyter_ppo.domain.access import Caller
from jupyter_ppo.domain.errors import PPOError, UnavailableError
from jupyter_ppo.services.rate_limits import RateLimits
from jupyter_ppo.web.context import SETTING, CallerOf, WebContext
from jupyter_ppo.web.forwarding_base import UPSTREAM
from jupyter_ppo.web.forwarding_urls import forwarding_rules
from jupyter_ppo.web.urls import url_rules
from jupyter_ppo.wiring import PPOService, Service


async def _nobody(user: User) -> Caller:
    """Say who a signed-in person is where the settings that tell cannot be used: nobody special."""
    return Caller(user.username)


class PPOExtension(ExtensionApp):
    """Adds ``/jupyter-ppo/api/v1`` to a Jupyter server; its settings are those of ``PPOService``.

    A server starts with this extension whatever is missing: without a container engine nothing is
    graded, and without a usable database every request is answered with the reason.
    """

    name = "jupyter_ppo"
    classes = [*ExtensionApp.classes, PPOService]  # noqa: RUF012 - traitlets' own convention

    #: The course service itself sends nobody on, whatever its environment says.
    may_forward: ClassVar[bool] = True

    service: Service | None = None
    _context: WebContext | None = None
    _starter: threading.Thread | None = None

    def initialize_settings(self) -> None:
        """Build the service and start it beside the server; called once by Jupyter Server."""
        problem: PPOError | None = None
        caller: CallerOf = _nobody
        limits: RateLimits | None = None
        grades_here = True
        try:
            configured = PPOService(parent=self)
            if self.may_forward and configured.service_url:
                self.settings[UPSTREAM] = configured.build_upstream()
            else:
                self.service = configured.build()
            configured.hide_key()
            grades_here = configured.grading_workers > 0
            caller = self.caller_of(configured)
            limits = configured.build_rate_limits(is_shared=configured.identity != "owner")
        except TraitError as error:
            msg = f"A setting of PPOService cannot be used. {error}"
            self.log.error("jupyter_ppo is not available: %s", msg)
            problem = UnavailableError(msg)
        except PPOError as error:
            self.log.error("jupyter_ppo is not available: %s", error.message)
            problem = error.with_traceback(None)
        except Exception:
            self.log.exception("jupyter_ppo is not available")
            msg = "The course database cannot be opened. The server's log says why."
            problem = UnavailableError(msg)
        self._context = WebContext(
            caller=caller,
            use_cases=self.service.use_cases if self.service else None,
            sandbox=self.service.sandbox if self.service else None,
            problem=problem,
            limits=limits,
            grades_here=grades_here,
        )
        self.settings[SETTING] = self._context
        if self.service is not None:
            # Looking for an engine takes seconds when it hangs; the server does not wait for it.
            self._starter = threading.Thread(
                target=self._start, args=(self.service,), name="jupyter-ppo-start"
            )
            self._starter.start()

    def caller_of(self, settings: PPOService) -> CallerOf:
        """Say who a signed-in person is; another identity than the server's own overrides it."""

        async def caller(user: User) -> Caller:
            return settings.caller(user.username)

        return caller

    def initialize_handlers(self) -> None:
        """Add the whole address table; called once by Jupyter Server."""
        self.handlers.extend(forwarding_rules() if UPSTREAM in self.settings else url_rules())

    async def stop_extension(self) -> None:
        """Let requests and grading end, then close the database; called when the server stops."""
        if self._context is not None:
            self._context.streams.close()
        await asyncio.to_thread(self._stop)

    def _start(self, service: Service) -> None:
        try:
            service.start()
        except Exception:
            self.log.exception("jupyter_ppo does not grade in this process")

    def _stop(self) -> None:
        if self.service is not None:
            self.service.training.refuse()
            self.service.executions.refuse()
            self.service.sealings.stop()
            # A request that waits for a language model would hold the end up for a minute.
            self.service.drafts.refuse()
            self.service.gate.close()
        if self._starter is not None:
            self._starter.join()
        if self._context is not None:
            self._context.close()
        if self.service is not None:
            self.service.stop()
        self.service = self._context = self._starter = None
