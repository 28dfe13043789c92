"""pi(.|s) for every kind of action, from the output of the policy's network."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from jupyter_ppo.training.ablation.batch_task import Actions, Array, Continuous, Discrete
from jupyter_ppo.training.ablation.config import AblationConfig
from jupyter_ppo.training.teaching.distributions import Categorical, Distribution, Gaussian

_FIXED_STEPS = 3  # -1, 0 and 1


@dataclass(frozen=True, slots=True)
class Normal(Gaussian):
    """Independent normal components; ``log_std`` may depend on the state: (A,) or (B, A)."""

    is_mean_taken: bool = False  # the mistake: the mean over the components instead of the sum

    def log_probs(self, actions: Tensor) -> Tensor:
        """Return the log density, (B,)."""
        return self._reduce(self.component_log_probs(actions))

    def entropies(self) -> Tensor:
        """Return the differential entropy, (B,)."""
        return self._reduce(self.component_entropies().expand_as(self.mean))

    def _reduce(self, components: Tensor) -> Tensor:
        return components.mean(dim=1) if self.is_mean_taken else components.sum(dim=1)


@dataclass(frozen=True, slots=True)
class Factored:
    """One categorical distribution for each of K components ([H] detail 37): (B, K) int64."""

    parts: tuple[Categorical, ...]

    def log_probs(self, actions: Tensor) -> Tensor:
        """Return the sum over the components, (B,)."""
        columns = actions.long().unbind(dim=1)
        terms = [part.log_probs(a) for part, a in zip(self.parts, columns, strict=True)]
        return torch.stack(terms).sum(dim=0)

    def entropies(self) -> Tensor:
        """Return the sum over the components, (B,)."""
        return torch.stack([part.entropies() for part in self.parts]).sum(dim=0)

    def sample(self) -> Tensor:
        """Return (B, K) int64."""
        return torch.stack([part.sample() for part in self.parts], dim=1)

    def mode(self) -> Tensor:
        """Return (B, K) int64."""
        return torch.stack([part.mode() for part in self.parts], dim=1)


@dataclass(frozen=True, slots=True)
class Joint:
    """One categorical distribution over all combinations of K components: (B, K) int64."""

    table: Categorical
    sizes: tuple[int, ...]

    def log_probs(self, actions: Tensor) -> Tensor:
        """Return log pi(a|s), (B,)."""
        index = torch.zeros(len(actions), dtype=torch.int64)
        for size, column in zip(self.sizes, actions.long().unbind(dim=1), strict=True):
            index = index * size + column
        return self.table.log_probs(index)

    def entropies(self) -> Tensor:
        """Return the entropy, (B,)."""
        return self.table.entropies()

    def sample(self) -> Tensor:
        """Return (B, K) int64."""
        return self._columns(self.table.sample())

    def mode(self) -> Tensor:
        """Return (B, K) int64."""
        return self._columns(self.table.mode())

    def _columns(self, index: Tensor) -> Tensor:
        columns = []
        for size in reversed(self.sizes):
            columns.append(index % size)
            index = index // size
        return torch.stack(columns[::-1], dim=1)


def n_outputs(actions: Actions, config: AblationConfig) -> int:
    """Return how many numbers the policy's network must give."""
    match actions:
        case Discrete(n):
            return n
        case Continuous(n):
            if config.action_distribution == "three fixed steps":
                return _FIXED_STEPS * n
            return 2 * n if config.log_std == "network" else n
        case _:
            return sum(actions.sizes) if config.factored_actions else math.prod(actions.sizes)


def distribution(
    actions: Actions,
    output: Tensor,
    log_std: Tensor | None,
    allowed: Tensor | None,
    config: AblationConfig,
) -> Distribution:
    """Return pi(.|s).

    ``output`` is (B, n_outputs); ``log_std`` (A,) is the learned parameter, when there is one;
    ``allowed`` (B, A) bool takes away the other actions: their logits become -1e8, as in Huang and
    Ontanon 2022, "A Closer Look at Invalid Action Masking", arXiv:2006.14171.
    """
    match actions:
        case Discrete():
            if allowed is not None:
                output = torch.where(allowed, output, torch.full_like(output, -1e8))
            return Categorical(torch.log_softmax(output, dim=1))
        case Continuous(n):
            if config.action_distribution == "three fixed steps":
                return _factored(output, (_FIXED_STEPS,) * n)
            is_mean_taken = config.log_prob_reduction == "mean"
            if log_std is None:
                return Normal(output[:, :n], output[:, n:].clamp(-5.0, 2.0), is_mean_taken)
            return Normal(output, log_std, is_mean_taken)
        case _:
            if config.factored_actions:
                return _factored(output, actions.sizes)
            return Joint(Categorical(torch.log_softmax(output, dim=1)), actions.sizes)


def to_take(actions: Actions, drawn: Array, config: AblationConfig) -> Array:
    """Return what the environment gets: numbers between -1 and 1 where actions are continuous."""
    if not isinstance(actions, Continuous):
        return drawn
    if config.action_distribution == "three fixed steps":
        return drawn - 1.0
    return drawn.clip(-1.0, 1.0)


def _factored(output: Tensor, sizes: tuple[int, ...]) -> Factored:
    logits = torch.split(output, list(sizes), dim=1)
    return Factored(tuple(Categorical(torch.log_softmax(part, dim=1)) for part in logits))
