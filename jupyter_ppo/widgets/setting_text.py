"""Settings of a run as the text of a form: what a reader types, and what it means."""

from __future__ import annotations

import re
from typing import Any, Final

from jupyter_ppo.domain.errors import InvalidInputError
from jupyter_ppo.domain.hyperparameters import Hyperparameter, Kind
from jupyter_ppo.domain.schedules import Schedule, ScheduleKind

_THOUSANDS: Final = re.compile(r"\d{1,3}(?:,\d{3})+")


def setting_text(value: Any) -> str:
    """Return a value as a form shows it; ``parse_setting`` gives the value back.

    A schedule is ``linear:0.002:0``, no value is ``none``, layers are ``64, 64``.
    """
    match value:
        case None:
            return "none"
        case Schedule() if value.is_constant:
            return _digits(value.start)
        case Schedule():
            return f"{value.kind}:{_digits(value.start)}:{_digits(value.end)}"
        case tuple() | list():
            return ", ".join(str(width) for width in value)
        case float():
            return _digits(value)
        case _:
            return str(value)


def parse_setting(text: str, setting: Hyperparameter) -> Any:
    """Return the checked value that ``text`` means.

    Raises ``InvalidInputError`` naming the setting, with its range and how a schedule is written.
    """
    text = text.strip()
    if not text and setting.kind is not Kind.LAYERS:
        allowed = "none switches it off" if setting.can_be_none else f"use {setting.span}"
        msg = f"{setting.name}: a value is missing; {allowed}."
        raise InvalidInputError(msg, field=setting.name)
    if text.lower() == "none" and setting.can_be_none:
        return None
    match setting.kind:
        case Kind.SCHEDULE:
            return setting.checked(_schedule(text, setting.name))
        case Kind.LAYERS:
            return setting.checked(_layers(text))
        case Kind.CHOICE:
            return setting.checked(text)
        case Kind.FLAG:
            return setting.checked({"true": True, "false": False}.get(text.lower(), text))
        case _:
            return setting.checked(_number(text))


def _schedule(text: str, name: str) -> Any:
    kind, *numbers = (part.strip() for part in text.split(":"))
    if not numbers:
        value = _number(text)
        if not isinstance(value, str):
            return value
    elif kind in set(ScheduleKind) and len(numbers) <= 2:
        keys = ("start", "end")
        parts = {key: _number(part) for key, part in zip(keys, numbers, strict=False)}
        return {"kind": kind, **parts}
    kinds = ", ".join(ScheduleKind)
    msg = (
        f"{name}: {text[:80]!r} is neither a number nor a schedule. Use a number, or "
        f"KIND:START:END such as linear:1e-3:0; kinds are {kinds}."
    )
    raise InvalidInputError(msg, field=name)


def _layers(text: str) -> Any:
    inner = text.removeprefix("[").removesuffix("]").strip().removesuffix(",")
    return [_number(part.strip()) for part in inner.split(",")] if inner else []


def _number(text: str) -> int | float | str:
    """Return the number, or the text itself for ``Hyperparameter.checked`` to refuse."""
    if _THOUSANDS.fullmatch(text):
        text = text.replace(",", "")
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _digits(number: float) -> str:
    """Return the shortest text that gives the number back, without a needless point."""
    text = f"{number:.10g}"
    return text if float(text) == number else repr(number)
