"""The loop: the same numbers as Stable-Baselines3's own, evaluations, ends, commands."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch
from stable_baselines3 import PPO
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.vec_env import VecNormalize

from jupyter_ppo.domain.run_spec import RunSpec
from jupyter_ppo.domain.training import Command, EventKind, Metric, RunCommand, RunState
from jupyter_ppo.training.control import Control
from jupyter_ppo.training.snapshot import weights_sha256
from jupyter_ppo.training.watchdog import _WHERE


def bare_sb3(spec: RunSpec) -> tuple[PPO, list[tuple[int, dict[str, float]]]]:
    """Train as people do, with ``learn()``; return what each update logged as well."""
    logged = []

    class Spy(PPO):
        def train(self) -> None:
            super().train()
            logged.append((self.num_timesteps, dict(self.logger.name_to_value)))

    def value_of(name: str) -> Any:
        schedule = getattr(spec, name)
        if schedule.is_constant:
            return schedule.start
        updates = spec.n_updates
        # SB3 passes what is left after the rollout; the update before it used one update less.
        return lambda left: schedule.at(max(round((1 - left) * updates) - 1, 0) / updates)

    torch.set_num_threads(1)
    envs: Any = make_vec_env(spec.env_id, n_envs=spec.n_envs, seed=spec.seed)
    if spec.normalizes:
        envs = VecNormalize(envs, gamma=spec.gamma)
    model = Spy(
        "MlpPolicy",
        envs,
        learning_rate=value_of("learning_rate"),
        clip_range=value_of("clip_range"),
        n_steps=spec.n_steps,
        batch_size=spec.batch_size,
        n_epochs=spec.n_epochs,
        gamma=spec.gamma,
        seed=spec.seed,
        device="cpu",
    )
    model.learn(spec.planned_steps, log_interval=None)  # type: ignore[arg-type]
    envs.close()
    return model, logged


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"normalize_observations": True, "normalize_rewards": True},
        {
            "learning_rate": {"kind": "linear", "start": 1e-3, "end": 0.0},
            "clip_range": {"kind": "linear", "start": 0.3, "end": 0.05},
        },
        {"env_id": "Pendulum-v1", "total_steps": 900},
    ],
    ids=["constant", "normalised", "linear schedules", "continuous actions"],
)
def test_weights_and_measurements_are_those_of_sb3_bit_for_bit(
    changes: dict[str, Any], train: Any, small_spec: Callable[..., RunSpec], metrics_of: Any
) -> None:
    spec = small_spec(vec_env="dummy", fused_adam=False, **changes)
    files = train("run", spec)
    model, logged = bare_sb3(spec)
    assert files.checkpoints().list()[-1].weights_sha256 == weights_sha256(model.policy)
    updates = [(step, values) for step, values in metrics_of(files) if "approx_kl" in values]
    assert [step for step, _ in updates] == [step for step, _ in logged]
    assert len(updates) == spec.n_updates
    for (step, values), (_, theirs) in zip(updates, logged, strict=True):
        assert values["learning_rate"] == spec.learning_rate_at(step)
        assert values["approx_kl"] == float(theirs["train/approx_kl"])
        assert values["loss"] == float(theirs["train/loss"])
        assert values["entropy"] == -float(theirs["train/entropy_loss"])


def test_the_model_loads_with_plain_sb3_and_acts_alike(
    train: Any, small_spec: Callable[..., RunSpec]
) -> None:
    spec = small_spec(learning_rate={"kind": "linear", "start": 1e-3, "end": 0.0})
    files = train("run", spec)
    model = PPO.load(files.model_file, device="cpu")
    assert weights_sha256(model.policy) == files.checkpoints().list()[-1].weights_sha256
    assert model.learning_rate == pytest.approx(spec.learning_rate_at(1024))
    assert model.clip_range(0.5) == pytest.approx(0.2)  # type: ignore[operator]
    assert model.num_timesteps == 1024
    with torch.no_grad():
        assert int(model.predict(np.zeros(4, np.float32), deterministic=True)[0]) in {0, 1}


def test_evaluations_are_held_when_due_and_at_the_end(
    train: Any, small_spec: Callable[..., RunSpec]
) -> None:
    files = train("run", small_spec(eval_every=300, eval_episodes=3))
    assert [one.step for one in files.read_evaluations()] == [384, 640, 1024]
    assert all(len(one.returns) == 3 for one in files.read_evaluations())
    assert files.read_evaluations()[0].seed == 1_000_000
    again = train("less", small_spec(eval_every=1000, eval_episodes=1))
    assert [one.step for one in again.read_evaluations()] == [1024]


def test_an_evaluation_does_not_change_the_training(
    train: Any, small_spec: Callable[..., RunSpec]
) -> None:
    with_it = train("with", small_spec(eval_every=128, eval_deterministic=False))
    without = train("without", small_spec())
    weights = [files.checkpoints().list()[-1].weights_sha256 for files in (with_it, without)]
    assert weights[0] == weights[1]


def test_a_run_ends_when_its_target_is_held_and_goes_on_when_extended(
    train: Any, small_spec: Callable[..., RunSpec]
) -> None:
    spec = small_spec(eval_every=128, eval_episodes=2, target_return=5, target_evaluations=2)
    files = train("run", spec)
    status = files.read_status()
    assert (status.state, status.step) == (RunState.FINISHED, 256)
    assert "Solved" in status.message
    assert EventKind.SOLVED in [event.kind for event in files.read_events()]
    assert files.model_file.exists()
    train("run", spec, (0, RunCommand(Command.EXTEND, {"total_steps": 2048})))
    assert files.read_status().step == 2048
    (extended,) = [event for event in files.read_events() if event.kind is EventKind.EXTENDED]
    assert extended.data["total_steps"] == 2048


_BEATS: list[int] = []


class Punctual(gym.Env[Any, Any]):
    """Refuses to do anything that the watchdog was not told of by a beat of its own."""

    observation_space = gym.spaces.Box(-1, 1, (2,), np.float32)
    action_space = gym.spaces.Discrete(2)

    def __init__(self) -> None:
        self.answer()

    def answer(self) -> Any:
        assert _BEATS, "no beat since the last answer"
        _BEATS.clear()
        self.t = getattr(self, "t", 0) + 1
        return np.zeros(2, np.float32)

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        super().reset(seed=seed)
        return self.answer(), {}

    def step(self, action: Any) -> Any:
        return self.answer(), 1.0, False, self.t % 7 == 0, {}


def test_step_timeout_is_for_each_answer_of_each_copy(
    train: Any, small_spec: Callable[..., RunSpec], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Control, "beat", lambda _, phase: _BEATS.append(phase in _WHERE))
    spec = small_spec(env_id="Punctual", total_steps=128, eval_every=128, eval_episodes=3)
    files = train("run", spec, env=Punctual)
    assert files.read_status().state is RunState.FINISHED
    assert files.checkpoints().list()[-1].is_exact  # the trial of copies was not skipped


def test_stop_writes_model_and_checkpoint(train: Any, small_spec: Callable[..., RunSpec]) -> None:
    files = train("run", small_spec(), (512, RunCommand(Command.STOP)))
    status = files.read_status()
    assert (status.state, status.step, status.checkpoint_step) == (RunState.STOPPED, 512, 512)
    assert PPO.load(files.model_file, device="cpu").num_timesteps == 512


def test_normalisation_is_written_beside_the_model(
    train: Any, small_spec: Callable[..., RunSpec]
) -> None:
    files = train("run", small_spec(normalize_observations=True))
    with np.load(files.normalisation_file) as arrays:
        assert arrays["obs_mean"].shape == (4,)
        assert float(arrays["obs_count"]) == pytest.approx(1024 + 4, rel=1e-3)


def test_checkpoints_are_kept_as_many_as_asked(
    train: Any, small_spec: Callable[..., RunSpec]
) -> None:
    files = train("run", small_spec(checkpoint_seconds=0, checkpoint_keep=2))
    assert [info.step for info in files.checkpoints().list()] == [896, 1024]


def test_the_status_says_where_the_run_ends_and_how_fast_it_is(
    train: Any, small_spec: Callable[..., RunSpec]
) -> None:
    status = train("run", small_spec(total_steps=1000)).read_status()
    assert (status.step, status.total_steps, status.update) == (1024, 1024, 8)
    assert status.steps_per_second > 0
    assert status.seconds > 0


def test_seconds_go_on_after_a_restart_and_points_are_in_order(
    train: Any, small_spec: Callable[..., RunSpec]
) -> None:
    from jupyter_ppo.training.metric_log import current_points

    files = train("run", small_spec(), (512, "The kernel ended."))
    before = files.checkpoints().read(512).extra["seconds"]
    assert before > 0
    train("run", small_spec())
    points = current_points(files.metrics_file)
    assert [point.step for point in points] == sorted(point.step for point in points)
    assert [point.seconds for point in points] == sorted(point.seconds for point in points)
    assert all(point.seconds > before for point in points if point.step > 512)
    assert any(Metric.SECONDS_ENV in point.values for point in points)
