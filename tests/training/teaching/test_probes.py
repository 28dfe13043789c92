from __future__ import annotations

import subprocess
import sys

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium.utils.env_checker import check_env

from jupyter_ppo.domain.errors import InvalidInputError
from jupyter_ppo.domain.run_spec import RunSpec
from jupyter_ppo.training.teaching.ppo import train_ppo
from jupyter_ppo.training.teaching.probes import PROBES, make_probe, probe_id


@pytest.mark.parametrize("number", PROBES)
def test_a_probe_is_an_environment_of_gymnasium(number):
    env = gymnasium.make(probe_id(number))
    check_env(env.unwrapped, skip_render_check=True)
    assert env.action_space.n == PROBES[number].n_actions


def best(number, observation):
    return int(observation[0] > 0) if number == 5 else PROBES[number].n_actions - 1


@pytest.mark.parametrize("number", PROBES)
def test_the_best_policy_gets_the_values_that_are_expected(number):
    env, gamma = make_probe(number), 0.9
    observation, _ = env.reset(seed=0)
    seen: dict[float, list[float]] = {}
    totals = []
    for _ in range(200):
        states, rewards, is_over = [], [], False
        while not is_over:
            states.append(float(observation[0]))
            observation, reward, is_over, _, _ = env.step(best(number, observation))
            rewards.append(reward)
        totals.append(sum(rewards))
        for t, state in enumerate(states):
            rest = sum(reward * gamma**k for k, reward in enumerate(rewards[t:]))
            seen.setdefault(state, []).append(rest)
        observation, _ = env.reset()
    expected = PROBES[number].expected_values(gamma)
    assert seen.keys() == expected.keys()
    for state, returns in seen.items():
        np.testing.assert_allclose(returns, expected[state])
    assert np.mean(totals) == pytest.approx(PROBES[number].expected_return, abs=0.2)


@pytest.mark.parametrize("number", PROBES)
def test_ppo_passes_each_probe_within_a_second(number):
    spec = RunSpec(
        env_id=probe_id(number),
        n_envs=8,
        n_steps=16,
        batch_size=64,
        n_epochs=8,
        total_steps=2_560,
        learning_rate=5e-3,
        gamma=0.9,
        seed=1,
    )
    policy = train_ppo(spec)
    expected = PROBES[number].expected_values(0.9)
    observations = torch.tensor([[seen] for seen in expected])
    with torch.no_grad():
        found = policy.values(observations)
        chosen = policy.distribution(observations).mode()
    np.testing.assert_allclose(found, list(expected.values()), atol=0.15)
    assert chosen.tolist() == [best(number, seen) for seen in observations.numpy()]


def test_gymnasium_finds_a_probe_by_its_id_in_another_process():
    code = f"import gymnasium; print(gymnasium.make({probe_id(3)!r}).reset(seed=1)[0])"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout.strip() == "[0.]", done.stderr


@pytest.mark.parametrize("function", [make_probe, probe_id])
def test_there_are_five(function):
    with pytest.raises(InvalidInputError) as caught:
        function(6)
    assert caught.value.field == "number"
