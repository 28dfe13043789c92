"""A kernel in a container: engine, container, relay and folder together, made and unmade as one."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from concurrent.futures import TimeoutError as NotInTimeError
from pathlib import Path
from typing import Final

from jupyter_ppo.domain.errors import EngineUnavailableError, PPOError, SandboxError
from jupyter_ppo.domain.sandbox import SandboxLimits
from jupyter_ppo.sandbox import owner
from jupyter_ppo.sandbox.box import Box
from jupyter_ppo.sandbox.engine import Engine
from jupyter_ppo.sandbox.frames import KERNEL_CHANNELS, Channel
from jupyter_ppo.sandbox.image import ensure_image
from jupyter_ppo.sandbox.relay import Bounds, KernelEnd, Relay

#: How long a container may take until its kernel is forked, in seconds, on a busy machine.
START_SECONDS: Final = 90.0


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
    ) -> ContainerKernel:
        """Start a container and wait until its kernel is forked.

        ``key`` signs the messages, ``environment`` is added to the kernel's own, after ``seconds``
        the container ends by itself (None: never).
        """
        engine = Engine.connect(base_url)
        box: Box | None = None
        relay: Relay | None = None
        try:
            box = Box(engine, ensure_image(engine), limits)
            box.start()
            message = {
                "key": key.decode(),
                "environment": dict(environment or {}),
                "seconds": seconds,
            }
            relay = Relay(box.stream, folder.endpoints(), message, bounds or Bounds())
            relay.start()
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


def _removal_error(box: Box | None) -> PPOError | None:
    """Remove the container of a failed start; return why that failed. The reaper tries again."""
    if box is not None:
        try:
            box.remove()
        except PPOError as error:
            return error
    return None
