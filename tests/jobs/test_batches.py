"""Batches with real workers: one that is killed, and one whose jobs are cancelled."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from jupyter_ppo.domain.batches import Batch, BatchItemState, BatchScope
from jupyter_ppo.domain.grading import Grade
from jupyter_ppo.domain.jobs import JobState, Lease
from jupyter_ppo.domain.submissions import SubmissionState
from jupyter_ppo.jobs.local import Cancelled, LocalWorkers, work_off
from jupyter_ppo.storage.batches import Batches

Graded = Callable[[Lease], Grade]

#: A server that grades two submissions and then hangs in the third until it is killed.
_SERVER = """
import sys, threading, time
from datetime import UTC, datetime
from jupyter_ppo.domain.grading import ExerciseGrade, Grade
from jupyter_ppo.domain.sandbox import Verdict
from jupyter_ppo.jobs.local import LocalWorkers
from jupyter_ppo.storage.database import open_database
from jupyter_ppo.storage.jobs import Jobs

done = []

def work(lease, cancel):
    if len(done) == 2:
        print("hanging", flush=True)
        time.sleep(600)
    done.append(lease)
    exercises = (ExerciseGrade("gae", 1.0, 3.0, False, "Good."),)
    now = datetime(2026, 1, 1, tzinfo=UTC)
    return Grade(lease.submission_id, exercises, Verdict.RAN, "", "c" * 64, now, 0.5)

workers = LocalWorkers(Jobs(open_database(sys.argv[1])), work, workers=1, lease_seconds=1.0)
workers.start()
time.sleep(600)
"""


def batch_of_all(rig: Any) -> tuple[Batches, Batch]:
    assignment = rig.courses.assignment(rig.courses.course("ppo").id, "first")
    batches = Batches(rig.database)
    made = batches.create(
        assignment, created_by="gil", reason="", scope=BatchScope.LISTED, submissions=rig.everything
    )
    return batches, made


def test_a_batch_goes_on_and_ends_after_its_server_was_killed(rig: Any, graded: Graded) -> None:
    rig.everything = rig.submit(5)
    batches, batch = batch_of_all(rig)
    server = subprocess.Popen([sys.executable, "-c", _SERVER, rig.url], stdout=subprocess.PIPE)
    try:
        assert server.stdout is not None
        assert server.stdout.readline() == b"hanging\n"
    finally:
        server.send_signal(signal.SIGKILL)
        server.wait()
        server.stdout.close()
    counts = batches.batch(batch.id).counts
    assert (counts[BatchItemState.DONE], counts[BatchItemState.GRADING]) == (2, 1)
    workers = LocalWorkers(
        rig.jobs, lambda lease, _: graded(lease), workers=2, lease_seconds=5, poll_seconds=0.05
    )
    workers.start()
    try:
        rig.wait_until(lambda: batches.batch(batch.id).is_over)
    finally:
        workers.stop(5)
    assert batches.batch(batch.id).counts[BatchItemState.DONE] == 5
    items = batches.items(batch.id, offset=0, limit=10).items
    # The one that was cut short took a second try.
    assert sorted(item.after.points for item in items if item.after) == [1, 1, 1, 1, 2]


def test_the_worker_of_a_cancelled_job_stops_within_seconds(rig: Any, graded: Graded) -> None:
    first, second = rig.everything = rig.submit(2)
    batches, batch = batch_of_all(rig)
    begun, stopped = threading.Event(), threading.Event()

    def work(lease: Lease, cancel: threading.Event) -> Grade:
        if lease.submission_id != first:
            return graded(lease)
        begun.set()
        assert cancel.wait(60)
        stopped.set()
        raise Cancelled

    # A long lease: only the beat that looks for it tells the worker so soon.
    workers = LocalWorkers(rig.jobs, work, workers=2, lease_seconds=600, poll_seconds=0.05)
    workers.start()
    try:
        rig.wait_for(begun)
        rig.wait_until(lambda: rig.ended(second))
        cancelled = time.monotonic()
        batches.cancel(batch.id)
        rig.wait_for(stopped)
        assert time.monotonic() - cancelled < 15  # a beat of two seconds, on a busy machine
        assert rig.state(first) is SubmissionState.SUBMITTED
        (third,) = rig.submit(1)
        workers.wake()
        rig.wait_until(lambda: rig.ended(third))
    finally:
        workers.stop(5)
    assert rig.job(first).state is JobState.CANCELLED
    counts = batches.batch(batch.id).counts
    assert (counts[BatchItemState.DONE], counts[BatchItemState.CANCELLED]) == (1, 1)


def test_what_is_cancelled_while_a_command_waits_for_it_does_not_keep_it(
    rig: Any, graded: Graded
) -> None:
    first, second = rig.everything = rig.submit(2)
    batches, batch = batch_of_all(rig)

    def work(lease: Lease, cancel: threading.Event) -> Grade:
        batches.cancel(batch.id)
        assert cancel.wait(60)
        raise Cancelled

    under_way = {SubmissionState.QUEUED, SubmissionState.GRADING}
    shown: list[int] = []
    work_off(
        rig.jobs,
        work,
        [first, second],
        workers=1,
        progress=lambda done, _: shown.append(done),
        ended=lambda each: rig.state(each) not in under_way,
        poll_seconds=0.02,
    )
    assert shown[-1] == 2
    assert {rig.state(first), rig.state(second)} == {SubmissionState.SUBMITTED}
