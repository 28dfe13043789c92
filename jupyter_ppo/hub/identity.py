"""Who sends a request to the service: the hub says it, and is asked again before staff write."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from jupyter_server.auth import User
from jupyter_server.auth.decorator import allow_unauthenticated
from jupyterhub.singleuser.extension import (
    JupyterHubIdentityProvider,
    JupyterHubOAuthCallbackHandler,
    JupyterHubUser,
)
from tornado.web import HTTPError, RequestHandler
from traitlets import Instance, Int, TraitError, Unicode, default, validate

from jupyter_ppo.domain.errors import HubUnavailableError
from jupyter_ppo.hub.oauth import StatelessHubOAuth
from jupyter_ppo.hub.roles import GroupNames, HubPerson, person_of
from jupyter_ppo.web.base import PPOHandler
from jupyter_ppo.web.errors import retry_after

#: Requests by which nothing is changed: RFC 9110, section 9.2.1.
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class SignInHandler(JupyterHubOAuthCallbackHandler):
    """Ends a sign-in. When the hub does not, it says so; the way back begins a new one."""

    def set_default_headers(self) -> None:
        """Send what every response of the service has."""
        for name, value in self.settings.get("headers", {}).items():
            self.set_header(name, value)

    @allow_unauthenticated
    async def get(self) -> None:
        """Answer with the page that the sign-in was for, or with a 503."""
        try:
            await super().get()
        except HubUnavailableError as error:
            self.set_status(HTTPStatus.SERVICE_UNAVAILABLE)
            self.set_header("Retry-After", str(retry_after(error) or 1))
            self.set_header("Content-Type", "text/plain; charset=utf-8")
            self.finish(f"{error.message} Then open the page anew: the sign-in begins again.")


class HubIdentityProvider(JupyterHubIdentityProvider):
    """JupyterHub's own provider, without what is right only for a person's own server."""

    group_format = Unicode(
        "course-{course}:{role}",
        help="""Names of the hub's groups that stand for a role in a course; ``{role}`` is
        student, grader or instructor.""",
    ).tag(config=True)

    recheck_seconds = Int(
        60,
        min=1,
        max=300,
        help="""Seconds for which an answer of the hub is believed. So long somebody who was taken
        out of a group may go on to read. Before staff change anything the hub is always asked.""",
    ).tag(config=True)

    hub_auth = Instance(StatelessHubOAuth)

    #: The names of the service's admins; until they are known anybody might be one.
    admins: frozenset[str] | None = None

    @property
    def token(self) -> str:
        """No token: the base class gives that of the service itself, and pages would print it."""
        return ""

    @default("hub_auth")
    def _default_hub_auth(self) -> StatelessHubOAuth:
        made = StatelessHubOAuth(parent=self, cache_max_age=self.recheck_seconds)
        made.state_secret = self.parent.cookie_secret
        return made

    @validate("group_format")
    def _check_group_format(self, proposal: Any) -> str:
        text = str(proposal["value"])
        try:
            GroupNames(text)
        except ValueError as error:
            msg = f"group_format: {error}."
            raise TraitError(msg) from None
        return text

    def get_handlers(self) -> list[Any]:
        """Return the base class's addresses, with a sign-in's end that says what is wrong."""
        return [
            (rule[0], SignInHandler, *rule[2:])
            if issubclass(rule[1], JupyterHubOAuthCallbackHandler)
            else rule
            for rule in super().get_handlers()
        ]

    def person(self, user: User, admins: frozenset[str]) -> HubPerson:
        """Return who a signed-in user is, by the groups and scopes of their model."""
        return self.person_in(getattr(user, "hub_user", {}), admins)

    def person_in(
        self, model: Mapping[str, Any], admins: frozenset[str] = frozenset()
    ) -> HubPerson:
        """Return who a model of the hub's is about."""
        return person_of(model, GroupNames(self.group_format), admins)

    async def get_user(self, handler: RequestHandler) -> User | None:
        """Return who sent the request, None for nobody.

        The hub is asked anew where staff change something. Raises ``HubUnavailableError`` for an
        address of the API and a 503 for a page when the hub does not answer.
        """
        try:
            user: User | None = await super().get_user(handler)
            if user is not None and self._must_ask_again(handler, user):
                user = await self.get_user_again(handler)
                handler._jupyterhub_user = user  # type: ignore[attr-defined]  # the base class's
        except HubUnavailableError as error:
            if isinstance(handler, PPOHandler):
                raise
            raise HTTPError(503, error.message) from error
        return user

    async def get_user_again(self, handler: RequestHandler) -> User | None:
        """Return who the sender of an earlier request is by now; None if nobody any more.

        The hub is asked whatever it said before. Raises ``HubUnavailableError``.
        """
        hub = self.hub_auth
        token = hub.get_token(handler)
        if not token:
            return None
        model = await hub.user_for_token(
            token, use_cache=False, session_id=hub.get_session_id(handler), sync=False
        )
        if model is None or not hub.check_scopes(hub.access_scopes, model):
            return None
        user: User = JupyterHubUser(model)
        return user

    def _must_ask_again(self, handler: RequestHandler, user: User) -> bool:
        if handler.request.method in _SAFE:
            return False
        admins = frozenset({user.username}) if self.admins is None else self.admins
        return self.person(user, admins).is_staff

    def page_config_hook(self, handler: RequestHandler, page_config: dict[str, Any]) -> Any:
        """Leave every token out of pages."""
        page_config.pop("token", None)
        return page_config
