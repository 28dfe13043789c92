"""The driver of an exam, between an examiner and a kernel that both do what the test says."""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from types import SimpleNamespace
from typing import Any, cast

import pytest

from jupyter_ppo.domain.errors import SandboxError
from jupyter_ppo.domain.exam import CheckState, Exam, ExamCell
from jupyter_ppo.sandbox import examination as examination_module
from jupyter_ppo.sandbox.agent_wire import Wire
from jupyter_ppo.sandbox.examination import AbortedError, Examination
from jupyter_ppo.sandbox.examiner_box import ExaminerBox
from jupyter_ppo.sandbox.frames import MAX_FRAME, Channel, Decoder, Frame, encode

EXAM = Exam(
    cells=(),
    student_names=frozenset({"b", "a"}),
    sources={"a": "def a(): ..."},
)
PASSED: dict[str, Any] = {"state": "passed", "value": None, "lines": [], "calls": 1, "seconds": 0.5}
DONE = {"event": "done", "ended": "ended", "code": -9, "peak_kb": 1, "detail": ""}


class Peer(threading.Thread):
    """Process 1 and an examiner that does what a cell's code names. ``seen`` has its orders."""

    def __init__(self, stream: socket.socket) -> None:
        super().__init__(daemon=True)
        self._stream = stream
        self._decoder = Decoder()
        self._index = 0
        self.seen: list[dict[str, Any]] = []

    def run(self) -> None:
        with contextlib.suppress(OSError):  # the other side has gone
            while data := self._stream.recv(2**20):
                for frame in self._decoder.feed(data):
                    self._take(frame)

    def say(self, channel: Channel, *parts: bytes) -> None:
        data = encode(channel, parts)
        for at in range(0, len(data), 2**20):
            piece = data[at : at + 2**20]
            self._stream.sendall(struct.pack(">BxxxI", 1, len(piece)) + piece)

    def check(self, **fields: Any) -> None:
        self.say(Channel.CHECK, json.dumps(fields).encode())

    def result(self, **fields: Any) -> None:
        self.check(did="check", index=self._index, **(PASSED | fields))

    def done(self, **fields: Any) -> None:
        self.say(Channel.META, json.dumps(DONE | fields).encode())

    def _take(self, frame: Frame) -> None:
        if frame.channel is Channel.BORDER:
            self.result(value=str([len(part) for part in frame.parts]))
            return
        order = json.loads(frame.parts[0])
        self.seen.append(order)
        match order:
            case {"do": "end"}:
                self.done()
            case {"do": "begin"}:
                self.check(did="begin")
            case {"do": "given", "code": "hangs" | "is an error"} if order["code"] == "hangs":
                return
            case {"do": "given", "code": code}:
                self.check(did="given", error="NameError" if code == "is an error" else None)
            case {"do": "check", "index": index, "code": code}:
                self._index = index
                getattr(self, f"do_{code}")()
            case {"do": "interrupted" | "gone" as why}:
                state = {"interrupted": "timeout", "gone": "not_run"}[why]
                self.result(state="not_run" if self._is_stuck else state)

    _is_stuck = False

    def do_pass(self) -> None:
        self.result()

    def do_hang(self) -> None:
        """Say nothing until it is ended."""

    def do_call(self) -> None:
        self.say(Channel.BORDER, b"header", b"blob")

    def do_interrupt(self) -> None:
        self.check(ask="interrupt")

    def do_stick(self) -> None:
        self._is_stuck = True
        self.check(ask="interrupt")

    def do_exit(self) -> None:
        self.done(ended="exited", code=3)

    def do_bloat(self) -> None:
        self.done(ended="memory")

    def do_lines(self) -> None:
        for _ in range(3):
            time.sleep(0.2)
            self.check(tell="check")
        self.result()

    def do_babble(self) -> None:
        self.say(Channel.CHECK, b"[]")

    def do_lie(self) -> None:
        self.result(state="perfect")

    def do_vanish(self) -> None:
        self._stream.shutdown(socket.SHUT_RDWR)


class Kernel:
    """The student's end of the border. ``answers`` are given to each message, one after another."""

    def __init__(self) -> None:
        self.answers: list[tuple[bytes, ...]] = [(b"reply", b"")]
        self.got: list[tuple[bytes, ...]] = []
        self.interrupts = 0
        self.say: Callable[[tuple[bytes, ...]], None] = lambda _: None

    def send(self, parts: Sequence[bytes]) -> None:
        self.got.append(tuple(parts))
        for answer in self.answers:
            self.say(answer)

    def connect(self, on_message: Callable[[tuple[bytes, ...]], None]) -> None:
        self.say = on_message

    def disconnect(self) -> None:
        self.say = lambda _: None

    def interrupt(self) -> None:
        self.interrupts += 1


class Stage:
    """An examination with both its sides."""

    def __init__(self, stream: socket.socket, peer: Peer) -> None:
        self.peer, self.kernel = peer, Kernel()
        self.box = ExaminerBox(
            cast(Any, None),
            cast(Any, SimpleNamespace(close_stream=lambda: stream.shutdown(socket.SHUT_RDWR))),
            Wire(stream, MAX_FRAME),
        )
        self.examination = Examination(self.box, EXAM, 0.3, time.monotonic() + 60)

    def begin(self) -> Examination:
        self.examination.begin()
        self.examination.meet(self.kernel, self.kernel.interrupt)
        return self.examination

    def check(self, code: str, index: int = 7) -> Any:
        return self.examination.check(ExamCell(index, code, is_test=True, pushed=("p",)))

    @property
    def orders(self) -> list[str]:
        return [order["do"] for order in self.peer.seen]


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    monkeypatch.setattr(examination_module, "_GRACE_SECONDS", 0.2)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        peer = Peer(theirs)
        peer.start()
        made = Stage(ours, peer)
        made.begin()
        yield made
        with contextlib.suppress(SandboxError):  # one has vanished
            made.examination.close()
        made.examination.close()
        ours.close()
        peer.join(30)


def test_an_examiner_is_told_the_exam_and_then_each_cell(stage: Stage) -> None:
    stage.examination.give("x = 1")
    run = stage.check("pass")
    assert (run.index, run.state, run.value, run.calls) == (7, CheckState.PASSED, None, 1)
    assert stage.orders == ["examine", "begin", "given", "check"]
    begin, given, check = stage.peer.seen[1:]
    assert begin["student_names"] == ["a", "b"]
    assert begin["record"] is False
    assert begin["sources"] == EXAM.sources
    assert begin["cell_seconds"] == 0.3
    assert given == {"do": "given", "code": "x = 1"}
    assert check == {"do": "check", "index": 7, "code": "pass", "pushed": ["p"], "contract": []}


def test_the_border_is_passed_on_both_ways(stage: Stage) -> None:
    stage.kernel.answers = [(b"12345", b"x" * 5_000_000)]
    assert stage.check("call").value == "[5, 5000000]"
    assert stage.kernel.got == [(b"header", b"blob")]


def test_what_a_kernel_says_unasked_is_dropped(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(examination_module, "_GRACE_SECONDS", 60)
    stage.kernel.say((b"forged", b""))
    assert stage.check("pass").state is CheckState.PASSED
    stage.kernel.say((b"forged", b""))
    stage.kernel.answers += [(b"", b"x" * 2**24)] * 20
    assert stage.check("call").value == "[5, 0]"
    assert stage.box.wire.waiting <= MAX_FRAME + 2**21


def test_a_call_that_takes_too_long_is_interrupted(stage: Stage) -> None:
    assert stage.check("interrupt").state is CheckState.TIMEOUT
    assert stage.kernel.interrupts == 1
    assert not stage.examination.is_stuck
    assert stage.check("pass").state is CheckState.PASSED


def test_after_a_call_that_cannot_be_interrupted_nothing_is_run(stage: Stage) -> None:
    assert stage.check("stick").state is CheckState.TIMEOUT
    assert stage.examination.is_stuck
    assert stage.check("pass").state is CheckState.NOT_RUN


def test_the_end_of_the_kernel_is_told(stage: Stage) -> None:
    stage.kernel.answers = [()]
    assert stage.check("call").state is CheckState.NOT_RUN
    assert stage.examination.is_gone
    assert stage.orders[-1] == "gone"
    assert stage.check("pass").state is CheckState.NOT_RUN


@pytest.mark.parametrize(
    ("code", "state"),
    [
        ("hang", CheckState.TIMEOUT),
        ("exit", CheckState.NOT_RUN),
        ("bloat", CheckState.BORDER),
    ],
)
def test_an_examiner_that_ends_or_hangs_costs_one_check(
    stage: Stage, code: str, state: CheckState
) -> None:
    stage.examination.give("x = 1")
    stage.examination.give("is an error")
    stage.examination.give("hangs")
    assert stage.check(code).state is state
    before = len(stage.orders)
    assert stage.check("pass", 8).state is CheckState.PASSED
    assert stage.orders[before:] == ["examine", "begin", "given", "given", "check"]
    assert [order["code"] for order in stage.peer.seen[-3:-1]] == ["x = 1", "is an error"]
    assert stage.kernel.interrupts  # it may have waited for an answer


def test_each_line_of_checks_has_its_own_time(stage: Stage) -> None:
    assert stage.check("lines").state is CheckState.PASSED  # 0.6 s, and 0.5 s are allowed


@pytest.mark.parametrize("code", ["babble", "lie", "vanish"])
def test_what_no_examiner_says_is_a_failure_of_ours(stage: Stage, code: str) -> None:
    with pytest.raises(SandboxError, match="examiner"):
        stage.check(code)


def test_an_examination_can_be_aborted(stage: Stage) -> None:
    threading.Timer(0.05, stage.examination.abort).start()
    with pytest.raises(AbortedError):
        stage.check("hang")
    with pytest.raises(AbortedError):
        stage.check("pass")
    stage.examination.close()
    assert stage.box.is_alive


def test_nothing_is_asked_after_the_deadline(stage: Stage) -> None:
    stage.examination._deadline = time.monotonic()
    assert stage.check("hang").state is CheckState.TIMEOUT
    assert stage.check("hang").state is CheckState.TIMEOUT
