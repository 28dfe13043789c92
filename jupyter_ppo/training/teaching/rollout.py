"""Acting for T steps in N environments, and what each of the T * N actions was worth."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from numpy.typing import NDArray
from stable_baselines3.common.vec_env import VecEnv
from torch import Tensor

from jupyter_ppo.training.objective import compute_gae
from jupyter_ppo.training.teaching.actor_critic import ActorCritic


@dataclass(frozen=True, slots=True)
class Samples:
    """What a policy did, and what it was worth. B is T * N for a rollout, or a minibatch's size."""

    observations: Tensor  # (B, D) float32
    actions: Tensor  # (B,) int64 when discrete, (B, A) float32 when continuous
    log_probs: Tensor  # (B,) float32, nats, log pi_old(a|s)
    values: Tensor  # (B,) float32, V_old(s)
    advantages: Tensor  # (B,) float32, in the unit of the reward
    returns: Tensor  # (B,) float32, advantages + values: what V(s) should have been

    def __len__(self) -> int:
        return len(self.log_probs)

    def minibatches(self, order: Tensor, size: int) -> Iterator[Samples]:
        """Yield the samples in ``order``, (B,) int64, in pieces of ``size``; the last may be less.

        Everything is reordered once and then cut, which copies nothing; picking each minibatch by
        its indices would cost six small copies per minibatch.
        """
        columns = (
            self.observations,
            self.actions,
            self.log_probs,
            self.values,
            self.advantages,
            self.returns,
        )
        pieces = (torch.split(column[order], size) for column in columns)
        for piece in zip(*pieces, strict=True):
            yield Samples(*piece)


@dataclass(frozen=True, slots=True)
class Episode:
    """An episode that ended: after how many steps of training, its return and its length."""

    step: int
    episode_return: float
    length: int


class Collector:
    """Collects rollouts of T = ``n_steps`` steps from N = ``envs.num_envs`` environments.

    Episodes go on from one rollout to the next ([H] detail 1). Memory is taken once and used for
    every rollout, so samples hold until the next ``collect``.
    """

    def __init__(self, envs: VecEnv, n_steps: int) -> None:
        t, n = n_steps, envs.num_envs
        d = math.prod(envs.observation_space.shape or ())
        space = envs.action_space
        self.step = 0  # environment steps so far, all copies together
        self.episodes: list[Episode] = []  # that ended in the last rollout
        self._envs = envs
        # One row more than steps: the observation after the last step, whose value GAE needs.
        self._observations = np.zeros((t + 1, n, d), np.float32)
        # 1 where an observation is the first of an episode.
        self._starts = np.zeros((t + 1, n), np.float32)
        self._rewards = np.zeros((t, n), np.float32)
        self._bounds: tuple[NDArray[Any], NDArray[Any]] | None = None
        self._actions: NDArray[Any] = np.zeros((t, n), np.int64)
        if isinstance(space, spaces.Box):
            self._bounds = (space.low, space.high)
            self._actions = np.zeros((t, n, math.prod(space.shape)), np.float32)
        # The last row is where the next rollout begins.
        self._observations[-1] = np.asarray(envs.reset()).reshape(n, d)
        self._starts[-1] = 1.0

    def collect(self, policy: ActorCritic, gamma: float, gae_lambda: float) -> Samples:
        """Return T steps of every environment, with advantages and returns (lines 3 and 4 of
        Algorithm 1, [S] section 5).

        In the loop only the actor is asked, and only for actions. The weights stay as they are
        until the update, so values and log probabilities of all T * N samples can follow in one
        large batch afterwards, which costs less than T small ones.
        """
        self.episodes = []
        cut_off: list[tuple[int, int, NDArray[Any]]] = []
        self._observations[0], self._starts[0] = self._observations[-1], self._starts[-1]
        for t in range(len(self._rewards)):
            self._actions[t] = policy.act(self._observations[t])
            observations, rewards, dones, infos = self._envs.step(self._to_take(t))
            # Where an episode ended, this is the first observation of the next one already.
            self._observations[t + 1] = np.asarray(observations).reshape(
                self._observations[t].shape
            )
            self._starts[t + 1] = dones
            self._rewards[t] = rewards
            self.step += len(dones)
            for i in np.flatnonzero(dones):  # mostly none
                info = infos[i]
                if "episode" in info:
                    ended = info["episode"]
                    self.episodes.append(Episode(self.step, float(ended["r"]), int(ended["l"])))
                if info.get("TimeLimit.truncated", False):
                    cut_off.append((t, int(i), info["terminal_observation"]))
        return self._samples(policy, cut_off, gamma, gae_lambda)

    def _to_take(self, t: int) -> NDArray[Any]:
        """Return the actions of step ``t`` as the environments take them.

        A Gaussian has no bounds but an action space has. What is beyond them is cut off for the
        environment only ([H] continuous detail 5): the sample keeps the action that was drawn,
        because pi is the density of that one.
        """
        drawn: NDArray[Any] = self._actions[t]
        if self._bounds is None:
            return drawn
        low, high = self._bounds
        bounded: NDArray[Any] = np.clip(drawn.reshape(-1, *low.shape), low, high)
        return bounded

    @torch.no_grad()
    def _samples(
        self,
        policy: ActorCritic,
        cut_off: list[tuple[int, int, NDArray[Any]]],
        gamma: float,
        gae_lambda: float,
    ) -> Samples:
        """Return the rollout as samples; ``cut_off`` are step, environment and last observation of
        episodes that a time limit ended."""
        shape = self._starts.shape  # (T + 1, N)
        observations = torch.from_numpy(self._observations).flatten(0, 1)
        values = policy.values(observations).numpy().reshape(shape)
        if cut_off:
            # The task has no time limit: the pole would have stayed up. The rewards that were not
            # seen count as V of the observation at which it was cut off (Pardo et al. 2018, "Time
            # Limits in Reinforcement Learning", section 3).
            steps, copies, last = (list(column) for column in zip(*cut_off, strict=True))
            flat = np.stack(last).astype(np.float32).reshape(len(last), -1)
            self._rewards[steps, copies] += gamma * policy.values(torch.from_numpy(flat)).numpy()
        advantages, returns = compute_gae(
            self._rewards,
            values[:-1],
            self._starts[:-1],
            values[-1],
            self._starts[-1],
            gamma,
            gae_lambda,
        )
        acted_on = observations[: self._rewards.size]
        actions = torch.from_numpy(self._actions).flatten(0, 1)
        return Samples(
            observations=acted_on,
            actions=actions,
            log_probs=policy.distribution(acted_on).log_probs(actions),
            values=_column(values[:-1]),
            advantages=_column(advantages),
            returns=_column(returns),
        )


def _column(array: NDArray[Any]) -> Tensor:
    """Return (T, N) numbers as (T * N,) float32."""
    return torch.from_numpy(array.astype(np.float32).reshape(-1))
