"""PPO with switches: collect, learn, and keep what the ablations measure."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
import torch
from torch import nn

from jupyter_ppo.domain.errors import InvalidInputError
from jupyter_ppo.domain.run_spec import RunSpec
from jupyter_ppo.training.ablation.batch_task import BatchTask
from jupyter_ppo.training.ablation.config import AblationConfig
from jupyter_ppo.training.ablation.distributions import distribution
from jupyter_ppo.training.ablation.loss import Loss, normalized, total_loss
from jupyter_ppo.training.ablation.minibatches import Minibatch, minibatches, workers
from jupyter_ppo.training.ablation.networks import Agent, RecurrentAgent
from jupyter_ppo.training.ablation.rollout import Collector, Rollout
from jupyter_ppo.training.ablation.tasks import task_kind
from jupyter_ppo.training.teaching.optimizer import Adam
from jupyter_ppo.training.teaching.update import approx_kl

#: What is measured in every update.
MEAN_SCORE: Final = "mean score"  # of the last 20 episodes
RATIO_ERROR: Final = "ratio error"  # mean of |ratio - 1| in the first minibatch, before any step
UPDATE_KL: Final = "update kl"  # from before the update to after it
SCORE_EPISODES: Final = 20


@dataclass(frozen=True, slots=True)
class Setting:
    """What is the same in all variants of an experiment."""

    task: str  # of ``tasks``
    steps: int = 20_480  # decisions in all copies together
    rollout: int = 512  # samples of an update: T = rollout / n_envs
    epochs: int = 4
    pieces: int = 4  # minibatches in an epoch
    learning_rate: float = 2.5e-3
    gamma: float = 0.99
    width: int = 64
    is_recurrent: bool = False


@dataclass(slots=True)
class History:
    """What was measured: a list of (step, value) for each name above."""

    points: dict[str, list[tuple[int, float]]] = field(default_factory=dict)
    is_diverged: bool = False  # a number became NaN or infinite; the training ended there

    def add(self, name: str, step: int, value: float) -> None:
        """Keep one number."""
        self.points.setdefault(name, []).append((step, value))


def train(config: AblationConfig, setting: Setting, seed: int) -> tuple[History, nn.Module]:
    """Train once and return what was measured, and the agent. Seeds PyTorch's generator.

    Raises ``InvalidInputError`` when ``rollout`` does not divide by ``n_envs``.
    """
    if setting.rollout % config.n_envs:
        msg = f"n_envs: {config.n_envs} does not divide the {setting.rollout} samples of a rollout."
        raise InvalidInputError(msg, field="n_envs")
    torch.manual_seed(seed)
    task = task_kind(setting.task).make(config, np.random.default_rng(seed))
    agent = make_agent(task, config, setting)
    collector = Collector(task, agent, config, setting.rollout // config.n_envs, setting.gamma)
    optimizer = Adam(agent, optimizer_spec(config))
    history, scores = History(), deque[float](maxlen=SCORE_EPISODES)
    n_updates = setting.steps // setting.rollout
    for update in range(n_updates):
        left = 1 - update / n_updates  # 1 in the first update
        rate = setting.learning_rate * (left if config.anneal_learning_rate else 1.0)
        clip_range = config.clip_range * (left if config.anneal_clip_range else 1.0)
        rollout = collector.collect()
        step = (update + 1) * setting.rollout
        scores.extend(task.pop_scores())
        if scores:
            history.add(MEAN_SCORE, step, float(np.mean(scores)))
        learner = Learner(task, agent, optimizer, config, setting, rate, clip_range)
        learner.learn(rollout, step, history)
        if history.is_diverged:
            break
    return history, agent


def optimizer_spec(config: AblationConfig) -> RunSpec:
    """Return what the optimizer needs to know; a bound that no gradient reaches is none."""
    bound = min(config.max_grad_norm, LARGEST)
    return RunSpec(env_id="CartPole-v1", adam_eps=config.adam_epsilon, max_grad_norm=bound)


def make_agent(task: BatchTask, config: AblationConfig, setting: Setting) -> Agent | RecurrentAgent:
    """Return new networks for a task."""
    if setting.is_recurrent:
        return RecurrentAgent(task, config)
    return Agent(task, config, setting.width)


@dataclass(frozen=True, slots=True)
class Learner:
    """The update."""

    task: BatchTask
    agent: Agent | RecurrentAgent
    optimizer: Adam
    config: AblationConfig
    setting: Setting
    learning_rate: float  # both as annealed for this update
    clip_range: float

    def learn(self, rollout: Rollout, step: int, history: History) -> None:
        """Take K epochs of gradient steps, and keep what is measured."""
        config = self.config
        if config.normalize_advantages == "batch":
            advantages = normalized(rollout.advantages.flatten())
            rollout = replace(rollout, advantages=advantages.view_as(rollout.advantages))
        is_first = True
        for _ in range(self.setting.epochs):
            shares = [
                minibatches(share, self.setting.pieces, self.agent.is_recurrent, config)
                for share in workers(rollout, config.n_workers)
            ]
            for pieces in zip(*shares, strict=True):
                losses = [self.loss(piece) for piece in pieces]
                log_ratio = torch.cat([loss.log_ratio for loss in losses])
                if is_first:
                    error = (log_ratio.exp() - 1).abs().mean().item()
                    history.add(RATIO_ERROR, step, _finite(error))
                    is_first = False
                if config.target_kl and approx_kl(log_ratio).item() > 1.5 * config.target_kl:
                    self._finish(rollout, step, history)
                    return
                # The gradient of a mean is the mean of the gradients: what workers who send their
                # gradients to each other would step down ([H], auxiliary: parallel update).
                mean = torch.stack([loss.total for loss in losses]).mean()
                self.optimizer.step(mean, self.learning_rate)
        self._finish(rollout, step, history)

    def loss(self, piece: Minibatch) -> Loss:
        """Return the loss of one minibatch."""
        output, values, _ = self.agent.run(piece.observations, piece.starts, piece.state)
        pi = distribution(self.task.actions, output, self.agent.log_std, piece.allowed, self.config)
        return total_loss(
            pi.log_probs(piece.actions) - piece.log_probs,
            pi.entropies(),
            values,
            piece.values,
            piece.advantages,
            piece.returns,
            self.clip_range,
            self.config,
        )

    @torch.no_grad()
    def _finish(self, rollout: Rollout, step: int, history: History) -> None:
        """Measure how far the policy went, and whether all is finite."""
        losses = [
            self.loss(piece)
            for piece in minibatches(rollout, 1, self.agent.is_recurrent, _IN_ORDER)
        ]
        kl = approx_kl(torch.cat([loss.log_ratio for loss in losses])).item()
        is_finite = all(parameter.isfinite().all() for parameter in self.agent.parameters())
        history.is_diverged = not is_finite
        history.add(UPDATE_KL, step, _finite(kl))


#: For measuring: all samples at once, with the order and the states of the rollout.
_IN_ORDER: Final = AblationConfig(minibatches="full batch")

#: The largest number that is kept; what is over it, also an infinite one, counts as it.
LARGEST: Final = 1e6


def _finite(value: float) -> float:
    return LARGEST if math.isnan(value) else min(value, LARGEST)


def summary(history: History, name: str, *, last: int = 1) -> float | None:
    """Return the mean of the last measurements of a name; None after a divergence, or of none."""
    points: list[Any] = history.points.get(name, [])
    if history.is_diverged or not points:
        return None
    return float(np.mean([value for _, value in points[-last:]]))
