"""Times and lengths of time at the terminal."""

from __future__ import annotations

import re
import sys
from datetime import UTC, datetime

from jupyter_ppo.domain.errors import InvalidInputError

_UNITS = {"w": 7 * 86_400, "d": 86_400, "h": 3_600, "m": 60, "s": 1}
_NONE = "none"


def parsed_time(text: str, field: str) -> datetime | None:
    """Return the time that ``text`` names, None for ``none``; raise ``InvalidInputError``.

    ISO 8601. Without a zone it is in this machine's, and that is said on the error stream.
    """
    if text == _NONE:
        return None
    try:
        when = datetime.fromisoformat(text)
        zoned = when if when.tzinfo is not None else when.astimezone()
    except (ValueError, OverflowError, OSError) as error:
        msg = (
            f"{field}: {text!r} is not a time. Use ISO 8601, such as 2026-11-21T23:59 or "
            f"2026-11-21T23:59+01:00, or '{_NONE}'."
        )
        raise InvalidInputError(msg, field=field) from error
    if when.tzinfo is None:
        print(f"{field}: taken as {zoned.isoformat()}, this machine's zone", file=sys.stderr)
    return zoned


def parsed_duration(text: str, field: str) -> int:
    """Return seconds for ``text`` such as ``2d``, ``36h`` or ``1d12h``; ``InvalidInputError``."""
    if not re.fullmatch(r"(?:[0-9]{1,9}[wdhms])+", text):
        msg = f"{field}: {text!r} is not a length of time. Use for example 2d, 36h, 1d12h or 15m."
        raise InvalidInputError(msg, field=field)
    return sum(
        int(number) * _UNITS[unit] for number, unit in re.findall(r"([0-9]+)([wdhms])", text)
    )


def duration(seconds: int) -> str:
    """Return seconds as people say them, such as ``1d 3h 20m``; the two largest units and one."""
    parts: list[str] = []
    for unit in ("d", "h", "m", "s"):
        count, seconds = divmod(seconds, _UNITS[unit])
        if count:
            parts.append(f"{count}{unit}")
    return " ".join(parts[:3]) or "0s"


def shown(time: datetime | None) -> str:
    """Return a time in UTC, ``none`` for no time."""
    return _NONE if time is None else time.astimezone(UTC).isoformat(timespec="seconds")
