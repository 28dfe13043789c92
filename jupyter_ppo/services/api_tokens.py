"""API tokens: made, rotated, revoked, and taken in place of a sign-in."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol
from uuid import UUID

from jupyter_ppo.domain import api_tokens
from jupyter_ppo.domain.access import Caller
from jupyter_ppo.domain.api_tokens import ApiToken, NewToken, TokenAccess, TokenUse
from jupyter_ppo.domain.courses import Role, checked_user
from jupyter_ppo.domain.errors import ForbiddenError, NotFoundError, UnauthorizedError
from jupyter_ppo.domain.ports import Clock, CourseStore, Page
from jupyter_ppo.domain.privacy import is_stand_in
from jupyter_ppo.services.access import Access
from jupyter_ppo.services.audit import AuditLog, note

_log = logging.getLogger(__name__)

#: Uses are written down so often, in seconds: a busy program costs one write a minute.
_WRITE_SECONDS = 60.0


class TokenStore(Protocol):
    """Where tokens are kept."""

    def add(self, new: NewToken, digest: str) -> ApiToken:
        """Add a token; raise ``ConflictError`` when the person has too many that are good."""

    def rotate(self, token_id: UUID, digest: str, overlap: timedelta) -> ApiToken:
        """Add a token like this one, and let this one end after ``overlap`` at the latest."""

    def revoke(self, token_id: UUID) -> ApiToken:
        """End a token now; raise ``NotFoundError``."""

    def token(self, token_id: UUID) -> ApiToken:
        """Return a token; raise ``NotFoundError``."""

    def good(self, token_id: UUID) -> tuple[ApiToken, str] | None:
        """Return a token and the digest of its secret, None when it is not good now."""

    def of_user(self, user: str, *, offset: int, limit: int) -> Page[ApiToken]:
        """Return a person's tokens, newest first."""

    def of_course(self, course_id: UUID, *, offset: int, limit: int) -> Page[ApiToken]:
        """Return the tokens for a course, newest first."""

    def used(self, uses: Mapping[UUID, TokenUse]) -> None:
        """Add to the counts of tokens."""


@dataclass(frozen=True, slots=True)
class MadeToken:
    """A new token with its secret, which is shown this once."""

    token: ApiToken
    secret: str


class ApiTokenService:
    """What everybody does with their own tokens, and instructors with those for their course.

    ``is_admin`` says whether a username is that of an admin now. ``seconds`` is how often uses
    are written down.
    """

    def __init__(
        self,
        *,
        courses: CourseStore,
        tokens: TokenStore,
        clock: Clock,
        audit: AuditLog,
        is_admin: Callable[[str], bool],
        seconds: float = _WRITE_SECONDS,
    ) -> None:
        self._courses = courses
        self._access = Access(courses)
        self._tokens = tokens
        self._clock = clock
        self._audit = audit
        self._is_admin = is_admin
        self._seconds = seconds
        self._refresh: Callable[[str], object] = _as_they_are
        self._lock = threading.Lock()
        self._uses: dict[UUID, TokenUse] = {}
        self._write_at = 0.0

    def refresh_by(self, refresh: Callable[[str], object]) -> None:
        """Have ``refresh`` bring a person's memberships up to date before a token is believed.

        For where somebody else than this service decides who is in a course.
        """
        self._refresh = refresh

    # -- one's own ---------------------------------------------------------------------------

    def create(
        self,
        caller: Caller,
        course_name: str,
        name: str,
        *,
        role: Role = Role.STUDENT,
        access: TokenAccess = TokenAccess.READ,
        days: int = api_tokens.DEFAULT_DAYS,
        user: str | None = None,
    ) -> MadeToken:
        """Make a token; an admin may make one for another ``user`` of the course.

        Raises ``InvalidInputError``, ``NotFoundError`` for a course that the caller is not in, and
        ``ForbiddenError`` when the role is higher than the caller's, or its owner's, is now.
        """
        _check_person(caller)
        course, _ = self._access.course(caller, course_name)
        owner = caller.user if user is None else checked_user(user)
        if owner != caller.user and not caller.admin:
            msg = "user: only an admin makes tokens for other people. Leave it out."
            raise ForbiddenError(msg, field="user")
        new = NewToken(
            user=owner,
            name=api_tokens.checked_name(name),
            course_id=course.id,
            role=api_tokens.checked_role(role),
            access=access,
            lifetime=api_tokens.checked_days(days),
        )
        self._check_role(caller, owner, course.id, new.role)
        secret = api_tokens.new_secret()
        token = self._tokens.add(new, api_tokens.digest(secret))
        self._note(caller, "token.created", token)
        return MadeToken(token, api_tokens.written(token.id, secret))

    def mine(self, caller: Caller, *, offset: int, limit: int) -> Page[ApiToken]:
        """Return the caller's tokens, newest first, also those that have ended."""
        _check_person(caller)
        self.write_uses()
        return self._tokens.of_user(caller.user, offset=offset, limit=limit)

    def rotate(
        self,
        caller: Caller,
        token_id: UUID,
        overlap_hours: float = api_tokens.DEFAULT_OVERLAP_HOURS,
    ) -> MadeToken:
        """Make a token of the same kind; the old one stays good for ``overlap_hours``.

        Raises ``NotFoundError`` for anybody else's, ``ConflictError`` when it has ended or was
        rotated, ``InvalidInputError`` and, as in ``create``, ``ForbiddenError``.
        """
        token = self._own(caller, token_id)
        overlap = api_tokens.checked_overlap(overlap_hours)
        self._check_role(caller, token.user, token.course_id, token.role)
        secret = api_tokens.new_secret()
        made = self._tokens.rotate(token_id, api_tokens.digest(secret), overlap)
        self._note(caller, "token.rotated", made)
        return MadeToken(made, api_tokens.written(made.id, secret))

    def revoke(self, caller: Caller, token_id: UUID) -> ApiToken:
        """End a token of the caller's own, now and for good; raise ``NotFoundError``."""
        return self._revoke(caller, self._own(caller, token_id))

    # -- of a course -------------------------------------------------------------------------

    def of_course(
        self, caller: Caller, course_name: str, *, offset: int, limit: int
    ) -> Page[ApiToken]:
        """Return everybody's tokens for a course (instructors), newest first."""
        _check_person(caller)
        course = self._access.author(caller, course_name)
        self.write_uses()
        return self._tokens.of_course(course.id, offset=offset, limit=limit)

    def revoke_in_course(self, caller: Caller, course_name: str, token_id: UUID) -> ApiToken:
        """End anybody's token for a course (instructors); raise ``NotFoundError``."""
        _check_person(caller)
        course = self._access.author(caller, course_name)
        token = self._tokens.token(token_id)
        if token.course_id != course.id:
            raise _absent(token_id)
        return self._revoke(caller, token)

    # -- signing in --------------------------------------------------------------------------

    def sign_in(self, text: str) -> tuple[Caller, ApiToken]:
        """Return who a token stands for, with the rights that its owner has now at most.

        Raises ``UnauthorizedError`` for one that is unknown, expired, revoked or not a token: what
        of these it is, is not told.
        """
        sent = api_tokens.read(text)
        found = None if sent is None else self._tokens.good(sent[0])
        if sent is None or found is None or not api_tokens.is_same(sent[1], found[1]):
            msg = (
                "This API token is not good: it is unknown, has expired or was revoked. Make "
                "another one at /me/tokens or with 'jupyter ppo token create'."
            )
            raise UnauthorizedError(msg)
        token = found[0]
        self._refresh(token.user)
        now = self._role_now(token.user, token.course_id)
        grants = {} if now is None else {token.course_id: api_tokens.lower(token.role, now)}
        self._count(token.id)
        return Caller(token.user, grants=grants, token=token.id), token

    def write_uses(self) -> None:
        """Write down what was counted; what cannot be written now is kept for the next time."""
        with self._lock:
            uses, self._uses = self._uses, {}
            self._write_at = time.monotonic() + self._seconds
        if not uses:
            return
        try:
            self._tokens.used(uses)
        except Exception:
            # A request is not refused because of a count.
            _log.exception("uses of %s API tokens could not be written", len(uses))
            with self._lock:
                for token_id, use in uses.items():
                    self._add(token_id, use)

    # ----------------------------------------------------------------------------------------

    def _count(self, token_id: UUID) -> None:
        with self._lock:
            self._add(token_id, TokenUse(1, self._clock.now()))
            is_due = time.monotonic() >= self._write_at
        if is_due:
            self.write_uses()

    def _add(self, token_id: UUID, use: TokenUse) -> None:
        before = self._uses.get(token_id)
        self._uses[token_id] = (
            use
            if before is None
            else TokenUse(before.uses + use.uses, max(before.last_used_at, use.last_used_at))
        )

    def _own(self, caller: Caller, token_id: UUID) -> ApiToken:
        _check_person(caller)
        token = self._tokens.token(token_id)
        if token.user != caller.user:
            raise _absent(token_id)
        return token

    def _revoke(self, caller: Caller, token: ApiToken) -> ApiToken:
        revoked = self._tokens.revoke(token.id)
        if token.revoked_at is None:
            self._note(caller, "token.revoked", revoked)
        return revoked

    def _role_now(self, user: str, course_id: UUID) -> Role | None:
        if is_stand_in(user):
            return None
        if self._is_admin(user):
            return Role.ADMIN
        membership = self._courses.membership(course_id, user)
        return membership.role if membership else None

    def _check_role(self, caller: Caller, owner: str, course_id: UUID, wanted: Role) -> None:
        """Raise ``ForbiddenError`` for more than the owner may do now, or the caller right here.

        A request may have less rights than its sender: code in an instructor's own notebook server
        must not make itself a token with more.
        """
        now = self._role_now(owner, course_id)
        here = self._access.role_in(caller, course_id)
        if now is None or here is None:
            msg = f"{owner!r} is not in this course. Enrol them first."
            raise ForbiddenError(msg)
        most = api_tokens.lower(now, here)
        if api_tokens.lower(wanted, most) is not wanted:
            msg = f"role: a {wanted}'s token is more than a {most} may have. Use {most!s} or less."
            raise ForbiddenError(msg, field="role")

    def _note(self, caller: Caller, action: str, token: ApiToken) -> None:
        detail = {
            "token": str(token.id),
            "role": token.role,
            "access": token.access,
            "expires_at": token.expires_at.isoformat(),
        }
        note(self._audit, caller.user, action, f"{token.course}/{token.user}", detail)


def _as_they_are(_user: str) -> None:
    """Leave the memberships: they are decided here."""


def _check_person(caller: Caller) -> None:
    if caller.token is not None:
        msg = "An API token cannot make, list or end tokens. Sign in yourself."
        raise ForbiddenError(msg)


def _absent(token_id: UUID) -> NotFoundError:
    return NotFoundError(f"There is no token {str(token_id)!r}.", field="token")
