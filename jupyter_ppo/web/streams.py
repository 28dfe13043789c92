"""Which streams are open: so many of a person, so many in all, and none once the server stops."""

from __future__ import annotations

from collections import Counter
from enum import IntEnum
from typing import Protocol

from jupyter_ppo.domain.errors import BusyError, TooManyRequestsError

#: A page that compares the seeds of one run has a stream for each.
STREAMS_PER_USER = 20
STREAMS_IN_ALL = 500
_WAIT_SECONDS = 5.0


class CloseCode(IntEnum):
    """Why a stream is closed: RFC 6455, section 7.4, and 4000 + an HTTP status of our own."""

    DONE = 1000
    STOPPING = 1001
    NO_MESSAGES = 1003
    MISTAKE = 1011
    TRY_LATER = 1013
    OURS = 4000


class Stream(Protocol):
    """An open stream."""

    def shut(self, code: int, reason: str) -> None:
        """Close it, whatever it is doing."""


class OpenStreams:
    """The streams of one server; used on its event loop only."""

    def __init__(self, *, per_user: int = STREAMS_PER_USER, in_all: int = STREAMS_IN_ALL) -> None:
        self.per_user = per_user
        self.in_all = in_all
        self._open: dict[Stream, str] = {}
        self._is_stopping = False

    def enter(self, stream: Stream, user: str) -> None:
        """Count a stream in.

        Raises ``TooManyRequestsError`` when the person has enough of them, and ``BusyError`` when
        the server has, or stops.
        """
        if self._is_stopping:
            msg = "This server is stopping. Connect again."
            raise BusyError(msg, retry_after=_WAIT_SECONDS)
        if Counter(self._open.values())[user] >= self.per_user:
            msg = f"You have {self.per_user} streams open, as many as one person may. Close some."
            raise TooManyRequestsError(msg, retry_after=_WAIT_SECONDS)
        if len(self._open) >= self.in_all:
            msg = "This server has as many streams open as it can. Try again later."
            raise BusyError(msg, retry_after=_WAIT_SECONDS)
        self._open[stream] = user

    def leave(self, stream: Stream) -> None:
        """Count a stream out; more than once does no harm."""
        self._open.pop(stream, None)

    @property
    def all(self) -> tuple[Stream, ...]:
        """Those that are open."""
        return tuple(self._open)

    @property
    def is_stopping(self) -> bool:
        """Whether the server stops."""
        return self._is_stopping

    def close(self) -> None:
        """Close every stream and let no other begin: the server stops."""
        self._is_stopping = True
        for stream in self.all:
            stream.shut(CloseCode.STOPPING, "The server is stopping. Connect again later.")
        self._open.clear()
