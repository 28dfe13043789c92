"""A Jupyter kernel of the student, and the relay between its sockets and the server.

The kernel is forked from process 1 with what that has imported. Besides Jupyter's sockets it has
one for an examiner's questions (``border.student``). The relay never blocks: when the server does
not read, the kernel is slowed down. It ends the container when the kernel ends.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import time
import traceback
import types
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from jupyter_ppo.sandbox.border import student
from jupyter_ppo.sandbox.frames import KERNEL_CHANNELS, Channel
from jupyter_ppo.sandbox.inside.border_end import BorderEnd
from jupyter_ppo.sandbox.inside.child import become_student, oom_kills
from jupyter_ppo.sandbox.inside.pipe import Pipe

_FOLDER: Final = Path("/tmp/.kernel")  # noqa: S108 - the container's own tmpfs
_ERRORS: Final = _FOLDER / "stderr"
_CONNECTION: Final = _FOLDER / "connection.json"
#: How long the last messages of a dead kernel are looked for.
_QUIET_MS, _DRAIN_SECONDS = 50, 2.0
_CRASHED: Final = 70
#: How much of a crashed kernel's standard error is sent.
_LAST_BYTES: Final = 2000


def run(pipe: Pipe, order: dict[str, Any]) -> None:
    """Start the kernel and relay until it ends; never returns.

    ``order``: ``key`` signs its messages, ``environment`` is added to its own, after ``seconds``
    (None: never) it is ended, and no message may be longer than ``max_message`` bytes. A later
    order ``adopt`` sets the last two anew, ``signal`` sends ``number`` to the kernel's processes.
    """
    relay = _Relay(pipe, order)
    relay.start_kernel(order)
    relay.relay()


class _Relay:
    def __init__(self, pipe: Pipe, order: dict[str, Any]) -> None:
        self._pipe = pipe
        self._border = BorderEnd(pipe)
        self._sockets: dict[Channel, Any] = {}
        self._pid = 0
        self._errors = -1
        self._status: int | None = None
        self._oom_before = oom_kills()
        self._adopt(order)

    def _adopt(self, order: dict[str, Any]) -> None:
        self._max_message: int = order["max_message"]
        seconds = order["seconds"]
        self._deadline = time.monotonic() + seconds if seconds else None

    def start_kernel(self, order: dict[str, Any]) -> None:
        _FOLDER.mkdir(mode=0o700, exist_ok=True)
        connection = {
            f"{channel.name.lower()}_port": int(channel) for channel in KERNEL_CHANNELS
        } | {
            "ip": str(_FOLDER / "s"),
            "transport": "ipc",
            "key": order["key"],
            "signature_scheme": "hmac-sha256",
            "kernel_name": "python3",
        }
        _CONNECTION.write_text(json.dumps(connection))
        # Both while the folder is ours alone: later the student decides what has this name.
        errors = os.open(_ERRORS, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        self._errors = os.open(_ERRORS, os.O_RDONLY)
        self._pid = os.fork()  # before this process has any ZeroMQ thread
        if self._pid == 0:
            os.close(self._errors)
            _become_kernel(order["environment"], errors, self._border.keep_kernels_end())
        os.close(errors)
        self._border.keep_own_end()
        import zmq

        context = zmq.Context()
        for channel in KERNEL_CHANNELS:
            socket = context.socket(zmq.SUB if channel is Channel.IOPUB else zmq.DEALER)
            socket.linger = 0
            # Nothing is dropped; the container's memory bounds it.
            socket.sndhwm = socket.rcvhwm = 0
            socket.reconnect_ivl, socket.reconnect_ivl_max = 10, 20
            if channel is Channel.IOPUB:
                socket.subscribe(b"")
            else:
                socket.identity = b"agent"
            socket.connect(f"ipc://{_FOLDER}/s-{int(channel)}")
            self._sockets[channel] = socket
        self._pipe.tell(event="forked")

    def relay(self) -> None:
        import zmq

        pipe = self._pipe
        ended: int | None = None
        with contextlib.suppress(OSError, AttributeError):
            ended = os.pidfd_open(self._pid)  # readable when the kernel ends
        while True:
            poller = zmq.Poller()
            poller.register(0, zmq.POLLIN)
            if pipe.waiting:
                poller.register(1, zmq.POLLOUT)
            if not pipe.is_full:
                for socket in self._sockets.values():
                    poller.register(socket, zmq.POLLIN)
            if ended is not None:
                poller.register(ended, zmq.POLLIN)
            self._border.register(poller)
            ready = dict(poller.poll(50 if ended is None else 500))
            if 0 in ready:
                pipe.read()
            self._deliver()
            self._border.write()
            self._collect(
                [channel for channel in KERNEL_CHANNELS if self._sockets[channel] in ready]
            )
            self._border.read()
            pipe.write()
            self._reap()
            if self._status is not None:
                self._end_of_kernel(self._status)
            if self._deadline is not None and time.monotonic() > self._deadline:
                pipe.leave("wall", -signal.SIGKILL)

    def _deliver(self) -> None:
        while self._pipe.inbox:
            frame = self._pipe.inbox.popleft()
            if frame.channel is Channel.BORDER:
                self._border.post(frame)
                continue
            if frame.channel is not Channel.META:
                self._sockets[frame.channel].send_multipart(frame.parts)
                continue
            order = json.loads(frame.parts[0])
            if order["do"] == "adopt":
                self._adopt(order)
            elif order["do"] == "end":  # only of a slot's kernel
                self._pipe.inbox.appendleft(frame)
                self._pipe.leave("exited", -signal.SIGKILL)
            elif order["do"] == "signal":
                with contextlib.suppress(OSError):
                    os.killpg(self._pid, int(order["number"]))

    def _collect(self, channels: Iterable[Channel] = KERNEL_CHANNELS) -> None:
        """Take what the kernel's sockets hold, up to the bound."""
        import zmq

        pipe = self._pipe
        for channel in channels:
            socket = self._sockets[channel]
            while not pipe.is_full:
                try:
                    parts = socket.recv_multipart(zmq.NOBLOCK)
                except zmq.Again:
                    break
                size = sum(map(len, parts))
                if size > self._max_message:
                    pipe.leave("output", -signal.SIGKILL, f"one message of {size} bytes")
                try:
                    pipe.send(channel, parts)
                except ValueError as error:
                    pipe.leave("protocol", -signal.SIGKILL, str(error))

    def _reap(self) -> None:
        """Collect every child that ended; orphans of the kernel become children of process 1."""
        with contextlib.suppress(ChildProcessError):
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    return
                if pid == self._pid:
                    self._status = status

    def _end_of_kernel(self, status: int) -> None:
        import zmq

        pipe = self._pipe
        poller = zmq.Poller()
        for socket in self._sockets.values():
            poller.register(socket, zmq.POLLIN)
        end = time.monotonic() + _DRAIN_SECONDS
        while time.monotonic() < end:
            self._collect()
            self._border.read()
            pipe.write()
            if pipe.is_full:
                time.sleep(0.001)
            elif not poller.poll(_QUIET_MS):
                break
        code = os.waitstatus_to_exitcode(status)
        killed = code == -signal.SIGKILL and oom_kills() > self._oom_before
        detail = ""
        if code in {_CRASHED, -signal.SIGABRT}:
            with contextlib.suppress(OSError):
                start = max(0, os.fstat(self._errors).st_size - _LAST_BYTES)
                detail = os.pread(self._errors, _LAST_BYTES, start).decode("utf-8", "replace")
        pipe.leave("memory" if killed else "exited", code, detail)


def _become_kernel(environment: dict[str, str], errors: int, border: int) -> None:
    """Turn this fork into the student's kernel; never returns."""
    code = 0
    try:
        nothing = os.open(os.devnull, os.O_RDWR)
        become_student((nothing, nothing, errors))
        os.environ.update(environment)
        if "numpy.random" in sys.modules:
            sys.modules["numpy.random"].seed()  # else every kernel of a slot had the same numbers
        _launch(border)
    except SystemExit:
        pass
    except BaseException:
        code = _CRASHED
        with contextlib.suppress(BaseException):
            os.write(2, traceback.format_exc().encode("utf-8", "replace"))
    finally:
        os._exit(code)


def _launch(border: int) -> None:
    import zmq
    from ipykernel.kernelapp import IPKernelApp
    from tornado.ioloop import IOLoop

    class KernelApp(IPKernelApp):
        def start(self) -> None:
            loop = IOLoop.current().asyncio_loop  # type: ignore[attr-defined]
            names = self.shell.user_ns  # type: ignore[union-attr]
            student.install(border, names, loop)
            super().start()  # type: ignore[no-untyped-call]

        def init_iopub(self, context: Any) -> None:
            # The default of 1000 messages drops output silently, and with it the end of a cell.
            context.setsockopt(zmq.SNDHWM, 0)
            super().init_iopub(context)  # type: ignore[no-untyped-call]

    sys.modules["__main__"] = types.ModuleType("__main__")
    sys.argv = ["ipykernel_launcher"]
    arguments = [
        f"--IPKernelApp.connection_file={_CONNECTION}",
        "--HistoryManager.enabled=False",
        "--IPKernelApp.quiet=True",
    ]
    KernelApp.launch_instance(argv=arguments)
