"""The way from Jupyter to a kernel in a container: a kernel provisioner, found by its entry point.

A kernelspec that names ``ppo-sandbox`` gives a person's own kernel in JupyterLab; grading uses the
same class without a kernelspec (see ``kernels``). Source: jupyter_client, "Kernel Provisioning".
"""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.provisioning.provisioner_base import KernelProvisionerBase
from traitlets import Dict, Float, Instance, Unicode

from jupyter_ppo.domain.errors import PPOError, SandboxError
from jupyter_ppo.domain.sandbox import SandboxLimits
from jupyter_ppo.sandbox.container_kernel import ContainerKernel, PrivateFolder
from jupyter_ppo.sandbox.frames import KERNEL_CHANNELS
from jupyter_ppo.sandbox.kernel_slots import KernelSlots, SlotKernel
from jupyter_ppo.sandbox.relay import Bounds, Cause, KernelEnd, Relay
from jupyter_ppo.sandbox.warm_kernels import KernelPools, WarmKernel

T = TypeVar("T")

_log = logging.getLogger(__name__)


async def in_thread(function: Callable[[], T], on_cancel: Callable[[], None] = lambda: None) -> T:
    """Run blocking work in a thread and stay until it is done, also when cancelled meanwhile.

    So nobody cleans up while something is still being made. ``on_cancel`` may make it end soon.
    """
    task = asyncio.ensure_future(asyncio.to_thread(function))
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError as error:
            cancelled = error
            on_cancel()
    if cancelled is not None:
        raise cancelled from task.exception()
    return task.result()


def use_kernels(pools: KernelPools | None) -> None:
    """Let people's own kernels, started from now on in this process, come from these pools."""
    ContainerProvisioner.pools = pools


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

    pools: KernelPools | None = None
    #: Where grading may start its kernels instead; nobody's own kernel comes from there.
    slots: KernelSlots | None = None
    #: What the code to be run imports, as far as that is known.
    modules: frozenset[str] = frozenset()
    #: Whether the client sets ``unset_environment`` in a kernel that was started in advance.
    sets_environment = False

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._kernel: ContainerKernel | SlotKernel | None = None
        self._warm: WarmKernel | None = None
        #: Whether the latest kernel was started in advance.
        self.is_adopted = False
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
    def relay(self) -> Relay:
        """The way to the kernel; raises ``SandboxError`` when there is none."""
        if self._kernel is None:
            msg = "There is no kernel."
            raise SandboxError(msg)
        return self._kernel.relay

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

    @property
    def unset_environment(self) -> dict[str, str]:
        """The part of ``environment`` that the running kernel was not started with."""
        return dict(self.environment) if self.is_adopted else {}

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        """Give the manager its private sockets, those of a waiting kernel if there is one.

        The base class would pass on the server's whole environment; it is not called.
        """
        try:
            self._prepare(self.parent)
        except BaseException:
            await self._give_up()
            raise
        kwargs.pop("env", None)
        return kwargs | {"cmd": []}

    def _prepare(self, manager: Any) -> None:
        if self._folder is None:
            self._warm = self._take()
            self._folder = PrivateFolder() if self._warm is None else self._warm.folder
            if self._warm is not None:
                manager.session.key = self._warm.key
        manager.transport, manager.ip = "ipc", self._folder.socket_prefix
        for channel in KERNEL_CHANNELS:
            setattr(manager, f"{channel.name.lower()}_port", int(channel))
        if not manager.connection_file:
            manager.connection_file = str(self._folder.path / "connection.json")
        manager.write_connection_file()
        self.connection_info = manager.get_connection_info()

    async def _give_up(self) -> None:
        """Give back what a launch that failed has taken; the manager does not ask for it."""
        manager: Any = self.parent
        if self._folder is not None and manager.connection_file.startswith(str(self._folder.path)):
            manager.connection_file = ""  # the next launch has another folder
        try:
            await self.cleanup()
        except PPOError as error:
            _log.warning("A sandbox container was perhaps not removed yet: %s", error)

    def _take(self) -> WarmKernel | None:
        if self.pools is None or self.pools.base_url != self.base_url:
            return None
        if self.environment and not self.sets_environment:
            return None
        return self.pools.take(SandboxLimits(**self.limits), self.modules)

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """Start the container, or adopt the waiting one; return how to connect."""
        try:
            await self._launch()
        except BaseException:
            await self._give_up()
            raise
        return self.connection_info

    async def _launch(self) -> None:
        folder, key = self._folder, _bytes(self.connection_info["key"])
        assert folder is not None  # noqa: S101 - pre_launch comes first
        limits = SandboxLimits(**self.limits)
        warm, self._warm = self._warm, None
        self.is_adopted = warm is not None
        if warm is not None:
            self._kernel = warm.kernel
            warm.kernel.adopt(seconds=self.lifetime, bounds=self.bounds)
            return

        def start() -> None:
            if self.slots is not None:
                self._kernel = self.slots.start_kernel(
                    folder,
                    limits,
                    self.modules,
                    key=key,
                    environment=self.environment,
                    seconds=self.lifetime,
                    bounds=self.bounds,
                )
                return
            self._kernel = ContainerKernel.start(
                folder,
                limits,
                key=key,
                base_url=self.base_url,
                environment=self.environment,
                seconds=self.lifetime,
                bounds=self.bounds,
                modules=self.modules,
            )

        await in_thread(start)

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
        warm, self._warm = self._warm, None
        try:
            if warm is not None:  # taken, and never launched
                await in_thread(warm.kernel.close)
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
