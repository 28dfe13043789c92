"""train(): environments of one's own, several seeds, runs that outlive their kernel."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

import jupyter_ppo
from jupyter_ppo import LiveRuns, evaluate_run, open_run, runs_to_frame, train
from jupyter_ppo.domain.errors import ConflictError, InvalidInputError
from jupyter_ppo.domain.training import RunState

ROOT = str(Path(jupyter_ppo.__file__).parents[1])
DEADLINE = 120.0
#: One rollout of a few environments, and two minibatches.
SMALL: dict[str, Any] = {
    "preset": "sb3-defaults",
    "total_steps": 64,
    "n_envs": 2,
    "n_steps": 32,
    "batch_size": 32,
    "n_epochs": 1,
}


class Corridor(gym.Env[np.ndarray, int]):
    """Walk to the right; nothing that Gymnasium has registered."""

    observation_space = gym.spaces.Box(-1, 1, (1,), np.float32)
    action_space = gym.spaces.Discrete(2)

    def __init__(self, length: int = 5) -> None:
        self.length, self.place = length, 0

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        super().reset(seed=seed)
        self.place = 0
        return self._seen(), {}

    def step(self, action: int) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        self.place += 1 if action else -1
        return self._seen(), 1.0, abs(self.place) >= self.length, False, {}

    def _seen(self) -> np.ndarray:
        return np.array([self.place / self.length], np.float32)


def test_a_class_that_only_this_process_knows_is_trained(tmp_path: Path) -> None:
    live = train(Corridor, directory=tmp_path / "run", env_kwargs={"length": 3}, **SMALL)
    try:
        assert live.wait(DEADLINE) is RunState.FINISHED, live.message
        assert live.spec.env_id == "Corridor"
        assert {value for _, value in live.series("length")} <= set(range(3, 200, 2))
    finally:
        live.stop()
        live.close()


def test_several_seeds_are_runs_of_their_own_two_at_a_time(tmp_path: Path) -> None:
    runs = train(directory=tmp_path / "group", seeds=[3, 1, 2], **SMALL)
    assert isinstance(runs, LiveRuns)
    try:
        most = 0
        while not all(state.has_ended for state in runs.states):
            at_work = [s for s in runs.states if not s.has_ended and s is not RunState.QUEUED]
            most = max(most, len(at_work))
            runs.wait(0.05)
        assert runs.wait(DEADLINE) == (RunState.FINISHED,) * 3, runs
        assert most == 2
        assert [run.spec.seed for run in runs] == [3, 1, 2]
        assert [run.directory.name for run in runs] == ["seed-3", "seed-1", "seed-2"]
        assert runs.directory == tmp_path / "group"
        assert len(runs[1:]) == 2
        frame = runs_to_frame(runs, ["approx_kl"])  # as a student has them, with their views
        assert sorted(frame["seed"]) == [1, 2, 3]
        assert len(evaluate_run(runs[0], episodes=2).returns) == 2
        with pytest.raises(ConflictError, match="seed-3 holds a run already"):
            train(directory=tmp_path / "group", seeds=[7, 3], **SMALL)
        assert not (tmp_path / "group" / "seed-7").exists()
    finally:
        runs.stop()
        runs.close()


def test_runs_of_several_seeds_share_a_board_and_get_a_view_when_asked(tmp_path: Path) -> None:
    runs = train(directory=tmp_path / "group", seeds=[0, 1], **{**SMALL, "total_steps": 10**9})
    try:
        assert [run.directory for run in runs.board.runs.values()] == [
            run.directory for run in runs
        ]
        assert runs.board is runs.board
        assert runs[-1] is runs[1]
        assert runs[1].spec.seed == 1
        with pytest.raises(IndexError):
            runs[2]
        assert repr(runs).splitlines()[0] == "<LiveRuns CartPole-v1"
        assert "seed 1: " in repr(runs)
    finally:
        runs.stop()
        runs.close()


def test_stopping_a_group_also_ends_those_that_wait(tmp_path: Path) -> None:
    runs = train(directory=tmp_path / "group", seeds=[0, 1, 2], **{**SMALL, "total_steps": 10**9})
    try:
        assert runs.states[2] is RunState.QUEUED
        runs.stop()
        assert set(runs.wait(DEADLINE)) == {RunState.STOPPED}
        assert runs[2].status.step == 0
    finally:
        runs.stop()
        runs.close()


@pytest.mark.parametrize("seeds", [[], [1, 1], [-1], ["a"], list(range(51))])
def test_seeds_that_are_none_are_refused(tmp_path: Path, seeds: list[Any]) -> None:
    with pytest.raises(InvalidInputError) as caught:
        train(directory=tmp_path / "group", seeds=seeds, **SMALL)
    assert caught.value.field in {"seed", "seeds"}
    assert not (tmp_path / "group").exists()


def test_what_is_refused_leaves_no_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for words in ({"env": "CartPol-v1"}, {"seeds": []}, {"seeds": [0, "x"]}, {"gamma": 2}):
        with pytest.raises(InvalidInputError):
            train(**words)  # type: ignore[call-overload]
    assert list(tmp_path.glob("runs/*")) == []


def test_presets_that_know_no_class_of_ones_own_say_so(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="rl-zoo has no values for 'Corridor'"):
        train(Corridor, preset="rl-zoo", directory=tmp_path / "run")


def test_a_detached_run_outlives_the_process_that_started_it(tmp_path: Path) -> None:
    code = (
        "from jupyter_ppo import train\n"
        f"train(directory={str(tmp_path / 'run')!r}, total_steps=10**9, detached=True)\n"
    )
    subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        check=True,
        env={**os.environ, "PYTHONPATH": ROOT, "PYTHONWARNINGS": ""},
        timeout=DEADLINE,
    )
    run = open_run(tmp_path / "run")
    try:
        while run.status().step == 0:
            assert not run.state().has_ended, run.status().message
            run.wait(0.1)
    finally:
        run.stop()
    assert run.wait(DEADLINE) is RunState.STOPPED


def test_every_public_name_is_there() -> None:
    for name in jupyter_ppo.__all__:
        assert getattr(jupyter_ppo, name).__name__ == name
    assert set(jupyter_ppo.__all__) <= set(dir(jupyter_ppo))
    with pytest.raises(AttributeError, match="no attribute 'trian'"):
        jupyter_ppo.trian  # noqa: B018
