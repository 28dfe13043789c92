"""The examiner's part of a notebook's run, as an event loop sees it: started, asked, given back."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Callable, Iterable
from functools import partial
from typing import TypeVar

from jupyter_ppo.domain.ending import Ending
from jupyter_ppo.domain.errors import PPOError
from jupyter_ppo.domain.exam import CheckRun, CheckState, Exam, ExamCell
from jupyter_ppo.sandbox.examination import Examination
from jupyter_ppo.sandbox.examiners import Examiners
from jupyter_ppo.sandbox.provisioner import in_thread
from jupyter_ppo.sandbox.relay import Relay

T = TypeVar("T")

_log = logging.getLogger(__name__)


class SealedRun:
    """The test cells of one run, and the author's cells that they need.

    ``begin`` starts an examiner in the background, which may take as long as the start of the
    student's kernel and goes on meanwhile; ``meet`` waits for it. ``close`` must be called in any
    case. ``deadline`` is on ``time.monotonic``'s clock. The methods raise
    ``EngineUnavailableError``, ``ImageMissingError`` or ``SandboxError``.
    """

    def __init__(
        self, exam: Exam, examiners: Examiners, cell_seconds: float, deadline: float
    ) -> None:
        self._exam = exam
        self._examiners = examiners
        self._cell_seconds = cell_seconds
        self._deadline = deadline
        self._cells = _by_index(exam.cells)
        self._checks = {index: CheckRun(index, CheckState.NOT_RUN) for index in exam.tests}
        self._ending = Ending()
        self._starting: asyncio.Future[Examination] | None = None
        self._examination: Examination | None = None

    @property
    def tests(self) -> frozenset[int]:
        """Indices of the cells that only the examiner runs."""
        return self._exam.tests

    @property
    def checks(self) -> tuple[CheckRun, ...]:
        """What came of every test cell until now."""
        return tuple(self._checks[index] for index in sorted(self._checks))

    @property
    def is_gone(self) -> bool:
        """Whether the examiner was told that the student's kernel has ended."""
        return self._examination is not None and self._examination.is_gone

    @property
    def is_stuck(self) -> bool:
        """Whether the student's kernel does not come back from a call, interrupted or not."""
        return self._examination is not None and self._examination.is_stuck

    def begin(self) -> None:
        """Begin to start the examiner; only in a running event loop."""
        self._starting = asyncio.ensure_future(asyncio.to_thread(self._start))

    async def meet(self, relay: Relay) -> None:
        """Wait for the examiner, and connect it with the student's kernel."""
        assert self._starting is not None  # noqa: S101 - begin comes first
        self._examination = await asyncio.shield(self._starting)
        self._examination.meet(relay.border, lambda: relay.signal(signal.SIGINT))

    async def follow(self, index: int) -> None:
        """Have the examiner run what of the author's belongs to a cell that the kernel has run."""
        for cell in self._cells.get(index, ()):
            await self._in_thread(partial(self._met.give, cell.code))

    async def check(self, index: int) -> CheckRun:
        """Run the test cell ``index``."""
        for cell in self._cells[index]:
            if cell.index == index and cell.is_test:
                self._checks[index] = await self._in_thread(partial(self._met.check, cell))
            else:
                await self._in_thread(partial(self._met.give, cell.code))
        return self._checks[index]

    async def close(self) -> None:
        """End the examiner and give its container back; what goes wrong is logged."""
        self._ending.end()
        starting, self._starting = self._starting, None
        if starting is None:
            return
        cancelled: asyncio.CancelledError | None = None
        while not starting.done():
            try:
                await asyncio.wait([starting])
            except asyncio.CancelledError as error:
                cancelled = error
        if starting.exception() is None:
            await in_thread(partial(self._give_back, starting.result()))
        if cancelled is not None:
            raise cancelled

    def _start(self) -> Examination:
        box = self._examiners.take(self._exam.key, self._exam.modules, self._ending)
        examination = Examination(box, self._exam, self._cell_seconds, self._deadline)
        self._ending.on_end(examination.abort)
        try:
            examination.begin()
        except BaseException:
            self._give_back(examination)
            raise
        return examination

    def _give_back(self, examination: Examination) -> None:
        try:
            examination.close()
        except PPOError as error:
            _log.warning("An examiner was lost: %s", error.message)
        self._examiners.give_back(examination.box)

    @property
    def _met(self) -> Examination:
        assert self._examination is not None  # noqa: S101 - meet comes first
        return self._examination

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await in_thread(work, on_cancel=self._ending.end)


def _by_index(cells: Iterable[ExamCell]) -> dict[int, list[ExamCell]]:
    """Return the cells by place, each with those without a place that come before it."""
    found: dict[int, list[ExamCell]] = {}
    before: list[ExamCell] = []
    for cell in cells:
        if cell.index is None:
            before.append(cell)
        else:
            found.setdefault(cell.index, []).extend([*before, cell])
            before.clear()
    return found
