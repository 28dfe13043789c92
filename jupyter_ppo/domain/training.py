"""Training runs: what to train, how far it is, and what it measured."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from numbers import Real
from typing import Any

from jupyter_ppo.domain.errors import InvalidInputError

_ENV_ID = re.compile(r"(?:[A-Za-z_][\w.]*:)?(?:\w[\w.-]*/)?\w[\w.-]{0,99}")


class RunState(StrEnum):
    """Where a run is. STARTING lasts until torch is loaded and the environments are made."""

    STARTING = "starting"
    RUNNING = "running"
    PAUSED = "paused"
    FINISHED = "finished"
    STOPPED = "stopped"
    FAILED = "failed"

    @property
    def is_final(self) -> bool:
        """Whether the run has ended; nothing changes after that."""
        return self in {RunState.FINISHED, RunState.STOPPED, RunState.FAILED}


class Command(StrEnum):
    """What may be asked of a worker while it trains."""

    PAUSE = "pause"
    RESUME = "resume"
    STOP = "stop"


class Metric(StrEnum):
    """What a worker measures. The first two per episode, the others once per update."""

    RETURN = "return"  # undiscounted sum of an episode's rewards
    LENGTH = "length"  # steps of an episode
    MEAN_RETURN = "mean_return"  # over the last 100 training episodes
    APPROX_KL = "approx_kl"  # nats, estimator (ratio - 1) - log ratio, last epoch
    CLIP_FRACTION = "clip_fraction"  # share of samples with |ratio - 1| > clip_range
    ENTROPY = "entropy"  # nats, mean over samples
    EXPLAINED_VARIANCE = "explained_variance"  # of the returns by the critic, at most 1
    VALUE_LOSS = "value_loss"
    POLICY_GRADIENT_LOSS = "policy_gradient_loss"
    LEARNING_RATE = "learning_rate"
    STEPS_PER_SECOND = "steps_per_second"  # rollout and update, without paused time


class Preset(StrEnum):
    """Named sets of hyperparameters."""

    SB3_DEFAULTS = "sb3-defaults"
    CARTPOLE_FAST = "cartpole-fast"


def _bound(low: float, high: float, unit: str, help_text: str) -> dict[str, Any]:
    return {"low": low, "high": high, "unit": unit, "help": help_text}


#: Bounds, unit and meaning of every number of a RunSpec; the docs' table is made from it.
BOUNDS: dict[str, dict[str, Any]] = {
    "total_steps": _bound(2, 10**9, "steps", "environment steps to train for, all copies together"),
    "n_envs": _bound(1, 1024, "environments", "copies of the environment stepped together"),
    "n_steps": _bound(1, 65536, "steps", "steps per environment in one rollout"),
    "batch_size": _bound(2, 2**20, "samples", "samples in one minibatch"),
    "n_epochs": _bound(1, 1000, "epochs", "passes over each rollout"),
    "learning_rate": _bound(1e-8, 1.0, "per gradient step", "step size of Adam"),
    "gamma": _bound(0.0, 1.0, "per step", "discount factor"),
    "gae_lambda": _bound(0.0, 1.0, "per step", "bias-variance trade-off of the advantages"),
    "clip_range": _bound(1e-4, 10.0, "probability ratio", "how far the ratio may leave 1"),
    "ent_coef": _bound(0.0, 10.0, "weight", "weight of the entropy bonus in the loss"),
    "vf_coef": _bound(0.0, 100.0, "weight", "weight of the value loss"),
    "max_grad_norm": _bound(1e-6, 1e6, "L2 norm", "gradients are scaled down to this norm"),
    "seed": _bound(
        0, 2**32 - 1, "integer", "seed of the environments, the policy and the shuffling"
    ),
}

_INTEGERS = frozenset({"total_steps", "n_envs", "n_steps", "batch_size", "n_epochs", "seed"})


@dataclass(frozen=True, slots=True)
class RunSpec:
    """Everything that decides a run. Defaults are those of Stable-Baselines3's PPO.

    Numbers are checked against ``BOUNDS``; whole floats such as ``1e5`` count as integers.
    ``env_id`` is a Gymnasium id; ``module:Name-v0`` imports the module first. ``anneal_lr`` lowers
    the learning rate linearly from update to update.

    Raises ``InvalidInputError`` that names the field and its range.
    """

    env_id: str = "CartPole-v1"
    total_steps: int = 100_000
    n_envs: int = 1
    n_steps: int = 2048
    batch_size: int = 64
    n_epochs: int = 10
    learning_rate: float = 3e-4
    anneal_lr: bool = False
    gamma: float = 0.99
    gae_lambda: float = 0.95
    clip_range: float = 0.2
    ent_coef: float = 0.0
    vf_coef: float = 0.5
    max_grad_norm: float = 0.5
    seed: int = 0

    def __post_init__(self) -> None:
        if not isinstance(self.env_id, str) or not _ENV_ID.fullmatch(self.env_id):
            msg = (
                f"env_id: {str(self.env_id)[:120]!r} is not the id of an environment. Use a "
                "Gymnasium id such as 'CartPole-v1', or 'module:Name-v0' for one of your own."
            )
            raise InvalidInputError(msg, field="env_id")
        flag: Any = self.anneal_lr
        if not isinstance(flag, bool):
            msg = f"anneal_lr: {flag!r} is neither True nor False."
            raise InvalidInputError(msg, field="anneal_lr")
        for name in BOUNDS:
            object.__setattr__(self, name, _checked_number(name, getattr(self, name)))
        if self.rollout_size < 2:
            msg = (
                "n_steps: one step of one environment is too little to learn from. "
                "Make n_steps * n_envs at least 2."
            )
            raise InvalidInputError(msg, field="n_steps")

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

    def learning_rate_at(self, step: int) -> float:
        """Return the learning rate of the update made after ``step`` environment steps.

        With ``anneal_lr`` update u of U (from 1) uses ``learning_rate * (1 - (u - 1) / U)``, so the
        last update still learns and the rate is never negative (Huang et al. 2022, detail 4).
        """
        if not self.anneal_lr:
            return self.learning_rate
        done = max(round(step / self.rollout_size) - 1, 0)
        return self.learning_rate * max(1 - done / self.n_updates, 0.0)

    def advice(self) -> tuple[str, ...]:
        """Return one sentence for each choice that works but is probably not meant."""
        if not self.rollout_size % self.batch_size:
            return ()
        return (
            f"batch_size: {self.batch_size} does not divide n_envs * n_steps = "
            f"{self.rollout_size}, so the last minibatch of every epoch is smaller "
            f"({self.rollout_size % self.batch_size} samples).",
        )

    def to_dict(self) -> dict[str, Any]:
        """Return plain data, ready for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> RunSpec:
        """Return the spec of ``to_dict``; raise ``InvalidInputError`` for unknown names."""
        known = [item.name for item in fields(cls)]
        for name in data:
            if name not in known:
                near = difflib.get_close_matches(str(name), known, n=1)
                remedy = f"Did you mean {near[0]}?" if near else f"Known are {', '.join(known)}."
                msg = f"{name}: there is no such hyperparameter. {remedy}"
                raise InvalidInputError(msg, field=str(name))
        return cls(**data)

    @classmethod
    def from_preset(cls, preset: str, **changes: Any) -> RunSpec:
        """Return a preset with ``changes``; raise ``InvalidInputError`` if there is none."""
        try:
            values = PRESETS[Preset(preset)]
        except ValueError:
            names = " or ".join(repr(name.value) for name in Preset)
            msg = f"preset: {preset!r} is not known. Use {names}."
            raise InvalidInputError(msg, field="preset") from None
        return cls.from_dict({**values, **changes})


#: What each preset changes of the defaults above. "cartpole-fast" solves CartPole-v1 on held-out
#: seeds in about one CPU second: few large minibatches from many environments.
PRESETS: dict[Preset, dict[str, Any]] = {
    Preset.SB3_DEFAULTS: {},
    Preset.CARTPOLE_FAST: {
        "env_id": "CartPole-v1",
        "total_steps": 60_000,
        "n_envs": 16,
        "n_steps": 64,
        "batch_size": 256,
        "n_epochs": 10,
        "learning_rate": 2e-3,
        "anneal_lr": True,
        "clip_range": 0.2,
        "gae_lambda": 0.9,
        "gamma": 0.98,
    },
}


@dataclass(frozen=True, slots=True)
class MetricPoint:
    """What was measured at one moment: the end of an episode, or one update.

    ``step`` counts environment steps of all copies; ``seconds`` is training time without pauses.
    A value is NaN where it is not defined, such as explained variance of constant returns.
    """

    step: int
    seconds: float
    values: Mapping[Metric, float]


@dataclass(frozen=True, slots=True)
class RunStatus:
    """How far a run is.

    ``seconds`` is training time without start-up and pauses; ``steps_per_second`` is over the whole
    run. ``message`` is one sentence on why the run STOPPED or FAILED, otherwise empty.
    """

    state: RunState
    step: int = 0
    seconds: float = 0.0
    steps_per_second: float = 0.0
    message: str = ""

    def seconds_left(self, spec: RunSpec) -> float | None:
        """Return the expected training time until the end; None while it cannot be told."""
        if self.state.is_final or self.steps_per_second <= 0:
            return None
        return max(spec.planned_steps - self.step, 0) / self.steps_per_second


def _checked_number(name: str, value: Any) -> float | int:
    bound = BOUNDS[name]
    whole = name in _INTEGERS
    number = isinstance(value, Real) and not isinstance(value, bool)
    if (
        not number
        or not bound["low"] <= value <= bound["high"]
        or (whole and float(value) != math.floor(value))
    ):
        kind = "a whole number from" if whole else "a number from"
        msg = (
            f"{name}: {value!r} is not {kind} {bound['low']:g} to {bound['high']:g} "
            f"({bound['help']}; {bound['unit']})."
        )
        raise InvalidInputError(msg, field=name)
    return int(value) if whole else float(value)
