"""The callback for ``model.learn``: what SB3's own log lacks is there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import gymnasium as gym
import pytest
import torch
from stable_baselines3 import A2C, PPO
from stable_baselines3.common.callbacks import BaseCallback, EvalCallback
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.monitor import Monitor

from jupyter_ppo.domain.errors import ConflictError
from jupyter_ppo.domain.training import Metric, RunState
from jupyter_ppo.training.exports import runs_to_frame
from jupyter_ppo.training.launch import open_run
from jupyter_ppo.training.own_loop import given_hyperparameters
from jupyter_ppo.training.sb3_callback import RunCallback


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """More of them spin on a busy machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


class Truth(BaseCallback):
    """Reads what SB3 logged in its update, after each ``train()`` of its own."""

    def __init__(self, model: PPO) -> None:
        super().__init__()
        self.updates: list[tuple[int, float]] = []
        self.episodes: list[tuple[int, float, int]] = []
        train = model.train

        def recorded() -> None:
            train()
            kl = model.logger.name_to_value["train/approx_kl"]
            self.updates.append((model.num_timesteps, float(kl)))

        model.train = recorded  # type: ignore[method-assign]

    def _on_step(self) -> bool:
        for info in self.locals["infos"]:
            if "episode" in info:
                found = info["episode"]
                self.episodes.append((self.num_timesteps, float(found["r"]), int(found["l"])))
        return True


@pytest.mark.parametrize("log_interval", [1, 3, None])
def test_every_update_is_there_at_its_true_step_and_every_episode(
    tmp_path: Path, log_interval: int | None
) -> None:
    envs = make_vec_env("CartPole-v1", 2, seed=0)
    model = PPO("MlpPolicy", envs, n_steps=32, batch_size=32, n_epochs=2, gamma=0.97, device="cpu")
    truth, held_out = Truth(model), Monitor(gym.make("CartPole-v1"))
    others = [truth, EvalCallback(held_out, eval_freq=40, verbose=0, n_eval_episodes=1)]
    with RunCallback(tmp_path / "run", name="sb3", ent_coef=0.5) as callback:
        model.learn(150, callback=[callback, *others], log_interval=log_interval)  # type: ignore[arg-type]
    run = open_run(tmp_path / "run")
    assert (run.state(), run.status().step, run.name) == (RunState.FINISHED, 192, "sb3")
    updates = [point for point in run.metrics() if Metric.APPROX_KL in point.values]
    found = [(point.step, point.values[Metric.APPROX_KL]) for point in updates]
    assert found == truth.updates
    assert found[-1][0] == 192, "the last update is there"
    episodes = [point for point in run.metrics() if Metric.RETURN in point.values]
    assert [
        (point.step, point.values[Metric.RETURN], int(point.values[Metric.LENGTH]))
        for point in episodes
    ] == truth.episodes
    last = updates[-1].values
    assert last[Metric.ENTROPY] > 0
    assert last[Metric.STEPS_PER_SECOND] > 0
    returns = [value for _, value, _ in truth.episodes][-100:]
    assert last[Metric.MEAN_RETURN] == pytest.approx(sum(returns) / len(returns))


def test_hyperparameters_are_read_off_the_model(tmp_path: Path) -> None:
    envs = make_vec_env("CartPole-v1", 4, seed=0)
    model = PPO("MlpPolicy", envs, n_steps=16, batch_size=64, gamma=0.9, learning_rate=1e-3, seed=3)
    model.learn(64, callback=RunCallback(tmp_path / "run", ent_coef=0.25))
    spec = open_run(tmp_path / "run").spec
    assert (spec.env_id, spec.n_envs, spec.n_steps, spec.gamma) == ("CartPole-v1", 4, 16, 0.9)
    assert (spec.learning_rate.start, spec.seed, spec.ent_coef) == (1e-3, 3, 0.25)
    given = given_hyperparameters(tmp_path / "run")
    assert given is not None
    assert "adam_eps" not in given
    assert "gamma" in given
    row = runs_to_frame(tmp_path / "run", kind="runs").iloc[0]
    assert (row.total_steps, row.n_envs, row.adam_eps) == (64, 4, None)


def test_a_learn_that_fails_leaves_a_failed_run(tmp_path: Path) -> None:
    class Fails(BaseCallback):
        def _on_step(self) -> bool:
            msg = "the environment broke"
            raise OSError(msg)

    model = PPO("MlpPolicy", gym.make("CartPole-v1"), n_steps=64, device="cpu")
    with pytest.raises(OSError, match="broke"), RunCallback(tmp_path / "run") as callback:
        model.learn(64, callback=[callback, Fails()])
    status = open_run(tmp_path / "run").status()
    assert status.state is RunState.FAILED
    assert status.message == "The loop failed: OSError: the environment broke"


def test_a_used_folder_is_refused_before_anything_is_trained(tmp_path: Path) -> None:
    model = PPO("MlpPolicy", gym.make("CartPole-v1"), n_steps=64, device="cpu")
    model.learn(64, callback=RunCallback(tmp_path / "run"))
    with pytest.raises(ConflictError, match="Choose a new directory"):
        model.learn(64, callback=RunCallback(tmp_path / "run"))
    assert model.num_timesteps == 0


def test_another_algorithm_of_sb3_is_logged_as_far_as_it_goes(tmp_path: Path) -> None:
    model = A2C("MlpPolicy", gym.make("CartPole-v1"), n_steps=16, device="cpu")
    model.learn(64, callback=RunCallback(tmp_path / "run"))
    points = open_run(tmp_path / "run").metrics()
    updates = [point for point in points if Metric.VALUE_LOSS in point.values]
    assert [point.step for point in updates] == [16, 32, 48, 64]
