"""Who is in a course, in which groups, and what a list of people says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from jupyter_ppo.domain.courses import Role, one_spelling
from jupyter_ppo.domain.errors import InvalidInputError

MAX_DETAIL = 200
_MAX_GROUP = 100
_MAX_GROUPS = 100


@dataclass(frozen=True, slots=True)
class Person:
    """What a course knows of a person beside their username; empty where it is not known."""

    first_name: str = ""
    last_name: str = ""
    email: str = ""
    lms_user_id: str = ""


@dataclass(frozen=True, slots=True)
class PersonChange:
    """What is to be written of a person; None leaves what is there."""

    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None
    lms_user_id: str | None = None

    def checked(self) -> PersonChange:
        """Return it without blanks at the ends; raise ``InvalidInputError`` naming the field."""
        return replace(self, **{name: checked_detail(text, name) for name, text in self._given()})

    def of(self, person: Person) -> Person:
        """Return ``person`` with this written over it."""
        return replace(person, **dict(self._given()))

    def _given(self) -> list[tuple[str, str]]:
        values = ((item.name, getattr(self, item.name)) for item in fields(self))
        return [(name, text) for name, text in values if text is not None]


@dataclass(frozen=True, slots=True)
class Member:
    """A person of a course. ``removed_at`` is set for who was unenrolled; their work is kept."""

    user: str
    role: Role
    person: Person
    groups: tuple[str, ...]
    enrolled_at: datetime | None
    removed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """Some members of a course, by name."""

    id: UUID
    name: str
    users: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RosterRow:
    """One line of a list of people.

    ``groups`` are added to those that the person is in. Without a ``role`` a person keeps theirs,
    and a new one is a student; what is empty in ``person`` is kept as it is, too.
    """

    line: int
    user: str
    role: Role | None
    person: Person
    groups: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RosterProblem:
    """What is wrong with one line (counted from 1, the heading included)."""

    line: int
    field: str
    message: str


@dataclass(frozen=True, slots=True)
class RosterImport:
    """What a list of people did, or would do; with problems nothing is changed.

    ``problems`` are the first ones of ``problem_count``.
    """

    added: int
    changed: int
    unchanged: int
    problems: tuple[RosterProblem, ...]
    problem_count: int
    is_applied: bool


class TrashKind(StrEnum):
    """What can be deleted and brought back."""

    COURSE = "course"
    ASSIGNMENT = "assignment"
    SUBMISSION = "submission"


@dataclass(frozen=True, slots=True)
class Trashed:
    """Something that was deleted: it is kept whole and can be restored."""

    kind: TrashKind
    id: UUID
    name: str
    deleted_at: datetime
    deleted_by: str


def checked_detail(text: str, field: str) -> str:
    """Return a name or an address of a person without blanks at its ends.

    Raises ``InvalidInputError`` naming ``field`` when it is too long or cannot be printed.
    """
    stripped = text.strip()
    if len(stripped) > MAX_DETAIL or not stripped.isprintable():
        msg = f"{field}: use at most {MAX_DETAIL} printable characters in one line."
        raise InvalidInputError(msg, field=field)
    return stripped


def checked_group(name: str, field: str = "group") -> str:
    """Return the name of a group in its one spelling.

    Raises ``InvalidInputError`` naming ``field`` if ``name`` cannot be one. Lists of people
    separate groups with semicolons, addresses with slashes: no name holds these.
    """
    name = one_spelling(name)
    fits = 0 < len(name) <= _MAX_GROUP and name.isprintable() and name == name.strip()
    if not fits or set(";/") & set(name) or name in {".", ".."}:
        msg = (
            f"{field}: {name[:120]!r} is not a name of a group. Use 1 to {_MAX_GROUP} printable "
            "characters without a slash or a semicolon, and no blank at either end."
        )
        raise InvalidInputError(msg, field=field)
    return name


def checked_groups(names: Sequence[str]) -> tuple[str, ...]:
    """Return the names of one person's groups, each once; raise ``InvalidInputError``."""
    if len(names) > _MAX_GROUPS:
        msg = f"groups: {len(names)} groups of one person are too many. Use at most {_MAX_GROUPS}."
        raise InvalidInputError(msg, field="groups")
    return tuple(dict.fromkeys(checked_group(name, "groups") for name in names))
