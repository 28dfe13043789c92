"""Every program in ``hostile/`` ends as its first line says, and harms nobody.

In a notebook it stands between two good cells, while another notebook runs beside it. As a program
of /execute it may end in any way, unless ``# program:`` in its second line says which. After each
of them nothing of it is left: no container, process, thread, open file or folder, and hardly any
memory.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import nbformat
import pytest

from jupyter_ppo.domain.execution import Outcome, Program
from jupyter_ppo.domain.sandbox import NotebookRun, SandboxLimits, Verdict
from jupyter_ppo.sandbox import notebook as notebook_module
from jupyter_ppo.sandbox.notebook import ContainerSandbox
from jupyter_ppo.sandbox.notebook_execution import NotebookExecution
from jupyter_ppo.sandbox.programs import ContainerPrograms

pytestmark = [pytest.mark.docker, pytest.mark.image]

PROGRAMS: Final = sorted((Path(__file__).parent / "hostile").glob("*.py"))
#: These raise on purpose.
RAISES: Final = {"forged_idle", "strange_fields"}
#: Bytes by which this process may have grown after any of them.
GROWTH: Final = 50 * 2**20
LIMITS: Final[dict[str, Any]] = {
    "memory_mb": 256,
    "pids": 64,
    "output_bytes": 2**20,
    "outputs": 500,
    "disk_mb": 16,
    "inodes": 512,
    "file_mb": 8,
    "open_files": 256,
}

MakeNotebook = Callable[..., dict[str, Any]]
Eventually = Callable[[Callable[[], bool], str], None]
Counted = tuple[int, int, int]


def words(program: Path, kind: str) -> set[str]:
    """Return what a program's head says after ``# kind:``."""
    lines = program.read_text(encoding="utf-8").splitlines()[:2]
    found = [line.removeprefix(f"# {kind}: ") for line in lines if line.startswith(f"# {kind}: ")]
    return set(found[0].split(" | ")) if found else set()


class OnlyFromTheSecondCellOn(NotebookExecution):
    """Lets the clock of the good first cell never run out, however slow the machine is."""

    async def _wait(self, answer: Any, output: Any, index: int, began: float) -> dict[str, Any]:
        return await super()._wait(answer, output, index, began + (1e6 if index == 0 else 0))


def resident() -> int:
    """Return the bytes of memory that this process holds."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def children() -> set[str]:
    """Return the ids of this process's child processes."""
    return {
        child
        for path in Path("/proc/self/task").glob("*/children")
        for child in path.read_text().split()
    }


@pytest.fixture(scope="module")
def memory_before(request: pytest.FixtureRequest) -> int:
    """What this process holds once it has run one good notebook and one good program."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1")])
    asyncio.run(ContainerSandbox().run(notebook, SandboxLimits(**LIMITS, cell_seconds=100)))
    programs = ContainerPrograms()
    programs.run([Program("1")], SandboxLimits(**LIMITS), 100)
    programs.close()
    gc.collect()
    return resident()


@pytest.fixture
def nothing_is_left(
    memory_before: int,
    own_containers: Callable[[], list[str]],
    open_things: Callable[[], Counted],
    eventually: Eventually,
) -> Iterator[None]:
    """Compare what this process has before and after a test."""
    assert own_containers() == []  # which also opens the connection that is kept
    before, family = open_things(), children()
    yield
    eventually(lambda: own_containers() == [], "a container is left")
    eventually(lambda: children() <= family, "a child process is left")

    def gone() -> bool:
        return all(now <= was for now, was in zip(open_things(), before, strict=True))

    eventually(gone, f"more than {before} files, threads and folders are left")
    grown = resident() - memory_before
    assert grown < GROWTH, f"this process has grown by {grown / 2**20:.0f} MiB"


def run_notebook(notebook: dict[str, Any], limits: SandboxLimits) -> NotebookRun:
    return asyncio.run(ContainerSandbox().run(notebook, limits))


@pytest.mark.usefixtures("nothing_is_left")
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda path: path.stem)
def test_a_hostile_cell_gets_its_verdict_and_harms_nobody(
    program: Path, notebook_of: MakeNotebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notebook_module, "NotebookExecution", OnlyFromTheSecondCellOn)
    expected = {Verdict(word) for word in words(program, "verdict")}
    assert expected
    # Only a program that never ends is waited for; the others get all the time they need.
    timed = 1 if Verdict.CELL_TIMEOUT in expected else 100
    limits = SandboxLimits(**LIMITS, cell_seconds=timed, wall_seconds=150)
    source = program.read_text(encoding="utf-8")
    notebook = notebook_of("print('first cell')", source, "print('second cell')")
    good = notebook_of("x = sum(range(1000))\nprint(x)", "import math\nmath.isqrt(x)")
    with ThreadPoolExecutor() as threads:
        neighbour = threads.submit(
            run_notebook, good, SandboxLimits(**LIMITS, cell_seconds=100, wall_seconds=150)
        )
        result = threads.submit(run_notebook, notebook, limits).result()
        beside = neighbour.result()

    assert_run(result, expected, has_error=program.stem in RAISES)
    assert beside.verdict is Verdict.RAN, beside.detail
    shown = [cell["outputs"] for cell in beside.notebook["cells"]]
    assert [outputs[0].get("text") for outputs in shown] == ["499500\n", None]
    assert shown[1][0]["data"] == {"text/plain": "706"}


def assert_run(result: NotebookRun, expected: set[Verdict], *, has_error: bool) -> None:
    """Check the verdict, that the first cell kept what it showed, and the form of all the rest."""
    first, hostile, second = (cell["outputs"] for cell in result.notebook["cells"])
    errors = [shown["evalue"] for shown in hostile if shown["output_type"] == "error"]
    assert result.verdict in expected, (result.detail, errors)
    stream = {"output_type": "stream", "name": "stdout", "text": "first cell\n"}
    assert first == [stream]
    if result.verdict is Verdict.RAN:
        assert result.finished == {0, 1, 2}
        assert bool(errors) == has_error, errors
    else:
        assert 0 in result.finished
        assert 2 not in result.finished
        assert all(shown["output_type"] == "stream" for shown in second)
    text = json.dumps(result.notebook, allow_nan=False, ensure_ascii=False).encode()
    assert len(text) < 4 * LIMITS["output_bytes"]
    assert result.notebook["cells"][0]["execution_count"] == 1
    nbformat.validate(result.notebook)


@pytest.mark.usefixtures("nothing_is_left")
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda path: path.stem)
def test_a_hostile_program_ends_with_an_outcome_and_harms_nobody(program: Path) -> None:
    expected = {Outcome(word) for word in words(program, "program")}
    timed = 2 if not expected or Outcome.TIMEOUT in expected else 100
    programs = ContainerPrograms()
    try:
        ran = programs.run(
            [Program(program.read_text(encoding="utf-8"), capture_locals=True)],
            SandboxLimits(**LIMITS),
            timed,
        )
    finally:
        programs.close()
    assert ran[0].outcome in (expected or set(Outcome)), ran[0]
    assert len(ran[0].stdout) + len(ran[0].stderr) <= 2 * LIMITS["output_bytes"]
    json.dumps([ran[0].stdout, ran[0].stderr, ran[0].locals, ran[0].value]).encode()
    assert threading.active_count() < 50
