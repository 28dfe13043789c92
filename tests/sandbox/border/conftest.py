"""An examiner and a student's kernel, each a process of its own, without containers around."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from jupyter_ppo.sandbox.border import examiner
from jupyter_ppo.sandbox.border.link import Link
from jupyter_ppo.sandbox.border.student import Student
from jupyter_ppo.sandbox.frames import Channel

#: What a scripted student's kernel says to a request: messages of header (or bytes) and blob.
Script = Callable[[dict[str, Any]], Sequence[tuple[dict[str, Any] | bytes, bytes]]]


def _forked(run: Callable[[], None]) -> int:
    """Run something in a process of its own, which ends with it."""
    pid = os.fork()
    if pid == 0:
        try:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            run()
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(0)
    return pid


def _student(sock: socket.socket, code: Sequence[str]) -> None:
    names: dict[str, Any] = {"__name__": "__main__"}
    sys.modules["__main__"].__dict__.clear()
    sys.modules["__main__"].__dict__.update(names)
    names = sys.modules["__main__"].__dict__
    for text in code:
        with contextlib.suppress(Exception):
            exec(text, names)  # noqa: S102
    Student(Link(sock), names).serve()


def _scripted(sock: socket.socket, script: Script) -> None:
    link = Link(sock)
    while True:
        frame = link.receive(None)
        request = json.loads(frame.parts[0])
        for said, blob in script(request):
            whole = {"q": request["q"]} | said if isinstance(said, dict) else said
            header = whole if isinstance(whole, bytes) else json.dumps(whole).encode()
            link.send(Channel.BORDER, (header, blob))


class Exam:
    """Both processes, and the server between them, which passes on what they say."""

    def __init__(self, student: Callable[[socket.socket], None]) -> None:
        ours, theirs = socket.socketpair()
        our_kernel, their_kernel = socket.socketpair()
        self.kernel_pid = _forked(lambda: (ours.close(), our_kernel.close(), student(their_kernel)))
        self.examiner_pid = _forked(
            lambda: (our_kernel.close(), ours.close(), their_kernel.close(), examiner.main(theirs))
        )
        theirs.close()
        their_kernel.close()
        self._examiner, self._kernel = Link(ours), Link(our_kernel)
        self._sockets = (ours, our_kernel)
        self._kernel_socket = our_kernel
        self.is_stuck = False  # then no interrupt reaches the kernel
        self.told: list[dict[str, Any]] = []
        self.crossed: list[bytes] = []

    def say(self, **order: Any) -> None:
        self._examiner.send(Channel.CHECK, (json.dumps(order).encode(),))

    def begin(self, names: Sequence[str], **values: Any) -> None:
        self._contract: Sequence[str] | None = values.get("contract", [])
        self.say(
            do="begin",
            student_names=list(names),
            record=self._contract is None,
            offers=self._contract or [],
            sources=values.get("sources", {}),
            cell_seconds=values.get("seconds", 10),
            max_calls=values.get("calls", 200_000),
            max_bytes=values.get("bytes", 2**30),
        )
        assert self._until_done() == {"did": "begin"}

    def given(self, code: str) -> str | None:
        self.say(do="given", code=code)
        return self._until_done()["error"]

    def check(
        self,
        code: str,
        pushed: Sequence[str] = (),
        index: int = 0,
        contract: Sequence[str] | None = None,
    ) -> dict[str, Any]:
        allowed = self._contract if contract is None else contract
        order = {"index": index, "code": code, "pushed": list(pushed), "contract": allowed or []}
        self.say(do="check", **order)
        return self._until_done()

    def _until_done(self, seconds: float = 60) -> dict[str, Any]:
        end = time.monotonic() + seconds
        while True:
            assert time.monotonic() < end, "the examiner does not answer"
            ready, _, _ = select.select(self._sockets, [], [], 1)
            if self._kernel_socket in ready:
                self._from_kernel()
            if self._sockets[0] in ready:
                self._examiner.fill()
                while (frame := self._examiner.waiting()) is not None:
                    if frame.channel is Channel.BORDER:
                        self.crossed.extend(frame.parts)
                        with contextlib.suppress(EOFError):
                            self._kernel.send(frame.channel, frame.parts)
                        continue
                    said = json.loads(frame.parts[0])
                    if "did" in said:
                        return said
                    self.told.append(said)
                    if "ask" in said:
                        if not self.is_stuck:
                            os.kill(self.kernel_pid, signal.SIGINT)
                        self.say(do="interrupted")

    def _from_kernel(self) -> None:
        try:
            self._kernel.fill()
        except EOFError:
            self._sockets = self._sockets[:1]
            self.say(do="gone")
        while (frame := self._kernel.waiting()) is not None:
            self._examiner.send(frame.channel, frame.parts)

    def peak_kb(self) -> int:
        """The most memory that the examiner has had, in KiB."""
        with open(f"/proc/{self.examiner_pid}/status") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))

    def close(self) -> None:
        self._examiner.close()
        self._kernel.close()
        for pid in (self.examiner_pid, self.kernel_pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


@contextlib.contextmanager
def _exams() -> Iterator[Callable[..., Exam]]:
    made: list[Exam] = []

    def start(*code: str, script: Script | None = None) -> Exam:
        def student(sock: socket.socket) -> None:
            if script is None:
                _student(sock, code)
            else:
                _scripted(sock, script)

        made.append(Exam(student))
        return made[-1]

    yield start
    for exam in made:
        exam.close()


@pytest.fixture
def exam_of() -> Iterator[Callable[..., Exam]]:
    """Start an examiner with a kernel that ran these cells, or that a script plays."""
    with _exams() as start:
        yield start


@pytest.fixture(scope="module")
def module_exam_of() -> Iterator[Callable[..., Exam]]:
    """The same for all tests of a file."""
    with _exams() as start:
        yield start
