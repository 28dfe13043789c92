"""Working on one leased job: keep the lease alive, do the work, settle the job."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import timedelta
from itertools import islice

from jupyter_ppo.domain.errors import LeaseLostError, PPOError, UnavailableError
from jupyter_ppo.domain.grading import Grade
from jupyter_ppo.domain.jobs import Lease
from jupyter_ppo.domain.ports import JobQueue

_log = logging.getLogger(__name__)

Work = Callable[[Lease, threading.Event], Grade]
"""Grades one submission. When the event is set it stops soon and raises ``Cancelled``."""

#: How often a stopping process still tries to settle a job; each try waits for the database.
_TRIES_WHEN_STOPPING = 3

#: How often the end of a job is told to a database that does not answer: about five minutes with
#: a lease of a minute. Then the result is dropped and the job is done again after its lease.
_SETTLE_TRIES = 12

_INTERNAL = "Grading failed because of an internal error; the server's log says more."

#: How often at least a lease is renewed: a job that a person cancelled stops that soon, whichever
#: process works on it.
RENEW_SECONDS = 2.0

#: The longest pause between two tries to reach a database that does not answer, in seconds.
MAX_BACKOFF_SECONDS = 30.0


class Cancelled(Exception):  # noqa: N818 - an outcome, not an error
    """Raised by the work when its event was set; the job goes back to the queue."""


class HeldJobs:
    """The jobs that one process works on now; all of them can be cancelled at once.

    ``lease_seconds`` is how long a dead worker's job waits; it is renewed three times as often, and
    every ``renew_seconds`` at least.
    ``settle_tries`` is how often a result is offered to a database that does not answer.
    """

    def __init__(
        self,
        queue: JobQueue,
        work: Work,
        lease_seconds: float,
        *,
        settle_tries: int = _SETTLE_TRIES,
        renew_seconds: float = RENEW_SECONDS,
    ) -> None:
        self._queue = queue
        self._work = work
        self._lease_seconds = lease_seconds
        self._settle_tries = settle_tries
        self._renew_every = min(lease_seconds / 3, renew_seconds)
        self._lock = threading.Lock()
        self._events: set[threading.Event] = set()
        self._stopping = threading.Event()

    @property
    def duration(self) -> timedelta:
        """How long each lease lasts."""
        return timedelta(seconds=self._lease_seconds)

    def cancel(self) -> None:
        """Tell every job under way, and every later one, to stop; they are given back."""
        with self._lock:
            self._stopping.set()
            for event in self._events:
                event.set()

    def do(self, lease: Lease) -> UnavailableError | None:
        """Do the job to its end: a grade, a failure or back to the queue. Never raises.

        Returns why no job can be done at present (no engine, no image, no room), if that is so.
        The job is queued then, at the end, and this try does not count.
        """
        cancel = threading.Event()
        with self._lock:
            self._events.add(cancel)
            if self._stopping.is_set():
                cancel.set()
        _log.info(
            "job %s begins: submission %s, try %d", lease.job_id, lease.submission_id, lease.attempt
        )
        lost, done = threading.Event(), threading.Event()
        heartbeat = threading.Thread(
            target=self._keep_alive,
            args=(lease, cancel, lost, done),
            name=f"{threading.current_thread().name}-lease",
            daemon=True,
        )
        heartbeat.start()
        try:
            settle, problem = self._outcome(lease, cancel)
            if not lost.is_set():
                self._settle(lease, settle, lost)
            return problem
        finally:
            done.set()
            heartbeat.join()
            with self._lock:
                self._events.discard(cancel)

    def _outcome(
        self, lease: Lease, cancel: threading.Event
    ) -> tuple[Callable[[], None], UnavailableError | None]:
        """Do the work; return what to tell the queue, and what stands in the way of every job."""
        try:
            grade = self._work(lease, cancel)
        except Cancelled:
            return self._back_to_the_queue(lease), None
        except UnavailableError as error:
            return self._back_to_the_queue(lease), error
        # Also SystemExit and asyncio's CancelledError: no exception may end a worker.
        except BaseException as error:
            if cancel.is_set():  # whatever it raised, it raised because it was interrupted
                return self._back_to_the_queue(lease), None
            if isinstance(error, PPOError):
                message = error.message
                _log.warning("job %s, try %d: %s", lease.job_id, lease.attempt, message)
            else:
                message = _INTERNAL
                _log.exception("job %s, try %d failed", lease.job_id, lease.attempt)
            return (lambda: self._queue.fail(lease, message)), None
        _log.info("job %s is graded", lease.job_id)
        return (lambda: self._queue.succeed(lease, grade)), None

    def _back_to_the_queue(self, lease: Lease) -> Callable[[], None]:
        _log.info("job %s goes back to the queue", lease.job_id)
        return lambda: self._queue.give_back(lease)

    def _settle(self, lease: Lease, settle: Callable[[], None], lost: threading.Event) -> None:
        """Tell the queue; while the database is down try again, as long as the lease is ours.

        What the queue refuses for another reason ends as a failed try.
        """
        tries_when_stopping = _TRIES_WHEN_STOPPING
        refused = False
        for pause in islice(backoff(self._lease_seconds / 10), self._settle_tries):
            try:
                settle()
                return
            except LeaseLostError as error:
                _log.warning("job %s: %s", lease.job_id, error.message)
                return
            except UnavailableError as error:
                _log.warning("job %s could not be settled yet: %s", lease.job_id, error.message)
                if lost.is_set():
                    return  # another worker does the job
                if self._stopping.wait(pause):
                    tries_when_stopping -= 1
                    if tries_when_stopping == 0:
                        return  # the lease runs out and another worker does the job
            except Exception:
                _log.exception("job %s could not be settled", lease.job_id)
                if refused:
                    return
                refused, settle = True, lambda: self._queue.fail(lease, _INTERNAL)
        _log.error("job %s could not be settled; it is done again after its lease", lease.job_id)

    def _keep_alive(
        self,
        lease: Lease,
        cancel: threading.Event,
        lost: threading.Event,
        done: threading.Event,
    ) -> None:
        is_silent = False
        while not done.wait(self._renew_every):
            try:
                self._queue.renew(lease, self.duration)
                is_silent = False
            except LeaseLostError as error:
                if not done.is_set():  # a renewal may cross the end of the job
                    _log.warning("job %s: %s", lease.job_id, error.message)
                    lost.set()
                    cancel.set()
                return
            except Exception as error:
                if not is_silent:  # said once, not at every beat
                    _log.warning("the lease of job %s is not renewed: %s", lease.job_id, error)
                is_silent = True


class backoff:  # noqa: N801 - used like a function
    """Endless pauses in seconds: ``first``, twice that, and so on up to half a minute."""

    def __init__(self, first: float) -> None:
        self._next = first

    def __iter__(self) -> backoff:
        return self

    def __next__(self) -> float:
        pause, self._next = self._next, min(self._next * 2, MAX_BACKOFF_SECONDS)
        return pause
