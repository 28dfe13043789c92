"""Carries a kernel's messages between the container's byte stream and sockets that Jupyter expects.

The sockets are private to this host: Unix sockets in a folder that only this user can enter, which
is never shown to the container. One thread does it all. Nothing is dropped: while a client does not
read, the container is not read; when a bound is passed, the run ends with a reason.
"""

from __future__ import annotations

import contextlib
import json
import logging
import signal
import socket
import ssl
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence, Set
from concurrent.futures import Future
from typing import Any, Final

import zmq

from jupyter_ppo.domain.errors import SandboxError
from jupyter_ppo.sandbox.frames import (
    KERNEL_CHANNELS,
    MAX_FRAME,
    Channel,
    Frame,
    encode,
)
from jupyter_ppo.sandbox.relay_border import BorderLink
from jupyter_ppo.sandbox.relay_end import END_MARK, LOGGED, Bounds, Cause, KernelEnd
from jupyter_ppo.sandbox.running_cell import RunningCell
from jupyter_ppo.sandbox.stream_state import StreamState

__all__ = ["END_MARK", "BorderLink", "Bounds", "Cause", "KernelEnd", "Relay"]

_READ: Final = 256 * 1024
#: Bytes on their way into the container above which no further requests are read.
_OUTGOING_BYTES: Final = 8 * 2**20
#: The same for the examiner's, who asks one question at a time: then the run ends.
_OUTGOING_BORDER: Final = 2 * MAX_FRAME
#: Messages that wait for one client before the container is held up.
_CLIENT_QUEUE: Final = 4000
#: The longest event of the agent: the last words of a kernel that crashed.
_EVENT_BYTES: Final = 64 * 1024
_RETRY_MS: Final = 5
_JOIN_SECONDS: Final = 30.0

_log = logging.getLogger(__name__)


class Relay(threading.Thread):
    """Relays one kernel until it ends.

    ``started`` is done when the kernel was forked, ``ended`` when it is over; both are safe to wait
    for from other threads. The sockets stay open until ``close``, so that what came last can be
    read. When the stream ends and the agent has said nothing, ``how_it_ended`` is asked (in the
    relay's thread); its None means that the container was lost. Without ``mark_end`` a person reads
    in the cell that ran what ``explain`` says of an end that nobody asked for. ``border`` is the
    examiner's way to the kernel. ``state`` is what an earlier reader of the stream has left.
    """

    def __init__(
        self,
        stream: socket.socket,
        endpoints: Mapping[Channel, str],
        start: dict[str, Any],
        bounds: Bounds,
        context: zmq.Context[Any] | None = None,
        how_it_ended: Callable[[], KernelEnd | None] = lambda: None,
        explain: Callable[[KernelEnd], str] = lambda _: "",
        state: StreamState | None = None,
    ) -> None:
        super().__init__(name="jupyter-ppo-relay", daemon=True)
        self.started: Future[None] = _running_future()
        self.ended: Future[KernelEnd] = _running_future()
        self._stream = stream
        self._key = str(start.get("key", "")).encode()
        self._start_message = start | {"do": "kernel", "max_message": bounds.message_bytes}
        self._bounds = bounds
        self._how_it_ended = how_it_ended
        self._explain = explain
        self._cell = RunningCell()
        self._has_spoken = False
        self._is_told_to_end = False
        state = state or StreamState()
        self._chunks, self._decoder, self._held = state.chunks, state.decoder, state.frames
        self._outgoing = state.outgoing
        self._outgoing_bytes = sum(map(len, state.outgoing))
        self._bytes = self._messages = 0
        self._is_ready = False
        self._is_awaited = state.is_ready
        self._commands: deque[Callable[[], None]] = deque()
        self._room = memoryview(bytearray(_READ))  # the same one for every read
        self._wake_in, self._wake_out = socket.socketpair()
        self._wake_in.setblocking(False)
        self._wake_out.setblocking(False)
        self._lock = threading.Lock()
        self.border = BorderLink(self._command, self._send)
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

    def adopt(self, bounds: Bounds, seconds: float | None) -> None:
        """Replace the bounds and count anew; the container ends by itself after ``seconds``."""
        order = {"do": "adopt", "seconds": seconds, "max_message": bounds.message_bytes}

        def begin_anew() -> None:
            self._bounds = bounds  # in the relay's thread: never with what was counted before
            self._bytes = self._messages = 0
            self._send(Channel.META, [json.dumps(order).encode()])

        self._command(begin_anew)

    def signal(self, number: int) -> None:
        """Send a signal to the kernel and its process group; nothing if it is over."""

        def send() -> None:
            if self._is_ready:  # before that there is no kernel to get it
                self._is_told_to_end |= number == signal.SIGTERM
                self._send(Channel.META, [json.dumps({"do": "signal", "number": number}).encode()])

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
            if self._is_awaited:
                self._begin()
            while not self.ended.done():
                self._turn()
        except ValueError as error:
            self._end(KernelEnd(Cause.PROTOCOL, -9, str(error)))
        except Exception as error:
            _log.warning("What came from a container cannot be used: %r", error)
            self._end(KernelEnd(Cause.LOST, -9, "what it sent cannot be used"))
        self.border.end()
        if self._bounds.mark_end:
            with contextlib.suppress(zmq.ZMQError):
                self._sockets[Channel.IOPUB].send(END_MARK, zmq.NOBLOCK)
        elif not self.started.exception():
            self._tell_why(self.ended.result())

    def _tell_why(self, end: KernelEnd) -> None:
        """Log an end that nobody asked for, and publish its reason in the cell that ran."""
        is_shut_down = self._is_told_to_end or (end.code == 0 and self._has_spoken)
        if end.cause is Cause.STOPPED or (end.cause is Cause.EXITED and is_shut_down):
            return
        _log.warning("A kernel has ended: %s", end.described)
        text = self._explain(end)
        message = self._cell.message(f"\n{text}\n", self._key) if text else None
        if message is not None:
            with contextlib.suppress(zmq.ZMQError):
                self._sockets[Channel.IOPUB].send_multipart(message, zmq.NOBLOCK)

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
        ready = {found for found, _ in poller.poll(timeout)}
        with contextlib.suppress(BlockingIOError):
            self._wake_out.recv(4096)
        while self._commands:
            self._commands.popleft()()
        self._take_requests(ready)
        self._write()
        self._deliver()
        if not self._held and not self.ended.done():
            self._read()

    def _takes_requests(self) -> bool:
        # Clients of a restarted kernel send before its agent is there; the start message is first.
        return self._is_ready and self._outgoing_bytes < _OUTGOING_BYTES

    def _take_requests(self, ready: Set[Any]) -> None:
        for channel, made in self._sockets.items():
            while made in ready and self._takes_requests():
                try:
                    parts = made.recv_multipart(zmq.NOBLOCK)
                except zmq.Again:
                    break
                if channel is not Channel.IOPUB:  # there it is only who subscribes
                    self._send(channel, parts)

    def _send(self, channel: Channel, parts: Sequence[bytes]) -> None:
        data = encode(channel, parts)
        self._outgoing.append(memoryview(data))
        self._outgoing_bytes += len(data)
        if channel is Channel.BORDER and self._outgoing_bytes > _OUTGOING_BORDER:
            msg = "a kernel that does not take what it is asked"
            raise ValueError(msg)

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
            size = self._stream.recv_into(self._room)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return
        except OSError as error:
            self._end_of_stream(f"the stream broke: {error}")
            return
        if not size:
            self._end_of_stream("the stream ended")
            return
        for frame in self._decoder.feed(self._chunks.feed(self._room[:size])):
            if frame.channel not in {Channel.META, Channel.BORDER}:
                self._count(frame)
            self._held.append(frame)
        self._deliver()

    def _count(self, frame: Frame) -> None:
        self._bytes += frame.size
        self._messages += 1
        total, messages = self._bounds.total_bytes, self._bounds.messages
        if total is not None and self._bytes > total:
            self._end(KernelEnd(Cause.OUTPUT, -9, f"more than {total} bytes of messages"))
        elif messages is not None and self._messages > messages:
            self._end(KernelEnd(Cause.MESSAGES, -9, f"more than {messages} messages"))

    def _deliver(self) -> None:
        while self._held and not self.ended.done():
            frame = self._held[0]
            if frame.channel is Channel.META:
                self._event(frame)
            elif frame.channel is Channel.BORDER:
                self.border.take(frame)
            elif not self._forward(frame):
                return
            self._held.popleft()

    def _forward(self, frame: Frame) -> bool:
        """Give a message to the clients; False when one of them has to read first."""
        if frame.channel not in self._sockets:
            msg = f"a message on {frame.channel.name}, which kernels have not"
            raise ValueError(msg)
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
        self._has_spoken = True
        if frame.channel is Channel.IOPUB and not self._bounds.mark_end:
            self._cell.note(frame.parts)
        return True

    def _event(self, frame: Frame) -> None:
        if len(frame.parts) != 1 or frame.size > _EVENT_BYTES:
            msg = "an event that is none"
            raise ValueError(msg)
        event = json.loads(frame.parts[0])
        match event["event"]:
            case "ready" if self._is_ready:
                msg = "an agent that gets ready twice"
                raise ValueError(msg)
            case "ready":
                self._begin()
            case "forked":
                if not self.started.done():
                    self.started.set_result(None)
            case "exit":
                detail = str(event["detail"])
                self._end(KernelEnd(Cause(event["cause"]), int(event["code"]), detail))

    def _begin(self) -> None:
        self._is_ready = True
        self._send(Channel.META, [json.dumps(self._start_message).encode()])
        self._write()

    def _end_of_stream(self, reason: str) -> None:
        if self.stderr:  # the agent's own, which nobody but an administrator can use
            _log.warning("The sandbox agent wrote: %r", self.stderr[-LOGGED:])
        self._end(self._how_it_ended() or KernelEnd(Cause.LOST, -9, reason))

    def _end(self, end: KernelEnd) -> None:
        if self.ended.done():
            return
        self.ended.set_result(end)
        if not self.started.done():
            if end.cause is not Cause.STOPPED:
                _log.warning("A kernel did not start: %s", end.described)
            msg = (
                f"The kernel in the container did not start ({end.cause}, code {end.code}). "
                "The server's log says more."
            )
            self.started.set_exception(SandboxError(msg))


def _running_future() -> Future[Any]:
    """A future that nobody who waits for it can cancel."""
    future: Future[Any] = Future()
    future.set_running_or_notify_cancel()
    return future
