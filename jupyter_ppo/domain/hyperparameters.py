"""Every number and choice of a run: bounds, unit, meaning, source. Docs and forms use it.

Sources: [S] Schulman et al. 2017, "Proximal Policy Optimization Algorithms", arXiv:1707.06347;
[G] Schulman et al. 2016, "High-Dimensional Continuous Control Using Generalized Advantage
Estimation", arXiv:1506.02438; [H] Huang et al. 2022, "The 37 Implementation Details of Proximal
Policy Optimization"; [R] Raffin et al. 2021, "Smooth Exploration for Robotic Reinforcement
Learning", arXiv:2005.05719.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from numbers import Real
from typing import Any, NoReturn

from jupyter_ppo.domain.errors import InvalidInputError
from jupyter_ppo.domain.schedules import Schedule


class Group(StrEnum):
    """What a setting of a run is about; forms and tables are divided by it."""

    LENGTH = "length"
    ROLLOUT = "rollout"
    UPDATE = "update"
    NETWORK = "network"
    NORMALISATION = "normalisation"
    EVALUATION = "evaluation"
    CHECKPOINTS = "checkpoints"
    MACHINE = "machine"


class Kind(StrEnum):
    """What values a setting takes."""

    NUMBER = "number"
    WHOLE = "whole"
    FLAG = "flag"
    SCHEDULE = "schedule"  # a number or a schedule
    LAYERS = "layers"  # a tuple of widths
    CHOICE = "choice"


class Activation(StrEnum):
    """Activation functions between layers."""

    TANH = "tanh"
    RELU = "relu"
    ELU = "elu"
    GELU = "gelu"


class VecEnvKind(StrEnum):
    """How the copies of an environment are stepped together."""

    AUTO = "auto"  # native where that is exact, else dummy
    DUMMY = "dummy"  # one after another in the worker
    NATIVE = "native"  # the environment's own vectorised code


@dataclass(frozen=True, slots=True)
class Hyperparameter:
    """One setting: its bounds (inclusive), unit, and meaning in one line.

    ``can_be_none``: None switches it off. ``is_live``: it may be changed while the run goes on.
    """

    name: str
    group: Group
    kind: Kind
    low: float
    high: float
    unit: str
    meaning: str
    source: str = ""
    can_be_none: bool = False
    is_live: bool = False
    choices: tuple[str, ...] = ()

    @property
    def span(self) -> str:
        """The bounds in words, with every digit: ``2 to 1048576``."""
        return f"{_digits(self.low)} to {_digits(self.high)}"

    def checked(self, value: Any) -> Any:
        """Return ``value`` in its own type; raise ``InvalidInputError`` with the range."""
        if value is None and self.can_be_none:
            return None
        match self.kind:
            case Kind.FLAG:
                if not isinstance(value, bool):
                    self._refuse(value, "neither True nor False")
                return value
            case Kind.CHOICE:
                if value not in self.choices:
                    self._refuse(value, f"not one of {', '.join(self.choices)}")
                return value
            case Kind.LAYERS:
                return self._layers(value)
            case Kind.SCHEDULE:
                schedule = Schedule.from_value(value, self.name)
                for number in (schedule.start, schedule.end):
                    # A schedule may end in 0, below what a constant may be.
                    if not (number == 0 and not schedule.is_constant):
                        self._number(number)
                if schedule.start == 0:
                    self._refuse(0, f"not a start from {self.span}")
                return schedule
            case _:
                return self._number(value)

    def _number(self, value: Any) -> float | int:
        whole = self.kind is Kind.WHOLE
        is_number = isinstance(value, Real) and not isinstance(value, bool)
        kind = "whole number" if whole else "number"
        if not is_number:
            self._refuse(value, f"not a {kind} from {self.span}")
        if not self.low <= value <= self.high:  # also infinity, and what is not a number
            self._refuse(value, f"out of range: use {self.span}")
        if whole and value != math.floor(value):
            self._refuse(value, f"not a {kind} from {self.span}")
        return int(value) if whole else float(value)

    def _layers(self, value: Any) -> tuple[int, ...]:
        if isinstance(value, str) or not isinstance(value, Iterable):
            self._refuse(value, "not a list of widths, such as [64, 64]")
        widths = list(value)
        if len(widths) > 8 or not all(
            isinstance(width, int)
            and not isinstance(width, bool)
            and self.low <= width <= self.high
            for width in widths
        ):
            self._refuse(value, f"not at most 8 whole numbers from {self.span}")
        return tuple(widths)

    def _refuse(self, value: Any, why: str) -> NoReturn:
        about = f"{self.meaning}; {self.unit}" if self.unit else self.meaning
        off = " None switches it off." if self.can_be_none else ""
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        shown = str(value)[:80]
        shown = shown.removesuffix(".0") if is_number else repr(shown)
        msg = f"{self.name}: {shown} is {why} ({about}).{off}"
        raise InvalidInputError(msg, field=self.name)


def _digits(number: float) -> str:
    is_long = abs(number) < 1e12 and number == int(number)
    return f"{number:.0f}" if is_long else f"{number:g}"


def _number(  # one line per setting below
    name: str,
    group: Group,
    low: float,
    high: float,
    unit: str,
    meaning: str,
    *rest: Any,
    **more: Any,
) -> Hyperparameter:
    return Hyperparameter(name, group, Kind.NUMBER, low, high, unit, meaning, *rest, **more)


def _whole(
    name: str,
    group: Group,
    low: float,
    high: float,
    unit: str,
    meaning: str,
    *rest: Any,
    **more: Any,
) -> Hyperparameter:
    return Hyperparameter(name, group, Kind.WHOLE, low, high, unit, meaning, *rest, **more)


def _flag(name: str, group: Group, meaning: str, source: str = "") -> Hyperparameter:
    return Hyperparameter(name, group, Kind.FLAG, 0, 1, "", meaning, source)


def _schedule(
    name: str, low: float, high: float, unit: str, meaning: str, source: str, **more: Any
) -> Hyperparameter:
    kind = Kind.SCHEDULE
    return Hyperparameter(name, Group.UPDATE, kind, low, high, unit, meaning, source, **more)


def _choice(name: str, group: Group, kinds: type[StrEnum], meaning: str) -> Hyperparameter:
    choices = tuple(kind.value for kind in kinds)
    return Hyperparameter(name, group, Kind.CHOICE, 0, 0, "", meaning, choices=choices)


def _layers(name: str, meaning: str) -> Hyperparameter:
    return Hyperparameter(name, Group.NETWORK, Kind.LAYERS, 1, 4096, "units", meaning)


# fmt: off
_TABLE: tuple[Hyperparameter, ...] = (
    _whole("total_steps", Group.LENGTH, 2, 10**9, "steps",
           "environment steps to train for, all copies together"),
    _number("target_return", Group.LENGTH, -1e12, 1e12, "reward per episode",
            "stop when the mean return of an evaluation reaches this", can_be_none=True),
    _whole("target_evaluations", Group.LENGTH, 1, 100, "evaluations",
           "evaluations in a row that must reach target_return"),
    _whole("n_envs", Group.ROLLOUT, 1, 1024, "environments",
           "copies of the environment stepped together", "[H] detail 1"),
    _whole("n_steps", Group.ROLLOUT, 1, 65536, "steps",
           "steps of each copy in one rollout, T in the paper", "[S] section 5"),
    _number("gamma", Group.ROLLOUT, 0.0, 1.0, "per step", "discount factor", "[G] section 2"),
    _number("gae_lambda", Group.ROLLOUT, 0.0, 1.0, "per step",
            "lambda of GAE: bias against variance of the advantages", "[G] equation 16"),
    _whole("batch_size", Group.UPDATE, 2, 2**20, "samples",
           "samples in one minibatch, M in the paper", "[S] section 5"),
    _whole("n_epochs", Group.UPDATE, 1, 1000, "epochs",
           "passes over each rollout, K in the paper", "[S] section 5"),
    _schedule("learning_rate", 1e-8, 1.0, "per gradient step", "step size of Adam",
              "[S] table 3; [H] detail 4", is_live=True),
    _schedule("clip_range", 1e-4, 10.0, "probability ratio",
              "epsilon: how far the ratio may leave 1", "[S] equation 7", is_live=True),
    _number("clip_range_vf", Group.UPDATE, 1e-4, 1e6, "return",
            "how far a value may move from the one of the rollout", "[H] detail 9",
            can_be_none=True),
    _flag("normalize_advantage", Group.UPDATE,
          "advantages of a minibatch get mean 0 and standard deviation 1", "[H] detail 7"),
    _number("ent_coef", Group.UPDATE, 0.0, 10.0, "weight",
            "c2: weight of the entropy bonus in the loss", "[S] equation 9", is_live=True),
    _number("vf_coef", Group.UPDATE, 0.0, 100.0, "weight",
            "c1: weight of the value loss", "[S] equation 9"),
    _number("max_grad_norm", Group.UPDATE, 1e-6, 1e6, "L2 norm",
            "gradients are scaled down to this norm", "[H] detail 11"),
    _number("target_kl", Group.UPDATE, 1e-6, 100.0, "nats",
            "an update ends early when approx_kl passes 1.5 times this", "[H] part 4",
            can_be_none=True),
    _number("adam_eps", Group.UPDATE, 1e-12, 1e-1, "", "epsilon of Adam", "[H] detail 3"),
    _layers("policy_layers", "widths of the policy's hidden layers"),
    _layers("value_layers", "widths of the value function's hidden layers"),
    _choice("activation", Group.NETWORK, Activation, "function between the layers"),
    _flag("ortho_init", Group.NETWORK, "orthogonal initialisation of weights", "[H] detail 2"),
    _number("log_std_init", Group.NETWORK, -20.0, 5.0, "log of the action's unit",
            "first log standard deviation of continuous actions", "[H] continuous detail 2"),
    _flag("use_sde", Group.NETWORK,
          "noise that depends on the state; continuous actions only", "[R] section 3"),
    _whole("sde_sample_freq", Group.NETWORK, -1, 65536, "steps",
           "how often that noise is drawn anew; -1: once per rollout", "[R] section 3"),
    _flag("normalize_observations", Group.NORMALISATION,
          "observations get running mean 0 and standard deviation 1", "[H] continuous detail 6"),
    _flag("normalize_rewards", Group.NORMALISATION,
          "rewards are divided by the running deviation of the return", "[H] continuous detail 8"),
    _number("clip_observations", Group.NORMALISATION, 0.1, 1e6, "standard deviations",
            "bound of normalised observations", "[H] continuous detail 7"),
    _number("clip_rewards", Group.NORMALISATION, 0.1, 1e6, "standard deviations",
            "bound of normalised rewards", "[H] continuous detail 9"),
    _whole("eval_every", Group.EVALUATION, 0, 10**9, "steps",
           "environment steps between evaluations; 0: none"),
    _whole("eval_episodes", Group.EVALUATION, 1, 1000, "episodes", "episodes of one evaluation"),
    _whole("eval_seed", Group.EVALUATION, 0, 2**31 - 1, "integer",
           "seed of the first evaluation episode; the next has the next seed"),
    _flag("eval_deterministic", Group.EVALUATION, "the most likely action instead of a drawn one"),
    _number("checkpoint_seconds", Group.CHECKPOINTS, 0.0, 86400.0, "seconds of training",
            "at most so much work is done again after a kill; 0: after every update"),
    _whole("checkpoint_keep", Group.CHECKPOINTS, 1, 1000, "checkpoints",
           "newest checkpoints that are kept"),
    _choice("vec_env", Group.MACHINE, VecEnvKind, "how the copies are stepped together"),
    _whole("seed", Group.MACHINE, 0, 2**31 - 1, "integer",
           "seed of the environments, the policy and the shuffling"),
    _whole("torch_threads", Group.MACHINE, 1, 64, "threads",
           "threads of one PyTorch operation; 1 is fastest for small networks"),
    _flag("fused_adam", Group.MACHINE, "one call per step of Adam; rounds differently"),
    _number("step_timeout", Group.MACHINE, 1.0, 3600.0, "seconds",
            "an environment that does not answer for so long ends the run"),
)
# fmt: on

#: Every setting by its name, in the order of forms and tables.
HYPERPARAMETERS: dict[str, Hyperparameter] = {one.name: one for one in _TABLE}

#: What may be changed while a run goes on.
LIVE: tuple[str, ...] = tuple(one.name for one in _TABLE if one.is_live)
