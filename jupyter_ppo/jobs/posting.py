"""One POST to an address that people chose: where it leads is checked when it is connected to.

The name is resolved once, every IP address that it stands for is checked, and the connection is
made to one of these numbers. So a name that stands for something else a moment later (DNS
rebinding) leads nowhere. No proxy of the environment is used, and no redirect is followed.
"""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime

from jupyter_ppo.domain.webhook_addresses import AllowedHosts, Target
from jupyter_ppo.domain.webhooks import PostResult, read_retry_after

#: From the look at the name to the last byte of the answer.
SECONDS = 10.0
#: So much of an answer is read, and forgotten: only its status counts.
_MAX_ANSWER = 16 * 2**10
#: So many addresses of one name are tried.
_MAX_ADDRESSES = 3
#: The receiver is there, and says that it cannot now.
_DOWN = frozenset({429, 502, 503, 504})

Resolve = Callable[[str, int], Sequence[str]]


class RefusedError(Exception):
    """A name stands for an address that nothing may be sent to."""


def resolve(host: str, port: int) -> Sequence[str]:
    """Return the IP addresses of a name, as the system knows them; raise ``OSError``."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError as error:  # a part of the name is longer than any can be
        raise socket.gaierror from error
    return list(dict.fromkeys(str(each[4][0]) for each in found))


class Poster:
    """Sends; for any thread. ``tls`` says who is believed, by default as the system does."""

    def __init__(
        self,
        allowed: AllowedHosts,
        *,
        seconds: float = SECONDS,
        resolve: Resolve = resolve,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._allowed = allowed
        self._seconds = seconds
        self._resolve = resolve
        self._tls = tls

    def post(self, target: Target, headers: Mapping[str, str], body: bytes) -> PostResult:
        """Send ``body``; whatever goes wrong is a result. Nothing of the answer's body is kept."""
        try:
            return self._post(target, headers, body)
        except RefusedError as error:
            return PostResult(None, str(error))
        except (OSError, http.client.HTTPException, ValueError) as error:
            return PostResult(None, _said(error), is_down=True)

    def _post(self, target: Target, headers: Mapping[str, str], body: bytes) -> PostResult:
        ends_at = time.monotonic() + self._seconds
        addresses = self._checked(target)
        with (
            self._connected(target, addresses, ends_at) as plain,
            _cut_off(plain, ends_at) as is_late,
        ):
            try:
                return self._exchange(plain, target, headers, body, is_late)
            except (OSError, http.client.HTTPException, ValueError):
                if is_late.is_set():
                    raise TimeoutError from None
                raise

    def _exchange(
        self,
        plain: socket.socket,
        target: Target,
        headers: Mapping[str, str],
        body: bytes,
        is_late: threading.Event,
    ) -> PostResult:
        connection = http.client.HTTPConnection(target.host, target.port)
        connection.sock = self._secured(plain, target)
        try:
            connection.putrequest("POST", target.path, skip_host=True, skip_accept_encoding=True)
            connection.putheader("Host", target.header)
            for name, value in {**headers, "Connection": "close"}.items():
                connection.putheader(name, value)
            connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            answer = connection.getresponse()
            if is_late.is_set():  # headers that were cut off look like headers that ended
                raise TimeoutError
            with contextlib.suppress(OSError, http.client.HTTPException, ValueError):
                answer.read(_MAX_ANSWER)  # who answers more does not see a broken connection
            return _result(answer.status, answer.getheader("Retry-After"))
        finally:
            connection.close()

    def _checked(self, target: Target) -> Sequence[str]:
        """Return the addresses of a target; raise ``RefusedError`` unless all are allowed."""
        addresses = self._resolve(target.host, target.port)
        if not addresses:
            msg = "no address"
            raise OSError(msg)
        if not all(self._allowed.may_connect(target.host, each) for each in addresses):
            msg = (
                "The address leads to a machine that is not on the public internet. Use another "
                "address, or ask an admin to allow it."
            )
            raise RefusedError(msg)
        return addresses[:_MAX_ADDRESSES]

    @contextlib.contextmanager
    def _connected(
        self, target: Target, addresses: Sequence[str], ends_at: float
    ) -> Iterator[socket.socket]:
        problem: OSError = TimeoutError()
        for address in addresses:
            left = ends_at - time.monotonic()
            if left <= 0:
                raise TimeoutError
            try:
                # A number: nothing is resolved again.
                made = socket.create_connection((address, target.port), timeout=left)
            except OSError as error:
                problem = error
                continue
            with made:
                yield made
            return
        raise problem

    def _secured(self, plain: socket.socket, target: Target) -> socket.socket:
        if not target.is_tls:
            return plain
        tls = self._tls or ssl.create_default_context()
        return tls.wrap_socket(plain, server_hostname=target.host)


@contextlib.contextmanager
def _cut_off(plain: socket.socket, ends_at: float) -> Iterator[threading.Event]:
    """End a connection at this time, also one that goes on byte by byte."""
    is_late = threading.Event()
    # ``wrap_socket`` takes the descriptor over, so this is a second one of the same connection.
    handle = plain.dup()

    def end() -> None:
        is_late.set()
        with contextlib.suppress(OSError):
            handle.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(max(0.0, ends_at - time.monotonic()), end)
    timer.daemon = True
    timer.start()
    try:
        yield is_late
    finally:
        timer.cancel()
        timer.join()
        handle.close()


def _result(status: int, retry_after: str | None) -> PostResult:
    wait = read_retry_after(retry_after, datetime.now(UTC))
    if 200 <= status < 300:
        return PostResult(status)
    if 300 <= status < 400:
        reason = f"It answered {status}: redirects are not followed. Enter the new address."
        return PostResult(status, reason)
    return PostResult(status, f"It answered {status}.", status in _DOWN, wait)


def _said(error: Exception) -> str:
    """Return what went wrong in words of ours: the other side chooses none of them."""
    if isinstance(error, TimeoutError):
        return "It took too long to answer."
    if isinstance(error, socket.gaierror):
        return "The name of the host is not known."
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"Its certificate is not believed: {error.verify_message}."
    if isinstance(error, ssl.SSLError):
        return "No encrypted connection could be made."
    if isinstance(error, ConnectionRefusedError):
        return "The connection was refused."
    if isinstance(error, http.client.HTTPException | ValueError):
        return "The answer was no HTTP."
    return "The connection could not be made, or broke off."
