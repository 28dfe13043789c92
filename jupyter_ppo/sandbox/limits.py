"""The limits of a run in the engine's terms, and everything else a container must not have.

Measured against 62 hostile programs; what each argument is for stands beside it. Source: Docker
Engine API, "Create a container".
"""

from __future__ import annotations

import errno
import re
from typing import Any, Final

import docker
from docker.types import LogConfig, Ulimit

from jupyter_ppo.domain.sandbox import LimitHit, SandboxLimits

USER: Final = 10001
HOME: Final = "/home/student"
#: The only folders that can be written to, all in memory.
WRITABLE_FOLDERS: Final = ("/tmp", "/dev/shm", HOME)  # noqa: S108
PYTHON: Final = "/opt/venv/bin/python"

#: All that a kernel's environment holds. Nothing of the server's environment goes in.
ENVIRONMENT: Final = {
    "HOME": HOME,
    "PATH": "/opt/venv/bin:/usr/local/bin:/usr/bin:/bin",
    "LANG": "C.UTF-8",
    "IPYTHONDIR": f"{HOME}/.ipython",
    "JUPYTER_PLATFORM_DIRS": "1",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONUNBUFFERED": "1",
    "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    # A container has a share of one or few CPUs; more threads than that only wait for each other.
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    # Blocks below 16 MiB come from memory that the process keeps: each new megabyte otherwise
    # costs 256 page faults, and arrays that cross the border take nearly twice as long.
    "MALLOC_MMAP_THRESHOLD_": "16777216",
    "MALLOC_TRIM_THRESHOLD_": "16777216",
}

_MIB: Final = 2**20
#: Processes per user over all containers, since each has the same user; ``pids`` is per container.
_PROCESSES_OF_USER: Final = 16384


def host_config(api: docker.APIClient, limits: SandboxLimits) -> dict[str, Any]:
    """Return the engine's arguments for a container that may do only what a notebook needs."""

    def ulimit(name: str, value: int) -> Ulimit:
        return Ulimit(name=name, soft=value, hard=value)

    config: dict[str, Any] = api.create_host_config(
        network_mode="none",
        read_only=True,
        cap_drop=["ALL"],
        security_opt=["no-new-privileges"],
        pids_limit=limits.pids,
        mem_limit=limits.memory_mb * _MIB,
        memswap_limit=limits.memory_mb * _MIB,  # the same figure: no swap
        nano_cpus=round(limits.cpus * 1e9),
        ulimits=[
            ulimit("nofile", limits.open_files),
            ulimit("fsize", limits.file_mb * _MIB),
            ulimit("nproc", _PROCESSES_OF_USER),
            ulimit("core", 0),
            ulimit("msgqueue", 0),
            ulimit("memlock", 0),
        ],
        ipc_mode="none",  # the engine's own /dev/shm has no limit on files
        tmpfs=writable_folders(limits),
        log_config=LogConfig(type="none"),  # output of a container never reaches the host's disk
        auto_remove=True,  # gone with its last process, also when the server was killed
        init=False,  # the agent is process 1
    )
    return config


def writable_folders(limits: SandboxLimits) -> dict[str, str]:
    """Return the mount options of each of ``WRITABLE_FOLDERS``.

    Together they hold no more than ``disk_mb`` and ``inodes``: half for the home, a quarter each
    for the others.
    """

    def options(share: int, mode: str) -> str:
        return (
            f"rw,nosuid,nodev,noexec,size={limits.disk_mb * _MIB // share},"
            f"nr_inodes={limits.inodes // share},mode={mode}"
        )

    every = dict.fromkeys(WRITABLE_FOLDERS, options(4, "1777"))
    return every | {HOME: options(2, "700") + f",uid={USER},gid={USER}"}


_ERRNO: Final = re.compile(r"\[Errno ([0-9]{1,4})\] ")
_LIMIT_OF_ERRNO: Final = {
    errno.EFBIG: "file_mb",
    errno.EMFILE: "open_files",
    errno.ENOMEM: "memory_mb",
}


def limit_behind(error_type: str, message: str, limits: SandboxLimits) -> LimitHit | None:
    """Return the limit that made an exception of the student's, if it is known to be one.

    ``error_type`` is the name of its class, ``message`` its text; both may be made up. Sources:
    errno(3), fork(2), tmpfs(5), CPython's and PyTorch's texts.
    """
    name = _limit_behind(error_type, message)
    return None if name is None else LimitHit(name, getattr(limits, name))


def _limit_behind(error_type: str, message: str) -> str | None:
    match error_type:
        case "MemoryError" | "_ArrayMemoryError":
            return "memory_mb"
        case "RuntimeError":
            if message.startswith("can't start new thread"):
                return "pids"
            return "memory_mb" if "DefaultCPUAllocator: can't allocate" in message[:500] else None
        case "OSError" | "BlockingIOError":
            return _limit_of_system_call(error_type, message)
        case _:
            return None


def _limit_of_system_call(error_type: str, message: str) -> str | None:
    found = _ERRNO.match(message)
    number = int(found[1]) if found else 0
    if number == errno.ENOSPC:
        # Python names the file when none can be made, which takes an inode but no room; a write
        # that finds no room names none, and a copy names two.
        is_new_file = message.endswith(("'", '"')) and " -> " not in message
        return "inodes" if is_new_file else "disk_mb"
    if number == errno.EAGAIN and error_type == "BlockingIOError":
        return "pids"  # fork(2)
    return _LIMIT_OF_ERRNO.get(number)
