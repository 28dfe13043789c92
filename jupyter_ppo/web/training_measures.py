"""What is answered about what runs measured. The OpenAPI document is made from these."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import Field, RootModel

from jupyter_ppo.domain import training
from jupyter_ppo.domain.training import EventKind, MetricPoint, Rewind, RunEvent, RunState
from jupyter_ppo.web.execution_answers import json_data
from jupyter_ppo.web.models import Answer, Time
from jupyter_ppo.web.training_models import Progress


def number_or_null(value: float) -> float | None:
    """Return ``value`` as JSON can hold it: null where it is NaN or infinite."""
    return value if math.isfinite(value) else None


class Point(Answer):
    """What was measured at one moment; a value is null where it is not defined."""

    step: int
    seconds: float
    values: dict[str, float | None]

    @classmethod
    def of(cls, point: MetricPoint) -> Point:
        """Make the body from the domain's object."""
        values = {name: number_or_null(value) for name, value in point.values.items()}
        return cls(step=point.step, seconds=point.seconds, values=values)


class RewindMark(Answer):
    """The run went on from step ``rewind``: points after that step do not count any more."""

    rewind: int


def metric_item(item: MetricPoint | Rewind) -> Point | RewindMark:
    """Make the body of a point or a mark."""
    return RewindMark(rewind=item.step) if isinstance(item, Rewind) else Point.of(item)


class MetricsAnswer(Answer):
    """Points and marks in the order they were written; go on with ``since`` = ``cursor``."""

    items: list[Point | RewindMark]
    cursor: int

    @classmethod
    def of(cls, items: Iterable[MetricPoint | Rewind], cursor: int) -> MetricsAnswer:
        """Make the body from the domain's objects."""
        return cls(items=[metric_item(item) for item in items], cursor=cursor)


class Curve(Answer):
    """One metric by step; the least and the greatest value of each part are kept."""

    steps: list[int]
    values: list[float | None]


class SeriesAnswer(Answer):
    """Curves by metric, without what was measured again; the stream goes on from ``cursor``."""

    series: dict[str, Curve]
    cursor: int

    @classmethod
    def of(
        cls, columns: Mapping[str, tuple[Sequence[float], Sequence[float]]], cursor: int
    ) -> SeriesAnswer:
        """Make the body from columns of numbers."""
        series = {
            name: Curve(
                steps=[int(step) for step in steps],
                values=[number_or_null(value) for value in values],
            )
            for name, (steps, values) in columns.items()
        }
        return cls(series=series, cursor=cursor)


class Event(Answer):
    """Something that happened to a run at ``step``, by the clock of its worker's machine."""

    at: Time
    kind: EventKind
    step: int
    message: str
    data: dict[str, Any]

    @classmethod
    def of(cls, event: RunEvent) -> Event:
        """Make the body from the domain's object."""
        return cls(
            at=event.at,
            kind=event.kind,
            step=event.step,
            message=json_data(event.message),
            data=json_data(dict(event.data)),
        )


class EventsAnswer(Answer):
    """Events, oldest first; go on with ``since`` = ``cursor``."""

    items: list[Event]
    cursor: int

    @classmethod
    def of(cls, events: Iterable[RunEvent], cursor: int) -> EventsAnswer:
        """Make the body from the domain's objects."""
        return cls(items=[Event.of(event) for event in events], cursor=cursor)


class EvaluationAnswer(Answer):
    """Episodes on held-out seeds, ``seed`` and the following ones, after ``step`` steps."""

    step: int
    seconds: float
    seed: int
    deterministic: bool
    mean_return: float | None
    returns: list[float | None]
    lengths: list[int]

    @classmethod
    def of(cls, evaluation: training.Evaluation) -> EvaluationAnswer:
        """Make the body from the domain's object."""
        return cls(
            step=evaluation.step,
            seconds=evaluation.seconds,
            seed=evaluation.seed,
            deterministic=evaluation.deterministic,
            mean_return=number_or_null(evaluation.mean_return),
            returns=[number_or_null(each) for each in evaluation.returns],
            lengths=list(evaluation.lengths),
        )


class EvaluationsAnswer(Answer):
    """Evaluations, oldest first."""

    items: list[EvaluationAnswer]


class CheckpointAnswer(Answer):
    """A checkpoint. ``weights_sha256`` is the digest of the policy's tensors in order.

    ``is_exact``: a run that goes on from it gives the same bits; otherwise ``reason`` says why not.
    """

    step: int
    update: int
    created_at: Time
    size_bytes: int
    weights_sha256: str
    is_exact: bool
    reason: str

    @classmethod
    def of(cls, info: training.CheckpointInfo) -> CheckpointAnswer:
        """Make the body from the domain's object."""
        return cls(
            step=info.step,
            update=info.update,
            created_at=info.created_at,
            size_bytes=info.size_bytes,
            weights_sha256=info.weights_sha256,
            is_exact=info.is_exact,
            reason=json_data(info.reason),
        )


class CheckpointsAnswer(Answer):
    """The checkpoints that are kept, oldest first."""

    items: list[CheckpointAnswer]


class LogAnswer(Answer):
    """The end of what the worker and the libraries printed."""

    text: str


# -- the stream ----------------------------------------------------------------------------------


class MessageKind(StrEnum):
    """What a message of a stream brings."""

    STATUS = "status"
    POINTS = "points"
    EVENT = "event"
    END = "end"


class StatusMessage(Answer):
    """Where the run is, whenever that has changed."""

    type: Literal[MessageKind.STATUS] = MessageKind.STATUS
    state: RunState
    position: int | None
    message: str
    progress: Progress | None


class PointsMessage(Answer):
    """Points and marks as they were written; connect again with ``since`` = ``cursor``."""

    type: Literal[MessageKind.POINTS] = MessageKind.POINTS
    cursor: int
    items: list[Point | RewindMark]


class EventMessage(Answer):
    """Events, oldest first; connect again with ``events_since`` = ``cursor``."""

    type: Literal[MessageKind.EVENT] = MessageKind.EVENT
    cursor: int
    items: list[Event]


class EndMessage(Answer):
    """The run has ended and everything was sent; the stream closes."""

    type: Literal[MessageKind.END] = MessageKind.END


class StreamMessage(
    RootModel[
        Annotated[
            StatusMessage | PointsMessage | EventMessage | EndMessage, Field(discriminator="type")
        ]
    ]
):
    """A message of a stream, as JSON text."""
