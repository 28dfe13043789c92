"""Algorithm 1 of the paper: act, then learn from it, again and again."""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Callable, Iterator

import torch
from stable_baselines3.common.vec_env import VecEnv

from jupyter_ppo.domain.errors import InvalidInputError
from jupyter_ppo.domain.run_spec import RunSpec
from jupyter_ppo.domain.training import Metric
from jupyter_ppo.training.environments import make_training_envs
from jupyter_ppo.training.teaching.actor_critic import ActorCritic
from jupyter_ppo.training.teaching.optimizer import Adam
from jupyter_ppo.training.teaching.rollout import Collector
from jupyter_ppo.training.teaching.update import update

#: ``log(step, **metrics)``, as ``RunLog.log`` is; names are those of ``Metric``.
Log = Callable[..., None]


def train_ppo(spec: RunSpec, log: Log | None = None) -> ActorCritic:
    """Train PPO as ``spec`` says and return the networks (Algorithm 1, [S] section 5).

    ``log`` gets every episode and every update at the step where it ended. Evaluations,
    checkpoints and the stop condition of the spec belong to the worker of ``start_run`` and are
    not done here. Seeds PyTorch's generator.

    Raises ``InvalidInputError`` for environments that ``ActorCritic`` does not take, and for
    settings that this short PPO leaves out.
    """
    _check(spec)
    torch.manual_seed(spec.seed)
    envs = make_training_envs(spec, None, spec.seed)
    try:
        with _threads(spec.torch_threads):
            return _train(spec, envs, log)
    finally:
        envs.close()


def _train(spec: RunSpec, envs: VecEnv, log: Log | None) -> ActorCritic:
    policy = ActorCritic(envs.observation_space, envs.action_space, spec)
    optimizer = Adam(policy, spec)
    collector = Collector(envs, spec.n_steps)
    returns: deque[float] = deque(maxlen=100)
    for _ in range(spec.n_updates):
        samples = collector.collect(policy, spec.gamma, spec.gae_lambda)
        step = collector.step
        metrics = update(
            policy,
            optimizer,
            samples,
            spec,
            spec.learning_rate_at(step),
            spec.clip_range_at(step),
        )
        if log is None:
            continue
        for episode in collector.episodes:
            returns.append(episode.episode_return)
            ended = {Metric.RETURN: episode.episode_return, Metric.LENGTH: float(episode.length)}
            log(episode.step, **ended)
        if returns:
            metrics[Metric.MEAN_RETURN] = sum(returns) / len(returns)
        log(step, **metrics)
    return policy


def _check(spec: RunSpec) -> None:
    left_out = {
        "use_sde": spec.use_sde,
        "normalize_observations": spec.normalize_observations,
        "env_sha256": spec.env_sha256 is not None,
    }
    for name, is_wanted in left_out.items():
        if is_wanted:
            msg = f"{name}: train_ppo leaves this out. Unset it, or train with train()."
            raise InvalidInputError(msg, field=name)


@contextlib.contextmanager
def _threads(count: int) -> Iterator[None]:
    """Let PyTorch use ``count`` threads for one operation, and afterwards as many as before."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
