"""Follows training runs: hands out what is new in their folders, ten times a second."""

from __future__ import annotations

import atexit
import os
import threading
import time
from collections.abc import Callable, Sequence
from typing import Final

from jupyter_ppo.domain.errors import NotFoundError, PPOError
from jupyter_ppo.domain.training import MetricPoint, Rewind, RunState, RunStatus
from jupyter_ppo.training.metric_log import MetricReader
from jupyter_ppo.training.run import Run

#: At most ten messages per second: Jupyter drops messages beyond 1000 per second of all widgets.
TICK_SECONDS: Final = 0.1
#: How often runs that have ended are looked at: another process may resume one.
ENDED_SECONDS: Final = 1.0
_PART_BYTES: Final = 8 * 1024 * 1024

OnPoints = Callable[[Run, Sequence[MetricPoint | Rewind]], None]
OnStatus = Callable[[Run, RunStatus], None]


class Follower:
    """One thread that follows any number of runs and calls back; safe to use from any thread.

    Of each run ``on_points`` gets all points and rewinds in order from the first one on, and
    ``on_status`` the status whenever it differs from the last one given, the final one after all
    points. ``on_tick`` is called after each look at the runs while one trains, and otherwise when
    something was new. A folder that is removed or damaged while its run is on gives a FAILED status
    with the reason. When all have ended the thread looks once a second whether one was resumed,
    until ``stop``.
    """

    def __init__(
        self, on_points: OnPoints, on_status: OnStatus, on_tick: Callable[[], None]
    ) -> None:
        self._on_points = on_points
        self._on_status = on_status
        self._on_tick = on_tick
        self._runs: dict[Run, _Followed] = {}
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._stopped = False
        self._thread: threading.Thread | None = None

    def add(self, run: Run) -> None:
        """Follow a run from its first point on; does nothing when it is followed already."""
        with self._lock:
            if self._stopped or run in self._runs:
                return
            self._runs[run] = _Followed(run)
            if self._thread is None:
                self._thread = threading.Thread(target=self._follow, name="ppo-live", daemon=True)
                atexit.register(self.stop)
                self._thread.start()
        self._wake.set()

    def remove(self, run: Run) -> None:
        """Follow it no longer."""
        with self._lock:
            one = self._runs.pop(run, None)
        if one is not None:
            one.settled.set()
        self._wake.set()

    def again(self, run: Run) -> None:
        """Look for more: it was resumed just now, perhaps while its end was being read."""
        with self._lock:
            one = self._runs.get(run)
            if one is not None:
                one.goes_on()
        self._wake.set()

    def stop(self) -> None:
        """Follow nothing any longer; nothing is called back after this, save from this thread."""
        atexit.unregister(self.stop)
        with self._lock:
            self._stopped = True
            for one in self._runs.values():
                one.settled.set()
            thread = self._thread
        self._wake.set()
        if thread is not None and thread is not threading.current_thread():
            thread.join(1)

    def is_following(self, run: Run) -> bool:
        """Whether a run is followed and its end was not handed out yet."""
        with self._lock:
            one = self._runs.get(run)
            return one is not None and not self._stopped and not one.settled.is_set()

    def settle(self, run: Run, timeout: float) -> bool:
        """Wait until the end of a run was handed out, at most ``timeout`` seconds."""
        with self._lock:
            one = self._runs.get(run)
        if one is None:
            return True
        self._wake.set()
        return one.settled.wait(timeout)

    def _follow(self) -> None:
        while True:
            self._wake.clear()
            with self._lock:
                if self._stopped or not self._runs:
                    self._thread = None
                    atexit.unregister(self.stop)
                    return
                runs = list(self._runs.values())
            news = False
            for one in runs:
                if self._is_due(one):
                    news |= self._look(one)
            if not self._stopped and (news or any(one.is_on for one in runs)):
                self._on_tick()
            with self._lock:
                for one in runs:
                    one.settle()
            self._wake.wait(TICK_SECONDS if any(one.is_on for one in runs) else ENDED_SECONDS)

    def _is_due(self, one: _Followed) -> bool:
        with self._lock:
            return not self._stopped and one.is_due()

    def _is_wanted(self, one: _Followed) -> bool:
        """Whether this is followed; it may be removed, and added anew, while its file is read."""
        with self._lock:
            return not self._stopped and self._runs.get(one.run) is one

    def _look(self, one: _Followed) -> bool:
        """Hand out what is new of one run; return whether there was something."""
        news = False
        turn = one.turn
        stamp = _stamp_of(one.run)
        try:
            status = one.run.status()  # before the points: a final one comes after them all
            # After the status, which takes a run whose lock is gone for one that was killed.
            if not one.run.files.spec_file.exists():
                msg = f"{one.run.directory} was removed."
                raise NotFoundError(msg, field="directory")
            if one.is_replaced():
                one.reader = one.run.reader(0)
                self._on_points(one.run, [Rewind(0)])
            while (items := one.reader.read(_PART_BYTES)) and self._is_wanted(one):
                self._on_points(one.run, items)
                news = True
        except (PPOError, OSError) as error:
            step = one.status.step if one.status is not None else 0
            # It is not the run's own end, so it is said in the view and not in its folder.
            status = RunStatus(RunState.FAILED, step, message=str(error))
        if status != one.status and self._is_wanted(one):
            one.status = status
            self._on_status(one.run, status)
            news = True
        with self._lock:
            if status.state.has_ended and turn == one.turn:
                one.has_ended(stamp)
        return news


class _Followed:
    """A run and how much of it was handed out. Its changes need the follower's lock."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.reader: MetricReader = run.reader(0)
        self.status: RunStatus | None = None
        self.is_on = True
        self.turn = 0  # counts resumptions: an end that was read before one is none
        self.settled = threading.Event()
        self._stamp: tuple[int, int] | None = None
        self._looked_at = 0.0

    def is_replaced(self) -> bool:
        """Whether another run began in the folder, whose file is shorter than what was read."""
        try:
            return os.stat(self.run.files.metrics_file).st_size < self.reader.cursor
        except FileNotFoundError:  # what was drawn stays
            return False

    def goes_on(self) -> None:
        self.turn += 1
        self.is_on = True
        self.settled.clear()

    def has_ended(self, stamp: tuple[int, int] | None) -> None:
        self.is_on = False
        self._stamp = stamp

    def settle(self) -> None:
        if not self.is_on:
            self.settled.set()

    def is_due(self) -> bool:
        """Whether to read it now: always while it is on, else when its state was written again."""
        if self.is_on:
            return True
        now = time.monotonic()
        if now - self._looked_at < ENDED_SECONDS:
            return False
        self._looked_at = now
        stamp = _stamp_of(self.run)
        if stamp is None or stamp == self._stamp:  # what was removed after its end stays drawn
            return False
        self.goes_on()
        return True


def _stamp_of(run: Run) -> tuple[int, int] | None:
    """Return what tells one state file from the next; None without one. The file is replaced."""
    try:
        found = os.stat(run.files.state_file)
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns
