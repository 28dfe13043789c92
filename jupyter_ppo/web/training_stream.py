"""A run over a WebSocket: what was measured from a cursor on, and what is measured from now on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, TypeVar
from uuid import UUID

from jupyter_server.base.websocket import WebSocketMixin
from pydantic import BaseModel
from tornado import web
from tornado.websocket import WebSocketClosedError, WebSocketHandler

from jupyter_ppo.domain.errors import BusyError, InvalidInputError, PPOError, TooManyRequestsError
from jupyter_ppo.services.training_reading import RunReader
from jupyter_ppo.web.base import PPOHandler
from jupyter_ppo.web.errors import status_of
from jupyter_ppo.web.operations import Action, answers, permitted
from jupyter_ppo.web.streams import CloseCode
from jupyter_ppo.web.training import TrainingHandler
from jupyter_ppo.web.training_measures import (
    EndMessage,
    Event,
    EventMessage,
    PointsMessage,
    StatusMessage,
    StreamMessage,
    metric_item,
)
from jupyter_ppo.web.training_models import Progress, shown
from jupyter_ppo.web.training_requests import StreamQuery

T = TypeVar("T")

#: Messages are at least so far apart, in seconds: ten in a second.
MESSAGE_SECONDS = 0.1
#: A message is no larger, unless one point or event alone is.
MAX_MESSAGE_BYTES = 256 * 2**10
#: The files are looked at so often, and the record in the database once in so many looks.
_LOOK_SECONDS = 0.25
_LOOKS_PER_STATUS = 4
#: So many items are tried to fit into the first message; after that as many as did fit.
_FIRST_ITEMS, _MOST_ITEMS = 200, 10_000
#: What a client may send at most before it is told that nothing is taken.
_MAX_RECEIVED_BYTES = 4096
#: RFC 6455 has no room for more in a closing frame.
_MAX_REASON_BYTES = 123

#: Reads from a cursor at most so many items; returns the message, its items and the next cursor.
Read = Callable[[int, int], tuple[BaseModel, int, int]]


class RunStreamHandler(WebSocketMixin, WebSocketHandler, TrainingHandler):
    """``/runs/{run_id}/stream``: messages about a run, as they come.

    One message is under way at a time: a slow reader is waited for, and nothing is kept for it but
    its cursor. Reading goes on in the run's files, so that any number of streams cost the worker
    nothing.
    """

    _task: asyncio.Task[None] | None = None
    _is_closed: bool = False
    _sent_at: float = 0.0
    _fit: int = _FIRST_ITEMS

    async def prepare(self) -> None:  # type: ignore[override]
        """Let the same doors stand before a stream as before every other address.

        The mixin's own would pass by the checks of ``PPOHandler``.
        """
        await PPOHandler.prepare(self)

    @web.authenticated
    @permitted(Action.READ)
    @answers(StreamMessage, HTTPStatus.SWITCHING_PROTOCOLS, query=StreamQuery)
    async def get(self, run_id: str) -> None:  # type: ignore[override]
        """Follow a run over a WebSocket: its status, points and events until it ends (owner).

        With `since` and `events_since`, the cursors of the last messages, nothing is lost and
        nothing comes twice. Whatever a client sends closes the stream.
        """
        self._from = self.query(StreamQuery)
        self._run_id: UUID = self.run_id(run_id)
        self._reader: RunReader = await self.ask(self.training.follow, self._run_id)
        # Before the upgrade, so that a wrong cursor is a 400.
        await self._in_thread(self._reader.metrics, self._from.since, limit=1)
        await self._in_thread(self._reader.events, self._from.events_since, limit=1)
        if self.request.headers.get("Upgrade", "").lower() != "websocket":
            msg = "This address is a WebSocket. Open it with ws:// or wss://."
            raise InvalidInputError(msg)
        await WebSocketHandler.get(self, run_id)

    def get_compression_options(self) -> dict[str, Any] | None:
        """Compress as the server does for kernels."""
        options: dict[str, Any] | None = self.settings.get("websocket_compression_options")
        return options

    @property
    def max_message_size(self) -> int:
        """Nothing that a client could send is of use."""
        return _MAX_RECEIVED_BYTES

    # -- called by tornado ---------------------------------------------------------------------

    def open(self, *args: str, **kwargs: str) -> None:
        """Begin to send, unless there are streams enough."""
        super().open(*args, **kwargs)
        try:
            self.context.streams.enter(self, self.caller.user)
        except PPOError as error:
            self._shut_for(error)
            return
        self._task = asyncio.create_task(self._send_until_closed())

    def on_message(self, message: str | bytes) -> None:
        """Refuse whatever comes."""
        self.shut(CloseCode.NO_MESSAGES, "A stream takes no messages. POST commands instead.")

    def on_close(self) -> None:
        """End the sending; called whoever closed."""
        self._is_closed = True
        self.context.streams.leave(self)
        pings: Any = self.ping_callback
        if pings is not None:
            pings.stop()
        if self._task is not None:
            self._task.cancel()

    def shut(self, code: int, reason: str) -> None:
        """Close the stream with a code and a reason."""
        self.context.streams.leave(self)
        if not self._is_closed:
            self._is_closed = True
            short = reason.encode()[:_MAX_REASON_BYTES].decode(errors="ignore")
            self.close(int(code), short)
        if self._task is not None and self._task is not asyncio.current_task():
            self._task.cancel()

    # -- what is sent ----------------------------------------------------------------------------

    async def _send_until_closed(self) -> None:
        try:
            await self._send()
        except WebSocketClosedError:
            return
        except PPOError as error:
            self._shut_for(error)
        except Exception:
            self.log.exception("A stream of run %s broke", self._run_id)
            self.shut(CloseCode.MISTAKE, "Something went wrong on the server. Its log says what.")
        else:
            self.shut(CloseCode.DONE, "The run has ended.")

    async def _send(self) -> None:
        """Send until the run has ended and all of it is sent."""
        points, events = self._from.since, self._from.events_since
        last: StatusMessage | None = None
        while True:
            await self.recheck()
            run, status = await self.ask(self.training.status, self._run_id)
            # It had ended before what follows is read, so that this is all of it.
            state, message = shown(run, status)
            said = StatusMessage(
                state=state,
                position=run.position,
                message=message,
                progress=Progress.of(status),
            )
            if said != last:
                last = said
                await self._write(said.model_dump_json())
            for _ in range(_LOOKS_PER_STATUS):
                events = await self._send_new(self._events, events)
                points = await self._send_new(self._points, points)
                if run.state.has_ended:
                    await self._write(EndMessage().model_dump_json())
                    return
                await asyncio.sleep(_LOOK_SECONDS)

    async def _send_new(self, read: Read, cursor: int) -> int:
        """Send all that comes after ``cursor``; return the cursor of what was sent last."""
        while True:
            text, after, self._fit = await self._read(read, cursor)
            if text is not None:
                await self._write(text)
            if after == cursor:
                return cursor
            cursor = after

    async def _read(self, read: Read, cursor: int) -> tuple[str | None, int, int]:
        """Return the next message; raise ``NotFoundError`` when the run was deleted meanwhile."""
        try:
            return await self._in_thread(next_message, read, cursor, self._fit)
        except (InvalidInputError, FileNotFoundError):
            await self.ask(self.training.run, self._run_id)
            raise

    def _points(self, since: int, limit: int) -> tuple[BaseModel, int, int]:
        found = self._reader.metrics(since, limit=limit)
        items = [metric_item(item) for item in found.items]
        return PointsMessage(cursor=found.cursor, items=items), len(items), found.cursor

    def _events(self, since: int, limit: int) -> tuple[BaseModel, int, int]:
        found = self._reader.events(since, limit=limit)
        items = [Event.of(item) for item in found.items]
        return EventMessage(cursor=found.cursor, items=items), len(items), found.cursor

    async def _in_thread(self, work: Callable[..., T], *args: Any, **options: Any) -> T:
        """Run ``work`` where use cases run; raise ``BusyError`` when the server stops."""
        return await self.ask(lambda _: work(*args, **options))

    async def _write(self, text: str) -> None:
        """Send a message when its turn has come, and wait until it is out."""
        loop = asyncio.get_running_loop()
        wait = self._sent_at + MESSAGE_SECONDS - loop.time()
        if wait > 0:
            await asyncio.sleep(wait)
        self._sent_at = loop.time()
        await self.write_message(text)

    def _shut_for(self, error: PPOError) -> None:
        """Close for an error that the client can do something about."""
        if self.context.streams.is_stopping:
            code = int(CloseCode.STOPPING)
        elif isinstance(error, TooManyRequestsError | BusyError):
            code = int(CloseCode.TRY_LATER)
        else:
            code = int(CloseCode.OURS) + status_of(error)
        self.shut(code, error.message)


def next_message(read: Read, cursor: int, limit: int) -> tuple[str | None, int, int]:
    """Return the next message of a kind, the cursor behind it, and how many items fit.

    None when nothing is new; a cursor may move without a message, over what cannot be read.
    ``limit`` is how many items to try first.
    """
    while True:
        message, count, after = read(cursor, limit)
        if not count:
            return None, after, limit
        text = message.model_dump_json()
        if len(text) <= MAX_MESSAGE_BYTES or count == 1:
            if count == limit and 3 * len(text) <= MAX_MESSAGE_BYTES:
                limit = min(2 * limit, _MOST_ITEMS)
            return text, after, limit
        limit = max(1, count * MAX_MESSAGE_BYTES // (len(text) + 1) * 9 // 10)


handlers: list[tuple[str, type[PPOHandler]]] = [("/runs/{run_id}/stream", RunStreamHandler)]
