"""A server that is killed while it trains loses nothing: the next goes on with the same bits."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from jupyter_ppo.domain.run_spec import RunSpec
from jupyter_ppo.domain.training import MetricPoint, RunState
from jupyter_ppo.training.files import RunDirectory
from jupyter_ppo.training.metric_log import current_points
from jupyter_ppo.wiring import PPOService, Service

#: Slow enough to be killed in the middle, fast enough for a test: 20 rollouts of 128 steps.
SPEC = RunSpec(
    total_steps=2560, n_steps=64, n_envs=2, batch_size=16, n_epochs=4, checkpoint_seconds=1.0
)

_SERVER = """
import sys, time
from jupyter_ppo.wiring import PPOService
service = PPOService(data_dir=sys.argv[1], owner="ada", grading_workers=0).build()
service.training.start()
time.sleep(600)
"""


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """The use cases on the data folder, in a process that does not train yet."""
    service = PPOService(data_dir=str(tmp_path / "data"), owner="ada", grading_workers=0).build()
    yield service
    service.training.stop()
    service.close()


def wait(condition: Callable[[], bool], seconds: float = 90.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come to this in time"
        time.sleep(0.02)


def measured(files: RunDirectory) -> list[tuple[int, dict[str, float]]]:
    timed = ("second", "steps_per")

    def lasting(point: MetricPoint) -> dict[str, float]:
        return {name: v for name, v in point.values.items() if not name.startswith(timed)}

    points = [(point.step, lasting(point)) for point in current_points(files.metrics_file)]
    return [(step, values) for step, values in points if values]


def test_a_killed_server_s_run_ends_with_the_weights_of_an_uninterrupted_one(
    service: Service, tmp_path: Path
) -> None:
    caller = PPOService(owner="ada").local_caller()
    training = service.use_cases.training
    cut = training.create(caller, [SPEC]).runs[0]
    folder = tmp_path / "data" / "runs"
    server = subprocess.Popen(
        [sys.executable, "-c", _SERVER, str(tmp_path / "data")], env=os.environ
    )
    try:
        files = RunDirectory(folder / str(cut.id))
        wait(lambda: server.poll() is None and files.read_status().step >= 256)
        server.send_signal(signal.SIGKILL)
    finally:
        server.kill()
        server.wait()
    assert training.run(caller, cut.id).is_held
    service.training.start()
    whole = training.create(caller, [SPEC]).runs[0]
    for run in (cut, whole):
        wait(lambda run_id=run.id: training.run(caller, run_id).state.has_ended)  # type: ignore[misc]
        end = training.run(caller, run.id)
        assert (end.state, end.step) == (RunState.FINISHED, 2560), end.message
        assert end.cpu_seconds > 0
    both = [RunDirectory(folder / str(run.id)) for run in (cut, whole)]
    resumed = [any(event.kind == "resumed" for event in each.read_events()) for each in both]
    assert resumed == [True, False]
    sums = [each.checkpoints().list()[-1].weights_sha256 for each in both]
    assert sums[0] == sums[1]
    assert measured(both[0]) == measured(both[1])
    assert training.model_file(caller, cut.id).stat().st_size > 1000
    assert training.checkpoints(caller, cut.id)[-1].step == 2560
    columns = training.series(caller, cut.id, points=100).columns
    assert columns["learning_rate"][0][-1] == 2560
