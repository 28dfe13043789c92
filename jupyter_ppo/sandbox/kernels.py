"""The kernel manager and the client that grading uses."""

from __future__ import annotations

import asyncio
import time
from queue import Empty
from typing import Any, Final

import zmq.asyncio
from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.manager import AsyncKernelManager

from jupyter_ppo.domain.errors import SandboxError
from jupyter_ppo.domain.sandbox import SandboxLimits
from jupyter_ppo.sandbox.kernel_slots import KernelSlots
from jupyter_ppo.sandbox.provisioner import ContainerProvisioner
from jupyter_ppo.sandbox.relay import Bounds
from jupyter_ppo.sandbox.warm_kernels import KernelPools

#: How often the kernel is asked again until both its channels answer, in seconds.
_ASK_SECONDS: Final = 0.1


class FastReadyClient(AsyncKernelClient):
    """A client whose wait for readiness ends with the proof of it, not after a fixed 200 ms.

    Readiness means that the kernel answered a request of ours and that the end of such a request
    came over iopub, so no later output can be missed.
    """

    async def _async_wait_for_ready(self, timeout: float | None = None) -> None:  # noqa: ASYNC109
        """Wait; raise ``SandboxError`` when the kernel ends or ``timeout`` seconds have passed."""
        end = time.monotonic() + (60.0 if timeout is None else timeout)
        requests: set[str] = set()
        info: dict[str, Any] | None = None
        is_idle = False
        while info is None or not is_idle:
            if time.monotonic() > end:
                msg = f"The kernel did not answer within {timeout} seconds."
                raise SandboxError(msg)
            if not await self._async_is_alive():
                msg = "The kernel ended before it answered."
                raise SandboxError(msg)
            requests.add(self.kernel_info())
            wait_for = self.shell_channel if info is None else self.iopub_channel
            await wait_for.socket.poll(round(_ASK_SECONDS * 1000))
            for channel in (self.shell_channel, self.iopub_channel):
                async for message in _waiting(channel):
                    if message["parent_header"].get("msg_id") not in requests:
                        continue
                    if message["msg_type"] == "kernel_info_reply":
                        info = message
                    elif message["content"].get("execution_state") == "idle":
                        is_idle = True
        self._handle_kernel_info_reply(info)

    wait_for_ready = _async_wait_for_ready


async def _waiting(channel: Any) -> Any:
    """Yield the messages that have arrived already; raise ``SandboxError`` for what is none."""
    while True:
        try:
            yield await channel.get_msg(timeout=0)
        except Empty:
            return
        except ValueError as error:  # the relay's end mark among others
            msg = "The kernel ended before it answered."
            raise SandboxError(msg) from error


class GradingKernelManager(AsyncKernelManager):
    """Manages one kernel in a container; whatever a notebook asks for, it is no other kernel.

    It comes from ``pools`` if one waits there that fits code that imports ``modules``, or else from
    ``slots`` if there are any.
    """

    def __init__(
        self,
        limits: SandboxLimits,
        *,
        base_url: str | None = None,
        lifetime: float | None = None,
        environment: dict[str, str] | None = None,
        bounds: Bounds | None = None,
        pools: KernelPools | None = None,
        slots: KernelSlots | None = None,
        modules: frozenset[str] = frozenset(),
    ) -> None:
        # Shared: closing a context of one's own after a flood of messages has aborted the process.
        super().__init__(context=zmq.asyncio.Context.instance(), client_factory=FastReadyClient)
        self.provisioner: ContainerProvisioner = ContainerProvisioner(
            parent=self,
            base_url=base_url,
            limits={name: getattr(limits, name) for name in limits.__dataclass_fields__},
            lifetime=lifetime,
            environment=environment or {},
            bounds=bounds or Bounds(),
        )
        self.provisioner.pools, self.provisioner.modules = pools, modules
        self.provisioner.slots = slots
        self.provisioner.sets_environment = True
        #: Whether the kernel has answered; before that nothing of a notebook can have ended it.
        self.has_answered = False

    async def start(self) -> None:
        """Start the kernel.

        Raises ``EngineUnavailableError``, ``ImageMissingError`` or ``SandboxError``.
        """
        # start_kernel() would log a failure as an exception and keep it in a future nobody reads.
        await self.provisioner.pre_launch()
        await self.provisioner.launch_kernel([])

    def client(self, **kwargs: Any) -> FastReadyClient:  # type: ignore[override]
        """Return a client that shares this manager's context."""
        made = super().client(context=self.context, **kwargs)
        assert isinstance(made, FastReadyClient)  # noqa: S101 - client_factory says so
        return made

    async def close(self) -> None:
        """End the kernel and give everything back, also when cancelled meanwhile.

        Raises ``EngineUnavailableError`` or ``SandboxError`` when the container may still be there.
        """
        cleaning = asyncio.ensure_future(self.provisioner.cleanup())
        cancelled: asyncio.CancelledError | None = None
        while not cleaning.done():
            try:
                await asyncio.wait([cleaning])
            except asyncio.CancelledError as error:
                cancelled = error
        self.session.parent = None
        if cancelled is not None:
            cleaning.exception()
            raise cancelled
        cleaning.result()
