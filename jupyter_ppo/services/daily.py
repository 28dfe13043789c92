"""What a server does once a day by itself, in a thread of its own."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping

_log = logging.getLogger(__name__)

_DAY_SECONDS = 86_400.0


class DailyWork:
    """Does its tasks when a server starts, and again once a day until it stops.

    ``tasks`` are done in their order, by name; each must be harmless to do twice, since several
    servers may share a database. One that fails is logged, and tried again the next day.
    """

    def __init__(
        self, tasks: Mapping[str, Callable[[], object]], *, every_seconds: float = _DAY_SECONDS
    ) -> None:
        self._tasks = dict(tasks)
        self._every = every_seconds
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin, once; after ``stop`` nothing begins any more."""
        if self._thread is not None or self._ended.is_set():
            return
        # A daemon: a process that ends without ``stop`` is not held up.
        self._thread = threading.Thread(target=self._work, name="jupyter-ppo-daily", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Return when the task under way has ended; no other begins."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join()

    def do(self) -> None:
        """Do every task now, in this thread."""
        for name, task in self._tasks.items():
            if self._ended.is_set():
                return
            try:
                task()
            except Exception:
                _log.exception("What is done daily (%s) failed; it is tried again.", name)

    def _work(self) -> None:
        while not self._ended.is_set():
            self.do()
            self._ended.wait(self._every)
