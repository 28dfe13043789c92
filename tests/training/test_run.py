"""Real runs: workers are started, steered, killed."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import jupyter_ppo
from jupyter_ppo.domain.errors import ConflictError, NotFoundError, UnavailableError
from jupyter_ppo.domain.training import Metric, MetricPoint, RunSpec, RunState
from jupyter_ppo.training.files import RunDirectory
from jupyter_ppo.training.run import Run, open_run, start_run

_LONG = 10**9  # steps: such a run ends only when it is told to
_DEADLINE = 120.0


def until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + _DEADLINE
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not happen in {_DEADLINE} s"
        time.sleep(0.02)


def small(**changes: object) -> RunSpec:
    return RunSpec.from_preset("cartpole-fast", **{"total_steps": 4000, **changes})


def updates(points: tuple[MetricPoint, ...]) -> list[MetricPoint]:
    return [point for point in points if Metric.APPROX_KL in point.values]


def events(directory: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (directory / "events.jsonl").read_text().splitlines()]


@pytest.fixture
def long_run(tmp_path: Path) -> Iterator[Run]:
    run = start_run(small(total_steps=_LONG), tmp_path / "run")
    try:
        until(lambda: run.status().step > 0, "training")
        yield run
    finally:
        if run.worker_pid is not None:
            os.kill(run.worker_pid, signal.SIGKILL)
        assert run.wait(_DEADLINE).is_final


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Run:
    run = start_run(small(), tmp_path_factory.mktemp("finished"))
    assert run.wait(_DEADLINE) is RunState.FINISHED, run.status().message
    return run


def test_a_run_ends_at_whole_rollouts_with_every_update_measured(finished: Run) -> None:
    status = finished.status()
    assert status.step == finished.spec.planned_steps == 4096
    assert status.seconds > 0
    assert status.steps_per_second > 0
    assert [point.step for point in updates(finished.metrics())] == [1024, 2048, 3072, 4096]
    assert finished.worker_pid is None


def test_measurements_are_of_the_update_whose_step_they_carry(finished: Run) -> None:
    import torch
    from stable_baselines3 import PPO
    from stable_baselines3.common.env_util import make_vec_env

    spec, expected = finished.spec, []

    class Spy(PPO):
        def train(self) -> None:
            super().train()
            expected.append((self.num_timesteps, dict(self.logger.name_to_value)))

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        envs = make_vec_env(spec.env_id, n_envs=spec.n_envs, seed=spec.seed)
        Spy(
            "MlpPolicy",
            envs,
            learning_rate=lambda left: spec.learning_rate_at(round((1 - left) * 4000)),
            n_steps=spec.n_steps,
            batch_size=spec.batch_size,
            n_epochs=spec.n_epochs,
            gamma=spec.gamma,
            gae_lambda=spec.gae_lambda,
            seed=spec.seed,
            device="cpu",
        ).learn(spec.total_steps, log_interval=None)
        envs.close()
    finally:
        torch.set_num_threads(threads)
    measured = updates(finished.metrics())
    assert len(measured) == len(expected) == 4
    for point, (step, logged) in zip(measured, expected, strict=True):
        assert point.step == step
        assert point.values[Metric.LEARNING_RATE] == spec.learning_rate_at(step)
        for metric, name, sign in (
            (Metric.APPROX_KL, "train/approx_kl", 1),
            (Metric.CLIP_FRACTION, "train/clip_fraction", 1),
            (Metric.ENTROPY, "train/entropy_loss", -1),
            (Metric.EXPLAINED_VARIANCE, "train/explained_variance", 1),
            (Metric.VALUE_LOSS, "train/value_loss", 1),
            (Metric.POLICY_GRADIENT_LOSS, "train/policy_gradient_loss", 1),
        ):
            assert point.values[metric] == pytest.approx(sign * logged[name], rel=1e-4, abs=1e-6)


def test_every_episode_is_there_and_the_mean_is_of_the_last_hundred(finished: Run) -> None:
    returns: list[float] = []
    steps = 0.0
    for point in finished.metrics():
        if Metric.RETURN in point.values:
            returns.append(point.values[Metric.RETURN])
            steps += point.values[Metric.LENGTH]
            assert point.values[Metric.RETURN] == point.values[Metric.LENGTH]  # CartPole: 1 a step
        else:
            last = returns[-100:]
            assert point.values[Metric.MEAN_RETURN] == pytest.approx(sum(last) / len(last))
            assert point.values[Metric.STEPS_PER_SECOND] > 0
            assert 0 < point.values[Metric.ENTROPY] <= math.log(2) + 1e-6
    assert len(returns) > 50
    assert 4096 - 16 * 500 < steps <= 4096  # the rest are the sixteen unfinished episodes
    points = finished.metrics()
    assert [point.step for point in points] == sorted(point.step for point in points)
    assert [point.seconds for point in points] == sorted(point.seconds for point in points)


def test_metrics_since_leaves_out_what_was_seen(finished: Run) -> None:
    points = finished.metrics()
    assert finished.metrics(len(points) - 3) == points[-3:]
    assert finished.metrics(len(points)) == ()
    assert open_run(finished.directory).metrics() == points


def test_the_model_loads_with_plain_sb3(finished: Run) -> None:
    from stable_baselines3 import PPO

    model = PPO.load(finished.directory / "model.zip", device="cpu")
    assert model.num_timesteps == 4096
    assert type(model) is PPO
    assert not list(finished.directory.glob(".*tmp"))


def test_an_ended_run_takes_no_commands_but_may_be_stopped_again(finished: Run) -> None:
    with pytest.raises(ConflictError, match="cannot pause") as caught:
        finished.pause()
    assert caught.value.field == "state"
    with pytest.raises(ConflictError, match="cannot resume"):
        open_run(finished.directory).resume()
    finished.stop()
    assert finished.state() is RunState.FINISHED


def test_a_directory_with_a_run_is_not_used_again(finished: Run) -> None:
    with pytest.raises(ConflictError, match="holds a run already"):
        start_run(small(), finished.directory)


def test_pause_resume_and_stop_take_effect(long_run: Run) -> None:
    other = open_run(long_run.directory)  # commands may come from any process
    other.pause()
    until(lambda: long_run.state() is RunState.PAUSED, "the pause")
    seen = len(long_run.metrics())
    paused = long_run.status()
    other.resume()
    until(lambda: other.status().step > paused.step + 2048, "training after the pause")
    assert len(long_run.metrics()) > seen
    long_run.pause()
    until(lambda: other.state() is RunState.PAUSED, "the second pause")
    long_run.stop()
    assert long_run.wait(_DEADLINE) is RunState.STOPPED
    assert long_run.status().message == "Stopped on request."
    assert (long_run.directory / "model.zip").exists()
    found = events(long_run.directory)
    assert [event["state"] for event in found] == [
        "running",
        "paused",
        "running",
        "paused",
        "stopped",
    ]
    assert found[1]["step"] == found[2]["step"] == paused.step  # nothing is trained in a pause
    assert found[3]["step"] == found[4]["step"]


def test_wait_gives_up_after_its_timeout(long_run: Run) -> None:
    assert long_run.wait(0) is RunState.RUNNING
    assert long_run.worker_pid is not None
    os.kill(long_run.worker_pid, signal.SIGTERM)
    assert long_run.wait(_DEADLINE) is RunState.STOPPED
    assert "SIGTERM" in long_run.status().message
    assert (long_run.directory / "model.zip").exists()


def test_a_killed_worker_makes_the_run_failed_with_one_sentence(long_run: Run) -> None:
    other = open_run(long_run.directory)
    assert long_run.worker_pid is not None
    os.kill(long_run.worker_pid, signal.SIGKILL)
    assert long_run.wait(_DEADLINE) is RunState.FAILED
    assert "killed (SIGKILL)" in long_run.status().message
    assert other.status() == long_run.status()
    assert events(long_run.directory)[-1]["state"] == "failed"
    assert long_run.metrics() == other.metrics()
    assert not (long_run.directory / "model.zip").exists()


def test_an_unknown_environment_makes_the_run_failed_with_its_name(tmp_path: Path) -> None:
    run = start_run(RunSpec(env_id="NoSuchEnvironment-v0"), tmp_path)
    assert run.wait(_DEADLINE) is RunState.FAILED
    message = run.status().message
    assert message.startswith("Training failed: ")
    assert "NoSuchEnvironment" in message
    assert "\n" not in message
    assert "Traceback" in (tmp_path / "worker.log").read_text()


_PARENT = """
import sys, time
from jupyter_ppo.domain.training import RunSpec
from jupyter_ppo.training.run import start_run
run = start_run(RunSpec.from_preset("cartpole-fast", total_steps=10**9), sys.argv[1])
print(run.worker_pid, flush=True)
sys.stdin.read()
"""


@dataclass(frozen=True)
class Parent:
    """A process of its own that has started a run, and the process id of its worker."""

    process: subprocess.Popen[str]
    worker: int


@pytest.fixture
def parent(tmp_path: Path) -> Iterator[Parent]:
    root = str(Path(jupyter_ppo.__file__).parents[1])
    process = subprocess.Popen(
        [sys.executable, "-c", _PARENT, str(tmp_path / "run")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": root},
    )
    with process:
        try:
            assert process.stdout is not None
            started = Parent(process, int(process.stdout.readline()))
            yield started
            if not _is_gone(started.worker):  # only if the test failed
                os.kill(started.worker, signal.SIGKILL)
        finally:
            process.kill()


def test_a_worker_ends_when_its_parent_is_killed(tmp_path: Path, parent: Parent) -> None:
    run = open_run(tmp_path / "run")
    until(lambda: run.status().step > 0, "training")
    parent.process.kill()
    parent.process.wait(_DEADLINE)
    until(lambda: run.state().is_final, "the end of the run")
    assert run.state() is RunState.STOPPED
    assert "started the training ended" in run.status().message
    assert (run.directory / "model.zip").exists()
    until(lambda: not RunDirectory(run.directory).worker_is_alive(), "the lock's release")
    until(lambda: _is_gone(parent.worker), "the worker's exit")


def _is_gone(pid: int) -> bool:
    # A zombie is gone: without an init process nobody reaps it here.
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except OSError:
        return True


def test_a_run_that_nobody_works_on_is_failed_not_silent(tmp_path: Path) -> None:
    files = RunDirectory(tmp_path)
    files.create(small())
    files.log_file.write_text("Traceback ...\nImportError: no torch here\n")
    run = open_run(tmp_path)
    assert run.state() is RunState.FAILED
    assert run.status().message == "The training process failed: ImportError: no torch here"


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UnavailableError, match="no run can be started in") as caught:
        start_run(small(), tmp_path / "file" / "run")
    assert caught.value.field == "directory"


def test_opening_a_folder_without_a_run_says_so(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        open_run(tmp_path / "nowhere")


def test_the_kernel_s_side_loads_no_torch() -> None:
    code = "import sys, jupyter_ppo.training.run; print({'torch', 'numpy'} & set(sys.modules))"
    root = str(Path(jupyter_ppo.__file__).parents[1])
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": root},
        timeout=_DEADLINE,
    )
    assert done.stdout.strip() == "set()"
