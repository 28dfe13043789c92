"""The address table of a server that forwards, and its own health."""

from __future__ import annotations

from jupyter_server.auth.decorator import allow_unauthenticated
from tornado import web

from jupyter_ppo.web.base import API_PREFIX
from jupyter_ppo.web.forwarding import ForwardingHandler
from jupyter_ppo.web.forwarding_base import ForwardingBase
from jupyter_ppo.web.forwarding_socket import ForwardingSocketHandler
from jupyter_ppo.web.health import version
from jupyter_ppo.web.models import Answer, HealthStatus


class ForwardingHealth(Answer):
    """Whether this server works, and whether the service that it forwards to answers."""

    status: HealthStatus
    version: str
    forwards: bool
    service_reachable: bool


class ForwardingHealthHandler(ForwardingBase):
    """``/health``: of this server, and whether the service is there."""

    @allow_unauthenticated
    async def get(self) -> None:
        """Say whether the service answers; the same to everybody."""
        is_there = await self.upstream.is_reachable()
        status = HealthStatus.OK if is_there else HealthStatus.DEGRADED
        self.reply(
            ForwardingHealth(
                status=status, version=version(), forwards=True, service_reachable=is_there
            )
        )


def forwarding_rules() -> list[tuple[str, type[web.RequestHandler]]]:
    """Return the rules of a server that forwards, without its base address."""
    return [
        (f"{API_PREFIX}/health", ForwardingHealthHandler),
        (f"{API_PREFIX}/runs/[^/]+/stream", ForwardingSocketHandler),
        (rf"{API_PREFIX}(?:/.*)?", ForwardingHandler),
    ]
