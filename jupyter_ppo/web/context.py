"""What every handler gets from the extension."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from jupyter_server.auth import User

from jupyter_ppo.domain.access import Caller
from jupyter_ppo.domain.errors import BusyError, PPOError
from jupyter_ppo.domain.ports import Sandbox
from jupyter_ppo.domain.sandbox import SandboxStatus
from jupyter_ppo.domain.scope import in_this_scope
from jupyter_ppo.services.rate_limits import RateLimits, unlimited
from jupyter_ppo.services.use_cases import UseCases
from jupyter_ppo.web.streams import OpenStreams

#: Says who a signed-in person is; raises ``PPOError`` for whoever may not be here.
CallerOf = Callable[[User], Awaitable[Caller]]

#: The key of the context in the settings of the web application.
SETTING = "jupyter_ppo"

T = TypeVar("T")

#: What a client of a stopping server is told to wait, in seconds: a restart takes that long.
_STOPPING_SECONDS = 10.0
#: Requests that wait for the database or the disk at the same time; more of them queue.
_THREADS = 8
#: Words that a language model writes at the same time; each holds a thread for many seconds.
_WRITERS = 32
#: How old an answer of the engine may be where anyone may ask, in seconds.
_RECENT_SECONDS = 3.0


class WebContext:
    """The use cases, who a signed-in person is, threads that keep the loop free, open streams.

    ``problem`` says why there is no service; then every request but the one for the health of the
    server is answered with it. Without ``grades_here`` workers elsewhere grade, and the sandbox is
    not needed.
    """

    def __init__(
        self,
        *,
        caller: CallerOf,
        use_cases: UseCases | None = None,
        sandbox: Sandbox | None = None,
        problem: PPOError | None = None,
        limits: RateLimits | None = None,
        grades_here: bool = True,
    ) -> None:
        self.caller = caller
        self.limits = limits or unlimited()
        self.problem = problem
        self.grades_here = grades_here
        self.streams = OpenStreams()
        self.threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="jupyter-ppo-web")
        self.writers = ThreadPoolExecutor(_WRITERS, thread_name_prefix="jupyter-ppo-words")
        self._use_cases = use_cases
        self._sandbox = sandbox
        self._looking: asyncio.Future[SandboxStatus] | None = None
        self._seen: tuple[float, SandboxStatus] | None = None

    @property
    def use_cases(self) -> UseCases:
        """All use cases; raises ``problem`` when there are none."""
        if self._use_cases is None:
            raise self.unavailable()
        return self._use_cases

    def unavailable(self) -> PPOError:
        """Return ``problem``, fit to be raised once more."""
        # An exception that is raised again and again collects the frames of every request.
        problem = self.problem or PPOError("The service was not built.")
        return problem.with_traceback(None)

    async def in_thread(self, work: Callable[[], T]) -> T:
        """Run ``work`` so that the server goes on meanwhile.

        Raises ``BusyError`` when the server stops before its turn.
        """
        try:
            asked = self.threads.submit(in_this_scope(work))
        except RuntimeError as error:  # the threads have ended
            raise _stopping() from error
        try:
            return await asyncio.wrap_future(asked)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            raise _stopping() from None  # it waited for a thread when they were told to end

    async def sandbox_status(self) -> SandboxStatus:
        """Say whether submitted code can run; any number of requests ask the engine once."""
        if self._sandbox is None:
            raise self.unavailable()
        if self._looking is None or self._looking.done():
            loop = asyncio.get_running_loop()
            self._looking = loop.run_in_executor(self.threads, self._sandbox.status)
        status = await asyncio.shield(self._looking)
        self._seen = asyncio.get_running_loop().time(), status
        return status

    async def recent_sandbox_status(self) -> SandboxStatus:
        """Say the same as ``sandbox_status``, but ask the engine only every few seconds."""
        if self._seen is not None:
            when, status = self._seen
            if asyncio.get_running_loop().time() - when < _RECENT_SECONDS:
                return status
        return await self.sandbox_status()

    def close(self) -> None:
        """Wait for the requests under way and end the threads; words are cut short."""
        # Not waited for: they end with the model's connection, which is closed after this.
        self.writers.shutdown(wait=False, cancel_futures=True)
        self.threads.shutdown(wait=True, cancel_futures=True)


def _stopping() -> BusyError:
    msg = "This server is stopping. Send the request again."
    return BusyError(msg, retry_after=_STOPPING_SECONDS)
