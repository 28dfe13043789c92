from __future__ import annotations

import numpy as np
import pytest
import torch
from gymnasium import spaces
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import distributions

from jupyter_ppo.domain.errors import InvalidInputError
from jupyter_ppo.domain.run_spec import RunSpec
from jupyter_ppo.training.teaching.actor_critic import ActorCritic
from jupyter_ppo.training.teaching.distributions import Categorical, Gaussian

BOX = spaces.Box(-1.0, 1.0, (3,))
numbers = st.floats(-5, 5, width=32)


@settings(max_examples=30, deadline=None)
@given(st.lists(numbers, min_size=2, max_size=6))
def test_categorical_probabilities_and_entropies_are_those_of_torch(logits):
    row = torch.tensor([logits, logits[::-1]])
    actions = torch.tensor([0, len(logits) - 1])
    ours, wanted = Categorical(torch.log_softmax(row, 1)), distributions.Categorical(logits=row)
    torch.testing.assert_close(ours.log_probs(actions), wanted.log_prob(actions))
    torch.testing.assert_close(ours.entropies(), wanted.entropy())
    chosen = row.gather(1, ours.mode().unsqueeze(1)).squeeze(1)
    torch.testing.assert_close(chosen, row.max(1).values)  # it may share its place


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(numbers, numbers, st.floats(-3, 1, width=32)), min_size=1, max_size=4))
def test_gaussian_densities_and_entropies_are_those_of_torch(components):
    mean, actions, log_std = torch.tensor(components).t().contiguous()
    ours = Gaussian(mean.unsqueeze(0), log_std)
    wanted = distributions.Independent(distributions.Normal(mean, log_std.exp()), 1)
    log_probs = ours.log_probs(actions.unsqueeze(0))
    torch.testing.assert_close(log_probs, wanted.log_prob(actions).unsqueeze(0))
    torch.testing.assert_close(ours.entropies(), wanted.entropy().unsqueeze(0))


def test_drawn_actions_have_the_probabilities_of_the_policy():
    torch.manual_seed(0)
    pi = torch.tensor([0.1, 0.6, 0.3])
    drawn = Categorical(pi.log().expand(20_000, 3)).sample()
    shares = torch.bincount(drawn, minlength=3) / len(drawn)
    torch.testing.assert_close(shares, pi, rtol=0, atol=0.02)
    normal = Gaussian(torch.full((20_000, 1), 2.0), torch.tensor([-1.0])).sample()
    assert normal.mean().item() == pytest.approx(2.0, abs=0.02)
    assert normal.std().item() == pytest.approx(np.exp(-1.0), abs=0.02)


@pytest.mark.parametrize(
    ("space", "shape", "dtype"),
    [
        (spaces.Discrete(4), (5,), np.int64),
        (spaces.Box(-1.0, 1.0, (2,)), (5, 2), np.float32),
    ],
)
def test_acting_takes_observations_of_any_number_type_and_shape(space, shape, dtype):
    grid = spaces.Box(0, 255, (2, 3), np.uint8)
    policy = ActorCritic(grid, space, RunSpec())
    observations = np.arange(30, dtype=np.uint8).reshape(5, 2, 3)

    actions = policy.act(observations)

    assert (actions.shape, actions.dtype) == (shape, dtype)
    best = policy.act(observations, deterministic=True)
    assert np.array_equal(best, policy.act(observations, deterministic=True))


def test_weights_begin_orthogonal_with_small_preferences_and_no_bias():
    torch.manual_seed(0)
    policy = ActorCritic(BOX, spaces.Discrete(3), RunSpec(policy_layers=(8,), value_layers=()))

    hidden, last = policy.actor[0], policy.actor[2]
    torch.testing.assert_close(hidden.weight.t() @ hidden.weight, 2 * torch.eye(3))
    torch.testing.assert_close(last.weight @ last.weight.t(), 1e-4 * torch.eye(3))
    assert policy.critic[0].weight.norm().item() == pytest.approx(1.0)
    assert all(not layer.bias.any() for layer in (hidden, last, policy.critic[0]))
    probabilities = policy.distribution(torch.rand(10, 3)).log_pi.exp()
    torch.testing.assert_close(probabilities, torch.full((10, 3), 1 / 3), rtol=0, atol=0.02)


@pytest.mark.parametrize(
    ("observations", "actions", "what"),
    [
        (spaces.Discrete(5), spaces.Discrete(2), "observations"),
        (spaces.Dict({"a": BOX}), spaces.Discrete(2), "observations"),
        (BOX, spaces.MultiDiscrete([2, 2]), "actions"),
        (BOX, spaces.Discrete(2, start=1), "actions"),
    ],
)
def test_other_spaces_are_refused_by_name(observations, actions, what):
    with pytest.raises(InvalidInputError, match=f"env_id: the {what} of CartPole-v1 are"):
        ActorCritic(observations, actions, RunSpec())
