"""A sealed run from end to end: the student's kernel in one container, the examiner in another."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from jupyter_ppo.domain.errors import SandboxError
from jupyter_ppo.domain.exam import CheckRun, CheckState, Exam, ExamCell
from jupyter_ppo.domain.sandbox import NotebookRun, SandboxLimits, Verdict
from jupyter_ppo.sandbox.examiners import Examiners
from jupyter_ppo.sandbox.notebook import ContainerSandbox
from jupyter_ppo.sandbox.relay import Relay

pytestmark = [pytest.mark.docker, pytest.mark.image]

MakeNotebook = Callable[..., dict[str, Any]]
Listed = Callable[[], list[str]]

GIVEN = "import numpy as np\nTOLERANCE = 1e-6"
TEST = "assert square(3) == 9, 'three squared'"
#: Cells of the author's that the examiner gets: a given one, one to be solved, tests.
STUDENT_NAMES = frozenset({"square", "other", "value"})


@pytest.fixture(scope="module")
def examiners() -> Iterator[Examiners]:
    made = Examiners()
    yield made
    made.close()


Sealed = Callable[..., NotebookRun]


@pytest.fixture
def sealed(notebook_of: MakeNotebook, examiners: Examiners) -> Sealed:
    """Run a given cell, the student's answer, and these tests; some tests may be S cells."""

    def run(answer: str, *tests: str, **limits: Any) -> NotebookRun:
        notebook = notebook_of(GIVEN, answer, *tests)
        cells = [ExamCell(0, GIVEN)]
        cells += [ExamCell(index, test, is_test=True) for index, test in enumerate(tests, start=2)]
        exam = Exam(tuple(cells), STUDENT_NAMES, modules=frozenset({"numpy"}), key="a version")
        wanted = SandboxLimits(**({"memory_mb": 512, "cell_seconds": 30} | limits))
        return asyncio.run(ContainerSandbox(examiners=examiners).run(notebook, wanted, exam))

    return run


def states(run: NotebookRun) -> list[CheckState]:
    return [check.state for check in run.checks]


def test_a_right_answer_passes_a_wrong_one_fails_and_no_byte_of_a_test_gets_to_the_kernel(
    sealed: Sealed, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[bytes] = []
    send = Relay._send

    def record(relay: Relay, channel: Any, parts: Any) -> None:
        sent.extend(bytes(part) for part in parts)
        send(relay, channel, parts)

    monkeypatch.setattr(Relay, "_send", record)
    tests = (TEST, "np.testing.assert_allclose(square(np.arange(3.0)), [0, 1, 4], TOLERANCE)")
    right = sealed("def square(x): return x * x", *tests)
    assert states(right) == [CheckState.PASSED] * 2
    assert right.verdict is Verdict.RAN
    assert right.finished == {0, 1, 2, 3}
    assert [check.index for check in right.checks] == [2, 3]
    assert all(check.calls for check in right.checks)
    assert all(not cell["outputs"] for cell in right.notebook["cells"][2:])
    wrong = sealed("def square(x): return x + x", *tests)
    assert states(wrong) == [CheckState.FAILED] * 2
    assert wrong.checks[0].error_type == "AssertionError"
    assert (wrong.checks[0].error_message, wrong.checks[0].is_message) == ("three squared", True)
    assert wrong.verdict is Verdict.RAN
    stream = b"\n".join(sent)
    assert b"return x * x" in stream
    assert b'"square"' in stream
    for secret in (b"three squared", b"assert", b"allclose"):
        assert secret not in stream


def test_what_was_shown_before_a_test_does_not_change_after_it(
    notebook_of: MakeNotebook, examiners: Examiners
) -> None:
    answer = (
        "seen = []\nshown = display('before', display_id='k')\n"
        "def square(x):\n    seen.append(x)\n    return x * x"
    )
    notebook = notebook_of(GIVEN, answer, TEST, "shown.update(f'inputs {seen}')\nprint(seen)")
    cells = (ExamCell(0, GIVEN), ExamCell(2, TEST, is_test=True))
    exam = Exam(cells, STUDENT_NAMES, modules=frozenset({"numpy"}), key="a version")
    limits = SandboxLimits(memory_mb=512, cell_seconds=30)
    run = asyncio.run(ContainerSandbox(examiners=examiners).run(notebook, limits, exam))
    assert states(run) == [CheckState.PASSED]
    before, after = run.notebook["cells"][1], run.notebook["cells"][3]
    assert [item["data"]["text/plain"] for item in before["outputs"]] == ["'before'"]
    assert after["outputs"][-1]["text"] == "[3]\n"


def test_two_submissions_share_a_container_and_nothing_else(
    sealed: Sealed, examiners: Examiners, own_containers: Listed
) -> None:
    mark = (
        "import os, sys, builtins\n"
        "found = [os.path.exists('left'), hasattr(builtins, 'left'), 'left' in os.environ, "
        "os.path.exists('/tmp/a/b'), np.random.rand() == 0.5]\n"
        "builtins.left = 1\nos.environ['left'] = '1'\nopen('left', 'w').close()\n"
        "os.makedirs('/tmp/a/b')\nos.chmod('/tmp/a', 0)\n"
        "import subprocess, time\nsubprocess.Popen([sys.executable, '-c', 'import time; "
        'open(\\"/tmp/child\\", \\"w\\"); time.sleep(100)\'])\n'
        "assert not os.path.exists('/tmp/child')\nassert not any(found), found\n"
        "import json; json.dumps(found)"
    )
    runs = [sealed("def square(x): return 0", mark) for _ in range(2)]
    assert [states(run) for run in runs] == [[CheckState.PASSED]] * 2, runs
    assert examiners.status().ready == 1
    assert len(own_containers()) == 1


def test_a_call_that_never_ends_costs_its_check_alone(sealed: Sealed) -> None:
    answer = (
        "import time\n"
        "def square(x):\n    while x == 4: pass\n    return x * x\n"
        "def other(x):\n    time.sleep(100)"
    )
    tests = ("assert square(4) == 16", "other(1)", TEST)
    run = sealed(answer, *tests, cell_seconds=3)
    assert states(run) == [CheckState.TIMEOUT, CheckState.TIMEOUT, CheckState.PASSED]
    assert run.verdict is Verdict.RAN
    assert [hit.name for hit in run.limits_hit] == ["cell_seconds"]
    assert run.finished == {0, 1, 2, 3, 4}
    assert "Cell 3 met the limit cell_seconds (3 s)" in run.detail


def test_a_call_that_ignores_the_interruption_ends_the_run(sealed: Sealed) -> None:
    answer = (
        "import time\n"
        "def square(x):\n"
        "    while True:\n"
        "        try: time.sleep(100)\n"
        "        except BaseException: pass"
    )
    run = sealed(answer, TEST, "assert 1", cell_seconds=3)
    assert states(run) == [CheckState.TIMEOUT, CheckState.NOT_RUN]
    assert run.verdict is Verdict.CELL_TIMEOUT
    assert "could not be interrupted" in run.detail


def test_a_kernel_that_ends_in_a_call_loses_that_check_and_those_after_it(sealed: Sealed) -> None:
    answer = "import os\ndef other(): os._exit(0)\ndef square(x): return x * x"
    run = sealed(answer, TEST, "try: other()\nexcept: pass", TEST)
    assert states(run) == [CheckState.PASSED, CheckState.NOT_RUN, CheckState.NOT_RUN]
    assert run.verdict is Verdict.KERNEL_DIED
    assert run.detail == "The kernel ended with exit code 0 in cell 4."
    assert 3 not in run.finished


def test_an_examiner_that_hangs_or_dies_is_replaced(
    sealed: Sealed, monkeypatch: pytest.MonkeyPatch
) -> None:
    from jupyter_ppo.sandbox import examination

    monkeypatch.setattr(examination, "_GRACE_SECONDS", 1.0)
    run = sealed(
        "def square(x): return x * x",
        "max(range(10 ** 13))",  # in C: no signal stops it
        "import os; os._exit(0)",
        "assert square(3) == 9 and TOLERANCE == 1e-6",
        "bytearray(3 * 2 ** 30)",
        TEST,
        cell_seconds=3,
    )
    assert states(run)[:3] == [CheckState.TIMEOUT, CheckState.NOT_RUN, CheckState.PASSED]
    assert states(run)[3] in {CheckState.BORDER, CheckState.FAILED, CheckState.TIMEOUT}
    assert states(run)[4] is CheckState.PASSED
    assert run.verdict is Verdict.RAN


def test_a_value_that_is_too_much_costs_its_check_alone(sealed: Sealed) -> None:
    values = (
        "np.zeros(2 ** 25)",  # 256 MiB
        "'x' * 10 ** 8",
        "eval('[' * 70 + ']' * 70)",
        "{i: [] for i in range(10 ** 6)}",
    )
    answer = (
        "import numpy as np\ndef square(x): return x * x\n"
        f"def other(n): return [{', '.join(f'lambda: {value}' for value in values)}][n]()"
    )
    tests = [f"assert other({number}) is None" for number in range(len(values))]
    run = sealed(answer, *tests, TEST, memory_mb=2048)
    assert set(states(run)[:-1]) <= {CheckState.BORDER, CheckState.FAILED}
    assert states(run)[-1] is CheckState.PASSED
    assert run.verdict is Verdict.RAN


def test_the_whole_runs_time_is_counted_with_its_checks(sealed: Sealed) -> None:
    began = time.monotonic()
    run = sealed(
        "def square(x):\n    while True: pass", TEST, TEST, wall_seconds=8, cell_seconds=60
    )
    assert run.verdict is Verdict.WALL_TIMEOUT
    assert states(run) == [CheckState.TIMEOUT, CheckState.NOT_RUN]
    assert time.monotonic() - began < 30


def test_output_in_a_call_is_bounded(sealed: Sealed) -> None:
    answer = (
        "import threading, os\n"
        "def flood():\n    while True: print('x' * 1000)\n"
        "def square(x):\n    threading.Thread(target=flood, daemon=True).start()\n"
        "    import time; time.sleep(60)"
    )
    run = sealed(answer, TEST, TEST, output_bytes=100_000, cell_seconds=5)
    assert run.verdict in {Verdict.OUTPUT_LIMIT, Verdict.RAN}
    assert CheckState.PASSED not in states(run)


def test_without_examiners_each_run_has_its_own(
    notebook_of: MakeNotebook, own_containers: Listed
) -> None:
    before = set(own_containers())
    exam = Exam(
        (ExamCell(None, "nine = 9"), ExamCell(1, "nine - square(3)", is_test=True)), STUDENT_NAMES
    )
    notebook = notebook_of("def square(x): return x * x", "forged")
    run = asyncio.run(ContainerSandbox().run(notebook, SandboxLimits(memory_mb=512), exam))
    assert run.checks[0].state is CheckState.PASSED
    assert run.checks[0].value == "0"
    assert set(own_containers()) == before


def test_a_cancelled_run_leaves_no_container(
    notebook_of: MakeNotebook, own_containers: Listed, examiners: Examiners
) -> None:
    before = set(own_containers())
    exam = Exam((ExamCell(1, "while True: square(1)", is_test=True),), STUDENT_NAMES)
    notebook = notebook_of("def square(x): return x * x", "")

    async def cancel_after(seconds: float) -> None:
        sandbox = ContainerSandbox()
        task = asyncio.create_task(sandbox.run(notebook, SandboxLimits(memory_mb=512), exam))
        await asyncio.sleep(seconds)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    for seconds in (0.3, 5.0):  # while it starts, and in the check
        began = time.monotonic()
        asyncio.run(cancel_after(seconds))
        assert time.monotonic() - began < seconds + 20
        assert set(own_containers()) == before


def test_a_lost_examiner_is_a_failure_of_ours(
    notebook_of: MakeNotebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    from jupyter_ppo.sandbox.examination import Examination

    check = Examination.check

    def lose(examination: Examination, cell: ExamCell) -> CheckRun:
        examination.box.end()
        return check(examination, cell)

    monkeypatch.setattr(Examination, "check", lose)
    exam = Exam((ExamCell(1, "square", is_test=True),), STUDENT_NAMES)
    notebook = notebook_of("square = 1", "")
    with pytest.raises(SandboxError, match="examiner"):
        asyncio.run(ContainerSandbox().run(notebook, SandboxLimits(memory_mb=512), exam))
