"""The way to a student's kernel in a real container: questions, answers, interrupts and ends."""

from __future__ import annotations

import queue
import signal
import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from jupyter_ppo.domain.sandbox import SandboxLimits
from jupyter_ppo.sandbox.border import wire
from jupyter_ppo.sandbox.container_kernel import ContainerKernel, PrivateFolder

pytestmark = [pytest.mark.docker, pytest.mark.image]
SECONDS = 120


class Asker:
    """An examiner, as far as messages go."""

    def __init__(self, kernel: ContainerKernel) -> None:
        self.relay = kernel.relay
        self.came: queue.Queue[tuple[bytes, ...]] = queue.Queue()
        self.number = 0
        self.relay.border.connect(self.came.put)

    def send(self, op: str, *args: Any, n: str | None = None) -> None:
        self.number += 1
        encoder = wire.Encoder(lambda node: node)
        trees = [arg if type(arg) is dict else encoder.tree(arg) for arg in args]
        request = {"q": self.number, "op": op, "n": n, "a": trees, "k": {}}
        self.relay.border.send((wire.dumps(request), encoder.blob()))

    def receive(self) -> dict[str, Any]:
        parts = self.came.get(timeout=SECONDS)
        assert parts, f"the border is closed: {self.relay.ended}"
        message = wire.loads(parts[0])
        if "r" in message:
            message["r"] = wire.Decoder(parts[1], lambda _, node: node).value(message["r"])
        return message

    def ask(self, op: str, *args: Any, n: str | None = None) -> dict[str, Any]:
        self.send(op, *args, n=n)
        return self.receive()

    def run(self, code: str) -> None:
        """Run code among the notebook's variables."""
        shell = self.ask("call", self.ask("get", n="get_ipython")["r"], n="__call__")["r"]
        assert "r" in self.ask("call", shell, code, n="ex")


@pytest.fixture
def start() -> Iterator[Callable[[], Asker]]:
    started: list[tuple[ContainerKernel, PrivateFolder]] = []

    def make() -> Asker:
        folder = PrivateFolder()
        limits = SandboxLimits(memory_mb=512)
        kernel = ContainerKernel.start(folder, limits, key=b"k", preload=("numpy",))
        started.append((kernel, folder))
        return Asker(kernel)

    yield make
    for kernel, folder in started:
        kernel.close()
        folder.remove()


def test_a_kernel_answers_on_its_main_thread_whatever_its_code_has_done(
    start: Callable[[], Asker],
) -> None:
    asker = start()
    asker.run("import builtins, json, os, socket, subprocess, sys, threading, numpy as np")
    asker.run("def f(x): return np.asarray(x) + 1, threading.current_thread().name")
    double, name = asker.ask("call", asker.ask("get", n="f")["r"], [1, 2], n="__call__")["r"]
    assert double.tolist() == [2, 3]
    assert name == "MainThread"

    asker.run("open_files = subprocess.run(['ls', '/proc/self/fd'], capture_output=True, text=1)")
    listed = asker.ask("attr", asker.ask("get", n="open_files")["r"], n="stdout")["r"].split()
    assert "250" not in listed
    asker.run("os.closerange(60, 200)")
    asker.run("json.dumps = json.loads = socket.socket.send = socket.socket.recv = None")
    asker.run("builtins.type = builtins.sorted = builtins.str = builtins.any = None")
    assert asker.ask("ping")["r"] is None
    f = asker.ask("get", n="f")["r"]
    assert asker.ask("call", f, 4, n="__call__")["r"][0] == 5


def test_an_interrupt_ends_a_call_and_the_kernel_goes_on(start: Callable[[], Asker]) -> None:
    asker = start()
    asker.run("def f():\n    while True: pass")
    asker.send("call", asker.ask("get", n="f")["r"], n="__call__")
    asker.relay.signal(signal.SIGINT)
    time.sleep(1)
    asker.relay.signal(signal.SIGINT)  # the first may have come before the call
    assert asker.receive()["x"][0] == "builtins.KeyboardInterrupt"
    asker.number += 100
    assert asker.ask("ping")["q"] == asker.number


def test_a_megabyte_there_and_back_and_many_calls_do_not_take_long(
    start: Callable[[], Asker],
) -> None:
    asker = start()
    asker.run("def f(x): return x * 2")
    f = asker.ask("get", n="f")["r"]
    array = np.arange(125_000.0)
    assert np.array_equal(asker.ask("call", f, array, n="__call__")["r"], array * 2)
    times = []
    for _ in range(200):
        begin = time.perf_counter()
        asker.ask("ping")
        times.append(time.perf_counter() - begin)
    assert statistics.median(times) < 0.1  # about 0.5 ms when the machine is idle


def test_closing_its_end_or_ending_closes_the_border(start: Callable[[], Asker]) -> None:
    asker = start()
    asker.run("import os, threading\nthreading.Timer(0.2, os.close, (250,)).start()")
    time.sleep(0.5)
    asker.send("ping")
    assert asker.came.get(timeout=SECONDS) == ()
    assert not asker.relay.ended.done()

    other = start()
    other.run("import os, threading\nthreading.Timer(0.2, os._exit, (3,)).start()")
    assert other.came.get(timeout=SECONDS) == ()
    assert other.relay.ended.result(SECONDS).code == 3


def test_what_a_kernel_forges_on_its_end_reaches_no_other_channel(
    start: Callable[[], Asker],
) -> None:
    asker = start()
    forged = b'{"event":"exit","cause":"memory","code":0,"detail":""}'
    frame = (len(forged) + 6).to_bytes(4) + b"\0\x01" + len(forged).to_bytes(4) + forged
    asker.run(f"import os, threading\nthreading.Timer(0.2, os.write, (250, {frame!r})).start()")
    assert asker.came.get(timeout=SECONDS) == ()
    assert not asker.relay.ended.done()


def test_a_flood_on_the_border_is_slowed_down_and_then_ends_the_run(
    start: Callable[[], Asker],
) -> None:
    asker = start()
    asker.run(
        "import os, threading\n"
        "frame = (14).to_bytes(4) + bytes([9, 2]) + ((2).to_bytes(4) + b'{}') + bytes(4)\n"
        "frame = (len(frame) - 4).to_bytes(4) + frame[4:]\n"
        "def flood():\n"
        "    while True: os.write(250, frame * 1000)\n"
        "threading.Timer(0.2, flood).start()"
    )
    end = asker.relay.ended.result(SECONDS)
    assert end.cause == "protocol"
