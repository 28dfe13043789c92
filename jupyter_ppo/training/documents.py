"""What the run's files say, to JSON and back. What a later version adds is left out on reading."""

from __future__ import annotations

import base64
import math
import sys
from array import array
from collections.abc import Mapping
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any, Final

from jupyter_ppo.domain.training import (
    Evaluation,
    EventKind,
    Minibatch,
    RunEvent,
    RunState,
    RunStatus,
)

#: The most samples of one minibatch that are kept.
MOST_SAMPLES: Final = 256

_LONGEST_MESSAGE: Final = 4000
#: How deep the values of an event may be nested; ours are two deep.
_DEEPEST: Final = 8


def status_to_json(status: RunStatus) -> dict[str, Any]:
    """Return a status as plain data."""
    return {
        **{item.name: getattr(status, item.name) for item in fields(status)},
        "state": status.state.value,
        "seconds": round(status.seconds, 6),
        "steps_per_second": round(status.steps_per_second, 3),
    }


def status_from_json(data: Mapping[str, Any]) -> RunStatus:
    """Return the status; raise ``ValueError``, ``TypeError`` or ``KeyError``."""
    last = data.get("checkpoint_step")
    return RunStatus(
        state=RunState(data["state"]),
        step=_count(data.get("step", 0)),
        seconds=_finite(data.get("seconds", 0.0)),
        steps_per_second=_finite(data.get("steps_per_second", 0.0)),
        message=_text(data.get("message", "")),
        total_steps=_count(data.get("total_steps", 0)),
        update=_count(data.get("update", 0)),
        checkpoint_step=None if last is None else _count(last),
    )


def event_to_json(event: RunEvent) -> dict[str, Any]:
    """Return an event as plain data, its time in UTC."""
    return {
        "at": event.at.astimezone(UTC).isoformat(timespec="milliseconds"),
        "kind": event.kind.value,
        "step": event.step,
        "message": event.message,
        "data": dict(event.data),
    }


def event_from_json(data: Mapping[str, Any]) -> RunEvent | None:
    """Return the event; None when it is none that this version knows."""
    try:
        at = datetime.fromisoformat(data["at"])
        values = data.get("data", {})
        if "kind" not in data:  # format 1 knew changes of state only
            values = {"state": RunState(data["state"]).value}
        if _is_deeper(values, _DEEPEST):
            return None
        return RunEvent(
            at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC),
            EventKind(data.get("kind", EventKind.STATE)),
            _count(data.get("step", 0)),
            _text(data.get("message", "")),
            dict(values),
        )
    except (ValueError, TypeError, KeyError, OverflowError):
        return None


def evaluation_to_json(evaluation: Evaluation) -> dict[str, Any]:
    """Return an evaluation as plain data."""
    returns = [value if math.isfinite(value) else None for value in evaluation.returns]
    return {
        **{item.name: getattr(evaluation, item.name) for item in fields(evaluation)},
        "seconds": round(evaluation.seconds, 6),
        "returns": returns,
        "lengths": list(evaluation.lengths),
    }


def evaluation_from_json(data: Mapping[str, Any]) -> Evaluation | None:
    """Return the evaluation; None when it is damaged."""
    try:
        return Evaluation(
            step=_count(data["step"]),
            seconds=_finite(data["seconds"]),
            seed=_count(data["seed"]),
            deterministic=bool(data["deterministic"]),
            returns=tuple(math.nan if one is None else float(one) for one in data["returns"]),
            lengths=tuple(_count(one) for one in data["lengths"]),
        )
    except (ValueError, TypeError, KeyError, OverflowError):
        return None


def minibatch_to_json(minibatch: Minibatch) -> dict[str, Any]:
    """Return a minibatch as plain data; arrays as base64 of float32, little-endian."""
    return {
        **{item.name: getattr(minibatch, item.name) for item in fields(minibatch)},
        "ratios": _packed(minibatch.ratios),
        "advantages": _packed(minibatch.advantages),
    }


def minibatch_from_json(data: Mapping[str, Any]) -> Minibatch | None:
    """Return the minibatch; None when it is damaged or cannot be one."""
    try:
        found = Minibatch(
            step=_count(data["step"]),
            update=_count(data["update"]),
            clip_range=_finite(data["clip_range"]),
            rollout_size=_count(data["rollout_size"]),
            ratios=_unpacked(data["ratios"]),
            advantages=_unpacked(data["advantages"]),
        )
    except (ValueError, TypeError, KeyError, OverflowError):
        return None
    if not 0 < len(found.ratios) == len(found.advantages) <= MOST_SAMPLES:
        return None
    if found.clip_range <= 0 or len(found.ratios) > found.rollout_size:
        return None
    is_drawable = all(0.0 < one < math.inf for one in found.ratios)
    return found if is_drawable and all(map(math.isfinite, found.advantages)) else None


def spec_of_format_1(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return a spec as format 2 has it: annealing of the learning rate was a flag of its own."""
    spec = dict(data)
    if spec.pop("anneal_lr", False) is True:
        spec["learning_rate"] = {"kind": "linear", "start": spec.get("learning_rate"), "end": 0.0}
    return spec


def _text(value: object) -> str:
    """Return a message as every reader can pass it on: a lone surrogate is no Unicode."""
    return str(value)[:_LONGEST_MESSAGE].encode(errors="replace").decode()


def _is_deeper(value: object, depth: int) -> bool:
    """Whether lists and objects in ``value`` are nested deeper than ``depth``."""
    level = [value]
    for _ in range(depth + 1):
        inner: list[object] = []
        for each in level:
            if isinstance(each, dict):
                inner += each.values()
            elif isinstance(each, list):
                inner += each
        if not inner:
            return False
        level = inner
    return True


def _packed(values: array[float]) -> str:
    return base64.b64encode(_little(values).tobytes()).decode()


def _unpacked(text: Any) -> array[float]:
    if not isinstance(text, str) or len(text) > 6 * MOST_SAMPLES:
        msg = "this is no array of numbers"
        raise ValueError(msg)
    return _little(array("f", base64.b64decode(text, validate=True)))


def _little(values: array[float]) -> array[float]:
    """Return float32 in the order of the file, from or to that of this machine."""
    values = array("f", values)
    if sys.byteorder == "big":
        values.byteswap()
    return values


def _count(value: Any) -> int:
    if type(value) is not int or value < 0:
        msg = f"{str(value)[:40]!r} is not a whole number from 0 on"
        raise ValueError(msg)
    return value


def _finite(value: Any) -> float:
    if type(value) not in {int, float} or not math.isfinite(value):
        msg = f"{str(value)[:40]!r} is not a finite number"
        raise ValueError(msg)
    return float(value)
