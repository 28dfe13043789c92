"""Which samples make up a minibatch ([H] details 6, 35 and 36)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from jupyter_ppo.training.ablation.config import AblationConfig
from jupyter_ppo.training.ablation.networks import State
from jupyter_ppo.training.ablation.rollout import Rollout


@dataclass(frozen=True, slots=True)
class Minibatch:
    """Sequences of samples: (T', n, ...), with the state before the first step.

    Without memory T' is 1, and n is the number of samples.
    """

    observations: Tensor
    starts: Tensor  # (T', n)
    actions: Tensor  # (T' * n, ...): from here on the order in time no longer matters
    allowed: Tensor | None  # (T' * n, A)
    log_probs: Tensor  # (T' * n,), and all below
    values: Tensor
    advantages: Tensor
    returns: Tensor
    state: State | None


def sample_orders(n_samples: int, pieces: int, config: AblationConfig) -> list[Tensor]:
    """Return the indices of an epoch's minibatches, each (n_samples / pieces,) int64.

    "shuffled": every sample once, in a new order. "replacement": drawn anew for each minibatch, so
    that some samples come twice and others never. "full batch": one minibatch of all.
    """
    if config.minibatches == "full batch":
        return [torch.arange(n_samples)]
    if config.minibatches == "replacement":
        size = n_samples // pieces
        return [torch.randint(n_samples, (size,)) for _ in range(pieces)]
    return list(torch.randperm(n_samples).tensor_split(pieces))


def minibatches(
    rollout: Rollout, pieces: int, is_recurrent: bool, config: AblationConfig
) -> Iterator[Minibatch]:
    """Yield the minibatches of one epoch."""
    steps, copies = rollout.log_probs.shape
    if not is_recurrent:
        for order in sample_orders(steps * copies, pieces, config):
            rows = torch.div(order, copies, rounding_mode="floor").unsqueeze(0)
            yield _pick(rollout, rows, (order % copies).unsqueeze(0), None)
        return
    for chosen in torch.randperm(copies).tensor_split(pieces):
        times = torch.arange(steps)
        if config.lstm_minibatches == "shuffled steps":
            times = torch.randperm(steps)
        rows = times.unsqueeze(1).expand(steps, len(chosen))
        yield _pick(rollout, rows, chosen.expand_as(rows), _state_of(rollout, chosen, config))


def workers(rollout: Rollout, count: int) -> list[Rollout]:
    """Return the samples of ``count`` workers, who have an equal share of the copies each."""
    if count == 1:
        return [rollout]
    shares = torch.arange(rollout.log_probs.shape[1]).tensor_split(count)
    return [
        Rollout(
            rollout.observations[:, share],
            rollout.starts[:, share],
            rollout.actions[:, share],
            None if rollout.allowed is None else rollout.allowed[:, share],
            rollout.log_probs[:, share],
            rollout.values[:, share],
            rollout.advantages[:, share],
            rollout.returns[:, share],
            None if rollout.state is None else (rollout.state[0][share], rollout.state[1][share]),
        )
        for share in shares
    ]


def _state_of(rollout: Rollout, chosen: Tensor, config: AblationConfig) -> State | None:
    if rollout.state is None:
        return None
    hidden, cell = rollout.state[0][chosen], rollout.state[1][chosen]
    if config.rebuilt_state == "zeros":
        return torch.zeros_like(hidden), torch.zeros_like(cell)
    return hidden, cell


def _pick(rollout: Rollout, rows: Tensor, columns: Tensor, state: State | None) -> Minibatch:
    """Return the samples at ``rows`` and ``columns``, both (T', n)."""
    place = (rows, columns)
    allowed = rollout.allowed
    return Minibatch(
        rollout.observations[place],
        rollout.starts[place],
        rollout.actions[place].flatten(0, 1),
        None if allowed is None else allowed[place].flatten(0, 1),
        rollout.log_probs[place].flatten(),
        rollout.values[place].flatten(),
        rollout.advantages[place].flatten(),
        rollout.returns[place].flatten(),
        state,
    )
