"""Requests that show an API token in place of a sign-in: who sends them, and what they open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from jupyter_server.auth import IdentityProvider, User
from tornado.httputil import HTTPServerRequest
from tornado.web import RequestHandler

from jupyter_ppo.domain.access import Caller
from jupyter_ppo.domain.api_tokens import PREFIX, TokenAccess
from jupyter_ppo.domain.errors import ForbiddenError, UnauthorizedError
from jupyter_ppo.services.rate_limits import Limit
from jupyter_ppo.web.context import SETTING, WebContext
from jupyter_ppo.web.operations import Action

#: The schemes of the Authorization header; RFC 9110 has them in any case of letters.
_SCHEMES = frozenset({"bearer", "token"})
#: What a token opens, by the first part of the address: what is about its course, and nothing that
#: is its owner's alone (``/me/data``, ``/runs``, ``/execute``) or for admins.
_OPEN = frozenset(
    {
        "health",
        "me",
        "tutor",
        "privacy",
        "openapi.json",
        "courses",
        "submissions",
        "batches",
        "draft-batches",
        "drafts",
        "trials",
        "model-calls",
    }
)
#: The part of a token that says which one it is; wrong secrets are counted for each.
_ID_LENGTH = len(PREFIX) + 32
#: A revoked token ends what goes on with it after so many seconds.
_RECHECK_SECONDS = 60


@dataclass
class TokenUser(User):
    """The owner of the token that was sent, with the rights of this one request."""

    caller: Caller | None = None
    access: TokenAccess = TokenAccess.READ


class TokenIdentity(IdentityProvider):
    """Signs in who sends an API token; it is asked in place of the server's own provider.

    No browser sends one by itself, so XSRF tokens and origins are not asked for.
    """

    recheck_seconds = _RECHECK_SECONDS

    async def get_user(self, handler: RequestHandler) -> User | None:
        """Return the token's owner; raise ``UnauthorizedError`` when it is not good."""
        return await self.get_user_again(handler)

    async def get_user_again(self, handler: RequestHandler) -> User | None:
        """Return the token's owner as they are now; raise ``UnauthorizedError``."""
        context: WebContext = handler.settings[SETTING]
        text = sent_token(handler.request) or ""
        service = context.use_cases.api_tokens
        guess = handler.request.remote_ip, text[:_ID_LENGTH]
        context.limits.check(Limit.GUESSES, guess)
        try:
            caller, token = await context.in_thread(lambda: service.sign_in(text))
        except UnauthorizedError:
            context.limits.take(Limit.GUESSES, guess)
            raise
        return TokenUser(username=caller.user, caller=caller, access=token.access)

    def is_token_authenticated(self, handler: Any) -> bool:
        """Whether the request was signed in by a token: always."""
        return True

    def should_check_origin(self, handler: Any) -> bool:
        """Whether pages of other origins are refused: a token is no cookie."""
        return False


def sent_token(request: HTTPServerRequest) -> str | None:
    """Return the API token in a request's Authorization header, None without one.

    Whatever begins as ours do is one, so that a mistyped token is not tried as another's.
    """
    scheme, _, text = request.headers.get("Authorization", "").strip().partition(" ")
    text = text.strip()
    return text if scheme.lower() in _SCHEMES and text.startswith(PREFIX) else None


def check_address(user: User | None, path: str) -> None:
    """Raise ``ForbiddenError`` for a token at an address that no token opens.

    ``path`` is that below the API's prefix.
    """
    if not isinstance(user, TokenUser):
        return
    parts = path.strip("/").split("/")
    is_own = parts[0] == "me" and len(parts) > 1
    is_tokens = parts[0] == "courses" and parts[2:3] == ["tokens"]
    if parts[0] not in _OPEN or is_own or is_tokens:
        msg = "An API token opens what is about its course, and not this. Sign in yourself."
        raise ForbiddenError(msg)


def check_action(user: User | None, action: Action) -> None:
    """Raise ``ForbiddenError`` when a token for reading is used for more."""
    if not isinstance(user, TokenUser) or user.access is TokenAccess.WRITE:
        return
    if action is not Action.READ:
        msg = "This API token may only read. Make one with access 'write'."
        raise ForbiddenError(msg)
