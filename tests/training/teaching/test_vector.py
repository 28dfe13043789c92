from __future__ import annotations

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_ppo.domain.errors import InvalidInputError
from jupyter_ppo.training.objective import compute_gae
from jupyter_ppo.training.teaching.vector import (
    collect_rollout,
    count_phantoms,
    flatten_batch,
    make_vec,
    minibatch_indices,
)


class Counter(gymnasium.Env):
    """Counts its steps up to an end; the reward is the number it shows next."""

    observation_space = spaces.Box(0, 100, (1,), np.float32)
    action_space = spaces.Discrete(2)

    def __init__(self, length):
        self._length = length

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self._t = 0
        return np.zeros(1, np.float32), {}

    def step(self, action):
        self._t += 1
        seen = np.array([self._t], np.float32)
        return seen, float(self._t), self._t == self._length, self._t == 5, {}


def counters(*lengths, mode=AutoresetMode.SAME_STEP):
    made = SyncVectorEnv([lambda n=n: Counter(n) for n in lengths], autoreset_mode=mode)
    observations, _ = made.reset(seed=0)
    return made, (observations, np.ones(len(lengths)))


def act(observations):
    n = len(observations)
    return np.ones(n, np.int64), np.full(n, -0.7), observations[:, 0] * 2


def test_a_rollout_has_the_shapes_and_rows_that_it_says():
    envs, carry = counters(3, 100)
    rollout, (next_observations, next_dones) = collect_rollout(envs, act, 6, carry)

    assert {name: item.shape for name, item in rollout.items()} == {
        "observations": (6, 2, 1),
        "actions": (6, 2),
        "log_probs": (6, 2),
        "rewards": (6, 2),
        "values": (6, 2),
        "dones": (6, 2),
        "terminated": (6, 2),
        "truncated": (6, 2),
        "final_observations": (6, 2, 1),
    }
    np.testing.assert_array_equal(rollout["observations"][:, 0, 0], [0, 1, 2, 0, 1, 2])
    np.testing.assert_array_equal(rollout["rewards"][:, 0], [1, 2, 3, 1, 2, 3])
    np.testing.assert_array_equal(rollout["dones"][:, 0], [1, 0, 0, 1, 0, 0])
    np.testing.assert_array_equal(rollout["terminated"][:, 0], [0, 0, 1, 0, 0, 1])
    np.testing.assert_array_equal(rollout["truncated"][:, 1], [0, 0, 0, 0, 1, 0])
    np.testing.assert_array_equal(rollout["final_observations"][:, 0, 0], [0, 0, 3, 0, 0, 3])
    np.testing.assert_array_equal(rollout["values"], rollout["observations"][..., 0] * 2)
    np.testing.assert_array_equal(next_dones, [1, 0])
    np.testing.assert_array_equal(next_observations[:, 0], [0, 1])
    advantages, _ = compute_gae(
        rollout["rewards"], rollout["values"], rollout["dones"], [9, 9], next_dones, 0.9, 0.9
    )
    assert advantages[2, 0] == 3 - 4  # nothing after the end counts


def test_two_rollouts_in_a_row_are_one_that_is_twice_as_long():
    envs, carry = counters(3, 4)
    long, end = collect_rollout(envs, act, 8, carry)
    envs, carry = counters(3, 4)
    first, carry = collect_rollout(envs, act, 4, carry)
    second, same = collect_rollout(envs, act, 4, carry)
    for name, item in long.items():
        np.testing.assert_array_equal(np.concatenate([first[name], second[name]]), item)
    for ours, wanted in zip(same, end, strict=True):
        np.testing.assert_array_equal(ours, wanted)


def test_environments_of_gymnasium_begin_anew_at_once_and_the_same_for_a_seed():
    seen = []
    for _ in range(2):
        envs = make_vec("CartPole-v1", 3, seed=7)
        assert isinstance(envs, SyncVectorEnv)
        assert envs.metadata["autoreset_mode"] is AutoresetMode.SAME_STEP
        first, _ = envs.reset()
        rows = [first, *(envs.step(np.ones(3, np.int64))[0] for _ in range(12))]
        seen.append(np.stack(rows))
        envs.close()
    np.testing.assert_array_equal(*seen)
    assert not np.array_equal(seen[0][0, 0], seen[0][0, 1])


def test_other_modes_are_refused():
    envs, carry = counters(3, mode=AutoresetMode.NEXT_STEP)
    with pytest.raises(InvalidInputError) as caught:
        collect_rollout(envs, act, 2, carry)
    assert caught.value.field == "envs"


def test_phantoms_are_the_steps_that_gymnasium_s_default_rewards_with_nothing():
    envs, _ = counters(3, 4, mode=AutoresetMode.NEXT_STEP)
    rewards, ends = [], []
    for _ in range(12):
        _, reward, terminated, truncated, _ = envs.step(np.zeros(2, np.int64))
        rewards.append(reward)
        ends.append(terminated | truncated)
    assert count_phantoms(ends, [0, 0]) == np.sum(np.array(rewards) == 0) > 0
    assert count_phantoms(ends[:3], [1, 0]) == 1
    assert count_phantoms(np.zeros((0, 2)), [1, 1]) == 0


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 8), st.integers(1, 8), st.integers(0, 99))
def test_minibatches_hold_every_sample_once_in_another_order_each_epoch(pieces, size, seed):
    rng = np.random.default_rng(seed)
    first = minibatch_indices(rng, pieces * size, size)
    second = minibatch_indices(rng, pieces * size, size)
    for epoch in (first, second):
        assert [len(piece) for piece in epoch] == [size] * pieces
        assert all(piece.dtype == np.int64 for piece in epoch)
        assert sorted(np.concatenate(epoch)) == list(range(pieces * size))
    if pieces * size > 20:
        assert not np.array_equal(np.concatenate(first), np.concatenate(second))


def test_a_flat_batch_has_the_environments_of_a_step_beside_each_other():
    x = np.arange(24).reshape(3, 4, 2)
    flat = flatten_batch(x)
    assert flat.shape == (12, 2)
    np.testing.assert_array_equal(flat[2 * 4 + 1], x[2, 1])
    assert flatten_batch(np.zeros((3, 4))).shape == (12,)


@pytest.mark.parametrize(
    ("function", "arguments", "field"),
    [
        (make_vec, ("CartPole-v1", 0, 0), "n_envs"),
        (flatten_batch, (np.zeros(3),), "array"),
        (minibatch_indices, (np.random.default_rng(0), 10, 3), "minibatch_size"),
        (minibatch_indices, (np.random.default_rng(0), 10, 0), "minibatch_size"),
        (count_phantoms, (np.zeros((3, 2)), np.zeros(3)), "carried_done"),
        (count_phantoms, (np.zeros(3), np.zeros(3)), "dones"),
        (collect_rollout, (counters(3)[0], act, 0, counters(3)[1]), "n_steps"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(function, arguments, field):
    with pytest.raises(InvalidInputError) as caught:
        function(*arguments)
    assert caught.value.field == field
