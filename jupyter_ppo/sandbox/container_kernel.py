"""A kernel in a container: engine, container, relay and folder together, made and unmade as one."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import TimeoutError as NotInTimeError
from functools import partial
from pathlib import Path
from typing import Final

from jupyter_ppo.domain.ending import Ending
from jupyter_ppo.domain.errors import EngineUnavailableError, PPOError, SandboxError
from jupyter_ppo.domain.sandbox import SandboxLimits
from jupyter_ppo.sandbox import owner
from jupyter_ppo.sandbox.box import Box
from jupyter_ppo.sandbox.engine import Engine
from jupyter_ppo.sandbox.frames import KERNEL_CHANNELS, Channel
from jupyter_ppo.sandbox.image import ensure_image, image_preload
from jupyter_ppo.sandbox.relay import Bounds, Cause, KernelEnd, Relay

#: How long a container may take until its kernel is forked, in seconds, on a busy machine.
START_SECONDS: Final = 90.0
#: What every kernel imports first. Process 1 has it ready while its container is still starting.
KERNEL_MODULES: Final = ("ipykernel.kernelapp", "ipykernel.ipkernel", "matplotlib_inline")


class PrivateFolder:
    """A folder for sockets and the connection file that only this user can enter."""

    def __init__(self) -> None:
        self.path: Path = owner.new_folder()

    @property
    def socket_prefix(self) -> str:
        """What Jupyter calls the ``ip`` of an ipc transport; ``-port`` gets appended to it."""
        return str(self.path / "k")

    def endpoints(self) -> Mapping[Channel, str]:
        """Return the socket address of every channel; a channel's number is its "port"."""
        return {name: f"ipc://{self.socket_prefix}-{int(name)}" for name in KERNEL_CHANNELS}

    def remove(self) -> None:
        """Remove it with all that is in it; more than once does no harm."""
        shutil.rmtree(self.path, ignore_errors=True)


class ContainerKernel:
    """One running kernel. All methods block; ``close`` gives everything back.

    ``start`` raises ``EngineUnavailableError``, ``ImageMissingError`` or ``SandboxError`` and
    leaves nothing behind then.
    """

    def __init__(self, engine: Engine, box: Box, relay: Relay) -> None:
        self._engine = engine
        self._box = box
        self.relay = relay

    @classmethod
    def start(
        cls,
        folder: PrivateFolder,
        limits: SandboxLimits,
        *,
        key: bytes,
        base_url: str | None = None,
        environment: Mapping[str, str] | None = None,
        seconds: float | None = None,
        bounds: Bounds | None = None,
        preload: Sequence[str] = (),
        modules: Iterable[str] = (),
        ending: Ending | None = None,
    ) -> ContainerKernel:
        """Start a container and wait until its kernel is forked, or until ``ending`` ends that.

        ``key`` signs the messages, ``environment`` is added to the kernel's own, after ``seconds``
        the container ends by itself (None: never). ``preload`` names modules that the kernel has
        imported when it starts; for code that imports ``modules`` it also has what is heavy, if
        that needs it: process 1 imports it with less work than a kernel.
        """
        engine = Engine.connect(base_url)
        box: Box | None = None
        relay: Relay | None = None
        try:
            if modules and (image := image_preload(engine)).is_heavy(modules):
                preload = (*preload, *image.needed_by(modules))
            box = Box(engine, ensure_image(engine), limits, (*KERNEL_MODULES, *preload))
            box.start()
            message = {
                "key": key.decode(),
                "environment": dict(environment or {}),
                "seconds": seconds,
            }
            relay = Relay(
                box.stream,
                folder.endpoints(),
                message,
                bounds or Bounds(),
                how_it_ended=partial(end_from_outside, box),
                explain=partial(_why_it_ended, limits),
            )
            relay.start()
            if ending is not None:
                ending.on_end(relay.stop)  # of an end that is told nobody asks the engine
            try:
                relay.started.result(START_SECONDS)
            except NotInTimeError:
                msg = f"The container's kernel did not start within {START_SECONDS:g} seconds."
                raise SandboxError(msg) from None
        except BaseException as error:
            if relay is not None:
                relay.close()
            failure = _removal_error(box)
            engine.close()
            # An engine that went away is why the start failed, and says more.
            if isinstance(error, SandboxError) and isinstance(failure, EngineUnavailableError):
                raise failure from error
            raise
        return cls(engine, box, relay)

    @property
    def is_alive(self) -> bool:
        """Whether the kernel has not ended, as far as is known here."""
        return not self.relay.ended.done()

    def adopt(self, *, seconds: float | None, bounds: Bounds) -> None:
        """Give a kernel that was started in advance the bounds of its one use, from now on."""
        self.relay.adopt(bounds, seconds)

    def end(self, end: KernelEnd) -> None:
        """End the kernel now, for the given reason unless it has ended already."""
        self.relay.stop(end)
        self._box.close_stream()

    def close(self) -> None:
        """End the kernel and give back thread, sockets, container and connection.

        Raises ``EngineUnavailableError`` or ``SandboxError`` when the container may still be there;
        all the rest is given back also then.
        """
        try:
            self.relay.stop()
            self._box.remove()
        finally:
            self.relay.close()
            self._engine.close()


def end_from_outside(box: Box) -> KernelEnd | None:
    """Say how the kernel ended when process 1 cannot say it any more."""
    end = box.how_it_ended()
    if end is None:
        return None
    return KernelEnd(Cause.MEMORY if end.out_of_memory else Cause.EXITED, end.code)


def _why_it_ended(limits: SandboxLimits, end: KernelEnd) -> str:
    """Say it to a person whose own kernel it was; nothing that came from the container is told."""
    match end.cause:
        case Cause.MEMORY:
            return (
                f"The kernel used more than {limits.memory_mb} MiB of memory and was ended "
                "(limit memory_mb)."
            )
        case Cause.OUTPUT:
            largest = Bounds().message_bytes // 2**20
            return f"One output was larger than {largest} MiB, so the kernel was ended."
        case Cause.WALL:
            return "The kernel was ended because it has run as long as it may (lifetime)."
        case Cause.PROTOCOL:
            return "The kernel was ended because it sent what no kernel sends."
        case Cause.EXITED if end.code < 0:
            return f"The kernel was ended by signal {_signal_name(-end.code)}."
        case Cause.EXITED:
            return f"The kernel ended by itself, with code {end.code}."
        case _:
            return "The kernel and its container were lost. The server's log says more."


def _signal_name(number: int) -> str:
    try:
        return f"{number} ({signal.Signals(number).name})"
    except ValueError:
        return str(number)


def _removal_error(box: Box | None) -> PPOError | None:
    """Remove the container of a failed start; return why that failed. The reaper tries again."""
    if box is not None:
        try:
            box.remove()
        except PPOError as error:
            return error
    return None
