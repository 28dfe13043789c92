"""A course service that is down, slow, restarting or something else: what people are told."""

from __future__ import annotations

import asyncio
import json
import logging
from typing import Any

import pytest
from forwarding_aid import TOKEN, Doing, Forwarder, Got, RawService, answer, hang_up, refusal
from tornado.httpclient import HTTPResponse

from jupyter_ppo.web import forwarding_upstream


def code(found: HTTPResponse) -> tuple[int, str]:
    said = json.loads(found.body)
    assert set(said) == {"code", "message", "field"}
    return found.code, said["code"]


UNAVAILABLE = (503, "service_unavailable")


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_service_that_is_down_is_told_with_when_to_come_back(
    own: Forwarder, service: RawService, method: str
) -> None:
    await service.stop()
    found = await own(method, "/me", None if method == "GET" else b"{}")
    assert code(found) == UNAVAILABLE
    assert int(found.headers["Retry-After"]) >= 1
    assert "127.0.0.1" not in found.body.decode()


async def test_a_host_that_does_not_exist_is_the_same(make_forwarder: Any) -> None:
    own = await make_forwarder(1, service_url="http://ppo.invalid/services/ppo/")
    assert code(await own("GET", "/me")) == UNAVAILABLE


async def test_a_large_upload_gets_its_answer_while_the_service_is_down(
    own: Forwarder, service: RawService
) -> None:
    await service.stop()
    assert code(await own("POST", "/x", bytes(20 * 2**20))) == UNAVAILABLE


@pytest.mark.parametrize("status", [502, 503, 504])
async def test_a_page_of_a_proxy_says_that_the_service_is_down(
    own: Forwarder, service: RawService, status: int
) -> None:
    service.doings = [answer(status, b"<h1>Bad gateway</h1>", "text/html")]
    found = await own("POST", "/x", b"{}")
    assert code(found) == UNAVAILABLE
    assert b"<h1>" not in found.body


@pytest.mark.parametrize(
    "doing",
    [
        answer(302, b"", "text/html", Location="/hub/login?next=x"),
        answer(307, b'{"code": "x", "message": "y"}', Location="/x"),
        answer(403, b"<h1>403 : Forbidden</h1>", "text/html"),
        answer(401, b'{"status": 401, "message": "no"}'),
        refusal(403, "forbidden", WWW_Authenticate="token"),
    ],
)
async def test_a_token_that_is_not_taken_is_told_with_the_remedy(
    own: Forwarder, service: RawService, doing: Doing
) -> None:
    service.doings = [doing]
    found = await own("GET", "/me")
    assert code(found) == (502, "service_refused")
    assert "access:services!service=ppo" in json.loads(found.body)["message"]
    assert len(service.got) == 1  # no redirect is followed
    assert "Location" not in found.headers
    assert "WWW-Authenticate" not in found.headers


@pytest.mark.parametrize(
    "doing",
    [
        answer(404, b"<h1>404</h1>", "text/html"),
        answer(400, b"", "text/html"),
        answer(500, b"[1]"),
        answer(404, b'{"message": "no", "reason": null}'),
        answer(200, b"\x1f\x8b", Content_Encoding="gzip"),
    ],
)
async def test_a_stranger_in_the_place_of_the_service_is_told(
    own: Forwarder, service: RawService, doing: Doing
) -> None:
    service.doings = [doing]
    found = await own("GET", "/me")
    assert code(found) == UNAVAILABLE
    assert "PPOService.service_url" in json.loads(found.body)["message"]


def says(data: bytes) -> Doing:
    async def do(got: Got) -> None:
        await got.read_body()
        await got.send(data)

    return do


@pytest.mark.parametrize(
    "data",
    [
        b"garbage\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
        b"\x00" * 200_000,
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"HTTP/1.1 404 Said\r\nContent-Length: 100\r\n\r\nhalf",
    ],
)
async def test_garbage_is_told_as_a_service_that_is_down(
    own: Forwarder, service: RawService, data: bytes
) -> None:
    service.doings = [says(data)]
    found = await own("POST", "/x", b"{}")
    assert code(found) == UNAVAILABLE


async def test_a_service_that_is_slow_is_told_in_time(
    make_forwarder: Any, service: RawService
) -> None:
    own = await make_forwarder(service.port, service_timeout_seconds=0.3)

    async def wait(got: Got) -> None:
        await got.reader.read()

    service.doings = [wait]
    assert code(await own("GET", "/me")) == (504, "service_timeout")
    assert code(await own("POST", "/x", b"{}")) == (504, "service_timeout")
    assert len(service.got) == 2  # what may be under way is not sent again

    async def take_nothing(got: Got) -> None:
        await asyncio.sleep(5)

    service.doings = [take_nothing]
    assert code(await own("POST", "/x", bytes(50 * 2**20))) == (504, "service_timeout")


async def test_a_get_is_tried_once_more(own: Forwarder, service: RawService) -> None:
    for failing in (hang_up, answer(503, b"<h1>", "text/html")):
        service.doings, service.got = [failing, answer()], []
        assert (await own("GET", "/me")).code == 200
        assert len(service.got) == 2
        service.doings, service.got = [failing], []
        assert code(await own("GET", "/me")) == UNAVAILABLE
        assert len(service.got) == 2


async def test_what_may_have_happened_is_sent_again_only_with_a_key(
    own: Forwarder, service: RawService
) -> None:
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        service.doings, service.got = [hang_up, answer()], []
        body = None if method == "DELETE" else b"{}"
        assert code(await own(method, "/x", body)) == UNAVAILABLE
        assert len(service.got) == 1


async def test_with_a_key_a_request_is_sent_once_more_as_it_was(
    own: Forwarder, service: RawService
) -> None:
    service.doings, service.got = [hang_up, answer()], []
    assert (await own("POST", "/x", b"{}", headers={"Idempotency-Key": "k"})).code == 200
    first, second = service.got
    assert first.body == second.body == b"{}"
    assert first.headers == second.headers
    # A body that is too long to be kept is not sent twice.
    service.doings, service.got = [hang_up, answer()], []
    found = await own("POST", "/x", bytes(2**21), headers={"Idempotency-Key": "k"})
    assert (code(found), len(service.got)) == (UNAVAILABLE, 1)


async def test_a_restart_of_the_service_is_not_noticed(own: Forwarder, service: RawService) -> None:
    await service.stop()
    asked = asyncio.create_task(own("POST", "/x", b"{}"))
    await asyncio.sleep(0.1)
    await service.start()
    assert (await asked).code == 200
    assert [got.body for got in service.got] == [b"{}"]


async def test_a_service_that_stays_down_is_left_alone_and_then_asked_again(
    own: Forwarder, service: RawService, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [0.0]
    monkeypatch.setattr(own.upstream.circuit, "_clock", lambda: clock[0])
    service.doings = [hang_up]
    for _ in range(6):
        assert code(await own("POST", "/x", b"{}")) == UNAVAILABLE
    service.doings, service.got = [answer()], []
    found = await own("GET", "/me")
    assert code(found) == UNAVAILABLE
    assert int(found.headers["Retry-After"]) == forwarding_upstream._OPEN_SECONDS
    assert service.got == []
    clock[0] += forwarding_upstream._OPEN_SECONDS + 0.1
    assert (await own("GET", "/me")).code == 200
    assert (await own("GET", "/me")).code == 200


async def test_errors_of_the_service_do_not_make_it_down(
    own: Forwarder, service: RawService
) -> None:
    service.doings = [refusal(503, "busy")]
    for _ in range(8):
        assert code(await own("POST", "/x", b"{}")) == (503, "busy")
    assert len(service.got) == 8


async def test_an_answer_before_the_body_was_read_comes_back(
    own: Forwarder, service: RawService
) -> None:
    async def at_once(got: Got) -> None:
        body = b'{"code": "closed", "message": "No.", "field": null}'
        head = f"HTTP/1.1 409 Said\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
        await got.send(head.encode() + b"\r\n\r\n" + body)
        while await got.reader.read(2**20):
            pass

    service.doings = [at_once]
    assert code(await own("POST", "/x", bytes(20 * 2**20))) == (409, "closed")


async def test_the_token_is_in_no_answer_no_log_and_no_text(
    own: Forwarder, service: RawService, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    everything = [
        answer(),
        hang_up,
        answer(302, b"", Location="/hub/login"),
        answer(500, b"x", "text/html"),
        refusal(403, "forbidden"),
        says(b"garbage\r\n\r\n"),
    ]
    seen = ""
    for doing in everything:
        service.doings = [doing]
        for method in ("GET", "POST"):
            found = await own(method, "/x", None if method == "GET" else b"{}")
            seen += str(found.headers) + found.body.decode()
    await service.stop()
    found = await own("GET", "/x")
    seen += str(found.headers) + found.body.decode()
    seen += caplog.text + repr(own.upstream) + str(own.upstream)
    assert TOKEN not in seen


async def test_without_a_token_of_the_hub_every_request_says_why(make_forwarder: Any) -> None:
    own = await make_forwarder(1, "")
    found = await own("GET", "/me")
    assert code(found) == (502, "service_refused")
    assert "JUPYTERHUB_API_TOKEN" in json.loads(found.body)["message"]


async def test_an_address_that_is_none_is_told_and_nothing_else_is_started(
    make_forwarder: Any, tmp_path: Any
) -> None:
    own = await make_forwarder(1, service_url="ftp://sam:secret@host/x")
    found = await own("GET", "/me")
    assert code(found) == (503, "unavailable")
    assert b"service_url" in found.body
    assert b"secret" not in found.body
    assert not list(tmp_path.rglob("*.sqlite"))
