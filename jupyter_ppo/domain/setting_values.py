"""Values of settings that people send as JSON: looked at one by one, refused by name.

What is refused names the field and what to use in its place. Nobody's value is repeated whole.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from jupyter_ppo.domain.errors import InvalidInputError

#: Takes a value and the name of its field; returns the value, or raises ``InvalidInputError``.
Check = Callable[[object, str], Any]

_MOST_SAID = 40


def truth(value: object, name: str) -> bool:
    """Return ``value`` if it is true or false."""
    if not isinstance(value, bool):
        raise wrong(name, value, "true or false")
    return value


def whole(low: int, high: int) -> Check:
    """Return a check for whole numbers from ``low`` to ``high``; true and 2.0 are none."""

    def check(value: object, name: str) -> int:
        if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high:
            return value
        raise wrong(name, value, f"a whole number from {low} to {high}")

    return check


def is_number(value: Any) -> bool:
    """Whether a value is a finite number; true is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def anything(value: object, _: str) -> object:
    """Return ``value``: an object whose members are looked at by themselves."""
    return value


def dotted(within: str, name: object) -> str:
    """Return the name of a member of the object ``within``, "" for the document itself."""
    return f"{within}.{name}" if within else str(name)


def wrong(name: str, value: object, use: str) -> InvalidInputError:
    """Return the error for a value that cannot be used."""
    try:
        said = repr(value)[:_MOST_SAID]
    except ValueError:  # a whole number of thousands of digits
        said = "this number"
    return InvalidInputError(f"{name}: {said} cannot be used. Use {use}.", field=name)
