"""Words that come while they are written: server-sent events, or one body at the end.

Source of the format: HTML Living Standard, section 9.2.6, "Interpreting an event stream".
"""

from __future__ import annotations

import asyncio
import functools
import json
import threading
from collections.abc import Callable
from concurrent.futures import Future
from http import HTTPStatus
from typing import Any, TypeVar

from pydantic import BaseModel
from tornado.iostream import StreamClosedError

from jupyter_ppo.domain.errors import BusyError, PPOError
from jupyter_ppo.domain.scope import in_this_scope
from jupyter_ppo.services.model_words import ListenerGoneError, OnWords
from jupyter_ppo.web.base import PPOHandler
from jupyter_ppo.web.errors import error_answer
from jupyter_ppo.web.operations import MediaType

T = TypeVar("T")

#: A comment is sent so often while nothing else is, so that no proxy takes the line for dead.
HEARTBEAT_SECONDS = 10.0
_STOPPING_SECONDS = 10.0
_HEARTBEAT = ": still writing\n\n"

#: An event's name and its data; None is the end.
_Event = tuple[str, dict[str, Any]]


class Listener:
    """The client, as the thread sees it that makes the words; see ``OnWords``."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._gone = threading.Event()
        self.events: asyncio.Queue[_Event | None] = asyncio.Queue()

    def __call__(self, text: str, is_all: bool) -> bool:
        """Hand words on; return whether anybody listens."""
        if self._gone.is_set():
            return False
        if text:
            self.put(("replace" if is_all else "text", {"text": text}))
        return True

    def put(self, event: _Event | None) -> None:
        """Add an event, from any thread."""
        try:
            self._loop.call_soon_threadsafe(self.events.put_nowait, event)
        except RuntimeError:  # the loop has ended, and so has the server
            self._gone.set()

    def leave(self) -> None:
        """Say that nobody listens any more."""
        self._gone.set()

    @property
    def is_gone(self) -> bool:
        """Whether nobody listens any more."""
        return self._gone.is_set()


class TellingHandler(PPOHandler):
    """A verb whose answer is words that take their time.

    It does not work in the threads that short requests share. A client that hangs up stops the
    writing.
    """

    _listener: Listener | None = None

    @property
    def wants_events(self) -> bool:
        """Whether the client asked for events before JSON."""
        accept = self.request.headers.get("Accept", "").lower()
        return MediaType.EVENTS in accept

    async def tell(
        self,
        work: Callable[[OnWords | None], T],
        answer: Callable[[T], BaseModel],
    ) -> None:
        """Answer 201 with what ``work`` makes: as events while it is made, or as one body.

        What goes wrong before the first event is an error as of every other verb; later it is the
        event ``error`` with the same body.
        """
        if not self.wants_events:
            made = await asyncio.wrap_future(self._submit(functools.partial(work, None)))
            self.reply(answer(made), HTTPStatus.CREATED)
            return
        self.context.streams.enter(self, self.caller.user)
        self._listener = listener = Listener()
        try:
            future = self._submit(functools.partial(work, listener))
            future.add_done_callback(lambda _: listener.put(None))
            await self._send(listener, future, answer)
        except StreamClosedError:
            pass  # nobody reads any more
        finally:
            listener.leave()
            self.context.streams.leave(self)

    async def _send(
        self, listener: Listener, future: Future[T], answer: Callable[[T], BaseModel]
    ) -> None:
        has_begun = False
        while True:
            try:
                event = await asyncio.wait_for(listener.events.get(), HEARTBEAT_SECONDS)
            except TimeoutError:
                self._begin()
                has_begun = True
                self.write(_HEARTBEAT)
                await self.flush()
                continue
            if listener.is_gone:
                return
            if event is None:
                break
            self._begin()
            has_begun = True
            self._write_event(*event)
            await self.flush()
        error = future.exception()
        if error is None:
            self._begin()
            self._write_event("done", answer(future.result()).model_dump(mode="json"))
        elif isinstance(error, ListenerGoneError):
            return
        elif not has_begun:
            raise error
        else:
            self._log_mistake(error)
            _, body = error_answer(HTTPStatus.INTERNAL_SERVER_ERROR, error)
            self._write_event("error", body.model_dump(mode="json", exclude_none=True))
        self.finish(set_content_type=f"{MediaType.EVENTS}; charset=utf-8")

    def on_connection_close(self) -> None:
        """Stop the writing: the client has hung up."""
        super().on_connection_close()
        if self._listener is not None:
            self._listener.leave()
            self._listener.put(None)

    def shut(self, code: int, reason: str) -> None:
        """End the stream, because the server stops; ``code`` and ``reason`` are a WebSocket's."""
        del code, reason
        self.on_connection_close()

    def _submit(self, work: Callable[[], T]) -> Future[T]:
        try:
            return self.context.writers.submit(in_this_scope(work))
        except RuntimeError as error:  # the threads have ended
            msg = "This server is stopping. Send the request again."
            raise BusyError(msg, retry_after=_STOPPING_SECONDS) from error

    def _begin(self) -> None:
        if not self._headers_written:
            self.set_status(HTTPStatus.CREATED)
            self.set_header("Content-Type", f"{MediaType.EVENTS}; charset=utf-8")
            self.set_header("X-Accel-Buffering", "no")  # nginx would keep it back

    def _write_event(self, name: str, data: dict[str, Any]) -> None:
        # JSON has no line breaks outside of its strings, and those are escaped.
        self.write(f"event: {name}\ndata: {json.dumps(data)}\n\n")

    def _log_mistake(self, error: BaseException) -> None:
        if not isinstance(error, PPOError):
            self.log.error("Words of %s broke off", self.request.path, exc_info=error)
