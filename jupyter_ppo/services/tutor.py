"""Whether a language model is there, and whether it answers."""

from __future__ import annotations

from dataclasses import dataclass

from jupyter_ppo.domain.access import Caller
from jupyter_ppo.domain.errors import ForbiddenError
from jupyter_ppo.domain.tutoring import ModelAnswer
from jupyter_ppo.services.model_calls import ModelCalls

_NONE = (
    "No language model is set up on this server. Hints are their author's or made by rules, "
    "explanations are made by rules, and people give feedback."
)


@dataclass(frozen=True, slots=True)
class TutorStatus:
    """What everybody may know; all but ``message`` is empty when there is no model."""

    available: bool
    provider: str
    model: str
    host: str
    message: str


class TutorService:
    """Says which model is set up. Asking for it sends nothing."""

    def __init__(self, calls: ModelCalls) -> None:
        self._calls = calls

    def status(self, caller: Caller) -> TutorStatus:
        """Return whether a model is set up; why not is told to admins, who can change it."""
        about = self._calls.about
        if about is None:
            problem = self._calls.problem if caller.admin else ""
            return TutorStatus(False, "", "", "", f"{_NONE} {problem}".strip())
        message = f"The language model {about.model} at {about.host} may be asked; it may be wrong."
        return TutorStatus(True, about.provider, about.model, about.host, message)

    def check(self, caller: Caller) -> ModelAnswer:
        """Ask the model for one word (admins). Raises ``ModelUnavailableError``."""
        if not caller.admin:
            msg = "Only an admin of this server may do this."
            raise ForbiddenError(msg)
        return self._calls.check()
