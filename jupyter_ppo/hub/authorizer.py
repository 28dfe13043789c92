"""What may be asked of the service's server: only what is ours."""

from __future__ import annotations

from jupyter_server.auth import Authorizer, User
from jupyter_server.base.handlers import JupyterHandler

from jupyter_ppo.web.base import PPOHandler


class OnlyOurs(Authorizer):
    """Denies everything that is not an address of the course service.

    Which course and which role is asked for in the use cases (``services.access``); this is the
    wall around the rest: contents, kernels, sessions and terminals would run as the service.
    """

    def is_authorized(
        self, handler: JupyterHandler, user: User, action: str, resource: str
    ) -> bool:
        """Whether the address is one of ours."""
        return isinstance(handler, PPOHandler)
