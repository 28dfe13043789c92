"""Who asks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from jupyter_ppo.domain.courses import Role, one_spelling


@dataclass(frozen=True, slots=True)
class Caller:
    """The person behind a request or a command; ``admin`` may do everything in every course.

    ``grants`` are the roles of this one request by course id, where something else than the
    memberships decides: a hub's groups and the scopes of the token that asks. None: the
    memberships decide. ``token`` is the API token that was shown in place of a sign-in.
    """

    user: str
    admin: bool = False
    grants: Mapping[UUID, Role] | None = None
    token: UUID | None = None

    def __post_init__(self) -> None:
        """Take the username in the one spelling that courses know it in."""
        object.__setattr__(self, "user", one_spelling(self.user))
