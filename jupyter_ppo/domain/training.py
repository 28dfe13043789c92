"""Training runs: how far one is, what it measured, and what may be asked of it."""

from __future__ import annotations

import difflib
import math
import re
from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from jupyter_ppo.domain.errors import InvalidInputError
from jupyter_ppo.domain.hyperparameters import HYPERPARAMETERS, LIVE
from jupyter_ppo.domain.schedules import Schedule

_METRIC_NAME = re.compile(r"[A-Za-z][\w./ -]{0,63}")


class RunState(StrEnum):
    """Where a run is. STARTING lasts until torch is loaded and the environments are made."""

    QUEUED = "queued"  # waits for a place; only under a service
    STARTING = "starting"
    RUNNING = "running"
    PAUSED = "paused"
    FINISHED = "finished"
    STOPPED = "stopped"
    INTERRUPTED = "interrupted"  # its worker is gone; it goes on from the last checkpoint
    FAILED = "failed"

    @property
    def has_ended(self) -> bool:
        """Whether no worker is at it or will be, unless somebody resumes it."""
        return self in {
            RunState.FINISHED,
            RunState.STOPPED,
            RunState.INTERRUPTED,
            RunState.FAILED,
        }


class Command(StrEnum):
    """What may be asked of a worker while it trains."""

    PAUSE = "pause"
    RESUME = "resume"
    STOP = "stop"
    EXTEND = "extend"  # values: total_steps
    SET = "set"  # values: some of LIVE


@dataclass(frozen=True, slots=True)
class RunCommand:
    """A command with its values; ``id`` comes back in the event that says when it took effect.

    Raises ``InvalidInputError`` naming the value.
    """

    command: Command
    values: Mapping[str, Any] = field(default_factory=dict)
    id: str = ""

    def __post_init__(self) -> None:
        wanted = {Command.EXTEND: ("total_steps",), Command.SET: LIVE}.get(self.command, ())
        for name in self.values:
            if name not in wanted:
                raise _unknown_value(self.command, str(name)[:80], wanted)
        if wanted and not self.values:
            msg = f"{wanted[0]}: {self.command} needs a value. It takes {', '.join(wanted)}."
            raise InvalidInputError(msg, field=wanted[0])
        checked = {
            name: HYPERPARAMETERS[name].checked(value) for name, value in self.values.items()
        }
        object.__setattr__(self, "values", checked)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data, ready for JSON."""
        values = {
            name: value.to_json() if isinstance(value, Schedule) else value
            for name, value in self.values.items()
        }
        return {"command": self.command.value, "id": self.id, "values": values}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> RunCommand:
        """Return the command of ``to_dict``; raise ``InvalidInputError``."""
        try:
            command = Command(str(data.get("command")))
        except ValueError:
            known = ", ".join(command.value for command in Command)
            msg = f"command: {str(data.get('command'))[:80]!r} is not known. Use {known}."
            raise InvalidInputError(msg, field="command") from None
        values = data.get("values") or {}
        if not isinstance(values, Mapping):
            msg = "values: use an object of names and values."
            raise InvalidInputError(msg, field="values")
        return cls(command, dict(values), str(data.get("id", ""))[:100])


def _unknown_value(command: Command, name: str, wanted: tuple[str, ...]) -> InvalidInputError:
    known = f"{', '.join(wanted[:-1])} and {wanted[-1]}" if len(wanted) > 1 else "".join(wanted)
    match command:
        case Command.SET:
            near = difflib.get_close_matches(name, wanted, n=1)
            remedy = f"Did you mean {near[0]}?" if near else f"{known} can."
            msg = f"{name}: this cannot be changed while a run goes on. {remedy}"
        case Command.EXTEND:
            msg = f"{name}: a run is extended by {known} only."
        case _:
            msg = f"{name}: {command} takes no values."
    return InvalidInputError(msg, field=name)


class Metric(StrEnum):
    """What a worker measures. RETURN and LENGTH at the end of an episode, EVAL_* at the end of an
    evaluation, the others once per update. A loop of the user's own may log other names as well.
    """

    RETURN = "return"  # undiscounted sum of an episode's rewards, before normalisation
    LENGTH = "length"  # steps of an episode
    MEAN_RETURN = "mean_return"  # over the last 100 training episodes
    EVAL_RETURN = "eval_return"  # mean over the episodes of one evaluation
    EVAL_LENGTH = "eval_length"  # mean over the episodes of one evaluation, steps
    APPROX_KL = "approx_kl"  # nats, estimator (ratio - 1) - log ratio, last epoch
    CLIP_FRACTION = "clip_fraction"  # share of samples with |ratio - 1| > clip_range
    ENTROPY = "entropy"  # nats, mean over samples
    EXPLAINED_VARIANCE = "explained_variance"  # of the returns by the critic, at most 1
    LOSS = "loss"  # of the last minibatch, all terms
    VALUE_LOSS = "value_loss"
    POLICY_GRADIENT_LOSS = "policy_gradient_loss"
    ACTION_STD = "action_std"  # mean standard deviation of continuous actions
    LEARNING_RATE = "learning_rate"
    CLIP_RANGE = "clip_range"
    STEPS_PER_SECOND = "steps_per_second"  # of one rollout and its update, without pauses
    SECONDS_ENV = "seconds_env"  # of the rollout, in the environments
    SECONDS_FORWARD = "seconds_forward"  # of the rollout, everything else
    SECONDS_UPDATE = "seconds_update"  # of the gradient steps


#: What depends on the machine's speed and so differs between two equal runs.
TIMING: Final = frozenset(
    {
        Metric.STEPS_PER_SECOND,
        Metric.SECONDS_ENV,
        Metric.SECONDS_FORWARD,
        Metric.SECONDS_UPDATE,
    }
)


def metric_name(name: object) -> str:
    """Return ``name`` if a metric may have it; raise ``InvalidInputError``."""
    if not isinstance(name, str) or not _METRIC_NAME.fullmatch(name):
        msg = (
            f"{str(name)[:80]!r} cannot be the name of a metric. Use letters, digits and _ . / - "
            "with a letter first, at most 64 characters."
        )
        raise InvalidInputError(msg, field="metrics")
    return str(name)


@dataclass(frozen=True, slots=True)
class MetricPoint:
    """What was measured at one moment: the end of an episode, an update or an evaluation.

    ``step`` counts environment steps of all copies; ``seconds`` is training time without pauses.
    A value is NaN where it is not defined, such as explained variance of constant returns. Keys
    are values of ``Metric`` or names that ``metric_name`` takes.
    """

    step: int
    seconds: float
    values: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Rewind:
    """A mark between points: the run went on from ``step``; points after that step do not count.

    They were measured by a worker that ended before its next checkpoint, and are measured again.
    """

    step: int


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Episodes of the policy on held-out seeds, after ``step`` steps of training.

    Episode i has the seed ``seed + i``. ``returns`` are undiscounted and not normalised.
    """

    step: int
    seconds: float
    seed: int
    deterministic: bool
    returns: tuple[float, ...]
    lengths: tuple[int, ...]

    @property
    def mean_return(self) -> float:
        """Mean over the episodes; NaN without any."""
        return sum(self.returns) / len(self.returns) if self.returns else math.nan


@dataclass(frozen=True, slots=True)
class Minibatch:
    """Samples of a rollout as the update on it left them: what the clipped objective is made of.

    ``ratios`` and ``advantages`` are float32 and have one value for each sample. A ratio is the
    probability of the action that was taken, under the policy after the update divided by that
    before it: positive and finite. Advantages are as the update used them. ``rollout_size`` is how
    many samples the rollout had, ``clip_range`` the epsilon of the update.
    """

    step: int
    update: int
    clip_range: float
    rollout_size: int
    ratios: array[float]
    advantages: array[float]

    @property
    def clip_fraction(self) -> float:
        """Share of samples with |ratio - 1| > clip_range; NaN without any."""
        outside = sum(abs(ratio - 1.0) > self.clip_range for ratio in self.ratios)
        return outside / len(self.ratios) if self.ratios else math.nan

    @property
    def mean_kl(self) -> float:
        """Mean of (ratio - 1) - log ratio, nats; NaN without any.

        An estimate of KL(old, new) that is never negative. Source: Schulman 2020, "Approximating
        KL Divergence", estimator k3.
        """
        kl = [(ratio - 1.0) - math.log(ratio) for ratio in self.ratios]
        return math.fsum(kl) / len(kl) if kl else math.nan


@dataclass(frozen=True, slots=True)
class CheckpointInfo:
    """A checkpoint as the list shows it.

    ``weights_sha256`` is the digest of the policy's tensors in order. ``is_exact``: a run that goes
    on from it gives the same bits; otherwise ``reason`` says why not.
    """

    step: int
    update: int
    created_at: datetime
    size_bytes: int
    weights_sha256: str
    is_exact: bool
    reason: str = ""


class EventKind(StrEnum):
    """What happened to a run."""

    STATE = "state"  # data: state
    CHANGED = "changed"  # a live change took effect; data: the new values and the command's id
    EXTENDED = "extended"  # data: total_steps, id
    RESUMED = "resumed"  # a worker went on from a checkpoint; data: is_exact, reasons
    SOLVED = "solved"  # the stop condition was met
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class RunEvent:
    """Something that happened at ``step``, by the clock of the worker's machine."""

    at: datetime
    kind: EventKind
    step: int
    message: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RunStatus:
    """How far a run is.

    ``seconds`` is training time without start-up and pauses; ``steps_per_second`` is that of the
    last updates. ``total_steps`` is where it will end, whole rollouts (0: not known yet).
    ``message`` is one sentence on why the run ended as it did, otherwise empty.
    """

    state: RunState
    step: int = 0
    seconds: float = 0.0
    steps_per_second: float = 0.0
    message: str = ""
    total_steps: int = 0
    update: int = 0
    checkpoint_step: int | None = None

    @property
    def seconds_left(self) -> float | None:
        """Expected training time until the end; None while it cannot be told."""
        if self.state.has_ended or self.steps_per_second <= 0 or not self.total_steps:
            return None
        return max(self.total_steps - self.step, 0) / self.steps_per_second
