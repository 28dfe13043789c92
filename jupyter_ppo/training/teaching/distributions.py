"""pi(.|s) for a batch of observations: its log probabilities, its entropy, and draws from it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn, Protocol

import torch
from torch import Tensor

from jupyter_ppo.domain.errors import InvalidInputError

_LOG_SQRT_2_PI = 0.5 * math.log(2 * math.pi)


class Distribution(Protocol):
    """pi(.|s) for each of B observations.

    Those below are written out instead of taken from ``torch.distributions``, which checks its
    arguments at every call; that costs as much as a layer of the network.
    """

    def log_probs(self, actions: Tensor) -> Tensor:
        """Return log pi(a|s) in nats: (B,) float32."""

    def entropies(self) -> Tensor:
        """Return the entropy of pi(.|s) in nats: (B,) float32."""

    def sample(self) -> Tensor:
        """Return actions drawn from pi(.|s)."""

    def mode(self) -> Tensor:
        """Return the most likely actions."""


@dataclass(frozen=True, slots=True)
class Categorical:
    """Discrete actions: (B,) int64, from 0."""

    log_pi: Tensor  # (B, number of actions) float32, nats; log pi(a|s) of every action

    def log_probs(self, actions: Tensor) -> Tensor:
        """Return log pi(a|s), (B,)."""
        return self.log_pi.gather(1, actions.unsqueeze(1)).squeeze(1)

    def entropies(self) -> Tensor:
        """Return - sum over a of pi(a|s) log pi(a|s), (B,)."""
        return -(self.log_pi.exp() * self.log_pi).sum(dim=1)

    def sample(self) -> Tensor:
        """Return (B,) int64."""
        # For one draw, replacement changes nothing; with it PyTorch takes the faster way.
        return self.log_pi.exp().multinomial(1, replacement=True).squeeze(1)

    def mode(self) -> Tensor:
        """Return (B,) int64."""
        return self.log_pi.argmax(dim=1)


@dataclass(frozen=True, slots=True)
class Gaussian:
    """Continuous actions: (B, A) float32, in the environment's unit, without bounds.

    The components are independent, so that their densities multiply: logarithms and entropies
    are sums over A ([H] continuous detail 3).
    """

    mean: Tensor  # (B, A) float32
    log_std: Tensor  # (A,) float32, the same in every state ([H] continuous detail 2)

    def log_probs(self, actions: Tensor) -> Tensor:
        """Return the log density, (B,)."""
        return self.component_log_probs(actions).sum(dim=1)

    def component_log_probs(self, actions: Tensor) -> Tensor:
        """Return the log density of each component, (B, A)."""
        z = (actions - self.mean) / self.log_std.exp()
        return -0.5 * z.square() - self.log_std - _LOG_SQRT_2_PI

    def entropies(self) -> Tensor:
        """Return the differential entropy, (B,); it depends on the deviation only."""
        return self.component_entropies().sum().expand(len(self.mean))

    def component_entropies(self) -> Tensor:
        """Return the differential entropy of each component, shaped like ``log_std``."""
        return 0.5 + _LOG_SQRT_2_PI + self.log_std

    def sample(self) -> Tensor:
        """Return (B, A) float32."""
        return torch.normal(self.mean, self.log_std.exp().expand_as(self.mean))

    def mode(self) -> Tensor:
        """Return (B, A) float32."""
        return self.mean


def categorical_logprob(logits: Tensor, actions: Tensor) -> Tensor:
    """Return log pi(a|s), (B,), of logits (B, A) and actions (B,) int64.

    Source: Sutton and Barto 2018, "Reinforcement Learning", equation 13.2.
    """
    if logits.ndim != 2 or actions.shape != logits.shape[:1]:
        _refuse("actions", actions, "(B,) for logits (B, A)", logits)
    _check_actions(actions, logits.shape[1])
    return Categorical(torch.log_softmax(logits, dim=1)).log_probs(actions.long())


def multidiscrete_logprob(logits: Tensor, nvec: Sequence[int], actions: Tensor) -> Tensor:
    """Return log pi(a|s), (B,), of K independent choices: the sum of their logarithms.

    ``nvec`` are the numbers of actions of the K components; ``logits`` are (B, sum of nvec), one
    component after the other; ``actions`` are (B, K) int64. Source: [H] the MultiDiscrete detail.
    """
    if logits.ndim != 2 or logits.shape[1] != sum(nvec):
        _refuse("logits", logits, f"(B, {sum(nvec)}) for nvec {tuple(nvec)}")
    if actions.shape != (len(logits), len(nvec)):
        _refuse("actions", actions, f"(B, {len(nvec)}) for logits (B, {sum(nvec)})", logits)
    parts = torch.split(logits, list(nvec), dim=1)
    columns = actions.unbind(dim=1)
    log_probs = [
        categorical_logprob(part, column) for part, column in zip(parts, columns, strict=True)
    ]
    return torch.stack(log_probs).sum(dim=0)


def gaussian_logprob(actions: Tensor, mean: Tensor, log_std: Tensor) -> Tensor:
    """Return the log density, (B,), of actions (B, A) under independent Gaussians.

    ``mean`` is (B, A), ``log_std`` (A,) or (B, A). Source: [H] continuous details 1 to 3.
    """
    if actions.ndim != 2 or mean.shape != actions.shape:
        _refuse("actions", actions, "(B, A), as mean is", mean)
    if log_std.shape not in {actions.shape, actions.shape[1:]}:
        _refuse("log_std", log_std, "(A,) or (B, A) for actions (B, A)", actions)
    return Gaussian(mean, log_std).log_probs(actions)


def act_clip_store(
    mean: Tensor, log_std: Tensor, low: Tensor, high: Tensor, noise: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the action to take, the action to store, and the log density of the latter, (B,).

    The drawn action is ``mean + std * noise``, with ``noise`` (B, A) from a standard normal. The
    environment gets it cut off at ``low`` and ``high``, (A,); stored is what was drawn, because pi
    is the density of that one. Source: [H] continuous detail 5.
    """
    if mean.ndim != 2 or noise.shape != mean.shape:
        _refuse("noise", noise, "(B, A), as mean is", mean)
    drawn = mean + log_std.exp() * noise
    return drawn.clamp(low, high), drawn, gaussian_logprob(drawn, mean, log_std)


def _check_actions(actions: Tensor, n_actions: int) -> None:
    is_number = not (actions.is_floating_point() or actions.dtype == torch.bool)
    if not is_number or bool(((actions < 0) | (actions >= n_actions)).any()):
        msg = f"actions: they are whole numbers from 0 to {n_actions - 1}."
        raise InvalidInputError(msg, field="actions")


def _refuse(field: str, found: Tensor, wanted: str, other: Tensor | None = None) -> NoReturn:
    beside = "" if other is None else f"; the other is {tuple(other.shape)}"
    msg = f"{field}: the shape is {tuple(found.shape)}. It must be {wanted}{beside}."
    raise InvalidInputError(msg, field=field)
