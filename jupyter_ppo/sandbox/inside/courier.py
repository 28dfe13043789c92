"""Brings out what a worker writes into its run's folder, in the order that can be resumed from.

The folder belongs to the student's user, whose code may put anything there at any time: links,
pipes, files of any size that change while they are read. Names are looked up below descriptors that
were opened before that code ran, no link is followed, only regular files are read, and no call can
block. What is found is sent unread; the server judges it.

On the channel RUN the server gets, each with the kind as its first part:

- ``lines``, name, bytes: what a file of lines has grown by, cut anywhere;
- ``file``, name, size, then ``part``, bytes until it is whole, or ``drop`` when it became shorter;
- ``state``, bytes: a new state.json.
"""

from __future__ import annotations

import itertools
import os
import re
import stat
from collections.abc import Callable, Iterator, Sequence
from typing import Final

LINES: Final = ("events.jsonl", "evaluations.jsonl", "minibatches.jsonl", "metrics.jsonl")
STATE: Final = "state.json"
CHECKPOINTS: Final = "checkpoints"

_CHECKPOINT: Final = re.compile(r"[0-9]{12}\.ckpt")
_READ: Final = 256 * 1024
_STATE_BYTES: Final = 64 * 1024
#: The most entries of a folder that are looked at; a worker keeps a few.
_MOST_ENTRIES: Final = 1000
_OPEN: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC

_Key = tuple[int, int, int]


class Courier:
    """Looks at a folder in rounds. ``send`` takes the parts of one message.

    ``folder`` is an open descriptor of it, ``file_bytes`` the longest file that is brought,
    ``at_end`` the names of those that are brought only when no process is left. What is there now
    is known to the server.
    """

    def __init__(
        self,
        folder: int,
        send: Callable[[Sequence[bytes]], None],
        *,
        file_bytes: int,
        at_end: Sequence[str],
    ) -> None:
        self._folder = folder
        self._send = send
        self._file_bytes = file_bytes
        self._at_end = tuple(at_end)
        self._offsets = {name: self._size(name) for name in LINES}
        self._state: _Key | None = None
        self._new_state()
        self._known = self._checkpoints()

    def round(self, *, is_last: bool = False) -> Iterator[None]:
        """Send what is new, in pieces: one after each step, so that the caller can wait between.

        A checkpoint comes after the lines that were there when it was, and the state after all of
        what it speaks of: whatever part of this arrives can be gone on from.
        """
        state = self._new_state()
        new = self._new_checkpoint()
        for name in LINES:
            yield from self._grown(name)
        if new is not None:
            yield from self._file(f"{CHECKPOINTS}/{new}")
        for name in self._at_end if is_last else ():
            yield from self._file(name)
        if state is not None:
            self._send([b"state", state])
            yield

    def _grown(self, name: str) -> Iterator[None]:
        """Send a file from where it was read last up to its size now."""
        number = self._opened(name)
        if number is None:
            return
        try:
            end = os.fstat(number).st_size
            while (at := self._offsets[name]) < end:
                data = os.pread(number, min(_READ, end - at), at)
                if not data:
                    return
                self._offsets[name] = at + len(data)
                self._send([b"lines", name.encode(), data])
                yield
        except OSError:
            return
        finally:
            os.close(number)

    def _file(self, name: str) -> Iterator[None]:
        number = self._opened(name)
        if number is None:
            return
        try:
            left = os.fstat(number).st_size
            if not 0 < left <= self._file_bytes:
                return
            self._send([b"file", name.encode(), b"%d" % left])
            while left:
                try:
                    data = os.read(number, min(_READ, left))
                except OSError:
                    data = b""
                if not data:
                    self._send([b"drop"])
                    return
                left -= len(data)
                self._send([b"part", data])
                yield
        finally:
            os.close(number)

    def _size(self, name: str) -> int:
        number = self._opened(name)
        if number is None:
            return 0
        try:
            return os.fstat(number).st_size
        finally:
            os.close(number)

    def _new_state(self) -> bytes | None:
        number = self._opened(STATE)
        if number is None:
            return None
        try:
            key = _key(os.fstat(number))
            if key == self._state:
                return None
            self._state = key
            data = os.read(number, _STATE_BYTES + 1)
        except OSError:
            return None
        finally:
            os.close(number)
        return data if 0 < len(data) <= _STATE_BYTES else None

    def _new_checkpoint(self) -> str | None:
        """Return the newest checkpoint that was not sent; older ones are of no more use."""
        found = self._checkpoints()
        new = [name for name, key in found.items() if self._known.get(name) != key]
        self._known = found
        return max(new, key=lambda name: (found[name][2], name), default=None)

    def _checkpoints(self) -> dict[str, _Key]:
        found: dict[str, _Key] = {}
        try:
            number = os.open(CHECKPOINTS, _OPEN | os.O_DIRECTORY, dir_fd=self._folder)
        except OSError:
            return found
        try:
            with os.scandir(number) as entries:
                for entry in itertools.islice(entries, _MOST_ENTRIES):
                    if _CHECKPOINT.fullmatch(entry.name):
                        status = entry.stat(follow_symlinks=False)
                        if stat.S_ISREG(status.st_mode):
                            found[entry.name] = _key(status)
        except OSError:
            return found
        finally:
            os.close(number)
        return found

    def _opened(self, name: str) -> int | None:
        """Open a regular file below the folder; None when it is none."""
        folder, number = self._folder, -1
        *above, last = name.split("/")
        try:
            if above:
                folder = os.open(above[0], _OPEN | os.O_DIRECTORY, dir_fd=self._folder)
            number = os.open(last, _OPEN, dir_fd=folder)
            if stat.S_ISREG(os.fstat(number).st_mode):
                return number
        except OSError:
            pass
        finally:
            if folder != self._folder:
                os.close(folder)
        if number >= 0:
            os.close(number)
        return None


def _key(status: os.stat_result) -> _Key:
    return status.st_ino, status.st_size, status.st_mtime_ns
