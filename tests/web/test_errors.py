"""Every error has a status, and what is not for the user stays on the server."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tornado.web import HTTPError

from jupyter_ppo.domain import errors
from jupyter_ppo.domain.sandbox import SandboxStatus
from jupyter_ppo.domain.tutoring import Failure
from jupyter_ppo.web.errors import error_answer, retry_after, status_of

STATUSES = {
    "PPOError": 500,
    "InvalidInputError": 400,
    "InvalidNotebookError": 400,
    "WrongAssignmentError": 400,
    "TooLargeError": 413,
    "UntrustedRunError": 409,
    "NotFoundError": 404,
    "ForbiddenError": 403,
    "ConflictError": 409,
    "UnavailableError": 503,
    "EngineUnavailableError": 503,
    "ImageMissingError": 503,
    "StorageFullError": 507,
    "DatabaseVersionError": 503,
    "LeaseLostError": 500,
    "SandboxError": 500,
}


def test_every_error_has_the_status_of_the_contract() -> None:
    assert {name: status_of(getattr(errors, name)("x")) for name in STATUSES} == STATUSES


@settings(deadline=None, max_examples=100)
@given(st.floats(0, 1e6), st.sampled_from([errors.TooManyRequestsError, errors.BusyError]))
def test_who_is_told_to_wait_is_told_enough_in_whole_seconds(seconds: float, kind: Any) -> None:
    error = kind("x", retry_after=seconds)
    told = retry_after(error)
    assert told is not None
    assert max(seconds, 1) <= told <= seconds + 1
    assert status_of(error) == (429 if kind is errors.TooManyRequestsError else 503)


def test_who_waits_for_a_model_is_told_how_long_if_anybody_knows() -> None:
    for seconds, told in ((None, None), (0.0, 1), (12.2, 13)):
        error = errors.ModelUnavailableError("x", failure=Failure.RATE_LIMITED, retry_after=seconds)
        assert retry_after(error) == told
        assert status_of(error) == 503


def test_an_error_of_ours_keeps_its_code_sentence_and_field() -> None:
    status, body = error_answer(500, errors.InvalidInputError("name: no.", field="name"))
    assert (status, body.code, body.message, body.field) == (
        400,
        "invalid_input",
        "name: no.",
        "name",
    )


@pytest.mark.parametrize(
    "error", [errors.SandboxError("/secret"), errors.LeaseLostError("/secret"), OSError("/secret")]
)
def test_what_is_our_fault_is_told_without_details(error: Exception) -> None:
    status, body = error_answer(500, error)
    assert (status, body.code, body.field) == (500, "internal", None)
    assert "/secret" not in body.message


@settings(deadline=None, max_examples=100)
@given(st.integers(400, 599), st.none() | st.text(max_size=20))
def test_every_http_error_gets_a_sentence(status: int, message: str | None) -> None:
    try:
        error = HTTPError(status, message)
    except ValueError:
        return
    answered, body = error_answer(status, error)
    assert answered == (status if status < 500 else 500)
    assert body.message


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (HTTPError(400, "100% of it"), "100% of it"),
        (HTTPError(400, "%d%% of %s", 5, "it"), "5% of it"),
    ],
)
def test_a_message_of_the_server_is_told_as_it_was_meant(error: HTTPError, message: str) -> None:
    assert error_answer(400, error)[1].message == message


class BrokenSandbox:
    """Breaks the promise of the port that ``status`` never raises."""

    def status(self) -> SandboxStatus:
        msg = "cannot read /secret/token"
        raise OSError(msg)

    async def run(self, notebook: Any, limits: Any, exam: Any = None) -> Any:
        raise OSError


def tells_nothing(response: Any, status: int, code: str) -> None:
    """Check that an answer holds no detail of what went wrong."""
    assert response.code == status
    body = json.loads(response.body)
    assert (set(body), body["code"]) == ({"code", "message", "field"}, code)
    text = f"{response.body.decode()} {response.headers} {response.reason}"
    for leak in ("secret", "Traceback", ".py", "sqlite", "courses", "SELECT"):
        assert leak not in text


@pytest.mark.parametrize("sandbox_class", [BrokenSandbox])
async def test_an_error_of_a_part_is_logged_and_not_shown(api: Any, caplog: Any) -> None:
    tells_nothing(await api("ada", "GET", "/me"), 500, "internal")
    assert "cannot read /secret/token" in caplog.text


async def test_an_error_of_the_database_is_not_shown(api: Any, tmp_path: Path) -> None:
    [database] = (tmp_path / "ppo").glob("*.sqlite")
    with sqlite3.connect(database) as connection:
        connection.execute("ALTER TABLE courses RENAME TO gone")
    connection.close()
    tells_nothing(await api("ada", "GET", "/courses"), 503, "unavailable")


async def test_a_slow_database_stops_no_other_request(api: Any, tmp_path: Path) -> None:
    [database] = (tmp_path / "ppo").glob("*.sqlite")
    lock = sqlite3.connect(database, isolation_level=None)
    try:
        lock.execute("BEGIN IMMEDIATE")
        waiting = asyncio.ensure_future(api("ada", "POST", "/courses", {"name": "ppo"}))
        deadline = time.monotonic() + 60
        while not any(each.name.startswith("jupyter-ppo-web") for each in threading.enumerate()):
            assert time.monotonic() < deadline
            assert (await api("ada", "GET", "/openapi.json")).code == 200
        assert (await api("ada", "GET", "/openapi.json")).code == 200
        assert not waiting.done()
    finally:
        lock.close()
    assert (await waiting).code == 201


class SlowSandbox:
    """A container engine that does not answer until it is told to."""

    asked = threading.Event()
    answer = threading.Event()

    def status(self) -> SandboxStatus:
        self.asked.set()
        self.answer.wait(60)
        return SandboxStatus(False, None, None, "slow", "wait")

    async def run(self, notebook: Any, limits: Any, exam: Any = None) -> Any:
        raise NotImplementedError


@pytest.mark.parametrize("sandbox_class", [SlowSandbox])
async def test_a_slow_engine_stops_no_other_request(api: Any) -> None:
    many = 9  # more than there are threads: together they ask the engine once
    try:
        waiting = [asyncio.ensure_future(api(None, "GET", "/health")) for _ in range(many)]
        assert await asyncio.to_thread(SlowSandbox.asked.wait, 60)
        assert (await api("ada", "GET", "/courses")).code == 200
        assert not any(request.done() for request in waiting)
    finally:
        SlowSandbox.answer.set()
    bodies = [json.loads((await request).body) for request in waiting]
    assert {body["status"] for body in bodies} == {"degraded"}
    SlowSandbox.asked.clear()
    SlowSandbox.answer.clear()


@pytest.mark.parametrize(
    "said",
    ["'_xsrf' argument missing from POST", "XSRF cookie does not match POST argument"],
)
def test_a_page_whose_sign_in_has_ended_says_so_in_plain_words(said: str) -> None:
    status, body = error_answer(403, HTTPError(403, said))
    assert status == 403
    assert "xsrf" not in body.message.casefold()
    assert "Load the page again" in body.message
