"""A limit of processor time for what a learner's code does while an experiment draws."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Final

#: Far more than any drawing of the course takes, importing PyTorch included.
DRAW_SECONDS: Final = 10.0
#: What each further function gets that does not come back in the same drawing, and the next drawing
#: after one that took too long: a slider that was moved asks for many.
AGAIN_SECONDS: Final = 1.0


class TooLongError(Exception):
    """Raised in code that has used up the processor time of a drawing."""


@dataclass(slots=True)
class Limit:
    """Whether the limit of a drawing was reached."""

    was_reached: bool = False


@contextmanager
def limited(seconds: float = DRAW_SECONDS) -> Iterator[Limit]:
    """Raise ``TooLongError`` in what runs meanwhile once it has used ``seconds`` of processor time.

    Signals reach the main thread only: in another one, and where there is no such timer (Windows),
    nothing is limited.
    """
    is_main = threading.current_thread() is threading.main_thread()
    limit = Limit()
    if not is_main or not hasattr(signal, "setitimer"):
        yield limit
        return

    def stop(_number: int, _frame: FrameType | None) -> None:
        limit.was_reached = True
        msg = f"had not come back after {seconds:g} s of work. Is there a loop that does not end?"
        raise TooLongError(msg)

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds, AGAIN_SECONDS)
    try:
        yield limit
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
