"""The server starts whatever is missing, says what it is, and leaves nothing behind."""

from __future__ import annotations

import copy
import json
import sqlite3
import threading
import time
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from pytest_jupyter.jupyter_server import *  # noqa: F403 - the fixtures that start a server
from traitlets.config import Config

import jupyter_ppo
from jupyter_ppo.domain.exam import CheckRun, CheckState, Exam
from jupyter_ppo.domain.sandbox import CellRun, NotebookRun, SandboxStatus, Verdict
from jupyter_ppo.extension import PPOExtension
from jupyter_ppo.web.urls import ROUTES
from jupyter_ppo.wiring import PPOService

API = "jupyter-ppo/api/v1"
DEADLINE_SECONDS = 60


class PassingSandbox:
    """Answers as a container in which no cell failed; runs nothing."""

    def status(self) -> SandboxStatus:
        return SandboxStatus(True, "test engine", "test image", None, None)

    async def run(
        self, notebook: dict[str, Any], limits: Any, exam: Exam | None = None
    ) -> NotebookRun:
        cells = tuple(CellRun(i, finished=True, seconds=0.0) for i in range(len(notebook["cells"])))
        tests = exam.tests if exam else ()
        checks = tuple(CheckRun(index, CheckState.PASSED) for index in tests)
        return NotebookRun(copy.deepcopy(notebook), Verdict.RAN, "", cells, 0.0, checks=checks)


NO_CONTAINERS = {
    "sandbox_class": PassingSandbox,
    "warm_programs": 0,
    "warm_kernels": 0,
    "warm_heavy_kernels": 0,
}


@pytest.fixture
def service_settings(tmp_path: Path) -> dict[str, Any]:
    return {"data_dir": str(tmp_path / "ppo"), "owner": "olga"} | NO_CONTAINERS


@pytest.fixture
def jp_server_config(service_settings: dict[str, Any]) -> Config:
    extensions = {"jupyter_ppo": True, "jupyter_server_terminals": False}
    return Config(
        {
            "ServerApp": {
                "jpserver_extensions": extensions,
                "allow_unauthenticated_access": False,
                "reraise_server_extension_failures": True,
            },
            "PPOService": service_settings,
        }
    )


@pytest.fixture
def get(jp_fetch: Any, jp_asyncio_loop: Any) -> Any:
    """Fetch from the API: the status and the JSON body."""

    def fetch(path: str, method: str = "GET") -> tuple[int, Any]:
        body = None if method == "GET" else b"{}"
        response = jp_asyncio_loop.run_until_complete(
            jp_fetch(f"{API}{path}", method=method, body=body, raise_error=False)
        )
        return response.code, json.loads(response.body)

    return fetch


@pytest.fixture
def newer_database(tmp_path: Path) -> None:
    settings = PPOService(data_dir=str(tmp_path / "ppo"))
    settings.build().close()
    connection = sqlite3.connect(tmp_path / "ppo" / "jupyter_ppo.sqlite")
    with connection:
        connection.execute("UPDATE alembic_version SET version_num = 'v9999_future'")
    connection.close()


@pytest.fixture
def no_folder(tmp_path: Path) -> None:
    (tmp_path / "ppo").write_text("a file where the folder should be")


@pytest.fixture
def no_engine(monkeypatch: pytest.MonkeyPatch, service_settings: dict[str, Any]) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nonexistent/engine.sock")
    del service_settings["sandbox_class"]  # the real one


def test_jupyter_server_finds_the_extension() -> None:
    assert jupyter_ppo._jupyter_server_extension_points() == [
        {"module": "jupyter_ppo", "app": PPOExtension}
    ]


def test_without_an_engine_all_but_grading_works(no_engine: None, get: Any) -> None:
    status, me = get("/me")
    assert (status, me["user"], me["admin"]) == (200, "olga", True)
    assert me["sandbox"]["available"] is False
    assert me["sandbox"]["problem"]
    assert me["sandbox"]["remedy"]
    assert get("/health")[1]["status"] == "degraded"
    assert get("/courses") == (200, {"items": [], "total": 0, "offset": 0, "limit": 50})


def test_a_database_from_a_newer_version_is_answered_everywhere_and_logged_once(
    newer_database: None, capsys: Any, get: Any, caplog: Any
) -> None:
    assert capsys.readouterr().err.count("written by a newer jupyter_ppo") == 1
    for path, handler in ROUTES:
        for verb in ("GET", "POST", "PUT"):
            if path.endswith("/health") or verb.lower() not in vars(handler):
                continue
            status, error = get(path, verb)
            assert (status, error["code"]) == (503, "database_version"), (verb, path)
            assert "newer" in error["message"]
    status, health = get("/health")
    assert (status, health["status"]) == (200, "degraded")
    body = {"status": "degraded", "engine": False, "image": False, "pool": {"ready": 0, "size": 0}}
    assert get("/execute/health") == (200, body)
    assert not [record for record in caplog.records if "a newer" in record.getMessage()]


def test_a_folder_that_cannot_be_used_stops_no_server(no_folder: None, get: Any) -> None:
    status, error = get("/courses")
    assert (status, error["code"]) == (503, "unavailable")
    assert "ppo" not in error["message"].replace("jupyter_ppo", "")
    assert get("/health")[1]["status"] == "degraded"


@pytest.mark.parametrize(
    ("service_settings", "said"),
    [
        ({"execute_limits": {"pids": 3}}, "execute_limits: pids: 3 is outside 8 to 4096"),
        ({"limits": {"colour": 3}}, "limits: 'colour' is not a limit"),
        ({"grading_workers": -1}, "grading_workers"),
        ({"identity": "nobody"}, "identity"),
    ],
    ids=["out of range", "unknown", "too small", "no choice"],
)
def test_a_setting_that_cannot_be_used_is_said_in_every_answer_and_logged_once(
    service_settings: dict[str, Any], said: str, capsys: Any, get: Any
) -> None:
    log = capsys.readouterr().err
    assert log.count("jupyter_ppo is not available") == 1
    assert "Traceback" not in log
    for path in ("/me", "/courses", "/execute/limits"):
        status, error = get(path)
        assert (status, error["code"]) == (503, "unavailable")
        assert said in error["message"]
    assert get("/health")[1]["status"] == "degraded"
    assert get("/execute/health")[1]["status"] == "degraded"


def _names() -> set[str]:
    return {thread.name for thread in threading.enumerate()}


def test_a_stopped_server_leaves_no_thread_and_no_open_database(
    get: Any, jp_serverapp: Any, jp_asyncio_loop: Any, tmp_path: Path
) -> None:
    assert get("/courses")[0] == 200
    assert any(name.startswith("jupyter-ppo") for name in _names())
    jp_asyncio_loop.run_until_complete(jp_serverapp._cleanup())
    assert not [name for name in _names() if name.startswith("jupyter-ppo")]
    # SQLite removes the log when the last connection is closed.
    assert [path.name for path in (tmp_path / "ppo").glob("*.sqlite-wal")] == []


@pytest.fixture
def waiting_submission(tmp_path: Path, service_settings: dict[str, Any]) -> str:
    """A submission that a server received and did not live to grade."""
    metadata = {"grade_id": "a", "grade": True, "solution": False, "locked": True, "points": 2}
    nbgrader = {"nbgrader": {**metadata, "schema_version": 3, "cell_type": "code"}}
    notebook = new_notebook(cells=[new_code_cell("assert True", id="a", metadata=nbgrader)])
    source = nbformat.writes(notebook).encode()
    settings = PPOService(config=Config({"PPOService": service_settings}))
    caller, service = settings.local_caller(), settings.build()
    try:
        service.assessment.create_course(caller, "ppo")
        service.assessment.release(caller, "ppo", "one", source)
        return str(service.assessment.submit(caller, "ppo", "one", source).id)
    finally:
        service.close()


def test_what_waited_is_graded_after_the_next_start(waiting_submission: str, get: Any) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while get(f"/submissions/{waiting_submission}")[1]["state"] in {"queued", "grading"}:
        assert time.monotonic() < deadline
    status, found = get(f"/submissions/{waiting_submission}")
    assert (status, found["state"], found["points"], found["course"]) == (200, "graded", 2, "ppo")
