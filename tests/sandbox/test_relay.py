"""The relay with a real stream and real sockets; the test plays the container and the client."""

from __future__ import annotations

import contextlib
import json
import queue
import signal
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import zmq
from jupyter_client.session import Session

from jupyter_ppo.domain.errors import SandboxError
from jupyter_ppo.sandbox.container_kernel import PrivateFolder
from jupyter_ppo.sandbox.frames import Channel, Decoder, Frame, encode
from jupyter_ppo.sandbox.relay import END_MARK, Bounds, Cause, KernelEnd, Relay

SECONDS = 120


class Container:
    """The far end of a relay's stream."""

    def __init__(self, stream: socket.socket) -> None:
        self.stream = stream
        self._decoder = Decoder()
        self._frames: list[Frame] = []

    def send_raw(self, data: bytes) -> None:
        self.stream.sendall(struct.pack(">BxxxI", 1, len(data)) + data)

    def send(self, channel: Channel, *parts: bytes) -> None:
        self.send_raw(encode(channel, parts))

    def tell(self, **event: Any) -> None:
        self.send(Channel.META, json.dumps(event).encode())

    def receive(self) -> Frame:
        while not self._frames:
            data = self.stream.recv(65536)
            assert data, "the relay closed the stream"
            self._frames += self._decoder.feed(data)
        return self._frames.pop(0)


Open = Callable[..., tuple[Relay, Container, PrivateFolder]]


@pytest.fixture
def open_relay(monkeypatch: pytest.MonkeyPatch) -> Iterator[Open]:
    relays: list[tuple[Relay, socket.socket, socket.socket, PrivateFolder]] = []

    def make(
        bounds: Bounds | None = None,
        *,
        ready: bool = True,
        folder: PrivateFolder | None = None,
        **more: Any,
    ) -> tuple[Relay, Container, PrivateFolder]:
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        theirs.settimeout(SECONDS)
        folder = folder or PrivateFolder()
        relay = Relay(ours, folder.endpoints(), {"key": "k"}, bounds or Bounds(), **more)
        relays.append((relay, ours, theirs, folder))
        relay.start()
        container = Container(theirs)
        if ready:
            container.tell(event="ready")
            container.receive()
        return relay, container, folder

    yield make
    for relay, ours, theirs, folder in relays:
        relay.close()
        ours.close()
        theirs.close()
        folder.remove()


@pytest.fixture
def connect() -> Iterator[Callable[[PrivateFolder, Channel], zmq.Socket[bytes]]]:
    context = zmq.Context()
    opened = []

    def to(folder: PrivateFolder, channel: Channel) -> zmq.Socket[bytes]:
        made = context.socket(zmq.SUB if channel is Channel.IOPUB else zmq.DEALER)
        made.linger = 0
        made.rcvtimeo = SECONDS * 1000
        if channel is Channel.IOPUB:
            made.subscribe(b"")
        made.connect(folder.endpoints()[channel])
        opened.append(made)
        return made

    yield to
    for made in opened:
        made.close(linger=0)
    context.term()


Connect = Callable[[PrivateFolder, Channel], "zmq.Socket[bytes]"]


def subscribed(container: Container, folder: PrivateFolder, connect: Connect) -> Any:
    """Return an iopub socket whose subscription has reached the relay."""
    iopub = connect(folder, Channel.IOPUB)
    iopub.rcvtimeo = 50
    while True:
        container.send(Channel.IOPUB, b"are you there")
        try:
            iopub.recv_multipart()
        except zmq.Again:
            continue
        break
    container.send(Channel.IOPUB, b"begin")
    iopub.rcvtimeo = SECONDS * 1000
    while iopub.recv_multipart() != [b"begin"]:
        pass
    return iopub


def test_a_ready_agent_gets_the_start_message(open_relay: Open) -> None:
    relay, container, _ = open_relay(Bounds(message_bytes=123), ready=False)
    container.tell(event="ready")
    frame = container.receive()
    assert frame.channel is Channel.META
    assert json.loads(frame.parts[0]) == {"do": "kernel", "key": "k", "max_message": 123}
    container.tell(event="forked")
    assert relay.started.result(SECONDS) is None


def test_requests_wait_until_the_agent_has_its_start_message(
    open_relay: Open, connect: Connect
) -> None:
    relay, container, folder = open_relay(ready=False)
    connect(folder, Channel.HB).send_multipart([b"", b"ping"])
    relay.signal(2)
    container.tell(event="ready")
    assert json.loads(container.receive().parts[0])["key"] == "k"
    assert container.receive().parts[2] == b"ping"


def test_requests_of_the_time_between_two_kernels_reach_the_restarted_one(
    open_relay: Open, connect: Connect
) -> None:
    relay, container, folder = open_relay()
    client = connect(folder, Channel.SHELL)
    events = client.get_monitor_socket(zmq.EVENT_DISCONNECTED)
    client.send_multipart([b"to the first"])
    assert container.receive().parts[1] == b"to the first"
    relay.close()
    is_disconnected = events.poll(SECONDS * 1000)
    client.disable_monitor()
    events.close()
    assert is_disconnected
    for number in range(10):
        client.send_multipart([b"to the second", b"%d" % number])
    _, second, _ = open_relay(ready=False, folder=folder)
    second.tell(event="ready")
    assert second.receive().channel is Channel.META
    for number in range(10):
        identity, *words = second.receive().parts
        assert words == [b"to the second", b"%d" % number]
        second.send(Channel.SHELL, identity, b"answer", words[1])
    answers = [client.recv_multipart() for _ in range(10)]
    assert answers == [[b"answer", b"%d" % number] for number in range(10)]


def test_requests_and_answers_find_their_client(open_relay: Open, connect: Connect) -> None:
    _, container, folder = open_relay()
    clients = [connect(folder, Channel.SHELL) for _ in range(2)]
    for number, client in enumerate(clients):
        client.send_multipart([b"request", str(number).encode()])
    for _ in clients:
        frame = container.receive()
        assert frame.channel is Channel.SHELL
        identity, word, number = frame.parts
        assert word == b"request"
        container.send(Channel.SHELL, identity, b"answer", number)
    for number, client in enumerate(clients):
        assert client.recv_multipart() == [b"answer", str(number).encode()]


def test_an_answer_for_a_client_that_left_harms_nobody(open_relay: Open, connect: Connect) -> None:
    _, container, folder = open_relay()
    container.send(Channel.SHELL, b"nobody", b"answer")
    connect(folder, Channel.SHELL).send_multipart([b"request"])
    assert container.receive().parts[1] == b"request"


def test_a_signal_reaches_the_agent(open_relay: Open) -> None:
    relay, container, _ = open_relay()
    relay.signal(2)
    assert json.loads(container.receive().parts[0]) == {"do": "signal", "number": 2}


def test_an_adopted_kernel_gets_new_bounds_and_is_counted_anew(
    open_relay: Open, eventually: Callable[[Callable[[], bool], str], None]
) -> None:
    relay, container, _ = open_relay(Bounds(total_bytes=10_000, messages=5))
    for _ in range(5):
        container.send(Channel.IOPUB, bytes(1000))
    eventually(lambda: relay._messages == 5, "the first messages were not counted")
    relay.adopt(Bounds(total_bytes=2500, messages=100, message_bytes=77), 12.5)
    order = json.loads(container.receive().parts[0])
    assert order == {"do": "adopt", "seconds": 12.5, "max_message": 77}
    container.send(Channel.IOPUB, bytes(1000))
    container.send(Channel.IOPUB, bytes(1000))
    assert not relay.ended.done()
    container.send(Channel.IOPUB, bytes(1000))
    end = relay.ended.result(SECONDS)
    assert end.cause is Cause.OUTPUT
    assert "2500 bytes" in end.detail


def test_nothing_is_lost_while_a_client_does_not_read(open_relay: Open, connect: Connect) -> None:
    _, container, folder = open_relay()
    iopub = subscribed(container, folder, connect)
    container.stream.setblocking(False)
    pending, sent = b"", 0
    # Send until everything between here and the client is full.
    for _ in range(200_000):
        if not pending:
            data = encode(Channel.IOPUB, [b"%d" % sent, bytes(2000)])
            pending, sent = struct.pack(">BxxxI", 1, len(data)) + data, sent + 1
        try:
            pending = pending[container.stream.send(pending) :]
        except BlockingIOError:
            break
    received = 0
    while received < sent - 1:
        assert iopub.recv_multipart()[0] == b"%d" % received
        received += 1
        if pending:
            try:
                pending = pending[container.stream.send(pending) :]
            except BlockingIOError:
                continue


def test_requests_pass_while_the_other_direction_is_full(
    open_relay: Open, connect: Connect
) -> None:
    _, container, folder = open_relay()
    container.stream.settimeout(SECONDS)
    subscribed(container, folder, connect)  # and never read again
    shell = connect(folder, Channel.SHELL)
    container.stream.setblocking(False)
    data = encode(Channel.IOPUB, [bytes(4000)])
    chunk = struct.pack(">BxxxI", 1, len(data)) + data
    pending = b""
    try:
        for _ in range(20_000):
            pending = pending or chunk
            pending = pending[container.stream.send(pending) :]
    except BlockingIOError:
        pass
    container.stream.settimeout(SECONDS)
    shell.send_multipart([bytes(2**20)])
    assert len(container.receive().parts[1]) == 2**20


def test_more_bytes_than_allowed_end_the_run(open_relay: Open) -> None:
    relay, container, _ = open_relay(Bounds(total_bytes=1000))
    container.send(Channel.IOPUB, bytes(1001))
    end = relay.ended.result(SECONDS)
    assert end.cause is Cause.OUTPUT
    assert "1000 bytes" in end.detail


def test_more_messages_than_allowed_end_the_run(open_relay: Open) -> None:
    relay, container, _ = open_relay(Bounds(messages=3))
    for _ in range(4):
        container.send(Channel.IOPUB, b"")
    end = relay.ended.result(SECONDS)
    assert end.cause is Cause.MESSAGES
    assert "3 messages" in end.detail


@pytest.mark.parametrize(
    "data",
    [
        b"\xff" * 8,
        encode(Channel.SHELL, [b"alone"]),
        encode(Channel.IOPUB, []),
        encode(Channel.BORDER, [b"alone"]),
        b"\0\0\0\2\x0b\0",
    ],
)
def test_what_no_agent_sends_ends_the_run(open_relay: Open, data: bytes) -> None:
    relay, container, _ = open_relay()
    container.send_raw(data)
    assert relay.ended.result(SECONDS).cause is Cause.PROTOCOL


def test_the_agents_report_is_the_end(open_relay: Open) -> None:
    relay, container, _ = open_relay()
    container.tell(event="exit", cause="memory", code=-9, detail="")
    assert relay.ended.result(SECONDS) == KernelEnd(Cause.MEMORY, -9)


def test_a_stream_that_just_ends_is_a_lost_container(open_relay: Open) -> None:
    relay, container, _ = open_relay()
    container.stream.close()
    assert relay.ended.result(SECONDS).cause is Cause.LOST


def test_a_container_that_ended_without_a_word_is_asked_about(open_relay: Open) -> None:
    relay, container, _ = open_relay(how_it_ended=lambda: KernelEnd(Cause.MEMORY, -9))
    container.stream.close()
    assert relay.ended.result(SECONDS) == KernelEnd(Cause.MEMORY, -9)


def test_nobody_is_asked_about_an_end_of_which_the_agent_has_spoken(open_relay: Open) -> None:
    relay, container, _ = open_relay(how_it_ended=lambda: KernelEnd(Cause.MEMORY, -9))
    container.tell(event="exit", cause="exited", code=3, detail="")
    container.stream.close()
    assert relay.ended.result(SECONDS) == KernelEnd(Cause.EXITED, 3)


def test_a_kernel_that_ends_before_it_started_is_our_failure(
    open_relay: Open, caplog: pytest.LogCaptureFixture
) -> None:
    relay, container, _ = open_relay()
    container.tell(event="exit", cause="exited", code=70, detail="no module named zmq")
    with pytest.raises(SandboxError, match="code 70") as caught:
        relay.started.result(SECONDS)
    assert "zmq" not in caught.value.message
    assert "no module named zmq" in caplog.text


def test_what_an_agent_writes_as_it_fails_is_logged_and_told_nobody(
    open_relay: Open, caplog: pytest.LogCaptureFixture
) -> None:
    relay, container, _ = open_relay()
    text = b"Traceback ... /secret"
    container.stream.sendall(struct.pack(">BxxxI", 2, len(text)) + text)
    container.stream.close()
    end = relay.ended.result(SECONDS)
    assert (end.cause, end.detail) == (Cause.LOST, "the stream ended")
    assert "/secret" in caplog.text


def test_the_end_mark_comes_after_the_last_message(open_relay: Open, connect: Connect) -> None:
    _, container, folder = open_relay(Bounds(mark_end=True))
    iopub = subscribed(container, folder, connect)
    for number in range(100):
        container.send(Channel.IOPUB, b"%d" % number)
    container.tell(event="exit", cause="exited", code=0, detail="")
    received = [iopub.recv_multipart()[0] for _ in range(101)]
    assert received == [b"%d" % number for number in range(100)] + [END_MARK]


Opened = tuple[Relay, Container, Any, dict[str, Any]]


@pytest.fixture
def open_cell(open_relay: Open, connect: Connect) -> Callable[..., Opened]:
    """Open a relay whose kernel has said that it runs a cell, with a client that has seen it."""

    def opened(**bounds: Any) -> Opened:
        relay, container, folder = open_relay(
            Bounds(**bounds), explain=lambda end: f"It ended: {end.cause}."
        )
        container.tell(event="forked")
        iopub = subscribed(container, folder, connect)
        request = Session().msg("execute_request")
        kernel = Session(key=b"k")
        parts = kernel.serialize(
            kernel.msg("execute_input", {"code": "1"}, parent=request), ident=b"topic"
        )
        container.send(Channel.IOPUB, *parts)
        assert iopub.recv_multipart() == parts
        return relay, container, iopub, request

    return opened


def test_a_person_reads_in_the_cell_why_the_kernel_ended(
    open_cell: Callable[..., Opened], caplog: pytest.LogCaptureFixture
) -> None:
    _, container, iopub, request = open_cell()
    container.tell(event="exit", cause="memory", code=-9, detail="a detail")
    reader = Session(key=b"k")
    _, rest = reader.feed_identities(iopub.recv_multipart())
    message = reader.deserialize(rest)
    assert message["content"] == {"name": "stderr", "text": "\nIt ended: memory.\n"}
    assert message["parent_header"]["msg_id"] == request["header"]["msg_id"]
    assert "A kernel has ended: memory, code -9, 'a detail'" in caplog.text


def test_a_client_that_knows_the_end_mark_gets_nothing_else(
    open_cell: Callable[..., Opened], caplog: pytest.LogCaptureFixture
) -> None:
    _, container, iopub, _ = open_cell(mark_end=True)
    container.tell(event="exit", cause="memory", code=-9, detail="")
    assert iopub.recv_multipart() == [END_MARK]
    assert caplog.text == ""


def shut_down(_: Relay, container: Container) -> None:
    container.tell(event="exit", cause="exited", code=0, detail="")


def told_to_end(relay: Relay, container: Container) -> None:
    relay.signal(signal.SIGTERM)
    container.receive()
    container.tell(event="exit", cause="exited", code=-15, detail="")


def stopped(relay: Relay, _: Container) -> None:
    relay.stop()


@pytest.mark.parametrize("end", [shut_down, told_to_end, stopped])
def test_an_end_that_was_asked_for_needs_no_words(
    open_cell: Callable[..., Opened],
    caplog: pytest.LogCaptureFixture,
    end: Callable[[Relay, Container], None],
) -> None:
    relay, container, iopub, _ = open_cell()
    end(relay, container)
    relay.ended.result(SECONDS)
    relay.join(SECONDS)  # what it publishes is on its way then
    assert iopub.poll(100) == 0
    assert caplog.text == ""


def test_a_kernel_that_goes_without_a_word_is_logged(
    open_relay: Open, caplog: pytest.LogCaptureFixture
) -> None:
    relay, container, _ = open_relay()
    container.tell(event="forked")
    container.tell(event="exit", cause="exited", code=0, detail="last words")
    relay.join(SECONDS)
    assert "A kernel has ended: exited, code 0, 'last words'" in caplog.text


def test_stopping_twice_and_closing_twice_does_no_harm(open_relay: Open) -> None:
    relay, _, _ = open_relay()
    relay.stop(KernelEnd(Cause.WALL, -9))
    relay.stop()
    relay.close()
    relay.close()
    relay.signal(2)
    assert relay.ended.result(0) == KernelEnd(Cause.WALL, -9)
    assert not relay.is_alive()


def test_sockets_that_cannot_be_bound_are_reported(tmp_path: Path) -> None:
    ours, theirs = socket.socketpair()
    endpoints = {channel: f"ipc://{tmp_path}/missing/k-{int(channel)}" for channel in Channel}
    with ours, theirs, pytest.raises(SandboxError, match="sockets"):
        Relay(ours, endpoints, {}, Bounds())


def test_the_border_carries_messages_both_ways_without_counting_them(open_relay: Open) -> None:
    relay, container, _ = open_relay(Bounds(messages=2, total_bytes=100))
    came: queue.Queue[tuple[bytes, ...]] = queue.Queue()
    relay.border.connect(came.put)
    for number in range(5):
        relay.border.send((b"%d" % number, bytes(1000)))
        frame = container.receive()
        assert (frame.channel, frame.parts[0]) == (Channel.BORDER, b"%d" % number)
        container.send(Channel.BORDER, b"answer", bytes(1000))
        assert came.get(timeout=SECONDS) == (b"answer", bytes(1000))
    assert not relay.ended.done()


def test_the_end_of_the_kernel_or_of_its_border_is_an_empty_message(open_relay: Open) -> None:
    for end_it in (
        lambda relay, container: container.send(Channel.BORDER),
        lambda relay, container: container.tell(event="exit", cause="exited", code=0, detail=""),
        lambda relay, container: relay.stop(),
    ):
        relay, container, _ = open_relay()
        came: queue.Queue[tuple[bytes, ...]] = queue.Queue()
        relay.border.connect(came.put)
        end_it(relay, container)
        assert came.get(timeout=SECONDS) == ()
        relay.stop()
        later: queue.Queue[tuple[bytes, ...]] = queue.Queue()
        relay.border.connect(later.put)
        assert later.get(timeout=SECONDS) == ()
        relay.border.send((b"nobody", b"hears"))
        assert came.empty()


def test_what_nobody_listens_to_is_dropped(open_relay: Open) -> None:
    relay, container, _ = open_relay()
    came: queue.Queue[tuple[bytes, ...]] = queue.Queue()
    container.send(Channel.BORDER, b"early", b"")
    relay.border.connect(came.put)
    relay.border.send((b"question", b""))
    container.receive()
    container.send(Channel.BORDER, b"answer", b"")
    assert came.get(timeout=SECONDS)[0] in (b"early", b"answer")
    relay.border.disconnect()
    relay.border.send((b"question", b""))
    container.receive()
    while not came.empty():
        came.get()
    container.send(Channel.BORDER, b"unheard", b"")
    relay.border.send((b"another", b""))
    assert container.receive().parts == (b"another", b"")
    assert came.empty()


def flood(container: Container, data: bytes, times: int) -> None:
    """Send in a thread: once the run has ended, nobody reads."""

    def send() -> None:
        with contextlib.suppress(OSError):
            for _ in range(times):
                container.send_raw(data)

    threading.Thread(target=send, daemon=True).start()


@pytest.mark.parametrize("is_connected", [True, False])
def test_a_flood_that_was_not_asked_for_ends_the_run(open_relay: Open, is_connected: bool) -> None:
    relay, container, _ = open_relay()
    if is_connected:
        relay.border.connect(lambda _: None)
    flood(container, encode(Channel.BORDER, [b"flood", bytes(2**20)]), 80 if is_connected else 20)
    end = relay.ended.result(SECONDS)
    assert end.cause is Cause.PROTOCOL
    assert "nobody's questions" in end.detail


def test_many_small_messages_that_were_not_asked_for_end_the_run_too(open_relay: Open) -> None:
    relay, container, _ = open_relay()
    flood(container, encode(Channel.BORDER, [b"", b""]) * 20_000, 1)
    assert relay.ended.result(SECONDS).cause is Cause.PROTOCOL
