"""Named sets of hyperparameters."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from jupyter_ppo.domain.errors import InvalidInputError
from jupyter_ppo.domain.run_spec import RunSpec


class Preset(StrEnum):
    """Where a run starts from; every value can be changed."""

    SB3_DEFAULTS = "sb3-defaults"
    RL_ZOO = "rl-zoo"
    CARTPOLE_FAST = "cartpole-fast"


#: Solves CartPole-v1 on held-out seeds in about one CPU second: few large minibatches from many
#: environments.
_CARTPOLE_FAST: dict[str, Any] = {
    "env_id": "CartPole-v1",
    "total_steps": 60_000,
    "n_envs": 16,
    "n_steps": 64,
    "batch_size": 256,
    "n_epochs": 10,
    "learning_rate": {"kind": "linear", "start": 2e-3, "end": 0.0},
    "clip_range": 0.2,
    "gae_lambda": 0.9,
    "gamma": 0.98,
    "eval_every": 4096,
    "eval_episodes": 20,
}


def _linear(start: float) -> dict[str, Any]:
    return {"kind": "linear", "start": start, "end": 0.0}


#: Values of RL Baselines3 Zoo, hyperparams/ppo.yml (Raffin 2020), for Gymnasium's environments.
_RL_ZOO: dict[str, dict[str, Any]] = {
    "CartPole-v1": {
        "total_steps": 100_000, "n_envs": 8, "n_steps": 32, "batch_size": 256, "n_epochs": 20,
        "gae_lambda": 0.8, "gamma": 0.98,
        "learning_rate": _linear(1e-3), "clip_range": _linear(0.2),
    },
    "MountainCar-v0": {
        "total_steps": 1_000_000, "n_envs": 16, "n_steps": 16, "n_epochs": 4,
        "gae_lambda": 0.98, "gamma": 0.99,
        "normalize_observations": True, "normalize_rewards": True,
    },
    "MountainCarContinuous-v0": {
        "total_steps": 20_000, "n_envs": 1, "n_steps": 8, "batch_size": 256, "n_epochs": 10,
        "gae_lambda": 0.9, "gamma": 0.9999, "learning_rate": 7.77e-5, "clip_range": 0.1,
        "ent_coef": 0.00429, "vf_coef": 0.19, "max_grad_norm": 5.0, "use_sde": True,
        "log_std_init": -3.29, "ortho_init": False,
        "normalize_observations": True, "normalize_rewards": True,
    },
    "Acrobot-v1": {
        "total_steps": 1_000_000, "n_envs": 16, "n_steps": 256, "n_epochs": 4,
        "gae_lambda": 0.94, "gamma": 0.99,
        "normalize_observations": True, "normalize_rewards": True,
    },
    "Pendulum-v1": {
        "total_steps": 100_000, "n_envs": 4, "n_steps": 1024, "n_epochs": 10,
        "gae_lambda": 0.95, "gamma": 0.9, "learning_rate": 1e-3, "clip_range": 0.2,
        "use_sde": True, "sde_sample_freq": 4,
    },
    "LunarLander-v3": {
        "total_steps": 1_000_000, "n_envs": 16, "n_steps": 1024, "batch_size": 64, "n_epochs": 4,
        "gae_lambda": 0.98, "gamma": 0.999, "ent_coef": 0.01,
    },
    "BipedalWalker-v3": {
        "total_steps": 5_000_000, "n_envs": 32, "n_steps": 2048, "batch_size": 64, "n_epochs": 10,
        "gae_lambda": 0.95, "gamma": 0.999, "clip_range": 0.18,
        "normalize_observations": True, "normalize_rewards": True,
    },
}  # fmt: skip


def default_preset(env_id: str) -> Preset:
    """Return the preset that ``env_id`` is trained with when none is named."""
    return Preset.CARTPOLE_FAST if env_id == "CartPole-v1" else Preset.SB3_DEFAULTS


def preset_values(preset: str, env_id: str | None = None) -> dict[str, Any]:
    """Return what a preset changes of the defaults of ``RunSpec``.

    Raises ``InvalidInputError`` when there is no such preset, or none for this environment.
    """
    try:
        known = Preset(preset)
    except ValueError:
        names = " or ".join(repr(name.value) for name in Preset)
        msg = f"preset: {str(preset)[:80]!r} is not known. Use {names}."
        raise InvalidInputError(msg, field="preset") from None
    match known:
        case Preset.SB3_DEFAULTS:
            return {}
        case Preset.CARTPOLE_FAST:
            return dict(_CARTPOLE_FAST)
        case Preset.RL_ZOO:
            wanted = env_id or "CartPole-v1"
            if wanted not in _RL_ZOO:
                msg = (
                    f"preset: rl-zoo has no values for {wanted[:80]!r}. It has them for "
                    f"{', '.join(_RL_ZOO)}; use 'sb3-defaults' for others."
                )
                raise InvalidInputError(msg, field="preset")
            return {"env_id": wanted, **_RL_ZOO[wanted]}


def spec_from_preset(preset: str, **changes: Any) -> RunSpec:
    """Return a preset with ``changes``; raise ``InvalidInputError`` naming what is wrong."""
    env_id = changes.get("env_id")
    values = preset_values(preset, env_id if isinstance(env_id, str) else None)
    return RunSpec.from_dict({**values, **changes})
