"""A container in which examiners run, one submission after another, all of one version."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from typing import Any, Final

from jupyter_ppo.domain.ending import Ending
from jupyter_ppo.domain.errors import SandboxError
from jupyter_ppo.domain.sandbox import SandboxLimits
from jupyter_ppo.sandbox.agent_wire import LostError, Wire, event_of, start_agent
from jupyter_ppo.sandbox.box import Box
from jupyter_ppo.sandbox.engine import Engine
from jupyter_ppo.sandbox.frames import MAX_FRAME, Channel, Frame, encode
from jupyter_ppo.sandbox.image import image_preload

#: What the examiner's container may use. No student's code runs in it, but an author's does, with
#: what student's code answers.
EXAMINER_LIMITS: Final = SandboxLimits().of_container
#: How long the end of an examiner's process may take, in seconds; its agent gives up a bit earlier.
_END_SECONDS: Final = 40.0


class ExaminerBox:
    """One container and its agent. It serves one submission at a time, in a process of its own.

    ``key`` says whose exams it serves, ``served`` how many it has. Only ``end`` may be called from
    another thread than the one that uses it.
    """

    def __init__(self, engine: Engine, box: Box, wire: Wire, key: str = "") -> None:
        self._engine = engine
        self._box = box
        self.wire = wire
        self.key = key
        self.served = 0
        self._is_over = False
        #: Whether a process was asked for whose end is not known.
        self._has_process = False

    @classmethod
    def start(
        cls,
        key: str = "",
        modules: Iterable[str] = (),
        *,
        limits: SandboxLimits = EXAMINER_LIMITS,
        base_url: str | None = None,
        ending: Ending | None = None,
    ) -> ExaminerBox:
        """Start a container and wait until its agent is ready, or until ``ending`` ends that.

        It has imported what the image's label says for code that imports ``modules``. Raises
        ``EngineUnavailableError``, ``ImageMissingError`` or ``SandboxError`` and leaves nothing
        behind then.
        """
        engine, box, wire = start_agent(
            limits,
            lambda engine: image_preload(engine).needed_by(modules),
            base_url=base_url,
            ending=ending,
            max_frame=MAX_FRAME,
        )
        return cls(engine, box, wire, key)

    @property
    def is_alive(self) -> bool:
        """Whether it can serve another submission; false while it serves one."""
        return not self._is_over and not self._has_process and self.wire.is_open()

    def examine(self) -> None:
        """Have a fresh process forked; its frames come over the wire. Raises ``LostError``."""
        self.wire.post(encode(Channel.META, [json.dumps({"do": "examine"}).encode()]))
        self._has_process = True

    def ended(self, frame: Frame) -> dict[str, Any] | None:
        """Return the agent's word on how the process ended, if the frame on META is that."""
        event = event_of(frame)
        if event.get("event") != "done":
            return None
        self._has_process = False
        return event

    def end_examiner(self) -> None:
        """End the process and wait until nothing of it is left; nothing if there is none.

        Raises ``SandboxError`` when that does not happen; the container is of no more use then.
        """
        deadline = time.monotonic() + _END_SECONDS
        try:
            if self._has_process:
                self.wire.post(encode(Channel.META, [json.dumps({"do": "end"}).encode()]))
            while self._has_process:
                frame = self.wire.turn(deadline)
                if frame is not None and frame.channel is Channel.META:
                    self.ended(frame)
                elif frame is None and time.monotonic() >= deadline:
                    msg = f"it did not end within {_END_SECONDS:g} seconds"
                    raise LostError(msg)
        except LostError as error:
            self.end()
            msg = f"The examiner's container was lost: {error}."
            raise SandboxError(msg) from error

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
