"""Runs are made, started, found again."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from typing import Any

import gymnasium as gym
import pytest
from gymnasium.envs.classic_control.cartpole import CartPoleEnv

from jupyter_ppo.domain.errors import (
    ConflictError,
    InvalidInputError,
    NotFoundError,
    UnavailableError,
)
from jupyter_ppo.domain.presets import spec_from_preset
from jupyter_ppo.domain.run_spec import RunSpec
from jupyter_ppo.domain.training import Command, EventKind, RunCommand, RunState
from jupyter_ppo.training.files import RunDirectory
from jupyter_ppo.training.launch import create_run, list_runs, open_run, start_run, start_worker
from jupyter_ppo.training.run import Run

_DEADLINE = 120.0


def small(**changes: object) -> RunSpec:
    return spec_from_preset("cartpole-fast", **{"total_steps": 2048, "eval_every": 0, **changes})


class Tilted(CartPoleEnv):
    """A class that only this test has."""

    def __init__(self, tilt: float = 0.0, **more: Any) -> None:
        super().__init__(**more)
        self.tilt = tilt

    def step(self, action: Any) -> Any:
        observation, _, terminated, truncated, info = super().step(action)
        return observation, self.tilt, terminated, truncated, info


def test_a_class_of_the_user_s_own_is_trained_and_the_ended_run_is_extended(
    tmp_path: Path,
) -> None:
    spec = small(env_kwargs={"tilt": 2.0}, n_envs=2, n_steps=512)
    run = create_run(spec, tmp_path / "run", env=Tilted)
    assert run.spec.env_id == "Tilted"
    assert run.state() is RunState.QUEUED
    run.resume()
    assert run.wait(_DEADLINE) is RunState.FINISHED, run.status().message
    returns = [point.values for point in run.metrics() if "return" in point.values]
    assert all(values["return"] == 2 * values["length"] for values in returns)
    assert returns

    command = run.extend(3000)
    assert run.wait(_DEADLINE) is RunState.FINISHED, run.status().message
    assert run.status().step == run.status().total_steps == 3072
    (event,) = [event for event in run.events() if event.kind is EventKind.EXTENDED]
    assert event.data["id"] == command
    assert event.step == 2048


def test_a_worker_is_ended_with_its_checkpoint_and_its_commands_come_from_where_told(
    tmp_path: Path,
) -> None:
    files = create_run(small(total_steps=10**9), tmp_path / "run").files
    offset = files.commands_file.stat().st_size
    stop = files.append_command(RunCommand(Command.STOP))  # given before the worker begins
    worker = start_worker(files, commands_from=offset)
    try:
        assert worker.wait(_DEADLINE)
        assert worker.exit_status == 0
        assert worker.cpu_seconds > 0
        assert files.read_status().state is RunState.STOPPED, stop
        worker.terminate()  # does no harm
        worker.close()
    finally:
        worker.close()


def test_of_two_starts_in_one_folder_one_is_refused(tmp_path: Path) -> None:
    runs: list[Run] = []
    errors: list[str] = []

    def start() -> None:
        try:
            runs.append(create_run(small(), tmp_path / "run"))
        except ConflictError as error:
            errors.append(error.message)

    starters = [threading.Thread(target=start) for _ in range(4)]
    for starter in starters:
        starter.start()
    for starter in starters:
        starter.join()
    assert (len(runs), len(errors)) == (1, 3)


def test_a_worker_is_refused_while_another_is_at_the_run(tmp_path: Path) -> None:
    files = create_run(small(), tmp_path / "run").files
    with (
        files.locked_for_worker(),
        pytest.raises(ConflictError, match=f"process {os.getpid()} works on"),
    ):
        start_worker(files)
    assert files.read_status().state is RunState.QUEUED
    with pytest.raises(NotFoundError):
        start_worker(RunDirectory(tmp_path / "none"))


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UnavailableError, match="no run can be started in") as caught:
        start_run(small(), tmp_path / "file" / "run")
    assert caught.value.field == "directory"


def test_an_environment_that_cannot_be_sent_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError) as caught:
        start_run(small(), tmp_path / "run", env=gym.make("CartPole-v1"))  # type: ignore[arg-type]
    assert caught.value.field == "env"
    assert os.listdir(tmp_path) == []


def test_runs_are_listed_the_one_that_changed_last_first(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        create_run(small(), tmp_path / name, name=name)
    now = time.time()
    os.utime(tmp_path / "b" / "state.json", (now + 10, now + 10))
    assert list_runs(tmp_path)[0].name == "b"
    assert {run.name for run in list_runs(tmp_path)} == {"a", "b", "c"}
    assert open_run(str(tmp_path / "a")).spec == small()
    with pytest.raises(NotFoundError):
        open_run(tmp_path / "nowhere")
