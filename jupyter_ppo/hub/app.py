"""``jupyter ppo service``: the extension as a service of a JupyterHub."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from jupyter_server.auth import User
from jupyter_server.utils import url_path_join
from traitlets import TraitError

from jupyter_ppo.domain.access import Caller
from jupyter_ppo.domain.courses import Role
from jupyter_ppo.domain.errors import ForbiddenError
from jupyter_ppo.extension import PPOExtension
from jupyter_ppo.hub.groups import GroupsNow
from jupyter_ppo.hub.identity import HubIdentityProvider
from jupyter_ppo.hub.page import PAGE, page_rules
from jupyter_ppo.hub.roles import HubPerson
from jupyter_ppo.hub.server import ServiceServer
from jupyter_ppo.web.context import CallerOf
from jupyter_ppo.wiring import PPOService
from jupyter_ppo.wiring.enrolment import build_enrolment


class PPOHubService(PPOExtension):
    """The same extension; who somebody is and what they may do is the hub's to say."""

    serverapp_class = ServiceServer
    load_other_extensions = False
    may_forward = False

    @classmethod
    def get_extension_package(cls) -> str:
        """Return the package under which the server knows this extension."""
        return "jupyter_ppo.hub"

    @classmethod
    def make_serverapp(cls, **options: Any) -> ServiceServer:
        """Return the server, set up as the hub says."""
        server = super().make_serverapp(**options)
        assert isinstance(server, ServiceServer)  # noqa: S101 - for the type checker
        server.use_the_hub()
        server.config.PPOService.identity = "provider"
        server.config.ServerApp.default_url = url_path_join(server.config.ServerApp.base_url, PAGE)
        return server

    def initialize_handlers(self) -> None:
        """Add the address table and the page that people see who come by themselves."""
        super().initialize_handlers()
        self.handlers.extend(page_rules())

    def caller_of(self, settings: PPOService) -> CallerOf:
        """Say who a signed-in person is: by the hub's groups and the scopes of their token."""
        provider = self.serverapp.identity_provider if self.serverapp else None
        if not isinstance(provider, HubIdentityProvider):
            msg = "ServerApp.identity_provider_class: leave it to `jupyter ppo service`."
            raise TraitError(msg)
        if self.service is None:
            return super().caller_of(settings)
        enrolment = build_enrolment(self.service)
        admins = provider.admins = frozenset(settings.admins)
        self.service.use_cases.api_tokens.refresh_by(GroupsNow(provider, enrolment).refresh)

        async def caller(user: User) -> Caller:
            person = provider.person(user, admins)
            grants = enrolment.remembered(person.user, person.held, person.allowed)
            if grants is None:
                grants = await asyncio.to_thread(
                    enrolment.grants, person.user, person.held, person.allowed
                )
            return _caller(person, grants)

        return caller


def _caller(person: HubPerson, grants: Mapping[UUID, Role]) -> Caller:
    if not person.held and not person.admin:
        msg = (
            "You are in no course of this service. Ask your instructor: a course's people are "
            "those of its groups in JupyterHub."
        )
        raise ForbiddenError(msg)
    return Caller(person.user, admin=person.admin, grants=grants)
