"""Messages over a socket: whole, in order, in time, and whatever a signal does meanwhile."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from jupyter_ppo.sandbox.border.link import Link
from jupyter_ppo.sandbox.frames import Channel

Pair = tuple[Link, Link]


@pytest.fixture
def pair() -> Iterator[Pair]:
    one, other = map(Link, socket.socketpair())
    yield one, other
    one.close()
    other.close()


def test_messages_arrive_whole_and_in_order(pair: Pair) -> None:
    one, other = pair
    messages = [(b"a", b""), (b"b", os.urandom(3 * 2**20)), (b"c", b"d")]
    sender = threading.Thread(
        target=lambda: [one.send(Channel.BORDER, message) for message in messages]
    )
    sender.start()
    found = [other.receive(time.monotonic() + 60) for _ in messages]
    sender.join()
    assert [frame.parts for frame in found if frame is not None] == messages
    assert other.waiting() is None


def test_nothing_comes_before_the_deadline_is_none(pair: Pair) -> None:
    begin = time.monotonic()
    assert pair[0].receive(begin + 0.05) is None
    assert time.monotonic() - begin >= 0.05
    assert pair[0].receive(begin) is None


def test_a_message_that_is_there_is_given_also_after_the_deadline(pair: Pair) -> None:
    pair[0].send(Channel.CHECK, (b"x",))
    frame = pair[1].receive(time.monotonic() - 1)
    assert frame is not None
    assert frame.channel is Channel.CHECK


def test_half_a_message_waits_for_its_other_half(pair: Pair) -> None:
    one, other = socket.socketpair()
    link = Link(other)
    one.sendall(b"\0\0\0\x07\x09")
    assert link.receive(time.monotonic() + 0.05) is None
    one.sendall(b"\x01\0\0\0\x01z")
    frame = link.receive(time.monotonic() + 60)
    assert frame is not None
    assert frame.parts == (b"z",)
    one.close()
    link.close()


def test_the_end_of_the_stream_is_an_eof_error(pair: Pair) -> None:
    pair[0].close()
    with pytest.raises(EOFError):
        pair[1].receive(None)
    with pytest.raises(OSError, match="pipe"):
        pair[1].send(Channel.CHECK, (b"x",))


def test_what_is_no_frame_is_a_value_error() -> None:
    one, other = socket.socketpair()
    link = Link(other)
    one.sendall(b"\xff" * 9)
    with pytest.raises(ValueError, match="frame"):
        link.receive(None)
    one.close()
    link.close()


def test_a_signal_that_comes_while_bytes_move_is_told_so_and_no_message_is_lost(pair: Pair) -> None:
    may_raise = False
    seen = {True: 0, False: 0}

    def interrupted(*_: object) -> None:
        nonlocal may_raise
        seen[pair[1].busy] += 1
        if may_raise and not pair[1].busy:
            may_raise = False
            raise KeyboardInterrupt

    def send_all() -> None:
        for number in range(300):
            pair[0].send(Channel.CHECK, (b"%d" % number, bytes(9999)))

    before = signal.signal(signal.SIGALRM, interrupted)
    sender = threading.Thread(target=send_all)
    sender.start()
    signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
    found: list[bytes] = []
    try:
        while len(found) < 300:
            try:
                may_raise = True
                pair[1].fill()
                may_raise = False
            except KeyboardInterrupt:
                pass
            while (frame := pair[1].waiting()) is not None:
                found.append(frame.parts[0])
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        sender.join()
    assert found == [b"%d" % number for number in range(300)]
    assert sum(seen.values()) > 0
