"""One container: created, attached to, started, and removed whatever happened in between."""

from __future__ import annotations

import contextlib
import json
import socket
import uuid
from collections.abc import Sequence
from typing import Any, Final

from jupyter_ppo.domain.errors import SandboxError
from jupyter_ppo.domain.sandbox import SandboxLimits
from jupyter_ppo.sandbox import owner, podman, removal
from jupyter_ppo.sandbox.container_end import ContainerEnd, end_of
from jupyter_ppo.sandbox.engine import Engine, engine_errors
from jupyter_ppo.sandbox.inside import agent_program
from jupyter_ppo.sandbox.limits import ENVIRONMENT, HOME, PYTHON, USER, host_config

_ATTACH: Final = {"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1}
#: When a silent network connection is asked, how often after that, in seconds, and how many times.
_KEEP_ALIVE: Final = {"TCP_KEEPIDLE": 10, "TCP_KEEPINTVL": 3, "TCP_KEEPCNT": 4}


def _notice_silence(stream: socket.socket) -> None:
    """Make a stream over a network end when the other side has not been heard of for a while.

    Sooner than the usual time of a cell: or a broken network would look like a slow student.
    """
    if stream.family not in {socket.AF_INET, socket.AF_INET6}:
        return
    stream.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _KEEP_ALIVE.items():
        if option := getattr(socket, name, None):  # not every system has each
            stream.setsockopt(socket.IPPROTO_TCP, option, value)


class Box:
    """A container with the agent as process 1, and the byte stream to it.

    The container ends when the stream ends, so it cannot outlive this process. ``remove`` must be
    called in any case; it may be called more than once. ``preload`` names the modules that the
    agent imports before it says that it is ready.
    """

    def __init__(
        self, engine: Engine, image: str, limits: SandboxLimits, preload: Sequence[str] = ()
    ) -> None:
        self._preload = tuple(preload)
        self._engine = engine
        self._image = image
        self._limits = limits
        self._response: Any = None
        self._stream: socket.socket | None = None
        self.name = f"jupyter-ppo-{uuid.uuid4().hex[:16]}"
        self._created = False

    @property
    def stream(self) -> socket.socket:
        """The connected stream, non-blocking. Only after ``start``."""
        if self._stream is None:
            msg = "The container is not started."
            raise SandboxError(msg)
        return self._stream

    def start(self) -> None:
        """Create the container and start it, with its stream attached first.

        Raises ``ImageMissingError``, ``EngineUnavailableError`` or ``SandboxError``; ``remove`` is
        still needed then.
        """
        api = self._engine.api
        self._engine.require_limits()
        with engine_errors("creating a container"):
            self._created = True  # also when the answer gets lost: then it is removed by its name
            config = host_config(api, self._limits)
            if self._engine.is_podman:
                config |= podman.mount_volumes(api, self.name, self._limits)
            api.create_container(
                self._image,
                [PYTHON, "-c", agent_program(), json.dumps({"preload": self._preload})],
                name=self.name,
                hostname="sandbox",
                user=f"{USER}:{USER}",
                working_dir=HOME,
                entrypoint=[],
                environment=ENVIRONMENT,
                host_config=config,
                labels={owner.LABEL: owner.own_token()},
                # Together these make the engine close the agent's input when our stream ends.
                stdin_open=True,
                detach=False,
                tty=False,
            )
        with engine_errors("attaching to a container"):
            attached = api.attach_socket(self.name, params=_ATTACH)
        self._response = attached
        raw = getattr(attached, "_sock", attached)
        if not isinstance(raw, socket.socket):
            msg = "This kind of engine address gives no byte stream; use unix:// or tcp://."
            raise SandboxError(msg, field="engine")
        _notice_silence(raw)
        raw.setblocking(False)
        self._stream = raw
        with engine_errors("starting a container"):
            api.start(self.name)

    def how_it_ended(self) -> ContainerEnd | None:
        """Ask the engine how a container ended whose stream did; see ``end_of``."""
        return end_of(self._engine, self.name)

    def close_stream(self) -> None:
        """End the stream, and with it the container.

        It comes before every removal: an engine with a stream that nobody reads does not answer.
        """
        stream = self._stream  # once: ``remove`` may be at work in another thread
        if stream is not None:
            with contextlib.suppress(OSError):
                stream.shutdown(socket.SHUT_RDWR)

    def remove(self) -> None:
        """End the container, wait until the engine has forgotten it, and close the stream.

        Raises ``EngineUnavailableError`` or ``SandboxError`` when it may still be there; then it
        is tried again later (``removal``).
        """
        self.close_stream()
        try:
            if self._created:
                removal.remove(self._engine, self.name)
                self._created = False
        finally:
            self._release()

    def _release(self) -> None:
        attached, self._response = self._response, None
        stream, self._stream = self._stream, None
        if attached is None:
            return
        # The SDK's object, the HTTP response behind it and the socket each hold the descriptor.
        response = getattr(attached, "_response", None)
        for closing in (attached, response, stream):
            if closing is not None:
                with contextlib.suppress(OSError, ValueError):
                    closing.close()
