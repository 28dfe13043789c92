"""Things that take long to make, made before anybody asks. Each is used exactly once."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Final, Generic, Protocol, TypeVar

from jupyter_ppo.domain.ending import Ending

#: How long after a take the next one is made, in seconds: what was taken is at work then, and
#: making another costs as much of the processor.
BREATH_SECONDS: Final = 0.3
#: After a failure the next attempt waits this long, twice as long after each further one.
_FIRST_RETRY_SECONDS, _LONGEST_RETRY_SECONDS = 1.0, 30.0
#: How often what waits is looked at, in seconds.
_LOOK_SECONDS: Final = 5.0
#: What dies earlier than this many seconds after it was made counts as a failure to make one.
_PROVEN_SECONDS: Final = 4.0

_log = logging.getLogger(__name__)


class Poolable(Protocol):
    """What can wait in a pool. ``close`` may block; more than once does no harm."""

    @property
    def is_alive(self) -> bool:
        """Whether it can still be used."""

    def close(self) -> None:
        """Give back all that it holds."""


T = TypeVar("T", bound=Poolable)


class WarmPool(Generic[T]):
    """Keeps ``size`` of what ``make`` returns waiting, made one after another in a thread.

    What is taken belongs to the taker and never comes back. ``make`` says to its ``Ending`` how it
    can be ended, and raises soon after that. Safe to use from any thread. ``breath`` is in seconds.
    """

    def __init__(
        self, make: Callable[[Ending], T], size: int, name: str, *, breath: float = BREATH_SECONDS
    ) -> None:
        self.size = size
        self._make = make
        self._name = name
        self._breath = breath
        self._changed = threading.Condition()
        #: Each with the time when it was made.
        self._waiting: deque[tuple[T, float]] = deque()
        self._dead: deque[T] = deque()
        self._making: Ending | None = None
        self._thread: threading.Thread | None = None
        self._closed = False
        self._is_filling = True
        self._not_before = 0.0
        self._retry_seconds = _FIRST_RETRY_SECONDS

    @property
    def ready(self) -> int:
        """How many wait and can be used."""
        with self._changed:
            return sum(1 for item, _ in self._waiting if item.is_alive)

    def start(self) -> None:
        """Begin to fill; before that nothing waits."""
        with self._changed:
            if self._closed or self._thread is not None:
                return
            self._thread = threading.Thread(
                target=self._run, name=f"jupyter-ppo-pool-{self._name}", daemon=True
            )
            self._thread.start()

    def take(self) -> T | None:
        """Return one that waits, or None; never waits itself."""
        with self._changed:
            taken = self._first_alive()
            self._fill_soon()
            return taken

    def stop(self) -> None:
        """Make no more, and end the one that is being made; ``close`` does the rest."""
        with self._changed:
            self._closed = True
            making = self._making
            self._changed.notify_all()
        if making is not None:
            making.end()

    def close(self) -> None:
        """Close all that wait, the one that is being made too, and end the thread."""
        self.stop()
        thread = self._thread
        if thread is not None:
            thread.join()
        while (left := self._next_left()) is not None:
            self._close(left)

    # -- with the lock held ----------------------------------------------------------------------

    def _first_alive(self) -> T | None:
        while self._waiting:
            item, made_at = self._waiting.popleft()
            if item.is_alive:
                self._retry_seconds = _FIRST_RETRY_SECONDS
                return item
            self._bury(item, made_at)
        return None

    def _bury(self, item: T, made_at: float) -> None:
        """Have one closed that died while it waited."""
        self._dead.append(item)
        if time.monotonic() - made_at < _PROVEN_SECONDS:
            self._back_off("it ended right after it was made")

    def _fill_soon(self) -> None:
        """Let the thread fill after a breath, also when it waits after a failure."""
        soon = time.monotonic() + self._breath
        if not self._is_filling or self._not_before > soon:
            self._not_before = soon
        self._is_filling = True
        self._changed.notify_all()

    def _sort_out(self) -> None:
        """Part the living from the dead, and see whether what is made stays alive."""
        now, waiting = time.monotonic(), list(self._waiting)
        self._waiting.clear()
        for item, made_at in waiting:
            if item.is_alive:
                self._waiting.append((item, made_at))
                if now - made_at >= _PROVEN_SECONDS:
                    self._retry_seconds = _FIRST_RETRY_SECONDS
            else:
                self._bury(item, made_at)
        self._is_filling = self._is_filling or len(self._waiting) < self.size

    def _back_off(self, reason: object) -> None:
        """Try again later, and later each time. Only the first of a streak is told to everyone."""
        first = self._retry_seconds == _FIRST_RETRY_SECONDS
        self._not_before = time.monotonic() + self._retry_seconds
        self._retry_seconds = min(2 * self._retry_seconds, _LONGEST_RETRY_SECONDS)
        if not self._closed:
            level = logging.WARNING if first else logging.DEBUG
            _log.log(level, "No %s can be made in advance; trying again: %s", self._name, reason)

    # -- the thread ------------------------------------------------------------------------------

    def _run(self) -> None:
        while True:
            with self._changed:
                dead = self._wait_for_work()
                if self._closed:
                    return
            if dead is not None:
                self._close(dead)
            else:
                self._add_one()

    def _wait_for_work(self) -> T | None:
        """Return what is to be closed, or None when one is to be made or the pool was closed."""
        while not self._closed:
            self._sort_out()
            if self._dead:
                return self._dead.popleft()
            if len(self._waiting) >= self.size:
                self._is_filling = False
                left = _LOOK_SECONDS
            else:
                left = self._not_before - time.monotonic()
                if left <= 0:
                    return None
            self._changed.wait(min(left, _LOOK_SECONDS))
        return None

    def _add_one(self) -> None:
        making = Ending()
        with self._changed:
            is_closed = self._closed
            self._making = making
        if is_closed:
            return
        try:
            made = self._make(making)
        except Exception as error:
            with self._changed:
                self._making = None
                self._back_off(error)
            return
        with self._changed:
            self._making = None  # what was made is not ended with the pool, but closed
            if not self._closed:
                self._waiting.append((made, time.monotonic()))
                return
        self._close(made)

    # -- closing ---------------------------------------------------------------------------------

    def _next_left(self) -> T | None:
        with self._changed:
            if self._waiting:
                return self._waiting.popleft()[0]
            return self._dead.popleft() if self._dead else None

    def _close(self, item: T) -> None:
        try:
            item.close()
        except Exception as error:
            _log.warning("A %s that was not needed was perhaps not removed: %s", self._name, error)
