"""Process 1 of a container: starts the kernel, relays its messages, and says how it ended.

Standard input and output carry frames (see ``frames``). On META the server sends the start message
and then signals; the agent sends ``ready``, ``forked`` and at the end one ``exit``. When standard
input ends, the server is gone and the agent exits, which ends every process of the container.

Being process 1 it cannot be killed from inside, and it is not dumpable, so the student's processes
(same user) can neither trace it nor open its files. All reading and writing is non-blocking: a
flood in one direction never stops the other. When the server does not read, the kernel is slowed
down.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import signal
import sys
import time
import traceback
import types
from collections import deque
from pathlib import Path
from typing import Any, Final

from jupyter_ppo.sandbox.frames import KERNEL_CHANNELS, Channel, Decoder, encode
from jupyter_ppo.sandbox.inside import seccomp

_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE = 1, 4
_FOLDER: Final = Path("/tmp/.kernel")  # noqa: S108 - the container's own tmpfs
_ERRORS: Final = _FOLDER / "stderr"
_CONNECTION: Final = _FOLDER / "connection.json"
#: Bytes waiting for the server above which the kernel's sockets are not read any further.
_QUEUE_BYTES: Final = 4 * 2**20
_READ: Final = 256 * 1024
#: How long the agent looks for the last messages of a dead kernel, and for a server that reads.
_QUIET_MS, _DRAIN_SECONDS, _FLUSH_SECONDS = 50, 2.0, 10.0
_CRASHED: Final = 70
_PRELOAD: Final = ("ipykernel.kernelapp", "ipykernel.ipkernel", "matplotlib_inline")
_OOM_FILES: Final = ("/sys/fs/cgroup/memory/memory.oom_control", "/sys/fs/cgroup/memory.events")


def main() -> None:
    """Run as process 1 until the kernel or the server ends; never returns."""
    ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    # Process 1 gets only the signals that it handles, and Python handles this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for name in _PRELOAD:
        with contextlib.suppress(ImportError):
            __import__(name)
    _FOLDER.mkdir(mode=0o700, exist_ok=True)
    for descriptor in (0, 1):
        os.set_blocking(descriptor, False)
    agent = _Agent()
    agent.tell(event="ready")
    agent.wait_for_start()
    agent.start_kernel()
    agent.relay()


class _Agent:
    def __init__(self) -> None:
        self._decoder = Decoder()
        self._inbox: deque[Any] = deque()
        self._outbox: deque[memoryview] = deque()
        self._waiting = 0
        self._config: dict[str, Any] = {}
        self._sockets: dict[Channel, Any] = {}
        self._pid = 0
        self._status: int | None = None
        self._deadline = float("inf")
        self._oom_before = _oom_kills()

    # -- the byte stream -------------------------------------------------------------------------

    def tell(self, **event: Any) -> None:
        self._send(encode(Channel.META, [json.dumps(event).encode()]))
        self._write()

    def _send(self, data: bytes) -> None:
        self._outbox.append(memoryview(data))
        self._waiting += len(data)

    def _write(self) -> None:
        try:
            while self._outbox:
                written = os.write(1, self._outbox[0])
                self._waiting -= written
                rest = self._outbox[0][written:]
                if rest:
                    self._outbox[0] = rest
                else:
                    self._outbox.popleft()
        except BlockingIOError:
            return
        except OSError:
            os._exit(0)  # nobody is there to read

    def _read(self) -> None:
        try:
            data = os.read(0, _READ)
        except BlockingIOError:
            return
        if not data:
            os._exit(0)  # the server is gone, however it went
        self._inbox.extend(self._decoder.feed(data))

    def _leave(self, cause: str, code: int, detail: str = "") -> None:
        """Send the last word and end, which ends every process of the container."""
        self.tell(event="exit", cause=cause, code=code, detail=detail)
        end = time.monotonic() + _FLUSH_SECONDS
        while self._outbox and time.monotonic() < end:
            time.sleep(0.005)
            self._write()
        os._exit(0)

    # -- starting --------------------------------------------------------------------------------

    def wait_for_start(self) -> None:
        import select

        while not self._inbox:
            select.select([0], [], [])
            self._read()
        self._config = json.loads(self._inbox.popleft().parts[0])
        if seconds := self._config["seconds"]:
            self._deadline = time.monotonic() + seconds

    def start_kernel(self) -> None:
        connection = {
            f"{channel.name.lower()}_port": int(channel) for channel in KERNEL_CHANNELS
        } | {
            "ip": str(_FOLDER / "s"),
            "transport": "ipc",
            "key": self._config["key"],
            "signature_scheme": "hmac-sha256",
            "kernel_name": "python3",
        }
        os.umask(0o077)
        _CONNECTION.write_text(json.dumps(connection))
        self._pid = os.fork()  # before this process has any ZeroMQ thread
        if self._pid == 0:
            _become_kernel(self._config)
        import zmq

        context = zmq.Context()
        for channel in KERNEL_CHANNELS:
            socket = context.socket(zmq.SUB if channel is Channel.IOPUB else zmq.DEALER)
            socket.linger = 0
            socket.sndhwm = socket.rcvhwm = (
                0  # nothing is dropped; the container's memory bounds it
            )
            socket.reconnect_ivl, socket.reconnect_ivl_max = 10, 20
            if channel is Channel.IOPUB:
                socket.subscribe(b"")
            else:
                socket.identity = b"agent"
            socket.connect(f"ipc://{_FOLDER}/s-{int(channel)}")
            self._sockets[channel] = socket
        self.tell(event="forked")

    # -- relaying --------------------------------------------------------------------------------

    def relay(self) -> None:
        import zmq

        ended: int | None = None
        with contextlib.suppress(OSError, AttributeError):
            ended = os.pidfd_open(self._pid)  # readable when the kernel ends
        while True:
            poller = zmq.Poller()
            poller.register(0, zmq.POLLIN)
            if self._outbox:
                poller.register(1, zmq.POLLOUT)
            if self._waiting < _QUEUE_BYTES:
                for socket in self._sockets.values():
                    poller.register(socket, zmq.POLLIN)
            if ended is not None:
                poller.register(ended, zmq.POLLIN)
            ready = dict(poller.poll(50 if ended is None else 500))
            if 0 in ready:
                self._read()
            self._deliver()
            self._collect()
            self._write()
            self._reap()
            if self._status is not None:
                self._end_of_kernel(self._status)
            if time.monotonic() > self._deadline:
                self._leave("wall", -signal.SIGKILL)

    def _deliver(self) -> None:
        while self._inbox:
            frame = self._inbox.popleft()
            if frame.channel is Channel.META:
                number = int(json.loads(frame.parts[0])["signal"])
                with contextlib.suppress(OSError):
                    os.killpg(self._pid, number)
            else:
                self._sockets[frame.channel].send_multipart(frame.parts)

    def _collect(self) -> bool:
        """Take what the kernel's sockets hold, up to the bound; whether there was anything."""
        import zmq

        some = False
        for channel, socket in self._sockets.items():
            while self._waiting < _QUEUE_BYTES:
                try:
                    parts = socket.recv_multipart(zmq.NOBLOCK)
                except zmq.Again:
                    break
                some = True
                size = sum(map(len, parts))
                if size > self._config["max_message"]:
                    self._leave("output", -signal.SIGKILL, f"one message of {size} bytes")
                try:
                    self._send(encode(channel, parts))
                except ValueError as error:
                    self._leave("protocol", -signal.SIGKILL, str(error))
        return some

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

        poller = zmq.Poller()
        for socket in self._sockets.values():
            poller.register(socket, zmq.POLLIN)
        end = time.monotonic() + _DRAIN_SECONDS
        while time.monotonic() < end:
            self._collect()
            self._write()
            if self._waiting >= _QUEUE_BYTES:
                time.sleep(0.001)
            elif not poller.poll(_QUIET_MS):
                break
        code = os.waitstatus_to_exitcode(status)
        killed = code == -signal.SIGKILL and _oom_kills() > self._oom_before
        detail = ""
        if code in {_CRASHED, -signal.SIGABRT}:
            with contextlib.suppress(OSError):
                detail = _ERRORS.read_text(errors="replace")[-2000:]
        self._leave("memory" if killed else "exited", code, detail)


def _oom_kills() -> int:
    """How often the kernel's out-of-memory killer struck here (control groups v1 or v2)."""
    for name in _OOM_FILES:
        with contextlib.suppress(OSError, ValueError), open(name) as file:
            for line in file:
                if line.startswith("oom_kill "):
                    return int(line.split()[1])
    return 0


def _become_kernel(config: dict[str, Any]) -> None:
    """Turn this fork into the student's kernel; never returns."""
    code = 0
    try:
        libc = ctypes.CDLL(None)
        libc.prctl(_PR_SET_DUMPABLE, 1, 0, 0, 0)
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        os.setsid()
        signal.signal(signal.SIGINT, signal.default_int_handler)
        # The stream to the server ends here: the kernel gets other files as 0, 1 and 2.
        nothing = os.open(os.devnull, os.O_RDWR)
        errors = os.open(_ERRORS, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        for own, number in ((nothing, 0), (nothing, 1), (errors, 2)):
            os.dup2(own, number)
        os.close(nothing)
        os.close(errors)
        # Under memory pressure the kernel goes first and the agent stays to say so.
        Path("/proc/self/oom_score_adj").write_text("1000")
        os.environ.update(config["environment"])
        seccomp.install()
        _launch()
    except SystemExit:
        pass
    except BaseException:
        code = _CRASHED
        with contextlib.suppress(BaseException):
            os.write(2, traceback.format_exc().encode("utf-8", "replace"))
    finally:
        os._exit(code)


def _launch() -> None:
    import zmq
    from ipykernel.kernelapp import IPKernelApp

    class KernelApp(IPKernelApp):
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
