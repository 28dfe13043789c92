"""Stable-Baselines3's PPO as a spec wants it. Loads torch: only workers import this module."""

from __future__ import annotations

import warnings
from typing import IO, Any

import torch
from gymnasium import spaces
from stable_baselines3 import PPO
from stable_baselines3.common.logger import Logger
from stable_baselines3.common.policies import (
    ActorCriticCnnPolicy,
    ActorCriticPolicy,
    MultiInputActorCriticPolicy,
)
from stable_baselines3.common.preprocessing import is_image_space, is_image_space_channels_first
from stable_baselines3.common.utils import FloatSchedule
from stable_baselines3.common.vec_env import VecEnv, VecTransposeImage
from torch import nn

from jupyter_ppo.domain.errors import InvalidInputError
from jupyter_ppo.domain.hyperparameters import Activation
from jupyter_ppo.domain.run_spec import RunSpec
from jupyter_ppo.training.quick_start import leave_compiler_alone

_ACTIVATIONS: dict[Activation, type[nn.Module]] = {
    Activation.TANH: nn.Tanh,
    Activation.RELU: nn.ReLU,
    Activation.ELU: nn.ELU,
    Activation.GELU: nn.GELU,
}


class CurrentValue:
    """A schedule of SB3 whose value is set before each update.

    SB3 computes schedules from the share of steps done, which is 1/U too far (see
    ``RunSpec.share_done``) and wrong after a run is extended.
    """

    def __init__(self, value: float) -> None:
        self.value = value

    def __call__(self, _progress_remaining: float) -> float:
        return self.value


def build_model(spec: RunSpec, envs: VecEnv) -> PPO:
    """Return a new model; all generators are seeded as SB3 does it.

    Raises ``InvalidInputError`` when the spec does not suit the environment.
    """
    if spec.use_sde and not isinstance(envs.action_space, spaces.Box):
        msg = "use_sde: this environment's actions are not continuous. Set use_sde to False."
        raise InvalidInputError(msg, field="use_sde")
    leave_compiler_alone()
    with warnings.catch_warnings():
        # The advice on a spec says it already, before the run.
        warnings.filterwarnings("ignore", message="You have specified a mini-batch size")
        model = PPO(
            _policy_class(envs.observation_space),
            envs,
            learning_rate=spec.learning_rate.at(0),
            n_steps=spec.n_steps,
            batch_size=spec.batch_size,
            n_epochs=spec.n_epochs,
            gamma=spec.gamma,
            gae_lambda=spec.gae_lambda,
            clip_range=spec.clip_range.at(0),
            clip_range_vf=spec.clip_range_vf,
            normalize_advantage=spec.normalize_advantage,
            ent_coef=spec.ent_coef,
            vf_coef=spec.vf_coef,
            max_grad_norm=spec.max_grad_norm,
            use_sde=spec.use_sde,
            sde_sample_freq=spec.sde_sample_freq,
            target_kl=spec.target_kl,
            policy_kwargs=_policy_arguments(spec),
            seed=spec.seed,
            device="cpu",
        )
    model.set_logger(Logger(None, []))
    return model


def build_policy(
    spec: RunSpec, observations: spaces.Space[Any], actions: spaces.Space[Any]
) -> ActorCriticPolicy:
    """Return a new policy for these spaces, to load weights.pt into; needs no environment."""
    if _is_channels_last(observations):
        observations = VecTransposeImage.transpose_space(observations)  # type: ignore[arg-type]
    return _policy_class(observations)(
        observations,
        actions,
        lambda _: spec.learning_rate.at(0),
        use_sde=spec.use_sde,
        **_policy_arguments(spec),
    )


def set_schedules(model: PPO, learning_rate: float, clip_range: float) -> None:
    """Set what the next update uses."""
    model.lr_schedule = CurrentValue(learning_rate)
    model.clip_range = CurrentValue(clip_range)


def save_model(model: PPO, file: IO[bytes]) -> None:
    """Write the model as SB3 does, with plain numbers for our schedules.

    ``PPO.load`` then needs nothing of this package.
    """
    rate, clip = model.lr_schedule, model.clip_range
    plain = float(rate(0.0))
    model.learning_rate = plain
    model.lr_schedule = FloatSchedule(plain)
    model.clip_range = FloatSchedule(float(clip(0.0)) if callable(clip) else clip)
    try:
        model.save(file)  # type: ignore[arg-type]
    finally:
        model.lr_schedule, model.clip_range = rate, clip


def _policy_arguments(spec: RunSpec) -> dict[str, Any]:
    optimizer: dict[str, Any] = {"eps": spec.adam_eps}
    if spec.fused_adam:
        optimizer["fused"] = True
    return {
        "net_arch": {"pi": list(spec.policy_layers), "vf": list(spec.value_layers)},
        "activation_fn": _ACTIVATIONS[spec.activation],
        "ortho_init": spec.ortho_init,
        "log_std_init": spec.log_std_init,
        "optimizer_class": torch.optim.Adam,
        "optimizer_kwargs": optimizer,
    }


def _policy_class(observations: spaces.Space[Any]) -> type[ActorCriticPolicy]:
    if isinstance(observations, spaces.Dict):
        return MultiInputActorCriticPolicy
    return ActorCriticCnnPolicy if is_image_space(observations) else ActorCriticPolicy


def _is_channels_last(observations: spaces.Space[Any]) -> bool:
    parts = (
        list(observations.spaces.values())
        if isinstance(observations, spaces.Dict)
        else [observations]
    )
    return any(
        is_image_space(part) and not is_image_space_channels_first(part)  # type: ignore[arg-type]
        for part in parts
    )
