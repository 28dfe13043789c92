"""Whether the service works: the one thing that anyone may ask."""

from __future__ import annotations

from jupyter_server.auth.decorator import allow_unauthenticated

from jupyter_ppo.web.base import PPOHandler
from jupyter_ppo.web.models import Grading, Health, HealthStatus
from jupyter_ppo.web.operations import answers


class HealthHandler(PPOHandler):
    """``/health``: says nothing about people, courses or this machine."""

    @allow_unauthenticated
    @answers(Health)
    async def get(self) -> None:
        """Say whether the database is there, and the sandbox if this process grades."""
        grades_here = self.context.grades_here
        works = self.context.problem is None and (
            not grades_here or (await self.context.sandbox_status()).available
        )
        status = HealthStatus.OK if works else HealthStatus.DEGRADED
        self.reply(Health(status=status, version=version(), grading=Grading.of(grades_here)))


def version() -> str:
    """Return the version of this package."""
    try:
        from jupyter_ppo._version import __version__
    except ImportError:  # the file is written when the package is installed
        return "unknown"
    return str(__version__)


handlers = [("/health", HealthHandler)]
