"""A policy that remembers: the LSTM, its states, and minibatches that keep the order of time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from jupyter_ppo.domain.errors import InvalidInputError

State = tuple[Tensor, Tensor]


class RecurrentCore(nn.Module):
    """An LSTM over T steps of N environments that forgets where an episode begins.

    Its weights begin orthogonal with gain 1, its biases with 0. Source: [H] LSTM details 1 to 3.
    """

    def __init__(self, obs_dim: int, hidden: int) -> None:
        super().__init__()
        for name, size in (("obs_dim", obs_dim), ("hidden", hidden)):
            if size < 1:
                msg = f"{name}: {size} is not a size. Use at least 1."
                raise InvalidInputError(msg, field=name)
        self.lstm = nn.LSTM(obs_dim, hidden)
        for name, parameter in self.lstm.named_parameters():
            if "bias" in name:
                nn.init.zeros_(parameter)
            else:
                nn.init.orthogonal_(parameter, 1.0)

    def initial_state(self, n_envs: int) -> State:
        """Return the state of N environments that remember nothing: h and c, (1, N, H) zeros."""
        shape = (1, n_envs, self.lstm.hidden_size)
        return torch.zeros(shape), torch.zeros(shape)

    def forward(self, x: Tensor, starts: Tensor, state: State) -> tuple[Tensor, State]:
        """Return the outputs, (T, N, H), and the state after the last step.

        ``x`` are observations or features, (T, N, D); ``starts`` are 1 where an observation is the
        first of its episode, (T, N); ``state`` is from before the first step. In training it is the
        one that the rollout began with, so that the states in between are made again by the weights
        of now ([H] LSTM detail 5).
        """
        if x.ndim != 3 or starts.shape != x.shape[:2]:
            msg = f"starts: {tuple(starts.shape)} must be (T, N), x {tuple(x.shape)} (T, N, D)."
            raise InvalidInputError(msg, field="starts")
        h, c = state
        outputs = []
        for step, start in zip(x, starts, strict=True):
            kept = (1.0 - start.to(h.dtype)).reshape(1, -1, 1)
            output, (h, c) = self.lstm(step.unsqueeze(0), (kept * h, kept * c))
            outputs.append(output)
        return torch.cat(outputs), (h, c)


def recurrent_minibatches(
    rng: np.random.Generator, rollout: Mapping[str, NDArray[Any]], envs_per_minibatch: int
) -> list[dict[str, NDArray[Any]]]:
    """Return a rollout, arrays (T, N, ...), in pieces (T, M, ...) of M environments: one epoch.

    All steps stay, in their order; each environment is in exactly one piece. States, (1, N, H), are
    cut likewise. Source: [H] LSTM details 4 and 5.
    """
    counts = {array.shape[1] if array.ndim > 1 else 0 for array in rollout.values()}
    n_envs = counts.pop() if counts else 0
    if counts or not n_envs:
        msg = "rollout: its arrays must be (T, N, ...) with the same N."
        raise InvalidInputError(msg, field="rollout")
    if not 1 <= envs_per_minibatch <= n_envs or n_envs % envs_per_minibatch:
        msg = f"envs_per_minibatch: {envs_per_minibatch} does not divide {n_envs} environments."
        raise InvalidInputError(msg, field="envs_per_minibatch")
    groups = np.split(rng.permutation(n_envs), n_envs // envs_per_minibatch)
    return [{name: array[:, group] for name, array in rollout.items()} for group in groups]
