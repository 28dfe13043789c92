"""How long each notebook of the course runs, from start to end, with its solutions in place.

    python benchmarks/course_times.py                     # all thirteen, three times each
    python benchmarks/course_times.py 08 12 --repeats 1   # chapters, by number or by name
    python benchmarks/course_times.py --write             # also into benchmarks/README.md

One at a time, in a kernel of its own and an empty folder, on at most two cores and with at most two
threads of PyTorch. The start of the kernel counts. Ends with 1 when a chapter takes longer than the
bar, or a cell of it fails.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import nbformat
from course_tables import chapters, write
from exercises import NOTEBOOKS
from harness import environment, spread, table
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError

README = Path(__file__).resolve().with_name("README.md")
BAR = 120.0  # seconds, on two cores
CORES = 2
_CELL_SECONDS = 600  # a cell that takes longer is stuck


def seconds(name: str) -> float:
    """Run a notebook from its first cell to its last; return the seconds on the clock.

    Raises nbclient's ``CellExecutionError``, ``CellTimeoutError`` or ``DeadKernelError``.
    """
    notebook = nbformat.read(NOTEBOOKS / f"{name}.ipynb", as_version=4)
    with tempfile.TemporaryDirectory() as folder:
        own = {"IPYTHONDIR": str(Path(folder, "ipython"))}  # nothing that the user runs at a start
        work = Path(folder, "work")
        work.mkdir()
        client = NotebookClient(
            notebook, timeout=_CELL_SECONDS, resources={"metadata": {"path": str(work)}}
        )
        began = time.perf_counter()
        # What the kernel itself says there is of no use here; errors of cells are raised.
        client.execute(env={**os.environ, **own}, stderr=subprocess.DEVNULL)
        return time.perf_counter() - began


def measure(names: Sequence[str], repeats: int) -> dict[str, list[float]]:
    """Return the seconds of every repeat. All notebooks have their first before a second one."""
    found: dict[str, list[float]] = {name: [] for name in names}
    for repeat in range(1, repeats + 1):
        for name in names:
            found[name].append(seconds(name))
            print(f"{repeat}/{repeats} {name}: {found[name][-1]:.1f} s", file=sys.stderr)
    return found


def rows(found: dict[str, list[float]]) -> list[tuple[str, str, str]]:
    """Return a row for each notebook."""
    return [
        (name, spread(times, 1), f"{statistics.median(times) / BAR:.2f}")
        for name, times in found.items()
    ]


def on_two_cores() -> None:
    """Keep this process, and the kernels that it starts, on two cores and two threads."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:CORES])
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        if not 1 <= int(os.environ.get(name) or CORES + 1) <= CORES:
            os.environ[name] = str(CORES)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, print, and write if it is asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("chapters", nargs="*", help="names or numbers; all when none is named")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--write", action="store_true", help="the table of benchmarks/README.md")
    options = parser.parse_args(arguments)
    asked = options.chapters or list(chapters())
    names = [name for name in chapters() if name in asked or name[:2] in asked]
    if unknown := [one for one in asked if one not in names and one not in {n[:2] for n in names}]:
        parser.error(f"no such chapter: {', '.join(unknown)}")
    if options.repeats < 1:
        parser.error("--repeats: at least 1")
    if options.write and options.chapters:
        parser.error("--write: the table has all chapters; name none")
    machine = environment()
    on_two_cores()
    try:
        found = measure(names, options.repeats)
    except (CellExecutionError, TimeoutError, DeadKernelError) as error:
        sys.exit(f"A cell failed.\n{error}")
    head = ("chapter", "seconds, median (lowest to highest)", f"of the {BAR:g} s")
    made = f"{machine}, repeats in turns: {options.repeats}.\n\n{table(head, rows(found))}"
    print(made)
    if options.write:
        write(README, {"course times": f"{datetime.now(UTC):%Y-%m-%d}, {made}"})
    too_long = [name for name, times in found.items() if statistics.median(times) >= BAR]
    print(f"over the bar: {', '.join(too_long) or 'none'}")
    return 1 if too_long else 0


if __name__ == "__main__":
    sys.exit(main())
