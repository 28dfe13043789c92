"""The clipped objective, and K epochs of gradient steps on it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from jupyter_ppo.domain.run_spec import RunSpec
from jupyter_ppo.domain.training import Metric
from jupyter_ppo.training.objective import explained_variance
from jupyter_ppo.training.teaching.actor_critic import ActorCritic
from jupyter_ppo.training.teaching.optimizer import Adam
from jupyter_ppo.training.teaching.rollout import Samples


@dataclass(frozen=True, slots=True)
class Loss:
    """The loss of one minibatch and its terms: scalars, float32."""

    total: Tensor  # to be minimised; the others are shown only, without their gradients
    policy: Tensor  # -L^CLIP, [S] equation 7
    value: Tensor  # L^VF, [S] equation 9; the reward's unit, squared
    entropy: Tensor  # S, [S] equation 9; nats
    log_ratio: Tensor  # (B,) float32, log pi(a|s) - log pi_old(a|s), nats


def ppo_loss(policy: ActorCritic, batch: Samples, clip_range: float, spec: RunSpec) -> Loss:
    """Return ``-L^CLIP + c1 * L^VF - c2 * S`` of a minibatch ([S] equation 9, negated).

    ``clip_range`` is epsilon; c1 is ``spec.vf_coef`` and c2 is ``spec.ent_coef``.
    """
    pi = policy.distribution(batch.observations)
    values = policy.values(batch.observations)

    advantages = batch.advantages
    if spec.normalize_advantage and len(batch) > 1:  # one number has no standard deviation
        # Per minibatch ([H] detail 7): the policy's loss then has no unit.
        deviation, mean = torch.std_mean(advantages)
        advantages = (advantages - mean) / (deviation + 1e-8)

    # L^CLIP, [S] equation 7. The minimum makes it a lower bound: a ratio that has left
    # [1 - epsilon, 1 + epsilon] in the direction that looks better gets no gradient any more.
    log_ratio = pi.log_probs(batch.actions) - batch.log_probs
    ratio = log_ratio.exp()
    clipped = ratio.clamp(1 - clip_range, 1 + clip_range)
    policy_loss = -torch.min(ratio * advantages, clipped * advantages).mean()

    if spec.clip_range_vf is not None:  # [H] detail 9
        change = (values - batch.values).clamp(-spec.clip_range_vf, spec.clip_range_vf)
        values = batch.values + change
    value_loss = nn.functional.mse_loss(values, batch.returns)

    has_bonus = spec.ent_coef > 0
    with torch.set_grad_enabled(has_bonus):  # without the bonus the entropy is shown only
        entropy = pi.entropies().mean()
    total = policy_loss + spec.vf_coef * value_loss
    if has_bonus:
        total = total - spec.ent_coef * entropy
    return Loss(
        total, policy_loss.detach(), value_loss.detach(), entropy.detach(), log_ratio.detach()
    )


def approx_kl(log_ratio: Tensor) -> Tensor:
    """Return an estimate of KL(pi_old || pi) in nats from (B,) log ratios: a scalar.

    ``mean((ratio - 1) - log ratio)``: unbiased as ``mean(-log ratio)`` is, never negative, and of
    less variance (Schulman 2020, "Approximating KL Divergence", estimator k3).
    """
    return (log_ratio.exp() - 1 - log_ratio).mean()


def update(
    policy: ActorCritic,
    optimizer: Adam,
    samples: Samples,
    spec: RunSpec,
    learning_rate: float,
    clip_range: float,
    order: Callable[[int], Tensor] = torch.randperm,
) -> dict[str, float]:
    """Optimise the objective for K epochs in minibatches of M samples (line 6 of Algorithm 1, [S]
    section 5), and return the metrics of this update by their names in ``Metric``.

    K is ``spec.n_epochs`` and M is ``spec.batch_size``. ``order(B)`` gives the order of the samples
    in an epoch, (B,) int64. When ``spec.target_kl`` is set, the update ends before the gradient
    step at which ``approx_kl`` is over 1.5 times that.
    """
    losses: list[Loss] = []
    epoch_began = 0  # where in ``losses``
    is_too_far = False
    for _ in range(spec.n_epochs):
        epoch_began = len(losses)
        for batch in samples.minibatches(order(len(samples)), spec.batch_size):
            loss = ppo_loss(policy, batch, clip_range, spec)
            losses.append(loss)
            if spec.target_kl is not None:
                is_too_far = approx_kl(loss.log_ratio).item() > 1.5 * spec.target_kl
            if is_too_far:
                break
            optimizer.step(loss.total, learning_rate)
        if is_too_far:
            break
    return _metrics(policy, samples, losses, losses[epoch_began:], learning_rate, clip_range)


@torch.no_grad()
def _metrics(
    policy: ActorCritic,
    samples: Samples,
    losses: list[Loss],
    last_epoch: list[Loss],
    learning_rate: float,
    clip_range: float,
) -> dict[str, float]:
    """Return what to show of an update. Once per update: in the loop above it would cost a tenth
    of the time."""
    log_ratio = torch.cat([loss.log_ratio for loss in losses])
    is_clipped = (log_ratio.exp() - 1).abs() > clip_range
    metrics: dict[str, float] = {
        Metric.APPROX_KL: approx_kl(torch.cat([loss.log_ratio for loss in last_epoch])).item(),
        Metric.CLIP_FRACTION: is_clipped.float().mean().item(),
        Metric.ENTROPY: torch.stack([loss.entropy for loss in losses]).mean().item(),
        Metric.VALUE_LOSS: torch.stack([loss.value for loss in losses]).mean().item(),
        Metric.POLICY_GRADIENT_LOSS: torch.stack([loss.policy for loss in losses]).mean().item(),
        Metric.LOSS: losses[-1].total.item(),
        Metric.EXPLAINED_VARIANCE: explained_variance(
            samples.returns.numpy(), samples.values.numpy()
        ),
        Metric.LEARNING_RATE: learning_rate,
        Metric.CLIP_RANGE: clip_range,
    }
    if policy.log_std is not None:
        metrics[Metric.ACTION_STD] = policy.log_std.exp().mean().item()
    return metrics
