"""Whether a language model may be asked."""

from __future__ import annotations

from tornado import web

from jupyter_ppo.services.tutor import TutorStatus
from jupyter_ppo.web.base import PPOHandler
from jupyter_ppo.web.models import Answer
from jupyter_ppo.web.operations import Action, answers, permitted


class Tutor(Answer):
    """Whether there is a language model, and which; ``message`` is for people.

    Without one, ``provider``, ``model`` and ``host`` are empty.
    """

    available: bool
    provider: str
    model: str
    host: str
    message: str

    @classmethod
    def of(cls, status: TutorStatus) -> Tutor:
        """Make the body from the service's answer."""
        return cls(
            available=status.available,
            provider=status.provider,
            model=status.model,
            host=status.host,
            message=status.message,
        )


class TutorHandler(PPOHandler):
    """``/tutor``: the language model of this server."""

    @web.authenticated
    @permitted(Action.READ)
    @answers(Tutor)
    async def get(self) -> None:
        """Say whether a language model is set up; the model itself is not asked."""
        self.reply(Tutor.of(await self.ask(self.use_cases.tutor.status)))


handlers = [("/tutor", TutorHandler)]
