"""Notebooks, sandboxes and an engine that can be made to fail, for the tests of this room."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import os
import re
import socket
import socketserver
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest

from jupyter_ppo.domain.sandbox import NotebookRun, SandboxLimits
from jupyter_ppo.sandbox import owner
from jupyter_ppo.sandbox.engine import Engine
from jupyter_ppo.sandbox.notebook import ContainerSandbox

MakeNotebook = Callable[..., dict[str, Any]]
Run = Callable[..., NotebookRun]
T = TypeVar("T")


@pytest.fixture
def notebook_of() -> MakeNotebook:
    """Make a notebook of code cells with these sources."""

    def make(*sources: str) -> dict[str, Any]:
        cells = [
            {
                "cell_type": "code",
                "id": f"cell-{number}",
                "source": source,
                "metadata": {},
                "outputs": [],
                "execution_count": None,
            }
            for number, source in enumerate(sources)
        ]
        return {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}

    return make


@pytest.fixture
def run(notebook_of: MakeNotebook) -> Run:
    """Run these sources in a container of the real engine."""

    def run_sources(*sources: str, **limits: Any) -> NotebookRun:
        wanted = SandboxLimits(**({"memory_mb": 512, "cell_seconds": 60} | limits))
        return asyncio.run(ContainerSandbox().run(notebook_of(*sources), wanted))

    return run_sources


@pytest.fixture
def engine() -> Iterator[Engine]:
    with Engine.connect() as connected:
        yield connected


def wait_until(condition: Callable[[], bool], what: str, seconds: float = 120) -> None:
    """Fail unless the condition holds within a generous time."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.02)


@pytest.fixture
def eventually() -> Callable[[Callable[[], bool], str], None]:
    return wait_until


def settled_value(measure: Callable[[], T]) -> T:
    """Return what is measured once it has stayed the same for half a second.

    Threads and descriptors of what ran before go a moment later, ZeroMQ's in a thread of its own.
    """
    value, since, end = measure(), time.monotonic(), time.monotonic() + 120
    while time.monotonic() - since < 0.5:
        assert time.monotonic() < end, f"{value} does not settle"
        time.sleep(0.02)
        if (now := measure()) != value:
            value, since = now, time.monotonic()
    return value


@pytest.fixture
def settled() -> Callable[[Callable[[], Any]], Any]:
    return settled_value


@pytest.fixture
def own_containers(engine: Engine) -> Callable[[], list[str]]:
    """List the containers of this process."""

    def listed() -> list[str]:
        label = f"{owner.LABEL}={owner.own_token()}"
        found = engine.api.containers(all=True, filters={"label": label})
        return [container["Names"][0] for container in found]

    return listed


@pytest.fixture
def open_things() -> Callable[[], tuple[int, int, int]]:
    """Count this process's open files, threads and private folders."""

    def count() -> tuple[int, int, int]:
        folders = [
            name
            for root in {str(path) for path in owner._roots()}
            for name in os.listdir(root)
            if name.startswith(f"{owner._own_prefix()}-")
        ]
        gc.collect()
        return len(os.listdir("/proc/self/fd")), threading.active_count(), len(folders)

    return count


class UnwellEngine(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """Passes requests on to the real engine, but answers those that match ``refused`` itself."""

    daemon_threads = True

    def __init__(self, path: str, engine: str) -> None:
        self.engine = engine
        self.refused, self.status = re.compile("(?!)"), 500
        super().__init__(path, _Passing)

    def refuse(self, requests: str, status: int) -> None:
        """Answer ``status`` to requests whose first line begins as the expression says."""
        self.refused, self.status = re.compile(requests), status

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print nothing: a connection that breaks is part of what is tested."""


class _Passing(socketserver.BaseRequestHandler):
    """One connection. A request begins a chunk: a client sends it after the last one's answer."""

    server: UnwellEngine

    def handle(self) -> None:
        with socket.socket(socket.AF_UNIX) as engine:
            engine.connect(self.server.engine)
            back = threading.Thread(target=self._pass_back, args=(engine,), daemon=True)
            back.start()
            while data := self.request.recv(65536):
                if self.server.refused.match(data.decode("latin-1")):
                    self._refuse(data)
                    break
                engine.sendall(data)
            engine.shutdown(socket.SHUT_RDWR)
            back.join()

    def _pass_back(self, engine: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := engine.recv(65536):
                self.request.sendall(data)
            self.request.shutdown(socket.SHUT_RDWR)

    def _refuse(self, data: bytes) -> None:
        head, _, body = data.partition(b"\r\n\r\n")
        length = re.search(rb"content-length: *([0-9]+)", head, re.IGNORECASE)
        left = int(length[1]) - len(body) if length else 0
        while left > 0:
            left -= len(self.request.recv(left))
        said = json.dumps({"message": "made to fail"}).encode()
        self.request.sendall(
            b"HTTP/1.1 %d Unwell\r\nContent-Type: application/json\r\nConnection: close\r\n"
            b"Content-Length: %d\r\n\r\n%s" % (self.server.status, len(said), said)
        )


@pytest.fixture
def unwell_engine(engine: Engine, tmp_path: Path) -> Iterator[tuple[UnwellEngine, str]]:
    """An engine to be told what to refuse, and its address."""
    kind, _, path = engine.base_url.partition("://")
    if not kind.endswith("unix"):
        pytest.skip("only an engine at a Unix socket is passed on")
    with UnwellEngine(os.path.relpath(tmp_path / "e.sock"), path) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield server, f"unix://{tmp_path / 'e.sock'}"
        server.shutdown()
        thread.join()
