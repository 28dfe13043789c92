"""The byte stream to the server, as process 1 has it: standard input and output, never blocking."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import time
from collections import deque
from collections.abc import Sequence
from typing import Any, Final

from jupyter_ppo.sandbox.frames import Channel, Decoder, Frame, encode

#: Bytes waiting for the server above which nothing more is read from the student's processes.
QUEUE_BYTES: Final = 4 * 2**20
_READ: Final = 2**20
#: What the engine can hand over in one go, in bytes; a pipe holds 64 KiB by itself.
_PIPE: Final = 2**20
#: How long the last words may wait for a server that reads, in seconds.
_FLUSH_SECONDS: Final = 10.0


class Pipe:
    """Frames to and from the server. When the server is gone, this process ends, and all with it.

    ``inbox`` holds the frames that came; ``waiting`` counts the bytes that were not taken yet.
    """

    def __init__(self) -> None:
        for descriptor in (0, 1):
            os.set_blocking(descriptor, False)
            with contextlib.suppress(OSError):  # no pipe, or the system allows no more
                fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, _PIPE)
        self.inbox: deque[Frame] = deque()
        self.waiting = 0
        self._decoder = Decoder()
        self._outbox: deque[memoryview] = deque()

    @property
    def is_full(self) -> bool:
        """Whether the server has to read before more is taken from the student's processes."""
        return self.waiting >= QUEUE_BYTES

    def tell(self, **event: Any) -> None:
        """Send an event on META, as JSON."""
        self.send(Channel.META, [json.dumps(event).encode()])
        self.write()

    def send(self, channel: Channel, parts: Sequence[bytes]) -> None:
        """Queue one frame; raise ``ValueError`` when it is too long for the server."""
        data = encode(channel, parts)
        self._outbox.append(memoryview(data))
        self.waiting += len(data)

    def write(self) -> None:
        """Write what the server takes now."""
        try:
            while self._outbox:
                written = os.write(1, self._outbox[0])
                self.waiting -= written
                rest = self._outbox[0][written:]
                if rest:
                    self._outbox[0] = rest
                else:
                    self._outbox.popleft()
        except BlockingIOError:
            return
        except OSError:
            os._exit(0)  # nobody is there to read

    def read(self) -> None:
        """Read what has come into ``inbox``."""
        try:
            data = os.read(0, _READ)
        except BlockingIOError:
            return
        if not data:
            os._exit(0)  # the server is gone, however it went
        self.inbox.extend(self._decoder.feed(data))

    def forget(self) -> None:
        """Let go of what was read; another process has it now."""
        self.inbox.clear()
        self._decoder = Decoder()

    def leave(self, cause: str, code: int, detail: str = "") -> None:
        """Send the last word and end, which ends every process of the container."""
        self.tell(event="exit", cause=cause, code=code, detail=detail)
        end = time.monotonic() + _FLUSH_SECONDS
        while self._outbox and time.monotonic() < end:
            time.sleep(0.005)
            self.write()
        os._exit(0)
