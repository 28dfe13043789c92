"""Samples of a rollout, evaluated with the policy after the update. Loads torch: only for workers.

Nothing is drawn at random and nothing of the model changes, so a run that is looked at gives the
same bits as one that is not.
"""

from __future__ import annotations

from array import array
from typing import Final

import numpy as np
import torch
from gymnasium import spaces
from stable_baselines3 import PPO

from jupyter_ppo.domain.training import Minibatch
from jupyter_ppo.training.documents import MOST_SAMPLES

#: Bound of log ratios: its exponential and the inverse of that are ordinary float32 numbers.
MOST_LOG_RATIO: Final = 80.0


def minibatch_of(model: PPO, update: int) -> Minibatch | None:
    """Return up to 256 samples, evenly spaced over the rollout that ``model`` has just learnt from.

    Advantages are normalised over these samples where the update normalises them over each
    minibatch. None when an advantage is not finite.
    """
    buffer, policy = model.rollout_buffer, model.policy
    size = buffer.buffer_size * buffer.n_envs
    count = min(size, MOST_SAMPLES)
    # The middles of equal parts. The buffer is flat by now: all steps of the first copy come first.
    samples = buffer._get_samples((np.arange(count) * 2 + 1) * size // (2 * count))
    actions = samples.actions
    if isinstance(model.action_space, spaces.Discrete):
        actions = actions.long().flatten()
    was_training = policy.training
    policy.set_training_mode(False)
    with torch.no_grad():
        log_prob = policy.get_distribution(samples.observations).log_prob(actions)
        log_ratio = (log_prob - samples.old_log_prob).clamp(-MOST_LOG_RATIO, MOST_LOG_RATIO)
        advantages = samples.advantages
        if model.normalize_advantage and count > 1:
            advantages = (advantages - advantages.mean()) / (advantages.std() + 1e-8)
    policy.set_training_mode(was_training)
    if not bool(torch.isfinite(advantages).all()):
        return None
    clip_range = model.clip_range
    return Minibatch(
        step=model.num_timesteps,
        update=update,
        clip_range=float(clip_range(1.0) if callable(clip_range) else clip_range),
        rollout_size=size,
        ratios=array("f", log_ratio.exp().numpy().tobytes()),
        advantages=array("f", advantages.numpy().tobytes()),
    )
