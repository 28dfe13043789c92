"""A student's own server in front of the course service: every request goes there and back.

The checks of this server come first: who is signed in, the XSRF token, the origin, its authorizer.
"""

from __future__ import annotations

import asyncio
import re
from http import HTTPStatus

from tornado import web
from tornado.http1connection import HTTP1Connection
from tornado.iostream import StreamClosedError

from jupyter_ppo.domain.errors import PPOError, ServiceUnavailableError
from jupyter_ppo.web.forwarding_base import READING, ForwardingBase, stranger
from jupyter_ppo.web.forwarding_upstream import BrokenError, DownError, Exchange, Head

_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})
#: A body that is no longer may be sent a second time, where sending twice does no harm.
_REPLAY_BYTES = 2**20
#: A longer error is none of the service's.
_MAX_ERROR_BYTES = 2**20
_PAUSE_SECONDS = 0.3


class ForwardingHandler(ForwardingBase):
    """Every address below the prefix: sent to the service as it is, and its answer back."""

    def initialize(self) -> None:
        """Start with nothing sent; called by tornado for each request."""
        super().initialize()
        self._exchange: Exchange | None = None
        self._failure: PPOError | DownError | None = None
        #: The body so far, while it may have to be sent once more.
        self._kept: bytearray | None = None
        self._is_gone = False

    async def prepare(self) -> None:  # type: ignore[override]
        """Connect to the service before the body comes, so that it need not be kept."""
        await super().prepare()
        method = self.request.method or ""
        # The address is judged at once, whatever state the service is in.
        self._target = self.target()
        headers = self.request.headers
        has_body = method in _WITH_BODY and (
            "Transfer-Encoding" in headers or headers.get("Content-Length", "0") != "0"
        )
        self._may_repeat = method in READING or bool(headers.get("Idempotency-Key"))
        if has_body:
            if self._may_repeat:
                self._kept = bytearray()
            try:
                self._exchange = await self._connect()
            except (DownError, ServiceUnavailableError) as error:
                # Told when the body is there: who still sends would see a broken connection.
                self._failure = error
        elif method in _WITH_BODY:
            self._kept = bytearray()

    async def data_received(self, chunk: bytes) -> None:  # type: ignore[override]
        """Pass a piece of the body on, and wait until the service took it."""
        if self._kept is not None:
            if len(self._kept) + len(chunk) > _REPLAY_BYTES:
                self._kept = None
            else:
                self._kept += chunk
        if self._exchange is not None and self._failure is None:
            try:
                await self._exchange.write(chunk)
            except PPOError as error:
                self._failure = error

    async def _connect(self) -> Exchange:
        """Connect, a second time when nobody was there: nothing was sent, so nothing comes twice.

        Raises ``DownError``, or ``ServiceUnavailableError`` while the service is left alone.
        """
        self.upstream.admit()
        try:
            return await self._reach()
        except DownError:
            await asyncio.sleep(_PAUSE_SECONDS)
            return await self._reach()

    async def _reach(self) -> Exchange:
        headers = self.sent_headers()
        method = self.request.method or ""
        if method in _WITH_BODY and "Content-Length" in self.request.headers:
            headers["Content-Length"] = self.request.headers["Content-Length"]
        elif method in _WITH_BODY and "Transfer-Encoding" not in self.request.headers:
            headers["Content-Length"] = "0"
        try:
            exchange = await self.upstream.open(method, self._target, headers)
        except DownError as error:
            self.upstream.circuit.note(is_down=True)
            self._log_down(error)
            raise
        if self._is_gone:
            exchange.close()
        return exchange

    # -- verbs ---------------------------------------------------------------------------------

    @web.authenticated
    async def get(self, *_: str) -> None:
        """Forward."""
        await self._forward()

    @web.authenticated
    async def head(self, *_: str) -> None:
        """Forward."""
        await self._forward()

    @web.authenticated
    async def post(self, *_: str) -> None:
        """Forward."""
        await self._forward()

    @web.authenticated
    async def put(self, *_: str) -> None:
        """Forward."""
        await self._forward()

    @web.authenticated
    async def patch(self, *_: str) -> None:
        """Forward."""
        await self._forward()

    @web.authenticated
    async def delete(self, *_: str) -> None:
        """Forward."""
        await self._forward()

    def on_connection_close(self) -> None:
        """Hang up at the service: nobody waits for its answer any more."""
        super().on_connection_close()
        self._is_gone = True
        if self._exchange is not None:
            self._exchange.close()

    def on_finish(self) -> None:
        """Leave no connection open, however this ended."""
        super().on_finish()
        if self._exchange is not None:
            self._exchange.close()

    async def _forward(self) -> None:
        try:
            try:
                await self._try()
            except DownError:
                if not self._may_send_again():
                    raise
                await asyncio.sleep(_PAUSE_SECONDS)
                self._exchange, self._failure = None, None
                await self._try()
        except DownError as error:
            if self._is_gone:
                raise web.Finish from error
            raise self.upstream.down() from error

    def _may_send_again(self) -> bool:
        has_all = self.request.method in READING or self._kept is not None
        # When even connecting failed, it was tried twice already.
        return self._may_repeat and has_all and not self._is_gone and self._failure is None

    async def _try(self) -> None:
        """Send what is not sent yet and bring the answer; raise ``DownError`` if there is none."""
        if self._failure is not None:
            raise self._failure
        exchange = self._exchange
        if exchange is None:
            exchange = self._exchange = await self._connect()
            if self._kept:
                await exchange.write(bytes(self._kept))
        exchange.end()
        try:
            head = await exchange.answer()
            if head.status >= 300 and head.status != HTTPStatus.NOT_MODIFIED:
                await self._bring_error(exchange, head)
                return
        except DownError as error:
            if not self._is_gone:
                self.upstream.circuit.note(is_down=True)
                self._log_down(error)
            exchange.close()
            raise
        self.upstream.circuit.note(is_down=False)
        await self._bring(exchange, head)

    async def _bring_error(self, exchange: Exchange, head: Head) -> None:
        body = bytearray()
        try:
            async for piece in exchange.pieces():
                body += piece
                if len(body) > _MAX_ERROR_BYTES:
                    break
        except BrokenError as error:
            raise DownError(str(error)) from error
        self.check_refusal(head, bytes(body))
        self.upstream.circuit.note(is_down=False)
        self.set_status(head.status)
        self.set_headers_of(head)
        self._end(head, bytes(body))

    async def _bring(self, exchange: Exchange, head: Head) -> None:
        """Pass an answer on, piece by piece, as fast as the client takes it."""
        if head.headers.get("Content-Encoding", "identity") != "identity":
            raise stranger()
        self.set_status(head.status)
        self.set_headers_of(head)
        length = head.headers.get("Content-Length", "")
        if re.fullmatch(r"[0-9]{1,15}", length) and "Transfer-Encoding" not in head.headers:
            self.set_header("Content-Length", length)
        if self.request.method == "HEAD" or head.status in {204, 304}:
            self._end(head)
            return
        try:
            await self.flush()
            async for piece in exchange.pieces():
                self.write(piece)
                await self.flush()
        except StreamClosedError:
            return  # nobody reads any more
        except BrokenError as error:
            if not self._is_gone:
                self.log.warning("The course service broke off: %s", error)
            # Else half an answer would look like a whole one.
            if isinstance(self.request.connection, HTTP1Connection):
                self.request.connection.close()
            raise web.Finish from error
        self._end(head)

    def _end(self, head: Head, body: bytes | None = None) -> None:
        kind = head.headers.get("Content-Type")
        if kind is not None:
            self.finish(body, set_content_type=kind)
        else:
            # Jupyter's own ``finish`` would call it JSON.
            web.RequestHandler.finish(self, body)

    def _log_down(self, error: DownError) -> None:
        self.log.warning("The course service at %s is down: %s", self.upstream.netloc, error)
