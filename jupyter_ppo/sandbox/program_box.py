"""A container that runs programs one after another, for one person, and is then thrown away."""

from __future__ import annotations

import contextlib
import json
import logging
import select
import socket
import ssl
import time
from collections import deque
from typing import Any, Final

from jupyter_ppo.domain.ending import Ending
from jupyter_ppo.domain.errors import PPOError, SandboxError
from jupyter_ppo.domain.execution import Program, ProgramRun
from jupyter_ppo.domain.sandbox import SandboxLimits
from jupyter_ppo.sandbox.box import Box
from jupyter_ppo.sandbox.engine import Engine
from jupyter_ppo.sandbox.frames import Channel, Decoder, EngineStream, Frame, encode
from jupyter_ppo.sandbox.image import ensure_image, image_preload
from jupyter_ppo.sandbox.program_result import RESULT_BYTES, End, Seen, run_of

#: How long a container may take until its agent is ready, in seconds, on a busy machine.
START_SECONDS: Final = 90.0
#: How much later than the agent this side ends a program; it is for an agent that hangs.
GRACE_SECONDS: Final = 30.0
_READ: Final = 256 * 1024
#: The agent counts as well; what it sends beyond the limit is what it read at once.
_SLACK_BYTES: Final = 2**20
#: Bytes of frames that come from an agent besides streams and result.
_META_BYTES: Final = 64 * 1024
_TOO_MUCH: Final = "it sent more than its agent lets pass"
#: Characters of an agent's own errors that are logged.
_LOGGED: Final = 4000

_log = logging.getLogger(__name__)


class LostError(Exception):
    """The stream ended or is none of ours: the container is of no more use."""


class StreamEndedError(LostError):
    """The stream ended; what it carried until then was as it should be."""


class ProgramBox:
    """One container and its agent. For one person's programs; not for several threads at once.

    Only ``end`` may be called from another thread.
    """

    def __init__(self, engine: Engine, box: Box, limits: SandboxLimits) -> None:
        self._engine = engine
        self._box = box
        self.limits = limits
        self._wire = Wire(box.stream)
        self._is_over = False

    @classmethod
    def start(
        cls,
        limits: SandboxLimits,
        *,
        base_url: str | None = None,
        preload: bool = True,
        ending: Ending | None = None,
    ) -> ProgramBox:
        """Start a container and wait until its agent is ready, or until ``ending`` ends that.

        With ``preload`` every program finds imported what the image's label says; it is of no use
        where a single program is waited for.

        Raises ``EngineUnavailableError``, ``ImageMissingError`` or ``SandboxError`` and leaves
        nothing behind then.
        """
        engine = Engine.connect(base_url)
        box: Box | None = None
        try:
            modules = image_preload(engine).light if preload else ()
            box = Box(engine, ensure_image(engine), limits, modules)
            box.start()
            if ending is not None:
                ending.on_end(box.close_stream)
            made = cls(engine, box, limits)
            made._wait_until_ready()
        except BaseException:
            with contextlib.suppress(PPOError):
                if box is not None:
                    box.remove()
            engine.close()
            raise
        return made

    @property
    def is_alive(self) -> bool:
        """Whether it can still run a program."""
        return not self._is_over and self._wire.is_open()

    def run(
        self,
        program: Program,
        order: bytes,
        seconds: float,
        allowed: float,
        output_bytes: int | None = None,
    ) -> ProgramRun:
        """Run one program; ``order`` is ``order_of(program)``.

        It gets ``seconds`` and ``output_bytes`` (None: all that the limits allow); a person is told
        of the ``allowed`` seconds, and the output, of the whole request.
        Raises ``SandboxError`` when the container was lost.
        """
        if output_bytes is None:
            output_bytes = self.limits.output_bytes
        began = time.monotonic()
        deadline = began + seconds + GRACE_SECONDS
        head = {
            "do": "program",
            "seconds": seconds,
            "output_bytes": output_bytes,
            "result_bytes": RESULT_BYTES,
        }
        parts = [json.dumps(head).encode(), order, program.stdin.encode("utf-8", "replace")]
        collected = _Collected(output_bytes)
        is_sent = False
        end: End | None = None
        try:
            is_sent = self._wire.send(encode(Channel.META, parts), deadline)
            if is_sent:
                end = self._follow(collected, deadline)
        except LostError as error:
            seconds = time.monotonic() - began
            was_ended_by_us, self._is_over = self._is_over, True
            if was_ended_by_us:
                end = End("stopped", -9, seconds, 0, "")
            elif is_sent and isinstance(error, StreamEndedError):
                end = self._end_from_outside(seconds)
            if end is None:
                msg = f"The container was lost while a program ran: {error}."
                raise SandboxError(msg) from error
        if end is None:
            self.end()
            end = End("timeout", -9, time.monotonic() - began, 0, "")
        return run_of(program, collected.seen(), end, self.limits, allowed)

    def _end_from_outside(self, seconds: float) -> End | None:
        """Say how a program ended that took process 1 with it; None when it was not the program."""
        end = self._box.how_it_ended()
        if end is None:
            return None
        return End("memory" if end.out_of_memory else "exited", end.code, seconds, 0, "")

    def end(self) -> None:
        """End the container now; what ``run`` runs in another thread is STOPPED then."""
        self._is_over = True
        self._box.close_stream()

    def close(self) -> None:
        """End and remove the container and close the connection; more than once does no harm.

        Raises ``EngineUnavailableError`` or ``SandboxError`` when it may still be there.
        """
        self._is_over = True
        try:
            self._box.remove()
        finally:
            self._engine.close()

    def _wait_until_ready(self) -> None:
        end = time.monotonic() + START_SECONDS
        try:
            frame = self._wire.receive(end)
        except LostError as error:
            msg = f"The sandbox did not start: {error}."
            raise SandboxError(msg) from error
        if frame is None:
            msg = f"The sandbox did not start within {START_SECONDS:g} seconds."
            raise SandboxError(msg)
        if _event(frame).get("event") != "ready":
            msg = "The sandbox did not start: its agent said something else."
            raise SandboxError(msg)

    def _follow(self, collected: _Collected, deadline: float) -> End | None:
        """Collect what comes until the end; None when that does not come in time."""
        meta = 0
        while (frame := self._wire.receive(deadline)) is not None:
            if frame.channel is not Channel.META:
                collected.add(frame)
                continue
            meta += frame.size
            if meta > _META_BYTES:
                raise LostError(_TOO_MUCH)
            event = _event(frame)
            if event.get("event") == "done":
                return _end(event)
        return None


class _Collected:
    """What comes from one program: its streams up to a limit, and its result."""

    def __init__(self, output_bytes: int) -> None:
        self._streams: dict[Channel, bytearray] = {
            name: bytearray() for name in (Channel.STDOUT, Channel.STDERR, Channel.RESULT)
        }
        self._left = output_bytes
        self._over = 0

    def add(self, frame: Frame) -> None:
        """Add a frame; raise ``LostError`` for one that no agent sends."""
        if frame.channel not in self._streams:
            msg = f"a frame on {frame.channel.name}, which programs have not"
            raise LostError(msg)
        data = b"".join(frame.parts)
        stream = self._streams[frame.channel]
        if frame.channel is Channel.RESULT:
            stream += data
            self._over += max(0, len(stream) - RESULT_BYTES - 1)
        else:
            stream += data[: self._left]
            self._over += max(0, len(data) - self._left)
            self._left -= min(self._left, len(data))
        if self._over > _SLACK_BYTES:
            raise LostError(_TOO_MUCH)

    def seen(self) -> Seen:
        """Return what has come until now."""
        output, errors, result = (bytes(data) for data in self._streams.values())
        return Seen(output, errors, result)


class Wire:
    """The stream of one agent, read and written with a deadline in no thread of its own."""

    def __init__(self, stream: socket.socket) -> None:
        self._stream = stream
        self._chunks = EngineStream()
        self._decoder = Decoder(max_frame=2**20)
        self._frames: deque[Frame] = deque()

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
            data = self._stream.recv(_READ)
            if data:
                self._frames.extend(self._decoder.feed(self._chunks.feed(data)))
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return False
        except ValueError as error:
            raise LostError(str(error).rstrip(".")) from error
        except OSError as error:
            raise self._lost(str(error)) from error
        if not data:
            raise self._lost("its stream ended")  # noqa: EM101
        return True

    def _wait(self, event: int, deadline: float) -> bool:
        poller = select.poll()
        try:
            poller.register(self._stream, event)
        except (OSError, ValueError) as error:  # it was closed
            raise self._lost(str(error)) from error
        left = deadline - time.monotonic()
        return bool(poller.poll(max(0.0, left) * 1000)) if left > 0 else False

    def _lost(self, reason: str) -> StreamEndedError:
        if self._chunks.stderr:  # the agent's own, which nobody but an administrator can use
            _log.warning("The sandbox agent wrote: %r", self._chunks.stderr[-_LOGGED:])
        return StreamEndedError(reason)


def _event(frame: Frame) -> dict[str, Any]:
    try:
        event = json.loads(frame.parts[0])
    except (ValueError, IndexError, RecursionError) as error:
        msg = "an event that is no JSON"
        raise LostError(msg) from error
    return event if isinstance(event, dict) else {}


def _end(event: dict[str, Any]) -> End:
    try:
        return End.of(event)
    except (ValueError, KeyError, TypeError, OverflowError) as error:
        msg = f"an end that is none: {error}"
        raise LostError(msg) from error
