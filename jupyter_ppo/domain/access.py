"""Who asks."""

from __future__ import annotations

from dataclasses import dataclass

from jupyter_ppo.domain.courses import one_spelling


@dataclass(frozen=True, slots=True)
class Caller:
    """The person behind a request or a command; ``admin`` may do everything in every course."""

    user: str
    admin: bool = False

    def __post_init__(self) -> None:
        """Take the username in the one spelling that courses know it in."""
        object.__setattr__(self, "user", one_spelling(self.user))
