"""Bodies go through a server that forwards piece by piece, and never lie in its memory."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
from pathlib import Path
from typing import Any

import pytest
from forwarding_aid import OWN_TOKEN, Forwarder, Got, RawService, answer, until
from tornado.simple_httpclient import HTTPStreamClosedError

MIB = 2**20


def resident() -> int:
    """Return the bytes of memory that this process has now."""
    pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


async def upload(
    own: Forwarder, size: int, *, is_chunked: bool = False, headers: str = ""
) -> tuple[int, bytes]:
    """POST ``size`` bytes, made as they are sent; return the status and everything that came."""
    reader, writer = await asyncio.open_connection("127.0.0.1", own.port)
    length = "Transfer-Encoding: chunked" if is_chunked else f"Content-Length: {size}"
    writer.write(
        (
            "POST /user/sam/jupyter-ppo/api/v1/x HTTP/1.1\r\n"
            f"Host: 127.0.0.1:{own.port}\r\nAuthorization: token {OWN_TOKEN}\r\n"
            f"{headers}{length}\r\nConnection: close\r\n\r\n"
        ).encode()
    )
    try:
        for start in range(0, size, MIB):
            piece = bytes(min(MIB, size - start))
            writer.write(b"%x\r\n%b\r\n" % (len(piece), piece) if is_chunked else piece)
            await writer.drain()
        if is_chunked:
            writer.write(b"0\r\n\r\n")
    except ConnectionError:
        pass  # it was refused meanwhile
    found = await asyncio.wait_for(reader.read(), 60)
    writer.close()
    return int(found.split(b" ", 2)[1]), found


async def test_a_notebook_of_20_mb_arrives_byte_for_byte(
    own: Forwarder, service: RawService
) -> None:
    body = hashlib.sha256(b"seed").digest() * (20 * MIB // 32)
    for headers in ({}, {"Idempotency-Key": "k"}):
        found = await own("POST", "/x", body, headers=headers)
        assert found.code == 200
        assert service.last.body == body


async def test_a_body_of_unknown_length_arrives_too(own: Forwarder, service: RawService) -> None:
    status, _ = await upload(own, 3 * MIB, is_chunked=True)
    assert status == 200
    assert service.last.body == bytes(3 * MIB)
    assert "content-length" not in service.last.headers


async def test_a_large_answer_comes_byte_for_byte(own: Forwarder, service: RawService) -> None:
    body = hashlib.sha256(b"seed").digest() * (20 * MIB // 32)
    service.doings = [answer(200, body, "application/zip")]
    found = await own("GET", "/me/data")
    assert found.body == body
    assert found.headers["Content-Type"] == "application/zip"


async def test_a_body_over_the_limit_is_refused(own: Forwarder, service: RawService) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", own.port)
    writer.write(
        b"POST /user/sam/jupyter-ppo/api/v1/x HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        b"Authorization: token " + OWN_TOKEN.encode() + b"\r\nContent-Length: 209715201\r\n\r\n"
    )
    found = await asyncio.wait_for(reader.read(), 30)
    writer.close()
    assert found.startswith(b"HTTP/1.1 413")
    assert json.loads(found.partition(b"\r\n\r\n")[2])["code"] == "too_large"
    assert service.got == []


async def test_memory_does_not_grow_with_a_body(own: Forwarder, service: RawService) -> None:
    async def count(got: Got) -> None:
        size, left = 0, 150 * MIB
        while left:
            size = len(await got.reader.read(min(left, MIB)))
            assert size
            left -= size
        await got.send(b"HTTP/1.1 413 Said\r\nContent-Type: application/json\r\n\r\n")
        await got.send(b'{"code": "too_large", "message": "Send less.", "field": null}')

    service.doings = [count]
    before = resident()
    most = before

    async def watch() -> None:
        nonlocal most
        while True:
            most = max(most, resident())
            await asyncio.sleep(0.02)

    watching = asyncio.create_task(watch())
    status, found = await upload(own, 150 * MIB, headers="Idempotency-Key: k\r\n")
    watching.cancel()
    assert (status, b"too_large" in found) == (413, True)
    # Client, forwarder and service are all in this process.
    assert most - before < 40 * MIB


async def test_a_slow_service_holds_the_client_back(own: Forwarder, service: RawService) -> None:
    go_on = asyncio.Event()

    async def wait(got: Got) -> None:
        await go_on.wait()
        await answer()(got)

    service.doings = [wait]
    _, writer = await asyncio.open_connection("127.0.0.1", own.port)
    writer.write(
        b"POST /user/sam/jupyter-ppo/api/v1/x HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        b"Authorization: token " + OWN_TOKEN.encode() + b"\r\nContent-Length: 104857600\r\n\r\n"
    )

    async def send() -> int:
        for sent in range(100):
            writer.write(bytes(MIB))
            try:
                await asyncio.wait_for(writer.drain(), 1)
            except TimeoutError:
                return sent
        return 100

    assert await send() < 60
    writer.close()
    go_on.set()


async def test_a_slow_reader_holds_the_service_back(own: Forwarder, service: RawService) -> None:
    sent = 0

    async def pour(got: Got) -> None:
        nonlocal sent
        await got.send(b"HTTP/1.1 200 Said\r\nContent-Type: application/zip\r\n\r\n")
        while sent < 200:
            await got.send(bytes(MIB))
            sent += 1

    service.doings = [pour]
    reader, writer = await asyncio.open_connection("127.0.0.1", own.port, limit=1024)
    writer.write(
        b"GET /user/sam/jupyter-ppo/api/v1/x HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        b"Authorization: token " + OWN_TOKEN.encode() + b"\r\n\r\n"
    )
    await reader.readuntil(b"\r\n\r\n")
    before = -1
    while sent != before:
        before = sent
        await asyncio.sleep(0.5)
    assert sent < 100
    writer.close()


async def test_events_come_one_by_one(own: Forwarder, service: RawService) -> None:
    asked: asyncio.Queue[bytes] = asyncio.Queue()

    async def tell(got: Got) -> None:
        await got.send(
            b"HTTP/1.1 201 Said\r\nContent-Type: text/event-stream; charset=utf-8\r\n"
            b"X-Accel-Buffering: no\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        while event := await asked.get():
            await got.send(b"%x\r\n%b\r\n" % (len(event), event))
        await got.send(b"0\r\n\r\n")

    service.doings = [tell]
    came: asyncio.Queue[bytes] = asyncio.Queue()
    request = asyncio.create_task(
        own(
            "GET",
            "/x",
            headers={"Accept": "text/event-stream", "Accept-Encoding": "gzip"},
            streaming_callback=came.put_nowait,
        )
    )
    for number in range(5):
        event = b"event: text\ndata: %d\n\n" % number
        asked.put_nowait(event)
        # The next is not written before this one is here.
        assert await asyncio.wait_for(came.get(), 30) == event
    asked.put_nowait(b"")
    found = await request
    assert found.code == 201
    assert found.headers["Content-Type"] == "text/event-stream; charset=utf-8"
    assert found.headers["X-Accel-Buffering"] == "no"


async def test_who_hangs_up_ends_the_request_at_the_service(
    own: Forwarder, service: RawService
) -> None:
    ended: asyncio.Queue[str] = asyncio.Queue()

    async def silent(got: Got) -> None:
        await got.read_body()
        assert await got.reader.read() == b""
        ended.put_nowait("before the answer")

    async def within(got: Got) -> None:
        await got.send(b"HTTP/1.1 200 Said\r\nContent-Type: text/event-stream\r\n\r\n: here\n\n")
        assert await got.reader.read() == b""
        ended.put_nowait("within the answer")

    async def sending(got: Got) -> None:
        while await got.reader.read(MIB):
            pass
        ended.put_nowait("within the body")

    for doing, length, has_answer, expected in (
        (silent, 0, False, "before the answer"),
        (within, 0, True, "within the answer"),
        (sending, 10 * MIB, False, "within the body"),
    ):
        service.doings, service.got = [doing], []
        reader, writer = await asyncio.open_connection("127.0.0.1", own.port)
        writer.write(
            f"POST /user/sam/jupyter-ppo/api/v1/x HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            f"Authorization: token {OWN_TOKEN}\r\nContent-Length: {length}\r\n\r\n".encode()
        )
        writer.write(bytes(length // 2))
        await until(lambda: bool(service.got))
        if has_answer:
            await reader.readuntil(b": here")
        writer.close()
        assert await asyncio.wait_for(ended.get(), 30) == expected
        await asyncio.sleep(0.5)
        assert len(service.got) == 1  # it is not sent again


async def test_half_an_answer_never_looks_whole(own: Forwarder, service: RawService) -> None:
    async def chunked(got: Got) -> None:
        await got.send(b"HTTP/1.1 200 Said\r\nContent-Type: application/zip\r\n")
        await got.send(b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")

    async def counted(got: Got) -> None:
        await got.send(b"HTTP/1.1 200 Said\r\nContent-Type: application/zip\r\n")
        await got.send(b"Content-Length: 10\r\n\r\nhello")

    for doing in (chunked, counted):
        service.doings = [doing]
        with pytest.raises(HTTPStreamClosedError):
            await own("GET", "/x")


def test_connections_do_not_stay_open(
    own: Forwarder, service: RawService, jp_asyncio_loop: Any
) -> None:
    async def many() -> None:
        for _ in range(20):
            assert (await own("POST", "/x", b"{}")).code == 200

    jp_asyncio_loop.run_until_complete(many())
    before = len(list(Path("/proc/self/fd").iterdir()))
    jp_asyncio_loop.run_until_complete(many())
    assert len(list(Path("/proc/self/fd").iterdir())) <= before + 2
