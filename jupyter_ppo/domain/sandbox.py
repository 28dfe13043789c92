"""The limits of a sandbox and the closed set of ways a run can end."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from enum import StrEnum
from typing import Any

from jupyter_ppo.domain.errors import InvalidInputError
from jupyter_ppo.domain.exam import CheckRun


class Verdict(StrEnum):
    """How a run in a sandbox ended. Only RAN means that every cell was run."""

    RAN = "ran"
    CELL_TIMEOUT = "cell_timeout"
    WALL_TIMEOUT = "wall_timeout"
    MEMORY = "memory"
    KERNEL_DIED = "kernel_died"
    OUTPUT_LIMIT = "output_limit"
    PROTOCOL_VIOLATION = "protocol_violation"
    NOT_RUN = "not_run"


def _bound(low: float, high: float, unit: str, help_text: str) -> dict[str, Any]:
    return {"low": low, "high": high, "unit": unit, "help": help_text}


#: Bounds, unit and meaning of every limit, in one place; the docs' table is made from it.
BOUNDS: dict[str, dict[str, Any]] = {
    "cell_seconds": _bound(1, 300, "s", "wall time of one cell"),
    "wall_seconds": _bound(1, 7200, "s", "wall time of the whole run, start included"),
    "memory_mb": _bound(64, 16384, "MiB", "memory of all processes and files in memory together"),
    "cpus": _bound(0.1, 64, "CPUs", "share of processor time"),
    "pids": _bound(8, 4096, "processes", "processes and threads"),
    "file_mb": _bound(1, 4096, "MiB", "size of one file"),
    "disk_mb": _bound(4, 8192, "MiB", "all writable folders together (home, /tmp, /dev/shm)"),
    "inodes": _bound(64, 1_000_000, "files", "files in all writable folders together"),
    "open_files": _bound(32, 65536, "files", "open files of one process"),
    "output_bytes": _bound(1024, 256 * 2**20, "bytes", "outputs of the whole run, all kinds"),
    "outputs": _bound(1, 100_000, "outputs", "messages with output in the whole run"),
    "cells": _bound(1, 10_000, "cells", "code cells of a notebook"),
}


@dataclass(frozen=True, slots=True)
class SandboxLimits:
    """What one run may use. Every field is checked against ``BOUNDS``.

    Raises ``InvalidInputError`` that names the field and its range.
    """

    cell_seconds: float = 30
    wall_seconds: float = 600
    memory_mb: int = 2048
    cpus: float = 1.0
    pids: int = 256
    file_mb: int = 64
    disk_mb: int = 256
    inodes: int = 16384
    open_files: int = 1024
    output_bytes: int = 8 * 2**20
    outputs: int = 5000
    cells: int = 1000

    def __post_init__(self) -> None:
        for item in fields(self):
            value, bound = getattr(self, item.name), BOUNDS[item.name]
            number = isinstance(value, int | float) and not isinstance(value, bool)
            if not number or not bound["low"] <= value <= bound["high"]:
                msg = (
                    f"{item.name}: {value!r} is outside {bound['low']} to {bound['high']} "
                    f"{bound['unit']} ({bound['help']})."
                )
                raise InvalidInputError(msg, field=item.name)

    @property
    def of_container(self) -> SandboxLimits:
        """These limits, with those at one value that a container does not know.

        Those are counted outside of it, or set when it is taken: a container that was made with
        equal ``of_container`` will do.
        """
        return replace(self, cell_seconds=1, wall_seconds=1, output_bytes=1024, outputs=1, cells=1)


@dataclass(frozen=True, slots=True)
class LimitHit:
    """A limit that was hit: its name in ``BOUNDS`` and the figure that it stood at."""

    name: str
    value: float

    def __str__(self) -> str:
        return f"{self.name}: {self.value:.12g} {BOUNDS[self.name]['unit']}"


@dataclass(frozen=True, slots=True)
class CellRun:
    """What happened to one code cell: whether the kernel answered for it, and how long it took."""

    index: int
    finished: bool
    seconds: float


@dataclass(frozen=True, slots=True)
class NotebookRun:
    """A notebook (nbformat 4 as a plain dict) after its run, and how the run ended.

    ``notebook`` holds the outputs of every cell that ran, also when the run was cut short.
    ``detail`` is one sentence; when a limit was hit it names it with the figure. ``limits_hit``
    holds every limit that was met, those that only made a cell fail (a full disk) among them.
    ``checks`` has what the examiner saw, one for each of the exam's test cells.
    """

    notebook: dict[str, Any]
    verdict: Verdict
    detail: str
    cells: tuple[CellRun, ...]
    wall_seconds: float
    limits_hit: tuple[LimitHit, ...] = ()
    checks: tuple[CheckRun, ...] = ()

    @property
    def finished(self) -> frozenset[int]:
        """Indices of the cells that the kernel ran to their end."""
        return frozenset(cell.index for cell in self.cells if cell.finished)


@dataclass(frozen=True, slots=True)
class SandboxStatus:
    """Whether submitted code can run here, and if not, one sentence on what to do."""

    available: bool
    engine: str | None
    image: str | None
    problem: str | None
    remedy: str | None


@dataclass(frozen=True, slots=True)
class PoolStatus:
    """How many containers wait for their one use, of how many that should."""

    ready: int
    size: int
