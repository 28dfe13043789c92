"""The limits of a sandbox and the closed set of ways a run can end."""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any

from jupyter_ppo.domain.errors import InvalidInputError


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
    "disk_mb": _bound(1, 4096, "MiB", "size of each writable folder (/tmp, home, /dev/shm)"),
    "inodes": _bound(64, 1_000_000, "files", "files in each writable folder"),
    "open_files": _bound(32, 65536, "files", "open files of one process"),
    "output_bytes": _bound(1024, 256 * 2**20, "bytes", "outputs of the whole run, all kinds"),
    "outputs": _bound(1, 100_000, "outputs", "messages with output in the whole run"),
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
    disk_mb: int = 128
    inodes: int = 8192
    open_files: int = 1024
    output_bytes: int = 8 * 2**20
    outputs: int = 5000

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
    ``detail`` is one sentence; when a limit was hit it names it with the figure.
    """

    notebook: dict[str, Any]
    verdict: Verdict
    detail: str
    cells: tuple[CellRun, ...]
    wall_seconds: float

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
