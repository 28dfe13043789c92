"""What is answered about runs, quotas and forms. The OpenAPI document is made from these."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import WithJsonSchema

from jupyter_ppo.domain import hyperparameters
from jupyter_ppo.domain.errors import InvalidInputError
from jupyter_ppo.domain.hyperparameters import HYPERPARAMETERS, Group, Kind
from jupyter_ppo.domain.presets import Preset, default_preset, preset_values
from jupyter_ppo.domain.run_advice import advice
from jupyter_ppo.domain.run_records import TrainingQuota, TrainingRun, TrainingUsage
from jupyter_ppo.domain.run_spec import RunSpec
from jupyter_ppo.domain.training import Command, RunState, RunStatus
from jupyter_ppo.web.execution_answers import json_data
from jupyter_ppo.web.models import Answer, Page, Time

#: In place: another model of this API is called Group.
_GROUPS = {"type": "string", "enum": [group.value for group in Group]}


class Progress(Answer):
    """How far a run is by its worker: steps of all copies, seconds of training without pauses.

    ``total_steps`` is where it ends, in whole rollouts; ``seconds_left`` is null while nobody can
    tell; a resume goes on from ``checkpoint_step``.
    """

    step: int
    total_steps: int
    update: int
    seconds: float
    steps_per_second: float
    seconds_left: float | None
    checkpoint_step: int | None

    @classmethod
    def of(cls, status: RunStatus | None) -> Progress | None:
        """Make the body from the domain's object."""
        if status is None:
            return None
        return cls(
            step=status.step,
            total_steps=status.total_steps,
            update=status.update,
            seconds=status.seconds,
            steps_per_second=status.steps_per_second,
            seconds_left=status.seconds_left,
            checkpoint_step=status.checkpoint_step,
        )


def shown(run: TrainingRun, status: RunStatus | None) -> tuple[RunState, str]:
    """Return the state of a run and why it ended so; the worker knows sooner than the record."""
    if status is None:
        return run.state, json_data(run.message)
    return status.state, json_data(status.message)


class TrainingRunAnswer(Answer):
    """A run of one person. Runs of one request share ``group_id``; ``seed`` is the spec's.

    ``position`` is 1 for the next in the queue. ``message`` says why it ended as it did.
    ``cpu_seconds`` and ``wall_seconds`` are those of all its workers, pauses included.
    """

    id: UUID
    user: str
    group_id: UUID
    name: str
    tags: list[str]
    env_id: str
    seed: int
    state: RunState
    position: int | None
    step: int
    total_steps: int
    message: str
    created_at: Time
    updated_at: Time
    started_at: Time | None
    ended_at: Time | None
    cpu_seconds: float
    wall_seconds: float
    disk_bytes: int
    spec: dict[str, Any]

    @classmethod
    def of(cls, run: TrainingRun, **more: Any) -> Self:
        """Make the body from the domain's object."""
        return cls(
            id=run.id,
            user=run.user,
            group_id=run.group_id,
            name=run.name,
            tags=list(run.tags),
            env_id=run.spec.env_id,
            seed=run.spec.seed,
            state=run.state,
            position=run.position,
            step=run.step,
            total_steps=run.total_steps,
            message=json_data(run.message),
            created_at=run.created_at,
            updated_at=run.updated_at,
            started_at=run.started_at,
            ended_at=run.ended_at,
            cpu_seconds=run.cpu_seconds,
            wall_seconds=run.wall_seconds,
            disk_bytes=run.disk_bytes,
            spec=json_data(run.spec.to_dict()),
            **more,
        )


#: The newest mean return of training episodes, and that of the newest evaluation.
Latest = tuple[float | None, float | None]


class ListedRun(TrainingRunAnswer):
    """A run and the newest of its returns, null where there is none.

    ``mean_return`` is of the last training episodes, ``eval_return`` of the last evaluation.
    """

    mean_return: float | None
    eval_return: float | None

    @classmethod
    def listed(cls, run: TrainingRun, latest: Latest, **more: Any) -> Self:
        """Make the body from the record and from what was measured last."""
        mean_return, eval_return = (_finite(value) for value in latest)
        return cls.of(run, mean_return=mean_return, eval_return=eval_return, **more)


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


class TrainingRunDetail(ListedRun):
    """A run and how far its worker is; ``progress`` is null before the first one has begun."""

    progress: Progress | None

    @classmethod
    def seen(cls, run: TrainingRun, status: RunStatus | None, latest: Latest) -> TrainingRunDetail:
        """Make the body from the record and from what the worker says."""
        made = cls.listed(run, latest, progress=Progress.of(status))
        state, message = shown(run, status)
        return made.model_copy(update={"state": state, "message": message})


class TrainingRunPage(Page[ListedRun]):
    """Runs, newest first."""


class NewRunsAnswer(Answer):
    """The runs of one request, in the order of their seeds, and what is probably not meant."""

    group_id: UUID
    items: list[TrainingRunAnswer]
    warnings: list[str]

    @classmethod
    def of(cls, runs: Sequence[TrainingRun]) -> NewRunsAnswer:
        """Make the body from the domain's objects."""
        said = dict.fromkeys(sentence for run in runs for sentence in advice(run.spec))
        return cls(
            group_id=runs[0].group_id,
            items=[TrainingRunAnswer.of(run) for run in runs],
            warnings=list(said),
        )


class CommandTaken(Answer):
    """A command that a run was given; the event with its ``id`` says when it took effect."""

    id: str
    command: Command
    values: dict[str, Any]


# -- what may be used ----------------------------------------------------------------------------


class QuotaAnswer(Answer):
    """What one person may use: runs at once and waiting, seconds, MiB, and runs that are kept.

    ``cpu_seconds_per_day`` are of the last 24 hours, ``wall_seconds`` of one run.
    """

    running: int
    queued: int
    cpu_seconds_per_day: float
    wall_seconds: float
    disk_mb: int
    runs: int


class UsedAnswer(Answer):
    """What the caller uses now."""

    running: int
    queued: int
    cpu_seconds_today: float
    disk_bytes: int
    runs: int


class UsageAnswer(Answer):
    """What the caller may use and uses."""

    quota: QuotaAnswer
    usage: UsedAnswer

    @classmethod
    def of(cls, quota: TrainingQuota, usage: TrainingUsage) -> UsageAnswer:
        """Make the body from the domain's objects."""
        return cls(
            quota=QuotaAnswer(
                running=quota.running,
                queued=quota.queued,
                cpu_seconds_per_day=quota.cpu_seconds_per_day,
                wall_seconds=quota.wall_seconds,
                disk_mb=quota.disk_mb,
                runs=quota.runs,
            ),
            usage=UsedAnswer(
                running=usage.running,
                queued=usage.queued,
                cpu_seconds_today=usage.cpu_seconds_today,
                disk_bytes=usage.disk_bytes,
                runs=usage.runs,
            ),
        )


# -- forms ---------------------------------------------------------------------------------------


class HyperparameterAnswer(Answer):
    """One setting of a run: bounds (inclusive), default, unit, meaning and where that is from.

    ``can_be_none``: null switches it off. ``is_live``: `set` changes it while the run goes on.
    """

    name: str
    group: Annotated[str, WithJsonSchema(_GROUPS)]
    kind: Kind
    low: float
    high: float
    default: Any
    unit: str
    meaning: str
    source: str
    can_be_none: bool
    is_live: bool
    choices: list[str]

    @classmethod
    def of(cls, one: hyperparameters.Hyperparameter, default: Any) -> HyperparameterAnswer:
        """Make the body from the domain's object."""
        return cls(
            name=one.name,
            group=one.group.value,
            kind=one.kind,
            low=one.low,
            high=one.high,
            default=default,
            unit=one.unit,
            meaning=one.meaning,
            source=one.source,
            can_be_none=one.can_be_none,
            is_live=one.is_live,
            choices=list(one.choices),
        )


class PresetAnswer(Answer):
    """A named set of values; ``values`` are those that differ from the defaults."""

    name: Preset
    values: dict[str, Any]


class HyperparametersAnswer(Answer):
    """Every setting in the order of forms, and the presets that there are for an environment."""

    items: list[HyperparameterAnswer]
    env_id: str
    default_preset: Preset
    presets: list[PresetAnswer]

    @classmethod
    def of(cls, env_id: str) -> HyperparametersAnswer:
        """Make the body for an environment."""
        defaults = RunSpec().to_dict()
        presets = {preset: _values_for(preset, env_id) for preset in Preset}
        return cls(
            items=[
                HyperparameterAnswer.of(one, defaults[name])
                for name, one in HYPERPARAMETERS.items()
            ],
            env_id=env_id,
            default_preset=default_preset(env_id),
            presets=[
                PresetAnswer(name=preset, values=values)
                for preset, values in presets.items()
                if values is not None
            ],
        )


def _values_for(preset: Preset, env_id: str) -> dict[str, Any] | None:
    """Return what a preset changes for an environment; None if it has nothing for it."""
    try:
        values = preset_values(preset, env_id)
    except InvalidInputError:
        return None
    return values if values.pop("env_id", env_id) == env_id else None
