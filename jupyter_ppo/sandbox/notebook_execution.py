"""Runs the code cells of a notebook on a kernel that is not trusted.

Outputs are put together by nbclient, so that they are what nbgrader and JupyterLab would show. The
waiting is our own: nbclient looks for a dead kernel once a second, notices a bad message only after
the cell's answer, and takes a cancellation for a dead kernel.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Coroutine
from typing import Any, Final, NoReturn, TypeVar

from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionComplete
from nbformat import NotebookNode
from nbformat.v4 import new_output

from jupyter_ppo.domain.errors import SandboxError
from jupyter_ppo.domain.exam import CheckState
from jupyter_ppo.domain.sandbox import CellRun, SandboxLimits, Verdict
from jupyter_ppo.sandbox.kernels import FastReadyClient, GradingKernelManager
from jupyter_ppo.sandbox.messages import QUIET_TYPES, checked_content, checked_reply
from jupyter_ppo.sandbox.relay import END_MARK, Cause, KernelEnd
from jupyter_ppo.sandbox.sealed_run import SealedRun

T = TypeVar("T")

#: How long the last messages of an ended kernel may take from one thread of ours to another.
_LAST_WORDS_SECONDS: Final = 10.0
#: How long a kernel that was idle already may take to answer, on a busy machine.
_WARM_SECONDS: Final = 30.0
_MUTED: Final = "The cell raised an error while showtraceback was disabled."

_log = logging.getLogger(__name__)


class RunEnded(Exception):  # noqa: N818 - an end, not an error
    """The run is over before its last cell; ``limit`` names the one that was hit, if one was."""

    def __init__(self, verdict: Verdict, detail: str, limit: str | None = None) -> None:
        super().__init__(detail)
        self.verdict = verdict
        self.detail = detail
        self.limit = limit


class NotebookExecution(NotebookClient):
    """One run of one notebook (changed in place), within ``limits`` and before ``deadline``.

    ``deadline`` is on ``time.monotonic``'s clock. ``cells`` tells what happened to each code cell.
    The test cells of ``sealed`` are never sent to the kernel.
    """

    def __init__(
        self,
        notebook: NotebookNode,
        manager: GradingKernelManager,
        limits: SandboxLimits,
        deadline: float,
        sealed: SealedRun | None = None,
    ) -> None:
        super().__init__(
            notebook,
            km=manager,
            allow_errors=True,
            store_widget_state=False,
            record_timing=False,
            skip_cells_with_tag="",
        )
        self._manager = manager
        self._client: FastReadyClient = manager.client()
        self._limits = limits
        self._deadline = deadline
        self._sealed = sealed
        self._bytes = self._outputs = self._quiet = 0
        self._has_begun = self._is_cut_off = False
        ended = manager.provisioner.ended
        assert ended is not None  # noqa: S101 - the manager was started
        self._ended: asyncio.Future[KernelEnd] = asyncio.wrap_future(ended)
        self.code_cells = [
            index for index, cell in enumerate(notebook.cells) if cell.cell_type == "code"
        ]
        self.cells = {
            index: CellRun(index, finished=False, seconds=0.0) for index in self.code_cells
        }

    async def run_cells(self) -> None:
        """Run every code cell in order.

        Raises ``RunEnded`` when the run is over early and ``SandboxError`` when the fault is ours.
        """
        try:
            await self._get_ready()
            for number, index in enumerate(self.code_cells, start=1):
                if self._sealed is None:
                    await self._run_cell(index, number)
                elif index in self._sealed.tests:
                    await self._check(index, self._sealed)
                else:
                    await self._run_cell(index, number)
                    await self._beside_output(self._sealed.follow(index))
                    await self._look_after_examiner(index, self._sealed)
        finally:
            self._client.stop_channels()

    async def _get_ready(self) -> None:
        self._client.start_channels(stdin=False, hb=False, control=False)
        provisioner = self._manager.provisioner
        left = max(self._deadline - time.monotonic(), 0.0)
        await self._client.wait_for_ready(
            timeout=min(left, _WARM_SECONDS) if provisioner.is_adopted else left
        )
        self._manager.has_answered = True
        if environment := provisioner.unset_environment:
            # Silent: no cell, no count, no output; what is asked next comes after it.
            code = f"__import__('os').environ.update({environment!r})"
            self._client.execute(
                code, silent=True, store_history=False, allow_stdin=False, stop_on_error=False
            )

    async def _run_cell(self, index: int, number: int) -> None:
        cell = self.nb.cells[index]
        began = time.monotonic()
        if not cell.source.strip():
            self.cells[index] = CellRun(index, finished=True, seconds=0.0)
            return
        if self._ended.done():
            self._end_of_kernel(index)
        self._has_begun = True
        request = self._client.execute(cell.source, stop_on_error=False, allow_stdin=False)
        self.clear_before_next_output = False
        answer = asyncio.ensure_future(self._answer(request))
        output = asyncio.ensure_future(self._collect(request, cell, index))
        try:
            reply = await self._wait(answer, output, index, began)
        finally:
            for task in (answer, output):
                task.cancel()
            await asyncio.gather(answer, output, return_exceptions=True)
            self.cells[index] = CellRun(index, finished=False, seconds=time.monotonic() - began)
            self.clear_before_next_output = False
        cell.execution_count = number
        for shown in cell.outputs:
            if shown.output_type == "execute_result":
                shown.execution_count = number
        _show_muted_error(cell, reply)
        self.cells[index] = CellRun(index, finished=True, seconds=time.monotonic() - began)

    async def _wait(
        self,
        answer: asyncio.Future[dict[str, Any]],
        output: asyncio.Future[bool],
        index: int,
        began: float,
    ) -> dict[str, Any]:
        """Wait until the kernel has answered and its output is complete; return the answer."""
        cell_end = began + self._limits.cell_seconds
        while not (answer.done() and output.done()):
            left = min(cell_end, self._deadline) - time.monotonic()
            waiting = {task for task in (answer, output) if not task.done()}
            done, _ = await asyncio.wait(
                waiting | {self._ended}, timeout=left, return_when=asyncio.FIRST_COMPLETED
            )
            if not done:
                await self._time_is_up(index)
            if self._ended in done:
                await asyncio.wait({output}, timeout=_LAST_WORDS_SECONDS)
                if output.done() and output.exception() is None and output.result():
                    await asyncio.wait({answer}, timeout=_LAST_WORDS_SECONDS)
                _raise_first(output, answer)
                if not (output.done() and output.result() and answer.done()):
                    self._end_of_kernel(index)
            _raise_first(output, answer)
        if not output.result():
            self._end_of_kernel(index)
        return answer.result()

    async def _time_is_up(self, index: int) -> NoReturn:
        provisioner = self._manager.provisioner
        await provisioner.kill()
        if provisioner.last_end is not None and provisioner.last_end.cause is not Cause.STOPPED:
            self._end_of_kernel(index)  # it was over already, perhaps for a reason of ours
        if time.monotonic() >= self._deadline:
            raise self._wall_timeout()
        seconds = f"{self._limits.cell_seconds:g} s"
        detail = f"Cell {index + 1} ran longer than {seconds} (limit cell_seconds)."
        raise RunEnded(Verdict.CELL_TIMEOUT, detail, "cell_seconds")

    def _wall_timeout(self) -> RunEnded:
        detail = f"The run took longer than {self._limits.wall_seconds:g} s (limit wall_seconds)."
        return RunEnded(Verdict.WALL_TIMEOUT, detail, "wall_seconds")

    def _end_of_kernel(self, index: int) -> NoReturn:
        end = self._manager.provisioner.last_end
        where = f"in cell {index + 1}"
        match end:
            case _ if not self._has_begun:
                msg = "The kernel ended before the first cell was run."
                raise SandboxError(msg)
            case KernelEnd(cause=Cause.MEMORY):
                size = f"{self._limits.memory_mb} MiB"
                detail = f"More than {size} of memory was needed {where} (limit memory_mb)."
                raise RunEnded(Verdict.MEMORY, detail, "memory_mb")
            case KernelEnd(cause=Cause.EXITED, code=code):
                how = f"by signal {-code}" if code < 0 else f"with exit code {code}"
                raise RunEnded(Verdict.KERNEL_DIED, f"The kernel ended {how} {where}.")
            case KernelEnd(cause=Cause.WALL):
                raise self._wall_timeout()
            case KernelEnd(cause=Cause.OUTPUT, detail=detail):
                size = f"{self._limits.output_bytes} bytes are allowed (limit output_bytes)"
                detail = f"Too much output {where}: {detail}; {size}."
                raise RunEnded(Verdict.OUTPUT_LIMIT, detail, "output_bytes")
            case KernelEnd(cause=Cause.MESSAGES, detail=detail):
                size = f"{self._limits.outputs} outputs are allowed (limit outputs)"
                detail = f"Too much output {where}: {detail}; {size}."
                raise RunEnded(Verdict.OUTPUT_LIMIT, detail, "outputs")
            case KernelEnd(cause=Cause.PROTOCOL, detail=detail):
                raise _violation(ValueError(detail))
            case _:
                msg = f"The container was lost {where}: {end.detail if end else 'no reason known'}."
                raise SandboxError(msg)

    # -- the examiner ----------------------------------------------------------------------------

    async def _check(self, index: int, sealed: SealedRun) -> None:
        if self._ended.done():
            self._end_of_kernel(index)
        began = time.monotonic()
        run = await self._beside_output(sealed.check(index))
        is_finished = run.state is not CheckState.NOT_RUN
        self.cells[index] = CellRun(index, is_finished, time.monotonic() - began)
        # What was shown before a test is not changed after it: by then its inputs are known.
        self._display_id_map.clear()
        await self._look_after_examiner(index, sealed)

    async def _beside_output(self, asking: Coroutine[Any, Any, T]) -> T:
        """Wait for the examiner; what the kernel shows meanwhile belongs to no cell."""
        work, output = asyncio.ensure_future(asking), asyncio.ensure_future(self._drop_output())
        try:
            await asyncio.wait({work, output}, return_when=asyncio.FIRST_COMPLETED)
            if output.done():
                output.result()
            return await work
        finally:
            for task in (work, output):
                task.cancel()
            await asyncio.gather(work, output, return_exceptions=True)

    async def _drop_output(self) -> None:
        """Take what the kernel sends, and count it, until it ends."""
        while (message := await self._receive(self._client.iopub_channel)) is not None:
            try:
                self._account(message)
            except RunEnded:
                raise
            except Exception as error:
                raise _violation(error) from error

    async def _look_after_examiner(self, index: int, sealed: SealedRun) -> None:
        """End the run where the examiner has seen its end."""
        if sealed.is_gone and not self._is_cut_off:
            await asyncio.wait({self._ended}, timeout=_LAST_WORDS_SECONDS)
            if self._ended.done():
                self._end_of_kernel(index)
            self._is_cut_off = True  # it goes on without its border: no test can be run any more
        if time.monotonic() >= self._deadline:
            await self._time_is_up(index)
        if sealed.is_stuck:
            await self._manager.provisioner.kill()
            seconds = f"{self._limits.cell_seconds:g} s"
            detail = (
                f"What the test in cell {index + 1} called ran longer than {seconds} "
                "(limit cell_seconds) and could not be interrupted."
            )
            raise RunEnded(Verdict.CELL_TIMEOUT, detail, "cell_seconds")

    # -- messages --------------------------------------------------------------------------------

    async def _answer(self, request: str) -> dict[str, Any]:
        while True:
            message = await self._receive(self._client.shell_channel)
            assert message is not None  # noqa: S101 - only iopub has an end mark
            if message["msg_type"] != "execute_reply":
                continue
            if message["parent_header"].get("msg_id") == request:
                try:
                    return checked_reply(message["content"])
                except (ValueError, RecursionError) as error:
                    raise _violation(error) from error

    async def _collect(self, request: str, cell: NotebookNode, index: int) -> bool:
        """Put outputs into the cell until its end; False if the kernel ended before."""
        while True:
            message = await self._receive(self._client.iopub_channel)
            if message is None:
                return False
            try:
                self._account(message)
                if message["parent_header"].get("msg_id") == request:
                    self.process_message(message, cell, index)
            except CellExecutionComplete:
                return True
            except RunEnded:
                raise
            except Exception as error:
                raise _violation(error) from error

    async def _receive(self, channel: Any) -> dict[str, Any] | None:
        """Return the next message, or None for the relay's end mark."""
        # A receive that finds a message does not give way; a flood would stop every clock.
        await asyncio.sleep(0)
        parts = await channel.socket.recv_multipart()
        if parts == [END_MARK] and self._manager.provisioner.is_over:
            return None
        try:
            _, rest = channel.session.feed_identities(parts)
            message: dict[str, Any] = channel.session.deserialize(rest)
            if not isinstance(message["msg_type"], str):
                msg = "a message type is not text"
                raise ValueError(msg)
            message["parent_header"].get("msg_id")
        except Exception as error:
            raise _violation(error) from error
        self._quiet += 1
        if self._quiet > 20 * (len(self.code_cells) + 10) + 4 * self._limits.outputs:
            raise self._too_many("messages")  # noqa: EM101
        return message

    def _account(self, message: dict[str, Any]) -> None:
        """Check a message and count it, whichever cell it says it belongs to."""
        message["content"], size = checked_content(message["msg_type"], message["content"])
        if message["msg_type"] in QUIET_TYPES:
            return
        self._bytes += size
        self._outputs += 1
        if self._outputs > self._limits.outputs:
            raise self._too_many("outputs")  # noqa: EM101
        if self._bytes > self._limits.output_bytes:
            detail = f"More than {self._limits.output_bytes} bytes of output (limit output_bytes)."
            raise RunEnded(Verdict.OUTPUT_LIMIT, detail, "output_bytes")

    def _too_many(self, what: str) -> RunEnded:
        detail = f"Too many {what} were sent; {self._limits.outputs} are allowed (limit outputs)."
        return RunEnded(Verdict.OUTPUT_LIMIT, detail, "outputs")

    def handle_comm_msg(
        self, outs: list[NotebookNode], msg: dict[str, Any], cell_index: int
    ) -> None:
        """Ignore it: nobody is there to move a widget, and state would grow without bound."""


def _raise_first(*tasks: asyncio.Future[Any]) -> None:
    for task in tasks:
        if task.done() and (error := task.exception()) is not None:
            raise error


def _violation(error: Exception) -> RunEnded:
    # Its reason may be the student's own words, and a run's detail is shown.
    _log.info("A kernel sent a message that is not valid: %.200r", error)
    return RunEnded(Verdict.PROTOCOL_VIOLATION, "The kernel sent a message that is not valid.")


def _show_muted_error(cell: NotebookNode, reply: dict[str, Any]) -> None:
    """Add the error of the answer if the cell does not show it, as nbgrader does."""
    if reply["status"] != "error":
        return
    for shown in cell.outputs:
        if shown.output_type == "error" and shown.ename == reply["ename"]:
            return
    cell.outputs.append(
        new_output(
            "error",
            ename=reply["ename"],
            evalue=reply["evalue"],
            traceback=reply["traceback"] or [_MUTED],
        )
    )
