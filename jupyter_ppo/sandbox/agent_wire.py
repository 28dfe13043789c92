"""The stream to an agent that is not a kernel's, and how a container with such an agent starts."""

from __future__ import annotations

import contextlib
import json
import logging
import select
import socket
import ssl
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

from jupyter_ppo.domain.ending import Ending
from jupyter_ppo.domain.errors import PPOError, SandboxError
from jupyter_ppo.domain.sandbox import SandboxLimits
from jupyter_ppo.sandbox.box import Box
from jupyter_ppo.sandbox.engine import Engine
from jupyter_ppo.sandbox.frames import Decoder, Frame
from jupyter_ppo.sandbox.image import ensure_image
from jupyter_ppo.sandbox.stream_state import StreamState

#: How long a container may take until its agent is ready, in seconds, on a busy machine.
START_SECONDS: Final = 90.0
#: The longest frame of an agent that runs programs.
_SHORT_FRAME: Final = 2**20
_READ: Final = 256 * 1024
#: Characters of an agent's own errors that are logged.
_LOGGED: Final = 4000

_log = logging.getLogger(__name__)


class LostError(Exception):
    """The stream ended or is none of ours: the container is of no more use."""


class StreamEndedError(LostError):
    """The stream ended; what it carried until then was as it should be."""


class Wire:
    """The stream of one agent, read and written with a deadline in no thread of its own.

    Either ``send`` and ``receive`` are used, one after the other, or ``post`` and ``turn``, which
    read and write at the same time. ``state`` is what an earlier reader has left.
    """

    def __init__(
        self,
        stream: socket.socket,
        max_frame: int = _SHORT_FRAME,
        state: StreamState | None = None,
    ) -> None:
        self._stream = stream
        self._room = memoryview(bytearray(_READ))  # the same one for every read
        state = state or StreamState(decoder=Decoder(max_frame=max_frame))
        self._chunks = state.chunks
        self._decoder = state.decoder
        self._frames = state.frames
        self._outgoing = state.outgoing
        #: Bytes that were posted and not taken yet.
        self.waiting = sum(map(len, self._outgoing))

    def send(self, data: bytes, deadline: float) -> bool:
        """Send all of it; False when the time is up. Raises ``LostError``."""
        rest = memoryview(data)
        while rest:
            try:
                rest = rest[self._stream.send(rest) :]
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                if not self._wait(select.POLLOUT, deadline):
                    return False
            except OSError as error:
                raise self._lost(str(error)) from error
        return True

    def receive(self, deadline: float) -> Frame | None:
        """Return the next frame; None when the time is up. Raises ``LostError``."""
        while not self._frames:
            if not self._read() and not self._wait(select.POLLIN, deadline):
                return None
        return self._frames.popleft()

    def post(self, data: bytes) -> None:
        """Write what goes now, and the rest with the next turns. Raises ``LostError``."""
        self._outgoing.append(memoryview(data))
        self.waiting += len(data)
        self._write()

    def turn(self, deadline: float, wake: int | None = None) -> Frame | None:
        """Return the next frame, or None after waiting until there is something to do.

        That is at the latest at ``deadline``, or when the descriptor ``wake`` can be read. Raises
        ``LostError``.
        """
        self._write()
        if not self._frames and not self._read():
            self._wait(select.POLLIN | (select.POLLOUT if self._outgoing else 0), deadline, wake)
        return self._frames.popleft() if self._frames else None

    def is_open(self) -> bool:
        """Whether the other side is there and has nothing to say."""
        try:
            self._read()
        except LostError:
            return False
        return not self._frames

    def _read(self) -> bool:
        """Read what is there; False when that is nothing."""
        try:
            size = self._stream.recv_into(self._room)
            if size:
                self._frames.extend(self._decoder.feed(self._chunks.feed(self._room[:size])))
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return False
        except ValueError as error:
            raise LostError(str(error).rstrip(".")) from error
        except OSError as error:
            raise self._lost(str(error)) from error
        if not size:
            raise self._lost("its stream ended")  # noqa: EM101
        return True

    def _write(self) -> None:
        try:
            while self._outgoing:
                sent = self._stream.send(self._outgoing[0])
                self.waiting -= sent
                rest = self._outgoing.popleft()[sent:]
                if rest:
                    self._outgoing.appendleft(rest)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return
        except OSError as error:
            raise self._lost(str(error)) from error

    def _wait(self, event: int, deadline: float, wake: int | None = None) -> bool:
        poller = select.poll()
        try:
            poller.register(self._stream, event)
            if wake is not None:
                poller.register(wake, select.POLLIN)
        except (OSError, ValueError) as error:  # it was closed
            raise self._lost(str(error)) from error
        left = deadline - time.monotonic()
        return bool(poller.poll(max(0.0, left) * 1000)) if left > 0 else False

    def _lost(self, reason: str) -> StreamEndedError:
        if self._chunks.stderr:  # the agent's own, which nobody but an administrator can use
            _log.warning("The sandbox agent wrote: %r", self._chunks.stderr[-_LOGGED:])
        return StreamEndedError(reason)


def event_of(frame: Frame) -> dict[str, Any]:
    """Return what an agent said on META; raises ``LostError`` when that is no JSON."""
    try:
        event = json.loads(frame.parts[0])
    except (ValueError, IndexError, RecursionError) as error:
        msg = "an event that is no JSON"
        raise LostError(msg) from error
    return event if isinstance(event, dict) else {}


def start_agent(
    limits: SandboxLimits,
    preload: Callable[[Engine], Sequence[str]],
    *,
    base_url: str | None = None,
    ending: Ending | None = None,
    max_frame: int = _SHORT_FRAME,
) -> tuple[Engine, Box, Wire]:
    """Start a container and wait until its agent is ready, or until ``ending`` ends that.

    ``preload`` says which modules the agent imports first. Raises ``EngineUnavailableError``,
    ``ImageMissingError`` or ``SandboxError`` and leaves nothing behind then.
    """
    engine = Engine.connect(base_url)
    box: Box | None = None
    try:
        box = Box(engine, ensure_image(engine), limits, preload(engine))
        box.start()
        if ending is not None:
            ending.on_end(box.close_stream)
        wire = Wire(box.stream, max_frame)
        wait_until_ready(wire)
    except BaseException:
        with contextlib.suppress(PPOError):
            if box is not None:
                box.remove()
        engine.close()
        raise
    return engine, box, wire


def wait_until_ready(wire: Wire) -> None:
    """Wait until the agent says that it is; raises ``SandboxError``."""
    end = time.monotonic() + START_SECONDS
    try:
        frame = wire.receive(end)
        event = None if frame is None else event_of(frame)
    except LostError as error:
        msg = f"The sandbox did not start: {error}."
        raise SandboxError(msg) from error
    if event is None:
        msg = f"The sandbox did not start within {START_SECONDS:g} seconds."
        raise SandboxError(msg)
    if event.get("event") != "ready":
        msg = "The sandbox did not start: its agent said something else."
        raise SandboxError(msg)
