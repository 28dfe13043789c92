"""How a check can end, and what is raised when the border does not hold."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

LATE: Final = "The time for this check is used up."


class State(StrEnum):
    """The values of ``domain.exam.CheckState``; that module is not there inside a container."""

    PASSED = "passed"
    FAILED = "failed"
    TIMEOUT = "timeout"
    BORDER = "border"
    NOT_RUN = "not_run"


class Breach(BaseException):
    """The check is over: time or a budget is used up, or what came cannot be used.

    Not an ``Exception``, so that ``except Exception`` in a test does not take it for an answer of
    the student's; the session remembers it too, for a test with a bare ``except``.
    """

    def __init__(self, state: State, text: str, *, is_answered: bool = False) -> None:
        super().__init__(text)
        self.state = state
        self.text = text
        self.is_answered = is_answered
