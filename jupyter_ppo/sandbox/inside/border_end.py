"""Passes the messages of the border on between the server and the student's kernel, unread.

The two processes have a socket pair. Nothing here blocks: what the kernel does not take waits, and
what the server does not take is left with the kernel, which is slowed down by that.
"""

from __future__ import annotations

import contextlib
import os
import socket
from collections import deque
from typing import Any, Final

from jupyter_ppo.sandbox.frames import Channel, Decoder, Frame, encode
from jupyter_ppo.sandbox.inside.pipe import Pipe

#: Where the kernel has its end: out of the way of the files that the student opens.
DESCRIPTOR: Final = 250
_BUFFER: Final = 2**20
_READ: Final = 2**18
_PARTS: Final = 2


class BorderEnd:
    """Process 1's end; ``theirs`` is the kernel's, until it is forked.

    When the kernel has closed its end, or says there what is no message of the border, the server
    gets one message without parts.
    """

    def __init__(self, pipe: Pipe) -> None:
        self._pipe = pipe
        self._decoder = Decoder()
        self._outgoing: deque[memoryview] = deque()
        ours, theirs = socket.socketpair()
        for end in (ours, theirs):
            for option in (socket.SO_SNDBUF, socket.SO_RCVBUF):
                end.setsockopt(socket.SOL_SOCKET, option, _BUFFER)
        ours.setblocking(False)
        self._socket: socket.socket | None = ours
        self._theirs = theirs

    def keep_kernels_end(self) -> int:
        """In the kernel's process: keep its end alone and return the descriptor."""
        assert self._socket is not None  # noqa: S101 - nothing has been read yet
        self._socket.close()
        own = self._theirs.detach()
        try:
            os.dup2(own, DESCRIPTOR, inheritable=False)
        except OSError:  # fewer files are allowed
            return own
        os.close(own)
        return DESCRIPTOR

    def keep_own_end(self) -> None:
        """In process 1, after the fork: let go of the kernel's end."""
        self._theirs.close()

    def register(self, poller: Any) -> None:
        """Have a ZeroMQ poller wait for what can be done now."""
        import zmq

        if self._socket is None:
            return
        flags = 0 if self._pipe.is_full else zmq.POLLIN
        flags |= zmq.POLLOUT if self._outgoing else 0
        if flags:
            poller.register(self._socket.fileno(), flags)

    def post(self, frame: Frame) -> None:
        """Pass a message on to the kernel."""
        if self._socket is not None:
            self._outgoing.append(memoryview(encode(frame.channel, frame.parts)))
            self.write()

    def write(self) -> None:
        """Write what the kernel takes now."""
        try:
            while self._outgoing and self._socket is not None:
                sent = self._socket.send(self._outgoing[0])
                rest = self._outgoing.popleft()[sent:]
                if rest:
                    self._outgoing.appendleft(rest)
        except BlockingIOError:
            return
        except OSError:
            self._close()

    def read(self) -> None:
        """Pass on to the server what the kernel says, up to the bound."""
        while self._socket is not None and not self._pipe.is_full:
            try:
                data = self._socket.recv(_READ)
                frames = self._decoder.feed(data)
            except BlockingIOError:
                return
            except (OSError, ValueError):
                data, frames = b"", []
            for frame in frames:
                if frame.channel is not Channel.BORDER or len(frame.parts) != _PARTS:
                    data = b""
                    break
                self._pipe.send(Channel.BORDER, frame.parts)
            if not data:
                self._close()

    def _close(self) -> None:
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.close()
            self._socket = None
            self._outgoing.clear()
            self._pipe.send(Channel.BORDER, ())
