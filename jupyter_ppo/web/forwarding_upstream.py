"""Requests to the course service: one connection each, streamed both ways in bounded memory."""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, unquote, unquote_plus, urlsplit

from tornado.http1connection import HTTP1Connection, HTTP1ConnectionParameters
from tornado.httputil import (
    HTTPHeaders,
    HTTPMessageDelegate,
    RequestStartLine,
    ResponseStartLine,
)
from tornado.iostream import IOStream, StreamClosedError
from tornado.tcpclient import TCPClient
from tornado.util import TimeoutError as ConnectTimeoutError

from jupyter_ppo.domain.circuit import Circuit
from jupyter_ppo.domain.errors import (
    NotFoundError,
    ServiceTimeoutError,
    ServiceUnavailableError,
)
from jupyter_ppo.web.base import API_PREFIX

#: So much of a body is held at a time, in each direction.
CHUNK_BYTES: Final = 64 * 2**10
CONNECT_SECONDS: Final = 5.0
#: An exported class may be large; what has no end at all is no answer.
_MAX_ANSWER_BYTES: Final = 2**40
_MAX_HEADER_BYTES: Final = 64 * 2**10
#: After so many failures in a row the service is left alone for so many seconds.
_FAILURES, _OPEN_SECONDS = 5, 5.0
#: How old an answer about the service's health may be, in seconds.
_RECENT_SECONDS = 3.0
_HEALTH_SECONDS = 5.0
_RETRY_SECONDS = 5.0
#: What a path may consist of (RFC 3986), and how deep it may be escaped.
_PATH = re.compile(r"(?:/[A-Za-z0-9._~!$&'()*+,;=:@%-]+)*")
_MAX_ESCAPES = 4
_QUERY_SAFE = "!$&'()*+,;=:@%/?-._~[]|\"<>{}`^\\"
#: Ours, for the server itself; the service has nothing to do with them.
_OWN_ARGUMENTS = frozenset({"token", "_xsrf"})

_DOWN = (
    "The course service does not answer. Your work here is safe: try again in a moment, and tell "
    "your instructor if it stays so."
)
_SLOW = "The course service takes too long to answer. Try again later."


class DownError(Exception):
    """The service could not be reached, or broke off before it answered."""

    def __init__(self, reason: str, *, is_sent: bool = True) -> None:
        super().__init__(reason)
        #: Whether any of the request may have arrived.
        self.is_sent = is_sent


class BrokenError(Exception):
    """The service broke off within an answer."""


@dataclass(frozen=True)
class Head:
    """How an answer begins."""

    status: int
    headers: HTTPHeaders


class Upstream:
    """Where the course service is, and the token with which this server signs in there.

    ``url`` is the service's base address, ``seconds`` how long it may be silent. The token is in no
    text about this object.
    """

    def __init__(
        self, url: str, token: str, *, seconds: float = 300.0, tls: ssl.SSLContext | None = None
    ) -> None:
        parts = urlsplit(url)
        self.seconds = seconds
        self.tls = tls
        self.is_tls = parts.scheme == "https"
        self.netloc = parts.netloc
        self.base = parts.path.rstrip("/") + API_PREFIX
        self.circuit = Circuit(failures=_FAILURES, seconds=_OPEN_SECONDS)
        self._host = parts.hostname or ""
        self._port = parts.port or (443 if self.is_tls else 80)
        self._token = token
        self._looking: asyncio.Future[bool] | None = None
        self._seen: tuple[float, bool] | None = None

    def __repr__(self) -> str:
        """Say where it is, and nothing of the token."""
        return f"Upstream({self.netloc!r})"

    @property
    def authorization(self) -> str:
        """The header with which the service knows us."""
        return f"token {self._token}"

    def admit(self) -> None:
        """Raise ``ServiceUnavailableError`` while the service is left alone."""
        wait = self.circuit.wait()
        if wait > 0:
            raise ServiceUnavailableError(_DOWN, retry_after=wait)

    async def open(self, method: str, target: str, headers: Mapping[str, str]) -> Exchange:
        """Connect, and send how the request begins; raise ``DownError`` when nobody is there."""
        tls: dict[str, ssl.SSLContext] = {}
        if self.is_tls:
            tls["ssl_options"] = self.tls or ssl.create_default_context()
        try:
            stream = await TCPClient().connect(
                self._host,
                self._port,
                max_buffer_size=2**20,
                timeout=CONNECT_SECONDS,
                **tls,  # type: ignore[arg-type]
            )
        except (OSError, StreamClosedError, ConnectTimeoutError) as error:
            said = str(error) or type(error).__name__
            raise DownError(said, is_sent=False) from error
        stream.set_nodelay(True)
        exchange = Exchange(stream, self.seconds)
        exchange.begin(method, target, {"Host": self.netloc, "Connection": "close", **headers})
        return exchange

    async def is_reachable(self) -> bool:
        """Say whether the service answers; any number of requests ask it once in some seconds."""
        loop = asyncio.get_running_loop()
        if self._seen is not None and loop.time() - self._seen[0] < _RECENT_SECONDS:
            return self._seen[1]
        if self._looking is None or self._looking.done():
            self._looking = asyncio.ensure_future(self._look())
        return await asyncio.shield(self._looking)

    async def _look(self) -> bool:
        is_there = False
        exchange: Exchange | None = None
        try:
            async with asyncio.timeout(_HEALTH_SECONDS):
                # Without the token: anyone may ask for this.
                exchange = await self.open("GET", f"{self.base}/health", {})
                exchange.end()
                head = await exchange.answer()
                kind = head.headers.get("Content-Type", "")
                is_there = head.status == 200 and kind.startswith("application/json")
        except (DownError, TimeoutError, ServiceTimeoutError):
            pass
        finally:
            if exchange is not None:
                exchange.close()
        self._seen = asyncio.get_running_loop().time(), is_there
        return is_there

    def target(self, path: str, query: str) -> str:
        """Return the address at the service for a path of ours and its query, as they were sent.

        Raises ``NotFoundError`` for a path that tries to leave the API.
        """
        _, _, rest = path.partition(API_PREFIX)
        _check_path(rest)
        pairs = [
            quote(pair.encode("latin-1"), safe=_QUERY_SAFE)
            for pair in query.split("&")
            if pair and unquote_plus(pair.partition("=")[0]) not in _OWN_ARGUMENTS
        ]
        return f"{self.base}{rest}" + (f"?{'&'.join(pairs)}" if pairs else "")

    def own_location(self, location: str, own_base: str) -> str | None:
        """Return an address of the service as one of this server; None if it is not its API's."""
        parts = urlsplit(location)
        if parts.netloc and parts.netloc != self.netloc:
            return None
        if not parts.path.startswith(f"{self.base}/"):
            return None
        query = f"?{parts.query}" if parts.query else ""
        return own_base.rstrip("/") + API_PREFIX + parts.path.removeprefix(self.base) + query

    def down(self) -> ServiceUnavailableError:
        """Return what people are told when the service is down."""
        wait = self.circuit.wait()
        return ServiceUnavailableError(_DOWN, retry_after=wait or _RETRY_SECONDS)


def _check_path(path: str) -> None:
    plain = path
    for _ in range(_MAX_ESCAPES):
        plain = unquote(plain)
    steps = re.split(r"[/\\]", plain)
    # A step may hold parameters after a semicolon, which some proxies take away.
    is_tricky = any(step.partition(";")[0] in {".", ".."} for step in steps)
    if not _PATH.fullmatch(path) or is_tricky or unquote(plain) != plain:
        msg = "There is nothing at this address."
        raise NotFoundError(msg)


class Exchange(HTTPMessageDelegate):
    """One request and its answer, on a connection of their own; closed by whoever opened it."""

    def __init__(self, stream: IOStream, seconds: float) -> None:
        self._stream = stream
        self._seconds = seconds
        parameters = HTTP1ConnectionParameters(
            chunk_size=CHUNK_BYTES,
            max_header_size=_MAX_HEADER_BYTES,
            max_body_size=_MAX_ANSWER_BYTES,
        )
        self._connection = HTTP1Connection(stream, True, parameters)
        self._head: asyncio.Future[Head | None] = asyncio.get_running_loop().create_future()
        # Never more than one piece: ``data_received`` waits until it is taken.
        self._pieces: asyncio.Queue[bytes | BrokenError | None] = asyncio.Queue()
        self._taken = asyncio.Event()
        self._is_whole = False
        self._is_closed = False
        #: Whether less was sent than was announced.
        self._is_cut = False
        self._reading: asyncio.Task[None] | None = None

    def begin(self, method: str, target: str, headers: Mapping[str, str]) -> None:
        """Send how the request begins, and read the answer whenever it comes."""
        start = RequestStartLine(method, target, "")
        self._connection.write_headers(start, HTTPHeaders(headers))
        self._reading = asyncio.create_task(self._read())

    async def write(self, piece: bytes) -> bool:
        """Send a piece of the body; False when the service wants no more of it.

        Raises ``ServiceTimeoutError`` when it takes nothing for too long.
        """
        if self._head.done():
            self._is_cut = True
            return False
        sent = asyncio.ensure_future(self._connection.write(piece))
        waiting: set[asyncio.Future[Any]] = {sent, self._head}
        done, _ = await asyncio.wait(
            waiting, timeout=self._seconds, return_when=asyncio.FIRST_COMPLETED
        )
        if not done:
            raise ServiceTimeoutError(_SLOW)
        self._is_cut = not sent.done()
        return not self._is_cut

    def end(self) -> None:
        """Say that the body is complete, unless the service answered before it was."""
        if not self._is_cut and not self._stream.closed():
            self._connection.finish()

    async def answer(self) -> Head:
        """Return how the answer begins.

        Raises ``DownError`` when none comes, ``ServiceTimeoutError`` when it takes too long.
        """
        done, _ = await asyncio.wait({self._head}, timeout=self._seconds)
        if not done:
            raise ServiceTimeoutError(_SLOW)
        head = self._head.result()
        if head is None:
            msg = "The connection broke before an answer."
            raise DownError(msg)
        return head

    async def pieces(self) -> AsyncIterator[bytes]:
        """Give the body of the answer as it comes; the next piece is read when it is asked for.

        Raises ``BrokenError`` when it breaks off, or when nothing comes for too long.
        """
        while True:
            try:
                piece = await asyncio.wait_for(self._pieces.get(), self._seconds)
            except TimeoutError:
                raise BrokenError(_SLOW) from None
            if piece is None:
                return
            if isinstance(piece, BrokenError):
                raise piece
            yield piece
            self._taken.set()

    def close(self) -> None:
        """Hang up; the service sees it."""
        self._is_closed = True
        self._taken.set()
        self._stream.close()

    async def _read(self) -> None:
        try:
            await self._connection.read_response(self)
        except StreamClosedError:
            pass  # told below
        finally:
            self.on_connection_close()

    # -- called by tornado ---------------------------------------------------------------------

    async def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> None:
        """Note how the answer begins; 100 Continue and the like are none."""
        if isinstance(start_line, ResponseStartLine) and start_line.code >= 200:
            self._head.set_result(Head(start_line.code, headers))

    async def data_received(self, chunk: bytes) -> None:
        """Hand a piece over, and read no more until it is taken."""
        if self._is_closed:
            return
        self._taken.clear()
        self._pieces.put_nowait(chunk)
        await self._taken.wait()

    def finish(self) -> None:
        """Note that the answer is complete."""
        self._is_whole = True
        self._pieces.put_nowait(None)

    def on_connection_close(self) -> None:
        """Note that no more will come."""
        if not self._head.done():
            self._head.set_result(None)
        if not self._is_whole:
            self._is_whole = True
            self._pieces.put_nowait(BrokenError("The connection broke within the answer."))
