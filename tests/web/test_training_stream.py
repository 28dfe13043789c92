"""The WebSocket of a run: nothing lost, nothing twice, nothing without bounds, a reason at the end.

Everything goes over the network to a real server.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import Iterator
from typing import Any

import pytest
from jupyter_server.auth import IdentityProvider
from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.simple_httpclient import HTTPTimeoutError
from tornado.websocket import WebSocketClientConnection, websocket_connect

from jupyter_ppo.domain.training import EventKind
from jupyter_ppo.web import training_stream
from jupyter_ppo.web.training_stream import MAX_MESSAGE_BYTES

DEADLINE_SECONDS = 60
SERVER_TOKEN = "server-token"


class Client:
    """Connects to the stream of a run."""

    def __init__(self, base: str) -> None:
        self._base = base
        self._made: list[WebSocketClientConnection] = []

    def close(self) -> None:
        for connection in self._made:
            connection.close()

    async def __call__(
        self, run: str, user: str | None = "sam", query: str = "", **headers: str
    ) -> WebSocketClientConnection:
        sent = {"Authorization": f"token {user}"} if user else {}
        request = HTTPRequest(
            f"{self._base}/runs/{run}/stream{query}",
            headers=sent | {name.title(): value for name, value in headers.items()},
            connect_timeout=DEADLINE_SECONDS,
            request_timeout=DEADLINE_SECONDS,
        )
        self._made.append(await websocket_connect(request))
        return self._made[-1]

    async def refused(self, *args: Any, **options: Any) -> tuple[int, Any]:
        """Return the status and the body of a handshake that fails."""
        with pytest.raises(HTTPClientError) as error:
            await self(*args, **options)
        assert not isinstance(error.value, HTTPTimeoutError)
        body = error.value.response.body if error.value.response else b""
        return error.value.code, json.loads(body or b"null")


@pytest.fixture
def client(jp_serverapp: Any, jp_http_port: int, jp_base_url: str) -> Iterator[Client]:
    made = Client(f"ws://127.0.0.1:{jp_http_port}{jp_base_url}jupyter-ppo/api/v1")
    yield made
    made.close()


async def message(connection: WebSocketClientConnection) -> dict[str, Any] | None:
    """Return the next message; None when the stream is closed."""
    text = await asyncio.wait_for(connection.read_message(), DEADLINE_SECONDS)
    if text is None:
        return None
    found: dict[str, Any] = json.loads(text)
    return found


async def messages(connection: WebSocketClientConnection) -> list[dict[str, Any]]:
    """Return every message until the stream is closed."""
    found = []
    while (one := await message(connection)) is not None:
        found.append(one)
    return found


async def started(api: Any, placed: Any, user: str = "sam") -> tuple[str, Any]:
    """Start a run whose folder the test writes."""
    made = await api.ok(user, "POST", "/runs", {"tags": ["wait"]})
    run = made["items"][0]["id"]
    deadline = time.monotonic() + DEADLINE_SECONDS
    while (await api.ok(user, "GET", f"/runs/{run}"))["state"] != "running":
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)
    return run, placed[run]


def items_of(found: list[dict[str, Any]], kind: str) -> list[Any]:
    return [item for one in found if one["type"] == kind for item in one["items"]]


def in_file(hand: Any) -> list[dict[str, Any]]:
    """Return what the run's own file says, in the stream's words."""
    found = []
    for line in hand.files.metrics_file.read_text(encoding="utf-8").splitlines():
        data = json.loads(line)
        if "rewind" not in data:
            data = {"step": data.pop("step"), "seconds": data.pop("seconds"), "values": data}
        found.append(data)
    return found


async def test_a_stream_brings_all_there_is_then_what_comes_and_ends_with_the_run(
    api: Any, placed: Any, client: Client
) -> None:
    run, hand = await started(api, placed)
    hand.measure(range(10, 50, 10), **{"return": 3.0})
    connection = await client(run)
    first = [await message(connection) for _ in range(3)]
    assert [one["type"] for one in first if one] == ["status", "event", "points"]
    assert first[0] is not None
    assert (first[0]["state"], first[0]["position"]) == ("running", None)
    hand.measure(range(50, 90, 10), **{"return": 4.0})
    hand.finish()
    rest = await messages(connection)
    assert items_of([one for one in first if one] + rest, "points") == in_file(hand)
    last = [one for one in rest if one["type"] == "status"][-1]
    assert (last["state"], last["progress"]["step"]) == ("finished", 80)
    assert rest[-1] == {"type": "end"}
    assert connection.close_code == 1000
    events = items_of([one for one in first if one] + rest, "event")
    assert [event["data"]["state"] for event in events] == ["running", "finished"]


async def test_whoever_is_cut_off_again_and_again_gets_everything_once(
    api: Any, placed: Any, client: Client
) -> None:
    run, hand = await started(api, placed)
    chance = random.Random(5)  # noqa: S311 - not for secrets
    points: list[Any] = []
    events: list[Any] = []
    cursors = {"points": 0, "event": 0}

    async def write() -> None:
        step = 0
        for _ in range(60):
            hand.measure(range(step + 1, step + 40), **{"return": chance.random()})
            step += chance.randrange(20, 40)
            if chance.random() < 0.3:
                step = max(step - chance.randrange(1, 30), 1)
                hand.rewind(step)
            hand.files.note(EventKind.WARNING, step, f"at {step}")
            await asyncio.sleep(0.05)
        hand.finish()

    writer = asyncio.create_task(write())
    drops = 0
    while True:
        query = f"?since={cursors['points']}&events_since={cursors['event']}"
        connection = await client(run, query=query)
        for _ in range(chance.randrange(1, 9)):
            one = await message(connection)
            if one is None or one["type"] == "end":
                break
            if one["type"] in cursors:
                (points if one["type"] == "points" else events).extend(one["items"])
                cursors[one["type"]] = one["cursor"]
        else:
            # In the middle of whatever comes now, without a goodbye.
            connection.protocol.stream.close()
            drops += 1
            continue
        break
    await writer
    assert drops >= 4
    assert points == in_file(hand)
    assert any("rewind" in item for item in points)
    said = [event["message"] for event in events if event["kind"] == "warning"]
    written, _ = hand.files.read_events_from(0)
    assert said == [event.message for event in written if event.kind is EventKind.WARNING]
    assert len(said) == 60


async def test_the_stream_goes_on_from_where_the_curves_end(
    api: Any, placed: Any, client: Client
) -> None:
    run, hand = await started(api, placed)
    hand.measure(range(1, 2000), loss=0.5)
    drawn = await api.ok("sam", "GET", f"/runs/{run}/series")
    hand.measure(range(2000, 2010), loss=0.25)
    hand.finish()
    connection = await client(run, query=f"?since={drawn['cursor']}")
    found = items_of(await messages(connection), "points")
    assert [point["step"] for point in found] == list(range(2000, 2010))


async def test_messages_are_ten_in_a_second_and_no_larger_than_said(
    api: Any, placed: Any, client: Client
) -> None:
    run, hand = await started(api, placed)
    hand.measure(range(1, 20_001), **{f"metric {number}": 0.123456789 for number in range(5)})
    hand.finish()
    connection = await client(run)
    times, sizes, points = [], [], 0
    while (text := await asyncio.wait_for(connection.read_message(), 60)) is not None:
        times.append(time.monotonic())
        sizes.append(len(text))
        points += len(json.loads(text).get("items", ())) if '"points"' in text[:20] else 0
    assert points == 20_000
    assert max(sizes) <= MAX_MESSAGE_BYTES
    assert len(times) > 10
    assert times[-1] - times[0] >= 0.1 * (len(times) - 2)


async def test_a_slow_reader_is_waited_for_and_loses_nothing(
    api: Any, placed: Any, client: Client, jp_serverapp: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training_stream, "MESSAGE_SECONDS", 0.0)
    run, hand = await started(api, placed)
    hand.measure(range(1, 40_001), **{f"metric {number}": 0.123456789 for number in range(9)})
    hand.finish()
    connection = await client(run)
    [stream] = jp_serverapp.web_app.settings["jupyter_ppo"].streams.all
    await asyncio.sleep(1.5)  # it reads nothing
    kept = len(stream.ws_connection.stream._write_buffer)
    assert kept <= MAX_MESSAGE_BYTES + 1024
    assert hand.files.metrics_file.stat().st_size > 8 * 2**20
    found = await messages(connection)
    assert [point["step"] for point in items_of(found, "points")] == list(range(1, 40_001))
    assert found[-1] == {"type": "end"}


async def test_a_run_that_waits_is_followed_from_its_place_in_the_queue(
    api: Any, placed: Any, client: Client
) -> None:
    made = await api.ok("sam", "POST", "/runs", {"tags": ["wait"], "seeds": list(range(6))})
    last = made["items"][-1]["id"]
    connection = await client(last)
    first = await message(connection)
    assert first is not None
    assert (first["type"], first["state"], first["progress"]) == ("status", "queued", None)
    assert first["position"] >= 1
    await api.ok("sam", "POST", f"/runs/{last}/commands", {"command": "stop"})
    found = await messages(connection)
    assert found[-2]["state"] == "stopped"
    assert found[-1] == {"type": "end"}
    connection.close()


async def test_what_a_client_sends_closes_the_stream(api: Any, placed: Any, client: Client) -> None:
    run, _ = await started(api, placed)
    connection = await client(run)
    await connection.write_message('{"command": "stop"}')
    await messages(connection)
    assert connection.close_code == 1003
    assert "POST" in str(connection.close_reason)
    assert (await api.ok("sam", "GET", f"/runs/{run}"))["state"] == "running"


async def test_one_person_has_so_many_streams_and_another_has_their_own(
    api: Any, placed: Any, client: Client, jp_serverapp: Any
) -> None:
    streams = jp_serverapp.web_app.settings["jupyter_ppo"].streams
    streams.per_user = 2
    run, _ = await started(api, placed)
    kept = [await client(run) for _ in range(2)]
    for connection in kept:
        await message(connection)
    third = await client(run)
    assert await messages(third) == []
    assert third.close_code == 1013
    assert "2 streams" in str(third.close_reason)
    other = await client(run, "ada")
    assert await message(other) is not None
    kept[0].close()
    deadline = time.monotonic() + DEADLINE_SECONDS
    while len(streams.all) > 2:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)
    again = await client(run)
    assert await message(again) is not None
    for connection in (kept[1], other, again):
        connection.close()


async def test_a_run_that_is_deleted_closes_its_streams(
    api: Any, placed: Any, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, hand = await started(api, placed)
    hand.measure(range(1, 30), loss=1.0)
    connection = await client(run)
    assert await message(connection) is not None
    # Between two looks at the record, so that the stream learns of it from the missing files.
    monkeypatch.setattr(training_stream, "_LOOK_SECONDS", 0.5)
    hand.finish()
    deadline = time.monotonic() + DEADLINE_SECONDS
    while (await api("sam", "DELETE", f"/runs/{run}")).code != 200:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)
    found = await messages(connection)
    assert connection.close_code in {4404, 1000}
    assert connection.close_code == 4404 or found[-1] == {"type": "end"}


async def test_a_stopping_server_says_goodbye(
    api: Any, placed: Any, client: Client, jp_serverapp: Any
) -> None:
    run, _ = await started(api, placed)
    connection = await client(run)
    assert await message(connection) is not None
    [app] = jp_serverapp.extension_manager.extension_apps["jupyter_ppo"]
    stopping = asyncio.create_task(app.stop_extension())
    await messages(connection)
    assert connection.close_code == 1001
    assert "stopping" in str(connection.close_reason)
    await stopping


async def test_nobody_and_no_other_origin_gets_a_stream(
    api: Any, placed: Any, client: Client
) -> None:
    run, _ = await started(api, placed)
    absent = "0199a5d2-0000-7000-8000-000000000000"
    assert (await client.refused(run, None))[0] == 403
    assert (await client.refused(run, "nobody"))[0] == 403
    code, theirs = await client.refused(run, "sue")
    assert (code, theirs["code"]) == (404, "not_found")
    code, nothing = await client.refused(absent, "sue")
    assert code == 404
    assert theirs["message"].replace(run, absent) == nothing["message"]
    assert (await client.refused("x"))[0] == 404
    for query in ("?since=-1", "?since=7", "?since=999999", "?events_since=3"):
        code, error = await client.refused(run, query=query)
        assert (code, error["code"]) == (400, "invalid_input"), query
    plain = await api("sam", "GET", f"/runs/{run}/stream")
    assert (plain.code, json.loads(plain.body)["code"]) == (400, "invalid_input")


class TestWithACookie:
    """Whoever a browser signed in is known by a cookie, which other sites make it send as well."""

    @pytest.fixture
    def jp_server_config(self, jp_server_config: Any) -> Any:
        jp_server_config.ServerApp.identity_provider_class = IdentityProvider
        jp_server_config.IdentityProvider.token = SERVER_TOKEN
        jp_server_config.PPOService.identity = "owner"
        jp_server_config.PPOService.owner = "olga"
        return jp_server_config

    async def test_a_stream_is_for_the_servers_own_pages_and_for_holders_of_the_token(
        self, api: Any, placed: Any, client: Client, jp_http_port: int
    ) -> None:
        run, _ = await started(api, placed, SERVER_TOKEN)
        login = await api(SERVER_TOKEN, "GET", "/me")
        cookies = [value.partition(";")[0] for value in login.headers.get_list("Set-Cookie")]
        signed_in = {"cookie": "; ".join(cookies)}
        elsewhere = {"origin": "https://elsewhere.example"}
        own = {"origin": f"http://127.0.0.1:{jp_http_port}"}
        assert (await client.refused(run, None, **signed_in, **elsewhere))[0] in {403, 404}
        assert (await client.refused(run, None, query="?token=wrong"))[0] == 403
        for user, query, headers in (
            (None, "", signed_in | own),
            (None, f"?token={SERVER_TOKEN}", {}),
            (SERVER_TOKEN, "", {}),
        ):
            connection = await client(run, user, query, **headers)
            assert (await message(connection) or {})["type"] == "status"
            connection.close()
