"""The same runs at other engines: one reached over TCP, and Podman (see .ci/podman.sh)."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import signal
import socket
import socketserver
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from docker.errors import APIError
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager

from jupyter_ppo.domain.errors import EngineUnavailableError, SandboxError
from jupyter_ppo.domain.execution import Outcome, Program
from jupyter_ppo.domain.sandbox import NotebookRun, SandboxLimits, Verdict
from jupyter_ppo.sandbox import container_end, owner
from jupyter_ppo.sandbox.box import Box
from jupyter_ppo.sandbox.engine import Engine
from jupyter_ppo.sandbox.image import ensure_image
from jupyter_ppo.sandbox.notebook import ContainerSandbox
from jupyter_ppo.sandbox.programs import ContainerPrograms
from jupyter_ppo.sandbox.reaper import reap

KERNELS: Final = Path(__file__).parents[2] / "jupyter-config" / "kernels"
HOSTILE: Final = Path(__file__).parent / "hostile"
#: A sample of the corpus: one for each way in which engines could differ.
SAMPLE: Final = (
    "busy_in_c",
    "daemon",
    "disk_fill",
    "exit_with_success",
    "file_size",
    "fork_bomb",
    "inodes",
    "kill_others",
    "memory_bomb",
    "network",
    "print_flood",
    "privileges",
)
LIMITS: Final = SandboxLimits(memory_mb=256, cell_seconds=100, wall_seconds=150)

AT_DOCKER: Final = [pytest.mark.docker, pytest.mark.image]
AT_PODMAN: Final = [*AT_DOCKER, pytest.mark.podman]

MakeNotebook = Callable[..., dict[str, Any]]
Eventually = Callable[[Callable[[], bool], str], None]


class Proxy(socketserver.ThreadingMixIn, socketserver.TCPServer):
    """Passes TCP connections on to an engine at a Unix socket, in pieces of ``piece`` bytes.

    ``reached`` is set when a container's stream has carried ``MARK`` out of it.
    """

    daemon_threads = True
    MARK = b"in-the-middle"

    def __init__(self, engine: str) -> None:
        super().__init__(("127.0.0.1", 0), _Connection)
        self.engine, self.piece = engine, 65536
        self.pairs: list[tuple[socket.socket, socket.socket]] = []
        self.streams: list[tuple[socket.socket, socket.socket]] = []
        self.reached = threading.Event()
        self.is_cut = False

    @property
    def address(self) -> str:
        return f"tcp://127.0.0.1:{self.server_address[1]}"

    def cut(self) -> None:
        """End every connection and take no more."""
        self.is_cut = True
        for pair in list(self.pairs):
            for end in pair:
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)

    def close_half(self, side: int) -> None:
        """Send nothing more to one side of the containers' streams: 0 to the client, 1 to them."""
        for pair in list(self.streams):
            with contextlib.suppress(OSError):
                pair[side].shutdown(socket.SHUT_WR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print nothing: a connection that breaks is part of what is tested."""


class _Connection(socketserver.BaseRequestHandler):
    server: Proxy

    def handle(self) -> None:
        if self.server.is_cut:
            return
        with socket.socket(socket.AF_UNIX) as engine:
            engine.connect(self.server.engine)
            self.server.pairs.append((self.request, engine))
            back = threading.Thread(target=self._pump, args=(engine, self.request), daemon=True)
            back.start()
            self._pump(self.request, engine)
            back.join()

    def _pump(self, source: socket.socket, target: socket.socket) -> None:
        tail = b""
        engine = target if source is self.request else source
        with contextlib.suppress(OSError):
            while data := source.recv(self.server.piece):
                target.sendall(data)
                tail = tail[-20:] + data
                if b"/attach?" in tail:  # connections are used again: it need not be the first
                    self.server.streams.append((self.request, engine))
                if Proxy.MARK in tail:
                    self.server.reached.set()
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_WR)


@pytest.fixture
def proxy(engine: Engine) -> Iterator[Proxy]:
    """An engine's address over TCP, with a proxy that can be made to fail."""
    kind, _, path = engine.base_url.partition("://")
    if not kind.endswith("unix"):
        pytest.skip("only an engine at a Unix socket is passed on")
    with Proxy(path) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield server
        server.cut()
        server.shutdown()
        thread.join()


def podman_address() -> str:
    address = os.environ.get("PPO_TEST_PODMAN")
    if not address:
        pytest.skip(os.environ.get("PPO_TEST_PODMAN_WHY", "started without .ci/podman.sh"))
    return address


@pytest.fixture(
    params=[pytest.param("tcp", marks=AT_DOCKER), pytest.param("podman", marks=AT_PODMAN)]
)
def address(request: pytest.FixtureRequest, eventually: Eventually) -> Iterator[str]:
    """Another engine than the usual one; nothing of this process may be left there."""
    if request.param == "podman":
        found = podman_address()
    else:
        found = request.getfixturevalue("proxy").address
    yield found
    with Engine.connect(found) as engine:
        eventually(lambda: left_at(engine) == [], "a container or a volume is left")


@pytest.fixture
def podman(eventually: Eventually) -> Iterator[str]:
    """The address of Podman; nothing of this process may be left there."""
    found = podman_address()
    yield found
    with Engine.connect(found) as engine:
        eventually(lambda: left_at(engine) == [], "a container or a volume is left")


def left_at(engine: Engine, token: str | None = None) -> list[str]:
    """Name the containers and volumes of a process, this one if no other is meant."""
    wanted = {"label": f"{owner.LABEL}={token or owner.own_token()}"}
    volumes = engine.api.volumes(filters=wanted)["Volumes"] or []
    containers = engine.api.containers(all=True, filters=wanted)
    return [one["Name"] for one in volumes] + [one["Names"][0] for one in containers]


def run(address: str, notebook: dict[str, Any], limits: SandboxLimits = LIMITS) -> NotebookRun:
    return asyncio.run(ContainerSandbox(base_url=address).run(notebook, limits))


def shown(result: NotebookRun, cell: int) -> str:
    return "".join(output.get("text", "") for output in result.notebook["cells"][cell]["outputs"])


def test_a_notebook_runs(address: str, notebook_of: MakeNotebook) -> None:
    result = run(address, notebook_of("a = 41", "print(a + 1)", "import os; print(os.getuid())"))
    assert result.verdict is Verdict.RAN, result.detail
    assert (shown(result, 1), shown(result, 2)) == ("42\n", "10001\n")


def test_programs_run(address: str) -> None:
    programs = ContainerPrograms(address)
    try:
        first, second = programs.run(
            [Program("print(input()[::-1])", stdin="abc\n"), Program("1 / 0")], LIMITS, 100
        )
    finally:
        programs.close()
    assert (first.outcome, first.stdout) == (Outcome.SUCCEEDED, "cba\n")
    assert (second.outcome, second.error_type) == (Outcome.RAISED, "ZeroDivisionError")


def test_much_goes_in_and_out_unharmed(address: str, notebook_of: MakeNotebook) -> None:
    text = "".join(f"{number:07}" for number in range(200_000))
    source = f"import hashlib\ntext = {text!r}\nprint(hashlib.sha256(text.encode()).hexdigest())"
    result = run(address, notebook_of(source, "print(text)", "print(text[::-1])"))
    assert result.verdict is Verdict.RAN, result.detail
    assert shown(result, 0).strip() == hashlib.sha256(text.encode()).hexdigest()
    assert shown(result, 1) == f"{text}\n"
    assert shown(result, 2) == f"{text[::-1]}\n"


def test_a_persons_kernel_is_interrupted_restarted_and_shut_down(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", address)

    async def value_of(client: Any, expression: str) -> str:
        reply = await client.execute(
            "", user_expressions={"value": expression}, reply=True, timeout=100
        )
        return str(reply["content"]["user_expressions"]["value"]["data"]["text/plain"])

    async def use() -> None:
        specs = KernelSpecManager(kernel_dirs=[str(KERNELS)], ensure_native_kernel=False)
        manager = AsyncKernelManager(kernel_name="ppo-sandbox", kernel_spec_manager=specs)
        await manager.start_kernel()
        client = manager.client()
        client.start_channels()
        try:
            await client.wait_for_ready(timeout=100)
            endless = "kept = 1\nprint('here', flush=True)\nwhile True: pass"
            request = client.execute(endless, stop_on_error=False)
            while (await client.get_iopub_msg(timeout=100))["msg_type"] != "stream":
                pass
            await manager.interrupt_kernel()
            reply = await client.get_shell_msg(timeout=100)
            while reply["parent_header"]["msg_id"] != request:
                reply = await client.get_shell_msg(timeout=100)
            assert reply["content"]["ename"] == "KeyboardInterrupt"
            assert await value_of(client, "kept") == "1"
            await manager.restart_kernel(now=True)
            await client.wait_for_ready(timeout=100)
            assert await value_of(client, "'kept' in globals()") == "False"
        finally:
            client.stop_channels()
            await manager.shutdown_kernel()
        assert not await manager.is_alive()

    asyncio.run(use())


def test_a_server_killed_outright_leaves_nothing_that_the_next_does_not_find(
    address: str, eventually: Eventually
) -> None:
    program = (
        "import asyncio, sys; from jupyter_ppo.sandbox import owner; "
        "from jupyter_ppo.domain.sandbox import SandboxLimits; "
        "from jupyter_ppo.sandbox.notebook import ContainerSandbox; "
        "print(owner.own_token(), flush=True); "
        "cell = dict(cell_type='code', id='a', source='while True: pass', metadata={}, "
        "outputs=[], execution_count=None); "
        "asyncio.run(ContainerSandbox(base_url=sys.argv[1]).run(dict(nbformat=4, "
        "nbformat_minor=5, metadata={}, cells=[cell]), SandboxLimits(cell_seconds=300)))"
    )
    with (
        subprocess.Popen(
            [sys.executable, "-c", program, address], stdout=subprocess.PIPE, text=True
        ) as server,
        Engine.connect(address) as engine,
    ):
        try:
            assert server.stdout is not None
            token = server.stdout.readline().strip()
            wanted = {"label": f"{owner.LABEL}={token}", "status": "running"}
            eventually(
                lambda: bool(engine.api.containers(filters=wanted)), "no container was started"
            )
        finally:
            os.kill(server.pid, signal.SIGKILL)
        server.wait()
        everyone = {"label": f"{owner.LABEL}={token}"}
        eventually(
            lambda: not engine.api.containers(all=True, filters=everyone),
            "the container outlives its server",
        )
        reap(engine)
        eventually(lambda: left_at(engine, token) == [], "a volume was not found")


@pytest.mark.docker
@pytest.mark.image
def test_a_stream_in_small_pieces_is_put_together(proxy: Proxy, notebook_of: MakeNotebook) -> None:
    proxy.piece = 61
    result = run(proxy.address, notebook_of("print('x' * 10_000)"))
    assert shown(result, 0) == "x" * 10_000 + "\n"


BREAKS: Final = {
    "cut": Proxy.cut,
    "no_way_out": lambda proxy: proxy.close_half(0),
    "no_way_in": lambda proxy: proxy.close_half(1),
}
ENDLESS: Final = "print('in-the-' + 'middle', flush=True)\nwhile True: pass"


@pytest.fixture(params=BREAKS)
def broken(
    request: pytest.FixtureRequest, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Proxy]:
    """A proxy whose connection breaks once the container has said that it is in the middle."""
    monkeypatch.setattr(container_end, "NOTICE_SECONDS", 2.0)  # where none will come

    def wait_and_break() -> None:
        if proxy.reached.wait(120):
            BREAKS[request.param](proxy)

    thread = threading.Thread(target=wait_and_break)
    thread.start()
    yield proxy
    proxy.reached.set()
    thread.join()


@pytest.mark.docker
@pytest.mark.image
def test_a_connection_that_breaks_is_never_a_grade(
    broken: Proxy, notebook_of: MakeNotebook, engine: Engine, eventually: Eventually
) -> None:
    with pytest.raises((SandboxError, EngineUnavailableError)):
        run(broken.address, notebook_of(ENDLESS), SandboxLimits(cell_seconds=300))
    eventually(lambda: left_at(engine) == [], "the container is left")


@pytest.mark.docker
@pytest.mark.image
def test_a_connection_that_breaks_is_never_a_programs_result(
    broken: Proxy, engine: Engine, eventually: Eventually
) -> None:
    programs = ContainerPrograms(broken.address)
    try:
        with pytest.raises((SandboxError, EngineUnavailableError)):
            programs.run([Program(ENDLESS)], LIMITS, 290)
    finally:
        programs.close()
    eventually(lambda: left_at(engine) == [], "the container is left")


@pytest.mark.docker
@pytest.mark.image
def test_a_remote_engine_that_falls_silent_is_noticed(proxy: Proxy) -> None:
    with Engine.connect(proxy.address) as engine:
        box = Box(engine, ensure_image(engine), LIMITS)
        try:
            box.start()
            assert box.stream.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
            idle = box.stream.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE)
            every = box.stream.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL)
            times = box.stream.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT)
            assert idle + every * times < SandboxLimits().cell_seconds
        finally:
            box.remove()


@pytest.mark.docker
@pytest.mark.image
@pytest.mark.podman
@pytest.mark.parametrize("name", SAMPLE)
def test_a_hostile_program_gets_its_verdict_at_podman(
    podman: str, name: str, notebook_of: MakeNotebook
) -> None:
    source = (HOSTILE / f"{name}.py").read_text(encoding="utf-8")
    expected = {
        Verdict(word) for word in source.splitlines()[0].removeprefix("# verdict: ").split(" | ")
    }
    limits = SandboxLimits(
        cell_seconds=5 if expected == {Verdict.CELL_TIMEOUT} else 100,
        wall_seconds=150,
        memory_mb=256,
        pids=64,
        output_bytes=2**20,
        outputs=500,
        disk_mb=16,
        inodes=512,
        file_mb=8,
        open_files=256,
    )
    result = run(podman, notebook_of(source), limits)
    errors = [
        output.get("evalue")
        for output in result.notebook["cells"][0]["outputs"]
        if output["output_type"] == "error"
    ]
    assert result.verdict in expected, result.detail
    assert errors == []


@pytest.mark.docker
@pytest.mark.image
@pytest.mark.podman
def test_nothing_at_podman_can_be_written_beyond_its_limit(
    podman: str, notebook_of: MakeNotebook
) -> None:
    look = """
import os
writable = []
for folder, folders, names in os.walk("/"):
    if folder.startswith(("/proc", "/sys")):
        folders.clear()
    elif os.access(folder, os.W_OK):
        writable.append((folder, os.statvfs(folder).f_files, os.statvfs(folder).f_blocks))
        folders.clear()
for found in sorted(writable):
    print(*found)
"""
    limits = SandboxLimits(memory_mb=256, disk_mb=16, inodes=512, cell_seconds=100)
    lines = shown(run(podman, notebook_of(look), limits), 0).splitlines()
    found = {line.split()[0]: [int(word) for word in line.split()[1:]] for line in lines}
    assert {"/tmp", "/dev/shm", "/home/student"} <= set(found)
    # What the engine adds, such as a folder for message queues, takes no files of its own.
    bounded = {name: size for name, size in found.items() if name != "/dev/mqueue"}
    assert sum(files for files, _ in bounded.values()) <= 512, found
    assert sum(blocks for _, blocks in bounded.values()) * 4096 <= 16 * 2**20, found


@pytest.mark.docker
@pytest.mark.image
@pytest.mark.podman
def test_podman_is_told_from_docker(podman: str) -> None:
    with Engine.connect(podman) as engine:
        assert engine.is_podman
        with contextlib.suppress(APIError):
            assert engine.api.info()["ServerVersion"] == engine.version()
