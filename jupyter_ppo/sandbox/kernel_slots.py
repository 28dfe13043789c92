"""Grading containers that serve one submission after another, if the administrator wants that.

Each kernel is forked from a process that has its modules imported and has never read anything of a
submission; after it no process, file or IPC object is left (``inside.slot``).
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import TimeoutError as NotInTimeError
from contextlib import suppress
from functools import partial
from typing import Final

from jupyter_ppo.domain.errors import PPOError, SandboxError
from jupyter_ppo.domain.sandbox import PoolStatus, SandboxLimits
from jupyter_ppo.sandbox.agent_wire import LostError, Wire, event_of
from jupyter_ppo.sandbox.box import Box
from jupyter_ppo.sandbox.container_kernel import (
    KERNEL_MODULES,
    START_SECONDS,
    PrivateFolder,
    end_from_outside,
)
from jupyter_ppo.sandbox.engine import Engine
from jupyter_ppo.sandbox.frames import MAX_FRAME, Channel, encode
from jupyter_ppo.sandbox.idle_boxes import IDLE_SECONDS, IdleBoxes
from jupyter_ppo.sandbox.image import ensure_image, image_preload
from jupyter_ppo.sandbox.relay import Bounds, Cause, KernelEnd, Relay
from jupyter_ppo.sandbox.stream_state import StreamState

#: How long a container may take to be as it was before its last kernel, in seconds.
_CLEAN_SECONDS: Final = 20.0
#: Ends after which nothing more is asked of a container.
_LOST: Final = frozenset({Cause.LOST, Cause.PROTOCOL})

#: What a slot fits: the container's part of the limits, and whether it has imported what is heavy.
Kind = tuple[SandboxLimits, bool]


class KernelSlot:
    """One container for ``SlotKernel``s, one after another. ``served`` says how many it has had."""

    def __init__(self, engine: Engine, box: Box, kind: Kind) -> None:
        self.kind = kind
        self.served = 0
        self._engine = engine
        self._box = box
        self._state = StreamState()

    @classmethod
    def start(
        cls, limits: SandboxLimits, modules: Iterable[str], base_url: str | None
    ) -> KernelSlot:
        """Start a container; whether its agent gets ready shows with the first kernel.

        Raises ``EngineUnavailableError``, ``ImageMissingError`` or ``SandboxError`` and leaves
        nothing behind then.
        """
        engine = Engine.connect(base_url)
        box: Box | None = None
        try:
            preload, modules = image_preload(engine), tuple(modules)
            imported = (*KERNEL_MODULES, *preload.needed_by(modules))
            box = Box(engine, ensure_image(engine), limits, imported)
            box.start()
        except BaseException:
            with suppress(PPOError):
                if box is not None:
                    box.remove()
            engine.close()
            raise
        return cls(engine, box, (limits.of_container, preload.is_heavy(modules)))

    @property
    def is_alive(self) -> bool:
        """Whether it can serve another kernel; false while it serves one."""
        return self._state.is_ready and self._wire.is_open()

    def new_relay(
        self,
        folder: PrivateFolder,
        *,
        key: bytes,
        environment: Mapping[str, str],
        seconds: float | None,
        bounds: Bounds,
    ) -> Relay:
        """Have a kernel forked and wait until it is; raises ``SandboxError``.

        The arguments are those of ``ContainerKernel.start``.
        """
        start = {
            "again": True,
            "key": key.decode(),
            "environment": dict(environment),
            "seconds": seconds,
        }
        self.served += 1
        ended = partial(end_from_outside, self._box)
        relay = Relay(
            self._box.stream,
            folder.endpoints(),
            start,
            bounds,
            how_it_ended=ended,
            state=self._state,
        )
        relay.start()
        try:
            relay.started.result(START_SECONDS)
        except NotInTimeError:
            relay.close()
            msg = f"The container's kernel did not start within {START_SECONDS:g} seconds."
            raise SandboxError(msg) from None
        except BaseException:
            relay.close()
            raise
        return relay

    def clean(self) -> bool:
        """End what is left of the last kernel, whose relay has ended; False when that failed."""
        self._state.is_ready = False
        deadline = time.monotonic() + _CLEAN_SECONDS
        try:
            wire = self._wire
            wire.post(encode(Channel.META, [json.dumps({"do": "end"}).encode()]))
            while time.monotonic() < deadline and not self._state.is_ready:
                frame = wire.turn(deadline)
                if frame is not None and frame.channel is Channel.META:
                    self._state.is_ready = event_of(frame).get("event") == "ready"
        except LostError:
            return False
        return self._state.is_ready

    def close(self) -> None:
        """End and remove the container; raises as ``ExaminerBox.close`` does."""
        try:
            self._box.remove()
        finally:
            self._engine.close()

    @property
    def _wire(self) -> Wire:
        return Wire(self._box.stream, MAX_FRAME, self._state)


class SlotKernel:
    """One kernel of a slot. To a provisioner it is what ``ContainerKernel`` is."""

    def __init__(self, slots: KernelSlots, slot: KernelSlot, relay: Relay) -> None:
        self._slots = slots
        self._slot: KernelSlot | None = slot
        self.relay = relay

    def end(self, end: KernelEnd) -> None:
        """Count the kernel as ended, for the given reason; ``close`` sees to it."""
        self.relay.stop(end)

    def close(self) -> None:
        """End the kernel, and give the container back when nothing is left of it in there.

        Raises ``EngineUnavailableError`` or ``SandboxError`` when neither that nor the container's
        removal succeeds.
        """
        slot, self._slot = self._slot, None
        self.relay.close()
        if slot is not None:
            self._slots.give_back(slot, self.relay)


class KernelSlots:
    """The slots of a server, each with ``submissions`` kernels at most; ``idle`` of them may wait.

    ``base_url`` is the container engine's address; None finds it. Safe to use from any thread.
    """

    def __init__(
        self,
        submissions: int,
        *,
        idle: int,
        base_url: str | None = None,
        idle_seconds: float = IDLE_SECONDS,
    ) -> None:
        self._submissions = submissions
        self._base_url = base_url
        self._idle: IdleBoxes[KernelSlot] = IdleBoxes(idle, idle_seconds, "A grading container")

    def start_kernel(
        self,
        folder: PrivateFolder,
        limits: SandboxLimits,
        modules: frozenset[str],
        *,
        key: bytes,
        environment: Mapping[str, str],
        seconds: float | None,
        bounds: Bounds,
    ) -> SlotKernel:
        """Start a kernel for code that imports ``modules``, in a slot that waits or in a new one.

        Raises as ``ContainerKernel.start`` does, whose arguments the others are.
        """
        waits = True
        while True:
            slot = self._waiting(limits, modules) if waits else None
            waits = slot is not None
            slot = slot or KernelSlot.start(limits, modules, self._base_url)
            try:
                relay = slot.new_relay(
                    folder, key=key, environment=environment, seconds=seconds, bounds=bounds
                )
            except BaseException as error:
                self._idle.close_boxes([slot])
                if waits and isinstance(error, SandboxError):
                    continue  # it was lost while it waited
                raise
            return SlotKernel(self, slot, relay)

    def give_back(self, slot: KernelSlot, relay: Relay) -> None:
        """Keep a slot whose kernel's relay has ended, when it is clean again, or close it."""
        is_over = not relay.is_alive() and relay.ended.done()
        is_kept = (
            is_over
            and relay.ended.result().cause not in _LOST
            and slot.served < self._submissions
            and slot.clean()
        )
        if is_kept:
            self._idle.keep(slot, slot.kind)
        else:
            slot.close()

    def close(self) -> None:
        """Close all that wait; those in use are closed when they are given back."""
        self._idle.close()

    def status(self) -> PoolStatus:
        """Say how many wait, of how many that may."""
        return self._idle.status()

    def _waiting(self, limits: SandboxLimits, modules: frozenset[str]) -> KernelSlot | None:
        with Engine.connect(self._base_url) as engine:
            is_heavy = image_preload(engine).is_heavy(modules)
        # The light one only where nothing heavy is needed: its memory is what the limit counts.
        return self._idle.take((limits.of_container, is_heavy))
