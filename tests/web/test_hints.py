"""Hints over HTTP: bodies, events, and a client that goes away."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import pytest
from llm_server import Behaviour

PATH = "/courses/ppo/assignments/one/hints/double"
FIRST = {"answer": "def double(x):\n    return x"}
SECOND = {"answer": "def double(x):\n    return x + x + 0"}
EVENTS = {"Accept": "text/event-stream"}


@pytest.fixture
def service_settings(llm_server: Any) -> dict[str, Any]:
    return {
        "llm_provider": "openai",
        "llm_base_url": llm_server.openai_url,
        "llm_model": "test-model",
        "llm_timeout_seconds": 20.0,
        "llm_tries": 1,
    }


def events_in(body: bytes) -> list[tuple[str, dict[str, Any]]]:
    """Read server-sent events as a browser would."""
    found = []
    for block in body.decode().split("\n\n"):
        lines = [line for line in block.split("\n") if line and not line.startswith(":")]
        if lines:
            values = dict(line.split(": ", 1) for line in lines)
            found.append((values["event"], json.loads(values["data"])))
    return found


async def test_a_ladder_and_its_hints(api: Any, source: bytes) -> None:
    await api.course(source)
    empty = await api.ok("sam", "GET", PATH)
    assert (empty["enabled"], empty["taken"]) == (True, [])
    assert empty["next"] == {"level": "restate", "number": 1, "cost_fraction": 0.0}
    assert empty["model"]["model"] == "test-model"
    failure = {"error_type": "AssertionError", "message": "double of 2 is 4"}
    hint = await api.ok("sam", "POST", PATH, {**FIRST, "failure": failure})
    assert hint["source"] == "rule"
    assert "double of 2 is 4" in hint["text"]
    assert "No language model is involved" in hint["said_by"]
    again = await api.ok("sam", "POST", PATH, FIRST)
    assert again["id"] == hint["id"]
    ladder = await api.ok("sam", "GET", PATH)
    assert [taken["id"] for taken in ladder["taken"]] == [hint["id"]]
    assert (await api.ok("sue", "GET", PATH))["taken"] == []


async def test_a_models_hint_comes_as_events(api: Any, source: bytes, llm_server: Any) -> None:
    await api.course(source)
    await api.ok("sam", "POST", PATH, FIRST)
    llm_server.always("cut_bytes")
    response = await api("sam", "POST", PATH, SECOND, headers=EVENTS)
    assert response.code == 201
    assert response.headers["Content-Type"].startswith("text/event-stream")
    events = events_in(response.body)
    assert {name for name, _ in events[:-1]} == {"text"}
    name, hint = events[-1]
    assert (name, hint["source"], hint["level"]) == ("done", "model", "concept")
    assert "".join(data["text"] for _, data in events[:-1]) == hint["text"]
    assert f"the language model test-model at {llm_server.host}" in hint["said_by"]


async def test_words_that_leak_are_replaced(api: Any, source: bytes, llm_server: Any) -> None:
    await api.course(source)
    await api.ok("sam", "POST", PATH, FIRST)
    words = "Think about what it means to have a number twice, with your pencil in your hand. "
    llm_server.will(Behaviour("ok", text=f"{words * 6}Then y = 2 * x and return 2 * x."))
    response = await api("sam", "POST", PATH, SECOND, headers=EVENTS)
    events = events_in(response.body)
    assert "2 * x" not in response.body.decode()
    assert [name for name, _ in events][-2:] == ["replace", "done"]
    assert events[-2][1]["text"] == events[-1][1]["text"]


async def test_errors_before_the_first_word_are_answered_as_everywhere(
    api: Any, source: bytes
) -> None:
    await api.course(source)
    await api.ok("sam", "POST", PATH, {"answer": ""})
    for headers in ({}, EVENTS):
        response = await api("sam", "POST", PATH, {"answer": "# nothing"}, headers=headers)
        assert response.code == 201  # the same attempt: none
        refused = await api(
            "sam",
            "POST",
            PATH,
            {"answer": "def double(x):\n    # YOUR CODE HERE\n    raise NotImplementedError()"},
            headers=headers,
        )
        assert refused.code == 409
        assert json.loads(refused.body)["field"] == "answer"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "answer"),
        ({"answer": 7}, "answer"),
        ({"answer": "x", "level": 4}, "level"),
        ({"answer": "x", "failure": {"message": "m" * 4_001}}, "failure.message"),
        ({"answer": "x" * 50_001}, "answer"),
    ],
)
async def test_bodies_that_cannot_be_used_name_the_field(
    api: Any, source: bytes, body: dict[str, Any], field: str
) -> None:
    await api.course(source)
    response = await api("sam", "POST", PATH, body)
    assert response.code == 400
    assert json.loads(response.body)["field"] == field


async def test_what_breaks_off_is_replaced_and_no_error(
    api: Any, source: bytes, llm_server: Any
) -> None:
    await api.course(source)
    await api.ok("sam", "POST", PATH, FIRST)
    llm_server.always("drops_midway")
    response = await api("sam", "POST", PATH, SECOND, headers=EVENTS)
    name, hint = events_in(response.body)[-1]
    assert (name, hint["source"]) == ("done", "rule")
    assert hint["note"]


async def test_a_client_that_hangs_up_stops_a_model_that_stalls(
    api: Any, source: bytes, llm_server: Any, jp_base_url: str, http_server_port: Any
) -> None:
    await api.course(source)
    await api.ok("sam", "POST", PATH, FIRST)
    llm_server.always(Behaviour("stalls", seconds=15.0))
    port = http_server_port[-1]
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    body = json.dumps(SECOND).encode()
    head = (
        f"POST {jp_base_url}jupyter-ppo/api/v1{PATH} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
        f"Authorization: token sam\r\nAccept: text/event-stream\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    writer.write(head.encode() + body)
    await writer.drain()
    await asyncio.wait_for(reader.readuntil(b"event: text"), 20)  # some words came
    writer.close()
    begun = time.monotonic()
    while time.monotonic() - begun < 10:  # far less than the model would take
        calls = await api.ok("sam", "GET", PATH)
        if len(calls["taken"]) == 2:
            break
        await asyncio.sleep(0.1)
    taken = (await api.ok("sam", "GET", PATH))["taken"]
    assert [hint["source"] for hint in taken] == ["rule", "rule"]
