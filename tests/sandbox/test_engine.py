"""Finding the container engine, and docker/engine.sh."""

from __future__ import annotations

import gc
import json
import os
import shutil
import socketserver
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from jupyter_ppo.domain.errors import EngineUnavailableError
from jupyter_ppo.sandbox.engine import Engine

ROOT = Path(__file__).resolve().parents[2]
NEEDED = ("MemoryLimit", "PidsLimit", "CpuCfsQuota")


class FakeEngine(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """Answers every request at a Unix socket with the same bytes."""

    daemon_threads = True
    answer = json.dumps({"Version": "99.1.2", "ApiVersion": "1.41"}).encode()


class Answer(BaseHTTPRequestHandler):
    """One answer; HTTP 1.1, so that the client keeps its connection."""

    protocol_version = "HTTP/1.1"
    server: FakeEngine

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(self.server.answer)))
        self.end_headers()
        self.wfile.write(self.server.answer)

    def address_string(self) -> str:
        return "client"

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture
def fake_engine(tmp_path: Path) -> Iterator[FakeEngine]:
    # A Unix socket's path is short: not below tmp_path's long name.
    socket_path = tmp_path / "e.sock"
    with FakeEngine(os.path.relpath(socket_path), Answer) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def url(path: Path) -> str:
    return f"unix://{path}"


def open_files() -> int:
    gc.collect()
    return len(os.listdir("/proc/self/fd"))


def test_an_engine_that_answers_tells_its_version(fake_engine: FakeEngine, tmp_path: Path) -> None:
    with Engine.connect(url(tmp_path / "e.sock")) as engine:
        assert engine.version() == "99.1.2"
        assert engine.api.api_version == "1.41"


def test_no_engine_at_the_socket_says_what_to_install(tmp_path: Path) -> None:
    with pytest.raises(EngineUnavailableError, match=r"Install Docker Engine") as caught:
        Engine.connect(url(tmp_path / "nothing.sock"))
    assert caught.value.field == "engine"
    assert "nothing.sock" in caught.value.message


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "http://127.0.0.1:1", "what://is-this"])
def test_an_address_where_nothing_answers_is_one_error(address: str) -> None:
    with pytest.raises(EngineUnavailableError, match="No container engine answers"):
        Engine.connect(address)


@pytest.mark.parametrize("answer", [b"<html>", b"{}", b"[]", b'{"Version": "1"}', b"\xff"])
def test_something_else_at_the_socket_is_no_engine(
    fake_engine: FakeEngine, tmp_path: Path, answer: bytes
) -> None:
    fake_engine.answer = answer
    with pytest.raises(EngineUnavailableError):
        Engine.connect(url(tmp_path / "e.sock"))


def test_docker_host_is_honoured(
    fake_engine: FakeEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", url(tmp_path / "e.sock"))
    with Engine.connect() as engine:
        assert engine.version() == "99.1.2"


def test_an_argument_counts_more_than_docker_host(
    fake_engine: FakeEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", url(tmp_path / "nothing.sock"))
    with Engine.connect(url(tmp_path / "e.sock")) as engine:
        assert engine.version() == "99.1.2"


@pytest.mark.parametrize("name", ["MemoryLimit", "PidsLimit", "CpuCfsQuota"])
def test_an_engine_that_ignores_limits_is_not_used(
    fake_engine: FakeEngine, tmp_path: Path, name: str
) -> None:
    can = {"Version": "99.1.2", "ApiVersion": "1.41"} | dict.fromkeys(NEEDED, True)
    fake_engine.answer = json.dumps(can | {name: False}).encode()
    with Engine.connect(url(tmp_path / "e.sock")) as engine:
        with pytest.raises(EngineUnavailableError, match="control groups v2"):
            engine.require_limits()
        fake_engine.answer = json.dumps(can).encode()
        engine.require_limits()


def test_podman_is_known_by_its_components(fake_engine: FakeEngine, tmp_path: Path) -> None:
    answer = {"Version": "4.3.1", "ApiVersion": "1.41"}
    for name, expected in {"Podman Engine": True, "Engine": False}.items():
        fake_engine.answer = json.dumps(answer | {"Components": [{"Name": name}]}).encode()
        with Engine.connect(url(tmp_path / "e.sock")) as engine:
            assert engine.is_podman is expected


@pytest.mark.docker
def test_connecting_and_closing_leaves_no_open_file(
    settled: Callable[[Callable[[], int]], int],
    eventually: Callable[[Callable[[], bool], str], None],
) -> None:
    Engine.connect().close()  # whatever the SDK opens once and keeps
    before = settled(open_files)
    for _ in range(3):
        with Engine.connect() as engine:
            engine.api.info()
        engine.close()
    eventually(lambda: open_files() <= before, f"more than {before} files stay open")


@pytest.fixture
def script(tmp_path: Path) -> Path:
    """A copy of engine.sh in a checkout of its own: it has no dockerd."""
    (tmp_path / "docker").mkdir()
    return Path(shutil.copy(ROOT / "docker" / "engine.sh", tmp_path / "docker"))


def run(script: Path, verb: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [script, verb],
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize("verb", ["start", "status"])
def test_the_script_says_in_one_sentence_that_there_is_none(
    script: Path, tmp_path: Path, verb: str
) -> None:
    done = run(script, verb, DOCKER_HOST=url(tmp_path / "nothing.sock"))
    assert done.returncode == 3
    assert len(done.stderr.splitlines()) == 1
    assert "nothing.sock" in done.stderr


def test_the_script_uses_an_engine_that_answers(
    fake_engine: FakeEngine, script: Path, tmp_path: Path
) -> None:
    done = run(script, "start", DOCKER_HOST=url(tmp_path / "e.sock"))
    assert done.returncode == 0
    assert "99.1.2" in done.stderr
    assert not (tmp_path / ".build").exists()


def test_stop_ends_no_program_that_got_the_old_number(script: Path, tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", "input()"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        state = tmp_path / ".build" / "engine"
        state.mkdir(parents=True)
        (state / "dockerd.pid").write_text(f"{other.pid}\n")
        done = run(script, "stop", DOCKER_HOST=url(tmp_path / "nothing.sock"))
        assert done.returncode == 0
        assert "no dockerd of this checkout" in done.stderr
        assert other.poll() is None
        other.communicate(b"\n")
    assert other.returncode == 0
