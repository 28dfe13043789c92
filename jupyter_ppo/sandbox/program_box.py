"""A container that runs programs one after another, for one person, and is then thrown away."""

from __future__ import annotations

import json
import time
from typing import Any, Final

from jupyter_ppo.domain.ending import Ending
from jupyter_ppo.domain.errors import SandboxError
from jupyter_ppo.domain.execution import Program, ProgramRun
from jupyter_ppo.domain.sandbox import SandboxLimits
from jupyter_ppo.sandbox.agent_wire import (
    LostError,
    StreamEndedError,
    Wire,
    event_of,
    start_agent,
)
from jupyter_ppo.sandbox.box import Box
from jupyter_ppo.sandbox.engine import Engine
from jupyter_ppo.sandbox.frames import Channel, Frame, encode
from jupyter_ppo.sandbox.image import image_preload
from jupyter_ppo.sandbox.program_result import RESULT_BYTES, End, Seen, run_of

#: How much later than the agent this side ends a program; it is for an agent that hangs.
GRACE_SECONDS: Final = 30.0
#: The agent counts as well; what it sends beyond the limit is what it read at once.
_SLACK_BYTES: Final = 2**20
#: Bytes of frames that come from an agent besides streams and result.
_META_BYTES: Final = 64 * 1024
_TOO_MUCH: Final = "it sent more than its agent lets pass"


class ProgramBox:
    """One container and its agent. For one person's programs; not for several threads at once.

    Only ``end`` may be called from another thread.
    """

    def __init__(
        self, engine: Engine, box: Box, limits: SandboxLimits, wire: Wire | None = None
    ) -> None:
        self._engine = engine
        self._box = box
        self.limits = limits
        self._wire = wire or Wire(box.stream)
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
        engine, box, wire = start_agent(
            limits,
            lambda engine: image_preload(engine).light if preload else (),
            base_url=base_url,
            ending=ending,
        )
        return cls(engine, box, limits, wire)

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
            event = event_of(frame)
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


def _end(event: dict[str, Any]) -> End:
    try:
        return End.of(event)
    except (ValueError, KeyError, TypeError, OverflowError) as error:
        msg = f"an end that is none: {error}"
        raise LostError(msg) from error
