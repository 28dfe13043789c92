"""Who asks."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Caller:
    """The person behind a request or a command; ``admin`` may do everything in every course."""

    user: str
    admin: bool = False
