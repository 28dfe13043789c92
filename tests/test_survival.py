"""A server that is killed while it grades loses nothing and leaves nothing behind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from jupyter_ppo.cli.demo_check import wait_for_server
from jupyter_ppo.domain.access import Caller
from jupyter_ppo.sandbox.engine import Engine
from jupyter_ppo.sandbox.owner import LABEL
from jupyter_ppo.wiring import PPOService

pytestmark = [pytest.mark.docker, pytest.mark.image]
TOKEN = "for-this-test-only"
DEADLINE = 150.0
GRADED = {"grade": True, "solution": False, "locked": True, "schema_version": 3, "points": 2}
ANSWER = {"grade": False, "solution": True, "locked": False, "schema_version": 3}


def _notebook(answer: str) -> bytes:
    cells = [
        new_code_cell(answer, id="a", metadata={"nbgrader": {**ANSWER, "grade_id": "answer"}}),
        new_code_cell(
            "assert x == 4", id="t", metadata={"nbgrader": {**GRADED, "grade_id": "test"}}
        ),
    ]
    return nbformat.writes(new_notebook(cells=cells)).encode()


class Server:
    """A Jupyter server with the extension, in a process of its own."""

    def __init__(self, process: subprocess.Popen[bytes], url: str) -> None:
        self.process = process
        self._base = f"{url}jupyter-ppo/api/v1"

    def fetch(self, path: str, body: bytes | None = None) -> Any:
        headers = {"Authorization": f"token {TOKEN}"}
        request = urllib.request.Request(self._base + path, data=body, headers=headers)  # noqa: S310
        with urllib.request.urlopen(request, timeout=60) as response:  # noqa: S310
            return json.load(response)


@contextmanager
def _server(home: Path) -> Iterator[Server]:
    runtime = home / "runtime"
    command = [sys.executable, "-m", "jupyter_server", "--ServerApp.port=0", "--allow-root"]
    command += ["--ServerApp.jpserver_extensions={'jupyter_ppo': True}", "--no-browser"]
    command += [f"--PPOService.data_dir={home / 'data'}", "--PPOService.lease_seconds=3"]
    command += ["--PPOService.owner=ada", f"--ServerApp.root_dir={home}"]
    command += ["--PPOService.warm_heavy_kernels=0"]
    environment = {**os.environ, "JUPYTER_TOKEN": TOKEN, "JUPYTER_RUNTIME_DIR": str(runtime)}
    with (home / "server.log").open("ab") as log:
        process = subprocess.Popen(
            command, env=environment, stdout=log, stderr=subprocess.STDOUT, cwd=home
        )
        try:
            yield Server(process, wait_for_server(process, runtime))
        finally:
            if process.poll() is None:
                process.terminate()
            process.wait(60)


def _wait(condition: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + DEADLINE
    while not (found := condition()):
        assert time.monotonic() < deadline, "the condition did not come true"
        time.sleep(0.1)
    return found


def _containers_of(pid: int, *, running: bool = False) -> list[str]:
    with Engine.connect() as engine:
        found = engine.api.containers(all=not running, filters={"label": LABEL})
    return [item["Id"] for item in found if item["Labels"][LABEL].split(":")[-2] == str(pid)]


@pytest.mark.timeout(400)
def test_a_server_killed_while_it_grades_leaves_no_container_and_the_next_one_grades(
    tmp_path: Path,
) -> None:
    ada = Caller("ada", admin=True)
    service = PPOService(data_dir=str(tmp_path / "data"), owner="ada").build()
    service.assessment.create_course(ada, "rl")
    source = _notebook("### BEGIN SOLUTION\nx = 4\n### END SOLUTION")
    service.assessment.release(ada, "rl", "ps1", source)
    service.close()
    answer = _notebook("import time\nfor _ in range(100):\n    time.sleep(0.1)\nx = 4")

    with _server(tmp_path) as first:
        received = first.fetch("/courses/rl/assignments/ps1/submissions", answer)
        _wait(lambda: first.fetch(f"/submissions/{received['id']}")["state"] == "grading")
        _wait(lambda: _containers_of(first.process.pid, running=True))
        first.process.kill()
        first.process.wait(60)
    _wait(lambda: not _containers_of(first.process.pid, running=True))

    with _server(tmp_path) as second:
        # One that was made but not started yet when the server was killed ends with the next start.
        _wait(lambda: not _containers_of(first.process.pid))
        path = f"/submissions/{received['id']}"
        _wait(lambda: second.fetch(path)["state"] == "graded")
        assert second.fetch(path)["points"] == 2
        assert second.fetch(path)["attempt"] == 1
