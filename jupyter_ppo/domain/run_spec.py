"""What to train and how: one value that decides a run."""

from __future__ import annotations

import difflib
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from jupyter_ppo.domain.errors import InvalidInputError
from jupyter_ppo.domain.hyperparameters import HYPERPARAMETERS, Activation, VecEnvKind
from jupyter_ppo.domain.schedules import Schedule

_ENV_ID = re.compile(r"(?:[A-Za-z_][\w.]*:)?(?:\w[\w.-]*/)?\w[\w.-]{0,99}")
_DIGEST = re.compile(r"[0-9a-f]{64}")
#: The most bytes of ``env_kwargs`` as JSON.
_KWARGS_BYTES = 16 * 1024
_LEARNING_RATE = Schedule.constant(3e-4)
_CLIP_RANGE = Schedule.constant(0.2)


@dataclass(frozen=True, slots=True)
class RunSpec:
    """Everything that decides a run. Defaults are those of Stable-Baselines3's PPO.

    ``env_id`` is a Gymnasium id; ``module:Name-v0`` imports the module first. For a class of the
    user's own it is that class's name, ``env_sha256`` is the digest of the pickled class in the
    run's folder, and no id is looked up. ``env_kwargs`` go to the environment. Every other field is
    described, with bounds and unit, in ``HYPERPARAMETERS``; whole floats such as ``1e5`` count as
    integers and a number counts as a constant schedule.

    Raises ``InvalidInputError`` that names the field and its range.
    """

    env_id: str = "CartPole-v1"
    env_kwargs: Mapping[str, Any] = field(default_factory=dict)
    env_sha256: str | None = None
    total_steps: int = 100_000
    target_return: float | None = None
    target_evaluations: int = 3
    n_envs: int = 1
    n_steps: int = 2048
    gamma: float = 0.99
    gae_lambda: float = 0.95
    batch_size: int = 64
    n_epochs: int = 10
    learning_rate: Schedule = _LEARNING_RATE
    clip_range: Schedule = _CLIP_RANGE
    clip_range_vf: float | None = None
    normalize_advantage: bool = True
    ent_coef: float = 0.0
    vf_coef: float = 0.5
    max_grad_norm: float = 0.5
    target_kl: float | None = None
    adam_eps: float = 1e-5
    policy_layers: tuple[int, ...] = (64, 64)
    value_layers: tuple[int, ...] = (64, 64)
    activation: Activation = Activation.TANH
    ortho_init: bool = True
    log_std_init: float = 0.0
    use_sde: bool = False
    sde_sample_freq: int = -1
    normalize_observations: bool = False
    normalize_rewards: bool = False
    clip_observations: float = 10.0
    clip_rewards: float = 10.0
    eval_every: int = 0
    eval_episodes: int = 10
    eval_seed: int = 1_000_000
    eval_deterministic: bool = True
    checkpoint_seconds: float = 10.0
    checkpoint_keep: int = 3
    vec_env: VecEnvKind = VecEnvKind.AUTO
    seed: int = 0
    torch_threads: int = 1
    fused_adam: bool = True
    step_timeout: float = 60.0

    def __post_init__(self) -> None:
        if not isinstance(self.env_id, str) or not _ENV_ID.fullmatch(self.env_id):
            msg = (
                f"env_id: {str(self.env_id)[:120]!r} is not the id of an environment. Use a "
                "Gymnasium id such as 'CartPole-v1', or 'module:Name-v0' for one of your own."
            )
            raise InvalidInputError(msg, field="env_id")
        object.__setattr__(self, "env_kwargs", _checked_kwargs(self.env_kwargs))
        digest: Any = self.env_sha256
        if digest is not None and not (isinstance(digest, str) and _DIGEST.fullmatch(digest)):
            msg = "env_sha256: use the SHA-256 of the pickled class as 64 hexadecimal digits."
            raise InvalidInputError(msg, field="env_sha256")
        for name, hyperparameter in HYPERPARAMETERS.items():
            object.__setattr__(self, name, hyperparameter.checked(getattr(self, name)))
        object.__setattr__(self, "activation", Activation(self.activation))
        object.__setattr__(self, "vec_env", VecEnvKind(self.vec_env))
        self._check_together()

    def _check_together(self) -> None:
        if self.rollout_size < 2:
            msg = (
                "n_steps: one step of one environment is too little to learn from. "
                "Make n_steps * n_envs at least 2."
            )
            raise InvalidInputError(msg, field="n_steps")
        if self.target_return is not None and not self.eval_every:
            msg = (
                "target_return: it is compared with evaluations, and eval_every is 0. "
                "Set eval_every to a number of steps."
            )
            raise InvalidInputError(msg, field="target_return")

    @property
    def rollout_size(self) -> int:
        """Samples in one rollout."""
        return self.n_steps * self.n_envs

    @property
    def n_updates(self) -> int:
        """Number of rollouts, each followed by one update."""
        return math.ceil(self.total_steps / self.rollout_size)

    @property
    def planned_steps(self) -> int:
        """``total_steps`` rounded up to whole rollouts: where the run really ends."""
        return self.n_updates * self.rollout_size

    @property
    def normalizes(self) -> bool:
        """Whether running statistics are part of the run."""
        return self.normalize_observations or self.normalize_rewards

    def share_done(self, step: int) -> float:
        """Return the share of updates, for schedules, before the update made after ``step`` steps.

        Update u of U gives ``(u - 1) / U``.
        """
        return max(round(step / self.rollout_size) - 1, 0) / self.n_updates

    def learning_rate_at(self, step: int) -> float:
        """Return the learning rate of the update made after ``step`` environment steps."""
        return self.learning_rate.at(self.share_done(step))

    def clip_range_at(self, step: int) -> float:
        """Return the clip range of the update made after ``step`` environment steps."""
        return self.clip_range.at(self.share_done(step))

    def changed(self, **values: Any) -> RunSpec:
        """Return a spec with other values; raise ``InvalidInputError`` as the constructor does."""
        return self.from_dict({**self.to_dict(), **values})

    def to_dict(self) -> dict[str, Any]:
        """Return plain data, ready for JSON."""
        return {item.name: _plain(getattr(self, item.name)) for item in fields(self)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> RunSpec:
        """Return the spec of ``to_dict``; raise ``InvalidInputError`` for unknown names."""
        known = [item.name for item in fields(cls)]
        for name in data:
            if name not in known:
                near = difflib.get_close_matches(str(name), known, n=1)
                remedy = f"Did you mean {near[0]}?" if near else f"Known are {', '.join(known)}."
                msg = f"{str(name)[:80]}: there is no such hyperparameter. {remedy}"
                raise InvalidInputError(msg, field=str(name)[:80])
        return cls(**data)


def _plain(value: Any) -> Any:
    if isinstance(value, Schedule):
        return value.to_json()
    if isinstance(value, tuple):
        return list(value)
    if isinstance(value, Mapping):
        return dict(value)
    return value.value if isinstance(value, Activation | VecEnvKind) else value


def _checked_kwargs(value: object) -> dict[str, Any]:
    text = ""
    if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
        try:
            text = json.dumps(dict(value), allow_nan=False)
        except (TypeError, ValueError, RecursionError):
            text = ""
    if not text or len(text) > _KWARGS_BYTES:
        msg = (
            "env_kwargs: use a dictionary of names and plain values (numbers, texts, lists) of at "
            f"most {_KWARGS_BYTES // 1024} KiB as JSON."
        )
        raise InvalidInputError(msg, field="env_kwargs")
    plain: dict[str, Any] = json.loads(text)
    return plain
