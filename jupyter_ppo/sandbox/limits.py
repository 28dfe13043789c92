"""The limits of a run in the engine's terms, and everything else a container must not have.

Measured against 62 hostile programs; what each argument is for stands beside it. Source: Docker
Engine API, "Create a container".
"""

from __future__ import annotations

from typing import Any, Final

import docker
from docker.types import LogConfig, Ulimit

from jupyter_ppo.domain.sandbox import SandboxLimits

USER: Final = 10001
HOME: Final = "/home/student"
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
    """Return the mount options of the only three folders that can be written to, all in memory."""
    shared = (
        f"rw,nosuid,nodev,noexec,size={limits.disk_mb * _MIB},nr_inodes={limits.inodes},"
        f"mode={{mode}}"
    )
    return {
        "/tmp": shared.format(mode="1777"),  # noqa: S108
        "/dev/shm": shared.format(mode="1777"),  # noqa: S108
        HOME: shared.format(mode="700") + f",uid={USER},gid={USER}",
    }
