"""What is sent to train. The OpenAPI document is made from these."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID

from pydantic import ConfigDict, Field, WithJsonSchema

from jupyter_ppo.domain.errors import InvalidInputError
from jupyter_ppo.domain.hyperparameters import HYPERPARAMETERS, LIVE, Hyperparameter, Kind
from jupyter_ppo.domain.presets import Preset, default_preset, preset_values
from jupyter_ppo.domain.run_records import MAX_NAME, MAX_SEEDS, MAX_TAG, MAX_TAGS
from jupyter_ppo.domain.run_spec import RunSpec
from jupyter_ppo.domain.schedules import ScheduleKind
from jupyter_ppo.domain.training import Command, RunCommand, RunState
from jupyter_ppo.web.models import Body, PageQuery, Query

_ENV_ID = RunSpec().env_id
_SEEDS = HYPERPARAMETERS["seed"]
#: Cursors are offsets in files; larger ones do not fit what a browser counts with.
_MAX_CURSOR = 2**53 - 1

Cursor = Annotated[int, Field(ge=0, le=_MAX_CURSOR)]
Name = Annotated[str, Field(max_length=MAX_NAME)]
Tags = Annotated[list[Annotated[str, Field(max_length=MAX_TAG)]], Field(max_length=MAX_TAGS)]


def hyperparameter_schema(one: Hyperparameter) -> dict[str, Any]:
    """Return the JSON schema of the values that a setting takes, with its meaning."""
    about = f"{one.meaning} ({one.unit})" if one.unit else one.meaning
    described = {"description": f"{about}; {one.source}" if one.source else about}
    bounds = {"minimum": one.low, "maximum": one.high}
    number = {"type": "number", **bounds}
    schema: dict[str, Any]
    match one.kind:
        case Kind.FLAG:
            schema = {"type": "boolean"}
        case Kind.CHOICE:
            schema = {"type": "string", "enum": list(one.choices)}
        case Kind.LAYERS:
            widths = {"type": "integer", **bounds}
            schema = {"type": "array", "maxItems": 8, "items": widths}
        case Kind.WHOLE:
            schema = {"type": "integer", **bounds}
        case Kind.SCHEDULE:
            schema = {"anyOf": [number, _schedule(one)]}
        case Kind.NUMBER:
            schema = number
    if one.can_be_none:
        schema = {"anyOf": [schema, {"type": "null"}]}
    return schema | described


def _schedule(one: Hyperparameter) -> dict[str, Any]:
    ends = {"type": "number", "minimum": 0, "maximum": one.high}
    return {
        "type": "object",
        "description": "from `start` in the first update towards `end`, which the last stays above",
        "properties": {
            "kind": {"type": "string", "enum": [kind.value for kind in ScheduleKind]},
            "start": ends,
            "end": ends,
        },
        "required": ["kind", "start"],
        "additionalProperties": False,
    }


def spec_schema() -> dict[str, Any]:
    """Return the JSON schema of a spec: every setting with bounds, unit and meaning."""
    settings = {name: hyperparameter_schema(one) for name, one in HYPERPARAMETERS.items()}
    return {
        "type": "object",
        "description": "what a run changes of its preset; see GET /runs/hyperparameters",
        "properties": {
            "env_id": {
                "type": "string",
                "description": "a Gymnasium id; `module:Name-v0` imports a module of the server "
                "first and is for the owner of the server",
            },
            "env_kwargs": {"type": "object", "description": "what the environment is made with"},
            "env_sha256": {"type": "null", "description": "classes are sent from notebooks only"},
            **settings,
        },
        "additionalProperties": False,
    }


def values_schema() -> dict[str, Any]:
    """Return the JSON schema of the values of a command."""
    names = ("total_steps", *LIVE)
    return {
        "type": "object",
        "description": f"of `extend` total_steps, of `set` some of {', '.join(LIVE)}",
        "properties": {name: hyperparameter_schema(HYPERPARAMETERS[name]) for name in names},
        "additionalProperties": False,
    }


def below(error: InvalidInputError, part: str) -> InvalidInputError:
    """Return ``error`` with the place of its field in the body."""
    if error.field is None or not error.message.startswith(error.field):
        return error
    return InvalidInputError(f"{part}.{error.message}", field=f"{part}.{error.field}")


class NewRuns(Body):
    """A run, or one for each of ``seeds`` in place of the spec's own seed.

    Without ``preset`` it is the one that the environment is trained with by default; ``spec``
    changes what it likes of it.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "name": "first try",
                    "tags": ["homework"],
                    "preset": "cartpole-fast",
                    "spec": {"learning_rate": {"kind": "linear", "start": 0.001, "end": 0}},
                    "seeds": [1, 2, 3],
                },
                {"spec": {"env_id": "Acrobot-v1", "total_steps": 50000, "n_envs": 8}},
            ]
        }
    )

    name: Name = ""
    tags: Annotated[Tags, Field(default_factory=list)]
    preset: Preset | None = None
    spec: Annotated[dict[str, Any], WithJsonSchema(spec_schema()), Field(default_factory=dict)]
    seeds: Annotated[
        list[Annotated[int, Field(strict=True, ge=int(_SEEDS.low), le=int(_SEEDS.high))]],
        Field(
            default_factory=list,
            max_length=MAX_SEEDS,
            json_schema_extra={"minItems": 1, "uniqueItems": True},
        ),
    ]

    def specs(self) -> tuple[RunSpec, ...]:
        """Return the specs of the runs; raise ``InvalidInputError`` naming the place in the body.

        A class of the user's own cannot come this way: it would have to be unpickled here.
        """
        if self.spec.get("env_sha256") is not None:
            msg = (
                "spec.env_sha256: classes of your own are sent from notebooks only. Start this "
                "run with train() there, or name an environment that is installed in env_id."
            )
            raise InvalidInputError(msg, field="spec.env_sha256")
        if "seeds" in self.model_fields_set and not self.seeds:
            msg = (
                f"seeds: use 1 to {MAX_SEEDS} different whole numbers, or leave seeds out for one "
                "run with the spec's own seed."
            )
            raise InvalidInputError(msg, field="seeds")
        for place, seed in enumerate(self.seeds):
            if seed in self.seeds[:place]:
                msg = f"seeds[{place}]: {seed} is there twice, which would give two equal runs."
                raise InvalidInputError(msg, field=f"seeds[{place}]")
        named = self.spec.get("env_id", _ENV_ID)
        env_id = named if isinstance(named, str) else None
        values = preset_values(self.preset or default_preset(env_id or ""), env_id)
        try:
            spec = RunSpec.from_dict({**values, **self.spec})
        except InvalidInputError as error:
            raise below(error, "spec") from error
        return tuple(spec.changed(seed=seed) for seed in self.seeds) or (spec,)


class ChangedRun(Body):
    """Another name, other tags; what is absent stays."""

    name: Name | None = None
    tags: Tags | None = None


class NewCommand(Body):
    """What is asked of a run. ``values``: of `extend` the new total_steps, of `set` live values."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"command": "pause"},
                {"command": "set", "values": {"learning_rate": 0.0001}},
                {"command": "extend", "values": {"total_steps": 200000}},
            ]
        }
    )

    command: Command
    values: Annotated[dict[str, Any], WithJsonSchema(values_schema()), Field(default_factory=dict)]

    def asked(self) -> RunCommand:
        """Return the domain's command; raise ``InvalidInputError`` naming the value."""
        values: Mapping[str, Any] = self.values
        try:
            return RunCommand(self.command, values)
        except InvalidInputError as error:
            raise below(error, "values") from error


class RunsQuery(PageQuery):
    """Which runs. ``user`` is for admins, who see everybody's without it."""

    user: str | None = None
    state: RunState | None = None
    tag: str | None = None
    group: UUID | None = None


class MetricsQuery(Query):
    """Which metrics: what comes after the cursor ``since``, at most ``limit`` items of it."""

    since: Cursor = 0
    limit: Annotated[int, Field(ge=1, le=10_000)] = 1000


class SeriesQuery(Query):
    """Which curves: ``names`` with commas between (all when absent), each of so many ``points``."""

    names: str | None = None
    points: Annotated[int, Field(ge=10, le=5000)] = 800


class EventsQuery(Query):
    """Which events: what comes after the cursor ``since``, at most ``limit`` of them."""

    since: Cursor = 0
    limit: Annotated[int, Field(ge=1, le=1000)] = 200


class HyperparametersQuery(Query):
    """For which environment the presets are."""

    env_id: Annotated[str, Field(max_length=200)] = _ENV_ID


class StreamQuery(Query):
    """Where to go on: the cursors of the last messages of points and of events; 0: the start."""

    since: Cursor = 0
    events_since: Cursor = 0
