"""What some details change directly, measured without a training."""

from __future__ import annotations

import numpy as np
import torch

from jupyter_ppo.training.ablation.batch_task import Discrete
from jupyter_ppo.training.ablation.config import AblationConfig
from jupyter_ppo.training.ablation.networks import RecurrentAgent
from jupyter_ppo.training.ablation.puzzle_tasks import Recall
from jupyter_ppo.training.teaching.update import approx_kl

_PAIRS = 400  # of policies
_SAMPLES = 256  # of each, as in a minibatch


def kl_error(config: AblationConfig, seed: int) -> float:
    """Return how far an estimate of KL(pi_old || pi) is off: the root of the mean square, in nats.

    400 pairs of policies with 4 actions, logits apart by about 0.1; from 256 samples each, as k1,
    the mean of -log ratio, or k3, the mean of (ratio - 1) - log ratio (Schulman 2020).
    """
    rng = np.random.default_rng(seed)
    logits = torch.from_numpy(rng.normal(size=(_PAIRS, 4)))
    moved = logits + 0.1 * torch.from_numpy(rng.normal(size=(_PAIRS, 4)))
    old, new = torch.log_softmax(logits, dim=1), torch.log_softmax(moved, dim=1)
    exact = (old.exp() * (old - new)).sum(dim=1)
    generator = torch.Generator().manual_seed(seed)
    drawn = old.exp().multinomial(_SAMPLES, replacement=True, generator=generator)
    log_ratios = (new - old).gather(1, drawn)
    if config.kl_estimator == "k1":
        estimates = -log_ratios.mean(dim=1)
    else:
        estimates = torch.stack([approx_kl(row) for row in log_ratios])
    return float((estimates - exact).square().mean().sqrt())


@torch.no_grad()
def state_leak(config: AblationConfig, seed: int) -> float:
    """Return how much of an LSTM's state comes from the episode before, a share of its length.

    The same 6 steps are played once at the beginning and once after 6 steps of another episode, by
    64 copies of a new network. The number is |state after another - state alone| / |state alone|.
    """
    torch.manual_seed(seed)
    steps, copies = 6, 64
    task = Recall(copies, np.random.default_rng(seed))
    assert isinstance(task.actions, Discrete)  # noqa: S101
    agent = RecurrentAgent(task, config)
    before = torch.randn(steps, copies, 3)
    episode = torch.randn(steps, copies, 3)
    starts = torch.zeros(steps, copies)
    starts[0] = 1.0
    _, _, state = agent.run(before, starts, agent.start(copies))
    _, _, after = agent.run(episode, starts, state)
    _, _, alone = agent.run(episode, starts, agent.start(copies))
    assert after is not None and alone is not None  # noqa: S101, PT018
    return float(((after[0] - alone[0]).norm() / alone[0].norm()).item())
