"""The switches of the networks, the policies, the scales and the minibatches."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from jupyter_ppo.training.ablation.batch_task import Continuous, Discrete, MultiDiscrete
from jupyter_ppo.training.ablation.config import AblationConfig
from jupyter_ppo.training.ablation.distributions import (
    Factored,
    Joint,
    Normal,
    distribution,
    n_outputs,
    to_take,
)
from jupyter_ppo.training.ablation.minibatches import minibatches, sample_orders, workers
from jupyter_ppo.training.ablation.networks import Agent, RecurrentAgent, layer_init, n_parameters
from jupyter_ppo.training.ablation.rollout import (
    Collector,
    Rollout,
    observation_scale,
    reward_scale,
)
from jupyter_ppo.training.ablation.tasks import task_kind

ALL_ON = AblationConfig(n_envs=4)


def rollout_of(name: str, config: AblationConfig = ALL_ON, steps: int = 8) -> tuple[Any, Rollout]:
    torch.manual_seed(0)
    task = task_kind(name).make(config, np.random.default_rng(0))
    agent = RecurrentAgent(task, config) if name == "recall" else Agent(task, config)
    return agent, Collector(task, agent, config, steps, 0.99).collect()


def test_weights_are_orthogonal_with_the_gain_or_left_alone() -> None:
    for setting, head in (("orthogonal", 0.01), ("orthogonal, head 1", 1.0)):
        config = ALL_ON.vary("initialization", setting)
        hidden = layer_init(torch.nn.Linear(4, 8), math.sqrt(2), config)
        weight: Any = hidden.weight
        torch.testing.assert_close(weight.T @ weight, 2 * torch.eye(4))
        assert not Tensor(hidden.bias).any()
        last: Any = layer_init(torch.nn.Linear(8, 2), 0.01, config).weight
        torch.testing.assert_close(last @ last.T, head**2 * torch.eye(2))
    layer = torch.nn.Linear(4, 8)
    before = layer.weight.detach().clone()
    layer_init(layer, 1.0, ALL_ON.vary("initialization", "default"))
    torch.testing.assert_close(layer.weight, before)


@pytest.mark.parametrize(("name", "flag"), [("cartpole", True), ("cartpole", False)])
def test_separate_networks_share_no_weight(name: str, flag: bool) -> None:
    agent, _ = rollout_of(name, ALL_ON.vary("separate_networks", flag), 1)
    assert (agent.actor_trunk is not agent.critic_trunk) == flag
    trunk = 4 * 64 + 64 + 64 * 64 + 64
    assert n_parameters(agent) == trunk * (2 if flag else 1) + 64 * 2 + 2 + 64 + 1


def test_the_networks_for_frames_are_as_named() -> None:
    sizes = {}
    for kind in ("shared cnn", "separate cnns", "mlp"):
        agent, _ = rollout_of("catch", ALL_ON.vary("frame_network", kind), 1)
        sizes[kind] = n_parameters(agent)
        assert any(isinstance(m, torch.nn.Conv2d) for m in agent.modules()) == (kind != "mlp")
    assert sizes["shared cnn"] < sizes["separate cnns"] < sizes["mlp"]


def test_pixels_are_scaled_before_the_network() -> None:
    agent, rollout = rollout_of("catch", steps=1)
    plain, _ = rollout_of("catch", ALL_ON.vary("scale_pixels", False), 1)
    plain.load_state_dict(agent.state_dict())
    inputs = (rollout.observations, rollout.starts, None)
    scaled = plain.run(inputs[0].float() / 255.0, *inputs[1:])[1]
    torch.testing.assert_close(agent.run(*inputs)[1], scaled)
    assert not torch.allclose(plain.run(*inputs)[1], scaled)


def test_a_normal_policy_adds_its_components_or_takes_their_mean() -> None:
    actions, mean = torch.tensor([[0.5, 0.5]]), torch.tensor([[0.0, 1.0]])
    log_std = torch.tensor([1.0, 0.5]).log()
    exact = torch.distributions.Normal(mean, log_std.exp())
    pi = Normal(mean, log_std)
    torch.testing.assert_close(pi.log_probs(actions), exact.log_prob(actions).sum(1))
    torch.testing.assert_close(pi.entropies(), exact.entropy().sum(1))
    assert pi.log_probs(actions).item() == pytest.approx(-1.76973, abs=1e-5)
    wrong = Normal(mean, log_std, is_mean_taken=True)
    torch.testing.assert_close(wrong.log_probs(actions), exact.log_prob(actions).mean(1))
    assert pi.mode() is mean
    assert pi.sample().shape == (1, 2)


def test_the_deviation_is_a_parameter_or_an_output() -> None:
    task = Continuous(3)
    assert n_outputs(task, ALL_ON) == 3
    network = ALL_ON.vary("log_std", "network")
    assert n_outputs(task, network) == 6
    pi = distribution(task, torch.randn(5, 6), None, None, network)
    assert isinstance(pi, Normal)
    assert pi.log_std.shape == (5, 3)
    agent, _ = rollout_of("reacher", ALL_ON.vary("log_std", -3.0), 1)
    assert agent.log_std.tolist() == [-3.0, -3.0]
    steps = ALL_ON.vary("action_distribution", "three fixed steps")
    assert n_outputs(task, steps) == 9
    assert to_take(task, np.array([[0, 1, 2]]), steps).tolist() == [[-1.0, 0.0, 1.0]]
    assert to_take(task, np.array([[-3.0, 0.2, 2.0]]), ALL_ON).tolist() == [[-1.0, 0.2, 1.0]]


def test_factored_and_joint_actions_mean_the_same() -> None:
    task, output = MultiDiscrete((2, 3)), torch.randn(7, 5)
    factored = distribution(task, output, None, None, ALL_ON)
    assert isinstance(factored, Factored)
    sums = output[:, :2].unsqueeze(2) + output[:, 2:].unsqueeze(1)
    config = ALL_ON.vary("factored_actions", False)
    joint = distribution(task, sums.flatten(1), None, None, config)
    assert isinstance(joint, Joint)
    assert n_outputs(task, config) == 6
    actions = torch.stack([torch.arange(7) % 2, torch.arange(7) % 3], dim=1)
    torch.testing.assert_close(factored.log_probs(actions), joint.log_probs(actions))
    torch.testing.assert_close(factored.entropies(), joint.entropies())
    torch.testing.assert_close(factored.mode(), joint.mode())
    assert joint.sample().shape == factored.sample().shape == (7, 2)


def test_masked_actions_are_never_drawn() -> None:
    allowed = torch.tensor([[True, False, True]]).expand(200, 3)
    pi = distribution(Discrete(3), torch.zeros(200, 3), None, allowed, ALL_ON)
    assert set(pi.sample().tolist()) == {0, 2}
    torch.testing.assert_close(pi.entropies(), torch.full((200,), math.log(2)))
    for masking, acting, learning in (
        ("always", True, True), ("only when acting", True, False), ("off", False, False),
    ):  # fmt: skip
        _, rollout = rollout_of("doors", ALL_ON.vary("mask_actions", masking), 50)
        assert (rollout.allowed is not None) == learning
        is_uniform = torch.allclose(rollout.log_probs, torch.tensor(-math.log(40)), atol=0.05)
        assert is_uniform == (not acting)


def test_the_rollout_keeps_the_action_that_was_drawn_or_the_clipped_one() -> None:
    for stored, error in (("unclipped", 0.0), ("clipped", 0.1)):
        config = ALL_ON.vary("stored_action", stored)
        agent, rollout = rollout_of("reacher", config, 32)
        pi = Normal(agent.run(rollout.observations, rollout.starts, None)[0], agent.log_std)
        ratio = (pi.log_probs(rollout.actions.flatten(0, 1)) - rollout.log_probs.flatten()).exp()
        assert ((ratio - 1).abs().mean() > error) or error == 0
        assert error or torch.allclose(ratio, torch.ones_like(ratio), atol=1e-5)
        assert (rollout.actions.abs() <= 1).all() == (stored == "clipped")


def task_of(name: str) -> Any:
    return task_kind(name).make(ALL_ON, np.random.default_rng(0))


def test_observations_are_scaled_and_bounded_as_switched() -> None:
    _, on = rollout_of("reacher-outliers", steps=256)
    _, free = rollout_of("reacher-outliers", ALL_ON.vary("observation_clip", math.inf), steps=256)
    _, off = rollout_of("reacher-outliers", ALL_ON.vary("normalize_observations", False), steps=256)
    assert on.observations.dtype == torch.float32
    assert on.observations.abs().max() == 10 < free.observations.abs().max()
    assert free.observations.abs().max() < off.observations.abs().max()
    assert observation_scale(task_of("cartpole"), ALL_ON) is None


def test_the_scale_of_observations_is_that_of_all_so_far() -> None:
    _, raw = rollout_of("reacher-scale", ALL_ON.vary("normalize_observations", False), steps=1)
    _, scaled = rollout_of("reacher-scale", steps=1)
    first = raw.observations[0]
    variance, mean = torch.var_mean(first, dim=0, correction=0)
    wanted = (first - mean) / (variance + 1e-8).sqrt()  # a feature that is constant stays 0
    torch.testing.assert_close(scaled.observations[0], wanted, rtol=1e-3, atol=1e-3)


def test_rewards_are_scaled_without_a_shift_and_bounded_as_switched() -> None:
    task = task_of("reacher")
    scaler = reward_scale(task, 0.9, ALL_ON)
    assert scaler is not None
    for _ in range(50):
        scaled = scaler(np.full(4, 5.0), np.array([False, True, False, True]))
    assert (scaled > 0).all()
    outlier, many = np.array([-1e6, 0.0, 0.0, 0.0]), np.ones(4, dtype=bool)
    for bound in (1.5, math.inf):
        scaler = reward_scale(task, 0.9, ALL_ON.vary("reward_clip", bound))
        assert scaler is not None
        assert scaler(outlier, many)[0] == pytest.approx(max(-4 / math.sqrt(3), -bound), abs=1e-3)
    assert reward_scale(task, 0.9, ALL_ON.vary("scale_rewards", False)) is None
    assert reward_scale(task_of("cartpole"), 0.9, ALL_ON) is None


def test_the_learner_gets_the_scaled_rewards() -> None:
    bounds = (0.001, math.inf)
    returns = [
        rollout_of("reacher", ALL_ON.vary("reward_clip", bound), steps=64)[1].returns
        for bound in bounds
    ]
    assert returns[0].abs().max() < returns[1].abs().max()


def test_minibatches_cover_all_samples_once_unless_drawn_with_replacement() -> None:
    torch.manual_seed(0)
    orders = sample_orders(12, 4, ALL_ON)
    assert sorted(torch.cat(orders).tolist()) == list(range(12))
    assert [len(order) for order in orders] == [3, 3, 3, 3]
    assert torch.cat(orders).tolist() != torch.cat(sample_orders(12, 4, ALL_ON)).tolist()
    full = sample_orders(12, 4, ALL_ON.vary("minibatches", "full batch"))
    assert [order.tolist() for order in full] == [list(range(12))]
    drawn = sample_orders(1000, 4, ALL_ON.vary("minibatches", "replacement"))
    assert [len(order) for order in drawn] == [250] * 4
    assert 500 < len(set(torch.cat(drawn).tolist())) < 750  # 1 - 1/e of them


def test_sequences_keep_the_order_in_time_and_the_states() -> None:
    agent, rollout = rollout_of("recall", steps=8)
    _, rollout = rollout_of("recall", steps=8)
    for piece in minibatches(rollout, 2, True, ALL_ON):
        output, values, _ = agent.run(piece.observations, piece.starts, piece.state)
        torch.testing.assert_close(values, piece.values)
        assert output.shape == (16, 2)
    torch.manual_seed(1)
    shuffled = ALL_ON.vary("lstm_minibatches", "shuffled steps")
    pieces = list(minibatches(rollout, 2, True, shuffled))
    values = [agent.run(p.observations, p.starts, p.state)[1] - p.values for p in pieces]
    assert torch.cat(values).abs().max() > 1e-4
    assert sorted(torch.cat([p.values for p in pieces]).tolist()) == sorted(
        rollout.values.flatten().tolist()
    )


def test_the_state_before_the_rollout_is_the_stored_one_or_zeros() -> None:
    _, rollout = rollout_of("recall", steps=8)
    rollout = replace(rollout, state=(torch.ones(4, 32), torch.ones(4, 32)))
    for kind, total in (("stored", 64.0), ("zeros", 0.0)):
        config = ALL_ON.vary("rebuilt_state", kind)
        for piece in minibatches(rollout, 2, True, config):
            assert piece.state is not None
            assert piece.state[0].sum() == total


def test_the_state_is_reset_where_an_episode_begins() -> None:
    task = task_kind("recall").make(ALL_ON, np.random.default_rng(0))
    state = (torch.ones(2, 32), torch.ones(2, 32))
    starts = torch.tensor([1.0, 0.0])
    hidden, _ = RecurrentAgent(task, ALL_ON).fresh(state, starts)
    assert hidden[0].sum() == 0
    assert hidden[1].sum() == 32
    kept, _ = RecurrentAgent(task, ALL_ON.vary("reset_state", False)).fresh(state, starts)
    assert kept.sum() == 64
    noisy, _ = RecurrentAgent(task, ALL_ON.vary("lstm_start", "random")).fresh(state, starts)
    assert noisy[0].std() > 0.3
    assert noisy[1].sum() == 32


def test_the_lstm_starts_orthogonal_with_biases_zero() -> None:
    task = task_kind("recall").make(ALL_ON, np.random.default_rng(0))
    lstm = RecurrentAgent(task, ALL_ON).lstm
    torch.testing.assert_close(lstm.weight_hh.T @ lstm.weight_hh, torch.eye(32))
    assert not lstm.bias_hh.any()
    assert not lstm.bias_ih.any()
    assert RecurrentAgent(task, ALL_ON.vary("lstm_initialization", "default")).lstm.bias_hh.any()


def test_workers_share_the_copies_and_one_worker_has_them_all() -> None:
    _, rollout = rollout_of("recall", steps=8)
    assert workers(rollout, 1) == [rollout]
    shares = workers(rollout, 2)
    assert [share.values.shape for share in shares] == [(8, 2), (8, 2)]
    torch.testing.assert_close(torch.cat([s.values for s in shares], dim=1), rollout.values)
    assert shares[1].state is not None
    assert len(shares[1].state[0]) == 2
