"""What Podman does differently behind Docker's API, as far as a sandbox is concerned.

Its tmpfs mounts know neither ``nr_inodes`` nor an owner, so the writable folders are volumes, each
a tmpfs of its own that lives as long as its container runs; and where Docker leaves a read-only
container alone, Podman adds writable folders, which are made read-only. Sources: podman-create(1),
podman-volume-create(1); every line was measured with 4.3.1.
"""

from __future__ import annotations

import contextlib
import time
from typing import Any, Final

import docker
from docker.errors import APIError, NotFound

from jupyter_ppo.domain.errors import SandboxError
from jupyter_ppo.domain.sandbox import SandboxLimits
from jupyter_ppo.sandbox import owner
from jupyter_ppo.sandbox.limits import WRITABLE_FOLDERS, writable_folders

#: A read-only container gets these from Podman, without a limit and open to everyone.
_ADDED_FOLDERS: Final = ("/run", "/var/tmp")  # noqa: S108
_PAGE: Final = 4096
#: How long a volume may be in use after its container is gone.
_RELEASE_SECONDS: Final = 30.0
_PAUSE_SECONDS: Final = 0.01


def mount_volumes(api: docker.APIClient, name: str, limits: SandboxLimits) -> dict[str, Any]:
    """Make the volumes of container ``name``; return what its host configuration needs for them.

    What was made stays until ``remove_volumes``, also when this raises what the Docker SDK does.
    """
    binds = []
    for folder, options in writable_folders(limits).items():
        volume = _volume(name, folder)
        api.create_volume(
            volume,
            driver="local",
            driver_opts={"type": "tmpfs", "device": "tmpfs", "o": _mount_options(options)},
            labels={owner.LABEL: owner.own_token()},
        )
        binds.append(f"{volume}:{folder}:rw,nocopy,nosuid,nodev,noexec")
    return {
        "Binds": binds,
        "Tmpfs": dict.fromkeys(_ADDED_FOLDERS, f"ro,noexec,nosuid,nodev,size={_PAGE}"),
    }


def remove_volumes(api: docker.APIClient, name: str, *, wait: bool = True) -> None:
    """Remove the volumes of container ``name``: each is tried, whatever comes of the others.

    ``wait``: until the container, which is gone itself, has let go of them. Raises ``SandboxError``
    when one stays in use, else what the Docker SDK does.
    """
    end = time.monotonic() + (_RELEASE_SECONDS if wait else 0.0)
    failed: SandboxError | None = None
    for folder in WRITABLE_FOLDERS:
        try:
            _remove_volume(api, _volume(name, folder), end)
        except SandboxError as error:
            failed = error
    if failed is not None:
        raise failed


def container_of(volume: str) -> str:
    """Return the name of the container that a volume was made for."""
    for folder in WRITABLE_FOLDERS:
        volume = volume.removesuffix(_volume("", folder))
    return volume


def _remove_volume(api: docker.APIClient, volume: str, end: float) -> None:
    """Remove one volume, at the time ``end`` at the latest.

    Podman refuses in several ways while the container goes, one of them the 404 that would mean
    that the volume is gone; so the volume itself is looked for.
    """
    while True:
        with contextlib.suppress(APIError):
            api.remove_volume(volume)
        try:
            api.inspect_volume(volume)
        except NotFound:
            return
        if time.monotonic() > end:
            msg = f"The container engine did not remove volume {volume}."
            raise SandboxError(msg, field="engine")
        time.sleep(_PAUSE_SECONDS)


def is_forgotten(error: APIError) -> bool:
    """Whether an error says that the container is gone.

    While it removes one, Podman answers 500 where 404 is meant.
    """
    return isinstance(error, NotFound) or "no such container" in str(error.explanation)


def is_changing(error: APIError) -> bool:
    """Whether a request met a container that was just ending; the same one will pass soon."""
    return "container state improper" in str(error.explanation)


def _volume(container: str, folder: str) -> str:
    return f"{container}{folder.replace('/', '-')}"


def _mount_options(options: str) -> str:
    """Return a tmpfs's options as a volume takes them: its size counted in pages.

    Podman takes ``size`` for a quota of the file system that holds its data, which few can keep.
    """
    taken = []
    for option in options.split(","):
        key, _, value = option.partition("=")
        taken.append(f"nr_blocks={int(value) // _PAGE}" if key == "size" else option)
    return ",".join(taken)
