"""Workers in this process: threads that lease jobs, and the same for a list of submissions."""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Iterable
from uuid import UUID

from jupyter_ppo.domain.jobs import Lease
from jupyter_ppo.domain.ports import JobQueue, Progress
from jupyter_ppo.jobs.held import Cancelled, HeldJobs, Work, backoff

__all__ = ["Cancelled", "LocalWorkers", "Work", "work_off"]

_log = logging.getLogger(__name__)

#: How long work may take to notice that it was cancelled, before ``stop`` leaves it behind.
_CANCEL_SECONDS = 30.0


class LocalWorkers:
    """Worker threads that take jobs from the queue until they are stopped.

    ``lease_seconds`` is how long the job of a dead process waits for another one, ``poll_seconds``
    how often an idle worker looks for jobs that came without a ``wake``, from another process.
    """

    def __init__(
        self,
        queue: JobQueue,
        work: Work,
        *,
        workers: int = 2,
        lease_seconds: float = 60,
        poll_seconds: float = 1.0,
    ) -> None:
        self._queue = queue
        self._work = work
        self._workers = workers
        self._lease_seconds = lease_seconds
        self._poll_seconds = poll_seconds
        self._changed = threading.Condition()
        self._wakes = 0
        self._stopping = False
        self._threads: list[threading.Thread] = []
        self._held = HeldJobs(queue, work, lease_seconds)

    def start(self) -> None:
        """Start the threads; does nothing while they run."""
        if self._threads:
            return
        self._stopping = False
        self._held = HeldJobs(self._queue, self._work, self._lease_seconds)
        self._threads = [
            # Daemons, so that work that hangs cannot keep the process alive after stop().
            threading.Thread(target=self._run, args=(name,), name=name, daemon=True)
            for name in _worker_names(self._workers)
        ]
        for thread in self._threads:
            thread.start()

    def wake(self) -> None:
        """Say that there is a new job, so that no idle worker waits for its next look."""
        with self._changed:
            self._wakes += 1
            self._changed.notify_all()

    def stop(self, drain_seconds: float) -> None:
        """Take no more jobs, let those under way end for ``drain_seconds``, then cancel them.

        Cancelled jobs are given back to the queue. All threads have ended on return, except for
        work that ignores its event for half a minute: that is logged, and its lease runs out.
        """
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        _join(self._threads, drain_seconds)
        self._held.cancel()
        for thread in _join(self._threads, _CANCEL_SECONDS):
            _log.error("%s does not stop; its job is done again after its lease", thread.name)
        self._threads = []

    def _run(self, name: str) -> None:
        held = self._held
        pauses: backoff | None = None  # while the database fails
        obstacle: backoff | None = None  # while there is no engine, no image or no room
        while True:
            with self._changed:
                if self._stopping:
                    return
                seen = self._wakes
            try:
                lease = self._queue.lease(name, held.duration)
            except Exception as error:
                if pauses is None:
                    pauses = backoff(self._poll_seconds)
                    _log.warning("%s finds no queue and keeps trying: %s", name, error)
                self._wait(next(pauses))
                continue
            if pauses is not None:
                pauses = None
                _log.info("%s has its queue again", name)
            if lease is None:
                self._wait(self._poll_seconds, seen)
            elif (problem := held.do(lease)) is not None:
                if obstacle is None:
                    obstacle = backoff(self._poll_seconds)
                    _log.warning("%s cannot grade and keeps trying: %s", name, problem.message)
                self._wait(next(obstacle))
            elif obstacle is not None:
                obstacle = None
                _log.info("%s can grade again", name)

    def _wait(self, seconds: float, seen: int | None = None) -> None:
        """Wait until stopped, or, if ``seen`` is given, woken since then."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._stopping or (seen is not None and self._wakes != seen), seconds
            )


def work_off(
    queue: JobQueue,
    work: Work,
    submission_ids: Iterable[UUID],
    *,
    workers: int,
    progress: Progress,
    ended: Callable[[UUID], bool] | None = None,
    lease_seconds: float = 60,
    poll_seconds: float = 0.5,
) -> None:
    """Do the jobs of these submissions in this process; return when all are graded or failed.

    ``ended`` says whether a submission is graded or failed. It is asked about those that cannot be
    leased, because another worker has them or left them: they are waited for. Without it such
    submissions are skipped. ``progress`` is called in the calling thread, also once at the start.

    An exception, from the queue or from ``progress``, or Ctrl-C, cancels what is under way, gives
    it back to the queue, and is raised again.
    """
    batch = _Batch(queue, HeldJobs(queue, work, lease_seconds), submission_ids, ended, poll_seconds)
    threads = [
        threading.Thread(target=batch.run, args=(name,), name=name, daemon=True)
        for name in _worker_names(max(1, min(workers, batch.total)))
    ]
    try:
        for thread in threads:
            thread.start()
        shown = 0
        progress(shown, batch.total)
        while shown < batch.total:
            shown = batch.wait_for_more_than(shown)
            progress(shown, batch.total)
    finally:
        batch.cancel()
        for thread in _join([item for item in threads if item.ident], _CANCEL_SECONDS):
            _log.error("%s does not stop; its job is done again after its lease", thread.name)


class _Batch:
    """Submissions that several threads work off together."""

    def __init__(
        self,
        queue: JobQueue,
        held: HeldJobs,
        submission_ids: Iterable[UUID],
        ended: Callable[[UUID], bool] | None,
        poll_seconds: float,
    ) -> None:
        self._queue = queue
        self._held = held
        self._waiting = list(dict.fromkeys(submission_ids))
        self._ended = ended
        self._poll_seconds = poll_seconds
        self._changed = threading.Condition()
        self._done = 0
        self._error: BaseException | None = None
        self._cancelled = False
        self.total = len(self._waiting)

    def wait_for_more_than(self, shown: int) -> int:
        """Wait until more than ``shown`` are done and return how many; raise a thread's error."""
        with self._changed:
            # Woken up again and again, so that Ctrl-C gets through on every system.
            while self._error is None and self._done <= shown:
                self._changed.wait(0.2)
            if self._error is not None:
                raise self._error
            return self._done

    def cancel(self) -> None:
        """Stop soon; jobs under way are given back."""
        with self._changed:
            self._cancelled = True
            self._changed.notify_all()
        self._held.cancel()

    def run(self, name: str) -> None:
        try:
            while (submission_id := self._next()) is not None:
                # Again after a failure, until the last try: then there is nothing to lease.
                lease = self._lease(name, submission_id)
                if lease is not None:
                    problem = self._held.do(lease)
                    if problem is not None:
                        raise problem
                    self._put_back(submission_id)
                elif self._ended is None or self._ended(submission_id):
                    self._count()
                else:
                    self._look_later(submission_id)
        except BaseException as error:
            with self._changed:
                self._error = error
                self._changed.notify_all()

    def _lease(self, name: str, submission_id: UUID) -> Lease | None:
        return self._queue.lease(name, self._held.duration, submission_id)

    def _next(self) -> UUID | None:
        """Take a submission; wait while the others have them all; None at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._finished)
            return None if self._finished else self._waiting.pop(0)

    @property
    def _finished(self) -> bool:
        return self._cancelled or self._error is not None or self._done == self.total

    def _put_back(self, submission_id: UUID) -> None:
        with self._changed:
            self._waiting.insert(0, submission_id)
            self._changed.notify_all()

    def _look_later(self, submission_id: UUID) -> None:
        with self._changed:
            self._waiting.append(submission_id)
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._finished, self._poll_seconds)

    def _count(self) -> None:
        with self._changed:
            self._done += 1
            self._changed.notify_all()


def _worker_names(count: int) -> list[str]:
    """Return names that tell an operator where a job runs: host, process, number."""
    host = socket.gethostname()[:100]
    return [f"worker {host}:{os.getpid()}:{number}" for number in range(1, count + 1)]


def _join(threads: list[threading.Thread], seconds: float) -> list[threading.Thread]:
    """Wait for threads, all together no longer than ``seconds``; return those that still run."""
    deadline = time.monotonic() + seconds
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    return [thread for thread in threads if thread.is_alive()]
