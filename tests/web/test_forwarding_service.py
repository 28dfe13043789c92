"""The real service behind a real server that forwards: a student sees the same as at the service.

Names are tokens at the service, so that the hub's token of a server is the name of its student.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

import nbformat
import pytest
from forwarding_aid import OWN_TOKEN, Forwarder, until
from nbformat.v4 import new_markdown_cell
from tornado.httpclient import HTTPRequest
from tornado.websocket import websocket_connect

OWNER, INSTRUCTOR = "sam", "ines"
DEADLINE_SECONDS = 60


@pytest.fixture
def jp_base_url() -> str:
    return "/services/ppo/"


@pytest.fixture
def sam(jp_serverapp: Any, jp_http_port: int, make_forwarder: Any, jp_asyncio_loop: Any) -> Any:
    """Sam's own server; the service is the server of ``api``."""
    return jp_asyncio_loop.run_until_complete(make_forwarder(jp_http_port, OWNER))


async def ok(own: Forwarder, method: str, path: str, body: bytes | None = None) -> Any:
    found = await own(method, path, body)
    assert found.code in {200, 201, 202}, (found.code, found.body)
    return json.loads(found.body)


async def test_the_service_knows_the_student_by_the_hub_s_token(api: Any, sam: Forwarder) -> None:
    me = await ok(sam, "GET", "/me")
    assert (me["user"], me["admin"]) == (OWNER, False)
    assert (await sam("POST", "/courses", b'{"name": "ppo", "title": "x"}')).code == 403


async def test_a_student_hands_in_and_reads_the_grade(
    api: Any, sam: Forwarder, source: bytes, answer: bytes
) -> None:
    await api.course(source)
    notebook = await sam("GET", "/courses/ppo/assignments/one/notebook")
    assert notebook.headers["Content-Type"] == "application/x-ipynb+json"
    assert "one.ipynb" in notebook.headers["Content-Disposition"]
    path = "/courses/ppo/assignments/one/submissions"
    made = await sam("POST", path, answer, headers={"Idempotency-Key": "k"})
    again = await sam("POST", path, answer, headers={"Idempotency-Key": "k"})
    assert (made.code, again.code) == (201, 200)
    submission = json.loads(made.body)["id"]
    assert json.loads(again.body)["id"] == submission
    await api.graded(submission)
    grade = await ok(sam, "GET", f"/submissions/{submission}/grade")
    assert grade == await api.ok(OWNER, "GET", f"/submissions/{submission}/grade")
    page = await sam("GET", f"/submissions/{submission}/feedback", headers={"Accept": "text/html"})
    direct = await api(OWNER, "GET", f"/submissions/{submission}/feedback")
    assert page.headers["Content-Type"] == direct.headers["Content-Type"]
    for name in ("Content-Security-Policy", "X-Content-Type-Options", "Cache-Control"):
        assert page.headers[name] == direct.headers[name]


async def test_a_notebook_of_20_mb_is_taken(
    api: Any, sam: Forwarder, source: bytes, answer: bytes
) -> None:
    await api.course(source)
    notebook = nbformat.reads(answer.decode(), as_version=4)
    notebook.cells.append(new_markdown_cell("x" * (20 * 2**20), id="long"))
    body = nbformat.writes(notebook).encode()
    made = await sam("POST", "/courses/ppo/assignments/one/submissions", body)
    assert made.code == 201, made.body
    more = await sam("POST", "/courses/ppo/assignments/one/submissions", bytes(26 * 2**20))
    assert (more.code, json.loads(more.body)["code"]) == (413, "too_large")


async def test_where_something_was_made_is_said_in_this_server_s_address(
    api: Any, sam: Forwarder
) -> None:
    made = await sam("POST", "/runs", b'{"preset": "cartpole-fast", "tags": ["wait"]}')
    assert made.code in {201, 202}, made.body
    location = made.headers["Location"]
    assert location.startswith("/user/sam/jupyter-ppo/api/v1/runs/")
    assert (await sam("GET", location.removeprefix("/user/sam/jupyter-ppo/api/v1"))).code == 200


async def test_the_stream_of_a_run_comes_through(api: Any, sam: Forwarder, placed: Any) -> None:
    made = await ok(sam, "POST", "/runs", b'{"preset": "cartpole-fast", "tags": ["wait"]}')
    run = made["items"][0]["id"] if "items" in made else made["id"]
    request = HTTPRequest(
        f"{sam.api}/runs/{run}/stream".replace("http", "ws", 1),
        headers={"Authorization": f"token {OWN_TOKEN}"},
    )
    client = await websocket_connect(request)
    await until(lambda: run in placed)
    placed[run].measure(range(100, 600, 100), **{"return": 20.0})
    steps: list[int] = []
    while len(steps) < 5:
        steps += await _steps(client)
    placed[run].finish()
    while await asyncio.wait_for(client.read_message(), DEADLINE_SECONDS) is not None:
        pass
    assert steps == [100, 200, 300, 400, 500]
    assert (client.close_code, client.close_reason) == (1000, "The run has ended.")
    client.close()


async def _steps(client: Any) -> list[int]:
    message = json.loads(await asyncio.wait_for(client.read_message(), DEADLINE_SECONDS))
    return [item["step"] for item in message["items"]] if message["type"] == "points" else []


async def test_every_address_of_the_service_is_there(api: Any, sam: Forwarder) -> None:
    here, there = (await sam("GET", "/openapi.json")), (await api(OWNER, "GET", "/openapi.json"))
    assert json.loads(here.body)["paths"] == json.loads(there.body)["paths"]
    assert (await sam("GET", "/nothing/here")).code == 404
    wrong, direct = await sam("DELETE", "/me"), await api(OWNER, "DELETE", "/me")
    assert (wrong.code, wrong.headers["Allow"]) == (405, direct.headers["Allow"])


async def test_a_token_that_the_service_does_not_know_is_told_as_such(
    api: Any, jp_http_port: int, make_forwarder: Any
) -> None:
    own = await make_forwarder(jp_http_port, "a-token-of-nobody")
    for method in ("GET", "POST"):
        found = await own(method, "/me", None if method == "GET" else b"{}")
        assert (found.code, json.loads(found.body)["code"]) == (502, "service_refused")
    health = json.loads((await own("GET", "/health")).body)
    assert health["service_reachable"] is True


async def test_what_a_person_may_not_do_is_still_the_service_s_answer(
    api: Any, sam: Forwarder, source: bytes
) -> None:
    await api.course(source)
    found = await sam("GET", "/courses/ppo/members")
    assert (found.code, json.loads(found.body)["code"]) == (403, "forbidden")
