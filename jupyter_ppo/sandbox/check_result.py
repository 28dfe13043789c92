"""What the examiner says of a check, believed only where it has the right form."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any, Final, TypeVar

from jupyter_ppo.domain.exam import CheckLine, CheckRun, CheckState
from jupyter_ppo.sandbox.frames import Frame

T = TypeVar("T")

#: The longest message of an examiner, in bytes.
_MESSAGE_BYTES: Final = 16 * 2**20
#: The longest text in it, in characters, and the most items of a list.
_MAX_TEXT: Final = 2**18
_MAX_ITEMS: Final = 10_000
#: Sentences for the student, and the longest, in characters.
_MAX_NOTES: Final = 20
_MAX_NOTE: Final = 200


def message_of(frame: Frame) -> dict[str, Any]:
    """Return a message on CHECK; raises ``ValueError`` when it is none.

    Text in it is such that it can be written as UTF-8; NaN and infinities become None.
    """
    if len(frame.parts) != 1 or frame.size > _MESSAGE_BYTES:
        msg = f"a message of {len(frame.parts)} parts and {frame.size} bytes"
        raise ValueError(msg)
    try:
        message = json.loads(frame.parts[0], parse_constant=lambda _: None)
        if not isinstance(message, dict):
            msg = "a message that is no object"
            raise TypeError(msg)
        cleaned: dict[str, Any] = _clean(message)
    except (ValueError, TypeError, RecursionError) as error:
        msg = f"a message that cannot be read: {error}"
        raise ValueError(msg) from error
    return cleaned


def check_run_of(message: Mapping[str, Any], index: int) -> CheckRun:
    """Return what came of the check of cell ``index``; raises ``ValueError``."""
    if message.get("index") != index:
        msg = f"the check of cell {message.get('index')!r} in place of {index}"
        raise ValueError(msg)
    value, line = message.get("value"), message.get("line")
    return CheckRun(
        index=index,
        state=CheckState(_text(message.get("state"))),
        value=None if value is None else _text(value),
        error_type=_text(message.get("error_type") or ""),
        error_message=_text(message.get("error_message") or ""),
        line=None if line is None else _of(int, line),
        is_message=_of(bool, message.get("is_message", False)),
        output=_text(message.get("output") or ""),
        lines=tuple(_line(one) for one in _list(message.get("lines"))),
        uses=frozenset(_text(one) for one in _list(message.get("uses"))),
        mutations=tuple(_text(one) for one in _list(message.get("mutations"))),
        notes=tuple(_text(one)[:_MAX_NOTE] for one in _list(message.get("notes"))[:_MAX_NOTES]),
        records=tuple(_of(dict, one) for one in _list(message.get("records"))),
        calls=_of(int, message.get("calls", 0)),
        seconds=_number(message.get("seconds", 0.0)),
    )


def _line(value: Any) -> CheckLine:
    fields = _of(dict, value)
    return CheckLine(
        name=_text(fields.get("name")),
        points=_number(fields.get("points")),
        max_points=_number(fields.get("max_points")),
        message=_text(fields.get("message") or ""),
    )


def _of(kind: type[T], value: Any) -> T:
    if type(value) is not kind:
        msg = f"{value!r:.80} is no {kind.__name__}"
        raise ValueError(msg)
    return value


def _text(value: Any) -> str:
    return _of(str, value)[:_MAX_TEXT]


def _number(value: Any) -> float:
    if type(value) not in {int, float} or not math.isfinite(value) or value < 0:
        msg = f"{value!r:.80} is no number of points or seconds"
        raise ValueError(msg)
    return float(value)


def _list(value: Any) -> list[Any]:
    items = [] if value is None else _of(list, value)
    if len(items) > _MAX_ITEMS:
        msg = f"a list of {len(items)} items"
        raise ValueError(msg)
    return items


def _clean(value: Any) -> Any:
    """Return it with surrogates without a partner replaced."""
    match value:
        case str():
            return value.encode("utf-8", "replace").decode("utf-8")
        case list():
            return [_clean(item) for item in value]
        case dict():
            return {_clean(key): _clean(item) for key, item in value.items()}
        case _:
            return value
