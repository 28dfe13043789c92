from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Protocol
from uuid import UUID

import pytest

import jupyter_ppo
from jupyter_ppo.domain.errors import (
    EngineUnavailableError,
    LeaseLostError,
    SandboxError,
    UnavailableError,
)
from jupyter_ppo.domain.grading import Grade
from jupyter_ppo.domain.jobs import MAX_ATTEMPTS, JobState, Lease
from jupyter_ppo.domain.ports import JobQueue
from jupyter_ppo.domain.submissions import Submission, SubmissionState
from jupyter_ppo.jobs.held import HeldJobs
from jupyter_ppo.jobs.local import Cancelled, LocalWorkers, Work
from jupyter_ppo.storage.jobs import Jobs
from jupyter_ppo.storage.tables import JobRow

HOUR = timedelta(hours=1)
NEVER = 3600.0
Graded = Callable[[Lease], Grade]


class Rig(Protocol):
    """What the fixture of the same name gives."""

    url: str
    jobs: Jobs

    def submit(self, count: int = 1) -> list[UUID]: ...
    def submission(self, submission_id: UUID) -> Submission: ...
    def state(self, submission_id: UUID) -> SubmissionState: ...
    def ended(self, submission_id: UUID) -> bool: ...
    def job(self, submission_id: UUID) -> JobRow: ...
    def expire(self, submission_id: UUID) -> None: ...
    def wait_until(self, condition: Callable[[], object]) -> None: ...
    def wait_for(self, event: threading.Event) -> None: ...


class UnreliableQueue:
    """A queue in front of a database that is down whenever ``down`` is set."""

    def __init__(self, queue: JobQueue) -> None:
        self._queue = queue
        self.down = threading.Event()
        self.refused = 0

    def _check(self) -> None:
        if self.down.is_set():
            self.refused += 1
            msg = "The database does not answer."
            raise UnavailableError(msg)

    def lease(
        self, worker: str, duration: timedelta, submission_id: UUID | None = None
    ) -> Lease | None:
        self._check()
        return self._queue.lease(worker, duration, submission_id)

    def renew(self, lease: Lease, duration: timedelta) -> Lease:
        self._check()
        return self._queue.renew(lease, duration)

    def succeed(self, lease: Lease, grade: Grade) -> None:
        self._check()
        self._queue.succeed(lease, grade)

    def fail(self, lease: Lease, message: str) -> None:
        self._check()
        self._queue.fail(lease, message)

    def give_back(self, lease: Lease) -> None:
        self._check()
        self._queue.give_back(lease)

    def pending(self, course_id: UUID | None = None) -> int:
        return self._queue.pending(course_id)


@contextmanager
def running(
    queue: JobQueue,
    work: Work,
    *,
    workers: int = 2,
    lease_seconds: float = 600,
    poll_seconds: float = 0.02,
) -> Iterator[LocalWorkers]:
    started = LocalWorkers(
        queue, work, workers=workers, lease_seconds=lease_seconds, poll_seconds=poll_seconds
    )
    started.start()
    try:
        yield started
    finally:
        started.stop(0)


def test_queued_jobs_are_done_once_each(rig: Rig, graded: Graded) -> None:
    made = rig.submit(8)
    seen: list[UUID] = []

    def work(lease: Lease, _cancel: threading.Event) -> Grade:
        seen.append(lease.submission_id)
        return graded(lease)

    with running(rig.jobs, work, workers=3):
        rig.wait_until(lambda: all(map(rig.ended, made)))
    assert sorted(seen) == sorted(made)
    assert {rig.state(submission_id) for submission_id in made} == {SubmissionState.GRADED}


def test_wake_lets_an_idle_worker_find_a_new_job(rig: Rig, graded: Graded) -> None:
    looks = threading.Semaphore(0)

    class CountingQueue(UnreliableQueue):
        def lease(
            self, worker: str, duration: timedelta, submission_id: UUID | None = None
        ) -> Lease | None:
            found = super().lease(worker, duration, submission_id)
            looks.release()
            return found

    queue = CountingQueue(rig.jobs)
    with running(queue, lambda lease, _: graded(lease), workers=1, poll_seconds=NEVER) as workers:
        assert looks.acquire(timeout=120)  # it has looked, in vain, and does not look again
        (made,) = rig.submit()
        workers.wake()
        rig.wait_until(lambda: rig.ended(made))


def test_an_error_of_ours_is_tried_again_and_its_message_kept(rig: Rig) -> None:
    (made,) = rig.submit()
    attempts: list[int] = []

    def work(lease: Lease, _cancel: threading.Event) -> Grade:
        attempts.append(lease.attempt)
        msg = "The container was lost."
        raise SandboxError(msg)

    with running(rig.jobs, work):
        rig.wait_until(lambda: rig.ended(made))
    assert attempts == list(range(1, MAX_ATTEMPTS + 1))
    assert rig.submission(made).error == "The container was lost."


def test_without_an_engine_submissions_wait_for_one_and_no_try_is_used_up(
    rig: Rig, graded: Graded, caplog: pytest.LogCaptureFixture
) -> None:
    made = rig.submit(2)
    down, tries = threading.Event(), []
    down.set()

    def work(lease: Lease, _cancel: threading.Event) -> Grade:
        tries.append(lease.attempt)
        if down.is_set():
            msg = "No container engine answers. Start it."
            raise EngineUnavailableError(msg)
        return graded(lease)

    with caplog.at_level(logging.INFO), running(rig.jobs, work, workers=1):
        rig.wait_until(lambda: len(tries) > MAX_ATTEMPTS)
        assert {rig.state(item) for item in made} <= {
            SubmissionState.QUEUED,
            SubmissionState.GRADING,
        }
        down.clear()
        rig.wait_until(lambda: all(map(rig.ended, made)))
    assert {rig.state(item) for item in made} == {SubmissionState.GRADED}
    assert set(tries) == {1}
    assert sum("No container engine answers" in record.message for record in caplog.records) == 1


@pytest.mark.parametrize("error", [ValueError("a secret"), SystemExit("a secret")])
def test_an_unexpected_error_is_told_to_the_log_only_and_ends_no_worker(
    rig: Rig, graded: Graded, caplog: pytest.LogCaptureFixture, error: BaseException
) -> None:
    bad, good = rig.submit(2)

    def work(lease: Lease, _cancel: threading.Event) -> Grade:
        if lease.submission_id == bad:
            raise error
        return graded(lease)

    with running(rig.jobs, work, workers=1):
        rig.wait_until(lambda: rig.ended(bad) and rig.ended(good))
    assert rig.state(good) is SubmissionState.GRADED
    message = rig.submission(bad).error
    assert message is not None
    assert "internal error" in message
    assert "secret" not in message
    assert "a secret" in caplog.text


def test_a_try_after_a_failure_can_succeed(rig: Rig, graded: Graded) -> None:
    (made,) = rig.submit()

    def work(lease: Lease, _cancel: threading.Event) -> Grade:
        if lease.attempt == 1:
            msg = "The container was lost."
            raise SandboxError(msg)
        return graded(lease)

    with running(rig.jobs, work):
        rig.wait_until(lambda: rig.ended(made))
    assert (rig.submission(made).points, rig.submission(made).error) == (2.0, None)


def test_the_lease_of_long_work_is_renewed(rig: Rig, graded: Graded) -> None:
    (made,) = rig.submit()

    def work(lease: Lease, _cancel: threading.Event) -> Grade:
        for _ in range(3):
            last = rig.job(made).lease_until

            def renewed(last: object = last) -> bool:
                return rig.job(made).lease_until != last

            rig.wait_until(renewed)
        return graded(lease)

    with running(rig.jobs, work, workers=1, lease_seconds=0.5):
        rig.wait_until(lambda: rig.ended(made))
    assert rig.state(made) is SubmissionState.GRADED


def test_work_whose_lease_was_lost_is_told_and_its_result_dropped(rig: Rig, graded: Graded) -> None:
    (made,) = rig.submit()
    started, told = threading.Event(), threading.Event()

    def work(lease: Lease, cancel: threading.Event) -> Grade:
        started.set()
        rig.wait_for(cancel)
        told.set()
        return graded(lease)

    stolen: list[Lease] = []

    def steal() -> bool:
        rig.expire(made)
        lease = rig.jobs.lease("another worker", HOUR, made)
        if lease is not None:
            stolen.append(lease)
        return lease is not None

    with running(rig.jobs, work, workers=1, lease_seconds=0.3):
        rig.wait_for(started)
        rig.wait_until(steal)
        rig.wait_for(told)
    assert rig.job(made).worker == "another worker"
    assert rig.submission(made).points is None
    rig.jobs.succeed(stolen[0], graded(stolen[0]))
    assert rig.submission(made).points == float(stolen[0].attempt)


def test_stop_lets_work_end_while_it_drains(rig: Rig, graded: Graded) -> None:
    first, second = rig.submit(2)
    started, go_on = threading.Event(), threading.Event()
    taken: list[UUID] = []

    def work(lease: Lease, cancel: threading.Event) -> Grade:
        taken.append(lease.submission_id)
        started.set()
        rig.wait_for(go_on)
        assert not cancel.is_set()
        return graded(lease)

    with running(rig.jobs, work, workers=1) as workers:
        rig.wait_for(started)
        stopping = threading.Thread(target=workers.stop, args=(NEVER,))
        stopping.start()
        go_on.set()
        stopping.join()
    (done,) = {first, second} & set(taken[:1])
    assert rig.state(done) is SubmissionState.GRADED


def test_stop_takes_no_further_job(rig: Rig, graded: Graded) -> None:
    made = rig.submit(5)
    taken: list[UUID] = []
    started = threading.Event()

    def work(lease: Lease, cancel: threading.Event) -> Grade:
        taken.append(lease.submission_id)
        started.set()
        rig.wait_for(cancel)  # stop() has begun; this job ends well all the same
        return graded(lease)

    with running(rig.jobs, work, workers=1) as workers:
        rig.wait_for(started)
        workers.stop(0)
    (first,) = taken
    assert rig.state(first) is SubmissionState.GRADED
    others = [rig.state(submission_id) for submission_id in made if submission_id != first]
    assert others == [SubmissionState.QUEUED] * 4


@pytest.mark.parametrize("raised", [Cancelled(), RuntimeError("the container is gone")])
def test_work_that_is_cancelled_goes_back_to_the_queue_without_using_a_try(
    rig: Rig, raised: Exception
) -> None:
    (made,) = rig.submit()
    started = threading.Event()

    def work(_lease: Lease, cancel: threading.Event) -> Grade:
        started.set()
        rig.wait_for(cancel)
        raise raised

    with running(rig.jobs, work, workers=1) as workers:
        rig.wait_for(started)
        workers.stop(0)
        job = rig.job(made)
    assert (job.state, job.attempt, job.fence) == (JobState.QUEUED, 0, 1)
    assert rig.state(made) is SubmissionState.QUEUED


def test_workers_can_be_started_and_stopped_again(rig: Rig, graded: Graded) -> None:
    workers = LocalWorkers(rig.jobs, lambda lease, _: graded(lease), poll_seconds=0.02)
    workers.stop(0)
    for _ in range(2):
        workers.start()
        workers.start()
        assert sum(thread.name.startswith("worker ") for thread in threading.enumerate()) == 2
        (made,) = rig.submit()
        rig.wait_until(lambda made=made: rig.ended(made))
        workers.stop(NEVER)
        workers.stop(0)


def test_a_database_that_is_down_for_a_while_ends_no_worker_and_is_logged_once(
    rig: Rig, graded: Graded, caplog: pytest.LogCaptureFixture
) -> None:
    queue = UnreliableQueue(rig.jobs)
    queue.down.set()
    caplog.set_level(logging.INFO)
    with running(queue, lambda lease, _: graded(lease), workers=1):
        rig.wait_until(lambda: queue.refused >= 3)
        (made,) = rig.submit()
        queue.down.clear()
        rig.wait_until(lambda: rig.ended(made))
    assert rig.state(made) is SubmissionState.GRADED
    messages = [record.getMessage() for record in caplog.records]
    assert sum("keeps trying" in message for message in messages) == 1
    assert sum("has its queue again" in message for message in messages) == 1


def test_a_grade_is_kept_until_the_database_takes_it(rig: Rig, graded: Graded) -> None:
    (made,) = rig.submit()
    queue = UnreliableQueue(rig.jobs)
    runs: list[int] = []

    def work(lease: Lease, _cancel: threading.Event) -> Grade:
        runs.append(lease.attempt)
        queue.down.set()
        return graded(lease)

    with running(queue, work, workers=1, lease_seconds=1):
        rig.wait_until(lambda: queue.refused >= 2)
        queue.down.clear()
        rig.wait_until(lambda: rig.ended(made))
    assert runs == [1]
    assert rig.state(made) is SubmissionState.GRADED


def test_a_result_that_the_database_never_takes_is_dropped_in_the_end(
    rig: Rig, graded: Graded, caplog: pytest.LogCaptureFixture
) -> None:
    (made,) = rig.submit()
    offered: list[int] = []

    class TakesNoGrade(UnreliableQueue):
        def succeed(self, lease: Lease, grade: Grade) -> None:
            offered.append(lease.attempt)
            msg = "The database does not answer."
            raise UnavailableError(msg)

    lease = rig.jobs.lease("worker", HOUR)
    assert lease is not None
    held = HeldJobs(
        TakesNoGrade(rig.jobs), lambda lease, _: graded(lease), lease_seconds=1, settle_tries=3
    )
    assert held.do(lease) is None
    assert offered == [1, 1, 1]
    assert "done again after its lease" in caplog.text
    assert rig.state(made) is SubmissionState.GRADING


def test_a_grade_that_the_queue_refuses_ends_as_a_failure_with_a_sentence(
    rig: Rig, graded: Graded
) -> None:
    (made,) = rig.submit()

    class RefusesGrades(UnreliableQueue):
        def succeed(self, lease: Lease, grade: Grade) -> None:
            msg = "a number that does not fit"
            raise ValueError(msg)

    with running(RefusesGrades(rig.jobs), lambda lease, _: graded(lease), workers=1):
        rig.wait_until(lambda: rig.ended(made))
    failed = rig.submission(made)
    assert failed.state is SubmissionState.FAILED
    assert failed.error is not None
    assert "internal error" in failed.error


def test_a_worker_killed_in_the_middle_costs_time_and_nothing_else(
    rig: Rig, graded: Graded
) -> None:
    (made,) = rig.submit()
    script = """
import sys, threading
from jupyter_ppo.jobs.local import LocalWorkers
from jupyter_ppo.storage.database import open_database
from jupyter_ppo.storage.jobs import Jobs

def work(lease, cancel):
    print("working", flush=True)
    threading.Event().wait()

LocalWorkers(Jobs(open_database(sys.argv[1])), work, workers=1, lease_seconds=1.5).start()
threading.Event().wait()
"""
    root = str(Path(jupyter_ppo.__file__).parents[1])
    process = subprocess.Popen(
        [sys.executable, "-c", script, rig.url],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": root},
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "working\n"
        assert rig.state(made) is SubmissionState.GRADING
    finally:
        process.send_signal(signal.SIGKILL)
        process.communicate()

    with running(rig.jobs, lambda lease, _: graded(lease)):
        rig.wait_until(lambda: rig.ended(made))
    assert rig.submission(made).points == 2.0  # the second try
    assert rig.job(made).fence == 2


def test_a_lost_lease_while_settling_is_no_failure(rig: Rig, graded: Graded) -> None:
    (made,) = rig.submit()

    class TooLate(UnreliableQueue):
        def succeed(self, lease: Lease, grade: Grade) -> None:
            rig.expire(made)
            thief = rig.jobs.lease("another worker", HOUR, made)
            assert thief is not None
            with pytest.raises(LeaseLostError):
                super().succeed(lease, grade)
            rig.jobs.succeed(thief, graded(thief))
            super().succeed(lease, grade)

    with running(TooLate(rig.jobs), lambda lease, _: graded(lease), workers=1):
        rig.wait_until(lambda: rig.ended(made))
    assert rig.submission(made).points == 2.0
