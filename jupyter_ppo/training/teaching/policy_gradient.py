"""What PPO grew out of: REINFORCE, and the actor-critic, each one gradient step."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import gymnasium
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from jupyter_ppo.domain.errors import InvalidInputError
from jupyter_ppo.training.teaching.distributions import Categorical, categorical_logprob
from jupyter_ppo.training.teaching.returns import reward_to_go


def pg_loss(log_probs: Tensor, weights: Tensor) -> Tensor:
    """Return ``-mean(log pi(a|s) * weight)``, a scalar to be minimised; both are (B,).

    Weights are returns or advantages; no gradient flows through them. Source: Williams 1992,
    "Simple Statistical Gradient-Following Algorithms"; Schulman et al. 2017, equation 2.
    """
    if log_probs.ndim != 1 or weights.shape != log_probs.shape or not len(log_probs):
        msg = (
            f"log_probs: log_probs {tuple(log_probs.shape)} and weights {tuple(weights.shape)} "
            "must both be (B,), not empty."
        )
        raise InvalidInputError(msg, field="log_probs")
    return -(log_probs * weights.detach()).mean()


def a2c_update(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    batch: Mapping[str, Tensor],
    vf_coef: float = 0.5,
    ent_coef: float = 0.01,
) -> dict[str, float]:
    """Make one step on policy, value and entropy together; return its terms.

    ``model(observations)`` gives logits (B, A) and values (B,). ``batch`` holds observations (B, D)
    float32, actions (B,) int64, advantages and returns (B,) float32. The terms are policy_loss,
    value_loss (with the half), entropy and loss. Source: Mnih et al. 2016, "Asynchronous Methods
    for Deep Reinforcement Learning", section 4.
    """
    logits, values = model(batch["observations"])
    returns = batch["returns"]
    if values.shape != returns.shape:
        msg = f"returns: {tuple(returns.shape)} must be as the values {tuple(values.shape)}, (B,)."
        raise InvalidInputError(msg, field="returns")
    pi = Categorical(torch.log_softmax(logits, dim=1))
    policy_loss = pg_loss(pi.log_probs(batch["actions"]), batch["advantages"])
    value_loss = 0.5 * nn.functional.mse_loss(values, returns.detach())
    entropy = pi.entropies().mean()
    loss = policy_loss + vf_coef * value_loss - ent_coef * entropy
    optimizer.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    optimizer.step()
    terms = {"policy_loss": policy_loss, "value_loss": value_loss, "entropy": entropy, "loss": loss}
    return {name: term.item() for name, term in terms.items()}


def train_reinforce(
    env: gymnasium.Env[Any, Any],
    choose: Callable[[NDArray[np.float64]], int],
    weights: Tensor,
    n_updates: int,
    n_episodes: int,
    learning_rate: float,
    gamma: float,
) -> tuple[Tensor, list[float]]:
    """Train a linear softmax policy by REINFORCE; return its weights and every episode's return.

    ``weights`` are (D, A) float64: the logits of an observation (D,) are ``observation @ weights``.
    ``choose`` draws an action from the probabilities (A,). An update takes ``n_episodes`` episodes;
    its baseline is the mean of their returns-to-go. Returns are not discounted. Source: Williams
    1992; Sutton and Barto 2018, section 13.4.
    """
    if weights.ndim != 2:
        msg = f"weights: the shape is {tuple(weights.shape)}. It must be (D, A)."
        raise InvalidInputError(msg, field="weights")
    weights = weights.detach().clone().requires_grad_(True)
    optimizer = torch.optim.Adam([weights], lr=learning_rate)
    returns: list[float] = []
    for _ in range(n_updates):
        observations: list[NDArray[np.float64]] = []
        actions: list[int] = []
        rewards: list[float] = []
        ends: list[bool] = []
        for _ in range(n_episodes):
            begin = len(rewards)
            observation, _ = env.reset()
            is_over = False
            while not is_over:
                observations.append(np.asarray(observation, dtype=np.float64))
                with torch.no_grad():
                    logits = torch.from_numpy(observations[-1]) @ weights
                    actions.append(int(choose(torch.softmax(logits, dim=0).numpy())))
                observation, reward, terminated, truncated, _ = env.step(actions[-1])
                is_over = terminated or truncated
                rewards.append(float(reward))
                ends.append(is_over)
            returns.append(sum(rewards[begin:]))
        to_go = torch.from_numpy(reward_to_go(rewards, ends, gamma))
        logits = torch.from_numpy(np.stack(observations)) @ weights
        loss = pg_loss(categorical_logprob(logits, torch.tensor(actions)), to_go - to_go.mean())
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    return weights.detach(), returns
