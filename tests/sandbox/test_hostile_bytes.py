"""The server's side against whatever bytes a container could send; no container is needed.

The far end of each stream is the test, or a thread of it. Every case ends by itself, with a cause,
an outcome or one of our errors, and with bounded memory.
"""

from __future__ import annotations

import json
import os
import socket
import struct
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jupyter_client.session import Session

from jupyter_ppo.domain.errors import DamagedFileError, SandboxError
from jupyter_ppo.domain.execution import Outcome, Program, ProgramRun
from jupyter_ppo.domain.sandbox import SandboxLimits
from jupyter_ppo.sandbox import owner, program_box
from jupyter_ppo.sandbox.container_kernel import PrivateFolder
from jupyter_ppo.sandbox.frames import MAX_FRAME, Channel, Decoder, EngineStream, Frame, encode
from jupyter_ppo.sandbox.messages import checked_content
from jupyter_ppo.sandbox.program_box import ProgramBox
from jupyter_ppo.sandbox.program_result import order_of
from jupyter_ppo.sandbox.relay import Bounds, Cause, KernelEnd, Relay
from jupyter_ppo.storage.blobs import FileBlobs

SECONDS = 120
DEEP = b"[" * 30_000 + b"]" * 30_000
DONE = {"event": "done", "ended": "exited", "code": 0, "seconds": 0.1, "peak_kb": 9, "detail": ""}

over_sockets = settings(
    deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def chunk(data: bytes, kind: int = 1) -> bytes:
    """Return the engine's chunk of standard output (or error) with these bytes."""
    return struct.pack(">BxxxI", kind, len(data)) + data


def meta(**event: Any) -> bytes:
    return encode(Channel.META, [json.dumps(event).encode()])


def resident() -> int:
    """Return the bytes of memory that this process holds."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def pour(stream: socket.socket, data: bytes, times: int = 1) -> None:
    """Send until the other side no longer takes it, then end the stream."""
    try:
        for _ in range(times):
            stream.sendall(data)
        stream.shutdown(socket.SHUT_WR)
    except OSError:
        return


# -- a kernel's relay ----------------------------------------------------------------------------


def end_of_relay(sent: bytes, bounds: Bounds | None = None, times: int = 1) -> KernelEnd:
    """Let a relay read these bytes from its container, after a proper start; return its end."""
    ours, theirs = socket.socketpair()
    folder = PrivateFolder()
    ours.setblocking(False)
    relay = Relay(ours, folder.endpoints(), {"key": "k"}, bounds or Bounds())
    sender = threading.Thread(target=pour, args=(theirs, sent, times))
    try:
        relay.start()
        theirs.sendall(chunk(meta(event="ready")))
        sender.start()
        return relay.ended.result(SECONDS)
    finally:
        relay.close()
        ours.close()
        sender.join(SECONDS)
        theirs.close()
        folder.remove()
        assert not sender.is_alive()


@pytest.mark.parametrize(
    "data",
    [
        b"\0\0\0\0",
        struct.pack(">I", MAX_FRAME + 1),
        struct.pack(">I", 2**32 - 1),
        struct.pack(">IBB", 2, 99, 0),  # no such channel
        struct.pack(">IBBI", 6, 1, 1, 2**31),  # a part longer than its frame
        struct.pack(">IBB", 7, 1, 255) + bytes(5),  # fewer parts than announced
        encode(Channel.STDOUT, [b"x", b"y"]),  # a program's, not a kernel's
        encode(Channel.RESULT, [b"x", b"y"]),
        encode(Channel.META, []),
        encode(Channel.META, [b"{", b"}"]),
        encode(Channel.META, [b"not JSON"]),
        encode(Channel.META, [b"\xff"]),
        encode(Channel.META, [b"[" + b"0," * 2**20 + b"0]"]),
        meta(event="ready"),  # a second time
        meta(event="exit", cause="of death", code=0, detail=""),
    ],
    ids=str,
)
def test_a_stream_that_breaks_the_rules_is_a_violation(data: bytes) -> None:
    assert end_of_relay(chunk(data)).cause is Cause.PROTOCOL


@pytest.mark.parametrize(
    "text",
    [
        b"null",
        b"[]",
        b"{}",
        b'"ready"',
        b'{"event": {}}',
        b'{"event": "exit"}',
        b'{"event": "exit", "cause": "exited", "code": [], "detail": ""}',
        b'{"event": "exit", "cause": "exited", "code": 1e999, "detail": ""}',
        b'{"event": "exit", "cause": "exited", "code": %s, "detail": ""}' % (b"9" * 5000),
        b'{"event": "exit", "cause": ["memory"], "code": 1, "detail": ""}',
        DEEP,
    ],
    ids=lambda text: text[:60].decode(),
)
def test_an_event_of_any_form_ends_or_is_nothing(text: bytes) -> None:
    end = end_of_relay(chunk(encode(Channel.META, [text])))
    assert end.cause in {Cause.PROTOCOL, Cause.LOST}


@over_sockets
@given(st.lists(st.tuples(st.integers(0, 3), st.binary(max_size=80)), max_size=6))
def test_random_bytes_from_the_engine_end_the_relay(sent: list[tuple[int, bytes]]) -> None:
    data = b"".join(chunk(text, kind) for kind, text in sent)
    assert end_of_relay(data).cause in {Cause.PROTOCOL, Cause.LOST}


@over_sockets
@given(
    st.lists(
        st.builds(Frame, st.sampled_from(Channel), st.lists(st.binary(max_size=40), max_size=6)),
        max_size=6,
    )
)
def test_random_frames_end_the_relay(frames: list[Frame]) -> None:
    data = b"".join(chunk(encode(frame.channel, frame.parts)) for frame in frames)
    assert end_of_relay(data).cause in {Cause.PROTOCOL, Cause.LOST}


def test_a_flood_of_small_messages_is_not_kept() -> None:
    data = b"".join(chunk(encode(Channel.IOPUB, [b"x" * 50])) for _ in range(10_000))
    before = resident()
    end = end_of_relay(data, Bounds(total_bytes=2**20), times=200)
    assert end.cause is Cause.OUTPUT
    assert resident() - before < 50 * 2**20


def test_a_flood_of_events_is_not_kept() -> None:
    data = chunk(meta(event="forked")) * 1000
    before = resident()
    assert end_of_relay(data, times=100).cause is Cause.LOST
    assert resident() - before < 50 * 2**20


def test_a_flood_on_standard_error_is_not_kept() -> None:
    before = resident()
    end = end_of_relay(chunk(b"e" * 2**20, kind=2), times=100)
    assert end.cause is Cause.LOST
    assert len(end.detail) <= 500
    assert resident() - before < 50 * 2**20


# -- a program's container -----------------------------------------------------------------------


class FarBox:
    """Has what a program box uses of a container: a stream, and the ways to end it."""

    def __init__(self) -> None:
        self.stream, self.far = socket.socketpair()
        self.stream.setblocking(False)

    def how_it_ended(self) -> None:
        """Say nothing: nobody knows how it ended."""

    def close_stream(self) -> None:
        try:
            self.stream.shutdown(socket.SHUT_RDWR)
        except OSError:
            return

    def remove(self) -> None:
        self.close_stream()
        self.stream.close()


class NoEngine:
    """Has what a program box uses of an engine's connection."""

    def close(self) -> None:
        """Do nothing: there is none."""


def run_program(sent: bytes, *, times: int = 1, seconds: float = SECONDS) -> ProgramRun:
    """Run a program in a container that answers with these bytes, whatever it is asked."""
    far = FarBox()
    sender = threading.Thread(target=pour, args=(far.far, sent, times))
    engine: Any = NoEngine()
    container: Any = far
    box = ProgramBox(engine, container, SandboxLimits(output_bytes=2**16))
    program = Program("1", capture_locals=True)
    try:
        sender.start()
        return box.run(program, order_of(program), seconds, seconds)
    finally:
        box.close()
        sender.join(SECONDS)
        far.far.close()
        assert not sender.is_alive()


def with_result(result: bytes) -> bytes:
    return chunk(encode(Channel.RESULT, [result]) + meta(**DONE))


@pytest.mark.parametrize(
    "result",
    [
        b"",
        b"null",
        b"[]",
        b"\xff\xfe",
        b'{"outcome": "succeeded", "more": 1}',
        b'{"outcome": ["succeeded"]}',
        b'{"outcome": "memory"}',
        b'{"outcome": "raised"}',
        b'{"outcome": "raised", "error_type": 1, "error_message": "", "traceback": ""}',
        b'{"outcome": "succeeded", "value": %s}' % DEEP,
        b'{"outcome": "succeeded", "value": %s}' % (b"9" * 5000),
        b'{"outcome": "succeeded", "locals": [], "omitted": {}}',
        b'{"outcome": "succeeded", "locals": {}, "omitted": {"a": 1}}',
        b'{"outcome": "succeeded", "locals": {"a": 1}}',
        b'{"outcome": "succeeded", "value": "' + b"x" * 900_000 + b'"}',
    ],
    ids=lambda result: result[:60].decode("latin-1"),
)
def test_a_result_that_is_none_is_a_program_that_died(result: bytes) -> None:
    ran = run_program(with_result(result))
    assert ran.outcome is Outcome.DIED
    assert ran.error_message


@over_sockets
@given(
    st.binary(max_size=100)
    | st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["outcome", "value", "locals", "omitted", "error_type"]), inner
            )
        ),
        max_leaves=8,
    ).map(lambda value: json.dumps(value).encode())
)
def test_a_random_result_is_an_outcome(result: bytes) -> None:
    ran = run_program(with_result(result))
    json.dumps([ran.locals, ran.value, ran.error_message, ran.omitted]).encode()


@pytest.mark.parametrize(
    "data",
    [
        b"\0\0\0\0",
        struct.pack(">I", MAX_FRAME),
        encode(Channel.SHELL, [b"x", b"y"]),
        encode(Channel.META, []),
        encode(Channel.META, [DEEP]),
        meta(event="done"),
        meta(**DONE | {"seconds": -1}),
        meta(**DONE | {"seconds": "nan"}),
        meta(**DONE | {"code": None}),
        meta(**DONE | {"peak_kb": {}}),
        meta(**DONE | {"ended": "otherwise"}),
        b"",
    ],
    ids=str,
)
def test_an_agent_that_breaks_the_rules_is_our_failure_and_no_outcome(data: bytes) -> None:
    with pytest.raises(SandboxError):
        run_program(chunk(data))


@over_sockets
@given(st.lists(st.tuples(st.integers(0, 3), st.binary(max_size=80)), max_size=6))
def test_random_bytes_never_become_an_outcome(sent: list[tuple[int, bytes]]) -> None:
    with pytest.raises(SandboxError):
        run_program(b"".join(chunk(text, kind) for kind, text in sent))


@pytest.mark.parametrize("channel", [Channel.STDOUT, Channel.STDERR, Channel.RESULT, Channel.META])
def test_a_flood_that_no_agent_lets_pass_is_ended(channel: Channel) -> None:
    data = chunk(encode(channel, [b"[%s]" % (b" " * 60_000)]))
    before = resident()
    with pytest.raises(SandboxError):
        run_program(data, times=2000)
    assert resident() - before < 50 * 2**20


def test_an_agent_that_says_nothing_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program_box, "GRACE_SECONDS", 0.2)
    far = FarBox()
    engine: Any = NoEngine()
    container: Any = far
    box = ProgramBox(engine, container, SandboxLimits())
    ran = box.run(Program("1"), order_of(Program("1")), 0.1, 7)
    assert ran.outcome is Outcome.TIMEOUT
    assert "7 s" in str(ran.error_message)
    assert not box.is_alive
    box.close()
    far.far.close()


def test_an_agent_that_reads_nothing_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program_box, "GRACE_SECONDS", 0.2)
    far = FarBox()
    engine: Any = NoEngine()
    container: Any = far
    box = ProgramBox(engine, container, SandboxLimits())
    program = Program("1", stdin="x" * (8 * 2**20))
    assert box.run(program, order_of(program), 0.1, 7).outcome is Outcome.TIMEOUT
    box.close()
    far.far.close()


# -- parsers -------------------------------------------------------------------------------------


def test_a_stream_keeps_no_more_than_one_frame() -> None:
    decoder = Decoder(max_frame=2**20)
    longest = encode(Channel.IOPUB, [bytes(2**20 - 6)])
    assert decoder.feed(longest[:-1]) == []
    assert len(decoder.feed(longest[-1:])) == 1
    with pytest.raises(ValueError, match="allowed"):
        decoder.feed(struct.pack(">I", 2**20 + 1))


def test_chunks_of_an_unknown_kind_are_no_output() -> None:
    stream = EngineStream()
    assert stream.feed(chunk(b"x", kind=7) + chunk(b"y")) == b"y"


@pytest.mark.parametrize("levels", [65, 900, 100_000])
def test_deep_json_is_refused_before_anything_recurses(levels: int) -> None:
    text = '{"data":' * levels + "{}" + "}" * levels
    with pytest.raises((ValueError, RecursionError)):
        checked_content("display_data", json.loads(text))


@pytest.fixture
def session() -> Session:
    return Session(key=b"the key of one kernel")


def test_only_messages_with_the_kernels_own_key_are_read(session: Session) -> None:
    forger = Session(key=b"the key of another kernel")
    message = forger.serialize(forger.msg("stream", {"name": "stdout", "text": "x"}))
    _, parts = session.feed_identities(message)
    with pytest.raises(ValueError, match="Signature"):
        session.deserialize(parts)


def test_a_message_is_read_once(session: Session) -> None:
    _, parts = session.feed_identities(session.serialize(session.msg("status", {})))
    session.deserialize(parts)
    with pytest.raises(ValueError, match="Duplicate"):
        session.deserialize(parts)


# -- folders that the server reads ---------------------------------------------------------------


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    (folder / "kept").write_text("secret")
    return folder


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "t"
    root.mkdir()
    monkeypatch.setattr(owner, "_roots", lambda: iter([root]))
    monkeypatch.setattr(owner, "_LONGEST_FOLDER", 4096)
    return root


def ended_owner() -> str:
    """Return how a folder's name begins whose owner is gone."""
    return f"jppo-{owner.pid_namespace()}-{2**22 + 7}-1-"


def test_links_in_a_left_over_folder_are_removed_and_not_followed(
    temporary: Path, elsewhere: Path
) -> None:
    left = temporary / f"{ended_owner()}abc"
    left.mkdir()
    (left / "link").symlink_to(elsewhere)
    (left / "connection.json").symlink_to(elsewhere / "kept")
    assert owner.remove_orphaned_folders() == [left]
    assert (elsewhere / "kept").read_text() == "secret"


def test_a_link_with_a_left_over_folders_name_is_left_alone(
    temporary: Path, elsewhere: Path
) -> None:
    (temporary / f"{ended_owner()}abc").symlink_to(elsewhere)
    assert owner.remove_orphaned_folders() == []
    assert (elsewhere / "kept").read_text() == "secret"


def test_a_new_folder_takes_no_name_that_is_there_and_only_we_enter_it(temporary: Path) -> None:
    first, second = PrivateFolder(), PrivateFolder()
    assert first.path != second.path
    assert first.path.stat().st_mode & 0o777 == 0o700
    (first.path / "link").symlink_to(second.path)
    first.remove()
    assert second.path.is_dir()
    second.remove()


def test_a_stored_file_that_is_a_link_gives_nothing_away(tmp_path: Path, elsewhere: Path) -> None:
    blobs = FileBlobs(tmp_path / "blobs")
    digest = blobs.put(b"a notebook")
    path = tmp_path / "blobs" / digest[:2] / digest[2:]
    path.unlink()
    path.symlink_to(elsewhere / "kept")
    with pytest.raises(DamagedFileError):
        blobs.get(digest)
    assert blobs.put(b"a notebook") == digest
    assert not path.is_symlink()
    assert (elsewhere / "kept").read_text() == "secret"
