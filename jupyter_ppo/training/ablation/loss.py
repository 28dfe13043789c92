"""The loss of a minibatch, term by term, as the switches say."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from jupyter_ppo.training.ablation.config import AblationConfig

VALUE_COEF = 0.5


def normalized(advantages: Tensor) -> Tensor:
    """Return (B,) numbers with mean 0 and deviation 1 (of samples: divided by B - 1)."""
    if len(advantages) < 2:
        return advantages
    deviation, mean = torch.std_mean(advantages)
    return (advantages - mean) / (deviation + 1e-8)


def policy_loss(log_ratio: Tensor, advantages: Tensor, clip_range: float) -> Tensor:
    """Return minus the clipped surrogate (Schulman et al. 2017, equation 7), a scalar.

    An infinite ``clip_range`` leaves the ratio as it is.
    """
    ratio = log_ratio.exp()
    if math.isinf(clip_range):
        return -(ratio * advantages).mean()
    clipped = ratio.clamp(1 - clip_range, 1 + clip_range)
    return -torch.min(ratio * advantages, clipped * advantages).mean()


def value_loss(values: Tensor, old_values: Tensor, returns: Tensor, clip: float | None) -> Tensor:
    """Return half the mean squared error, or of each sample the larger of that with the change of
    the value bounded and that without ([H] detail 9)."""
    plain = (values - returns).square()
    if clip is None:
        return 0.5 * plain.mean()
    bounded = old_values + (values - old_values).clamp(-clip, clip)
    return 0.5 * torch.max(plain, (bounded - returns).square()).mean()


@dataclass(frozen=True, slots=True)
class Loss:
    """The loss that is minimised, and what the diagnostics need."""

    total: Tensor
    log_ratio: Tensor  # (B,)
    entropy: Tensor


def total_loss(
    log_ratio: Tensor,
    entropies: Tensor,
    values: Tensor,
    old_values: Tensor,
    advantages: Tensor,
    returns: Tensor,
    clip_range: float,
    config: AblationConfig,
) -> Loss:
    """Return policy loss + c1 * value loss - c2 * entropy; every array is (B,)."""
    if config.normalize_advantages == "minibatch":
        advantages = normalized(advantages)
    clip = None
    if config.clip_value_loss:
        clip = clip_range if math.isfinite(clip_range) else 0.2
    entropy = entropies.mean()
    total = (
        policy_loss(log_ratio, advantages, clip_range)
        + VALUE_COEF * value_loss(values, old_values, returns, clip)
        - config.entropy_coef * entropy
    )
    return Loss(total, log_ratio.detach(), entropy.detach())
