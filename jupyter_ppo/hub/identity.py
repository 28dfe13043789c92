"""Who sends a request to the service: the hub says it, and is asked again before staff write."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jupyter_server.auth import User
from jupyterhub.singleuser.extension import JupyterHubIdentityProvider, JupyterHubUser
from tornado.web import HTTPError, RequestHandler
from traitlets import Instance, Int, TraitError, Unicode, default, validate

from jupyter_ppo.domain.errors import HubUnavailableError
from jupyter_ppo.hub.oauth import StatelessHubOAuth
from jupyter_ppo.hub.roles import GroupNames, HubPerson, person_of
from jupyter_ppo.web.base import PPOHandler

#: Requests by which nothing is changed: RFC 9110, section 9.2.1.
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


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
            handler.set_header("Retry-After", str(round(error.retry_after) or 1))
            raise HTTPError(503, error.message) from None
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
        # Whose name is in the list of admins is not known here; the scope alone is reason enough.
        if handler.request.method in _SAFE:
            return False
        name = frozenset({user.username})
        return self.person(user, name).is_staff

    def page_config_hook(self, handler: RequestHandler, page_config: dict[str, Any]) -> Any:
        """Leave every token out of pages."""
        page_config.pop("token", None)
        return page_config
