"""What a person may do, from the hub's model of them: a group says who they are, a scope what the
token that asks may use of it.

A group is on the model whatever token asked, a scope is on the token. Both together mean that code
in an instructor's notebook server, which holds that server's token, has no staff's power, while
the same instructor's sign-in at the service has it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jupyter_ppo.domain.courses import Role

#: What JupyterHub calls a custom scope begins so.
SCOPES = {
    Role.GRADER: "custom:ppo:grader",
    Role.INSTRUCTOR: "custom:ppo:instructor",
    Role.ADMIN: "custom:ppo:admin",
}
#: Lowest first: who is in several groups of a course has the highest of their roles.
_RANK = (Role.STUDENT, Role.GRADER, Role.INSTRUCTOR)
_PLACES = {"course": r"(?P<course>[A-Za-z0-9][A-Za-z0-9._-]{0,99})", "role": r"(?P<role>[a-z]+)"}


class GroupNames:
    """Reads ``format``, such as ``course-{course}:{role}``, in names of groups.

    Raises ``ValueError`` for a format without one of the two places.
    """

    def __init__(self, text: str) -> None:
        try:
            text.format(course="c", role="r")
        except (KeyError, IndexError, ValueError):
            msg = "use only the places {course} and {role}"
            raise ValueError(msg) from None
        if any(text.count(f"{{{place}}}") != 1 for place in _PLACES):
            msg = "name {course} and {role} once each, as in course-{course}:{role}"
            raise ValueError(msg)
        pieces = re.split(r"\{(course|role)\}", text)
        self._pattern = re.compile(
            "".join(
                _PLACES[piece] if index % 2 else re.escape(piece)
                for index, piece in enumerate(pieces)
            )
        )

    def role_in(self, group: str) -> tuple[str, Role] | None:
        """Return the course and the role that a group stands for, None for other groups."""
        found = self._pattern.fullmatch(group)
        if found is None or found["role"] not in tuple(_RANK):
            return None
        return found["course"], Role(found["role"])


@dataclass(frozen=True, slots=True)
class HubPerson:
    """A person as the hub knows them: ``held`` roles by course, and those ``allowed`` now."""

    user: str
    held: Mapping[str, Role]
    allowed: Mapping[str, Role]
    admin: bool

    @property
    def is_staff(self) -> bool:
        """Whether this request may do what no student may."""
        return self.admin or any(role.may_grade for role in self.allowed.values())


def person_of(model: Mapping[str, Any], groups: GroupNames, admins: frozenset[str]) -> HubPerson:
    """Return who a token of the hub belongs to; ``model`` is what ``GET /hub/api/user`` answers.

    A service of the hub is nobody here: what it does could be laid to no person's charge.
    ``admins`` are the names that may use the scope of an admin.
    """
    name = str(model.get("name", ""))
    if model.get("kind") != "user":
        return HubPerson(name, {}, {}, admin=False)
    scopes = {str(scope) for scope in model.get("scopes") or ()}
    held: dict[str, Role] = {}
    for group in model.get("groups") or ():
        found = groups.role_in(str(group))
        if found is not None:
            course, role = found
            held[course] = max(held.get(course, Role.STUDENT), role, key=_RANK.index)
    allowed = {course: _allowed(role, scopes) for course, role in held.items()}
    return HubPerson(name, held, allowed, name in admins and SCOPES[Role.ADMIN] in scopes)


def _allowed(role: Role, scopes: set[str]) -> Role:
    """Return the highest role up to ``role`` that the scopes allow; everybody may be a student."""
    usable = [each for each in _RANK[: _RANK.index(role) + 1] if SCOPES.get(each) in scopes]
    return max(usable, key=_RANK.index, default=Role.STUDENT)
