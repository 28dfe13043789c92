"""What is believed of an agent and of a program, without either: bytes of every kind."""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import threading
import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_ppo.domain.errors import SandboxError
from jupyter_ppo.domain.execution import Outcome, Program
from jupyter_ppo.domain.sandbox import SandboxLimits
from jupyter_ppo.sandbox.agent_wire import Wire
from jupyter_ppo.sandbox.container_end import ContainerEnd
from jupyter_ppo.sandbox.frames import Channel, encode
from jupyter_ppo.sandbox.program_box import ProgramBox
from jupyter_ppo.sandbox.program_result import RESULT_BYTES, End, Seen, order_of, run_of

LIMITS = SandboxLimits(output_bytes=1024)
PROGRAM = Program("x = 1", capture_locals=True)
DONE = {
    "event": "done",
    "ended": "exited",
    "code": 0,
    "seconds": 1.5,
    "peak_kb": 2048,
    "detail": "",
}
RESULT = {"outcome": "succeeded", "locals": {"x": 1}, "omitted": {}}


def chunk(data: bytes) -> bytes:
    """Wrap bytes as the engine does."""
    return struct.pack(">BxxxI", 1, len(data)) + data


def frame(channel: Channel, data: bytes) -> bytes:
    return chunk(encode(channel, [data]))


def event(**fields: Any) -> bytes:
    return frame(Channel.META, json.dumps(DONE | fields).encode())


@pytest.fixture
def agent() -> Iterator[tuple[ProgramBox, socket.socket]]:
    """A box whose other side is the test."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        stream = SimpleNamespace(
            stream=ours,
            close_stream=lambda: ours.shutdown(socket.SHUT_RDWR),
            how_it_ended=lambda: None,
        )
        yield ProgramBox(cast(Any, None), cast(Any, stream), LIMITS), theirs


def test_frames_are_put_together(agent: tuple[ProgramBox, socket.socket]) -> None:
    box, theirs = agent
    theirs.sendall(
        frame(Channel.STDOUT, b"a\xff")
        + frame(Channel.STDERR, b"e")
        + frame(Channel.STDOUT, b"b")
        + frame(Channel.RESULT, json.dumps(RESULT).encode())
        + event()
    )
    run = box.run(PROGRAM, order_of(PROGRAM), 60, 60)
    assert (run.outcome, run.stdout, run.stderr) == (Outcome.SUCCEEDED, "a\ufffdb", "e")
    assert (run.seconds, run.memory_mb, run.locals) == (1.5, 2.0, {"x": 1})


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (b"garbage that is no chunk of an engine's", "stream ended"),
        (chunk(b"\xff\xff\xff\xff"), "A frame of"),
        (chunk(struct.pack(">I", 2**21)), "A frame of"),
        (frame(Channel.IOPUB, b"x"), "IOPUB"),
        (frame(Channel.META, b"{"), "no JSON"),
        (frame(Channel.META, b"[" * 60_000), "no JSON"),
        (chunk(encode(Channel.META, [])), "no JSON"),
        (frame(Channel.META, b"{}" + b" " * 65_000) * 2, "lets pass"),
        (event(seconds="soon"), "an end that is none"),
        (event(seconds=-1), "an end that is none"),
        (event(seconds=float("nan")), "an end that is none"),
        (event(peak_kb=float("inf")), "an end that is none"),
        (event(code=None), "an end that is none"),
        (event(ended="failed"), "could not be started"),
        (event(ended="otherwise"), "could not be started"),
        (frame(Channel.META, b'{"event": "done"}'), "an end that is none"),
        (frame(Channel.STDOUT, b"x" * 2**19) * 3, "lets pass"),
        (frame(Channel.RESULT, b"x" * 2**19) * 9, "lets pass"),
    ],
)
def test_an_agent_that_says_what_none_says_is_a_failure_of_ours(
    agent: tuple[ProgramBox, socket.socket], said: bytes, reason: str
) -> None:
    box, theirs = agent

    def say() -> None:
        with contextlib.suppress(OSError):
            theirs.sendall(said)
            theirs.shutdown(socket.SHUT_WR)

    speaker = threading.Thread(target=say)
    speaker.start()
    with pytest.raises(SandboxError, match=reason):
        box.run(PROGRAM, order_of(PROGRAM), 60, 60)
    theirs.close()
    box.end()
    speaker.join(60)
    assert not speaker.is_alive()


@pytest.mark.parametrize(
    ("said", "secret"),
    [
        (event(ended="failed", detail="Traceback: no room in /secret"), "no room in /secret"),
        (struct.pack(">BxxxI", 2, 7) + b"/secret", "/secret"),
    ],
)
def test_what_an_agent_writes_as_it_fails_is_logged_and_told_nobody(
    agent: tuple[ProgramBox, socket.socket],
    caplog: pytest.LogCaptureFixture,
    said: bytes,
    secret: str,
) -> None:
    box, theirs = agent
    theirs.sendall(said)
    theirs.shutdown(socket.SHUT_WR)
    with pytest.raises(SandboxError) as caught:
        box.run(PROGRAM, order_of(PROGRAM), 60, 60)
    assert "secret" not in caught.value.message
    assert secret in caplog.text


@pytest.mark.parametrize(
    ("how", "outcome", "limit"),
    [
        (ContainerEnd(-9, out_of_memory=True), Outcome.MEMORY, "memory_mb"),
        (ContainerEnd(-9, out_of_memory=False), Outcome.DIED, None),
        (ContainerEnd(1, out_of_memory=False), Outcome.DIED, None),
    ],
)
def test_a_program_that_takes_process_1_with_it_keeps_what_it_wrote(
    agent: tuple[ProgramBox, socket.socket], how: ContainerEnd, outcome: Outcome, limit: str | None
) -> None:
    box, theirs = agent
    box._box.how_it_ended = lambda: how  # type: ignore[method-assign]
    result = frame(Channel.RESULT, json.dumps(RESULT).encode())  # forged: it was never at its end
    theirs.sendall(frame(Channel.STDOUT, b"until then") + result)
    theirs.shutdown(socket.SHUT_WR)
    run = box.run(PROGRAM, order_of(PROGRAM), 60, 60)
    assert (run.outcome, run.stdout, run.locals) == (outcome, "until then", None)
    assert (run.limit and run.limit.name, bool(run.error_message)) == (limit, True)
    assert run.memory_mb == (LIMITS.memory_mb if limit else 0)
    assert run.seconds > 0
    assert not box.is_alive


def test_an_agent_that_says_nothing_is_not_waited_for() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        wire = Wire(ours)
        assert wire.is_open()
        assert wire.receive(time.monotonic()) is None
        assert not wire.send(b"x" * 2**26, time.monotonic())
        theirs.close()
        assert not wire.is_open()


# -- results -------------------------------------------------------------------------------------

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**1100), 2**1100)
    | st.floats()
    | st.text(st.characters(), max_size=10),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=10,
)
results = st.fixed_dictionaries(
    {"outcome": st.sampled_from([*Outcome, "x", 1, None])},
    optional=dict.fromkeys(
        ("error_type", "error_message", "traceback", "value", "locals", "omitted", "x"), json_values
    ),
)


def run_with(result: bytes, code: int = 0) -> Any:
    return run_of(PROGRAM, Seen(b"", b"", result), End("exited", code, 1, 1, ""), LIMITS, 60)


@settings(deadline=None, max_examples=200)
@given(
    st.binary() | results.map(lambda value: json.dumps(value).encode()),
    st.sampled_from([0, 0, 1, -9, -99]),
)
def test_a_result_is_either_valid_or_none(result: bytes, code: int) -> None:
    run = run_with(result, code)
    assert run.outcome in {Outcome.SUCCEEDED, Outcome.RAISED, Outcome.SYNTAX_ERROR, Outcome.DIED}
    assert run.outcome is not Outcome.DIED or run.error_message
    json.dumps([run.locals, run.omitted, run.error_message], ensure_ascii=False).encode()


@pytest.mark.parametrize(
    "result",
    [
        b"",
        b"null",
        b"[" * 200_000,
        b'{"outcome": "succeeded", "locals": {"x": '
        + b"[" * 500
        + b"]" * 500
        + b'}, "omitted": {}}',
        b'{"outcome": "succeeded", "locals": {"x": 1' + b"0" * 4000 + b'}, "omitted": {}}',
        b'{"outcome": "succeeded", "locals": {"x": 1' + b"0" * 5000 + b'}, "omitted": {}}',
        b'{"outcome": "succeeded", "locals": {}, "omitted": {"x": 1}}',
        b'{"outcome": "succeeded", "more": 1}',
        b'{"outcome": "raised"}',
        b'{"outcome": "raised", "error_type": 1, "error_message": "", "traceback": ""}',
        b'{"outcome": "memory"}',
        b'{"outcome": "succeeded"}' + b" " * RESULT_BYTES,
    ],
)
def test_a_result_that_fits_no_bounds_counts_as_none(result: bytes) -> None:
    assert run_with(result).outcome is Outcome.DIED


def test_an_exit_code_counts_more_than_a_result() -> None:
    assert run_with(json.dumps(RESULT).encode()).outcome is Outcome.SUCCEEDED
    assert run_with(json.dumps(RESULT).encode(), code=1).outcome is Outcome.DIED
    assert "SIGSEGV" in run_with(b"", code=-11).error_message
