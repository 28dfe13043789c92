"""The examiner of one submission: born from process 1 of the examiners' container, watched by it.

Its process has one end of a socket pair. Process 1 passes the frames of BORDER and CHECK on between
that and the server, reads none of them, and never blocks. Afterwards every process but process 1 is
ended and every writable folder is emptied, so that the next submission finds nothing.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import resource
import select
import signal
import socket
import sys
import traceback
import types
from collections import deque
from typing import Final, NoReturn

from jupyter_ppo.sandbox.border import examiner
from jupyter_ppo.sandbox.frames import MAX_FRAME, Channel, Decoder, Frame, encode
from jupyter_ppo.sandbox.inside import emptying
from jupyter_ppo.sandbox.inside.child import Offspring, become_student, oom_kills
from jupyter_ppo.sandbox.inside.memory import MemoryMeter
from jupyter_ppo.sandbox.inside.pipe import Pipe

_CHANNELS: Final = (Channel.BORDER, Channel.CHECK)
_READ: Final = 256 * 1024
#: What may wait for the examiner besides one frame of the longest kind, in bytes. Honest answers
#: come one at a time, so only a flood is more, and of that the rest is dropped.
_WAITING_BYTES: Final = MAX_FRAME + 8 * 2**20
#: How often the memory is looked at, in seconds; where there is no pidfd also the end.
_TICK: Final = 0.2
#: Set while a notebook is graded, on either side; nbgrader sets it too, so that a cell can tell.
ENVIRONMENT: Final = {"NBGRADER_EXECUTION": "autograde"}
#: The examiner's socket is out of the way of those that an author's code opens.
_DESCRIPTOR: Final = 250
_FAILED: Final = 70
#: How much of a crashed examiner's standard error is sent.
_LAST_BYTES: Final = 2000


def run(pipe: Pipe) -> None:
    """Run one examiner until it ends or the server says ``end``, and say ``done``.

    The event ``done`` has ``ended``: ``ended`` (by the server), ``exited`` (by itself, with
    ``code`` as in subprocess), ``memory`` or ``failed`` (it has not begun); ``peak_kb``, the memory
    that was held at its highest, and ``detail``, the end of what it wrote to standard error.
    """
    emptying.empty()
    started = _Started(pipe)
    started.follow()
    started.finish()


class _Started:
    def __init__(self, pipe: Pipe) -> None:
        self._pipe = pipe
        self._ended: str | None = None
        self._decoder = Decoder()
        self._outgoing: deque[memoryview] = deque()
        self._waiting = 0
        self._is_silent = False
        self._oom_before = oom_kills()
        self._memory = MemoryMeter()
        self._errors = os.memfd_create("stderr")
        self._socket, theirs = socket.socketpair()
        pid = os.fork()
        if pid == 0:
            _become_examiner(theirs, self._errors)
        theirs.close()
        self._socket.setblocking(False)
        self._family = Offspring(pid)
        self._pidfd = -1
        with contextlib.suppress(OSError, AttributeError):
            self._pidfd = os.pidfd_open(pid)  # readable when the examiner ends

    def follow(self) -> None:
        """Pass frames on until the examiner has ended or is to end."""
        pipe, own = self._pipe, self._socket.fileno()
        self._take_orders()  # some came with the one that this is
        while self._family.status is None and self._ended is None:
            poller = select.poll()
            poller.register(0, select.POLLIN)
            if pipe.waiting:
                poller.register(1, select.POLLOUT)
            if not self._is_silent:
                reads = 0 if pipe.is_full else select.POLLIN
                writes = select.POLLOUT if self._outgoing else 0
                if reads | writes:
                    poller.register(own, reads | writes)
            if self._pidfd >= 0:
                poller.register(self._pidfd, select.POLLIN)
            ready = {number for number, _ in poller.poll(_TICK * 1000)}
            if 0 in ready:
                pipe.read()
                self._take_orders()
            if own in ready:
                self._write()
                self._read()
            pipe.write()
            if not ready or self._pidfd in ready or self._is_silent:
                self._memory.look()
                self._family.reap()

    def finish(self) -> None:
        """End every process, send on what the examiner still had to say, and say ``done``."""
        self._memory.look()
        is_clean = self._family.kill_all(self._pipe.write)
        if self._ended is None:
            while self._read():
                pass
        self._socket.close()
        code = -signal.SIGKILL if self._family.status is None else self._family.status
        if self._ended is None:
            is_killed = code == -signal.SIGKILL and oom_kills() > self._oom_before
            is_failed = code == _FAILED
            self._ended = "memory" if is_killed else "failed" if is_failed else "exited"
        start = max(0, os.fstat(self._errors).st_size - _LAST_BYTES)
        detail = os.pread(self._errors, _LAST_BYTES, start).decode("utf-8", "replace")
        for number in (self._errors, self._pidfd):
            if number >= 0:
                os.close(number)
        is_clean &= emptying.empty()
        self._pipe.tell(
            event="done",
            ended=self._ended,
            code=code,
            peak_kb=max(self._family.peak_kb, self._memory.finish() // 1024),
            detail=detail if self._ended != "ended" else "",
        )
        if not is_clean:  # the next submission must not meet it; with process 1 it goes too
            self._pipe.leave("exited", code)

    def _take_orders(self) -> None:
        while self._pipe.inbox and self._ended is None:
            frame = self._pipe.inbox.popleft()
            if frame.channel is Channel.META:
                if json.loads(frame.parts[0])["do"] == "end":
                    self._ended = "ended"
            elif frame.channel is Channel.CHECK or (
                frame.channel is Channel.BORDER and self._waiting + frame.size <= _WAITING_BYTES
            ):
                self._post(frame)
        self._write()

    def _post(self, frame: Frame) -> None:
        data = encode(frame.channel, frame.parts)
        self._outgoing.append(memoryview(data))
        self._waiting += len(data)

    def _write(self) -> None:
        try:
            while self._outgoing:
                sent = self._socket.send(self._outgoing[0])
                self._waiting -= sent
                rest = self._outgoing.popleft()[sent:]
                if rest:
                    self._outgoing.appendleft(rest)
        except BlockingIOError:
            return
        except OSError:  # its end is closed: what it is told now, nobody hears
            self._outgoing.clear()
            self._waiting = 0

    def _read(self) -> bool:
        """Send on what the examiner says; False when that is nothing."""
        if self._is_silent or self._pipe.is_full:
            return False
        try:
            data = self._socket.recv(_READ)
            frames = self._decoder.feed(data)
        except BlockingIOError:
            return False
        except (OSError, ValueError):  # it is not the examiner who speaks there
            data, frames = b"", []
        if not data:
            self._is_silent = True
            return False
        for frame in frames:
            if frame.channel in _CHANNELS:
                self._pipe.send(frame.channel, frame.parts)
        return True


def _become_examiner(own: socket.socket, errors: int) -> NoReturn:
    """Turn this fork into the examiner."""
    try:
        nothing = os.open(os.devnull, os.O_RDWR)
        become_student((nothing, nothing, os.dup(errors)))
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        number = min(_DESCRIPTOR, limit - 1)
        kept = fcntl.fcntl(own.fileno(), fcntl.F_DUPFD_CLOEXEC, number)
        own.detach()
        os.closerange(3, kept)
        os.closerange(kept + 1, limit)
        os.environ |= ENVIRONMENT
        os.environ["MPLBACKEND"] = "Agg"  # there is no notebook to draw in
        sys.argv = [""]
        sys.modules["__main__"] = types.ModuleType("__main__")
        if "numpy.random" in sys.modules:
            sys.modules["numpy.random"].seed()  # else every submission met the same numbers
        examiner.main(socket.socket(fileno=kept))
    except BaseException:
        with contextlib.suppress(BaseException):
            os.write(2, traceback.format_exc().encode("utf-8", "replace"))
    finally:
        os._exit(_FAILED)
