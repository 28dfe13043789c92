"""The examiner's connection: words with the server, messages with the student's kernel."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from typing import Any

from jupyter_ppo.sandbox.border.link import Link
from jupyter_ppo.sandbox.border.wire import WireError, dumps, loads
from jupyter_ppo.sandbox.frames import Channel, Frame

#: Seconds for the word that the kernel was interrupted, and for its answer after that.
_WORD, _ANSWER = 8.0, 5.0


class Peer:
    """One link for both. ``is_gone``: the student's kernel has ended, or does not stop any more."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self.is_gone = False

    def send(self, header: bytes, blob: bytes) -> None:
        """Send a message to the student's kernel."""
        self._put(Channel.BORDER, (header, blob))

    def tell(self, message: Mapping[str, Any]) -> None:
        """Say something to the server."""
        self._put(Channel.CHECK, (json.dumps(message).encode(),))

    def _put(self, channel: Channel, parts: tuple[bytes, ...]) -> None:
        try:
            self._link.send(channel, parts)
        except (EOFError, OSError):
            os._exit(0)  # process 1 is gone, and nobody waits for us

    def next(self, deadline: float | None) -> Frame | None:
        """Return the next message of the kernel; None when the time is up or the kernel is gone.

        The time is up at the deadline even if messages never stop. What the server says in between
        is about the kernel: that it was interrupted, for which nobody waits here, or has ended.
        """
        while not self.is_gone and (deadline is None or time.monotonic() < deadline):
            frame = self._receive(deadline)
            if frame is None or frame.channel is Channel.BORDER:
                return frame
            self._hear(frame)
        return None

    def order(self) -> dict[str, Any]:
        """Wait for the server's next order; late answers of the kernel are dropped."""
        while True:
            frame = self._receive(None)
            if frame is not None and frame.channel is Channel.CHECK:
                said = self._hear(frame)
                if said["do"] not in {"gone", "interrupted"}:
                    return said

    def settle(self, number: int, patience: float, until: float) -> bool:
        """Wait until the kernel is done with a request, and interrupt it if need be.

        ``patience`` is how long it may take by itself, in seconds. False, and ``is_gone``, when it
        does not come back before ``until``.
        """
        end, is_asked = time.monotonic() + patience, False
        while not self.is_gone:
            frame = self._receive(min(end, until)) if time.monotonic() < min(end, until) else None
            if frame is None:
                if is_asked:
                    self.is_gone = True
                    break
                self.tell({"ask": "interrupt"})
                end, is_asked = time.monotonic() + _WORD, True
            elif frame.channel is Channel.CHECK:
                if self._hear(frame)["do"] == "interrupted":
                    end = time.monotonic() + _ANSWER
            elif self._is_answer(frame, number):
                return True
        return False

    def _is_answer(self, frame: Frame, number: int) -> bool:
        """Whether it is the awaited answer; a call that comes instead is refused."""
        try:
            message = loads(frame.parts[0])
        except (WireError, IndexError):
            return False
        if message.get("q") != number:
            return False
        if "cb" in message:
            self.send(dumps({"q": number, "x": TimeoutError.__name__}), b"")
            return False
        return True

    def _receive(self, deadline: float | None) -> Frame | None:
        try:
            return self._link.receive(deadline)
        except (EOFError, OSError):
            os._exit(0)

    def _hear(self, frame: Frame) -> dict[str, Any]:
        said: dict[str, Any] = json.loads(frame.parts[0])
        self.is_gone = self.is_gone or said["do"] == "gone"
        return said
