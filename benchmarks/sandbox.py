"""The sandbox: how long a fresh container keeps someone waiting, what waiting containers cost.

Start-up is measured against ``docker run`` of the same image in the same run, in turns.
``/execute`` is measured at a real Jupyter server over HTTP, with 1, 8 and 32 people at once.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from harness import environment, table
from tqdm import tqdm

from jupyter_ppo.domain.execution import Program
from jupyter_ppo.domain.sandbox import SandboxLimits, Verdict
from jupyter_ppo.sandbox.engine import Engine
from jupyter_ppo.sandbox.image import ensure_image
from jupyter_ppo.sandbox.notebook import ContainerSandbox
from jupyter_ppo.sandbox.programs import ContainerPrograms
from jupyter_ppo.sandbox.warm_kernels import KernelPools

TOKEN = "bench"  # noqa: S105 - of a server that ends with this run
LIMITS = SandboxLimits(memory_mb=512, disk_mb=64)
SB3 = "import stable_baselines3"
#: Prints the CPU time of the container so far, in nanoseconds (control groups v1, v2).
READ_CPU = """\
import pathlib
v1 = pathlib.Path("/sys/fs/cgroup/cpuacct/cpuacct.usage")
v2 = pathlib.Path("/sys/fs/cgroup/cpu.stat")
print(v1.read_text() if v1.exists() else int(v2.read_text().split()[1]) * 1000)
"""
_DEADLINE_SECONDS = 300.0


def wait_until(condition: Callable[[], bool], what: str) -> None:
    """Wait for a background thread's work; stop the run when it does not come."""
    end = time.monotonic() + _DEADLINE_SECONDS
    while not condition():
        if time.monotonic() > end:
            sys.exit(f"{what} took longer than {_DEADLINE_SECONDS:g} s")
        time.sleep(0.02)


def timed(work: Callable[[], object]) -> float:
    """Return the wall seconds of one call."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def milliseconds(values: list[float]) -> str:
    """Return median and range."""
    each = sorted(1000 * value for value in values)
    return f"{statistics.median(each):.0f} ({each[0]:.0f} to {each[-1]:.0f})"


def notebook(*sources: str) -> dict[str, Any]:
    """Return a notebook of code cells."""
    cells: list[dict[str, Any]] = [
        {
            "cell_type": "code",
            "id": f"c{number}",
            "source": source,
            "metadata": {},
            "outputs": [],
            "execution_count": None,
        }
        for number, source in enumerate(sources)
    ]
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}


def docker_run(image: str) -> None:
    """Run the image as anyone would, with a Python that does nothing."""
    command = ["docker", "run", "--rm", "--network=none", image, "python", "-c", "pass"]
    subprocess.run(command, check=True, capture_output=True)


def run_program(programs: ContainerPrograms) -> None:
    """Run the smallest program to its answer."""
    (run,) = programs.run([Program("print(1)")], LIMITS, 60)
    assert run.stdout == "1\n", run


def run_notebook(sandbox: ContainerSandbox, *sources: str) -> None:
    """Run a notebook to its end, container removed."""
    run = asyncio.run(sandbox.run(notebook(*sources), SandboxLimits()))
    assert run.verdict is Verdict.RAN, run.detail


def start_up(repeats: int) -> tuple[list[tuple[str, str, str]], dict[str, float]]:
    """Return the table of start-up times, and their medians in seconds."""
    with Engine.connect() as engine:
        image = ensure_image(engine)
    cold, warm = ContainerPrograms(), ContainerPrograms(pool_size=1, pooled_limits=LIMITS)
    pools = KernelPools(SandboxLimits(), light=1, heavy=1)
    plain, pooled = ContainerSandbox(), ContainerSandbox(kernels=pools)
    warm.start()
    pools.start()

    def all_ready() -> bool:
        status = pools.status()
        return warm.status().ready == 1 and status.ready == status.size

    cases: dict[str, Callable[[], None]] = {
        "docker run IMAGE python -c pass": lambda: docker_run(image),
        "program, cold": lambda: run_program(cold),
        "program, from the pool": lambda: run_program(warm),
        "notebook of one cell, cold": lambda: run_notebook(plain, "1 + 1"),
        "notebook of one cell, from the pool": lambda: run_notebook(pooled, "1 + 1"),
        "notebook with import stable_baselines3, cold": lambda: run_notebook(plain, SB3),
        "notebook with import stable_baselines3, from the pool": lambda: run_notebook(pooled, SB3),
    }
    times: dict[str, list[float]] = {name: [] for name in cases}
    try:
        with tqdm(total=repeats * len(cases), unit="start") as progress:
            for _ in range(repeats):
                for name, work in cases.items():
                    wait_until(all_ready, "filling the pools")
                    time.sleep(0.2)  # what the last one left behind is removed in the background
                    times[name].append(timed(work))
                    progress.update()
    finally:
        warm.close()
        pools.close()
        cold.close()
    medians = {name: statistics.median(found) for name, found in times.items()}
    base = medians["docker run IMAGE python -c pass"]
    rows = [
        (name, milliseconds(found), f"{medians[name] / base:.2f}") for name, found in times.items()
    ]
    return rows, medians


def _one_ready(pools: KernelPools, warm: ContainerPrograms) -> bool:
    return pools.status().ready + warm.status().ready == 1


def waiting_memory() -> list[tuple[str, str]]:
    """Return the memory of one waiting container of each kind, without the page cache."""
    rows = []
    with Engine.connect() as engine:
        for name, light, heavy, programs in (
            ("program", 0, 0, 1),
            ("light kernel", 1, 0, 0),
            ("heavy kernel (torch, stable_baselines3)", 0, 1, 0),
        ):
            before = {found["Id"] for found in engine.api.containers()}
            pools = KernelPools(SandboxLimits(), light=light, heavy=heavy)
            warm = ContainerPrograms(pool_size=programs, pooled_limits=LIMITS)
            try:
                pools.start()
                warm.start()
                wait_until(partial(_one_ready, pools, warm), "filling a pool")
                (container,) = {found["Id"] for found in engine.api.containers()} - before
                used = engine.api.stats(container, stream=False)["memory_stats"]["stats"]
                own = used["rss"] if "rss" in used else used["anon"]  # cgroup v1, v2
                rows.append((name, f"{(own + used.get('shmem', 0)) / 2**20:.0f}"))
            finally:
                pools.close()
                warm.close()
    return rows


def import_cpu(repeats: int) -> str:
    """Return the CPU seconds of a container that imports stable_baselines3, once it is taken."""
    pools = KernelPools(SandboxLimits(), light=0, heavy=1)
    sandbox = ContainerSandbox(kernels=pools)
    spent = []
    with Engine.connect() as engine:
        others = {found["Id"] for found in engine.api.containers()}
        pools.start()
        try:
            for _ in range(repeats):
                wait_until(lambda: pools.status().ready == 1, "filling a pool")
                time.sleep(1)
                (container,) = {found["Id"] for found in engine.api.containers()} - others
                usage = engine.api.stats(container, stream=False)["cpu_stats"]["cpu_usage"]
                run = asyncio.run(sandbox.run(notebook(SB3, READ_CPU), SandboxLimits()))
                after = int(run.notebook["cells"][1]["outputs"][0]["text"])
                spent.append((after - usage["total_usage"]) / 1e9)
        finally:
            pools.close()
    each = sorted(spent)
    return f"{statistics.median(each):.2f} ({each[0]:.2f} to {each[-1]:.2f})"


@contextmanager
def server(folder: Path, warm: int, slots: int) -> Iterator[str]:
    """Start a Jupyter server with the extension; yield the address of its API."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = {
        "ServerApp.port": port,
        "ServerApp.ip": "127.0.0.1",
        "ServerApp.port_retries": 0,
        "ServerApp.root_dir": folder,
        "IdentityProvider.token": TOKEN,
        "PPOService.data_dir": folder / "data",
        "PPOService.execute_slots": slots,
        "PPOService.execute_waiting": 100,
        "PPOService.execute_at_once": 100,
        "PPOService.execute_per_minute": 100_000,
        "PPOService.execute_seconds_per_day": 1_000_000,
        "PPOService.warm_programs": warm,
        "PPOService.warm_kernels": 0,
        "PPOService.warm_heavy_kernels": 0,
    }
    command = [sys.executable, "-m", "jupyter_server", "--allow-root", "--no-browser"]
    command += [f"--{name}={value}" for name, value in options.items()]
    variables = {**os.environ, "JUPYTER_RUNTIME_DIR": str(folder / "runtime")}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=variables, cwd=folder)
        try:
            address = f"http://127.0.0.1:{port}/jupyter-ppo/api/v1"
            wait_until(lambda: pool_of(address) == warm, "starting a server")
            yield address
        finally:
            process.terminate()
            process.wait(60)


def pool_of(address: str) -> int:
    """Return how many containers wait at the server; -1 while it does not answer."""
    try:
        with urllib.request.urlopen(f"{address}/execute/health", timeout=10) as answer:  # noqa: S310
            return int(json.load(answer)["pool"]["ready"])
    except (OSError, ValueError, urllib.error.URLError):
        return -1


def post(address: str) -> float:
    """Run one program over HTTP; return the seconds to its answer."""
    request = urllib.request.Request(  # noqa: S310
        f"{address}/execute",
        data=json.dumps({"code": "print(1)"}).encode(),
        headers={"Authorization": f"token {TOKEN}", "Content-Type": "application/json"},
    )
    began = time.perf_counter()
    try:
        with urllib.request.urlopen(request, timeout=_DEADLINE_SECONDS) as answer:  # noqa: S310
            assert json.load(answer)["stdout"] == "1\n"
    except urllib.error.HTTPError as error:
        sys.exit(f"{error}: {error.read().decode(errors='replace')}")
    return time.perf_counter() - began


def http(repeats: int, requests: int) -> tuple[list[tuple[str, str, str, str]], float]:
    """Return p50 and p99 of POST /execute by people at once, and the median of a first answer."""
    rows = []
    with tempfile.TemporaryDirectory() as folder, server(Path(folder), 4, 2) as address:
        first = []
        for _ in range(4 * repeats):
            wait_until(lambda: pool_of(address) == 4, "filling the pool")
            time.sleep(1)  # the answer of /execute/health may be some seconds old
            first.append(post(address))
        rows.append(percentiles("1, a pause between two requests", first, None))
        for people in (1, 8, 32):
            wait_until(lambda: pool_of(address) == 4, "filling the pool")
            began = time.perf_counter()
            with ThreadPoolExecutor(people) as pool:
                times = list(pool.map(lambda _: post(address), range(max(requests, 4 * people))))
            rows.append(
                percentiles(f"{people}, one after another", times, time.perf_counter() - began)
            )
    return rows, statistics.median(first)


def percentiles(name: str, times: list[float], seconds: float | None) -> tuple[str, str, str, str]:
    """Return one line: people, p50, p99, requests per second (none when there were pauses)."""
    each = sorted(times)
    p99 = each[min(len(each) - 1, round(0.99 * len(each)))]
    return (
        name,
        f"{1000 * statistics.median(each):.0f}",
        f"{1000 * p99:.0f}",
        f"{len(each) / seconds:.1f}" if seconds else "",
    )


def hostile() -> str:
    """Return the last line of the hostile corpus at the real engine."""
    tests = Path(__file__).parents[1] / "tests" / "sandbox" / "test_hostile.py"
    command = [sys.executable, "-m", "pytest", "-q", "--color=no", str(tests)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    return ended.stdout.strip().splitlines()[-1]


def main() -> None:
    """Measure and print the tables."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--repeats", type=int, default=9)
    options.add_argument("--requests", type=int, default=60)
    options.add_argument("--no-hostile", action="store_true", help="leave out the corpus")
    chosen = options.parse_args()
    print(environment(), flush=True)
    rows, medians = start_up(chosen.repeats)
    base = medians["docker run IMAGE python -c pass"]
    print(f"\nStart-up, {chosen.repeats} repeats in turns, ms, median (lowest to highest):\n")
    print(table(("to the first result", "ms", "of docker run"), rows), flush=True)
    print("\nCPU seconds of the container of `import stable_baselines3`, from the pool:")
    print(import_cpu(chosen.repeats), flush=True)
    print("\nMemory of one waiting container:\n")
    print(table(("kind", "MiB"), waiting_memory()), flush=True)
    rates, first = http(chosen.repeats, chosen.requests)
    print("\nPOST /execute of print(1) at a real server, pool of 4, 2 slots, ms:\n")
    print(table(("people at once", "p50", "p99", "requests per second"), rates))
    print(f"\nFirst result of a warm POST /execute: {first / base:.2f} of docker run", flush=True)
    if not chosen.no_hostile:
        print(f"\nHostile corpus: {hostile()}")


if __name__ == "__main__":
    main()
