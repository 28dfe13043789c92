"""Plain data of a request, a file or a notebook's metadata, checked where it is read.

Every function takes the place of a value, such as ``rubric[2].levels[0].points``, and says it when
it refuses.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NoReturn

from jupyter_ppo.domain.errors import InvalidInputError, TooLargeError
from jupyter_ppo.domain.marks import checked_text

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")


def refuse(place: str, remedy: str) -> NoReturn:
    """Raise ``InvalidInputError``: what is at ``place`` cannot be used, and what can be."""
    msg = f"{place}: this cannot be used. {remedy}"
    raise InvalidInputError(msg, field=str(place))


def refuse_size(place: str, problem: str) -> NoReturn:
    """Raise ``TooLargeError`` naming the place."""
    msg = f"{place}: it is too large. {problem}"
    raise TooLargeError(msg, field=str(place))


def fields_of(data: object, place: str, needed: set[str], other: set[str]) -> dict[str, Any]:
    """Return ``data`` if it is an object with the names that are needed, and no unknown one."""
    names = ", ".join(sorted(needed | other - {"format"}))
    if not isinstance(data, dict):
        refuse(place or "definition", f"Use an object with {names}.")
    prefix = f"{place}." if place else ""
    for name in sorted(needed - data.keys()):
        refuse(prefix + name, "It is missing.")
    for name in data:
        if name not in needed | other:
            refuse(prefix + str(name)[:80], f"There is no such name; known are {names}.")
    return data


def items_of(value: object, place: str, least: int, most: int) -> Sequence[object]:
    """Return ``value`` if it is a list of ``least`` to ``most`` items."""
    if not isinstance(value, list | tuple) or not least <= len(value) <= most:
        refuse(place, f"Use a list of {least} to {most}.")
    return value


def text_of(value: object, place: str, most: int, *, is_needed: bool = False) -> str:
    """Return ``value`` if it is text of at most ``most`` characters that can be kept."""
    if not isinstance(value, str) or (is_needed and not value.strip()):
        refuse(place, "Use some text.")
    if len(value) > most:
        refuse_size(place, f"There are {len(value):,} characters, and {most:,} may be.")
    return checked_text(value, str(place))


def name_of(value: object, place: str) -> str:
    """Return ``value`` if it can be part of an address: 1 to 100 letters, digits, - or _."""
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        refuse(place, "Use 1 to 100 letters, digits, dashes or underscores.")
    return value


def check_once(names: Sequence[str], place: str) -> None:
    """Refuse a name that is there twice."""
    for index, name in enumerate(names):
        if name in names[:index]:
            refuse(f"{place}[{index}]", f"{name!r} is there twice.")
