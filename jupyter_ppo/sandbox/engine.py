"""The container engine: the only module that finds and opens the Docker client.

``docker/engine.sh`` starts an engine where none answers; it uses the same default socket as this
module, so what the script started is found here without any setting.
"""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import docker
from docker.constants import DEFAULT_DOCKER_API_VERSION
from docker.errors import APIError, DockerException, ImageNotFound
from docker.utils import kwargs_from_env
from requests.exceptions import RequestException

from jupyter_ppo.domain.errors import EngineUnavailableError, ImageMissingError, SandboxError

DEFAULT_SOCKET: Final = Path("/var/run/docker.sock")

#: How long an engine may take to say its version, in seconds; a busy machine needs some.
ANSWER_SECONDS: Final = 20.0

REMEDY: Final = (
    "Install Docker Engine (on Debian or Ubuntu: sudo apt-get install docker.io) and start it, or "
    "set DOCKER_HOST to an engine that runs."
)

#: What an engine says it can limit, by its name in the answer to ``/info``.
_NEEDED_LIMITS: Final = {
    "MemoryLimit": "memory",
    "PidsLimit": "processes",
    "CpuCfsQuota": "processor time",
}

#: Addresses and versions of engines that can; asking takes time, and nobody should wait for it.
_can_limit: set[tuple[str, str]] = set()

#: From this HTTP status on, the engine (or what is in front of it) has failed, not the request.
_SERVER_ERROR: Final = 500

# What the SDK lets through when the other side answers something else than an engine would.
_FAILURES: Final = (DockerException, RequestException, OSError, ValueError, KeyError, TypeError)


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


class Engine:
    """An open connection to a Docker engine. Not for several threads at once: open one in each.

    ``api`` is the low-level client of the Docker SDK; whatever it raises later is the caller's to
    turn into an error of ours (``engine_errors``). Closing closes every pooled connection.
    ``is_podman`` tells that Podman answers, which lacks a few of Docker's options (see ``podman``).
    ``base_url`` is where it was found, ``asked_url`` what ``connect`` was given to find it.
    """

    def __init__(
        self,
        api: docker.APIClient,
        version: str,
        base_url: str,
        *,
        is_podman: bool = False,
        asked_url: str | None = None,
    ) -> None:
        self.api = api
        self.base_url = base_url
        self.asked_url = asked_url
        self.is_podman = is_podman
        self._version = version

    @classmethod
    def connect(cls, base_url: str | None = None, *, timeout: float = 60) -> Engine:
        """Open the engine at ``base_url``, else at DOCKER_HOST, else at the usual sockets.

        ``timeout`` bounds each later request, in seconds. Raises ``EngineUnavailableError`` with
        what to install or start.
        """
        settings = _settings(base_url)
        address = str(settings["base_url"])
        try:
            _knock(address)
            # A first client with a fixed API version asks for the engine's; a client that finds out
            # by itself leaves its connection open when the answer is bad.
            with docker.APIClient(
                **settings, version=DEFAULT_DOCKER_API_VERSION, timeout=int(ANSWER_SECONDS)
            ) as first:
                answer: dict[str, Any] = first.version(api_version=False)
            api = docker.APIClient(
                **settings, version=str(answer["ApiVersion"]), timeout=max(1, round(timeout))
            )
        except PermissionError as error:
            raise _not_allowed(address) from error
        except _FAILURES as error:
            if "Permission denied" in str(error):
                raise _not_allowed(address) from error
            msg = f"No container engine answers at {address}. {REMEDY}"
            raise EngineUnavailableError(msg, field="engine") from error
        return cls(
            api,
            str(answer["Version"]),
            address,
            is_podman=_is_podman(answer),
            asked_url=base_url,
        )

    def version(self) -> str:
        """Return the engine's version as it told when it was connected, such as 20.10.24."""
        return self._version

    def require_limits(self) -> None:
        """Raise ``EngineUnavailableError`` when containers would run here without their limits.

        A rootless engine on a host with control groups v1 takes the limits and ignores them.
        """
        key = (self.base_url, self._version)
        if key in _can_limit:
            return
        try:
            info: dict[str, Any] = self.api.info()
        except _FAILURES as error:
            msg = f"The container engine at {self.base_url} does not say what it can do: {error}"
            raise EngineUnavailableError(msg, field="engine") from error
        missing = [what for name, what in _NEEDED_LIMITS.items() if info.get(name) is False]
        if missing:
            msg = (
                f"The container engine at {self.base_url} cannot limit {', '.join(missing)}, so "
                "nothing is run there. A rootless engine needs control groups v2; use such a host, "
                "or an engine that runs as root."
            )
            raise EngineUnavailableError(msg, field="engine")
        _can_limit.add(key)

    def close(self) -> None:
        """Close every connection; more than once does no harm."""
        self.api.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _settings(base_url: str | None) -> dict[str, Any]:
    """Return ``base_url`` and, for a remote engine from the environment, its TLS settings."""
    if base_url is not None:
        return {"base_url": base_url}
    if os.environ.get("DOCKER_HOST"):
        try:
            return dict(kwargs_from_env())
        except _FAILURES as error:
            msg = f"DOCKER_CERT_PATH or DOCKER_TLS_VERIFY cannot be used: {error}. {REMEDY}"
            raise EngineUnavailableError(msg, field="engine") from error
    sockets = [DEFAULT_SOCKET]
    if runtime := os.environ.get("XDG_RUNTIME_DIR"):
        sockets.append(Path(runtime) / "docker.sock")  # rootless Docker
    # Docker Desktop on macOS and on Linux.
    sockets += [Path.home() / ".docker" / kind / "docker.sock" for kind in ("run", "desktop")]
    found = next((path for path in sockets if path.exists()), DEFAULT_SOCKET)
    return {"base_url": f"unix://{found}"}


def _is_podman(answer: dict[str, Any]) -> bool:
    """Whether an answer to ``/version`` is Podman's, which names itself among its components."""
    components = answer.get("Components")
    return isinstance(components, list) and any(
        isinstance(part, dict) and "podman" in str(part.get("Name")).lower() for part in components
    )


def _knock(address: str) -> None:
    """Raise ``OSError`` when no one listens at a Unix socket; the SDK would leave a socket open."""
    kind, _, path = address.partition("://")
    if kind.endswith("unix"):
        with socket.socket(socket.AF_UNIX) as knock:
            knock.settimeout(ANSWER_SECONDS)
            knock.connect(path if path.startswith("/") else f"/{path}")


def _not_allowed(address: str) -> EngineUnavailableError:
    msg = (
        f"The container engine at {address} does not let this user in. Add the user to the group "
        "docker (sudo usermod -aG docker NAME) and log in again."
    )
    return EngineUnavailableError(msg, field="engine")
