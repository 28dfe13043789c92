"""A small harness: repeats, medians and spread, CPU seconds with everything counted, a table."""

from __future__ import annotations

import os
import platform
import resource
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_ENGINE = ("dockerd", "containerd")
# The engine's parent group keeps the time of containers that are gone: cgroup v1, then v2.
_GROUP_V1 = Path("/sys/fs/cgroup/cpuacct/docker/cpuacct.usage")
_GROUPS_V2 = (
    Path("/sys/fs/cgroup/docker/cpu.stat"),
    Path("/sys/fs/cgroup/system.slice/cpu.stat"),
)


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds of one repeat, all submissions together: on the clock, and of processor time."""

    wall: float
    cpu: float


def measured(work: Callable[[], None], *, containers: bool) -> Cost:
    """Run ``work`` once.

    Processor time is that of this process and of every process it waited for; with ``containers``
    also that of all containers and of the container engine's own processes.
    """
    began, spent = time.perf_counter(), _cpu_seconds(containers=containers)
    work()
    return Cost(time.perf_counter() - began, _cpu_seconds(containers=containers) - spent)


def _cpu_seconds(*, containers: bool) -> float:
    seconds = 0.0
    for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN):
        usage = resource.getrusage(who)
        seconds += usage.ru_utime + usage.ru_stime
    return seconds + (container_seconds() + engine_seconds() if containers else 0.0)


def container_seconds() -> float:
    """Return the processor seconds of all containers so far, also of those that are gone."""
    if _GROUP_V1.exists():
        return int(_GROUP_V1.read_text()) / 1e9
    for group in _GROUPS_V2:
        if group.exists():
            values = dict(line.split() for line in group.read_text().splitlines())
            return int(values["usage_usec"]) / 1e6
    sys.exit("The engine's cgroup was not found, so containers' CPU time cannot be counted.")


def engine_seconds() -> float:
    """Return the processor seconds of the engine's processes and of the children they reaped."""
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = stat.read_text()
        except OSError:
            continue  # it ended just now
        name = text[text.index("(") + 1 : text.rindex(")")]
        if name in _ENGINE:
            fields = text[text.rindex(")") + 2 :].split()
            ticks += sum(int(field) for field in fields[11:15])  # utime stime cutime cstime
    return ticks / _TICKS


def environment() -> str:
    """Return one line about the machine, and how busy it was with other work."""
    load = os.getloadavg()[0]
    return (
        f"Python {platform.python_version()}, {platform.system()} {platform.release()}, "
        f"{os.cpu_count()} CPUs, load before the start {load:.1f}"
    )


def spread(values: Sequence[float], count: int) -> str:
    """Return median and range per submission, for ``count`` submissions."""
    each = sorted(value / count for value in values)
    return f"{statistics.median(each):.2f} ({each[0]:.2f} to {each[-1]:.2f})"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return rows as a Markdown table with even columns."""
    body = [list(row) for row in rows]
    widths = [max(len(row[at]) for row in [list(head), *body]) for at in range(len(head))]

    def line(cells: Sequence[str]) -> str:
        padded = (cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
        return f"| {' | '.join(padded)} |"

    return "\n".join([line(head), line(["-" * width for width in widths]), *map(line, body)])
