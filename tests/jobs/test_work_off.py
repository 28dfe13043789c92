from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Protocol
from uuid import UUID

import pytest

from jupyter_ppo.domain.errors import EngineUnavailableError, SandboxError, UnavailableError
from jupyter_ppo.domain.grading import Grade
from jupyter_ppo.domain.ids import new_id
from jupyter_ppo.domain.jobs import JobState, Lease
from jupyter_ppo.domain.submissions import Submission, SubmissionState
from jupyter_ppo.jobs.local import Cancelled, work_off
from jupyter_ppo.storage.jobs import Jobs
from jupyter_ppo.storage.tables import JobRow

HOUR = timedelta(hours=1)
Graded = Callable[[Lease], Grade]


class Rig(Protocol):
    """What the fixture of the same name gives."""

    jobs: Jobs

    def submit(self, count: int = 1) -> list[UUID]: ...
    def submission(self, submission_id: UUID) -> Submission: ...
    def state(self, submission_id: UUID) -> SubmissionState: ...
    def ended(self, submission_id: UUID) -> bool: ...
    def job(self, submission_id: UUID) -> JobRow: ...
    def expire(self, submission_id: UUID) -> None: ...
    def wait_for(self, event: threading.Event) -> None: ...


def silent(_done: int, _total: int) -> None:
    pass


def test_the_given_submissions_are_done_and_no_others(rig: Rig, graded: Graded) -> None:
    made = rig.submit(6)
    seen: list[tuple[int, int]] = []
    work_off(
        rig.jobs,
        lambda lease, _: graded(lease),
        made[:4],
        workers=3,
        progress=lambda done, total: seen.append((done, total)),
    )
    assert {rig.state(submission_id) for submission_id in made[:4]} == {SubmissionState.GRADED}
    assert {rig.state(submission_id) for submission_id in made[4:]} == {SubmissionState.QUEUED}
    assert seen[0] == (0, 4)
    assert seen[-1] == (4, 4)
    assert seen == sorted(set(seen))


def test_progress_is_reported_job_by_job(rig: Rig, graded: Graded) -> None:
    made = rig.submit(3)
    shown = [threading.Event() for _ in range(4)]

    def work(lease: Lease, _cancel: threading.Event) -> Grade:
        # The next job waits until the end of the one before has been shown.
        done = sum(rig.ended(submission_id) for submission_id in made)
        rig.wait_for(shown[done])
        return graded(lease)

    work_off(rig.jobs, work, made, workers=1, progress=lambda done, _: shown[done].set())
    assert all(event.is_set() for event in shown)


def test_one_that_fails_stops_no_other(rig: Rig, graded: Graded) -> None:
    bad, good = rig.submit(2)
    tries: list[int] = []

    def work(lease: Lease, _cancel: threading.Event) -> Grade:
        if lease.submission_id == bad:
            tries.append(lease.attempt)
            msg = "The container was lost."
            raise SandboxError(msg)
        return graded(lease)

    work_off(rig.jobs, work, [bad, good], workers=2, progress=silent)
    assert tries == [1, 2, 3]
    assert rig.submission(bad).error == "The container was lost."
    assert rig.state(good) is SubmissionState.GRADED


def test_nothing_to_do_ends_at_once(rig: Rig, graded: Graded) -> None:
    seen: list[tuple[int, int]] = []

    def note(done: int, total: int) -> None:
        seen.append((done, total))

    work_off(rig.jobs, lambda lease, _: graded(lease), [], workers=2, progress=note)
    assert seen == [(0, 0)]


def test_repeated_unknown_and_finished_submissions_are_counted_and_left_alone(
    rig: Rig, graded: Graded
) -> None:
    (made,) = rig.submit()
    runs: list[UUID] = []

    def work(lease: Lease, _cancel: threading.Event) -> Grade:
        runs.append(lease.submission_id)
        return graded(lease)

    for _ in range(2):
        work_off(rig.jobs, work, [made, made, new_id()], workers=2, progress=silent)
    assert runs == [made]


def test_one_that_another_worker_left_behind_is_waited_for_and_done(
    rig: Rig, graded: Graded
) -> None:
    (made,) = rig.submit()
    assert rig.jobs.lease("a worker that dies", HOUR) is not None
    asked: list[UUID] = []

    def ended(submission_id: UUID) -> bool:
        asked.append(submission_id)
        if len(asked) == 3:
            rig.expire(made)
        return rig.ended(submission_id)

    work_off(
        rig.jobs,
        lambda lease, _: graded(lease),
        [made],
        workers=2,
        progress=silent,
        ended=ended,
        poll_seconds=0.01,
    )
    assert rig.submission(made).points == 2.0


def test_an_interrupt_gives_back_what_is_under_way_and_is_raised_again(
    rig: Rig,
) -> None:
    made = rig.submit(4)
    started = threading.Event()

    def work(_lease: Lease, cancel: threading.Event) -> Grade:
        started.set()
        rig.wait_for(cancel)
        raise Cancelled

    def interrupt(_done: int, _total: int) -> None:
        rig.wait_for(started)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        work_off(rig.jobs, work, made, workers=2, progress=interrupt)
    jobs = [rig.job(submission_id) for submission_id in made]
    assert [(job.state, job.attempt) for job in jobs] == [(JobState.QUEUED, 0)] * 4


def test_an_error_of_the_queue_is_raised(rig: Rig, graded: Graded) -> None:
    class Down(Jobs):
        def lease(
            self, worker: str, duration: timedelta, submission_id: UUID | None = None
        ) -> Lease | None:
            msg = "The database does not answer."
            raise UnavailableError(msg)

    queue = Down.__new__(Down)
    with pytest.raises(UnavailableError, match="does not answer"):
        work_off(queue, lambda lease, _: graded(lease), rig.submit(3), workers=2, progress=silent)


def test_without_an_engine_it_ends_with_the_reason_and_everything_is_queued(rig: Rig) -> None:
    def work(_lease: Lease, _cancel: threading.Event) -> Grade:
        msg = "No container engine answers."
        raise EngineUnavailableError(msg)

    made = rig.submit(2)
    with pytest.raises(EngineUnavailableError, match="No container engine"):
        work_off(rig.jobs, work, made, workers=1, progress=silent)
    jobs = [rig.job(submission_id) for submission_id in made]
    assert [(job.state, job.attempt) for job in jobs] == [(JobState.QUEUED, 0)] * 2
