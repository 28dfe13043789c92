"""From a queued submission to a stored grade."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from jupyter_ppo.domain.access import Caller
from jupyter_ppo.domain.courses import Role
from jupyter_ppo.domain.errors import EngineUnavailableError, SandboxError
from jupyter_ppo.domain.exam import Exam
from jupyter_ppo.domain.sandbox import NotebookRun, SandboxLimits, SandboxStatus, Verdict
from jupyter_ppo.domain.submissions import SubmissionState
from jupyter_ppo.jobs.local import Cancelled, LocalWorkers, work_off
from jupyter_ppo.services.grading import GradingService
from jupyter_ppo.storage.hints import Hints

World = Any
LEASE = timedelta(seconds=60)


@pytest.fixture
def service(course: World, grader: Any, clock: Any) -> Callable[[Any], GradingService]:
    def build(sandbox: Any) -> GradingService:
        return GradingService(
            courses=course.courses,
            submissions=course.submissions,
            blobs=course.blobs,
            grader=grader,
            sandbox=sandbox,
            sealings=course.sealings(sandbox, grader),
            seeds=course.seeds,
            hints=Hints(course.database),
            limits=SandboxLimits(),
            clock=clock,
        )

    return build


def _submitted(course: World, data: bytes) -> Any:
    return course.assessment.submit(course.member("ada", Role.STUDENT), "rl", "ps1", data)


@pytest.mark.parametrize(("data", "points"), [(b'{"answer": 42}', 3.0), (b'{"answer": 1}', 0.0)])
def test_a_submission_is_restored_run_scored_and_stored(
    course: World, service: Any, echo: Any, data: bytes, points: float
) -> None:
    received = _submitted(course, data)
    lease = course.jobs.lease("me", LEASE)
    course.jobs.succeed(lease, service(echo).work(lease, threading.Event()))
    ada = Caller("ada")
    grade = course.assessment.grade(ada, received.id)
    assert (grade.points, grade.max_points, grade.verdict) == (points, 3.0, Verdict.RAN)
    assert course.assessment.feedback(ada, received.id) == f"<p>ada: {points:g}</p>".encode()
    shown = course.assessment.submission(ada, received.id)
    assert (shown.state, shown.points) == (SubmissionState.GRADED, points)


def test_a_failure_of_the_sandbox_is_an_error_and_never_a_grade(
    course: World, service: Any, echo: Any
) -> None:
    received = _submitted(course, b'{"answer": 42}')
    echo.fail = SandboxError("the engine went away")
    lease = course.jobs.lease("me", LEASE)
    with pytest.raises(SandboxError):
        service(echo).work(lease, threading.Event())
    assert course.submissions.grade(received.id) is None


@pytest.fixture
def seven(course: World) -> tuple[list[Any], Any]:
    """Seven submissions, and the first of them: a folder stands where its file was."""
    ada = course.member("ada", Role.STUDENT)
    made = [
        course.assessment.submit(ada, "rl", "ps1", f'{{"answer": 42, "n": {number}}}'.encode())
        for number in range(7)
    ]
    path = next(course.folder.rglob(made[0].digest[2:]))
    path.unlink()
    path.mkdir()
    return made, made[0]


def _ended(course: World, submission_id: Any) -> bool:
    state = course.submissions.submission(submission_id).state
    return state in {SubmissionState.GRADED, SubmissionState.FAILED}


def _check_seven(course: World, made: list[Any], bad: Any) -> None:
    states = {item.id: course.submissions.submission(item.id).state for item in made}
    assert states.pop(bad.id) is SubmissionState.FAILED
    assert set(states.values()) == {SubmissionState.GRADED}
    assert bad.digest in course.submissions.submission(bad.id).error


def test_one_unreadable_submission_fails_and_the_workers_grade_all_others(
    course: World, service: Any, echo: Any, seven: tuple[list[Any], Any]
) -> None:
    made, bad = seven
    workers = LocalWorkers(course.jobs, service(echo).work, workers=1, poll_seconds=0.02)
    workers.start()
    try:
        deadline = time.monotonic() + 120
        while not all(_ended(course, item.id) for item in made):
            assert time.monotonic() < deadline
            time.sleep(0.02)
    finally:
        workers.stop(0)
    _check_seven(course, made, bad)


def test_one_unreadable_submission_does_not_stop_a_batch(
    course: World, service: Any, echo: Any, seven: tuple[list[Any], Any]
) -> None:
    made, bad = seven
    work_off(
        course.jobs,
        service(echo).work,
        [item.id for item in made],
        workers=2,
        progress=lambda _done, _total: None,
        ended=lambda submission_id: _ended(course, submission_id),
    )
    _check_seven(course, made, bad)


def test_what_stands_in_the_way_of_one_job_keeps_no_other_waiting(
    course: World, service: Any, echo: Any
) -> None:
    first, second = (_submitted(course, b'{"answer": %d}' % answer) for answer in (1, 42))

    class RefusesOne:
        """An engine that does not answer whenever it gets the first notebook."""

        def status(self) -> SandboxStatus:
            return SandboxStatus(True, "echo", "echo", None, None)

        async def run(
            self, notebook: dict[str, Any], limits: SandboxLimits, exam: Exam | None = None
        ) -> NotebookRun:
            if notebook["answer"] == 1:
                msg = "No container engine answers."
                raise EngineUnavailableError(msg)
            return await echo.run(notebook, limits, exam)

    workers = LocalWorkers(course.jobs, service(RefusesOne()).work, workers=1, poll_seconds=0.02)
    workers.start()
    try:
        deadline = time.monotonic() + 120
        while not _ended(course, second.id):
            assert time.monotonic() < deadline
            time.sleep(0.02)
    finally:
        workers.stop(0)
    assert course.submissions.submission(first.id).state is SubmissionState.QUEUED


class EndlessSandbox:
    """Runs until it is cancelled, and remembers that it could tidy up."""

    def __init__(self) -> None:
        self.started = threading.Event()
        self.tidied = False

    def status(self) -> SandboxStatus:
        return SandboxStatus(True, "endless", "endless", None, None)

    async def run(
        self, notebook: dict[str, Any], limits: SandboxLimits, exam: Exam | None = None
    ) -> NotebookRun:
        self.started.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.tidied = True
        raise AssertionError


def test_cancelling_ends_the_run_and_lets_the_sandbox_tidy_up(course: World, service: Any) -> None:
    _submitted(course, b'{"answer": 42}')
    lease, cancel, endless = course.jobs.lease("me", LEASE), threading.Event(), EndlessSandbox()
    caught: list[BaseException] = []

    def work() -> None:
        try:
            service(endless).work(lease, cancel)
        except BaseException as error:
            caught.append(error)

    worker = threading.Thread(target=work)
    worker.start()
    assert endless.started.wait(60)
    cancel.set()
    worker.join(60)
    assert not worker.is_alive()
    assert isinstance(caught[0], Cancelled)
    assert endless.tidied
