"""Runs of several seeds, and what is trained when little is said."""

from __future__ import annotations

import contextlib
import shutil
import threading
from pathlib import Path

import pytest

from jupyter_ppo.domain.errors import InvalidInputError
from jupyter_ppo.domain.run_spec import RunSpec
from jupyter_ppo.domain.training import RunState
from jupyter_ppo.training.group import (
    RunGroup,
    make_spec,
    new_directory,
    run_directory,
    start_group,
)
from jupyter_ppo.training.launch import create_run, open_run

SPEC = RunSpec(total_steps=64, n_steps=32, batch_size=32, n_epochs=1)
DEADLINE = 120.0


def test_cartpole_is_trained_fast_and_others_with_the_defaults_of_sb3() -> None:
    assert make_spec("CartPole-v1", None).n_envs == 16
    assert make_spec("Acrobot-v1", None) == RunSpec(env_id="Acrobot-v1")
    assert make_spec("Acrobot-v1", "rl-zoo", seed=3).seed == 3


def test_a_class_is_trained_with_the_defaults_under_its_name() -> None:
    class MyEnv:
        pass

    assert make_spec(MyEnv, None).env_id == "MyEnv"
    with pytest.raises(InvalidInputError, match="rl-zoo has no values for 'MyEnv'"):
        make_spec(MyEnv, "rl-zoo")


def test_a_run_that_cannot_start_does_not_keep_the_others(tmp_path: Path) -> None:
    runs = [create_run(SPEC.changed(seed=seed), tmp_path / str(seed)) for seed in range(3)]
    shutil.rmtree(runs[0].directory)
    runs[1].files.spec_file.write_text("{")
    group = RunGroup(runs)
    assert runs[1].wait(DEADLINE) is RunState.FAILED
    assert "spec.json" in runs[1].status().message
    assert runs[2].wait(DEADLINE) is RunState.FINISHED
    assert not (tmp_path / "0").exists()
    group.stop()


def test_those_that_wait_stay_and_can_be_started_by_anyone(tmp_path: Path) -> None:
    long = SPEC.changed(total_steps=10**9)
    group = start_group(long, [0, 1], tmp_path / "group", at_once=1)
    try:
        waiting = open_run(tmp_path / "group" / "seed-1")
        assert waiting.state() is RunState.QUEUED
        waiting.resume()
        assert waiting.state() in {RunState.STARTING, RunState.RUNNING}
    finally:
        waiting.stop()
        group.stop()
    assert group.wait(DEADLINE)
    assert threading.active_count() < 10


def test_a_new_run_goes_into_a_folder_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    first, second = new_directory("ALE/Pong-v5"), new_directory("ALE/Pong-v5")
    assert first != second
    assert first.parent == second.parent == tmp_path / "runs"
    assert first.name.startswith("ALE-Pong-v5-")


def test_a_misspelt_environment_is_refused_and_a_class_is_not_looked_up() -> None:
    with pytest.raises(InvalidInputError, match="Did you mean CartPole-v1"):
        make_spec("CartPol-v1", None)

    class CartPol:
        pass

    assert make_spec(CartPol, None).env_id == "CartPol"


def test_what_is_refused_leaves_no_empty_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InvalidInputError), run_directory("CartPole-v1", None) as folder:
        start_group(SPEC, [0, "x"], folder)  # type: ignore[list-item]
    assert not folder.exists()
    with (
        contextlib.suppress(InvalidInputError),
        run_directory("CartPole-v1", None) as folder,
    ):
        (folder / "kept").touch()
        start_group(SPEC, [], folder)
    assert (folder / "kept").exists()
    with run_directory("CartPole-v1", "mine") as folder:
        assert not folder.exists()
