"""The way from Jupyter to a kernel in a container: a kernel provisioner, found by its entry point.

A kernelspec that names ``ppo-sandbox`` gives a person's own kernel in JupyterLab; grading uses the
same class without a kernelspec (see ``kernels``). Source: jupyter_client, "Kernel Provisioning".
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.provisioning.provisioner_base import KernelProvisionerBase
from traitlets import Dict, Float, Instance, Unicode

from jupyter_ppo.domain.sandbox import SandboxLimits
from jupyter_ppo.sandbox.container_kernel import ContainerKernel, PrivateFolder
from jupyter_ppo.sandbox.frames import KERNEL_CHANNELS
from jupyter_ppo.sandbox.relay import Bounds, Cause, KernelEnd

T = TypeVar("T")


async def in_thread(function: Callable[[], T]) -> T:
    """Run blocking work in a thread and stay until it is done, also when cancelled meanwhile.

    So nobody cleans up while something is still being made.
    """
    task = asyncio.ensure_future(asyncio.to_thread(function))
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        raise cancelled from task.exception()
    return task.result()


class ContainerProvisioner(KernelProvisionerBase):
    """Provides a kernel that runs in a container of its own.

    Raises ``EngineUnavailableError``, ``ImageMissingError`` or ``SandboxError`` when launched. The
    server's environment, working directory and kernel command are not passed on.
    """

    base_url = Unicode(
        None, allow_none=True, help="The container engine's address; None finds it."
    ).tag(config=True)
    limits = Dict(help="Limits by name, see jupyter_ppo.domain.sandbox.BOUNDS.").tag(config=True)
    lifetime = Float(
        None, allow_none=True, help="Seconds after which the kernel ends by itself; None: never."
    ).tag(config=True)
    environment = Dict(help="Variables added to the kernel's environment.").tag(config=True)
    bounds = Instance(Bounds, args=())

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._kernel: ContainerKernel | None = None
        self._folder: PrivateFolder | None = None
        self._last: KernelEnd | None = None

    @property
    def has_process(self) -> bool:
        """Whether a container is being managed."""
        return self._kernel is not None

    @property
    def ended(self) -> Future[KernelEnd] | None:
        """Done when the kernel is over; None if there is no kernel."""
        return None if self._kernel is None else self._kernel.relay.ended

    @property
    def last_end(self) -> KernelEnd | None:
        """How the latest kernel ended."""
        ended = self.ended
        return ended.result() if ended is not None and ended.done() else self._last

    @property
    def is_over(self) -> bool:
        """Whether there is no running kernel."""
        ended = self.ended
        return ended is None or ended.done()

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        """Give the manager its private sockets.

        The base class would pass on the server's whole environment; it is not called.
        """
        manager: Any = self.parent
        if self._folder is None:
            self._folder = PrivateFolder()
        manager.transport, manager.ip = "ipc", self._folder.socket_prefix
        for channel in KERNEL_CHANNELS:
            setattr(manager, f"{channel.name.lower()}_port", int(channel))
        if not manager.connection_file:
            manager.connection_file = str(self._folder.path / "connection.json")
        manager.write_connection_file()
        self.connection_info = manager.get_connection_info()
        kwargs.pop("env", None)
        return kwargs | {"cmd": []}

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """Start the container; return how to connect."""
        folder, key = self._folder, _bytes(self.connection_info["key"])
        assert folder is not None  # noqa: S101 - pre_launch comes first
        limits = SandboxLimits(**self.limits)

        def start() -> None:
            self._kernel = ContainerKernel.start(
                folder,
                limits,
                key=key,
                base_url=self.base_url,
                environment=self.environment,
                seconds=self.lifetime,
                bounds=self.bounds,
            )

        await in_thread(start)
        return self.connection_info

    async def poll(self) -> int | None:
        """Return None while the kernel runs, else its exit code."""
        if not self.is_over:
            return None
        end = self.last_end
        return 0 if end is None else end.code

    async def wait(self) -> int | None:
        """Wait until the kernel is over, remove its container, return the exit code."""
        if self._kernel is not None:
            ended = asyncio.wrap_future(self._kernel.relay.ended)
            await asyncio.shield(ended)
            await self._close()
        return 0 if self._last is None else self._last.code

    async def send_signal(self, signum: int) -> None:
        """Send a signal to the kernel's process group; SIGKILL ends the container."""
        if signum == signal.SIGKILL:
            await self.kill()
        elif self._kernel is not None and signum != 0:
            self._kernel.relay.signal(signum)

    async def kill(self, restart: bool = False) -> None:
        """End the container at once."""
        await self.end(KernelEnd(Cause.STOPPED, -signal.SIGKILL))

    async def end(self, end: KernelEnd) -> None:
        """End the container at once for the given reason, unless it is over already."""
        kernel = self._kernel
        if kernel is not None:
            await in_thread(lambda: kernel.end(end))

    async def terminate(self, restart: bool = False) -> None:
        """Ask the kernel to end."""
        await self.send_signal(signal.SIGTERM)

    async def cleanup(self, restart: bool = False) -> None:
        """Remove the container and, unless the kernel is restarted, its sockets."""
        try:
            await self._close()
        finally:
            if not restart and self._folder is not None:
                self._folder.remove()
                self._folder = None

    async def _close(self) -> None:
        kernel, self._kernel = self._kernel, None
        if kernel is not None:
            self._last = kernel.relay.ended.result() if kernel.relay.ended.done() else None
            await in_thread(kernel.close)
            self._last = kernel.relay.ended.result()


def _bytes(key: Any) -> bytes:
    return key if isinstance(key, bytes) else str(key).encode()
