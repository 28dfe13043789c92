from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_ppo.domain.run_spec import RunSpec
from jupyter_ppo.domain.training import Metric
from jupyter_ppo.training.objective import (
    approx_kl_k3,
    clip_gradient_mask,
    clipped_surrogate_loss,
    normalize_advantages,
    squared_value_loss,
    total_loss,
)
from jupyter_ppo.training.teaching.bandits import entropy, softmax
from jupyter_ppo.training.teaching.distributions import categorical_logprob
from jupyter_ppo.training.teaching.gradients import clip_grads, make_optimizer
from jupyter_ppo.training.teaching.optimizer import Adam
from jupyter_ppo.training.teaching.policy_gradient import pg_loss
from jupyter_ppo.training.teaching.update import approx_kl, ppo_loss, update

#: Settings under which every branch of the loss is taken.
SETTINGS = {
    "discrete": {},
    "gaussian": {"env_id": "Pendulum-v1", "log_std_init": -0.5},
    "entropy": {"ent_coef": 0.02, "vf_coef": 0.9},
    "gaussian entropy": {"env_id": "Pendulum-v1", "ent_coef": 0.02},
    "clipped values": {"clip_range_vf": 0.1},
    "advantages as they are": {"normalize_advantage": False},
    "last minibatch smaller": {"batch_size": 48},
    "other clip range": {"clip_range": 0.05, "max_grad_norm": 0.1},
}


@pytest.mark.filterwarnings("ignore:You have specified a mini-batch size of 48")
@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
def test_an_update_moves_the_weights_as_stable_baselines3_does(pair, settings):
    both = pair(**settings)
    spec = both.spec
    samples = both.sb3_rollout()
    np.random.seed(11)  # where SB3 takes the order of its minibatches from
    both.sb3.train()
    random = np.random.RandomState(11)

    metrics = update(
        both.policy,
        Adam(both.policy, spec),
        samples,
        spec,
        learning_rate=spec.learning_rate.start,
        clip_range=spec.clip_range.start,
        order=lambda size: torch.from_numpy(random.permutation(size)),
    )

    for name, weight in both.sb3_weights().items():
        ours = both.policy.state_dict()[name]
        torch.testing.assert_close(ours, weight, rtol=0, atol=1e-6, msg=name)
    logged = both.sb3.logger.name_to_value
    for metric, key in {
        Metric.LOSS: "train/loss",
        Metric.VALUE_LOSS: "train/value_loss",
        Metric.EXPLAINED_VARIANCE: "train/explained_variance",
        Metric.LEARNING_RATE: "train/learning_rate",
        Metric.CLIP_RANGE: "train/clip_range",
        Metric.POLICY_GRADIENT_LOSS: "train/policy_gradient_loss",
    }.items():
        assert metrics[metric] == pytest.approx(logged[key], rel=1e-5, abs=1e-6), metric
    assert metrics[Metric.ENTROPY] == pytest.approx(-logged["train/entropy_loss"], abs=1e-6)
    if spec.batch_size == 32:  # theirs is the mean over minibatches, ours over samples
        assert metrics[Metric.APPROX_KL] == pytest.approx(logged["train/approx_kl"], abs=1e-6)
        clipped = logged["train/clip_fraction"]
        assert metrics[Metric.CLIP_FRACTION] == pytest.approx(clipped, abs=1e-6)
    assert (Metric.ACTION_STD in metrics) == (spec.env_id == "Pendulum-v1")


def test_target_kl_ends_an_update_where_stable_baselines3_ends_it(pair):
    both = pair(target_kl=0.003, learning_rate=3e-3, n_epochs=10)
    samples = both.sb3_rollout()
    np.random.seed(1)
    both.sb3.train()
    random = np.random.RandomState(1)
    epochs = []

    def order(size):
        epochs.append(size)
        return torch.from_numpy(random.permutation(size))

    update(both.policy, Adam(both.policy, both.spec), samples, both.spec, 3e-3, 0.2, order)

    assert 1 <= len(epochs) < 10
    for name, weight in both.sb3_weights().items():
        torch.testing.assert_close(
            both.policy.state_dict()[name], weight, rtol=0, atol=1e-5, msg=name
        )


@settings(max_examples=50, deadline=None)
@given(
    log_ratios=st.lists(st.floats(-3, 3), min_size=2, max_size=20),
    clip_range=st.floats(0.01, 0.9),
    seed=st.integers(0, 1000),
)
def test_the_policy_loss_is_the_formula_of_the_course(log_ratios, clip_range, seed):
    """The network gives any log ratio here, so that both sides of the clipping are met."""
    from jupyter_ppo.training.teaching.rollout import Samples

    random = np.random.default_rng(seed)
    advantages = random.normal(size=len(log_ratios))
    ratio = torch.tensor(log_ratios, dtype=torch.float64)
    column = torch.zeros(len(log_ratios), dtype=torch.float64)

    class Fixed:
        def distribution(self, _observations):
            return self

        def log_probs(self, _actions):
            return ratio

        def entropies(self):
            return column

        def values(self, _observations):
            return column

    batch = Samples(column, column, column, column, torch.from_numpy(advantages), column)
    spec = RunSpec(normalize_advantage=False)

    loss = ppo_loss(Fixed(), batch, clip_range, spec)

    wanted = clipped_surrogate_loss(log_ratios, advantages, clip_range)
    assert loss.policy.item() == pytest.approx(wanted, rel=1e-9, abs=1e-12)
    assert loss.total.item() == loss.policy.item()


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(-5, 5), min_size=1, max_size=20))
def test_approx_kl_is_never_negative_and_zero_without_a_change(log_ratios):
    assert approx_kl(torch.tensor(log_ratios, dtype=torch.float64)).item() >= -1e-12
    assert approx_kl(torch.zeros(3)).item() == 0.0


def test_one_update_of_the_pieces_of_the_course_moves_the_weights_as_sb3_does(pair):
    """The functions of chapters 05 to 08, put together by hand: same weights, same rollout."""
    both = pair()
    spec = both.spec
    samples = both.sb3_rollout()
    np.random.seed(5)
    both.sb3.train()
    random = np.random.RandomState(5)

    policy, size = both.policy, spec.batch_size
    optimizer = make_optimizer(policy.parameters(), spec.learning_rate.start)
    for _ in range(spec.n_epochs):
        order = random.permutation(len(samples))
        for rows in np.split(order, len(samples) // size):
            log_probs = categorical_logprob(
                policy.actor(samples.observations[rows]), samples.actions[rows]
            )
            log_ratio = log_probs - samples.log_probs[rows]
            advantages = normalize_advantages(samples.advantages[rows].numpy())
            mask = clip_gradient_mask(log_ratio.detach().numpy(), advantages, 0.2)
            values = policy.values(samples.observations[rows])
            # The gradient of the clipped objective is that of the unclipped one where it is kept.
            kept = torch.from_numpy(mask * advantages).float()
            loss = pg_loss(log_ratio.exp(), kept)
            loss = loss + spec.vf_coef * (values - samples.returns[rows]).square().mean()
            optimizer.zero_grad()
            loss.backward()
            gradients = [parameter.grad.numpy() for parameter in policy.parameters()]
            clipped, _ = clip_grads(gradients, spec.max_grad_norm)
            for parameter, gradient in zip(policy.parameters(), clipped, strict=True):
                parameter.grad = torch.from_numpy(gradient)
            optimizer.step()

    for name, weight in both.sb3_weights().items():
        torch.testing.assert_close(policy.state_dict()[name], weight, rtol=0, atol=1e-6, msg=name)


@pytest.mark.parametrize("clip_range_vf", [None, 0.1])
def test_the_loss_of_a_minibatch_is_the_course_s_formulas_in_numpy(pair, clip_range_vf):
    both = pair(ent_coef=0.02, clip_range_vf=clip_range_vf)
    spec = both.spec
    batch = both.sb3_rollout()
    with torch.no_grad():  # so that ratios are not 1
        both.policy.actor[-1].weight.add_(torch.randn_like(both.policy.actor[-1].weight))
        both.policy.critic[-1].weight.mul_(2)

    with torch.no_grad():
        loss = ppo_loss(both.policy, batch, 0.2, spec)
        logits, values = (
            both.policy.actor(batch.observations),
            both.policy.values(batch.observations),
        )
    log_ratio = (categorical_logprob(logits, batch.actions) - batch.log_probs).numpy()
    advantages = normalize_advantages(batch.advantages.numpy())
    assert np.abs(np.exp(log_ratio) - 1).max() > 0.2
    policy_loss = clipped_surrogate_loss(log_ratio, advantages, 0.2)
    assert loss.policy.item() == pytest.approx(policy_loss, abs=1e-6)
    entropies = [entropy(softmax(row)) for row in logits.numpy()]
    assert loss.entropy.item() == pytest.approx(np.mean(entropies), abs=1e-6)
    old, returns, found = batch.values.numpy(), batch.returns.numpy(), values.numpy()
    if clip_range_vf is not None:
        found = old + np.clip(found - old, -clip_range_vf, clip_range_vf)
    value_loss = 2 * squared_value_loss(found, returns)  # without the half, as SB3 has it
    assert loss.value.item() == pytest.approx(value_loss, rel=1e-5)
    total = total_loss(policy_loss, value_loss, np.mean(entropies), spec.vf_coef, spec.ent_coef)
    assert loss.total.item() == pytest.approx(total, rel=1e-5)
    assert approx_kl(loss.log_ratio).item() == pytest.approx(approx_kl_k3(log_ratio), abs=1e-6)
