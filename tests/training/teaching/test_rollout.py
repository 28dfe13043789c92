from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from stable_baselines3.common.vec_env import VecEnv

from jupyter_ppo.domain.run_spec import RunSpec
from jupyter_ppo.training.environments import make_training_envs
from jupyter_ppo.training.objective import compute_gae
from jupyter_ppo.training.teaching.actor_critic import ActorCritic
from jupyter_ppo.training.teaching.rollout import Collector, Samples

CARTPOLE = {"env_id": "CartPole-v1"}
#: Every episode is cut off by a time limit, so that values of last observations count.
SHORT_CARTPOLE = {**CARTPOLE, "env_kwargs": {"max_episode_steps": 7}, "vec_env": "dummy"}
PENDULUM = {"env_id": "Pendulum-v1", "env_kwargs": {"max_episode_steps": 10}}


@pytest.mark.parametrize("settings", [CARTPOLE, SHORT_CARTPOLE, PENDULUM])
def test_rollouts_are_those_of_stable_baselines3_number_by_number(pair, settings):
    both = pair(**settings)
    spec = both.spec
    collector = Collector(both.envs, spec.n_steps)
    for seed in (0, 1):  # the second rollout goes on with the episodes of the first
        torch.manual_seed(seed)
        theirs = both.sb3_rollout()
        torch.manual_seed(seed)
        ours = collector.collect(both.policy, spec.gamma, spec.gae_lambda)

        by_copy = torch.arange(len(ours)).reshape(spec.n_steps, spec.n_envs).t().flatten()
        for name in Samples.__slots__:
            mine = getattr(ours, name)[by_copy]
            assert mine.dtype == getattr(theirs, name).dtype
            torch.testing.assert_close(mine, getattr(theirs, name), rtol=1e-5, atol=1e-5, msg=name)


@settings(max_examples=20, deadline=None)
@given(
    n_steps=st.integers(1, 12),
    n_envs=st.integers(1, 4),
    gamma=st.floats(0, 1),
    gae_lambda=st.floats(0, 1),
    seed=st.integers(0, 1000),
)
def test_advantages_are_those_of_the_buffer_of_stable_baselines3(
    n_steps, n_envs, gamma, gae_lambda, seed
):
    from gymnasium import spaces
    from stable_baselines3.common.buffers import RolloutBuffer

    random = np.random.default_rng(seed)
    rewards, values = random.normal(size=(2, n_steps, n_envs)).astype(np.float32)
    starts = (random.random((n_steps, n_envs)) < 0.3).astype(np.float32)
    last_values, dones = random.normal(size=n_envs).astype(np.float32), random.random(n_envs) < 0.3
    buffer = RolloutBuffer(
        n_steps,
        spaces.Box(-1, 1, (1,)),
        spaces.Discrete(2),
        "cpu",
        gae_lambda=gae_lambda,
        gamma=gamma,
        n_envs=n_envs,
    )
    nothing = np.zeros((n_envs, 1), np.float32)
    for t in range(n_steps):
        value = torch.from_numpy(values[t])
        buffer.add(nothing, nothing, rewards[t], starts[t], value, value)
    buffer.compute_returns_and_advantage(torch.from_numpy(last_values), dones)

    advantages, returns = compute_gae(
        rewards, values, starts, last_values, dones.astype(np.float32), gamma, gae_lambda
    )

    np.testing.assert_allclose(advantages, buffer.advantages, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(returns, buffer.returns, rtol=1e-5, atol=1e-5)


@pytest.fixture
def cartpoles():
    spec = RunSpec(n_envs=3, n_steps=40, seed=5)
    envs: VecEnv = make_training_envs(spec, None, spec.seed)
    torch.manual_seed(0)
    yield spec, envs, ActorCritic(envs.observation_space, envs.action_space, spec)
    envs.close()


def test_every_step_is_counted_and_every_episode_is_told_at_the_step_where_it_ended(cartpoles):
    spec, envs, policy = cartpoles
    collector = Collector(envs, spec.n_steps)
    episodes = []
    for _ in range(3):
        collector.collect(policy, spec.gamma, spec.gae_lambda)
        episodes += collector.episodes

    assert collector.step == 3 * 40 * 3
    assert [one.step for one in episodes] == sorted(one.step for one in episodes)
    assert all(one.step % 3 == 0 and one.episode_return == one.length for one in episodes)
    running = 3 * 40 * 3 - sum(one.length for one in episodes)
    assert 0 < running < 3 * 40, "steps are of episodes that ended or of the three that go on"


def test_minibatches_hold_every_sample_once_and_rows_stay_together(cartpoles):
    spec, envs, policy = cartpoles
    samples = Collector(envs, spec.n_steps).collect(policy, spec.gamma, spec.gae_lambda)

    pieces = list(samples.minibatches(torch.randperm(len(samples)), 50))

    assert [len(piece) for piece in pieces] == [50, 50, 20]
    log_probs = torch.cat([piece.log_probs for piece in pieces])
    observations = torch.cat([piece.observations for piece in pieces])
    actions = torch.cat([piece.actions for piece in pieces])
    with torch.no_grad():
        again = policy.distribution(observations).log_probs(actions)
    torch.testing.assert_close(log_probs, again, rtol=1e-5, atol=1e-6)
    everything = torch.cat([piece.returns for piece in pieces]).sort().values
    assert torch.equal(everything, samples.returns.sort().values)
