"""Messages over a connected socket, for the student's kernel and for the examiner alike."""

from __future__ import annotations

import select
import socket
from collections import deque
from collections.abc import Sequence
from time import monotonic
from typing import Final

from jupyter_ppo.sandbox.frames import Channel, Decoder, Frame, encode

_READ: Final = 2**20


class Link:
    """One end of a connection that carries frames; blocking, for one thread.

    ``busy`` is true while bytes are on the move: a signal handler that raises then would leave half
    a message behind, so it should wait. What is needed of the socket is bound at once, and stays
    when student code replaces the socket module's own.
    """

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(True)
        self.busy = False
        self._socket = sock
        self._receive = sock.recv
        self._send = sock.sendall
        self._poll = select.poll()
        self._poll.register(sock.fileno(), select.POLLIN)
        self._decoder = Decoder()
        self._frames: deque[Frame] = deque()

    def fileno(self) -> int:
        """Return the descriptor, for an event loop that waits for it."""
        return self._socket.fileno()

    def close(self) -> None:
        """Close the socket; more than once does no harm."""
        self._socket.close()

    def send(self, channel: Channel, parts: Sequence[bytes]) -> None:
        """Send one message and wait until it is on its way.

        Raises ``ValueError`` when it is too long for a frame and ``OSError`` when nobody is there.
        """
        data = encode(channel, parts)
        self.busy = True
        try:
            self._send(data)
        finally:
            self.busy = False

    def receive(self, deadline: float | None) -> Frame | None:
        """Return the next message, or None when there is none at ``deadline``.

        The deadline is a time of ``time.monotonic``; None waits as long as it takes. Raises
        ``EOFError`` at the end of the stream and ``ValueError`` when what comes is no frame.
        """
        while not self._frames:
            left = None if deadline is None else max(0.0, deadline - monotonic()) * 1000
            if not self._poll.poll(left):
                return None
            self.fill()
        return self._frames.popleft()

    def fill(self) -> None:
        """Read what is there, or wait for something. Raises as ``receive`` does."""
        self.busy = True
        try:
            data = self._receive(_READ)
            if not data:
                msg = "The other end of the link is closed."
                raise EOFError(msg)
            self._frames += self._decoder.feed(data)
        except OSError as error:
            msg = "The link is broken."
            raise EOFError(msg) from error
        finally:
            self.busy = False

    def waiting(self) -> Frame | None:
        """Return a message that has been read already, or None."""
        return self._frames.popleft() if self._frames else None
