"""A training run: its worker, forked from process 1, and what goes to and fro meanwhile.

The run's folder is in the container's memory. The server first sends the files that the worker is
to find there, each as one or more frames on RUN of a name and bytes; then ``begin`` on META. From
then on frames on RUN are lines for ``commands.jsonl``. What the worker writes is brought out by
``courier``; what it prints comes on STDOUT. META carries ``end`` (ask the worker to end) and
``kill`` in, and ``begun``, ``beat`` with the processor time once a second, and ``done`` out.

The worker's process has the student's user and runs the student's environments, so nothing in the
folder is believed. Standard library only; nothing here blocks.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import select
import signal
import stat
import sys
import time
import traceback
import types
from collections.abc import Iterator
from typing import Any, Final, NoReturn

from jupyter_ppo.sandbox.frames import Channel, Frame
from jupyter_ppo.sandbox.inside.child import Offspring, become_student, oom_kills
from jupyter_ppo.sandbox.inside.courier import CHECKPOINTS, Courier
from jupyter_ppo.sandbox.inside.pipe import Pipe

_FOLDER: Final = "run"
_COMMANDS: Final = "commands.jsonl"
#: How often the folder is looked at, in seconds.
_LOOK_SECONDS: Final = 0.1
_BEAT_SECONDS: Final = 1.0
_READ: Final = 64 * 1024
#: How much of what is printed is kept between two looks, in bytes; of a flood the rest is dropped,
#: so that printing neither slows the training down nor fills the stream.
_PRINTED: Final = 32 * 1024
_FAILED: Final = 70
_CPU_V1: Final = (
    "/sys/fs/cgroup/cpuacct/cpuacct.usage",
    "/sys/fs/cgroup/cpu,cpuacct/cpuacct.usage",
)
_CPU_V2: Final = "/sys/fs/cgroup/cpu.stat"


def run(pipe: Pipe, order: dict[str, Any]) -> None:
    """Run one worker until it has ended, and say ``done``; no process of it is left then.

    ``order``: ``arguments`` are the worker's, to which the folder is added, ``environment`` is
    added to its own; for ``file_bytes`` and ``at_end`` see ``Courier``. ``done`` has ``ended``:
    ``exited`` (with ``code`` as in subprocess), ``memory`` or ``failed`` (before the worker began,
    with ``detail``), and ``cpu``.
    """
    try:
        path, folder = _receive(pipe)
    except OSError as error:
        pipe.tell(event="done", ended="failed", code=_FAILED, cpu=0.0, detail=str(error))
        return
    training = _Training(pipe, order, path, folder)
    training.follow()
    training.finish()


def _receive(pipe: Pipe) -> tuple[str, int]:
    """Write the files that the worker is to find; return the folder, and a descriptor of it."""
    path = os.path.join(os.environ["HOME"], _FOLDER)
    os.makedirs(os.path.join(path, CHECKPOINTS), mode=0o700)
    while True:
        while pipe.inbox:
            frame = pipe.inbox.popleft()
            if frame.channel is Channel.RUN:
                name, data = frame.parts
                with open(os.path.join(path, name.decode()), "ab") as file:
                    file.write(data)
            elif frame.channel is Channel.META and json.loads(frame.parts[0])["do"] == "begin":
                return path, os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        select.select([0], [1] if pipe.waiting else [], [])
        pipe.read()
        pipe.write()


class _Training:
    def __init__(self, pipe: Pipe, order: dict[str, Any], path: str, folder: int) -> None:
        self._pipe = pipe
        self._folder = folder
        self._courier = Courier(
            folder,
            lambda parts: pipe.send(Channel.RUN, parts),
            file_bytes=order["file_bytes"],
            at_end=order["at_end"],
        )
        self._round: Iterator[None] | None = None
        self._next_look = self._next_beat = 0.0
        self._printed = bytearray()
        self._left_out = 0
        self._is_killed = False
        self._oom_before = oom_kills()
        self._cpu_before = _cpu_seconds()
        self._output, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            _become_worker(order, path, writing)
        os.close(writing)
        os.set_blocking(self._output, False)
        self._family = Offspring(pid)
        self._pidfd = -1
        with contextlib.suppress(OSError, AttributeError):
            self._pidfd = os.pidfd_open(pid)  # readable when the worker ends
        pipe.tell(event="begun")

    def follow(self) -> None:
        """Carry in both directions until the worker has ended or is to be killed."""
        pipe = self._pipe
        self._take_orders()  # some came with the one that this is
        while self._family.status is None and not self._is_killed:
            poller = select.poll()
            poller.register(0, select.POLLIN)
            if pipe.waiting:
                poller.register(1, select.POLLOUT)
            for number in (self._output, self._pidfd):
                if number >= 0:
                    poller.register(number, select.POLLIN)
            is_at_it = self._round is not None and not pipe.is_full
            wait = 0.0 if is_at_it else max(0.0, self._next_look - time.monotonic())
            if pipe.is_full:
                wait = _LOOK_SECONDS
            ready = {number for number, _ in poller.poll(wait * 1000)}
            if 0 in ready:
                pipe.read()
                self._take_orders()
            if self._output in ready:
                self._take_output()
            now = time.monotonic()
            if now >= self._next_look:
                self._next_look = now + _LOOK_SECONDS
                self._family.reap()
                self._send_output()
                if self._round is None:
                    self._round = self._courier.round()
            elif self._pidfd in ready:
                self._family.reap()
            self._carry()
            if now >= self._next_beat:
                self._next_beat = now + _BEAT_SECONDS
                pipe.tell(event="beat", cpu=self._cpu())
            pipe.write()

    def finish(self) -> None:
        """End every process, bring out what is left, and say how the worker ended."""
        pipe = self._pipe
        is_clean = self._family.kill_all(pipe.write)
        while self._take_output():
            pass
        self._send_output(is_last=True)
        # The round that was begun, and one of all that is there now.
        for steps in (self._round or iter(()), self._courier.round(is_last=True)):
            for _ in steps:
                self._flush()
        code = -signal.SIGKILL if self._family.status is None else self._family.status
        killed = code == -signal.SIGKILL and oom_kills() > self._oom_before
        ended = "memory" if killed else "failed" if code == _FAILED else "exited"
        for number in (self._output, self._pidfd, self._folder):
            if number >= 0:
                os.close(number)
        pipe.tell(event="done", ended=ended, code=code, cpu=self._cpu(), detail="")
        if not is_clean:
            pipe.leave("exited", code)

    def _carry(self) -> None:
        """Go on with the round until it is over or the server has to read first."""
        while self._round is not None and not self._pipe.is_full:
            try:
                next(self._round)
            except StopIteration:
                self._round = None

    def _flush(self) -> None:
        """Wait until the server has read enough; whoever is there no more ends us."""
        pipe = self._pipe
        while pipe.is_full:
            select.select([0], [1], [])
            pipe.read()
            pipe.write()

    def _take_orders(self) -> None:
        while self._pipe.inbox:
            frame = self._pipe.inbox.popleft()
            if frame.channel is Channel.RUN:
                self._append_commands(frame)
            elif frame.channel is Channel.META:
                match json.loads(frame.parts[0])["do"]:
                    case "end":
                        with contextlib.suppress(ProcessLookupError):
                            os.kill(self._family.pid, signal.SIGTERM)
                    case "kill":
                        self._is_killed = True

    def _append_commands(self, frame: Frame) -> None:
        # If the student has put something else there, only his own run does not hear it.
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK
        with contextlib.suppress(OSError):
            number = os.open(_COMMANDS, flags | os.O_CLOEXEC, 0o600, dir_fd=self._folder)
            try:
                if stat.S_ISREG(os.fstat(number).st_mode):
                    os.write(number, frame.parts[1])
            finally:
                os.close(number)

    def _take_output(self) -> bool:
        """Take what was printed; False when that is nothing."""
        if self._output < 0:
            return False
        try:
            data = os.read(self._output, _READ)
        except BlockingIOError:
            return False
        if not data:
            os.close(self._output)
            self._output = -1
            return False
        self._printed += data
        over = max(0, len(self._printed) - _PRINTED)
        self._left_out += over
        del self._printed[:over]
        return True

    def _send_output(self, *, is_last: bool = False) -> None:
        if not self._printed or (self._pipe.is_full and not is_last):
            return
        data = bytes(self._printed)
        if self._left_out:
            data = b"\n[%d bytes of output were left out here]\n" % self._left_out + data
        self._printed.clear()
        self._left_out = 0
        self._pipe.send(Channel.STDOUT, [data])

    def _cpu(self) -> float:
        return max(0.0, _cpu_seconds() - self._cpu_before)


def _cpu_seconds() -> float:
    """Return the processor time of all processes here (control groups v1 or v2), in seconds."""
    for name in _CPU_V1:
        with contextlib.suppress(OSError, ValueError), open(name) as file:
            return int(file.read()) / 1e9
    with contextlib.suppress(OSError, ValueError), open(_CPU_V2) as file:
        for line in file:
            if line.startswith("usage_usec "):
                return int(line.split()[1]) / 1e6
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)  # without those that still run
    return ended.ru_utime + ended.ru_stime


def _become_worker(order: dict[str, Any], path: str, output: int) -> NoReturn:
    """Turn this fork into the worker."""
    code = _FAILED
    try:
        nothing = os.open(os.devnull, os.O_RDWR)
        become_student((nothing, output, os.dup(output)))
        os.closerange(3, resource.getrlimit(resource.RLIMIT_NOFILE)[0])
        os.environ |= order["environment"]
        os.chdir(os.environ["HOME"])
        sys.argv = ["worker"]
        sys.modules["__main__"] = types.ModuleType("__main__")
        from jupyter_ppo.training import worker  # that of the image

        code = worker.main([*order["arguments"], path])
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else _FAILED
    except BaseException:
        with contextlib.suppress(BaseException):
            os.write(2, traceback.format_exc().encode("utf-8", "replace"))
    finally:
        with contextlib.suppress(BaseException):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)
