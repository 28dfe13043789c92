"""Containers that wait for their next submission, each for one kind of it."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Hashable, Iterable
from typing import Final, Generic, TypeVar

from jupyter_ppo.domain.sandbox import PoolStatus
from jupyter_ppo.sandbox.pool import Poolable

#: How long a container waits for a submission, in seconds.
IDLE_SECONDS: Final = 120.0

_log = logging.getLogger(__name__)

T = TypeVar("T", bound=Poolable)


class IdleBoxes(Generic[T]):
    """Keeps at most ``size`` containers, those that were used last, for ``seconds`` each.

    ``name`` is what the log calls one. Safe to use from any thread.
    """

    def __init__(self, size: int, seconds: float, name: str) -> None:
        self._size = size
        self._seconds = seconds
        self._name = name
        self._changed = threading.Condition()
        #: Each with its kind and the time when it was given; the one that was used last is last.
        self._waiting: deque[tuple[T, Hashable, float]] = deque()
        self._thread: threading.Thread | None = None
        self._is_closed = False

    def take(self, kind: Hashable) -> T | None:
        """Return one of this kind that is alive, the one that was used last, or None."""
        dead: list[T] = []
        found = None
        with self._changed:
            for item in reversed(list(self._waiting)):
                if found is None and item[1] == kind:
                    self._waiting.remove(item)
                    if item[0].is_alive:
                        found = item[0]
                    else:
                        dead.append(item[0])
        self.close_boxes(dead)
        return found

    def keep(self, box: T, kind: Hashable) -> None:
        """Keep one that waits from now on, and close what is one too many; may block."""
        surplus = [box]
        with self._changed:
            if not self._is_closed:
                self._waiting.append((box, kind, time.monotonic()))
                over = max(0, len(self._waiting) - self._size)
                surplus = [self._waiting.popleft()[0] for _ in range(over)]
                self._watch()
        self.close_boxes(surplus)

    def close(self) -> None:
        """Close all that wait, and from now on each that is to be kept."""
        with self._changed:
            self._is_closed = True
            surplus = [box for box, _, _ in self._waiting]
            self._waiting.clear()
            thread = self._thread
            self._changed.notify_all()
        self.close_boxes(surplus)
        if thread is not None:
            thread.join()

    def status(self) -> PoolStatus:
        """Say how many wait, of how many that may."""
        return PoolStatus(len(self._waiting), self._size)

    def close_boxes(self, boxes: Iterable[T]) -> None:
        """Remove containers. If that fails, it is tried again later (``removal``)."""
        for box in boxes:
            try:
                box.close()
            except Exception as error:
                _log.warning("%s was perhaps not removed yet: %s", self._name, error)

    def _watch(self) -> None:
        """Have a thread close what waits for too long; it ends when nothing waits."""
        if self._thread is None and self._waiting:
            self._thread = threading.Thread(
                target=self._close_old, name="jupyter-ppo-idle-boxes", daemon=True
            )
            self._thread.start()

    def _close_old(self) -> None:
        while True:
            old: list[T] = []
            with self._changed:
                if self._is_closed or not self._waiting:
                    self._thread = None
                    return
                left = self._waiting[0][2] + self._seconds - time.monotonic()
                if left <= 0:
                    old.append(self._waiting.popleft()[0])
                else:
                    self._changed.wait(left)
            self.close_boxes(old)
