"""Runs seen from outside: watched, steered, killed, resumed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from threading import Timer

import pytest

import jupyter_ppo
from jupyter_ppo.domain.errors import ConflictError, InvalidInputError
from jupyter_ppo.domain.presets import spec_from_preset
from jupyter_ppo.domain.run_spec import RunSpec
from jupyter_ppo.domain.training import (
    TIMING,
    Command,
    EventKind,
    Metric,
    MetricPoint,
    RunCommand,
    RunState,
    RunStatus,
)
from jupyter_ppo.training.files import RunDirectory
from jupyter_ppo.training.launch import create_run, open_run, start_run
from jupyter_ppo.training.metric_log import MetricWriter, apply_rewinds
from jupyter_ppo.training.run import Run, _reason_of_death
from jupyter_ppo.training.trust import Purpose, read_trusted

_LONG = 10**9  # steps: such a run ends only when it is told to
_DEADLINE = 120.0


def until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + _DEADLINE
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not happen in {_DEADLINE} s"
        time.sleep(0.02)


def small(**changes: object) -> RunSpec:
    return spec_from_preset("cartpole-fast", **{"total_steps": 4000, "eval_every": 0, **changes})


def states(run: Run) -> list[str]:
    return [event.data["state"] for event in run.events() if event.kind is EventKind.STATE]


@pytest.fixture
def long_run(tmp_path: Path) -> Iterator[Run]:
    run = start_run(small(total_steps=_LONG, checkpoint_seconds=0.0), tmp_path / "run")
    try:
        until(lambda: run.status().step > 2048, "training")
        yield run
    finally:
        if run.process is not None:
            run.process.close()
        assert run.state().has_ended


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Run:
    with pytest.MonkeyPatch.context() as patch:
        # Made before the folders of the first test that asks for it.
        patch.setenv("JUPYTER_DATA_DIR", str(tmp_path_factory.mktemp("data")))
        run = start_run(small(), tmp_path_factory.mktemp("finished"), name="first", tags=["a"])
        assert run.wait(_DEADLINE) is RunState.FINISHED, run.status().message
        read_trusted(run.files.model_file, run.files.model_signature_file, Purpose.MODEL)
    return run


def test_a_run_ends_at_whole_rollouts(finished: Run) -> None:
    status = finished.status()
    assert status.step == status.total_steps == finished.spec.planned_steps == 4096
    assert status.seconds > 0
    assert status.steps_per_second > 0
    assert finished.worker_pid is None
    assert finished.process is not None
    assert finished.process.exit_status == 0
    assert finished.process.cpu_seconds > 0.5
    assert states(finished) == ["running", "finished"]
    assert (finished.name, finished.tags) == ("first", ("a",))


def test_metrics_since_leaves_out_what_was_seen(finished: Run) -> None:
    points = finished.metrics()
    assert [point.step for point in points if Metric.APPROX_KL in point.values] == [
        1024,
        2048,
        3072,
        4096,
    ]
    assert finished.metrics(len(points) - 3) == points[-3:]
    assert finished.metrics(len(points)) == ()
    assert open_run(finished.directory).metrics() == points
    assert tuple(apply_rewinds(finished.reader().read())) == points


def test_the_model_loads_with_plain_sb3(finished: Run) -> None:
    from stable_baselines3 import PPO

    model = PPO.load(finished.directory / "model.zip", device="cpu")
    assert model.num_timesteps == 4096
    assert type(model) is PPO
    assert not list(finished.directory.rglob("*.tmp"))


def test_a_finished_run_takes_no_commands_but_may_be_stopped_again(finished: Run) -> None:
    with pytest.raises(ConflictError, match="cannot pause") as caught:
        finished.pause()
    assert caught.value.field == "state"
    assert "extend(total_steps), or `jupyter ppo resume FOLDER --steps N`" in caught.value.message
    with pytest.raises(ConflictError, match="cannot change now"):
        finished.change(ent_coef=0.1)
    with pytest.raises(ConflictError, match="has finished after 4096 steps"):
        open_run(finished.directory).resume()
    with pytest.raises(ConflictError, match="goes to 4096 steps already") as caught:
        finished.extend(4096)
    assert caught.value.field == "total_steps"
    finished.stop()
    assert finished.state() is RunState.FINISHED


def test_a_directory_with_a_run_is_not_used_again(finished: Run) -> None:
    with pytest.raises(ConflictError, match="holds a run already"):
        start_run(small(), finished.directory)


def test_pause_change_resume_and_stop_take_effect_and_say_when(long_run: Run) -> None:
    other = open_run(long_run.directory)  # commands may come from any process
    other.pause()
    until(lambda: long_run.state() is RunState.PAUSED, "the pause")
    seen = len(long_run.metrics())
    change = long_run.change(clip_range=0.1)
    with pytest.raises(InvalidInputError):
        long_run.change(gamma=0.5)
    other.resume()
    until(lambda: any(event.data.get("id") == change for event in other.events()), "the change")
    until(lambda: len(other.metrics()) > seen, "training after the pause")
    long_run.pause()
    until(lambda: other.state() is RunState.PAUSED, "the second pause")
    assert long_run.wait(0) is RunState.PAUSED
    long_run.stop()
    assert long_run.wait(_DEADLINE) is RunState.STOPPED
    assert long_run.status().message == "Stopped on request."
    assert (long_run.directory / "model.zip").exists()
    assert states(long_run) == ["running", "paused", "running", "paused", "stopped"]


def measured(points: tuple[MetricPoint, ...], until_step: int) -> list[tuple[int, str]]:
    return [
        (point.step, repr({name: v for name, v in point.values.items() if name not in TIMING}))
        for point in points
        if point.step <= until_step
    ]


def test_a_killed_worker_s_run_is_interrupted_and_goes_on_as_if_nothing_had_been(
    long_run: Run, tmp_path: Path
) -> None:
    other = open_run(long_run.directory)
    assert long_run.worker_pid == other.worker_pid
    assert long_run.worker_pid is not None
    os.kill(long_run.worker_pid, signal.SIGSTOP)  # so that the change is in no checkpoint
    change = other.change(ent_coef=long_run.spec.ent_coef)
    other.pause()
    os.kill(long_run.worker_pid, signal.SIGKILL)
    assert long_run.wait(_DEADLINE) is RunState.INTERRUPTED
    message = long_run.status().message
    assert "killed (SIGKILL)" in message
    step = long_run.checkpoints()[-1].step
    assert f"It can be resumed from step {step}." in message
    assert other.status() == long_run.status()
    assert long_run.metrics() == other.metrics()
    before = measured(long_run.metrics(), step + 2048)

    long_run.resume()
    assert long_run.state() in {RunState.STARTING, RunState.RUNNING}
    pid = long_run.worker_pid
    with pytest.raises(ConflictError, match=f"process {pid} works on"):
        other._start(detached=False)
    with pytest.raises(ConflictError, match=f"process {pid} works on"):
        other.delete()
    until(lambda: long_run.status().step > step + 2048, "training after the kill")
    assert pid is not None
    os.kill(pid, signal.SIGTERM)
    assert long_run.wait(_DEADLINE) is RunState.INTERRUPTED
    assert "SIGTERM" in long_run.status().message
    assert measured(long_run.metrics(), step + 2048)[: len(before)] == before
    assert long_run.metrics() == other.metrics()
    assert [event.data.get("id") for event in other.events()].count(change) == 1
    assert states(long_run) == ["running", "interrupted", "running", "interrupted"]
    other.rename("old", ["x"])
    assert (open_run(other.directory).name, open_run(other.directory).tags) == ("old", ("x",))
    other.delete()
    assert os.listdir(tmp_path) == []


# Without a worker


def waiting(path: Path) -> Run:
    return create_run(small(), path / "run")


def test_a_run_that_waits_is_left_alone_and_can_be_stopped(tmp_path: Path) -> None:
    run = waiting(tmp_path)
    assert run.state() is RunState.QUEUED
    assert run.worker_pid is None
    run.stop()
    assert run.status().message == "Stopped before it began."
    assert states(run) == ["stopped"]


def test_a_run_whose_worker_failed_to_begin_says_why(tmp_path: Path) -> None:
    run = waiting(tmp_path)
    run.files.write_status(RunStatus(RunState.STARTING))
    run.files.log_file.write_text("Traceback ...\nImportError: no torch here\n")
    assert run.state() is RunState.FAILED
    assert run.status().message == "The training process failed: ImportError: no torch here"


def test_a_run_that_nobody_works_on_is_interrupted_not_silent(tmp_path: Path) -> None:
    run = waiting(tmp_path)
    run.files.write_status(RunStatus(RunState.RUNNING, 500))
    with run.files.locked_for_worker():
        assert run.state() is RunState.RUNNING
    assert run.state() is RunState.INTERRUPTED
    assert "has no checkpoint yet" in run.status().message
    assert states(run) == ["interrupted"]
    assert run.wait(1) is RunState.INTERRUPTED


def test_points_that_are_taken_back_leave_the_view(tmp_path: Path) -> None:
    run = waiting(tmp_path)
    writer = MetricWriter(run.files.metrics_file)
    for step in (10, 20, 30):
        writer.add(MetricPoint(step, 0.0, {"return": 1.0}))
    writer.flush()
    assert [point.step for point in run.metrics()] == [10, 20, 30]
    writer.rewind(15)
    assert [point.step for point in run.metrics()] == [10]
    writer.close()


def test_a_loop_of_the_user_s_own_takes_no_commands_and_is_not_resumed(tmp_path: Path) -> None:
    run = waiting(tmp_path)
    run.files.own_loop_file.touch()
    run.files.write_status(RunStatus(RunState.RUNNING, 500))
    with run.files.locked_for_worker(), pytest.raises(ConflictError, match="loop of your own"):
        run.pause()
    assert run.status().message.endswith("This run is a loop of your own: start that again.")
    with pytest.raises(ConflictError, match="loop of your own"):
        run.resume()


def test_a_command_with_an_id_keeps_it(tmp_path: Path) -> None:
    run = waiting(tmp_path)
    with run.files.locked_for_worker():
        run.files.write_status(RunStatus(RunState.RUNNING, 500, total_steps=4096))
        assert run.command(RunCommand(Command.PAUSE, id="mine")) == "mine"
        assert len(run.extend(5000)) == 32
    lines = run.files.commands_file.read_text()
    assert '"mine"' in lines
    assert '"total_steps":5000' in lines


class EndsMeanwhile(Run):
    """A run whose worker writes its end right after it was told something."""

    started = 0

    def _append(self, command: RunCommand) -> None:
        super()._append(command)
        self.files.announce(RunStatus(RunState.FINISHED, 4096, total_steps=4096))

    def _start(self, *commands: RunCommand, detached: bool) -> None:
        assert commands == ()  # the worker finds it in the folder
        self.started += 1


def test_what_is_asked_while_a_run_ends_is_refused_or_followed_but_not_lost(
    tmp_path: Path,
) -> None:
    waiting(tmp_path)
    run = EndsMeanwhile(tmp_path / "run")
    for ask in (run.pause, lambda: run.change(ent_coef=0.1)):
        run.files.write_status(RunStatus(RunState.STARTING, total_steps=4096))
        lock = ExitStack()
        lock.enter_context(run.files.locked_for_worker())
        Timer(0.2, lock.close).start()
        with pytest.raises(ConflictError, match="this run is finished"):
            ask()
    assert run.started == 0
    run.files.write_status(RunStatus(RunState.QUEUED, total_steps=4096))
    run.extend(5000)
    assert run.started == 1


def test_a_signal_without_a_name_is_told_by_its_number() -> None:
    assert "(signal 40)" in _reason_of_death(-40)


def test_the_kernel_s_side_loads_no_torch() -> None:
    code = "import sys, jupyter_ppo.training.launch; print({'torch', 'numpy'} & set(sys.modules))"
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


def test_files_of_a_run_are_where_they_are_said_to_be(finished: Run) -> None:
    assert RunDirectory(finished.directory).model_file == finished.directory / "model.zip"
    assert finished.log_tail().startswith("--- ")
    assert finished.evaluations() == []
    assert finished.checkpoints()[-1].step == 4096
