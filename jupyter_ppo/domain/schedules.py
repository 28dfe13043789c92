"""Schedules: how a hyperparameter changes while a run goes on."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from numbers import Real
from typing import Any

from jupyter_ppo.domain.errors import InvalidInputError


class ScheduleKind(StrEnum):
    """Shapes of a schedule between its start and its end."""

    CONSTANT = "constant"
    LINEAR = "linear"
    COSINE = "cosine"
    EXPONENTIAL = "exponential"


@dataclass(frozen=True, slots=True)
class Schedule:
    """A value over the updates of a run.

    Update u of U (from 1) uses the value at ``(u - 1) / U``: the first update uses ``start`` and
    the last one still learns (Huang et al. 2022, "The 37 Implementation Details of PPO", detail 4).
    """

    kind: ScheduleKind
    start: float
    end: float

    @classmethod
    def constant(cls, value: float) -> Schedule:
        """Return a schedule that never changes."""
        return cls(ScheduleKind.CONSTANT, value, value)

    @classmethod
    def linear(cls, start: float, end: float = 0.0) -> Schedule:
        """Return a straight line from ``start`` to ``end``."""
        return cls(ScheduleKind.LINEAR, start, end)

    @classmethod
    def from_value(cls, value: object, name: str) -> Schedule:
        """Return the schedule that ``value`` means: a number, a schedule, or its JSON.

        Raises ``InvalidInputError`` naming ``name`` or the part below it.
        """
        if isinstance(value, Schedule):
            return value
        if not isinstance(value, bool) and isinstance(value, Real):
            return cls.constant(float(value))
        if not isinstance(value, Mapping):
            msg = (
                f"{name}: {str(value)[:80]!r} is neither a number nor a schedule. Use a number or "
                '{"kind": "linear", "start": 0.001, "end": 0}.'
            )
            raise InvalidInputError(msg, field=name)
        for key in value:
            if key not in {"kind", "start", "end"}:
                msg = f"{name}.{str(key)[:40]}: a schedule has kind, start and end only."
                raise InvalidInputError(msg, field=name)
        try:
            kind = ScheduleKind(str(value.get("kind")))
        except ValueError:
            kinds = ", ".join(kind.value for kind in ScheduleKind)
            msg = f"{name}.kind: {str(value.get('kind'))[:40]!r} is not known. Use {kinds}."
            raise InvalidInputError(msg, field=name) from None
        start = _number(value.get("start"), f"{name}.start", name)
        if kind is ScheduleKind.CONSTANT:
            return cls.constant(start)
        end = _number(value.get("end", 0.0), f"{name}.end", name)
        if kind is ScheduleKind.EXPONENTIAL and (start <= 0 or end <= 0):
            msg = f"{name}: an exponential schedule needs start and end above 0."
            raise InvalidInputError(msg, field=name)
        return cls(kind, start, end)

    @property
    def is_constant(self) -> bool:
        """Whether it never changes."""
        return self.kind is ScheduleKind.CONSTANT

    def at(self, done: float) -> float:
        """Return the value when the share ``done`` (0 to 1) of the updates has been made."""
        done = min(max(done, 0.0), 1.0)
        match self.kind:
            case ScheduleKind.CONSTANT:
                return self.start
            case ScheduleKind.LINEAR:
                return self.start + (self.end - self.start) * done
            case ScheduleKind.COSINE:
                return self.end + (self.start - self.end) * (1 + math.cos(math.pi * done)) / 2
            case ScheduleKind.EXPONENTIAL:
                return float(self.start * (self.end / self.start) ** done)

    def to_json(self) -> float | dict[str, Any]:
        """Return plain data: the number when it is constant."""
        if self.is_constant:
            return self.start
        return {"kind": self.kind.value, "start": self.start, "end": self.end}

    def __str__(self) -> str:
        if self.is_constant:
            return f"{self.start:g}"
        return f"{self.kind} {self.start:g} to {self.end:g}"


def _number(value: Any, place: str, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, Real) or not math.isfinite(value):
        msg = f"{place}: {str(value)[:80]!r} is not a finite number."
        raise InvalidInputError(msg, field=name)
    return float(value)
