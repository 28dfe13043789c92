"""The stream of a run over a server that forwards: both ways, with the reasons of its end."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Iterator
from typing import Any

import pytest
from forwarding_aid import OWN_TOKEN, TOKEN, Forwarder, Got, RawService, answer, refusal
from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.httpserver import HTTPServer
from tornado.web import Application
from tornado.websocket import WebSocketClientConnection, WebSocketHandler, websocket_connect

DEADLINE_SECONDS = 30
PATH = "/runs/1/stream"


_made: list[WebSocketClientConnection] = []


@pytest.fixture(autouse=True)
def _close_clients() -> Iterator[None]:
    yield
    while _made:
        _made.pop().close()


class Serving:
    """A service with a stream; what it does is the test's to say."""

    def __init__(self) -> None:
        self.opened: asyncio.Queue[Any] = asyncio.Queue()
        self.messages: asyncio.Queue[str | bytes | None] = asyncio.Queue()
        self.port = 0
        this = self

        class Handler(WebSocketHandler):
            def open(self, *args: str, **kwargs: str) -> None:
                this.opened.put_nowait(self)

            def on_message(self, message: str | bytes) -> None:
                this.messages.put_nowait(message)

            def on_close(self) -> None:
                this.messages.put_nowait(None)

        path = r"/services/ppo/jupyter-ppo/api/v1/runs/1/stream"
        self.server = HTTPServer(Application([(path, Handler)]))

    def start(self) -> None:
        from tornado.testing import bind_unused_port

        socket, self.port = bind_unused_port()
        self.server.add_sockets([socket])


@pytest.fixture
def serving(jp_asyncio_loop: Any) -> Iterator[Serving]:
    made = Serving()

    async def start() -> None:
        made.start()

    async def stop() -> None:
        made.server.stop()
        await made.server.close_all_connections()

    jp_asyncio_loop.run_until_complete(start())
    yield made
    jp_asyncio_loop.run_until_complete(stop())


@pytest.fixture
def front(serving: Serving, make_forwarder: Any, jp_asyncio_loop: Any) -> Forwarder:
    found: Forwarder = jp_asyncio_loop.run_until_complete(make_forwarder(serving.port))
    return found


async def connect(
    own: Forwarder, query: str = "", token: str | None = OWN_TOKEN, **headers: str
) -> WebSocketClientConnection:
    signed = {"Authorization": f"token {token}"} if token else {}
    request = HTTPRequest(
        own.api.replace("http", "ws", 1) + PATH + query,
        headers=signed | headers,
        request_timeout=DEADLINE_SECONDS,
    )
    made = await websocket_connect(request, max_message_size=2**26)
    _made.append(made)
    return made


async def refused(own: Forwarder, **options: Any) -> tuple[int, str]:
    """Return the status and the code of a handshake that fails."""
    with pytest.raises(HTTPClientError) as error:
        await connect(own, **options)
    body = error.value.response.body if error.value.response else b""
    return error.value.code, json.loads(body)["code"]


def soon(what: Awaitable[Any]) -> Awaitable[Any]:
    return asyncio.wait_for(what, DEADLINE_SECONDS)


async def test_messages_come_as_they_are_written_and_go_the_other_way(
    front: Forwarder, serving: Serving
) -> None:
    client = await soon(connect(front, f"?since=3&token={OWN_TOKEN}", token=None))
    service = await soon(serving.opened.get())
    assert service.request.uri.endswith(f"{PATH}?since=3")
    assert service.request.headers["Authorization"] == f"token {TOKEN}"
    assert "Cookie" not in service.request.headers
    assert "Origin" not in service.request.headers
    for message in ("one", '{"é": 2}', "x" * 2**20, b"\x00\xff"):
        await service.write_message(message, binary=isinstance(message, bytes))
        assert await soon(client.read_message()) == message
    for message in ("up", b"\x01"):
        await client.write_message(message, binary=isinstance(message, bytes))
        assert await soon(serving.messages.get()) == message
    client.close()


@pytest.mark.parametrize(
    ("code", "reason"),
    [(1000, "The run has ended."), (1001, "Stopping."), (1013, "Too many."), (4404, "Gone.")],
)
async def test_the_service_s_close_code_and_reason_arrive(
    front: Forwarder, serving: Serving, code: int, reason: str
) -> None:
    client = await soon(connect(front))
    service = await soon(serving.opened.get())
    await service.write_message("last")
    service.close(code, reason)
    assert await soon(client.read_message()) == "last"
    assert await soon(client.read_message()) is None
    assert (client.close_code, client.close_reason) == (code, reason)


async def test_a_service_that_breaks_off_says_connect_again(
    front: Forwarder, serving: Serving
) -> None:
    client = await soon(connect(front))
    service = await soon(serving.opened.get())
    service.ws_connection.stream.close()
    assert await soon(client.read_message()) is None
    assert client.close_code == 1001


async def test_the_client_s_close_code_reaches_the_service(
    front: Forwarder, serving: Serving
) -> None:
    client = await soon(connect(front))
    service = await soon(serving.opened.get())
    client.close(4001, "Enough.")
    assert await soon(serving.messages.get()) is None
    assert (service.close_code, service.close_reason) == (4001, "Enough.")
    assert await soon(client.read_message()) is None


async def test_a_client_that_vanishes_ends_the_stream_at_the_service(
    front: Forwarder, serving: Serving
) -> None:
    client = await soon(connect(front))
    await soon(serving.opened.get())
    client.protocol.stream.close()  # type: ignore[union-attr]
    assert await soon(serving.messages.get()) is None


async def test_a_message_that_is_too_long_ends_it(front: Forwarder, serving: Serving) -> None:
    client = await soon(connect(front))
    await client.write_message("x" * 5000)
    assert await soon(client.read_message()) is None
    assert client.close_code == 1009
    assert await soon(serving.messages.get()) is None


async def test_a_slow_client_holds_the_service_back(front: Forwarder, serving: Serving) -> None:
    client = await soon(connect(front))
    service = await soon(serving.opened.get())
    # Nothing is read from the connection itself.
    taken = asyncio.Event()

    async def wait(message: Any) -> None:
        del message
        await taken.wait()

    client.protocol.handler.on_message = wait  # type: ignore[union-attr, method-assign]
    sent = 0

    async def pour() -> None:
        nonlocal sent
        for _ in range(400):
            await service.write_message(bytes(2**18), binary=True)
            sent += 1

    pouring = asyncio.create_task(pour())
    before = -1
    while sent != before:
        before = sent
        await asyncio.sleep(0.5)
    assert sent < 200
    pouring.cancel()
    taken.set()
    client.close()


async def test_the_doors_of_this_server_hold(front: Forwarder, serving: Serving) -> None:
    assert await refused(front, token=None) == (403, "forbidden")
    assert await refused(front, token="wrong") == (403, "forbidden")
    signed_in = await front("GET", "/health")
    cookies = [c.partition(";")[0] for c in signed_in.headers.get_list("Set-Cookie")]
    assert cookies
    signed = {"Cookie": "; ".join(cookies)}
    for origin, is_ours in (("https://elsewhere.example", False), (front.origin, True)):
        headers = signed | {"Origin": origin}
        if is_ours:
            await soon(connect(front, token=None, **headers))
            await soon(serving.opened.get())
        else:
            status, _ = await refused(front, token=None, **headers)
            assert status in {403, 404}
    assert serving.opened.empty()


async def test_the_service_s_refusal_comes_as_http(own: Forwarder, service: RawService) -> None:
    service.doings = [refusal(404, "not_found")]
    assert await refused(own) == (404, "not_found")
    service.doings = [refusal(403, "forbidden", WWW_Authenticate="token")]
    assert await refused(own) == (502, "service_refused")
    service.doings = [answer(302, b"", Location="/hub/login")]
    assert await refused(own) == (502, "service_refused")
    service.doings = [answer(503, b"<h1>", "text/html")]
    assert await refused(own) == (503, "service_unavailable")
    service.doings = [answer(200, b"{}")]
    assert await refused(own) == (503, "service_unavailable")
    assert len(service.got) == 5
    await service.stop()
    assert await refused(own) == (503, "service_unavailable")


async def test_a_slow_handshake_is_told_in_time(make_forwarder: Any, service: RawService) -> None:
    async def wait(got: Got) -> None:
        await got.reader.read()

    own = await make_forwarder(service.port, service_timeout_seconds=0.3)
    service.doings = [wait]
    assert await refused(own) == (504, "service_timeout")


async def test_without_an_upgrade_it_is_a_request(own: Forwarder, service: RawService) -> None:
    service.doings = [refusal(400, "invalid_input")]
    assert (await own("GET", PATH)).code == 400


async def test_a_server_that_stops_closes_its_streams(front: Forwarder, serving: Serving) -> None:
    client = await soon(connect(front))
    await soon(serving.opened.get())
    await front.app.cleanup_extensions()
    assert await soon(client.read_message()) is None
    assert client.close_code == 1001
    assert await soon(serving.messages.get()) is None


async def test_one_person_has_only_so_many_streams(front: Forwarder, serving: Serving) -> None:
    streams = front.app.web_app.settings["jupyter_ppo"].streams
    streams.in_all = 1
    first = await soon(connect(front))
    await soon(serving.opened.get())
    second = await soon(connect(front))
    assert await soon(second.read_message()) is None
    assert second.close_code == 1013
    first.close()
    assert await soon(serving.messages.get()) is None
