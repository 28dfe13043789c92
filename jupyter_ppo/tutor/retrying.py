"""When a request is sent again: exponential back-off with full jitter, and no longer than told.

Full jitter: the wait is even over 0 to the bound (M. Brooker, "Exponential Backoff And Jitter",
AWS Architecture Blog, 2015), so that clients who failed together do not come back together.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from jupyter_ppo.domain.errors import ModelUnavailableError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Backoff:
    """How often and how patiently: ``tries`` requests at most, all times in seconds.

    The bound of the wait doubles from ``first`` up to ``longest``. A service that says how long to
    wait is obeyed up to ``patience``; if it asks for more, nothing is sent again.
    """

    tries: int = 4
    first: float = 0.5
    longest: float = 20.0
    patience: float = 60.0

    def wait(self, tried: int, retry_after: float | None, chance: float) -> float | None:
        """Return how long to wait after ``tried`` requests; None: do not try again.

        ``chance`` is a random number, 0 to 1.
        """
        if tried >= self.tries:
            return None
        # Not a power of any size: 2.0**1100 is no float.
        bound = min(self.longest, self.first * 2.0 ** min(tried - 1, 60))
        wait = bound * chance
        if retry_after is None:
            return wait
        return None if retry_after > self.patience else retry_after + wait


async def repeated(
    attempt: Callable[[], Awaitable[T]],
    backoff: Backoff,
    *,
    may_repeat: Callable[[], bool] = lambda: True,
    chance: Callable[[], float] = random.random,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> T:
    """Return what ``attempt`` returns, asking again after failures that pass by themselves.

    Raises the last ``ModelUnavailableError``; any other exception at once.
    """
    tried = 0
    while True:
        tried += 1
        try:
            return await attempt()
        except ModelUnavailableError as error:
            if not error.failure.is_ours_to_repeat or not may_repeat():
                raise
            wait = backoff.wait(tried, error.retry_after, chance())
            if wait is None:
                raise
        await sleep(wait)
