"""API tokens: what programs show in place of a person's sign-in, and how far each reaches."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import string
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from jupyter_ppo.domain.courses import Role
from jupyter_ppo.domain.errors import InvalidInputError

#: What every token begins with, so that people and secret scanners know one when they see it.
PREFIX = "ppo_"
MAX_DAYS, DEFAULT_DAYS = 365, 90
#: How long a token that was rotated is good beside the new one, in hours.
MAX_OVERLAP_HOURS, DEFAULT_OVERLAP_HOURS = 168.0, 24.0
#: Tokens of one person that are good at the same time.
MAX_ACTIVE = 50

_SECRET_BYTES = 32
_DIGITS = string.digits + string.ascii_uppercase + string.ascii_lowercase
#: Digits to the base of 62 that 32 bytes need at most.
_SECRET_LENGTH = 43
_TOKEN = re.compile(rf"{PREFIX}([0-9a-f]{{32}})_([0-9A-Za-z]{{{_SECRET_LENGTH}}})")
_NAME_LENGTH = 100
#: Lowest first.
_RANK = (Role.STUDENT, Role.GRADER, Role.INSTRUCTOR, Role.ADMIN)
#: No token is an admin.
TOKEN_ROLES = _RANK[:-1]


class TokenAccess(StrEnum):
    """What a token may be used for: looking, or changing things as well."""

    READ = "read"
    WRITE = "write"


@dataclass(frozen=True, slots=True)
class ApiToken:
    """A token without its secret. ``role`` is the most that it may be used for in its course.

    ``uses`` are counted, and ``last_used_at`` is noted, about once a minute. ``rotated_from`` is
    the token that it took the place of.
    """

    id: UUID
    user: str
    name: str
    course_id: UUID
    course: str
    role: Role
    access: TokenAccess
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None = None
    uses: int = 0
    revoked_at: datetime | None = None
    rotated_from: UUID | None = None

    def is_good(self, now: datetime) -> bool:
        """Whether it is neither revoked nor expired."""
        return self.revoked_at is None and now < self.expires_at

    @property
    def lifetime(self) -> timedelta:
        """How long it was made for."""
        return self.expires_at - self.created_at


@dataclass(frozen=True, slots=True)
class NewToken:
    """What a new token is to be; ``lifetime`` is counted by the database's clock."""

    user: str
    name: str
    course_id: UUID
    role: Role
    access: TokenAccess
    lifetime: timedelta


@dataclass(frozen=True, slots=True)
class TokenUse:
    """How often a token was used since it was last written down, and when last."""

    uses: int
    last_used_at: datetime


def new_secret() -> str:
    """Return 32 random bytes as 43 digits to the base of 62."""
    number = int.from_bytes(secrets.token_bytes(_SECRET_BYTES), "big")
    digits = []
    for _ in range(_SECRET_LENGTH):
        number, digit = divmod(number, len(_DIGITS))
        digits.append(_DIGITS[digit])
    return "".join(digits)


def written(token_id: UUID, secret: str) -> str:
    """Return a token as it is sent: ``ppo_<id>_<secret>``."""
    return f"{PREFIX}{token_id.hex}_{secret}"


def read(text: str) -> tuple[UUID, str] | None:
    """Return the id and the secret of a token as it is sent, None for anything else."""
    found = _TOKEN.fullmatch(text)
    return None if found is None else (UUID(found[1]), found[2])


def digest(secret: str) -> str:
    """Return what is kept of a secret: SHA-256, lower-case hex.

    A plain hash is enough: nobody tries through 256 random bits.
    """
    return hashlib.sha256(secret.encode()).hexdigest()


def is_same(secret: str, kept: str) -> bool:
    """Whether ``kept`` is the digest of ``secret``; takes as long whatever differs."""
    return hmac.compare_digest(digest(secret), kept)


def lower(one: Role, other: Role) -> Role:
    """Return the role that may do less."""
    return min(one, other, key=_RANK.index)


def checked_name(name: str) -> str:
    """Return the name of a token; raise ``InvalidInputError`` (field ``name``)."""
    name = name.strip()
    if not 0 < len(name) <= _NAME_LENGTH or not name.isprintable():
        msg = (
            f"name: {name[:40]!r} cannot be used. Use 1 to {_NAME_LENGTH} printable characters "
            "that say what the token is for."
        )
        raise InvalidInputError(msg, field="name")
    return name


def checked_role(role: Role) -> Role:
    """Return the role of a token; raise ``InvalidInputError`` (field ``role``) for an admin's."""
    if role not in TOKEN_ROLES:
        msg = f"role: a token cannot be an {role}. Use {', '.join(TOKEN_ROLES)}."
        raise InvalidInputError(msg, field="role")
    return role


def checked_days(days: int) -> timedelta:
    """Return how long a token is good; raise ``InvalidInputError`` (field ``days``)."""
    if not 1 <= days <= MAX_DAYS:
        msg = f"days: {days} cannot be used. Use 1 to {MAX_DAYS}."
        raise InvalidInputError(msg, field="days")
    return timedelta(days=days)


def checked_overlap(hours: float) -> timedelta:
    """Return how long the old token stays good; raise ``InvalidInputError``."""
    if not 0 <= hours <= MAX_OVERLAP_HOURS:
        msg = f"overlap_hours: {hours} cannot be used. Use 0 to {MAX_OVERLAP_HOURS:g}."
        raise InvalidInputError(msg, field="overlap_hours")
    return timedelta(hours=hours)
