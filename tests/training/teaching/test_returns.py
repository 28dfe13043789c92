from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from jupyter_ppo.domain.errors import InvalidInputError
from jupyter_ppo.training.objective import compute_gae
from jupyter_ppo.training.teaching.returns import (
    add_truncation_bootstrap,
    discounted_return,
    gae_matrix,
    is_bootstrap_needed,
    mc_returns,
    nstep_return,
    policy_evaluation,
    reward_to_go,
    td_errors,
)

numbers = st.floats(-10, 10)
fractions = st.floats(0, 1)
flags = st.sampled_from([0.0, 1.0])


def steps(least=1, most=12):
    return st.integers(least, most).flatmap(
        lambda n: st.tuples(
            hnp.arrays(np.float64, n, elements=numbers),
            hnp.arrays(np.float64, n + 1, elements=numbers),
            hnp.arrays(np.float64, n, elements=flags),
        )
    )


def test_returns_have_the_golden_numbers():
    np.testing.assert_allclose(mc_returns([1, 0, 2], 0.9), [2.62, 1.8, 2])
    assert discounted_return([1, 0, 2], 0.9) == pytest.approx(2.62)
    assert discounted_return([], 0.9) == 0.0
    assert mc_returns([], 0.9).shape == (0,)


@settings(max_examples=50, deadline=None)
@given(steps(), fractions)
def test_a_return_is_the_sum_of_its_discounted_rewards_up_to_the_end(given_steps, gamma):
    rewards, _, dones = given_steps
    expected = []
    for t in range(len(rewards)):
        ends = np.flatnonzero(dones[t:])
        rest = rewards[t : t + ends[0] + 1] if len(ends) else rewards[t:]
        expected.append(sum(reward * gamma**k for k, reward in enumerate(rest)))
    np.testing.assert_allclose(reward_to_go(rewards, dones, gamma), expected, atol=1e-9)


@settings(max_examples=50, deadline=None)
@given(steps(), fractions)
def test_with_lambda_one_gae_is_the_return_less_the_value(given_steps, gamma):
    rewards, values, dones = given_steps
    begins = np.append(0.0, dones)  # the observation after an end begins an episode
    advantages, _ = compute_gae(
        rewards, values[:-1], begins[:-1], 0.0, begins[-1], gamma, gae_lambda=1.0
    )
    returns = reward_to_go(rewards, dones, gamma)
    np.testing.assert_allclose(advantages, returns - values[:-1], atol=1e-9)


@settings(max_examples=50, deadline=None)
@given(steps(), fractions, fractions)
def test_the_matrix_on_td_errors_is_gae(given_steps, gamma, gae_lambda):
    rewards, values, _ = given_steps
    none = np.zeros_like(rewards)
    deltas = td_errors(rewards, values[:-1], values[1:], none, gamma)
    expected, _ = compute_gae(rewards, values[:-1], none, values[-1], 0.0, gamma, gae_lambda)
    weights = gae_matrix(len(rewards), gamma, gae_lambda)
    np.testing.assert_allclose(weights @ deltas, expected, atol=1e-9)
    assert np.array_equal(weights, np.triu(weights))
    assert np.array_equal(np.diag(weights), np.ones(len(rewards)))


@settings(max_examples=50, deadline=None)
@given(steps(), fractions, st.data())
def test_an_n_step_return_lies_between_td_and_monte_carlo(given_steps, gamma, data):
    rewards, values, dones = given_steps
    t = data.draw(st.integers(0, len(rewards) - 1))
    one = nstep_return(rewards, values, t, 1, gamma, dones)
    error = td_errors(rewards, values[:-1], values[1:], dones, gamma)[t]
    assert one == pytest.approx(values[t] + error, abs=1e-9)
    values[-1] = 0.0
    every = nstep_return(rewards, values, t, len(rewards), gamma, dones)
    assert every == pytest.approx(reward_to_go(rewards, dones, gamma)[t], abs=1e-9)


def test_an_n_step_return_bootstraps_where_it_stops_unless_the_episode_ended():
    rewards, values = [1.0, 2.0, 4.0], [10.0, 20.0, 30.0, 40.0]
    none, one = [0, 0, 0], [0, 1, 0]
    assert nstep_return(rewards, values, 0, 2, 0.5, none) == pytest.approx(1 + 1 + 0.25 * 30)
    assert nstep_return(rewards, values, 0, 2, 0.5, one) == pytest.approx(2)
    assert nstep_return(rewards, values, 0, 9, 0.5, none) == pytest.approx(3 + 0.125 * 40)


def test_the_value_of_what_comes_next_counts_unless_there_was_a_true_end():
    assert is_bootstrap_needed(terminated=False, truncated=False)
    assert is_bootstrap_needed(terminated=False, truncated=True)
    assert not is_bootstrap_needed(terminated=True, truncated=False)
    assert not is_bootstrap_needed(terminated=True, truncated=True)


def test_only_a_time_limit_adds_a_value_to_its_reward():
    found = add_truncation_bootstrap(
        [1, 1, 1, 1], [0, 1, 0, 1], [0, 0, 1, 1], [np.nan, 5, np.nan, 7], 0.9
    )
    np.testing.assert_allclose(found, [1, 5.5, 1, 1])


@settings(max_examples=30, deadline=None)
@given(
    st.integers(0, 10_000), st.integers(1, 5), st.integers(1, 3), st.sampled_from([0, 0.5, 0.99])
)
def test_policy_evaluation_solves_the_linear_equation(seed, n_states, n_actions, gamma):
    rng = np.random.default_rng(seed)
    transitions = rng.dirichlet(np.ones(n_states), size=(n_states, n_actions))
    rewards = rng.normal(size=(n_states, n_actions))
    policy = rng.dirichlet(np.ones(n_actions), size=n_states)
    mean_p = np.einsum("sa,sat->st", policy, transitions)
    mean_r = (policy * rewards).sum(axis=1)
    expected = np.linalg.solve(np.eye(n_states) - gamma * mean_p, mean_r)
    found = policy_evaluation(transitions, rewards, policy, gamma)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-9)


def test_policy_evaluation_ends_where_rounding_keeps_values_from_settling():
    found = policy_evaluation(np.ones((1, 1, 1)), [[1e6]], [[1.0]], 0.99, tol=1e-300)
    np.testing.assert_allclose(found, [1e8])


@pytest.mark.parametrize(
    ("function", "arguments", "field"),
    [
        (mc_returns, ([[1.0]], 0.9), "rewards"),
        (mc_returns, ([1.0], 1.1), "gamma"),
        (reward_to_go, ([1.0, 2.0], [0.0], 0.9), "rewards"),
        (td_errors, ([1.0], [1.0], [[1.0]], [0.0], 0.9), "rewards"),
        (td_errors, (np.zeros((2, 1, 1)),) * 4 + (0.9,), "rewards"),
        (nstep_return, ([1.0], [1.0], 0, 1, 0.9, [0]), "values"),
        (nstep_return, ([1.0], [1.0, 1.0], 1, 1, 0.9, [0]), "t"),
        (nstep_return, ([1.0], [1.0, 1.0], 0, 0, 0.9, [0]), "n"),
        (gae_matrix, (-1, 0.9, 0.9), "n_steps"),
        (gae_matrix, (2, 0.9, -0.1), "gae_lambda"),
        (add_truncation_bootstrap, ([1.0], [1], [0], [[1.0]], 0.9), "rewards"),
        (policy_evaluation, (np.ones((2, 1, 1)), [[1.0]], [[1.0]], 0.9), "transitions"),
        (policy_evaluation, (np.ones((1, 1, 1)), [1.0], [[1.0]], 0.9), "rewards"),
        (policy_evaluation, (np.ones((1, 1, 1)), [[1.0]], [[1.0]], 1.0), "gamma"),
        (policy_evaluation, (np.ones((1, 1, 1)), [[1.0]], [[1.0]], 0.9, 0.0), "tol"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(function, arguments, field):
    with pytest.raises(InvalidInputError) as caught:
        function(*arguments)
    assert caught.value.field == field
