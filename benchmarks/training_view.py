"""What somebody who looks at a run feels: a kernel's answers, opening a long run. Used by
``training.py``.
"""

from __future__ import annotations

import random
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from harness import table
from jupyter_client.manager import start_new_kernel
from training_report import Outcome, below, median_and_range

from jupyter_ppo.domain.presets import Preset, spec_from_preset
from jupyter_ppo.domain.training import Metric, MetricPoint, RunState
from jupyter_ppo.training.decimate import min_max
from jupyter_ppo.training.launch import create_run, open_run
from jupyter_ppo.training.metric_log import MetricWriter, read_columns

ROUND_TRIP_BAR_MS, OPENING_BAR_MS = 15.0, 300.0
LONG_RUN_STEPS, STEPS_PER_EPISODE, POINTS_DRAWN = 1_000_000, 50, 1600
LOOK_SECONDS = 0.1


@contextmanager
def kernel() -> Iterator[Any]:
    """Start an IPython kernel as Jupyter does; give its client."""
    manager, client = start_new_kernel(kernel_name="python3")
    try:
        yield client
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def run_cell(client: Any, code: str) -> float:
    """Run a cell; return the milliseconds until the kernel's reply."""
    began = time.perf_counter()
    asked = client.execute(code)
    while (reply := client.get_shell_msg(timeout=60))["parent_header"].get("msg_id") != asked:
        pass
    elapsed = 1000 * (time.perf_counter() - began)
    if reply["content"]["status"] != "ok":
        sys.exit(f"The kernel could not run {code!r}: {reply['content'].get('evalue')}")
    while client.iopub_channel.msg_ready():  # the live view's messages, as a browser takes them
        client.get_iopub_msg(timeout=1)
    return elapsed


def round_trips(client: Any, count: int) -> list[float]:
    """Return milliseconds of small cells, with pauses as a person makes them."""
    times = []
    for _ in range(count):
        times.append(run_cell(client, "1"))
        time.sleep(0.03)
    return times


def answering(folder: Path, count: int) -> list[Outcome]:
    """Compare how fast a kernel answers, idle and while a run that it started trains."""
    directory = folder / "kernel"
    start = f"""
import warnings
from jupyter_ppo import train
warnings.simplefilter("ignore")
run = train("CartPole-v1", total_steps=20_000_000, directory={str(directory)!r})
"""
    with kernel() as client:
        round_trips(client, 10)
        idle = round_trips(client, count // 2)
        run_cell(client, start)
        run, deadline = open_run(directory), time.monotonic() + 60
        while run.status().update < 10:  # its start-up is over
            if run.state().has_ended or time.monotonic() > deadline:
                sys.exit(f"The run did not begin: {run.status()}")
            time.sleep(LOOK_SECONDS)
        training = round_trips(client, count)
        status = run.status()
        run_cell(client, "run.stop(); run.wait(30)")
        idle += round_trips(client, count // 2)
    if status.state is not RunState.RUNNING:
        sys.exit(f"The run ended before the measurement did: {status}")
    rows = [
        (
            what,
            median_and_range(times, 1),
            f"{statistics.quantiles(times, n=20)[-1]:.1f}",
        )
        for what, times in (("idle", idle), ("a run trains, with its live view", training))
    ]
    print(f"\nA cell's round trip in a kernel, {count} times, ms\n")
    print(table(("kernel", "median (lowest to highest)", "95 % within"), rows))
    return [below("round trip of a kernel while a run trains", training, ROUND_TRIP_BAR_MS)]


def write_long_run(directory: Path) -> Path:
    """Write the metrics of a run of a million steps with many episodes; return their file."""
    spec = spec_from_preset(Preset.RL_ZOO, env_id="CartPole-v1", total_steps=LONG_RUN_STEPS)
    file = create_run(spec, directory).files.metrics_file
    numbers = random.Random(0)  # noqa: S311 - made-up values, nothing secret
    of_update = [metric for metric in Metric if metric not in {Metric.RETURN, Metric.LENGTH}]
    writer = MetricWriter(file)
    episode_ends = STEPS_PER_EPISODE
    for update in range(1, spec.n_updates + 1):
        step = update * spec.rollout_size
        while episode_ends <= step:
            length = float(numbers.randrange(10, 90))
            values: dict[str, float] = {Metric.RETURN: length, Metric.LENGTH: length}
            writer.add(MetricPoint(episode_ends, episode_ends / 7000, values))
            episode_ends += STEPS_PER_EPISODE
        values = {metric: numbers.gauss(0, 1) for metric in of_update}
        writer.add(MetricPoint(step, step / 7000, values))
        writer.flush()
    writer.close()
    return file


def opening(folder: Path, repeats: int) -> list[Outcome]:
    """Measure how long it takes to open the metrics of a long run."""
    directory = folder / "long"
    file = write_long_run(directory)

    def draw() -> None:
        for steps, values in read_columns(open_run(directory).files.metrics_file).values():
            min_max(steps, values, POINTS_DRAWN)

    ways: dict[str, Callable[[], object]] = {
        f"as curves of {POINTS_DRAWN} points": draw,
        "as columns, read_columns": lambda: read_columns(file),
        "as points, Run.metrics": lambda: open_run(directory).metrics(),
    }
    times: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(repeats):
        for way, work in ways.items():
            began = time.perf_counter()
            work()
            times[way].append(1000 * (time.perf_counter() - began))
    lines = len(open_run(directory).metrics())
    print(
        f"\nThe metrics of {LONG_RUN_STEPS:,} steps: {lines:,} points, "
        f"{file.stat().st_size / 2**20:.1f} MiB; {repeats} repeats, ms\n"
    )
    rows = [(way, median_and_range(found, 0)) for way, found in times.items()]
    print(table(("opened", "median (lowest to highest)"), rows))
    return [
        below(f"metrics of {LONG_RUN_STEPS:,} steps, {way}", found, OPENING_BAR_MS)
        for way, found in times.items()
    ]
