"""Stops the author's own code when the time of a check is used up."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

from jupyter_ppo.sandbox.border.breach import LATE, State
from jupyter_ppo.sandbox.border.session import Session

#: Seconds until it is tried again, for code that catches what stopped it.
_AGAIN: Final = 0.5


class Clock:
    """An alarm at the session's deadline. While the border is in use, the border keeps the time."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._is_armed = False
        signal.signal(signal.SIGALRM, self._ring)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Let the alarm ring in here."""
        self._is_armed = True
        try:
            self.wind()
            yield
        finally:
            self._is_armed = False
            signal.setitimer(signal.ITIMER_REAL, 0)

    def wind(self) -> None:
        """Set the alarm to the session's deadline."""
        left = max(self._session.deadline - time.monotonic(), 0.001)
        signal.setitimer(signal.ITIMER_REAL, left, _AGAIN)

    def _ring(self, _number: int, _frame: FrameType | None) -> None:
        if not self._is_armed or self._session.is_busy:
            return
        if not self._session.is_late:
            self.wind()
            return
        raise self._session.fail(State.TIMEOUT, LATE)
