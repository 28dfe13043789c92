"""Trials: what students and authors are told, that nothing hidden gets out, and how they end."""

from __future__ import annotations

import asyncio
import copy
import json
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from jupyter_ppo.autograde.notebook_grader import NotebookGrader
from jupyter_ppo.domain.access import Caller
from jupyter_ppo.domain.courses import Role
from jupyter_ppo.domain.errors import (
    BusyError,
    EngineUnavailableError,
    ForbiddenError,
    InvalidNotebookError,
    NotFoundError,
    SandboxError,
    TooManyRequestsError,
    WrongAssignmentError,
)
from jupyter_ppo.domain.exam import CheckRun, CheckState, Exam
from jupyter_ppo.domain.sandbox import (
    CellRun,
    NotebookRun,
    SandboxLimits,
    SandboxStatus,
    Verdict,
)
from jupyter_ppo.domain.trials import TrialState
from jupyter_ppo.services.seeds import PersonalSeeds
from jupyter_ppo.services.trials import AT_ONCE, TrialService
from jupyter_ppo.storage.trials import Trials

World = Any
SECRET = "double(-3.5) == -7"
ANSWER = "def double(x):\n    ### BEGIN SOLUTION\n    return 2 * x\n    ### END SOLUTION"
TESTS = f"assert double(1) == 2\n### BEGIN HIDDEN TESTS\nassert {SECRET}\n### END HIDDEN TESTS"
LONG = 30.0


class InProcessSandbox:
    """Runs the few lines of these tests here, the exam's in the same names; keeps what it got."""

    def __init__(self) -> None:
        self.got: list[str] = []
        self.gate = threading.Event()
        self.gate.set()
        self.entered = threading.Semaphore(0)
        self.fail: Exception | None = None

    def status(self) -> SandboxStatus:
        return SandboxStatus(True, "here", "here", None, None)

    async def run(
        self, notebook: dict[str, Any], limits: SandboxLimits, exam: Exam | None = None
    ) -> NotebookRun:
        self.got.append(repr(notebook) + repr(exam))
        self.entered.release()
        while not self.gate.is_set():  # noqa: ASYNC110  it is set from another thread
            await asyncio.sleep(0.01)
        if self.fail is not None:
            raise self.fail
        names: dict[str, Any] = {}
        tests = exam.tests if exam else frozenset()
        codes = {cell.index: cell.code for cell in exam.cells} if exam else {}
        checks, cells, ran = [], [], copy.deepcopy(notebook)
        for index, cell in enumerate(notebook["cells"]):
            if cell["cell_type"] != "code":
                continue
            cells.append(CellRun(index, finished=True, seconds=0.0))
            try:
                exec(codes[index] if index in tests else cell["source"], names)  # noqa: S102
            except Exception as error:
                found = CheckRun(
                    index,
                    CheckState.FAILED,
                    error_type=type(error).__name__,
                    error_message=str(error),
                )
            else:
                found = CheckRun(index, CheckState.PASSED)
            if found.error_type:
                ran["cells"][index]["outputs"] = [error_output(found)]
            if index in tests:
                checks.append(found)
        return NotebookRun(ran, Verdict.RAN, "", tuple(cells), 0.1, checks=tuple(checks))


def error_output(check: CheckRun) -> dict[str, Any]:
    name, value = check.error_type, check.error_message
    return {"output_type": "error", "ename": name, "evalue": value, "traceback": []}


def meta(grade_id: str, **changes: Any) -> dict[str, Any]:
    plain = {"schema_version": 3, "grade": False, "solution": False, "locked": False}
    return {"nbgrader": {**plain, "grade_id": grade_id, **changes}}


def source(
    answer: str = ANSWER, tests: str = TESTS, name: str = "double-tests", **changes: Any
) -> bytes:
    graded = {"grade": True, "locked": True, "points": 2, **changes}
    cells = [
        new_code_cell(answer, metadata=meta("double", solution=True)),
        new_code_cell(tests, metadata=meta(name, **graded)),
        new_markdown_cell("Why?", metadata=meta("why", grade=True, solution=True, points=1)),
    ]
    return nbformat.writes(new_notebook(cells=cells)).encode()


def answered(released: bytes, answer: str) -> bytes:
    notebook = json.loads(released)
    notebook["cells"][0]["source"] = answer
    return json.dumps(notebook).encode()


@pytest.fixture
def sandbox() -> InProcessSandbox:
    return InProcessSandbox()


@pytest.fixture
def build(world: World, admin: Caller, sandbox: InProcessSandbox, clock: Any) -> Iterator[Any]:
    grader, made = NotebookGrader(), []
    world.assessment._grader = grader
    world.assessment._seeds = PersonalSeeds(world.courses, world.blobs, grader)
    world.assessment.create_course(admin, "rl", "RL")
    world.assessment.release(admin, "rl", "ps1", source())

    def service() -> TrialService:
        made.append(
            TrialService(
                courses=world.courses,
                trials=Trials(world.database),
                blobs=world.blobs,
                grader=grader,
                sandbox=sandbox,
                sealings=world.sealings(sandbox, grader),
                seeds=PersonalSeeds(world.courses, world.blobs, grader),
                clock=clock,
                limits=SandboxLimits(),
                audit=world.audit,
            )
        )
        return made[-1]

    yield service
    sandbox.gate.set()
    for each in made:
        each.stop()


@pytest.fixture
def trials(build: Callable[[], TrialService]) -> TrialService:
    return build()


@pytest.fixture
def student(build: Any, world: World) -> Caller:
    caller: Caller = world.member("sam", Role.STUDENT)
    return caller


@pytest.fixture
def copied(student: Caller, world: World) -> bytes:
    data: bytes = world.assessment.released_notebook(student, "rl", "ps1")
    return data


def test_a_student_is_told_what_the_visible_tests_say(
    trials: TrialService, student: Caller, copied: bytes
) -> None:
    right = answered(copied, "def double(x): return 2 * x")
    begun = trials.validate(student, "rl", "ps1", right)
    assert begun.state is TrialState.QUEUED
    done = trials.wait(student, begun.id, LONG)
    assert done.result is not None
    assert (done.result["passed"], done.result["total"]) == (1, 1)
    assert [each["passed"] for each in done.result["exercises"]] == [True, None]
    assert "Hidden tests are not run" in done.result["note"]
    wrong = trials.validate(student, "rl", "ps1", answered(copied, "def double(x): return 3"))
    result = trials.wait(student, wrong.id, LONG).result
    assert result is not None
    assert (result["passed"], result["exercises"][0]["points"]) == (0, 0.0)


def test_an_answer_that_only_hidden_tests_find_wrong_passes_and_nothing_hidden_gets_out(
    trials: TrialService, student: Caller, copied: bytes, sandbox: InProcessSandbox
) -> None:
    data = answered(copied, "def double(x): return abs(2 * x)")
    trials.wait(student, trials.validate(student, "rl", "ps1", data).id, LONG)
    sandbox.got.clear()  # the run on the reference solution, which holds no student's code
    done = trials.wait(student, trials.validate(student, "rl", "ps1", data).id, LONG)
    assert done.result is not None
    assert done.result["passed"] == 1
    (got,) = sandbox.got
    for text in (got, json.dumps(done.result)):
        assert "3.5" not in text
        assert "BEGIN HIDDEN" not in text


def test_without_a_name_the_assignment_is_found_by_its_cells(
    trials: TrialService, student: Caller, copied: bytes
) -> None:
    begun = trials.validate(student, "rl", None, copied)
    assert begun.assignment == "ps1"
    with pytest.raises(WrongAssignmentError):
        trials.validate(student, "rl", None, nbformat.writes(new_notebook()).encode())


def test_what_cannot_be_graded_is_refused_at_once(trials: TrialService, student: Caller) -> None:
    with pytest.raises(InvalidNotebookError):
        trials.validate(student, "rl", "ps1", b"no notebook")
    with pytest.raises(NotFoundError):
        trials.validate(student, "rl", "none", source())


def test_one_at_a_time_and_thirty_an_hour(
    trials: TrialService,
    student: Caller,
    copied: bytes,
    sandbox: InProcessSandbox,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sandbox.gate.clear()
    begun = trials.validate(student, "rl", "ps1", copied)
    with pytest.raises(TooManyRequestsError, match="still under way"):
        trials.validate(student, "rl", "ps1", copied)
    sandbox.gate.set()
    trials.wait(student, begun.id, LONG)
    monkeypatch.setattr("jupyter_ppo.services.trials.VALIDATIONS_PER_HOUR", 1)
    with pytest.raises(TooManyRequestsError, match="within the last hour"):
        trials.validate(student, "rl", "ps1", copied)


def test_a_full_queue_says_when_to_come_back_and_empties(
    build: Callable[[], TrialService],
    admin: Caller,
    sandbox: InProcessSandbox,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("jupyter_ppo.services.trials.WAITING", 1)
    trials = build()
    sandbox.gate.clear()
    begun = [trials.check(admin, "rl", source()) for _ in range(AT_ONCE + 1)]
    with pytest.raises(BusyError) as raised:
        trials.check(admin, "rl", source())
    assert raised.value.retry_after > 0
    sandbox.gate.set()
    ended = [trials.wait(admin, each.id, LONG).state for each in begun]
    assert set(ended) == {TrialState.DONE}
    trials.check(admin, "rl", source())


def test_stopping_ends_what_runs_and_what_waits(
    trials: TrialService, admin: Caller, sandbox: InProcessSandbox
) -> None:
    sandbox.gate.clear()
    begun = [trials.check(admin, "rl", source()) for _ in range(3)]
    assert sandbox.entered.acquire(timeout=LONG)
    started = time.monotonic()
    trials.stop()
    assert time.monotonic() - started < LONG / 2
    for each in begun:
        found = trials.trial(admin, each.id)
        assert found.state is TrialState.FAILED
        assert "Try again" in (found.error or "")
    with pytest.raises(BusyError):
        trials.check(admin, "rl", source())


def test_a_failure_of_ours_is_told_without_its_insides(
    trials: TrialService, admin: Caller, sandbox: InProcessSandbox
) -> None:
    for error, told in (
        (SandboxError("It broke at /secret."), "The sandbox failed"),
        (EngineUnavailableError("No container engine answers. Start it."), "Start it."),
        (ValueError("/secret"), "The sandbox failed"),
    ):
        sandbox.fail = error
        found = trials.wait(admin, trials.check(admin, "rl", source()).id, LONG)
        assert found.state is TrialState.FAILED
        assert told in (found.error or "")
        assert "/secret" not in (found.error or "")


def test_a_notebook_is_ready_when_the_solution_gets_all_and_the_copy_nothing(
    trials: TrialService, admin: Caller
) -> None:
    result = trials.wait(admin, trials.check(admin, "rl", source()).id, LONG).result
    assert result is not None
    assert result["is_ready"], result["problems"]
    assert result["solution"]["points"] == 2
    assert result["skeleton"]["points"] == 0
    assert [each["state"] for each in result["sealing"]] == ["sealed"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"answer": ANSWER.replace("2 * x", "3 * x")}, "reference solution gets 0 of 2 points"),
        ({"tests": "assert True"}, "students' copy gets 2 of 2 points"),
        ({"tests": "# later"}, "no test in this test cell"),
        ({"points": None}, "needs points"),
        ({"name": "double"}, "have the grade_id 'double'"),
        ({"answer": "# YOUR CODE HERE\nraise NotImplementedError()"}, "students' copy"),
    ],
)
def test_a_notebook_with_an_error_is_not_ready_and_says_where(
    trials: TrialService, admin: Caller, changes: dict[str, Any], words: str
) -> None:
    result = trials.wait(admin, trials.check(admin, "rl", source(**changes)).id, LONG).result
    assert result is not None
    assert not result["is_ready"]
    errors = [each for each in result["problems"] if each["severity"] == "error"]
    assert any(words in each["message"] for each in errors), errors
    if "cell" not in words and words.rpartition(" ")[2] != "copy":
        assert {each["cell"] for each in errors} == {1}


def test_a_preview_is_the_students_copy_and_releases_nothing(
    trials: TrialService, admin: Caller, world: World
) -> None:
    data = trials.preview(admin, "rl", source())
    assert b"YOUR CODE HERE" in data
    assert b"3.5" not in data
    assert world.assessment.assignment(admin, "rl", "ps1").version.number == 1
    with pytest.raises(InvalidNotebookError, match=r"cells\[1\]"):
        trials.preview(admin, "rl", source(points=None))


def test_only_authors_check_and_only_their_own_people_see_a_trial(
    trials: TrialService, student: Caller, copied: bytes, world: World, admin: Caller
) -> None:
    other, grader = world.member("sue", Role.STUDENT), world.member("gil", Role.GRADER)
    author = world.member("ines", Role.INSTRUCTOR)
    world.assessment.create_course(admin, "other")
    outsider = world.member("oto", Role.INSTRUCTOR, "other")
    for caller in (student, grader):
        with pytest.raises(ForbiddenError):
            trials.check(caller, "rl", source())
        with pytest.raises(ForbiddenError):
            trials.preview(caller, "rl", source())
    with pytest.raises(NotFoundError):
        trials.validate(outsider, "rl", "ps1", copied)
    own = trials.validate(student, "rl", "ps1", copied).id
    check = trials.check(author, "rl", source()).id
    for caller in (student, grader, author, admin):
        assert trials.trial(caller, own).id == own
    for caller in (other, outsider):
        with pytest.raises(NotFoundError, match=r"There is no such trial\."):
            trials.trial(caller, own)
    for caller in (author, admin):
        assert trials.trial(caller, check).id == check
    for caller in (student, other, grader, outsider):
        with pytest.raises(NotFoundError, match=r"There is no such trial\."):
            trials.trial(caller, check)


def test_a_start_ends_what_a_dead_server_left(
    build: Callable[[], TrialService], world: World, admin: Caller
) -> None:
    course = world.courses.course("rl").id
    left = Trials(world.database, owner="dead").admit(
        course,
        "",
        admin.user,
        "check",
        "d" * 64,  # type: ignore[arg-type]
    )
    service = build()
    service._trials = Trials(world.database, owner="new", is_gone=lambda name: name == "dead")
    service.start()
    assert service.trial(admin, left.id).state is TrialState.FAILED
