"""One exam of one submission: drives the examiner's process and connects it with the student's.

What crosses the border is passed on and never read here.
"""

from __future__ import annotations

import contextlib
import json
import logging
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, Protocol

from jupyter_ppo.domain.errors import SandboxError
from jupyter_ppo.domain.exam import CheckRun, CheckState, Exam, ExamCell
from jupyter_ppo.sandbox.agent_wire import LostError
from jupyter_ppo.sandbox.check_result import check_run_of, message_of
from jupyter_ppo.sandbox.examiner_box import ExaminerBox
from jupyter_ppo.sandbox.frames import MAX_FRAME, Channel, encode

#: How much later than the examiner this side ends a check, in seconds; for an examiner that hangs.
_GRACE_SECONDS: Final = 20.0
#: How long a forked examiner may take until it has begun, in seconds, on a busy machine.
_BEGIN_SECONDS: Final = 60.0
#: What one check may ask of the student's kernel at most.
MAX_CALLS: Final = 200_000
#: Requests to the student's kernel that one examiner may number; each has numbers of its own.
_NUMBERS: Final = 2**32
MAX_BYTES: Final = 2**30
#: What may wait for the examiner, in bytes. Honest answers come one at a time, so only a flood is
#: more, and of that the rest is dropped.
_WAITING_BYTES: Final = MAX_FRAME + 2**20
_LOGGED: Final = 2000

_log = logging.getLogger(__name__)


class Border(Protocol):
    """The way to the student's kernel: what a relay offers."""

    def send(self, parts: Sequence[bytes]) -> None:
        """Send a message of these parts to the kernel."""

    def connect(self, on_message: Callable[[tuple[bytes, ...]], None]) -> None:
        """Have each message of the kernel given to ``on_message``; no parts: it has ended."""

    def disconnect(self) -> None:
        """Give messages to nobody any more."""


class _TimeUpError(Exception):
    """The examiner did not answer in time."""


class _ExaminerEndedError(Exception):
    """The examiner's process ended; ``how`` as the agent says it."""

    def __init__(self, event: dict[str, Any]) -> None:
        super().__init__(str(event.get("detail", "")))
        self.how = str(event.get("ended"))
        self.code = event.get("code")


class AbortedError(Exception):
    """The examination was aborted from another thread."""


class Examination:
    """One exam, from ``begin`` to ``close``. All methods block.

    ``border`` leads to the student's kernel and ``interrupt`` sends it SIGINT; both come with
    ``meet``, as the examiner may begin before the kernel. A check has ``cell_seconds``; all is over
    at ``deadline`` on ``time.monotonic``'s clock. Only ``abort`` may be called from another thread.
    Every method raises ``SandboxError`` when the examiner's container is lost, and ``AbortedError``
    after ``abort``.
    """

    def __init__(self, box: ExaminerBox, exam: Exam, cell_seconds: float, deadline: float) -> None:
        self.box = box
        self._exam = exam
        self._cell_seconds = cell_seconds
        self._deadline = deadline
        self._border: Border | None = None
        self._interrupt: Callable[[], None] = lambda: None
        self._given: list[str] = []
        self._has_process = False
        self._processes = 0
        self._until = deadline
        self._is_interrupted = False
        self._is_told_gone = False
        #: Whether the student's kernel has ended, or cannot be interrupted.
        self.is_gone = False
        self.is_stuck = False
        self._lock = threading.Lock()
        self._inbox: deque[tuple[bytes, ...]] = deque()
        self._inbox_bytes = 0
        self._is_asking = False
        self._is_aborted = False
        self._is_closed = False
        self._wake_in, self._wake_out = socket.socketpair()
        self._wake_in.setblocking(False)
        self._wake_out.setblocking(False)

    def begin(self) -> None:
        """Have the examiner's process forked and given the exam."""
        with self._asking(), contextlib.suppress(_TimeUpError):  # that is for the run to say
            self._start_process()

    def meet(self, border: Border, interrupt: Callable[[], None]) -> None:
        """Connect the examiner with the student's kernel."""
        self._border, self._interrupt = border, interrupt
        border.connect(self._receive)

    def give(self, code: str) -> None:
        """Have a cell of the author's run, for what it defines.

        An error in it shows in the checks that need what it did not define.
        """
        with self._asking():
            try:
                self._ensure_process()
                self._run_given(code)
            except (_TimeUpError, _ExaminerEndedError) as error:
                self._lose_process(error)
                return
            self._given.append(code)

    def check(self, cell: ExamCell) -> CheckRun:
        """Run a test cell, which must have an index; return what came of it."""
        index = cell.index
        assert index is not None  # noqa: S101 - said above
        if self.is_gone or self.is_stuck:
            return CheckRun(index, CheckState.NOT_RUN)
        began = time.monotonic()
        self._is_interrupted = False
        order = {
            "do": "check",
            "index": index,
            "code": cell.code,
            "pushed": [*cell.pushed],
            "contract": sorted(cell.contract),
        }
        with self._asking():
            try:
                self._ensure_process()
                run = check_run_of(self._ask(order, self._cell_seconds), index)
            except _TimeUpError as error:
                self._lose_process(error)
                return CheckRun(index, CheckState.TIMEOUT, seconds=time.monotonic() - began)
            except _ExaminerEndedError as error:
                self._lose_process(error)
                # What came over the border can make it too much for the examiner's memory.
                state = CheckState.BORDER if error.how == "memory" else CheckState.NOT_RUN
                return CheckRun(index, state, seconds=time.monotonic() - began)
            except ValueError as error:
                raise _unreadable(error) from error
        if self._is_interrupted and run.state in {CheckState.NOT_RUN, CheckState.BORDER}:
            self.is_stuck = True
            if not self.is_gone:
                run = CheckRun(index, CheckState.TIMEOUT, output=run.output, seconds=run.seconds)
        return run

    def abort(self) -> None:
        """End what another thread waits for here, soon; every further call raises."""
        self._is_aborted = True
        self._wake()

    def close(self) -> None:
        """End the examiner's process and let go of the student's kernel; the box stays.

        More than once does no harm. Raises ``SandboxError`` when the container is lost.
        """
        with self._lock:
            if self._is_closed:
                return
            self._is_closed = True
        try:
            if self._border is not None:
                self._border.disconnect()
            self.box.end_examiner()
        finally:
            with self._lock:
                self._wake_in.close()
                self._wake_out.close()

    # -- the examiner's process ------------------------------------------------------------------

    def _start_process(self) -> None:
        """Fork one, begin, and have all that was given run again. What else it knew is lost."""
        exam = self._exam
        try:
            self.box.examine()
        except LostError as error:
            raise _lost(error) from error
        self._has_process, self._is_told_gone = True, False
        begin = {
            "do": "begin",
            "student_names": sorted(exam.student_names),
            "record": exam.is_recording,
            # Of the author's own objects, which may be kept by the student's code: for all cells.
            "offers": sorted({use for cell in exam.cells for use in cell.contract}),
            "sources": dict(exam.sources),
            "cell_seconds": self._cell_seconds,
            "max_calls": MAX_CALLS,
            "max_bytes": MAX_BYTES,
            "first": self._processes * _NUMBERS,
        }
        self._processes += 1
        try:
            self._ask(begin, _BEGIN_SECONDS)
        except (_TimeUpError, _ExaminerEndedError) as error:
            if time.monotonic() >= self._deadline:
                raise
            _log.warning("An examiner did not start: %.*s", _LOGGED, error)
            msg = "The examiner did not start. The server's log says more."
            raise SandboxError(msg) from error
        for code in self._given:
            self._run_given(code)

    def _ensure_process(self) -> None:
        if not self._has_process:
            self._start_process()

    def _run_given(self, code: str) -> None:
        answer = self._ask({"do": "given", "code": code}, self._cell_seconds)
        if answer.get("error"):
            _log.info("A cell of the author's fails in the examiner: %.300s", answer["error"])

    def _lose_process(self, error: Exception) -> None:
        """End what is left of the process; the next one is forked when there is more to do."""
        _log.warning(
            "An examiner's process was lost: %s %.*s", type(error).__name__, _LOGGED, str(error)
        )
        self._has_process = False
        self._interrupt()  # the student's kernel may wait for an answer to a callback
        self.box.end_examiner()

    # -- orders and answers ----------------------------------------------------------------------

    def _ask(self, order: dict[str, Any], seconds: float) -> dict[str, Any]:
        """Give an order and return the answer; meanwhile frames cross the border."""
        self._give_time(seconds)
        self._post(Channel.CHECK, [json.dumps(order).encode()])
        while True:
            message = self._next_message()
            if message.get("did") == order["do"]:
                return message
            if message.get("ask") == "interrupt":
                self._is_interrupted = True
                self._interrupt()
                self._post(Channel.CHECK, [b'{"do": "interrupted"}'])
            elif message.get("tell") == "check":
                self._give_time(seconds)
            else:
                raise _unreadable(ValueError(f"a message that is none: {message!r:.200}"))

    def _give_time(self, seconds: float) -> None:
        self._until = min(time.monotonic() + seconds + _GRACE_SECONDS, self._deadline)

    def _next_message(self) -> dict[str, Any]:
        """Return the next message of the examiner on CHECK."""
        try:
            while True:
                self._pass_on()
                frame = self.box.wire.turn(self._until, self._wake_out.fileno())
                self._look_up(is_idle=frame is None)
                if frame is None:
                    continue
                if frame.channel is Channel.BORDER:
                    if self._border is not None:
                        self._border.send(frame.parts)
                elif frame.channel is Channel.CHECK:
                    return message_of(frame)
                elif (event := self.box.ended(frame)) is not None:
                    raise _ExaminerEndedError(event)
        except LostError as error:
            raise _lost(error) from error
        except ValueError as error:
            raise _unreadable(error) from error

    def _look_up(self, *, is_idle: bool) -> None:
        if is_idle:
            with contextlib.suppress(BlockingIOError):
                self._wake_out.recv(4096)
        if self._is_aborted:
            raise AbortedError
        if time.monotonic() >= self._until:
            raise _TimeUpError

    def _pass_on(self) -> None:
        """Pass on what the student's kernel has sent, or that it is gone."""
        while self._inbox:
            with self._lock:
                parts = self._inbox.popleft()
                self._inbox_bytes -= sum(map(len, parts))
            if parts:
                self._post(Channel.BORDER, parts)
        if self.is_gone and not self._is_told_gone:
            self._is_told_gone = True
            self._post(Channel.CHECK, [b'{"do": "gone"}'])

    def _post(self, channel: Channel, parts: Sequence[bytes]) -> None:
        try:
            self.box.wire.post(encode(channel, parts))
        except LostError as error:
            raise _lost(error) from error

    # -- the student's side ----------------------------------------------------------------------

    @contextlib.contextmanager
    def _asking(self) -> Iterator[None]:
        """Take messages of the student's kernel meanwhile; at other times nobody waits for any."""
        if self._is_aborted:
            raise AbortedError
        self._is_asking = True
        try:
            yield
        finally:
            with self._lock:
                self._is_asking = False
                self._inbox.clear()
                self._inbox_bytes = 0

    def _receive(self, parts: tuple[bytes, ...]) -> None:
        """Take a message of the student's kernel, in the relay's thread."""
        if not parts:
            self.is_gone = True
        else:
            size = sum(map(len, parts))
            with self._lock:
                waiting = self._inbox_bytes + self.box.wire.waiting
                if not self._is_asking or waiting + size > _WAITING_BYTES:
                    return
                self._inbox.append(parts)
                self._inbox_bytes += size
        self._wake()

    def _wake(self) -> None:
        with self._lock, contextlib.suppress(OSError):
            if not self._is_closed:
                self._wake_in.send(b"w")


def _lost(error: LostError) -> SandboxError:
    msg = f"The examiner's container was lost: {error}."
    return SandboxError(msg)


def _unreadable(error: ValueError) -> SandboxError:
    msg = f"The examiner said what cannot be used: {error}."
    return SandboxError(msg)
