from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium import spaces

from jupyter_ppo.domain.errors import InvalidInputError
from jupyter_ppo.domain.presets import Preset, spec_from_preset
from jupyter_ppo.domain.run_spec import RunSpec
from jupyter_ppo.domain.training import Metric
from jupyter_ppo.training.environments import make_evaluation_envs
from jupyter_ppo.training.teaching.ppo import train_ppo

SMALL = RunSpec(
    total_steps=300, n_envs=2, n_steps=50, batch_size=50, n_epochs=2, learning_rate=1e-3, seed=4
)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_it_solves_cartpole_on_seeds_it_has_not_seen(seed):
    policy = train_ppo(spec_from_preset(Preset.CARTPOLE_FAST, seed=seed, total_steps=35_000))

    envs = make_evaluation_envs(RunSpec(), None, episodes=20, seed=1_000_000)
    observations, total, done = envs.reset(), np.zeros(20), np.zeros(20, bool)
    while not done.all():
        actions = policy.act(observations, deterministic=True)
        observations, rewards, done = envs.step(actions)
        total += rewards
    envs.close()
    assert total.mean() >= 475


class Mirror(gym.Env):
    """Two numbers are shown and are to be repeated; five times make an episode."""

    observation_space = spaces.Box(-1.0, 1.0, (2,), np.float32)
    action_space = spaces.Box(-1.0, 1.0, (2,), np.float32)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.steps = 0
        return self._show(), {}

    def step(self, action):
        assert self.action_space.contains(action), "actions are within their bounds"
        reward = -float(np.square(action - self.shown).sum())
        self.steps += 1
        return self._show(), reward, self.steps == 5, False, {}

    def _show(self):
        self.shown = self.np_random.uniform(-1, 1, 2).astype(np.float32)
        return self.shown


@pytest.fixture
def mirror():
    gym.register("Mirror-v0", Mirror)
    yield "Mirror-v0"
    del gym.registry["Mirror-v0"]


def test_it_learns_continuous_actions(mirror):
    spec = RunSpec(
        env_id=mirror,
        total_steps=10_000,
        n_envs=8,
        n_steps=32,
        batch_size=128,
        gamma=0.0,
        learning_rate=3e-3,
        seed=1,
    )
    returns: list[float] = []

    def log(_step, **metrics):
        returns.extend(metrics[name] for name in (Metric.RETURN,) if name in metrics)

    policy = train_ppo(spec, log)

    assert np.mean(returns[-100:]) > 0.5 * np.mean(returns[:100])
    shown = np.random.default_rng(0).uniform(-0.8, 0.8, (100, 2))
    assert np.abs(policy.act(shown, deterministic=True) - shown).mean() < 0.1


def test_the_log_gets_every_episode_and_every_update_at_its_true_step():
    lines: list[tuple[int, dict[str, float]]] = []
    train_ppo(SMALL, lambda step, **metrics: lines.append((step, metrics)))

    steps = [step for step, _ in lines]
    assert steps == sorted(steps)
    updates = [(step, metrics) for step, metrics in lines if Metric.LOSS in metrics]
    assert [step for step, _ in updates] == [100, 200, 300]
    episodes = [metrics for _, metrics in lines if Metric.RETURN in metrics]
    assert episodes
    assert all(one[Metric.RETURN] == one[Metric.LENGTH] for one in episodes)
    mean = np.mean([one[Metric.RETURN] for one in episodes])
    assert updates[-1][1][Metric.MEAN_RETURN] == pytest.approx(mean)
    assert {str(name) for _, metrics in lines for name in metrics} <= set(Metric)


def test_schedules_are_followed():
    rates: list[float] = []
    spec = SMALL.changed(learning_rate={"kind": "linear", "start": 3e-3, "end": 0})
    train_ppo(spec, lambda _step, **m: rates.extend(m[k] for k in [Metric.LEARNING_RATE] if k in m))
    assert rates == pytest.approx([3e-3, 2e-3, 1e-3])


def test_a_seed_decides_a_run_and_threads_are_as_before():
    before = torch.get_num_threads()
    first, again = train_ppo(SMALL), train_ppo(SMALL)
    other = train_ppo(SMALL.changed(seed=5))
    weights, repeated, different = (
        torch.nn.utils.parameters_to_vector(policy.parameters()) for policy in (first, again, other)
    )
    assert torch.equal(weights, repeated)
    assert not torch.equal(weights, different)
    assert torch.get_num_threads() == before


@pytest.mark.parametrize(
    ("name", "value"),
    [("use_sde", True), ("normalize_observations", True), ("env_sha256", "0" * 64)],
)
def test_what_it_leaves_out_is_refused_by_name(name, value):
    with pytest.raises(InvalidInputError, match=f"^{name}: train_ppo leaves this out") as error:
        train_ppo(SMALL.changed(**{name: value}))
    assert error.value.field == name
