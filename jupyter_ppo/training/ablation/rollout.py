"""T steps in N copies, as the switches say."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from jupyter_ppo.training.ablation.batch_task import Array, BatchTask, Continuous
from jupyter_ppo.training.ablation.config import AblationConfig
from jupyter_ppo.training.ablation.distributions import distribution, to_take
from jupyter_ppo.training.ablation.networks import Agent, RecurrentAgent, State
from jupyter_ppo.training.objective import compute_gae
from jupyter_ppo.training.teaching.normalizing import RewardScaler, RunningNormalizer


@dataclass(frozen=True, slots=True)
class Rollout:
    """What was done, by step and copy. ``state`` is that before the first step."""

    observations: Tensor  # (T, N, ...)
    starts: Tensor  # (T, N) float32, 1 where the observation begins an episode
    actions: Tensor  # (T, N) int64, (T, N, K) int64 or (T, N, A) float32: what is learned from
    allowed: Tensor | None  # (T, N, A) bool
    log_probs: Tensor  # (T, N) float32
    values: Tensor  # (T, N) float32
    advantages: Tensor  # (T, N) float32
    returns: Tensor  # (T, N) float32
    state: State | None


def observation_scale(task: BatchTask, config: AblationConfig) -> RunningNormalizer | None:
    """Return what observations are normalised with ([H] continuous details 6 and 7), if they are.

    It is for tasks with continuous actions only, as in the official code; rewards likewise.
    """
    if not (isinstance(task.actions, Continuous) and config.normalize_observations):
        return None
    return RunningNormalizer(task.observation_shape, config.observation_clip)


def reward_scale(task: BatchTask, gamma: float, config: AblationConfig) -> RewardScaler | None:
    """Return what rewards are scaled with ([H] continuous details 8 and 9), if they are.

    The bound is one for scaled rewards: without scaling there is none.
    """
    if not (isinstance(task.actions, Continuous) and config.scale_rewards):
        return None
    return RewardScaler(task.n_envs, gamma, config.reward_clip)


class Collector:
    """Acts, and goes on in the next rollout where it stopped in this one ([H] detail 1)."""

    def __init__(
        self,
        task: BatchTask,
        agent: Agent | RecurrentAgent,
        config: AblationConfig,
        n_steps: int,
        gamma: float,
    ) -> None:
        self._task, self._agent, self._config = task, agent, config
        self._n_steps, self._gamma = n_steps, gamma
        self._state = agent.start(task.n_envs)
        self._normalize = observation_scale(task, config)
        self._scale = reward_scale(task, gamma, config)
        self._observations = self._seen(task.reset())
        self._starts = np.ones(task.n_envs, dtype=np.float32)

    @torch.no_grad()
    def collect(self) -> Rollout:
        """Return the next T steps."""
        task, config = self._task, self._config
        first_state = self._state
        columns: list[list[Tensor]] = [[] for _ in range(6)]
        rewards = np.zeros((self._n_steps, task.n_envs))
        for t in range(self._n_steps):
            observations = torch.from_numpy(self._observations)
            starts = torch.from_numpy(self._starts)
            allowed = self._allowed()
            output, values, self._state = self._agent.run(
                observations.unsqueeze(0), starts.unsqueeze(0), self._state
            )
            pi = distribution(task.actions, output, self._agent.log_std, allowed, config)
            drawn = pi.sample()
            taken = to_take(task.actions, drawn.numpy(), config)
            stored = torch.from_numpy(taken) if config.stored_action == "clipped" else drawn
            row = [observations, starts, stored, pi.log_probs(drawn), values]
            for column, item in zip(columns, row, strict=False):
                column.append(item)
            if allowed is not None:
                columns[5].append(allowed)
            step = task.step(taken)
            gained = step.rewards
            rewards[t] = self._scale(gained, step.dones) if self._scale else gained
            self._observations = self._seen(step.observations)
            self._starts = step.dones.astype(np.float32)
        stacked = [torch.stack(column) if column else None for column in columns]
        return self._finish(stacked, rewards, first_state)

    def _finish(
        self, columns: list[Tensor | None], rewards: Array, first_state: State | None
    ) -> Rollout:
        observations, starts, actions, log_probs, values, allowed = columns
        assert observations is not None  # noqa: S101  (a rollout has steps)
        assert starts is not None and actions is not None  # noqa: S101, PT018
        assert log_probs is not None and values is not None  # noqa: S101, PT018
        _, last_values, _ = self._agent.run(
            torch.from_numpy(self._observations).unsqueeze(0),
            torch.from_numpy(self._starts).unsqueeze(0),
            self._state,
        )
        advantages, returns = compute_gae(
            rewards,
            values.numpy(),
            starts.numpy(),
            last_values.numpy(),
            self._starts,
            self._gamma,
            self._config.gae_lambda,
        )
        return Rollout(
            observations,
            starts,
            actions,
            allowed if self._config.mask_actions == "always" else None,
            log_probs,
            values,
            torch.from_numpy(advantages).float(),
            torch.from_numpy(returns).float(),
            first_state,
        )

    def _allowed(self) -> Tensor | None:
        if self._config.mask_actions == "off":
            return None
        allowed = self._task.allowed()
        return None if allowed is None else torch.from_numpy(allowed)

    def _seen(self, observations: Array) -> Array:
        if self._normalize is None:
            return observations
        self._normalize.update(observations)
        return self._normalize(observations).astype(np.float32)
