"""One program of the student: born from process 1, watched by it, and reported by it.

The program writes to three pipes: its standard output, its standard error, and at its end a result
as JSON (``inside.running``). What process 1 sends on are those bytes as they come, and at the end
what it saw itself: how the program ended, how long it took and how much memory was held.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import time
import traceback
from typing import Any, Final, NoReturn

from jupyter_ppo.sandbox.frames import Channel
from jupyter_ppo.sandbox.inside import running
from jupyter_ppo.sandbox.inside.child import Offspring, become_student, oom_kills
from jupyter_ppo.sandbox.inside.memory import MemoryMeter
from jupyter_ppo.sandbox.inside.pipe import Pipe

_READ: Final = 64 * 1024
#: How often the memory is looked at and orphans are collected, in seconds.
_TICK: Final = 0.02
#: How often to look for the end where the kernel has no pidfd, in seconds.
_TICK_WITHOUT_PIDFD: Final = 0.01
_FAILED: Final = 70
_BEGUN: Final = b"begun"


def run(pipe: Pipe, order: dict[str, Any], program: bytes, stdin: bytes) -> None:
    """Run one program and say ``done``; no process of it is left then.

    ``order``: it is ended after ``seconds`` or with more than ``output_bytes`` of output; of its
    result no more than a byte over ``result_bytes`` is sent on. ``program`` is JSON for
    ``running.prepare``, which the program's own process reads.

    The event ``done`` has ``ended``: ``exited`` (with ``code`` as in subprocess), ``timeout``,
    ``output``, ``memory`` or ``failed`` (before the student's code, with ``detail``); ``seconds``
    and ``peak_kb``: the memory of all processes and files in memory together at its highest.
    """
    started = _Started(pipe, order, program, stdin)
    started.follow()
    started.finish()


class _Started:
    def __init__(self, pipe: Pipe, order: dict[str, Any], program: bytes, stdin: bytes) -> None:
        self._pipe = pipe
        self._order = order
        self._output = self._result = 0
        self._ended: str | None = None
        self._oom_before = oom_kills()
        self._memory = MemoryMeter()
        self._began = time.monotonic()
        ends = [os.pipe() for _ in range(4)]
        entry = os.memfd_create("stdin")
        with open(os.dup(entry), "wb") as file:
            file.write(stdin)
        os.lseek(entry, 0, os.SEEK_SET)
        pid = os.fork()
        if pid == 0:
            _become_program(program, entry, [writing for _, writing in ends])
        self._family = Offspring(pid)
        os.close(entry)
        for reading, writing in ends:
            os.close(writing)
            os.set_blocking(reading, False)
        channels = (Channel.STDOUT, Channel.STDERR, Channel.RESULT)
        self._sources = {reading: name for (reading, _), name in zip(ends, channels, strict=False)}
        self._birth = ends[3][0]
        self._pidfd = -1
        with contextlib.suppress(OSError, AttributeError):
            self._pidfd = os.pidfd_open(pid)  # readable when the program ends

    def follow(self) -> None:
        """Send on what comes, until the program has ended or is over a limit."""
        pipe = self._pipe
        deadline = self._began + self._order["seconds"]
        tick = _TICK if self._pidfd >= 0 else _TICK_WITHOUT_PIDFD
        while True:
            poller = select.poll()
            poller.register(0, select.POLLIN)
            if pipe.waiting:
                poller.register(1, select.POLLOUT)
            if not pipe.is_full:
                for source in self._sources:
                    poller.register(source, select.POLLIN)
            if self._pidfd >= 0:
                poller.register(self._pidfd, select.POLLIN)
            wait = min(tick, max(0.0, deadline - time.monotonic()))
            ready = {number for number, _ in poller.poll(wait * 1000)}
            if 0 in ready:
                pipe.read()
            for source in ready & self._sources.keys():
                self._take(source)
            pipe.write()
            self._memory.look()
            self._family.reap()
            if self._family.status is not None or self._ended is not None:
                return
            if time.monotonic() >= deadline:
                self._ended = "timeout"
                return

    def finish(self) -> None:
        """End every process of the program, send on what the pipes still hold, and say ``done``."""
        seconds = time.monotonic() - self._began
        self._memory.look()
        is_clean = self._family.kill_all(self._pipe.write)
        # Nobody is left to write more; it need not be the end of the file for all that.
        for source in list(self._sources):
            while self._take(source):
                pass
        birth = b""
        with contextlib.suppress(BlockingIOError):
            birth = os.read(self._birth, _READ)
        code = -signal.SIGKILL if self._family.status is None else self._family.status
        if self._ended is None:
            if code == -signal.SIGKILL and oom_kills() > self._oom_before:
                self._ended = "memory"
            else:
                self._ended = "exited" if birth == _BEGUN else "failed"
        for number in (*self._sources, self._birth, self._pidfd):
            if number >= 0:
                os.close(number)
        detail = birth.decode("utf-8", "replace")[-2000:] if self._ended == "failed" else ""
        self._pipe.tell(
            event="done",
            ended=self._ended,
            code=code,
            seconds=seconds,
            peak_kb=max(self._family.peak_kb, self._memory.finish() // 1024),
            detail=detail,
        )
        if not is_clean:  # the next program must not meet them; with process 1 they go too
            self._pipe.leave("exited", code)

    def _take(self, source: int) -> bool:
        """Send on what a pipe holds; False when that was nothing."""
        try:
            data = os.read(source, _READ)
        except BlockingIOError:
            return False
        if not data:
            del self._sources[source]
            os.close(source)
            return False
        channel = self._sources[source]
        if channel is Channel.RESULT:
            left = self._order["result_bytes"] + 1 - self._result
            self._result += len(data)
            data = data[: max(0, left)]  # a longer one is no result, and the server sees that
        else:
            self._output += len(data)
            if self._output > self._order["output_bytes"] and self._ended is None:
                self._ended = "output"
        if data:
            self._pipe.send(channel, [data])
        return True


def _become_program(program: bytes, entry: int, ends: list[int]) -> NoReturn:
    """Turn this fork into the student's program."""
    output, errors, result, birth = ends
    try:
        become_student((entry, output, errors))
        begin = running.prepare(program, result, keep=birth)
        os.write(birth, _BEGUN)
        os.close(birth)  # from here on nobody can say that it had not begun
    except BaseException:
        os.write(birth, traceback.format_exc().encode("utf-8", "replace"))
        os._exit(_FAILED)
    begin()
