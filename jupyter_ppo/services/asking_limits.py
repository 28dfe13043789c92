"""How often a person may ask for hints and explanations: so many an hour, one at a time."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta

from jupyter_ppo.domain.errors import TooManyRequestsError
from jupyter_ppo.domain.ports import Clock

#: Hints and explanations together that one person gets within an hour.
PER_HOUR = 30
_HOUR = timedelta(hours=1)
_RETRY_SECONDS, _BUSY_SECONDS = 300.0, 5.0

#: Returns how many of its kind a person got since a time.
Count = Callable[[str, datetime], int]


class AskingLimits:
    """Counts what was given, in the database, and what is under way, in this process."""

    def __init__(self, counts: Sequence[Count], clock: Clock, *, per_hour: int = PER_HOUR) -> None:
        self._counts = counts
        self._clock = clock
        self._per_hour = per_hour
        self._lock = threading.Lock()
        self._asking: set[str] = set()

    @contextlib.contextmanager
    def asking(self, user: str) -> Iterator[None]:
        """Hold a person's only place while something is made for them.

        Raises ``TooManyRequestsError`` when they had enough within the hour, or wait for one.
        """
        with self._lock:
            if user in self._asking:
                msg = "One answer for you is being written. Wait until it is there, then ask again."
                raise TooManyRequestsError(msg, retry_after=_BUSY_SECONDS)
            self._asking.add(user)
        try:
            since = self._clock.now() - _HOUR
            if sum(count(user, since) for count in self._counts) >= self._per_hour:
                msg = (
                    f"You asked for {self._per_hour} hints and explanations within an hour, as "
                    "many as there are. Try something by yourself and ask again later."
                )
                raise TooManyRequestsError(msg, retry_after=_RETRY_SECONDS)
            yield
        finally:
            with self._lock:
                self._asking.discard(user)
