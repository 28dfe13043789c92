"""A circuit breaker: what is down is left alone for a while."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


class Circuit:
    """Opens after ``failures`` in a row, for ``seconds``; then one request may try.

    Safe to use from many threads. ``clock`` counts seconds and never goes back.
    """

    def __init__(
        self,
        *,
        failures: int = 5,
        seconds: float = 30.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._most = failures
        self._seconds = seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._failed = 0
        self._open_until: float | None = None

    def wait(self) -> float:
        """Return 0 if a request may be sent now, else after how many seconds to come back.

        After the time is over, the first who asks may send one request; the others come back when
        its end is known, or when it must have ended.
        """
        with self._lock:
            if self._open_until is None:
                return 0.0
            left = self._open_until - self._clock()
            if left > 0:
                return left
            self._open_until = self._clock() + self._seconds
            return 0.0

    def note(self, *, is_down: bool) -> None:
        """Say how a request ended: whether the other side is down, or was there."""
        with self._lock:
            if not is_down:
                self._failed, self._open_until = 0, None
                return
            self._failed += 1
            if self._failed >= self._most:
                self._open_until = self._clock() + self._seconds
