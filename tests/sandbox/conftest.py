"""Notebooks and sandboxes for the tests of this room."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from jupyter_ppo.domain.sandbox import NotebookRun, SandboxLimits
from jupyter_ppo.sandbox import owner
from jupyter_ppo.sandbox.engine import Engine
from jupyter_ppo.sandbox.notebook import ContainerSandbox

MakeNotebook = Callable[..., dict[str, Any]]
Run = Callable[..., NotebookRun]


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


def wait_until(condition: Callable[[], bool], what: str, seconds: float = 60) -> None:
    """Fail unless the condition holds within a generous time."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.02)


@pytest.fixture
def eventually() -> Callable[[Callable[[], bool], str], None]:
    return wait_until


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
            if name.startswith(f"{owner._PREFIX}-{os.getpid()}-")
        ]
        return len(os.listdir("/proc/self/fd")), threading.active_count(), len(folders)

    return count
