"""From a request to a record: checked, admitted, run, judged; and what goes wrong on the way."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from jupyter_ppo.domain.access import Caller
from jupyter_ppo.domain.ending import Ending
from jupyter_ppo.domain.errors import (
    BusyError,
    EngineUnavailableError,
    InvalidInputError,
    NotFoundError,
    SandboxError,
    TooLargeError,
    TooManyRequestsError,
    UnavailableError,
)
from jupyter_ppo.domain.execution import (
    MAX_DATA_BYTES,
    Call,
    Case,
    CaseVerdict,
    Execution,
    ExecutionBounds,
    ExecutionQuota,
    ExecutionRequest,
    ExecutionState,
    Outcome,
    Program,
    ProgramRun,
    stopped_run,
)
from jupyter_ppo.domain.sandbox import PoolStatus, SandboxLimits
from jupyter_ppo.services.execution import ExecutionService
from jupyter_ppo.storage.database import Database, open_database, sqlite_url
from jupyter_ppo.storage.executions import Executions
from jupyter_ppo.storage.tables import ExecutionRow

ADA, BOB = Caller("ada"), Caller("bob")
ASKED = ExecutionRequest("print(1)", timeout_seconds=30, memory_mb=256)
SECONDS = 60  # how long anything here may take before a test fails


@dataclass
class EchoPrograms:
    """Prints a program's code and stdin and returns its call's arguments.

    With a ``gate`` it runs nothing until the gate opens; ``fail`` makes it fail as an engine would.
    """

    gate: threading.Event | None = None
    fail: BaseException | None = None
    seconds: float = 0.1
    ran: list[tuple[Sequence[Program], SandboxLimits, float]] = field(default_factory=list)
    started: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    def run(
        self,
        programs: Sequence[Program],
        limits: SandboxLimits,
        seconds: float,
        stop: Ending | None = None,
    ) -> tuple[ProgramRun, ...]:
        self.ran.append((programs, limits, seconds))
        self.started.release()
        if self.gate is not None:
            if stop is not None:
                stop.on_end(self.gate.set)
            assert self.gate.wait(SECONDS)
        if stop is not None and stop.is_ended:
            return tuple(stopped_run(self.seconds) for _ in programs)
        if self.fail is not None:
            raise self.fail
        return tuple(_echo(program, self.seconds) for program in programs)

    def status(self) -> PoolStatus:
        return PoolStatus(1, 2)


def _echo(program: Program, seconds: float) -> ProgramRun:
    if program.stdin == "raise":
        return ProgramRun(Outcome.RAISED, "", "", 0.1, 1, "ValueError", "no")
    value = None if program.call is None else list(program.call.args)
    return ProgramRun(
        Outcome.SUCCEEDED,
        program.code + program.stdin,
        "",
        seconds=seconds,
        memory_mb=1,
        value=value,
        has_value=program.call is not None,
    )


Make = Callable[..., ExecutionService]


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = open_database(sqlite_url(tmp_path / "ppo.sqlite"))
    yield opened
    opened.close()


@pytest.fixture
def make(database: Database) -> Iterator[Make]:
    """Build a service on the database; its gate is opened and it is stopped at the end."""
    made: list[tuple[ExecutionService, EchoPrograms]] = []

    def make(programs: EchoPrograms, **changed: Any) -> ExecutionService:
        given: dict[str, Any] = {
            "executions": Executions(database, grace=timedelta(seconds=120)),
            "limits": SandboxLimits(),
            "bounds": ExecutionBounds(),
            "quota": ExecutionQuota(per_minute=1000, at_once=1000, seconds_per_day=1e6),
            "slots": 2,
            "waiting": 20,
            "keep": timedelta(days=30),
            **changed,
        }
        service = ExecutionService(programs=programs, **given)
        made.append((service, programs))
        return service

    yield make
    for service, programs in made:
        if programs.gate is not None:
            programs.gate.set()
        service.stop()


def record(service: ExecutionService, caller: Caller = ADA) -> Execution:
    """The caller's newest execution, as it is stored."""
    (newest,) = service.history(caller, offset=0, limit=1).items
    return service.execution(caller, newest.id)


def test_a_program_runs_within_what_was_asked_for_and_is_recorded(make: Make) -> None:
    programs = EchoPrograms()
    service = make(programs, limits=SandboxLimits(pids=99))
    request = replace(ASKED, globals={"x": [1, float("nan")]}, capture_locals=True)
    done = service.submit(ADA, request).result(SECONDS)
    assert (done.state, done.user, done.outcome) == (
        ExecutionState.DONE,
        "ada",
        Outcome.SUCCEEDED,
    )
    assert done.run is not None
    assert done.run.stdout == "print(1)"
    assert service.execution(ADA, done.id) == done
    (((program,), limits, seconds),) = programs.ran
    assert (program.globals, program.capture_locals) == (request.globals, True)
    assert (limits.memory_mb, limits.pids, seconds) == (256, 99, 30)


def test_what_counts_is_the_time_that_the_programs_ran(make: Make) -> None:
    programs = EchoPrograms(gate=threading.Event())
    service = make(programs, quota=ExecutionQuota(100, 1, 31))
    future = service.submit(ADA, ASKED)
    assert service.left(ADA) == ExecutionQuota(99, 0, 1)
    assert service.left(BOB) == service.quota
    programs.gate.set()
    assert future.result(SECONDS).seconds == 0.1  # what EchoPrograms says that it took
    assert service.left(ADA) == ExecutionQuota(99, 1, 30.9)
    cases = (Case("", stdin=""),) * 3
    assert service.submit(ADA, replace(ASKED, cases=cases)).result(SECONDS).seconds == sum(
        [0.1] * 3
    )


def test_nobody_pays_for_more_than_was_asked_for(make: Make) -> None:
    service = make(EchoPrograms(seconds=45))
    assert service.submit(ADA, ASKED).result(SECONDS).seconds == 30
    broken = EchoPrograms(fail=SandboxError("Lost.", seconds=45))
    service = make(broken)
    for ran, counted in ((45, 30), (12.5, 12.5), (0, 0)):
        broken.fail = SandboxError("Lost.", seconds=ran)
        assert service.submit(BOB, ASKED).exception(SECONDS) is broken.fail
        assert (record(service, BOB).state, record(service, BOB).seconds) == (
            ExecutionState.FAILED,
            counted,
        )


def test_test_cases_are_judged_one_by_one(make: Make) -> None:
    cases = (
        Case("print(1)a", stdin="a"),
        Case("b", stdin="b"),
        Case([1, 2.0], call=Call("f", (1, 2))),
        Case([3], call=Call("f", (4,))),
        Case("", stdin="raise"),
    )
    service = make(EchoPrograms())
    done = service.submit(ADA, replace(ASKED, cases=cases)).result(SECONDS)
    assert [case.verdict for case in done.cases] == [
        CaseVerdict.PASSED,
        CaseVerdict.FAILED,
        CaseVerdict.PASSED,
        CaseVerdict.FAILED,
        CaseVerdict.RAISED,
    ]
    assert (done.cases_passed, done.cases_total, done.run) == (2, 5, None)
    assert service.execution(ADA, done.id) == done


def test_executions_are_private(make: Make) -> None:
    service = make(EchoPrograms())
    done = service.submit(ADA, ASKED).result(SECONDS)
    assert service.history(BOB, offset=0, limit=9).total == 0
    assert [item.id for item in service.history(ADA, offset=0, limit=9).items] == [done.id]
    for caller in (BOB, Caller("root", admin=True)):
        with pytest.raises(NotFoundError):
            service.execution(caller, done.id)


@pytest.mark.parametrize(
    ("raised", "expected"),
    [
        (EngineUnavailableError("No engine."), EngineUnavailableError),
        (SandboxError("It broke."), SandboxError),
        (KeyError("bug"), SandboxError),
        (SystemExit(1), SandboxError),
    ],
)
def test_a_failure_of_the_sandbox_is_recorded_and_counts_nothing(
    make: Make, raised: BaseException, expected: type[Exception]
) -> None:
    service = make(EchoPrograms(fail=raised))
    error = service.submit(ADA, ASKED).exception(SECONDS)
    assert type(error) is expected
    failed = record(service)
    assert (failed.state, failed.seconds) == (ExecutionState.FAILED, 0)
    assert failed.error == error.message  # type: ignore[attr-defined]


def test_a_sandbox_that_returns_too_few_runs_has_failed(make: Make) -> None:
    class Forgetful(EchoPrograms):
        def run(self, *given: Any) -> tuple[ProgramRun, ...]:
            return super().run(*given)[1:]

    for request in (ASKED, replace(ASKED, cases=(Case("", stdin=""), Case("", stdin="")))):
        error = make(Forgetful()).submit(ADA, request).exception(SECONDS)
        assert isinstance(error, SandboxError)


def test_an_admin_has_the_same_quota(make: Make) -> None:
    service = make(EchoPrograms(), quota=ExecutionQuota(per_minute=1))
    root = Caller("root", admin=True)
    service.submit(root, ASKED).result(SECONDS)
    with pytest.raises(TooManyRequestsError):
        service.submit(root, ASKED)


def test_many_requests_at_the_same_moment_run_no_more_than_the_quota(make: Make) -> None:
    programs = EchoPrograms()
    service = make(programs, quota=ExecutionQuota(per_minute=5, at_once=99), slots=4)
    barrier, admitted, refused = threading.Barrier(10), [], []

    def ask() -> None:
        barrier.wait(SECONDS)
        try:
            admitted.append(service.submit(ADA, ASKED))
        except TooManyRequestsError as error:
            refused.append(error.retry_after)

    threads = [threading.Thread(target=ask) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SECONDS)
    assert [future.result(SECONDS).state for future in admitted] == [ExecutionState.DONE] * 5
    assert (len(refused), len(programs.ran)) == (5, 5)
    assert all(1 <= seconds <= 60 for seconds in refused)


def test_when_all_places_are_taken_nothing_is_admitted_and_a_place_comes_free(make: Make) -> None:
    programs = EchoPrograms(gate=threading.Event())
    service = make(programs, slots=1, waiting=1)
    taken = [service.submit(ADA, ASKED) for _ in range(2)]
    with pytest.raises(BusyError) as caught:
        service.submit(BOB, ASKED)
    assert caught.value.retry_after > 0
    assert service.history(BOB, offset=0, limit=1).total == 0
    programs.gate.set()
    for future in taken:
        future.result(SECONDS)
    service.submit(BOB, ASKED).result(SECONDS)


def test_a_refusal_or_a_failure_gives_its_place_back(make: Make) -> None:
    programs = EchoPrograms(fail=SandboxError("It broke.", seconds=1))
    service = make(programs, slots=1, waiting=0, quota=ExecutionQuota(per_minute=2))
    for _ in range(2):
        assert service.submit(ADA, ASKED).exception(SECONDS)
    for _ in range(2):
        with pytest.raises(TooManyRequestsError):
            service.submit(ADA, ASKED)
    programs.fail = None
    service.submit(BOB, ASKED).result(SECONDS)


def test_one_that_is_cancelled_before_its_turn_is_not_run_and_has_failed(make: Make) -> None:
    programs = EchoPrograms(gate=threading.Event())
    service = make(programs, slots=1)
    first = service.submit(ADA, ASKED)
    assert programs.started.acquire(timeout=SECONDS)
    waiting, last = service.submit(BOB, ASKED), service.submit(ADA, ASKED)
    assert waiting.cancel()
    assert not first.cancel()
    programs.gate.set()
    last.result(SECONDS)
    with pytest.raises(CancelledError):
        waiting.result(SECONDS)
    assert record(service, BOB).state is ExecutionState.FAILED
    assert len(programs.ran) == 2


def test_one_that_waits_too_long_is_not_run(make: Make) -> None:
    programs = EchoPrograms()
    service = make(programs, patience_seconds=0)
    error = service.submit(ADA, ASKED).exception(SECONDS)
    assert isinstance(error, BusyError)
    assert (record(service).state, programs.ran) == (ExecutionState.FAILED, [])


def test_a_person_stops_what_runs_and_what_waits_and_nothing_of_others(make: Make) -> None:
    programs = EchoPrograms(gate=threading.Event())
    service = make(programs, slots=2, waiting=3)
    running = service.submit(ADA, ASKED)
    others = service.submit(BOB, ASKED)
    for _ in range(2):
        assert programs.started.acquire(timeout=SECONDS)
    cases = (Case("", stdin="a"), Case(1, call=Call("f")))
    waiting = service.submit(ADA, replace(ASKED, cases=cases))
    assert service.stop_own(Caller("eve")) == 0
    assert service.stop_own(ADA) == 2

    assert waiting.done(), "it waits for a slot to be stopped"
    stopped = waiting.result(0)
    assert [case.verdict for case in stopped.cases] == [CaseVerdict.STOPPED] * 2
    assert {case.detail for case in stopped.cases} == {"The program was stopped."}
    assert (stopped.state, stopped.seconds) == (ExecutionState.DONE, 0)
    ended = running.result(SECONDS)
    assert (ended.outcome, ended.seconds) == (Outcome.STOPPED, 0.1)
    assert service.execution(ADA, ended.id) == ended
    assert others.result(SECONDS).outcome is Outcome.SUCCEEDED
    assert len(programs.ran) == 2
    assert service.stop_own(ADA) == 0

    programs.gate = None
    for future in [service.submit(BOB, ASKED) for _ in range(5)]:  # every place is free again
        assert future.result(SECONDS).outcome is Outcome.SUCCEEDED


def test_what_failed_before_it_ran_counts_nothing(make: Make) -> None:
    programs = EchoPrograms(fail=EngineUnavailableError("No engine."))
    service = make(programs, quota=ExecutionQuota(per_minute=1))
    for _ in range(3):
        assert service.submit(ADA, ASKED).exception(SECONDS) is programs.fail
    assert service.left(ADA) == service.quota
    programs.fail = SandboxError("Lost.", seconds=2)
    assert service.submit(ADA, ASKED).exception(SECONDS) is programs.fail
    assert service.left(ADA) == ExecutionQuota(0, 2, 3598)
    with pytest.raises(TooManyRequestsError):
        service.submit(ADA, ASKED)


def test_a_program_reads_the_standard_input_of_its_request(make: Make) -> None:
    done = make(EchoPrograms()).submit(ADA, replace(ASKED, stdin="abc")).result(SECONDS)
    assert done.run is not None
    assert done.run.stdout == "print(1)abc"


def test_stopping_ends_what_waits_and_what_runs_and_takes_nothing_new(make: Make) -> None:
    programs = EchoPrograms(gate=threading.Event())
    service = make(programs, slots=1)
    running = service.submit(ADA, ASKED)
    assert programs.started.acquire(timeout=SECONDS)
    waiting = service.submit(BOB, ASKED)
    stopper = threading.Thread(target=service.stop)
    stopper.start()
    _until(lambda: _refused(service))
    programs.fail = SandboxError("Lost.", seconds=3)  # what closing the sandbox gives
    programs.gate.set()
    stopper.join(SECONDS)
    assert not stopper.is_alive()
    for future, caller in ((running, ADA), (waiting, BOB)):
        error = future.exception(0)
        assert isinstance(error, BusyError)
        assert "stopping" in error.message
        failed = record(service, caller)
        assert (failed.state, failed.seconds) == (ExecutionState.FAILED, 0)
    assert len(programs.ran) == 1


def test_a_service_that_refuses_lets_what_runs_end(make: Make) -> None:
    programs = EchoPrograms(gate=threading.Event())
    service = make(programs, slots=1)
    running = service.submit(ADA, ASKED)
    assert programs.started.acquire(timeout=SECONDS)
    waiting = service.submit(BOB, ASKED)
    service.refuse()
    with pytest.raises(BusyError):
        service.submit(BOB, ASKED)
    programs.gate.set()
    assert running.result(SECONDS).state is ExecutionState.DONE
    assert isinstance(waiting.exception(SECONDS), BusyError)
    assert len(programs.ran) == 1


def _refused(service: ExecutionService) -> bool:
    try:
        service.submit(Caller("eve"), replace(ASKED, timeout_seconds=1))
    except BusyError as error:
        return "stopping" in error.message
    return False


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_database_that_cannot_keep_a_result_fails_the_request_and_not_the_next(
    make: Make, database: Database
) -> None:
    programs = EchoPrograms(gate=threading.Event())
    service = make(programs, slots=1, waiting=0)
    future = service.submit(ADA, ASKED)
    with database.begin() as session:
        session.execute(text("ALTER TABLE executions RENAME TO elsewhere"))
    programs.gate.set()
    assert isinstance(future.exception(SECONDS), UnavailableError)
    with database.begin() as session:
        session.execute(text("ALTER TABLE elsewhere RENAME TO executions"))
    service.submit(BOB, ASKED).result(SECONDS)
    assert record(service).state is ExecutionState.RUNNING
    age(database, timedelta(seconds=30 + 121))
    assert record(service).state is ExecutionState.FAILED


def age(database: Database, by: timedelta) -> None:
    with database.begin() as session:
        for row in session.query(ExecutionRow):
            row.created_at -= by
            row.expires_at -= by


def test_starting_forgets_what_is_too_old_and_the_next_cleaning_is_an_hour_later(
    make: Make, database: Database
) -> None:
    first = make(EchoPrograms())
    first.start()
    first.submit(ADA, ASKED).result(SECONDS)
    age(database, timedelta(days=31))
    first.submit(ADA, ASKED).result(SECONDS)
    first.stop()
    assert first.history(ADA, offset=0, limit=9).total == 2
    second = make(EchoPrograms())
    second.start()
    assert second.history(ADA, offset=0, limit=9).total == 1


def test_a_service_that_was_not_started_cleans_after_its_first_run(
    make: Make, database: Database
) -> None:
    first, second = make(EchoPrograms()), make(EchoPrograms())
    first.submit(ADA, ASKED).result(SECONDS)
    age(database, timedelta(days=31))
    second.submit(BOB, ASKED).result(SECONDS)
    second.stop()
    assert second.history(ADA, offset=0, limit=9).total == 0


def test_it_says_what_may_be_asked_for_and_how_many_containers_wait(make: Make) -> None:
    service = make(EchoPrograms(), bounds=ExecutionBounds(memory_mb=300))
    assert service.limits == SandboxLimits(memory_mb=300)
    assert service.pool == PoolStatus(1, 2)


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


GOOD = Case("1", stdin="1")
WRONG: list[tuple[str, dict[str, Any]]] = [
    ("code", {"code": " \n\t"}),
    ("code", {"code": "x" * 50_001}),
    ("code", {"code": "x = '\0'"}),
    ("code", {"code": "x = '\ud800'"}),
    ("timeout", {"timeout_seconds": 0.9}),
    ("timeout", {"timeout_seconds": 301}),
    ("timeout", {"timeout_seconds": float("nan")}),
    ("memory", {"memory_mb": 63}),
    ("memory", {"memory_mb": 2049}),
    ("globals", {"globals": {"class": 1}}),
    ("globals", {"globals": {"__name__": 1}}),
    ("globals", {"globals": {"a b": 1}}),
    ("globals", {"globals": {3: 1}}),
    ("globals", {"globals": {"x": object()}}),
    ("globals", {"globals": {"x": {1: 2}}}),
    ("globals", {"globals": {"x": nested(100_000)}}),
    ("globals", {"globals": {"x": 10**5000}}),
    ("globals", {"globals": {"x": "é" * (MAX_DATA_BYTES // 2)}}),
    ("stdin", {"stdin": "\ud800"}),
    ("stdin", {"stdin": "x" * (MAX_DATA_BYTES + 1)}),
    ("stdin", {"stdin": "x", "cases": (GOOD,)}),
    ("capture_locals", {"capture_locals": True, "cases": (GOOD,)}),
    ("cases", {"cases": (GOOD,) * 51}),
    ("cases", {"cases": (Case("1"),)}),
    ("cases", {"cases": (Case("1", stdin="", call=Call("f")),)}),
    ("cases[1].expected", {"cases": (GOOD, Case(1, stdin="1"))}),
    ("cases", {"cases": (Case("1", stdin="\ud800"),)}),
    ("cases", {"cases": (replace(GOOD, name="n" * 201),)}),
    ("cases", {"cases": (replace(GOOD, tolerance=float("nan")),)}),
    ("cases", {"cases": (replace(GOOD, tolerance=-1.0),)}),
    ("cases", {"cases": (Case(1, call=Call("os.system")),)}),
    ("cases", {"cases": (Case(1, call=Call("__import__")),)}),
    ("cases", {"cases": (Case(1, call=Call("f", (nested(101),))),)}),
    ("cases", {"cases": (Case(1, call=Call("f", kwargs={"x": {1}})),)}),
    ("cases", {"cases": (Case("", stdin="x" * (MAX_DATA_BYTES // 2)),) * 3}),
]


@pytest.mark.parametrize(("name", "change"), WRONG)
def test_what_cannot_be_used_is_refused_with_the_fields_name_before_it_counts(
    make: Make, name: str, change: dict[str, Any]
) -> None:
    service = make(EchoPrograms())
    with pytest.raises(InvalidInputError, match=rf"^{re.escape(name)}") as caught:
        service.submit(ADA, replace(ASKED, **change))
    assert str(caught.value.field).startswith(name)
    assert caught.value.message.startswith(f"{caught.value.field}: ")
    assert len(caught.value.message) < 300
    assert service.history(ADA, offset=0, limit=1).total == 0


def test_what_is_only_too_much_is_named_so(make: Make) -> None:
    service = make(EchoPrograms())
    for change in ({"code": "x" * 50_001}, {"cases": (GOOD,) * 51}):
        with pytest.raises(TooLargeError):
            service.submit(ADA, replace(ASKED, **change))


def test_what_is_just_within_the_bounds_runs(make: Make) -> None:
    service = make(EchoPrograms())
    requests = [
        ExecutionRequest("x" * 50_000, timeout_seconds=300, memory_mb=2048),
        ExecutionRequest("x", timeout_seconds=1, memory_mb=64, globals={"_x": nested(98), "é": ""}),
        replace(ASKED, globals={"x": "x" * (MAX_DATA_BYTES - len('{"x":""}'))}),
        replace(ASKED, cases=(GOOD,) * 50),
    ]
    futures: list[Future[Execution]] = [service.submit(ADA, request) for request in requests]
    assert {future.result(SECONDS).state for future in futures} == {ExecutionState.DONE}
