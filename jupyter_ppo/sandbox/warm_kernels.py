"""Kernels that wait in containers of their own, each for one notebook or one person.

Two flavours: a light one, and a heavy one with what the image says takes long to import. A notebook
gets the heavy one if it imports such a module.
"""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

import zmq
from jupyter_client.session import Session

from jupyter_ppo.domain.ending import Ending
from jupyter_ppo.domain.errors import SandboxError
from jupyter_ppo.domain.sandbox import PoolStatus, SandboxLimits
from jupyter_ppo.sandbox.container_kernel import START_SECONDS, ContainerKernel, PrivateFolder
from jupyter_ppo.sandbox.engine import Engine
from jupyter_ppo.sandbox.frames import Channel
from jupyter_ppo.sandbox.image import Preload, image_preload
from jupyter_ppo.sandbox.pool import WarmPool
from jupyter_ppo.sandbox.relay import Bounds
from jupyter_ppo.sandbox.removal import LEFTOVERS

#: What a kernel that nobody has asked anything may send.
_WAITING_BOUNDS: Final = Bounds(total_bytes=2**20, messages=1000, message_bytes=2**18)
_ASK_MS: Final = 100
_IMPORT: Final = re.compile(r"^[ \t]*(import|from)[ \t]+([\w.][\w.,\t ]*)", re.MULTILINE)


def imported_modules(sources: Iterable[str]) -> frozenset[str]:
    """Return the modules that lines of these sources import, by their dotted names.

    A look at the lines, in time linear in their length: nothing is parsed, and an import that is
    not found only takes longer.
    """
    found: set[str] = set()
    for source in sources:
        for word, names in _IMPORT.findall(source):
            listed = names.split(",") if word == "import" else [names]
            found.update(part.split(maxsplit=1)[0] for part in listed if part.strip())
    return frozenset(found)


@dataclass(frozen=True)
class WarmKernel:
    """A kernel that has answered once and waits, with the folder of its sockets and its key."""

    kernel: ContainerKernel
    folder: PrivateFolder
    key: bytes

    @classmethod
    def start(
        cls,
        limits: SandboxLimits,
        *,
        base_url: str | None = None,
        preload: Iterable[str] = (),
        ending: Ending | None = None,
    ) -> WarmKernel:
        """Start one and wait until it is idle; raises as ``ContainerKernel.start`` does."""
        folder, key = PrivateFolder(), uuid.uuid4().hex.encode()
        try:
            kernel = ContainerKernel.start(
                folder,
                limits,
                key=key,
                base_url=base_url,
                bounds=_WAITING_BOUNDS,
                preload=tuple(preload),
                ending=ending,
            )
        except BaseException:
            folder.remove()
            raise
        made = cls(kernel, folder, key)
        try:
            made._wait_until_idle()
        except BaseException:
            made.close()
            raise
        return made

    @property
    def is_alive(self) -> bool:
        """Whether it still waits."""
        return self.kernel.is_alive

    def close(self) -> None:
        """End it; raises as ``ContainerKernel.close`` does."""
        try:
            self.kernel.close()
        finally:
            self.folder.remove()

    def _wait_until_idle(self) -> None:
        session, end = Session(key=self.key), time.monotonic() + START_SECONDS
        context: zmq.Context[Any] = zmq.Context.instance()
        shell: zmq.Socket[bytes] = context.socket(zmq.DEALER)
        try:
            shell.linger = 0
            shell.connect(self.folder.endpoints()[Channel.SHELL])
            session.send(shell, "kernel_info_request", {})
            while not shell.poll(_ASK_MS):
                if not self.is_alive or time.monotonic() > end:
                    msg = "A kernel that was started in advance did not answer."
                    raise SandboxError(msg)
        finally:
            shell.close(linger=0)


class KernelPools:
    """The waiting kernels of a process: ``light`` and ``heavy`` of them, within ``limits``.

    ``base_url`` is the container engine's address; None finds it. Safe to use from any thread.
    """

    def __init__(
        self, limits: SandboxLimits, *, light: int, heavy: int, base_url: str | None = None
    ) -> None:
        #: The engine at which these kernels are, as it was asked for.
        self.base_url = base_url
        self._limits = limits
        self._preload: Preload | None = None
        self._is_started = False
        self._light = WarmPool(self._starting(lambda its: its.light), light, "light kernel")
        self._heavy = WarmPool(
            self._starting(lambda its: its.light + its.heavy), heavy, "heavy kernel"
        )

    def start(self) -> None:
        """Begin to start kernels, and to remove what is left over, in the background."""
        if not self._is_started:
            self._is_started = True
            LEFTOVERS.start()
        self._light.start()
        self._heavy.start()

    def close(self) -> None:
        """End all that wait and start no more; those that were taken are not ours any longer."""
        self._light.stop()
        self._heavy.stop()
        self._light.close()
        self._heavy.close()
        if self._is_started:
            self._is_started = False
            LEFTOVERS.stop()

    def status(self) -> PoolStatus:
        """Say how many wait."""
        pools = (self._light, self._heavy)
        return PoolStatus(sum(pool.ready for pool in pools), sum(pool.size for pool in pools))

    def take(self, limits: SandboxLimits, modules: Iterable[str] = ()) -> WarmKernel | None:
        """Return a waiting kernel for code that imports ``modules``, or None if none fits.

        None fits when the container's part of ``limits`` is another one. Never waits.
        """
        if limits.of_container != self._limits.of_container:
            return None
        is_heavy = self._preload is not None and self._preload.is_heavy(modules)
        if is_heavy and (heavy := self._heavy.take()) is not None:
            return heavy
        return self._light.take()

    def _starting(
        self, preload: Callable[[Preload], tuple[str, ...]]
    ) -> Callable[[Ending], WarmKernel]:
        def start(ending: Ending) -> WarmKernel:
            if self._preload is None:
                with Engine.connect(self.base_url) as engine:
                    self._preload = image_preload(engine)
            modules = preload(self._preload)
            return WarmKernel.start(
                self._limits, base_url=self.base_url, preload=modules, ending=ending
            )

        return start
