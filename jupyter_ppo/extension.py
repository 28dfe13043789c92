"""The server extension: settings to objects to handlers, and an orderly end."""

from __future__ import annotations

import asyncio
import threading

from jupyter_server.extension.application import ExtensionApp
from traitlets import TraitError

from jupyter_ppo.domain.access import Caller
from jupyter_ppo.domain.errors import PPOError, UnavailableError
from jupyter_ppo.web.context import SETTING, WebContext
from jupyter_ppo.web.urls import url_rules
from jupyter_ppo.wiring import PPOService, Service


def _nobody(username: str) -> Caller:
    """Say who a signed-in person is where the settings that tell cannot be used: nobody special."""
    return Caller(username)


class PPOExtension(ExtensionApp):
    """Adds ``/jupyter-ppo/api/v1`` to a Jupyter server; its settings are those of ``PPOService``.

    A server starts with this extension whatever is missing: without a container engine nothing is
    graded, and without a usable database every request is answered with the reason.
    """

    name = "jupyter_ppo"
    classes = [*ExtensionApp.classes, PPOService]  # noqa: RUF012 - traitlets' own convention

    service: Service | None = None
    _context: WebContext | None = None
    _starter: threading.Thread | None = None

    def initialize_settings(self) -> None:
        """Build the service and start it beside the server; called once by Jupyter Server."""
        problem: PPOError | None = None
        caller = _nobody
        try:
            configured = PPOService(parent=self)
            caller = configured.caller
            self.service = configured.build()
            configured.hide_key()
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
        )
        self.settings[SETTING] = self._context
        if self.service is not None:
            # Looking for an engine takes seconds when it hangs; the server does not wait for it.
            self._starter = threading.Thread(
                target=self._start, args=(self.service,), name="jupyter-ppo-start"
            )
            self._starter.start()

    def initialize_handlers(self) -> None:
        """Add the whole address table; called once by Jupyter Server."""
        self.handlers.extend(url_rules())

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
