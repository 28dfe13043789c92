"""Carries a kernel's messages between the container's byte stream and sockets that Jupyter expects.

The sockets are private to this host: Unix sockets in a folder that only this user can enter, which
is never shown to the container. One thread does it all. Nothing is dropped: while a client does not
read, the container is not read; when a bound is passed, the run ends with a reason.
"""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import threading
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import zmq

from jupyter_ppo.domain.errors import SandboxError
from jupyter_ppo.sandbox.frames import (
    KERNEL_CHANNELS,
    MAX_FRAME,
    Channel,
    Decoder,
    EngineStream,
    Frame,
    encode,
)

_READ: Final = 256 * 1024
#: Bytes on their way into the container above which no further requests are read.
_OUTGOING_BYTES: Final = 8 * 2**20
#: Messages that wait for one client before the container is held up.
_CLIENT_QUEUE: Final = 4000
_RETRY_MS: Final = 5
_JOIN_SECONDS: Final = 30.0
#: The only part of a message that no kernel sends: it is not a Jupyter message.
END_MARK: Final = b"jupyter-ppo: the kernel has ended"


class Cause(StrEnum):
    """Why a kernel ended."""

    EXITED = "exited"  # the process ended; ``code`` as in subprocess, negative for a signal
    MEMORY = "memory"
    WALL = "wall"  # the agent's own clock
    OUTPUT = "output"
    PROTOCOL = "protocol"
    LOST = "lost"  # the stream ended and the agent said nothing
    STOPPED = "stopped"  # by us


@dataclass(frozen=True, slots=True)
class KernelEnd:
    """The end of a kernel. ``detail`` is a part of a sentence for a person, or empty."""

    cause: Cause
    code: int
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a run may send to the server at most; None for no bound (a person's own kernel).

    ``mark_end`` publishes ``END_MARK`` after the last message of iopub, for a client that knows it.
    """

    total_bytes: int | None = None
    messages: int | None = None
    message_bytes: int = MAX_FRAME - 2**16
    mark_end: bool = False


class Relay(threading.Thread):
    """Relays one kernel until it ends.

    ``started`` is done when the kernel was forked, ``ended`` when it is over; both are safe to wait
    for from other threads. The sockets stay open until ``close``, so that what came last can be
    read.
    """

    def __init__(
        self,
        stream: socket.socket,
        endpoints: Mapping[Channel, str],
        start: dict[str, Any],
        bounds: Bounds,
        context: zmq.Context[Any] | None = None,
    ) -> None:
        super().__init__(name="jupyter-ppo-relay", daemon=True)
        self.started: Future[None] = _running_future()
        self.ended: Future[KernelEnd] = _running_future()
        self._stream = stream
        self._start_message = start | {"max_message": bounds.message_bytes}
        self._bounds = bounds
        self._chunks = EngineStream()
        self._decoder = Decoder()
        self._outgoing: deque[memoryview] = deque()
        self._outgoing_bytes = 0
        self._held: deque[Frame] = deque()
        self._bytes = self._messages = 0
        self._is_ready = False
        self._commands: deque[Callable[[], None]] = deque()
        self._wake_in, self._wake_out = socket.socketpair()
        self._wake_in.setblocking(False)
        self._wake_out.setblocking(False)
        self._lock = threading.Lock()
        self._closed = False
        self._sockets: dict[Channel, zmq.Socket[bytes]] = {}
        try:
            # One context per process: ending a context of its own right after a flood can abort.
            self._bind(context or zmq.Context.instance(), endpoints)
        except zmq.ZMQError as error:
            self.close()
            msg = f"The sockets for a kernel cannot be made: {error}"
            raise SandboxError(msg) from error

    def _bind(self, context: zmq.Context[Any], endpoints: Mapping[Channel, str]) -> None:
        for channel in KERNEL_CHANNELS:
            is_iopub = channel is Channel.IOPUB
            made = context.socket(zmq.XPUB if is_iopub else zmq.ROUTER)
            self._sockets[channel] = made
            made.linger = 0
            made.sndhwm = _CLIENT_QUEUE
            # A full client makes sending fail instead of losing the message.
            made.setsockopt(zmq.XPUB_NODROP if is_iopub else zmq.ROUTER_MANDATORY, 1)
            made.bind(endpoints[channel])

    # -- for other threads -----------------------------------------------------------------------

    @property
    def stderr(self) -> str:
        """The end of what the agent wrote to standard error."""
        return self._chunks.stderr

    def signal(self, number: int) -> None:
        """Send a signal to the kernel and its process group; nothing if it is over."""

        def send() -> None:
            if self._is_ready:  # before that there is no kernel to get it
                self._send(Channel.META, [json.dumps({"signal": number}).encode()])

        self._command(send)

    def stop(self, end: KernelEnd | None = None) -> None:
        """End the run as ``end`` says, if it has not ended already, and wait for the thread."""

        def finish() -> None:
            self._end(end or KernelEnd(Cause.STOPPED, -9))

        self._command(finish)
        if self.is_alive():
            self.join(_JOIN_SECONDS)
        elif not self.ended.done():
            finish()

    def close(self) -> None:
        """Stop, and close the sockets."""
        self.stop()
        with self._lock:
            if self._closed:
                return
            self._closed = True
            for made in self._sockets.values():
                made.close(linger=0)
            self._wake_in.close()
            self._wake_out.close()

    def _command(self, command: Callable[[], None]) -> None:
        with self._lock:
            if self._closed:
                return
            self._commands.append(command)
            with contextlib.suppress(BlockingIOError):
                self._wake_in.send(b"w")

    # -- the thread ------------------------------------------------------------------------------

    def run(self) -> None:
        """Relay until the end is known."""
        try:
            while not self.ended.done():
                self._turn()
        except ValueError as error:
            self._end(KernelEnd(Cause.PROTOCOL, -9, str(error)))
        except Exception as error:
            self._end(KernelEnd(Cause.LOST, -9, f"{type(error).__name__}: {error}"))
        if self._bounds.mark_end:
            with contextlib.suppress(zmq.ZMQError):
                self._sockets[Channel.IOPUB].send(END_MARK, zmq.NOBLOCK)

    def _turn(self) -> None:
        poller = zmq.Poller()
        poller.register(self._wake_out, zmq.POLLIN)
        flags = (0 if self._held else zmq.POLLIN) | (zmq.POLLOUT if self._outgoing else 0)
        if flags:
            poller.register(self._stream, flags)
        if self._takes_requests():
            for made in self._sockets.values():
                poller.register(made, zmq.POLLIN)
        buffered = isinstance(self._stream, ssl.SSLSocket) and self._stream.pending() > 0
        timeout = 0 if buffered else _RETRY_MS if self._held else None
        poller.poll(timeout)
        with contextlib.suppress(BlockingIOError):
            self._wake_out.recv(4096)
        while self._commands:
            self._commands.popleft()()
        self._take_requests()
        self._write()
        self._deliver()
        if not self._held and not self.ended.done():
            self._read()

    def _takes_requests(self) -> bool:
        # Clients of a restarted kernel send before its agent is there; the start message is first.
        return self._is_ready and self._outgoing_bytes < _OUTGOING_BYTES

    def _take_requests(self) -> None:
        for channel, made in self._sockets.items():
            while self._takes_requests():
                try:
                    parts = made.recv_multipart(zmq.NOBLOCK)
                except zmq.Again:
                    break
                if channel is not Channel.IOPUB:  # there it is only who subscribes
                    self._send(channel, parts)

    def _send(self, channel: Channel, parts: list[bytes]) -> None:
        data = encode(channel, parts)
        self._outgoing.append(memoryview(data))
        self._outgoing_bytes += len(data)

    def _write(self) -> None:
        try:
            while self._outgoing:
                sent = self._stream.send(self._outgoing[0])
                self._outgoing_bytes -= sent
                rest = self._outgoing.popleft()[sent:]
                if rest:
                    self._outgoing.appendleft(rest)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return
        except OSError:
            return  # the container ended; reading says how

    def _read(self) -> None:
        try:
            data = self._stream.recv(_READ)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return
        except OSError as error:
            self._end(KernelEnd(Cause.LOST, -9, f"the stream broke: {error}"))
            return
        if not data:
            self._end(KernelEnd(Cause.LOST, -9, self.stderr.strip()[-500:]))
            return
        for frame in self._decoder.feed(self._chunks.feed(data)):
            if frame.channel is not Channel.META:
                self._count(frame)
            self._held.append(frame)
        self._deliver()

    def _count(self, frame: Frame) -> None:
        self._bytes += frame.size
        self._messages += 1
        total, messages = self._bounds.total_bytes, self._bounds.messages
        if total is not None and self._bytes > total:
            detail = f"more than {total} bytes of messages"
            self._end(KernelEnd(Cause.OUTPUT, -9, detail))
        elif messages is not None and self._messages > messages:
            self._end(KernelEnd(Cause.OUTPUT, -9, f"more than {messages} messages"))

    def _deliver(self) -> None:
        while self._held and not self.ended.done():
            frame = self._held[0]
            if frame.channel is Channel.META:
                self._event(frame)
            elif not self._forward(frame):
                return
            self._held.popleft()

    def _forward(self, frame: Frame) -> bool:
        """Give a message to the clients; False when one of them has to read first."""
        if not frame.parts or (frame.channel is not Channel.IOPUB and len(frame.parts) < 2):
            msg = "a message without content"
            raise ValueError(msg)
        try:
            self._sockets[frame.channel].send_multipart(frame.parts, zmq.NOBLOCK)
        except zmq.Again:
            return False
        except zmq.ZMQError as error:
            if error.errno != zmq.EHOSTUNREACH:  # that client is gone; the answer was for it alone
                raise
        return True

    def _event(self, frame: Frame) -> None:
        event = json.loads(frame.parts[0])
        match event["event"]:
            case "ready":
                self._is_ready = True
                self._send(Channel.META, [json.dumps(self._start_message).encode()])
                self._write()
            case "forked":
                if not self.started.done():
                    self.started.set_result(None)
            case "exit":
                self._end(KernelEnd(Cause(event["cause"]), int(event["code"]), event["detail"]))

    def _end(self, end: KernelEnd) -> None:
        if self.ended.done():
            return
        self.ended.set_result(end)
        if not self.started.done():
            msg = (
                f"The kernel in the container did not start ({end.cause}, code {end.code}). "
                f"{end.detail or self.stderr[-500:]}".strip()
            )
            self.started.set_exception(SandboxError(msg))


def _running_future() -> Future[Any]:
    """A future that nobody who waits for it can cancel."""
    future: Future[Any] = Future()
    future.set_running_or_notify_cancel()
    return future
