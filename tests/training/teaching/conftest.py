"""Stable-Baselines3's PPO with the same settings and weights, to compare with."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import torch
from stable_baselines3 import PPO
from stable_baselines3.common.vec_env import VecEnv

from jupyter_ppo.domain.run_spec import RunSpec
from jupyter_ppo.training.environments import make_training_envs
from jupyter_ppo.training.teaching.actor_critic import ActorCritic
from jupyter_ppo.training.teaching.rollout import Samples

_LAYERS = {
    "actor.0": "mlp_extractor.policy_net.0",
    "actor.2": "mlp_extractor.policy_net.2",
    "actor.4": "action_net",
    "critic.0": "mlp_extractor.value_net.0",
    "critic.2": "mlp_extractor.value_net.2",
    "critic.4": "value_net",
}


class Pair:
    """A PPO of SB3's and an actor and critic of ours with equal weights; each has environments."""

    def __init__(self, spec: RunSpec) -> None:
        torch.manual_seed(spec.seed)
        self.spec = spec
        self.envs: VecEnv = make_training_envs(spec, None, spec.seed)
        self.sb3 = PPO(
            "MlpPolicy",
            make_training_envs(spec, None, spec.seed),
            learning_rate=spec.learning_rate.start,
            n_steps=spec.n_steps,
            batch_size=spec.batch_size,
            n_epochs=spec.n_epochs,
            gamma=spec.gamma,
            gae_lambda=spec.gae_lambda,
            clip_range=spec.clip_range.start,
            clip_range_vf=spec.clip_range_vf,
            normalize_advantage=spec.normalize_advantage,
            ent_coef=spec.ent_coef,
            vf_coef=spec.vf_coef,
            max_grad_norm=spec.max_grad_norm,
            target_kl=spec.target_kl,
            device="cpu",
        )
        _, self._callback = self.sb3._setup_learn(spec.total_steps)
        self.policy = ActorCritic(self.envs.observation_space, self.envs.action_space, spec)
        self.policy.load_state_dict(self.sb3_weights())

    def sb3_weights(self) -> dict[str, torch.Tensor]:
        """SB3's weights under our names."""
        theirs = self.sb3.policy.state_dict()
        weights = {
            f"{ours}.{kind}": theirs[f"{name}.{kind}"].clone()
            for ours, name in _LAYERS.items()
            for kind in ("weight", "bias")
        }
        if "log_std" in theirs:
            weights["log_std"] = theirs["log_std"].clone()
        return weights

    def sb3_rollout(self) -> Samples:
        """Let SB3 collect a rollout; return its samples, all steps of copy 0 first."""
        model = self.sb3
        assert model.env is not None
        model.collect_rollouts(
            model.env, self._callback, model.rollout_buffer, n_rollout_steps=self.spec.n_steps
        )
        buffer = model.rollout_buffer

        def flat(array: object) -> torch.Tensor:
            return torch.as_tensor(array).transpose(0, 1).flatten(0, 1).clone()

        actions = flat(buffer.actions)
        if self.policy.log_std is None:
            actions = actions.squeeze(1).long()
        return Samples(
            flat(buffer.observations).flatten(1),
            actions,
            flat(buffer.log_probs),
            flat(buffer.values),
            flat(buffer.advantages),
            flat(buffer.returns),
        )

    def close(self) -> None:
        self.envs.close()
        assert self.sb3.env is not None
        self.sb3.env.close()


@pytest.fixture
def pair() -> Iterator[Callable[..., Pair]]:
    pairs: list[Pair] = []

    def make(**settings: object) -> Pair:
        values = {"n_envs": 4, "n_steps": 32, "batch_size": 32, "n_epochs": 2, "seed": 3}
        pairs.append(Pair(RunSpec.from_dict({**values, **settings})))
        return pairs[-1]

    yield make
    for one in pairs:
        one.close()
