"""The examiner's way to a kernel: messages of the border, passed on without being read."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Final

from jupyter_ppo.sandbox.frames import MAX_FRAME, Channel, Frame

#: What a kernel may say that it was not asked for, in bytes: to an examiner, with whom it may wait,
#: and when there is none, to nobody.
_UNASKED: Final = MAX_FRAME
_UNHEARD: Final = 16 * 2**20
#: Added to each message, so that many small ones count too.
_OVERHEAD: Final = 1024
_PARTS: Final = 2


class BorderLink:
    """Messages between a kernel and one examiner at a time; made and moved by a relay.

    A kernel says one thing for each that it is told, so whatever is more is nobody's answer: with
    too much of that the run ends. When nobody is connected, what the kernel says is dropped.
    """

    def __init__(
        self,
        command: Callable[[Callable[[], None]], None],
        send: Callable[[Channel, Sequence[bytes]], None],
    ) -> None:
        self._command = command
        self._send = send
        self._on_message: Callable[[tuple[bytes, ...]], None] | None = None
        self._asked = self._unasked = 0
        self._is_over = False
        self._lock = threading.Lock()

    # -- for any thread --------------------------------------------------------------------------

    def send(self, parts: Sequence[bytes]) -> None:
        """Tell the kernel something; nothing happens when it has ended."""

        def send() -> None:
            if not self._is_over:
                self._asked += 1
                self._send(Channel.BORDER, parts)

        self._command(send)

    def connect(self, on_message: Callable[[tuple[bytes, ...]], None]) -> None:
        """Have each message of the kernel given to ``on_message``, in the relay's thread.

        It must not block. An empty message says that there will be no other: the kernel has ended,
        or it has closed its end of the border; it may come at once, in the caller's thread.
        """
        with self._lock:
            if not self._is_over:
                self._on_message, self._unasked = on_message, 0
                return
        on_message(())

    def disconnect(self) -> None:
        """Give what the kernel says to nobody any more; one call may still be under way."""
        with self._lock:
            self._on_message, self._unasked = None, 0

    # -- for the relay's thread ------------------------------------------------------------------

    def take(self, frame: Frame) -> None:
        """Pass on what the kernel said; raise ``ValueError`` when it says too much."""
        if not frame.parts:
            self.end()
            return
        if len(frame.parts) != _PARTS:
            msg = "a message of the border that has not two parts"
            raise ValueError(msg)
        with self._lock:
            if self._asked:
                self._asked -= 1
            else:
                self._unasked += frame.size + _OVERHEAD
            if self._unasked > (_UNHEARD if self._on_message is None else _UNASKED):
                msg = f"{self._unasked} bytes of answers to nobody's questions"
                raise ValueError(msg)
            on_message = self._on_message
        if on_message is not None:
            on_message(frame.parts)

    def end(self) -> None:
        """Say that the kernel will say nothing more; more than once does no harm."""
        with self._lock:
            if self._is_over:
                return
            self._is_over = True
            on_message = self._on_message
        if on_message is not None:
            on_message(())
