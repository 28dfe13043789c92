"""The networks: how they begin, and which shapes the paper's authors and Atari gave them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import TypeVar

import torch
from torch import Tensor, nn

from jupyter_ppo.domain.errors import InvalidInputError
from jupyter_ppo.training.teaching.distributions import Gaussian

_HIDDEN = (64, 64)
Layer = TypeVar("Layer", nn.Linear, nn.Conv2d)


def layer_init(layer: Layer, std: float = math.sqrt(2), bias: float = 0.0) -> Layer:
    """Make the weights of ``layer`` orthogonal with gain ``std``, its biases ``bias``; return it.

    Source: [H] core detail 2; Saxe et al. 2014, "Exact Solutions to the Nonlinear Dynamics of
    Learning in Deep Linear Neural Networks".
    """
    nn.init.orthogonal_(layer.weight, std)
    if layer.bias is not None:
        nn.init.constant_(layer.bias, bias)
    return layer


def mlp(
    widths: Sequence[int],
    last_std: float,
    activation: type[nn.Module] = nn.Tanh,
    *,
    is_orthogonal: bool = True,
) -> nn.Sequential:
    """Return a multilayer perceptron: (B, widths[0]) to (B, widths[-1]).

    Weights are orthogonal with gain sqrt(2), ``last_std`` in the last layer, and biases are 0
    ([H] core detail 2), unless PyTorch's own start is wanted.
    """
    layers: list[nn.Module] = []
    for layer, (width, next_width) in enumerate(pairwise(widths), start=2):
        is_last = layer == len(widths)
        linear = nn.Linear(width, next_width)
        if is_orthogonal:
            layer_init(linear, last_std if is_last else math.sqrt(2))
        layers.append(linear)
        if not is_last:
            layers.append(activation())
    return nn.Sequential(*layers)


class TwoHeads(nn.Module):
    """A policy's logits, (B, A), and values, (B,), of the same observations."""

    def __init__(self, actor: nn.Module, critic: nn.Module, trunk: nn.Module | None = None) -> None:
        super().__init__()
        self.trunk = nn.Identity() if trunk is None else trunk
        self.actor = actor
        self.critic = critic

    def forward(self, observations: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits and values."""
        features = self.trunk(observations)
        return self.actor(features), self.critic(features).squeeze(1)


def build_actor_critic(obs_dim: int, n_actions: int, shared: bool) -> TwoHeads:
    """Return networks of 64-64 tanh for observations (B, obs_dim), with a trunk in common or not.

    The policy's head begins with gain 0.01, the value's with 1. Apart they train better on simple
    tasks. Source: [H] core detail 13, continuous detail 4.
    """
    _check_sizes(obs_dim=obs_dim, n_actions=n_actions)
    if not shared:
        return TwoHeads(mlp((obs_dim, *_HIDDEN, n_actions), 0.01), mlp((obs_dim, *_HIDDEN, 1), 1.0))
    trunk = nn.Sequential(mlp((obs_dim, *_HIDDEN), math.sqrt(2)), nn.Tanh())
    actor, critic = mlp((_HIDDEN[-1], n_actions), 0.01), mlp((_HIDDEN[-1], 1), 1.0)
    return TwoHeads(actor, critic, trunk)


def nature_cnn(n_actions: int) -> TwoHeads:
    """Return the convolutional network for frames (B, 4, 84, 84) float32 within 0 and 1.

    Filters 32 of 8x8 every 4 pixels, 64 of 4x4 every 2, 64 of 3x3, then 512 units, all with ReLU
    and all shared by both heads. Source: Mnih et al. 2015, "Human-Level Control through Deep
    Reinforcement Learning", methods; [H] Atari detail 8.
    """
    _check_sizes(n_actions=n_actions)
    trunk = nn.Sequential(
        layer_init(nn.Conv2d(4, 32, kernel_size=8, stride=4)),
        nn.ReLU(),
        layer_init(nn.Conv2d(32, 64, kernel_size=4, stride=2)),
        nn.ReLU(),
        layer_init(nn.Conv2d(64, 64, kernel_size=3, stride=1)),
        nn.ReLU(),
        nn.Flatten(),
        layer_init(nn.Linear(64 * 7 * 7, 512)),
        nn.ReLU(),
    )
    return TwoHeads(mlp((512, n_actions), 0.01), mlp((512, 1), 1.0), trunk)


class GaussianPolicy(nn.Module):
    """A mean from a network, and a deviation that is the same in every state.

    ``log_std``, (A,), is a parameter that begins with zeros. Source: [H] continuous details 1 to 3.
    """

    def __init__(self, obs_dim: int, n_components: int, hidden: Sequence[int] = _HIDDEN) -> None:
        super().__init__()
        _check_sizes(obs_dim=obs_dim, n_components=n_components)
        self.mean = mlp((obs_dim, *hidden, n_components), 0.01)
        self.log_std = nn.Parameter(torch.zeros(n_components))

    def forward(self, observations: Tensor) -> Gaussian:
        """Return pi(.|s) of observations (B, D)."""
        return Gaussian(self.mean(observations), self.log_std)

    def log_prob(self, observations: Tensor, actions: Tensor) -> Tensor:
        """Return the log density of actions (B, A) at observations (B, D): (B,)."""
        pi: Gaussian = self(observations)
        if actions.shape != pi.mean.shape:
            msg = f"actions: {tuple(actions.shape)} must be {tuple(pi.mean.shape)}, (B, A)."
            raise InvalidInputError(msg, field="actions")
        return pi.log_probs(actions)

    def entropy(self, observations: Tensor) -> Tensor:
        """Return the differential entropy in nats at observations (B, D): (B,)."""
        pi: Gaussian = self(observations)
        return pi.entropies()


def _check_sizes(**sizes: int) -> None:
    for name, size in sizes.items():
        if size < 1:
            msg = f"{name}: {size} is not a size. Use at least 1."
            raise InvalidInputError(msg, field=name)
