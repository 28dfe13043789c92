from __future__ import annotations

import math

import pytest
import torch
from torch import distributions, nn

from jupyter_ppo.domain.errors import InvalidInputError
from jupyter_ppo.training.teaching.networks import (
    GaussianPolicy,
    build_actor_critic,
    layer_init,
    nature_cnn,
)


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


@pytest.mark.parametrize("std", [math.sqrt(2), 0.01])
@pytest.mark.parametrize("layer", [nn.Linear(7, 4), nn.Conv2d(3, 4, 2)], ids=["linear", "conv"])
def test_weights_are_orthogonal_with_the_gain_and_biases_as_asked(layer, std):
    assert layer_init(layer, std, bias=0.5) is layer
    rows = layer.weight.flatten(1)
    torch.testing.assert_close(rows @ rows.t(), std**2 * torch.eye(4), rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(layer.bias, torch.full((4,), 0.5))


def test_a_layer_without_biases_stays_so():
    assert layer_init(nn.Linear(3, 2, bias=False)).bias is None


@pytest.mark.parametrize(("shared", "n_weights"), [(True, 4675), (False, 9155)])
def test_networks_have_these_weights_and_begin_without_preference(shared, n_weights):
    model = build_actor_critic(4, 2, shared)
    assert sum(parameter.numel() for parameter in model.parameters()) == n_weights
    logits, values = model(torch.randn(50, 4))
    assert logits.shape == (50, 2)
    assert values.shape == (50,)
    entropies = distributions.Categorical(logits=logits).entropy()
    torch.testing.assert_close(entropies, torch.full((50,), math.log(2)), rtol=0, atol=1e-3)


@pytest.mark.parametrize("shared", [True, False])
def test_the_error_of_the_value_reaches_the_policy_only_through_a_trunk_in_common(shared):
    model = build_actor_critic(4, 2, shared)
    _, values = model(torch.randn(5, 4))
    values.square().mean().backward()
    trained = [p for p in model.parameters() if p.grad is not None and p.grad.any()]
    of_policy = [*model.trunk.parameters(), *model.actor.parameters()]
    assert any(p is q for p in trained for q in of_policy) == shared
    assert all(p.grad is None for p in model.actor.parameters())


def test_the_network_of_the_games_has_the_published_shapes():
    model = nature_cnn(6)
    logits, values = model(torch.rand(2, 4, 84, 84))
    assert (logits.shape, values.shape) == ((2, 6), (2,))
    assert model.trunk[6](model.trunk[:6](torch.rand(1, 4, 84, 84))).shape == (1, 64 * 7 * 7)
    shared = 32 * (4 * 64 + 1) + 64 * (32 * 16 + 1) + 64 * (64 * 9 + 1) + 512 * (3136 + 1)
    assert sum(p.numel() for p in model.parameters()) == shared + 6 * 513 + 513


def test_a_gaussian_policy_has_one_deviation_for_all_states_and_trains_it():
    policy = GaussianPolicy(3, 2)
    observations, actions = torch.randn(5, 3), torch.randn(5, 2)
    assert policy.log_std.shape == (2,)
    assert not policy.log_std.any()
    wanted = distributions.Independent(distributions.Normal(policy.mean(observations), 1.0), 1)
    log_probs = policy.log_prob(observations, actions)
    torch.testing.assert_close(log_probs, wanted.log_prob(actions))
    torch.testing.assert_close(policy.entropy(observations), wanted.entropy())
    log_probs.sum().backward()
    assert policy.log_std.grad is not None
    with pytest.raises(InvalidInputError) as caught:
        policy.log_prob(observations, actions[:, :1])
    assert caught.value.field == "actions"


@pytest.mark.parametrize(
    ("make", "arguments", "field"),
    [
        (build_actor_critic, (0, 2, True), "obs_dim"),
        (build_actor_critic, (4, 0, True), "n_actions"),
        (nature_cnn, (0,), "n_actions"),
        (GaussianPolicy, (3, 0), "n_components"),
    ],
)
def test_sizes_below_one_are_refused_by_name(make, arguments, field):
    with pytest.raises(InvalidInputError) as caught:
        make(*arguments)
    assert caught.value.field == field
