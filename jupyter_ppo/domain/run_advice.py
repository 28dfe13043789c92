"""Choices that work but are probably not meant: the classic mistakes, one sentence each."""

from __future__ import annotations

from jupyter_ppo.domain.hyperparameters import VecEnvKind
from jupyter_ppo.domain.run_spec import RunSpec

_HIGH_LEARNING_RATE = 1e-2
_WIDE_CLIP_RANGE = 0.5


def advice(spec: RunSpec) -> tuple[str, ...]:
    """Return one sentence for each such choice; each begins with the field's name."""
    rollout = spec.rollout_size
    found = []
    if spec.batch_size > rollout:
        found.append(
            f"batch_size: {spec.batch_size} is more than n_envs * n_steps = {rollout}, so every "
            "epoch is one minibatch of the whole rollout."
        )
    elif rollout % spec.batch_size:
        found.append(
            f"batch_size: {spec.batch_size} does not divide n_envs * n_steps = {rollout}, so the "
            f"last minibatch of every epoch is smaller ({rollout % spec.batch_size} samples)."
        )
    if spec.total_steps < rollout:
        found.append(
            f"total_steps: {spec.total_steps} is less than one rollout of {rollout} steps; the run "
            f"takes {spec.planned_steps} steps and makes one update."
        )
    if spec.torch_threads > 1:
        found.append(
            f"torch_threads: {spec.torch_threads} threads are slower than 1 for small networks, "
            "much slower on a busy machine, and give other rounding."
        )
    if spec.learning_rate.start > _HIGH_LEARNING_RATE:
        found.append(
            f"learning_rate: {spec.learning_rate.start:g} is far above the usual 1e-5 to 1e-3; "
            "policies collapse with it."
        )
    if spec.clip_range.start > _WIDE_CLIP_RANGE:
        found.append(f"clip_range: {spec.clip_range.start:g} hardly clips; usual are 0.1 to 0.3.")
    if spec.gamma == 1.0:
        found.append("gamma: with 1 values of long episodes are hard to learn; 0.99 is usual.")
    if spec.eval_every and spec.seed <= spec.eval_seed < spec.seed + spec.n_envs:
        found.append(
            f"eval_seed: {spec.eval_seed} is a seed of training, so evaluations are not held out."
        )
    if 0 < spec.eval_every < rollout:
        found.append(
            f"eval_every: {spec.eval_every} is less than one rollout of {rollout} steps; there is "
            "an evaluation after every update."
        )
    if spec.vec_env is VecEnvKind.NATIVE and spec.n_envs == 1:
        found.append("vec_env: native code gains nothing with one environment.")
    return tuple(found)
