from __future__ import annotations

import asyncio
import copy
import json
import logging
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NoReturn

import pytest

from jupyter_ppo.domain.errors import EngineUnavailableError, SandboxError
from jupyter_ppo.domain.sandbox import LimitHit, NotebookRun, SandboxLimits, Verdict
from jupyter_ppo.sandbox import notebook as notebook_module
from jupyter_ppo.sandbox import owner
from jupyter_ppo.sandbox.engine import Engine
from jupyter_ppo.sandbox.notebook import ContainerSandbox, prepare
from jupyter_ppo.sandbox.notebook_execution import NotebookExecution
from jupyter_ppo.sandbox.relay import Cause, KernelEnd

Run = Callable[..., NotebookRun]
MakeNotebook = Callable[..., dict[str, Any]]
Listed = Callable[[], list[str]]
Eventually = Callable[[Callable[[], bool], str], None]

in_container = [pytest.mark.docker, pytest.mark.image]


def text_of(result: NotebookRun, index: int) -> str:
    outputs = result.notebook["cells"][index]["outputs"]
    return "".join(shown["text"] for shown in outputs if shown["output_type"] == "stream")


def marked(test: Any) -> Any:
    for mark in in_container:
        test = mark(test)
    return test


# -- without an engine ---------------------------------------------------------------------------


def test_what_steers_a_run_is_taken_out(notebook_of: MakeNotebook) -> None:
    notebook = notebook_of("1")
    notebook["metadata"] = {"kernelspec": {"name": "other"}, "widgets": {}, "title": "kept"}
    cell = notebook["cells"][0]
    cell["metadata"]["tags"] = ["skip-execution", "mine", "raises-exception"]
    cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "forged"}]
    cell["execution_count"] = 9
    before = copy.deepcopy(notebook)
    prepared = prepare(notebook)
    assert notebook == before
    assert prepared.metadata == {"title": "kept"}
    assert prepared.cells[0].metadata.tags == ["mine"]
    assert prepared.cells[0].outputs == []
    assert prepared.cells[0].execution_count is None


def test_without_an_engine_nothing_runs(notebook_of: MakeNotebook, tmp_path: Path) -> None:
    sandbox = ContainerSandbox(base_url=f"unix://{tmp_path}/none.sock")
    with pytest.raises(EngineUnavailableError):
        asyncio.run(sandbox.run(notebook_of("1"), SandboxLimits()))


def test_more_cells_than_allowed_are_not_run_at_all(
    notebook_of: MakeNotebook, tmp_path: Path
) -> None:
    sandbox = ContainerSandbox(base_url=f"unix://{tmp_path}/none.sock")
    notebook = notebook_of("1", "2", "3")
    notebook["cells"].insert(0, {"cell_type": "markdown", "source": "x", "metadata": {}})
    result = asyncio.run(sandbox.run(notebook, SandboxLimits(cells=2)))
    assert result.verdict is Verdict.NOT_RUN
    assert result.detail == "The notebook has 3 code cells; 2 are allowed (limit cells)."
    assert result.limits_hit == (LimitHit("cells", 2),)
    assert [cell.index for cell in result.cells] == [1, 2, 3]
    assert result.finished == frozenset()
    with pytest.raises(EngineUnavailableError):  # three are not too many of three
        asyncio.run(sandbox.run(notebook, SandboxLimits(cells=3)))


def test_without_an_engine_the_status_says_what_to_do(tmp_path: Path) -> None:
    status = ContainerSandbox(base_url=f"unix://{tmp_path}/none.sock").status()
    assert not status.available
    assert status.problem
    assert status.remedy


async def begun(sandbox: ContainerSandbox, notebook: Any, listed: Listed) -> asyncio.Task[Any]:
    """Return a run whose container is there."""
    task = asyncio.create_task(sandbox.run(notebook, SandboxLimits(cell_seconds=300)))
    while not await asyncio.to_thread(listed):
        assert not task.done(), task
        await asyncio.sleep(0.01)
    return task


# -- in containers -------------------------------------------------------------------------------


@marked
def test_the_status_names_engine_and_image() -> None:
    status = ContainerSandbox().status()
    assert status.available
    assert status.engine
    assert status.image
    assert status.problem is None


@marked
def test_a_notebook_is_run_from_top_to_bottom(run: Run) -> None:
    result = run(
        "import os\nx = 20 + 1\nprint(os.environ['NBGRADER_EXECUTION'])",
        "x * 2",
        "   ",
        "raise ValueError('on purpose')",
        "from IPython.display import display\ndisplay({'text/html': '<b>x</b>'}, raw=True)",
    )
    assert result.verdict is Verdict.RAN
    assert result.finished == {0, 1, 2, 3, 4}
    assert text_of(result, 0) == "autograde\n"
    cells = result.notebook["cells"]
    assert cells[1]["outputs"][0]["data"] == {"text/plain": "42"}
    assert cells[1]["execution_count"] == 2
    assert cells[3]["outputs"][0]["ename"] == "ValueError"
    assert cells[4]["outputs"][0]["data"] == {"text/html": "<b>x</b>"}
    assert type(result.notebook) is type(cells[0]) is dict
    json.dumps(result.notebook, allow_nan=False)


@marked
def test_nothing_of_the_servers_environment_reaches_the_kernel(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SERVERS_SECRET", "hunter2")
    result = run("import os\nprint(dict(os.environ))")
    assert "hunter2" not in text_of(result, 0)


@marked
def test_the_outputs_of_finished_cells_survive_the_kernels_death(run: Run) -> None:
    result = run("print('first')", "import os; os._exit(3)", "print('never')")
    assert result.verdict is Verdict.KERNEL_DIED
    assert "exit code 3" in result.detail
    assert "cell 2" in result.detail
    assert text_of(result, 0) == "first\n"
    assert result.notebook["cells"][2]["outputs"] == []
    assert result.finished == {0}
    assert [cell.index for cell in result.cells] == [0, 1, 2]


class AfterOutput(NotebookExecution):
    """Starts a cell's clock when the cell has shown something, however slow the machine is."""

    async def _wait(self, answer: Any, output: Any, index: int, began: float) -> dict[str, Any]:
        while not (self.nb.cells[index].outputs or answer.done() or output.done()):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        self.has_output(index)
        return await super()._wait(answer, output, index, time.monotonic())

    def has_output(self, index: int) -> None:
        """Do nothing more."""


class TimeIsUpInSecondCell(AfterOutput):
    """Lets the run's time be over when its second cell has shown something."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.given_deadline = self._deadline

    def has_output(self, index: int) -> None:
        if index == 1:
            self._deadline = time.monotonic()


@marked
def test_a_cell_that_is_stopped_keeps_what_it_showed(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notebook_module, "NotebookExecution", AfterOutput)
    result = run("print('shown', flush=True)\nwhile True: pass", "print('never')", cell_seconds=1)
    assert result.verdict is Verdict.CELL_TIMEOUT
    assert "1 s (limit cell_seconds)" in result.detail
    assert result.limits_hit == (LimitHit("cell_seconds", 1),)
    assert text_of(result, 0) == "shown\n"
    assert result.finished == frozenset()


@marked
def test_the_run_says_which_limits_made_cells_fail(run: Run) -> None:
    result = run(
        "import os, threading",
        "with open('/tmp/f', 'wb', buffering=0) as file:\n    while True: file.write(bytes(2**18))",
        "os.remove('/tmp/f')\n"
        "while True: open(f'/dev/shm/{len(os.listdir(\"/dev/shm\"))}', 'w').close()",
        "with open('file', 'wb', buffering=0) as file:\n    while True: file.write(bytes(2**18))",
        "files = [open(os.devnull) for _ in range(1000)]",
        "go_on = threading.Event()\n"
        "try:\n"
        "    for _ in range(200): threading.Thread(target=go_on.wait).start()\n"
        "finally: go_on.set()",
        "bytearray(2**60)",
        "raise OSError(28, 'again')",
        disk_mb=8,
        inodes=256,
        file_mb=2,
        open_files=300,
        pids=100,
    )
    figures = {"disk_mb": 8, "inodes": 256, "file_mb": 2, "open_files": 300, "pids": 100}
    assert result.verdict is Verdict.RAN, result.detail
    assert {hit.name: hit.value for hit in result.limits_hit} == figures | {"memory_mb": 512}
    assert result.detail == (
        "All 8 code cells were run. Cell 2 met the limit disk_mb (8 MiB). "
        "Cell 3 met the limit inodes (256 files). Cell 4 met the limit file_mb (2 MiB). "
        "Cell 5 met the limit open_files (300 files). Cell 6 met the limit pids (100 processes). "
        "Cell 7 met the limit memory_mb (512 MiB)."
    )


@marked
def test_an_error_that_is_hidden_is_shown_all_the_same(run: Run) -> None:
    mute = "get_ipython().showtraceback = get_ipython()._showtraceback = lambda *a, **k: None"
    result = run(mute, "assert False, 'hidden'")
    assert result.notebook["cells"][1]["outputs"][-1]["ename"] == "AssertionError"


@marked
def test_a_run_over_its_time_names_the_limit(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    deadlines: list[float] = []

    def execution(*args: Any) -> NotebookExecution:
        made = TimeIsUpInSecondCell(*args)
        deadlines.append(made.given_deadline)
        return made

    monkeypatch.setattr(notebook_module, "NotebookExecution", execution)
    began = time.monotonic()
    result = run(
        "print('kept', flush=True)",
        "import time\nprint('shown', flush=True)\ntime.sleep(1000)",
        cell_seconds=300,
        wall_seconds=1000,
    )
    # Whatever a machine takes: the clock starts with the run, not with its container.
    assert began + 1000 <= deadlines[0] <= time.monotonic() + 1000 - result.wall_seconds
    assert result.verdict is Verdict.WALL_TIMEOUT
    assert "wall_seconds" in result.detail
    assert "1000 s" in result.detail
    assert result.limits_hit == (LimitHit("wall_seconds", 1000),)
    assert text_of(result, 0) == "kept\n"
    assert text_of(result, 1) == "shown\n"
    assert result.finished == {0}


@marked
def test_a_finished_run_counts_although_its_container_cannot_be_removed(
    notebook_of: MakeNotebook,
    unwell_engine: tuple[Any, str],
    own_containers: Listed,
    eventually: Eventually,
    caplog: pytest.LogCaptureFixture,
) -> None:
    server, address = unwell_engine
    server.refuse("DELETE ", 500)
    limits = SandboxLimits(memory_mb=512, cell_seconds=100)
    with caplog.at_level(logging.WARNING):
        result = asyncio.run(ContainerSandbox(base_url=address).run(notebook_of("6 * 7"), limits))
    assert result.verdict is Verdict.RAN
    assert result.notebook["cells"][0]["outputs"][0]["data"] == {"text/plain": "42"}
    assert "made to fail" in caplog.text
    eventually(lambda: own_containers() == [], "the container outlived its stream")


@marked
def test_a_cancelled_run_is_cancelled_although_its_container_cannot_be_removed(
    notebook_of: MakeNotebook,
    unwell_engine: tuple[Any, str],
    own_containers: Listed,
    eventually: Eventually,
) -> None:
    server, address = unwell_engine
    server.refuse("DELETE ", 500)

    async def cancel_when_it_runs() -> None:
        notebook = notebook_of("import time\ntime.sleep(1000)")
        task = await begun(ContainerSandbox(base_url=address), notebook, own_containers)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancel_when_it_runs())
    eventually(lambda: own_containers() == [], "the container outlived its stream")


@marked
def test_a_container_lost_with_its_engine_is_no_fault_of_the_notebook(
    notebook_of: MakeNotebook, unwell_engine: tuple[Any, str], own_containers: Listed
) -> None:
    server, address = unwell_engine
    server.refuse("DELETE ", 503)

    async def lose_the_container() -> None:
        notebook = notebook_of("import time\ntime.sleep(1000)")
        task = await begun(ContainerSandbox(base_url=address), notebook, own_containers)
        await asyncio.to_thread(remove_own)
        await task

    def remove_own() -> None:
        with Engine.connect() as engine:
            for name in own_containers():
                engine.api.remove_container(name, force=True)

    with pytest.raises(EngineUnavailableError, match="made to fail"):
        asyncio.run(lose_the_container())


class EndsBeforeTheFirstCell(NotebookExecution):
    """A kernel that answers and is gone then."""

    async def _get_ready(self) -> None:
        await super()._get_ready()
        await self._manager.provisioner.end(KernelEnd(Cause.EXITED, -9))


class IsLostAsTheTimeEnds(NotebookExecution):
    """A container that is lost at the moment in which its cell is out of time."""

    async def _time_is_up(self, index: int) -> NoReturn:
        await self._manager.provisioner.end(KernelEnd(Cause.LOST, -9, "the stream ended"))
        await super()._time_is_up(index)


@marked
@pytest.mark.parametrize(
    ("kind", "message"),
    [(EndsBeforeTheFirstCell, "before the first cell"), (IsLostAsTheTimeEnds, "lost in cell 1")],
)
def test_an_end_that_no_cell_can_have_made_is_our_failure(
    run: Run, monkeypatch: pytest.MonkeyPatch, kind: type[NotebookExecution], message: str
) -> None:
    monkeypatch.setattr(notebook_module, "NotebookExecution", kind)
    with pytest.raises(SandboxError, match=message):
        run("import time\ntime.sleep(1000)", cell_seconds=1)


@marked
def test_a_large_request_passes_during_a_flood_of_output(run: Run) -> None:
    flood = (
        "import threading\n"
        "from IPython.display import display\n"
        "def flood():\n"
        "    for _ in range(800): display({'text/plain': 'x' * 1000}, raw=True)\n"
        "thread = threading.Thread(target=flood)\n"
        "thread.start()"
    )
    large = f"value = {'y' * 3_000_000!r}\nthread.join()\nprint(len(value))"
    result = run(flood, large, output_bytes=64 * 2**20, outputs=5000)
    assert result.verdict is Verdict.RAN, result.detail
    assert "3000000" in text_of(result, 1)


@marked
def test_runs_in_several_threads_do_not_disturb_each_other(run: Run) -> None:
    programs = ["while True: print('x' * 1000)", "import os; os._exit(0)", "print(6 * 7)"]
    with ThreadPoolExecutor(len(programs)) as pool:
        flood, dead, fine = pool.map(
            lambda source: run(source, output_bytes=2**20, outputs=500), programs
        )
    assert flood.verdict is Verdict.OUTPUT_LIMIT
    assert dead.verdict is Verdict.KERNEL_DIED
    assert fine.verdict is Verdict.RAN
    assert text_of(fine, 0) == "42\n"


@marked
def test_a_cancelled_run_removes_its_container_first(
    notebook_of: MakeNotebook, own_containers: Listed
) -> None:
    async def cancel_when_it_runs() -> list[str]:
        notebook = notebook_of("import time\ntime.sleep(1000)")
        task = await begun(ContainerSandbox(), notebook, own_containers)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return own_containers()

    assert asyncio.run(cancel_when_it_runs()) == []


@marked
def test_nothing_is_left_after_runs(
    run: Run,
    own_containers: Listed,
    open_things: Callable[[], tuple[int, int, int]],
    settled: Callable[[Callable[[], Any]], Any],
    eventually: Eventually,
) -> None:
    endings = ["1", "import os; os._exit(0)", "while True: print('x' * 1000)"]
    run("1")  # makes what stays for the life of a process, such as ZeroMQ's threads
    before = settled(open_things)
    for source in endings:
        run(source, output_bytes=2**20, outputs=500)

    def nothing_more() -> bool:
        return all(now <= then for now, then in zip(open_things(), before, strict=True))

    # ZeroMQ closes its descriptors in a thread of its own, a moment later.
    eventually(nothing_more, f"files, threads and folders were {before}: there are more now")
    assert own_containers() == []


_SERVER = """
import asyncio, json, sys
from jupyter_ppo.domain.sandbox import SandboxLimits
from jupyter_ppo.sandbox.notebook import ContainerSandbox
asyncio.run(ContainerSandbox().run(json.loads(sys.argv[1]), SandboxLimits(cell_seconds=300)))
"""


@marked
def test_a_server_killed_outright_leaves_no_container(
    notebook_of: MakeNotebook, engine: Engine, eventually: Eventually
) -> None:
    notebook = json.dumps(notebook_of("import time\ntime.sleep(1000)"))
    with subprocess.Popen([sys.executable, "-c", _SERVER, notebook]) as server:
        host = owner.own_token().rsplit(":", 2)[0]
        label = f"{owner.LABEL}={host}:{server.pid}:{owner.start_time(server.pid)}"

        def containers(**kind: bool) -> list[Any]:
            return list(engine.api.containers(filters={"label": label}, **kind))

        def started() -> bool:
            assert server.poll() is None, "the server ended by itself"
            return bool(containers())

        try:
            eventually(started, "the container never started")
        finally:
            server.kill()
    eventually(lambda: not containers(all=True), "the container outlived its server")
