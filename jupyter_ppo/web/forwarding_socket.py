"""A stream of the course service, brought over this server: messages, pings, reasons of the end."""

from __future__ import annotations

import asyncio
from typing import Any

from jupyter_server.base.websocket import WebSocketMixin
from tornado import web
from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.iostream import StreamClosedError
from tornado.simple_httpclient import HTTPStreamClosedError, HTTPTimeoutError
from tornado.websocket import (
    WebSocketClientConnection,
    WebSocketClosedError,
    WebSocketError,
    WebSocketHandler,
    websocket_connect,
)

from jupyter_ppo.domain.errors import PPOError, ServiceTimeoutError
from jupyter_ppo.web.forwarding import ForwardingHandler
from jupyter_ppo.web.forwarding_upstream import CONNECT_SECONDS, DownError, Head
from jupyter_ppo.web.streams import CloseCode

#: A message of the service has one item at least, which may be large.
_MAX_MESSAGE_BYTES = 16 * 2**20
#: What a client may send at most: the service wants nothing at all.
_MAX_RECEIVED_BYTES = 4096
#: RFC 6455 has no room for more in a closing frame.
_MAX_REASON_BYTES = 123
_PING_SECONDS = 30.0
#: Codes that say that there was none (RFC 6455, section 7.4); they are never sent.
_UNSENDABLE = frozenset({1004, 1005, 1006, 1015})
_SLOW = "The course service takes too long to answer. Try again later."


class ForwardingSocketHandler(WebSocketMixin, WebSocketHandler, ForwardingHandler):
    """``/runs/{run_id}/stream``: two WebSockets, one message under way at a time.

    The connection to the service is made first, so that its errors are answered as HTTP. Without an
    upgrade this is a request like every other.
    """

    _service: WebSocketClientConnection | None = None
    _task: asyncio.Task[None] | None = None
    _is_closed: bool = False

    async def prepare(self) -> None:  # type: ignore[override]
        """Let the doors of ``ForwardingBase`` stand here; the mixin's own would pass them by."""
        await ForwardingHandler.prepare(self)

    @web.authenticated
    async def get(self, *args: str) -> None:  # type: ignore[override]
        """Connect to the service, then to the client."""
        if self.request.headers.get("Upgrade", "").lower() != "websocket":
            await self._forward()
            return
        try:
            self._service = await self._join()
        except DownError as error:
            self.upstream.circuit.note(is_down=True)
            self._log_down(error)
            raise self.upstream.down() from error
        if self._service is None:
            return  # answered with the service's own error
        self.upstream.circuit.note(is_down=False)
        if self._is_gone:
            self._service.close()
            return
        try:
            await WebSocketHandler.get(self, *args)
        finally:
            if self.ws_connection is None:  # the client's handshake was wrong
                self._service.close()

    async def _join(self) -> WebSocketClientConnection | None:
        """Return the service's end of the stream; None when its own error was answered."""
        self.upstream.admit()
        scheme = "wss" if self.upstream.is_tls else "ws"
        request = HTTPRequest(
            f"{scheme}://{self.upstream.netloc}{self._target}",
            headers=self.sent_headers(),
            connect_timeout=CONNECT_SECONDS,
            request_timeout=self.upstream.seconds,
            follow_redirects=False,
            ssl_options=self.upstream.tls,
        )
        try:
            return await websocket_connect(
                request, ping_interval=_PING_SECONDS, max_message_size=_MAX_MESSAGE_BYTES
            )
        except HTTPTimeoutError as error:
            if "connecting" in str(error):
                raise DownError(str(error), is_sent=False) from None
            raise ServiceTimeoutError(_SLOW) from None
        except (HTTPStreamClosedError, StreamClosedError, WebSocketError, OSError) as error:
            raise DownError(str(error)) from None
        except HTTPClientError as error:
            response = error.response
            if response is None:
                raise DownError(str(error)) from None
            head, body = Head(response.code, response.headers), response.body or b""
        self.check_refusal(head, body)
        self.upstream.circuit.note(is_down=False)
        self.set_status(head.status)
        self.set_headers_of(head)
        self._end(head, body)
        return None

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
        """Begin to bring messages, unless there are streams enough."""
        super().open(*args, **kwargs)
        try:
            self.context.streams.enter(self, self.current_user.username)
        except PPOError as error:
            self.shut(CloseCode.TRY_LATER, error.message)
            return
        self._task = asyncio.create_task(self._bring_messages())

    async def on_message(self, message: str | bytes) -> None:
        """Pass on what the client sends; the next is read when the service took it."""
        if self._service is not None and not self._is_closed:
            try:
                await self._service.write_message(message, binary=isinstance(message, bytes))
            except (WebSocketClosedError, StreamClosedError):
                return  # the end of the stream says why

    def on_connection_close(self) -> None:
        """Note that the client is gone, also before there is a stream."""
        self._is_gone = True
        super().on_connection_close()

    def on_close(self) -> None:
        """Tell the service that the client left, and with which reason; called whoever closed."""
        self._is_closed = True
        self.context.streams.leave(self)
        pings: Any = self.ping_callback
        if pings is not None:
            pings.stop()
        if self._task is not None and self._task is not asyncio.current_task():
            self._task.cancel()
        if self._service is not None:
            code = self.close_code
            is_sendable = code is not None and code not in _UNSENDABLE
            self._service.close(code if is_sendable else None, self.close_reason)

    def shut(self, code: int, reason: str) -> None:
        """Close the stream with a code and a reason."""
        self.context.streams.leave(self)
        if not self._is_closed:
            self._is_closed = True
            short = reason.encode()[:_MAX_REASON_BYTES].decode(errors="ignore")
            self.close(int(code), short)
        if self._service is not None:
            self._service.close()
        if self._task is not None and self._task is not asyncio.current_task():
            self._task.cancel()

    async def _bring_messages(self) -> None:
        service = self._service
        if service is None:
            return
        try:
            while (message := await service.read_message()) is not None:
                await self.write_message(message, binary=isinstance(message, bytes))
        except WebSocketClosedError:
            return
        code, reason = service.close_code, service.close_reason
        if code is None or code in _UNSENDABLE:
            self.shut(CloseCode.STOPPING, "The course service went away. Connect again later.")
        else:
            self.shut(code, reason or "")
