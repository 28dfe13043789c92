"""Ending what another thread waits for."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Ending:
    """A way to end what one thread waits for from another, whatever it waits for at the moment.

    Who waits says with ``on_end`` how it is ended from now on. Safe to use from any thread.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._end: Callable[[], None] | None = None
        self._is_ended = False

    @property
    def is_ended(self) -> bool:
        """Whether ``end`` was called."""
        return self._is_ended

    def on_end(self, end: Callable[[], None]) -> None:
        """Have ``end`` called (in place of an earlier one) when it ends; now if it has already."""
        with self._lock:
            self._end = end
            if not self._is_ended:
                return
        end()

    def end(self) -> None:
        """End it; more than once does no harm."""
        with self._lock:
            self._is_ended = True
            end = self._end
        if end is not None:
            end()
