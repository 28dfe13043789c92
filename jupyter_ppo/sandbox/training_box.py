"""A container in which one training run is trained, and its agent."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Sequence
from typing import Final

from jupyter_ppo.domain.ending import Ending
from jupyter_ppo.domain.errors import SandboxError
from jupyter_ppo.domain.sandbox import SandboxLimits
from jupyter_ppo.sandbox.agent_wire import LostError, Wire, event_of, start_agent
from jupyter_ppo.sandbox.box import Box
from jupyter_ppo.sandbox.container_end import ContainerEnd
from jupyter_ppo.sandbox.engine import Engine
from jupyter_ppo.sandbox.frames import Channel, Frame, encode
from jupyter_ppo.sandbox.image import image_preload

#: What one run may use. Its folder is in memory: half of ``disk_mb``, which ``memory_mb`` counts.
TRAINING_LIMITS: Final = SandboxLimits(memory_mb=2048, cpus=1.0, disk_mb=512, file_mb=128)
#: What the worker's environment has besides that of every container (see ``training.trust``).
_ENVIRONMENT: Final = {"JUPYTER_PPO_TRUST_RUNS": "1"}
#: How long a worker may take to be forked and to get its files, in seconds, on a busy machine.
_BEGIN_SECONDS: Final = 60.0
_PIECE: Final = 256 * 1024
_AT_END: Final = ("model.zip",)
_MIB: Final = 2**20
#: Of the run's folder in the container this much is left for what is written in between, in bytes.
_SPARE: Final = 2 * _MIB


def room_of(limits: SandboxLimits) -> int:
    """Return how many bytes a run's folder in a container can hold."""
    return max(limits.disk_mb * _MIB // 2 - _SPARE, 0)


def file_bytes_of(limits: SandboxLimits) -> int:
    """Return how long one file of a run can be, in bytes."""
    return limits.file_mb * _MIB


class TrainingBox:
    """One container and its agent, for one run. One thread uses it; ``end`` may come from any."""

    def __init__(self, engine: Engine, box: Box, wire: Wire, limits: SandboxLimits) -> None:
        self._engine = engine
        self._box = box
        self._wire = wire
        self.limits = limits
        self._is_over = False

    @classmethod
    def start(
        cls,
        limits: SandboxLimits = TRAINING_LIMITS,
        *,
        base_url: str | None = None,
        ending: Ending | None = None,
    ) -> TrainingBox:
        """Start a container and wait until its agent is ready, or until ``ending`` ends that.

        The agent has imported torch by then. Raises ``EngineUnavailableError``,
        ``ImageMissingError`` or ``SandboxError`` and leaves nothing behind then.
        """

        def modules(engine: Engine) -> Sequence[str]:
            preload = image_preload(engine)
            return preload.light + preload.heavy

        engine, box, wire = start_agent(limits, modules, base_url=base_url, ending=ending)
        return cls(engine, box, wire, limits)

    @property
    def is_alive(self) -> bool:
        """Whether it can still be given a run."""
        return not self._is_over and self._wire.is_open()

    @property
    def is_over(self) -> bool:
        """Whether this side has ended it."""
        return self._is_over

    @property
    def waiting(self) -> int:
        """Bytes for the agent that it has not taken yet."""
        return self._wire.waiting

    def begin(self, arguments: Sequence[str], files: Iterable[tuple[str, bytes]]) -> None:
        """Give the worker its ``files``, by their names in the run's folder, and start it.

        ``arguments`` are the worker's. Raises ``SandboxError`` when it could not be started.
        """
        deadline = time.monotonic() + _BEGIN_SECONDS
        order = {
            "do": "train",
            "arguments": list(arguments),
            "environment": _ENVIRONMENT,
            "file_bytes": file_bytes_of(self.limits),
            "at_end": _AT_END,
        }
        try:
            self._send(_meta(order), deadline)
            for name, data in files:
                for at in range(0, max(len(data), 1), _PIECE):
                    piece = encode(Channel.RUN, [name.encode(), data[at : at + _PIECE]])
                    self._send(piece, deadline)
            self._send(_meta({"do": "begin"}), deadline)
            frame = self._wire.receive(deadline)
            event = {} if frame is None else event_of(frame)
        except LostError as error:
            msg = f"The training's container was lost before it began: {error}."
            raise SandboxError(msg) from error
        if event.get("event") != "begun":
            detail = str(event.get("detail") or f"no answer in {_BEGIN_SECONDS:g} seconds")[:500]
            msg = f"The training could not be started in its container: {detail}."
            raise SandboxError(msg)

    def turn(self, deadline: float) -> Frame | None:
        """Return what the agent says next, None when it is nothing; raises ``LostError``."""
        return self._wire.turn(deadline)

    def pass_commands(self, lines: bytes) -> None:
        """Give the worker lines of commands; raises ``LostError``."""
        for at in range(0, len(lines), _PIECE):
            self._wire.post(encode(Channel.RUN, [b"commands", lines[at : at + _PIECE]]))

    def ask_to_end(self) -> None:
        """Have the worker write a checkpoint and end; raises ``LostError``."""
        self._wire.post(_meta({"do": "end"}))

    def kill_worker(self) -> None:
        """Have every process of the run killed; what it wrote still comes. Raises ``LostError``."""
        self._wire.post(_meta({"do": "kill"}))

    def how_it_ended(self) -> ContainerEnd | None:
        """Ask the engine how a container ended whose stream did; see ``container_end``."""
        return self._box.how_it_ended()

    def end(self) -> None:
        """End the container now."""
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

    def _send(self, data: bytes, deadline: float) -> None:
        if not self._wire.send(data, deadline):
            msg = "it takes nothing"
            raise LostError(msg)


def _meta(order: dict[str, object]) -> bytes:
    return encode(Channel.META, [json.dumps(order).encode()])
