"""Settings of running code on request, and of the containers that are kept ready."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from typing import Any

from traitlets import Dict, Float, Integer, TraitError, Type, validate
from traitlets.config import LoggingConfigurable

from jupyter_ppo.domain.errors import InvalidInputError, SandboxError
from jupyter_ppo.domain.execution import (
    MIN_MEMORY_MB,
    TIMEOUT_SECONDS,
    ExecutionBounds,
    ExecutionQuota,
)
from jupyter_ppo.domain.ports import Programs
from jupyter_ppo.domain.sandbox import BOUNDS, SandboxLimits
from jupyter_ppo.sandbox import owner
from jupyter_ppo.sandbox.agent_wire import START_SECONDS
from jupyter_ppo.sandbox.program_box import GRACE_SECONDS
from jupyter_ppo.sandbox.programs import ContainerPrograms
from jupyter_ppo.sandbox.warm_kernels import KernelPools
from jupyter_ppo.services.execution import PATIENCE_SECONDS, ExecutionService
from jupyter_ppo.storage.database import Database
from jupyter_ppo.storage.executions import Executions

_MAX_MEMORY_MB = BOUNDS["memory_mb"]["high"]

#: How long an execution may take beyond its time limit: for a place, for a container that starts,
#: for an agent that hangs, for the rest.
_GRACE = timedelta(seconds=PATIENCE_SECONDS + START_SECONDS + GRACE_SECONDS + 60)

#: What a container of ``/execute`` may use beside memory and time, which each request asks for.
PROGRAM_LIMITS: dict[str, float] = {
    "cpus": 1,
    "pids": 64,
    "file_mb": 32,
    "disk_mb": 64,
    "inodes": 4096,
    "open_files": 1024,
    "output_bytes": 2**20,
}


class ExecutionSettings(LoggingConfigurable):
    """The part of ``PPOService`` that is about running code and keeping containers ready."""

    execute_slots = Integer(
        2, min=1, max=64, help="""Programs of ``/execute`` that run at the same time."""
    ).tag(config=True)

    execute_waiting = Integer(
        32, min=0, max=1000, help="""Programs that may wait for a slot; more are refused."""
    ).tag(config=True)

    execute_timeout = Float(
        30,
        min=TIMEOUT_SECONDS[0],
        max=TIMEOUT_SECONDS[1],
        help="""Seconds of wall time that a program gets when its request does not say.""",
    ).tag(config=True)

    execute_memory_mb = Integer(
        512,
        min=MIN_MEMORY_MB,
        max=_MAX_MEMORY_MB,
        help="""Memory in MiB that a program gets when its request does not say.""",
    ).tag(config=True)

    execute_max_memory_mb = Integer(
        2048,
        min=MIN_MEMORY_MB,
        max=_MAX_MEMORY_MB,
        help="""The most memory in MiB that a request may ask for.""",
    ).tag(config=True)

    execute_per_minute = Integer(
        30, min=1, help="""Programs that one person may start in 60 seconds."""
    ).tag(config=True)

    execute_at_once = Integer(
        2, min=1, help="""Programs of one person that may wait or run at the same time."""
    ).tag(config=True)

    execute_seconds_per_day = Float(
        3600, min=1, help="""Seconds of running that one person may use in 24 hours."""
    ).tag(config=True)

    execute_history_days = Float(
        90, min=0, help="""Days for which code that was run, and what came of it, is kept."""
    ).tag(config=True)

    execute_limits = Dict(
        help="""Limits of a container of ``/execute`` that differ from the defaults, for example
        ``{"pids": 128}``. Memory and time are the request's.""",
    ).tag(config=True)

    warm_programs = Integer(
        1, min=0, max=64, help="""Containers that wait for a program of ``/execute``."""
    ).tag(config=True)

    warm_kernels = Integer(
        1, min=0, max=64, help="""Kernels that wait for a notebook, to grade or to work in."""
    ).tag(config=True)

    warm_heavy_kernels = Integer(
        1,
        min=0,
        max=64,
        help="""The same for notebooks that import one of the image's large modules, such as
        torch, which these have imported already.""",
    ).tag(config=True)

    programs_class = Type(
        default_value=ContainerPrograms,
        klass=object,
        help="""The class that runs programs. It must run them in a container.""",
    ).tag(config=True)

    @validate("execute_limits")
    def _check_execute_limits(self, proposal: Any) -> dict[str, Any]:
        value: dict[str, Any] = proposal["value"]
        check_limits("execute_limits", value, PROGRAM_LIMITS)
        return value

    @validate("execute_memory_mb", "execute_max_memory_mb")
    def _check_memory(self, proposal: Any) -> int:
        value: int = proposal["value"]
        if self.execute_memory_mb > self.execute_max_memory_mb:
            msg = (
                f"execute_memory_mb: {self.execute_memory_mb} is more than the "
                f"{self.execute_max_memory_mb} of execute_max_memory_mb. Change one of the two."
            )
            raise TraitError(msg)
        return value

    def build_kernels(self, limits: SandboxLimits) -> KernelPools:
        """Return what keeps kernels ready; nothing is started yet."""
        return KernelPools(limits, light=self.warm_kernels, heavy=self.warm_heavy_kernels)

    def build_programs(self) -> Programs:
        """Return what runs programs; nothing is started yet."""
        programs: Programs = made(
            self.programs_class,
            ContainerPrograms,
            pool_size=self.warm_programs,
            pooled_limits=self._program_limits(),
        )
        return programs

    def build_executions(self, database: Database, programs: Programs) -> ExecutionService:
        """Return the service that runs code; nothing is started yet."""
        token = _own_token()
        return ExecutionService(
            programs=programs,
            executions=Executions(
                database, grace=_GRACE, owner=token, is_gone=owner.is_orphan if token else _never
            ),
            limits=self._program_limits(),
            bounds=ExecutionBounds(
                self.execute_timeout, self.execute_memory_mb, self.execute_max_memory_mb
            ),
            quota=ExecutionQuota(
                self.execute_per_minute, self.execute_at_once, self.execute_seconds_per_day
            ),
            slots=self.execute_slots,
            waiting=self.execute_waiting,
            keep=timedelta(days=self.execute_history_days),
        )

    def _program_limits(self) -> SandboxLimits:
        chosen = PROGRAM_LIMITS | self.execute_limits
        return SandboxLimits(memory_mb=self.execute_memory_mb, **chosen)


def check_limits(setting: str, value: dict[str, Any], known: Collection[str]) -> None:
    """Raise ``TraitError`` that names what is no limit, or out of range."""
    for name in value:
        if name not in known:
            names = ", ".join(sorted(known))
            msg = f"{setting}: {name!r} is not a limit; there are {names}."
            raise TraitError(msg)
    try:
        SandboxLimits(**value)
    except InvalidInputError as error:
        msg = f"{setting}: {error.message}"
        raise TraitError(msg) from error


def made(kind: type, ours: type, **settings: Any) -> Any:
    """Return an object of the class that a setting names; only ours knows the settings."""
    return kind(**settings) if issubclass(kind, ours) else kind()


def _own_token() -> str:
    """Return how this process is named where others see it; "" where it cannot be told."""
    try:
        return owner.own_token()
    except SandboxError:
        return ""


def _never(_owner: str) -> bool:
    return False
