"""One container: created, attached to, started, and removed whatever happened in between."""

from __future__ import annotations

import contextlib
import socket
import time
import uuid
from collections.abc import Iterator
from typing import Any, Final

from docker.errors import APIError, DockerException, ImageNotFound, NotFound
from requests.exceptions import RequestException

from jupyter_ppo.domain.errors import EngineUnavailableError, ImageMissingError, SandboxError
from jupyter_ppo.domain.sandbox import SandboxLimits
from jupyter_ppo.sandbox import owner
from jupyter_ppo.sandbox.engine import Engine
from jupyter_ppo.sandbox.inside import agent_program
from jupyter_ppo.sandbox.limits import ENVIRONMENT, HOME, PYTHON, USER, host_config

#: From this HTTP status on, the engine (or what is in front of it) has failed, not the request.
_SERVER_ERROR: Final = 500
_ATTACH: Final = {"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1}
#: How long the engine may take to finish a removal that it began by itself.
_REMOVAL_SECONDS: Final = 60.0


@contextlib.contextmanager
def engine_errors(doing: str) -> Iterator[None]:
    """Turn what the Docker SDK raises into our errors; ``doing`` completes "while ...".

    Raises ``EngineUnavailableError`` when the engine is gone or failed itself (HTTP 5xx), for then
    the same request may pass later, and ``SandboxError`` when it refused this request.
    """
    try:
        yield
    except ImageNotFound as error:
        msg = "The sandbox image is not built. Build it with: jupyter ppo image build"
        raise ImageMissingError(msg, field="image") from error
    except APIError as error:
        if error.status_code is not None and error.status_code >= _SERVER_ERROR:
            msg = (
                f"The container engine failed while {doing}: {error.explanation or error}. "
                "Look at the engine's log."
            )
            raise EngineUnavailableError(msg, field="engine") from error
        msg = f"The container engine refused while {doing}: {error.explanation or error}"
        raise SandboxError(msg, field="engine") from error
    except (DockerException, RequestException, OSError) as error:
        msg = f"The container engine stopped answering while {doing}: {error}. Is it running?"
        raise EngineUnavailableError(msg, field="engine") from error


class Box:
    """A container with the agent as process 1, and the byte stream to it.

    The container ends when the stream ends, so it cannot outlive this process. ``remove`` must be
    called in any case; it may be called more than once.
    """

    def __init__(self, engine: Engine, image: str, limits: SandboxLimits) -> None:
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
        with engine_errors("creating a container"):
            self._created = True  # also when the answer gets lost: then it is removed by its name
            api.create_container(
                self._image,
                [PYTHON, "-c", agent_program()],
                name=self.name,
                hostname="sandbox",
                user=f"{USER}:{USER}",
                working_dir=HOME,
                entrypoint=[],
                environment=ENVIRONMENT,
                host_config=host_config(api, self._limits),
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
        raw.setblocking(False)
        self._stream = raw
        with engine_errors("starting a container"):
            api.start(self.name)

    def close_stream(self) -> None:
        """End the stream, and with it the container.

        It comes before every removal: an engine with a stream that nobody reads does not answer.
        """
        if self._stream is not None:
            with contextlib.suppress(OSError):
                self._stream.shutdown(socket.SHUT_RDWR)

    def remove(self) -> None:
        """End the container, wait until the engine has forgotten it, and close the stream.

        Raises ``EngineUnavailableError`` or ``SandboxError`` when it may still be there.
        """
        self.close_stream()
        try:
            if self._created:
                self._remove()
                self._created = False
        finally:
            self._release()

    def _remove(self) -> None:
        api = self._engine.api
        with engine_errors("removing a container"):
            try:
                api.remove_container(self.name, force=True, v=True)
            except NotFound:
                return
            except APIError as error:
                # It ended by itself and the engine is removing it already.
                if error.status_code != 409:
                    raise
        end = time.monotonic() + _REMOVAL_SECONDS
        with engine_errors("removing a container"):
            while time.monotonic() < end:
                try:
                    api.inspect_container(self.name)
                except NotFound:
                    return
                time.sleep(0.01)
        msg = f"The container engine did not remove container {self.name}."
        raise SandboxError(msg, field="engine")

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
