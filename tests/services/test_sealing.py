"""The run on the reference solution: once for each version, kept, shown to those who teach."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from jupyter_ppo.domain.access import Caller
from jupyter_ppo.domain.courses import Role
from jupyter_ppo.domain.errors import BusyError, EngineUnavailableError, ForbiddenError
from jupyter_ppo.domain.exam import Exam
from jupyter_ppo.domain.sandbox import NotebookRun, SandboxLimits, SandboxStatus
from jupyter_ppo.domain.sealing import SealState
from jupyter_ppo.jobs.local import Cancelled
from jupyter_ppo.services.grading import GradingService
from jupyter_ppo.storage.hints import Hints

World = Any
LEASE = timedelta(seconds=60)


@pytest.fixture
def grading(course: World, grader: Any, clock: Any) -> Callable[[Any], GradingService]:
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


def _version(course: World) -> Any:
    found = course.courses.course("rl")
    return course.courses.assignment(found.id, "ps1").version


def _graded(course: World, service: GradingService, user: str, data: bytes) -> Any:
    course.assessment.submit(course.member(user, Role.STUDENT), "rl", "ps1", data)
    lease = course.jobs.lease("me", LEASE)
    grade = service.work(lease, threading.Event())
    course.jobs.succeed(lease, grade)
    return grade


def test_the_first_submission_of_a_version_pays_for_the_reference_and_the_next_do_not(
    course: World, echo: Any, grading: Any
) -> None:
    service = grading(echo)
    for user in ("ada", "bob"):
        assert _graded(course, service, user, b'{"answer": 42}').exercises[0].is_sealed
    assert echo.ran == [{"answer": 42}, {"answer": 42, "right": 42}, {"answer": 42, "right": 42}]
    recording, first, second = echo.exams
    assert recording.is_recording
    assert not first.is_recording
    assert not second.is_recording
    assert first.cells[0].contract == second.cells[0].contract == frozenset({"compare Net"})


def test_a_new_version_has_a_run_of_its_own(course: World, echo: Any, grading: Any) -> None:
    service = grading(echo)
    _graded(course, service, "ada", b'{"answer": 42}')
    course.assessment.release(Caller("root", admin=True), "rl", "ps1", b"another source")
    _graded(course, service, "ada", b'{"answer": 1}')
    assert [exam.is_recording for exam in echo.exams] == [True, False, True, False]


def test_a_reference_that_passes_runs_once_and_one_that_fails_runs_plain_too(
    course: World, echo: Any, admin: Caller
) -> None:
    service = course.sealings(echo)
    made = service.calibrate(admin, "rl", "ps1")
    assert (made.states, made.wall_seconds) == ({"answer": SealState.SEALED}, 0.5)
    course.assessment.release(admin, "rl", "ps1", b"a wrong source")
    echo.exams.clear()
    made = service.calibrate(admin, "rl", "ps1")
    assert (made.states, made.wall_seconds) == ({"answer": SealState.REFERENCE_FAILS}, 1.0)
    assert [exam is None for exam in echo.exams] == [False, True]


def test_without_a_test_to_seal_nothing_is_run(course: World, echo: Any, admin: Caller) -> None:
    course.assessment.release(admin, "rl", "ps1", b"no tests here")
    made = course.sealings(echo).calibrate(admin, "rl", "ps1")
    assert (made.states, echo.ran) == ({"answer": SealState.UNSEALED}, [])


def test_what_failed_through_our_fault_is_raised_and_not_kept(
    course: World, echo: Any, grading: Any, admin: Caller
) -> None:
    echo.fail = EngineUnavailableError("No container engine answers.")
    with pytest.raises(EngineUnavailableError):
        course.sealings(echo).calibrate(admin, "rl", "ps1")
    with pytest.raises(EngineUnavailableError):
        _graded(course, grading(echo), "ada", b'{"answer": 42}')
    assert course.sealings(echo).sealing(admin, "rl", "ps1") is None


def test_graders_see_it_authors_run_it_and_students_do_neither(course: World, echo: Any) -> None:
    service = course.sealings(echo)
    ines = course.member("ines", Role.INSTRUCTOR)
    gil = course.member("gil", Role.GRADER)
    sam = course.member("sam", Role.STUDENT)
    assert service.sealing(gil, "rl", "ps1") is None
    made = service.calibrate(ines, "rl", "ps1")
    assert service.sealing(gil, "rl", "ps1") == service.sealing(ines, "rl", "ps1") == made
    for caller, verb in (
        (sam, service.sealing),
        (sam, service.calibrate),
        (gil, service.calibrate),
    ):
        with pytest.raises(ForbiddenError):
            verb(caller, "rl", "ps1")
    events = course.audit.events(subject="rl/ps1", offset=0, limit=9).items
    assert ("ines", "assignment.calibrated") in {(item.user, item.action) for item in events}


def test_a_run_that_an_author_asks_for_replaces_what_is_kept(
    course: World, echo: Any, admin: Caller
) -> None:
    service = course.sealings(echo)
    service.of_version(_version(course), threading.Event())
    before = len(echo.ran)
    service.calibrate(admin, "rl", "ps1")
    assert len(echo.ran) == before + 1


class WaitingSandbox:
    """Runs as the one that it holds, once it is let go."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner
        self.started = threading.Semaphore(0)
        self.go = threading.Event()

    def status(self) -> SandboxStatus:
        return SandboxStatus(True, "waiting", "waiting", None, None)

    async def run(
        self, notebook: dict[str, Any], limits: SandboxLimits, exam: Exam | None = None
    ) -> NotebookRun:
        self.started.release()
        while not self.go.is_set():  # noqa: ASYNC110 - the event is another thread's
            await asyncio.sleep(0.01)
        result: NotebookRun = await self.inner.run(notebook, limits, exam)
        return result


def _in_threads(*calls: Callable[[], Any]) -> tuple[list[threading.Thread], list[Any]]:
    came: list[Any] = []

    def call(work: Callable[[], Any]) -> None:
        try:
            came.append(work())
        except Exception as error:
            came.append(error)

    threads = [threading.Thread(target=call, args=(work,)) for work in calls]
    for thread in threads:
        thread.start()
    return threads, came


def test_of_workers_that_need_the_same_version_one_runs_it_and_the_others_wait(
    course: World, echo: Any
) -> None:
    waiting, version, cancel = WaitingSandbox(echo), _version(course), threading.Event()
    service = course.sealings(waiting)
    threads, came = _in_threads(*[lambda: service.of_version(version, cancel)] * 4)
    assert waiting.started.acquire(timeout=60)
    waiting.go.set()
    for thread in threads:
        thread.join(60)
    assert len(echo.ran) == 1
    assert came == [came[0]] * 4


def test_who_runs_and_who_waits_can_be_cancelled(course: World, echo: Any) -> None:
    waiting, version, cancel = WaitingSandbox(echo), _version(course), threading.Event()
    service = course.sealings(waiting)
    threads, came = _in_threads(*[lambda: service.of_version(version, cancel)] * 2)
    assert waiting.started.acquire(timeout=60)
    cancel.set()
    for thread in threads:
        thread.join(60)
    assert [type(error) for error in came] == [Cancelled, Cancelled]
    assert echo.ran == []


def test_a_third_person_who_asks_is_told_to_come_back_and_a_stopping_server_ends_the_runs(
    course: World, echo: Any, admin: Caller
) -> None:
    waiting = WaitingSandbox(echo)
    service = course.sealings(waiting)
    for name in ("one", "two", "three"):
        course.assessment.release(admin, "rl", name, b"source")
    threads, came = _in_threads(
        *[lambda name=name: service.calibrate(admin, "rl", name) for name in ("one", "two")]
    )
    for _ in threads:
        assert waiting.started.acquire(timeout=60)
    with pytest.raises(BusyError, match="run already"):
        service.calibrate(admin, "rl", "three")
    service.stop()
    for thread in threads:
        thread.join(60)
    assert [type(error) for error in came] == [BusyError, BusyError]
    assert "stopping" in came[0].message


def test_everyone_gets_a_seed_of_their_own_that_grading_uses_again(
    course: World, echo: Any, grading: Any, admin: Caller
) -> None:
    course.assessment.release(admin, "rl", "ps1", b"source with a seed")
    ada, bob = (course.member(user, Role.STUDENT) for user in ("ada", "bob"))
    copies = {
        who: course.assessment.released_notebook(who, "rl", "ps1") for who in (ada, bob, admin)
    }
    assert len(set(copies.values())) == 3
    assert course.assessment.released_notebook(ada, "rl", "ps1") == copies[ada]
    assert course.assessment.released_notebook(admin, "rl", "ps1", "ada") == copies[ada]
    with pytest.raises(ForbiddenError):
        course.assessment.released_notebook(bob, "rl", "ps1", "ada")
    service = grading(echo)
    own = copies[ada].replace(b'"answer": null', b'"answer": ' + copies[ada].split()[-1][:-1])
    assert _graded(course, service, "ada", own).points == 3
    assert _graded(course, service, "bob", own).points == 0
    course.assessment.release(admin, "rl", "ps1", b"source with a seed, and a fix")
    assert course.assessment.released_notebook(ada, "rl", "ps1") == copies[ada]
    assert _graded(course, service, "ada", own).points == 3
