"""A real Jupyter server that forwards, and a service that does what a test says, byte by byte."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from jupyter_server.serverapp import ServerApp
from tornado.httpclient import AsyncHTTPClient, HTTPResponse
from traitlets.config import Config

from jupyter_ppo.web.forwarding_base import UPSTREAM
from jupyter_ppo.web.forwarding_upstream import Upstream

TOKEN = "the-hub-token-of-sam"
OWN_TOKEN = "own-secret"


@dataclass
class Got:
    """A request as it arrived."""

    method: str
    target: str
    headers: dict[str, str]
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    body: bytes = b""

    async def read_body(self) -> bytes:
        """Read all of it, chunked or not."""
        if self.headers.get("transfer-encoding") == "chunked":
            while size := int(await self.reader.readline(), 16):
                self.body += await self.reader.readexactly(size)
                await self.reader.readline()
            await self.reader.readline()
        else:
            length = int(self.headers.get("content-length", "0"))
            self.body += await self.reader.readexactly(length)
        return self.body

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()


async def until(is_so: Callable[[], bool]) -> None:
    """Wait until it is so."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        while True:
            if is_so():
                return
            await asyncio.sleep(0.01)


Doing = Callable[[Got], Awaitable[None]]


def answer(
    status: int = 200, body: bytes = b'{"a": 1}', kind: str = "application/json", **headers: str
) -> Doing:
    """Read everything, then answer."""
    lines = {"Content-Type": kind, "Content-Length": str(len(body))}
    lines |= {name.replace("_", "-"): value for name, value in headers.items()}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())

    async def do(got: Got) -> None:
        await got.read_body()
        sent = b"" if got.method == "HEAD" else body
        await got.send(f"HTTP/1.1 {status} Said\r\n{head}\r\n".encode() + sent)

    return do


def refusal(status: int, code: str, message: str = "No.", **headers: str) -> Doing:
    """An error in the service's own shape."""
    body = json.dumps({"code": code, "message": message, "field": None}).encode()
    return answer(status, body, **headers)


async def hang_up(got: Got) -> None:
    """Answer nothing."""
    await got.read_body()


@dataclass
class RawService:
    """Listens at ``port``; does the next of ``doings``, the last one for ever."""

    doings: list[Doing] = field(default_factory=lambda: [answer()])
    got: list[Got] = field(default_factory=list)
    port: int = 0
    tls: ssl.SSLContext | None = None
    _server: asyncio.Server | None = None

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, ssl=self.tls)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            for got in self.got:
                got.writer.close()
            self._server = None

    @property
    def last(self) -> Got:
        return self.got[-1]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            start = (await reader.readline()).decode("latin-1")
            if not start:
                return
            method, target, _ = start.split(" ")
            headers: dict[str, str] = {}
            while (line := (await reader.readline()).decode("latin-1").strip()) != "":
                name, _, value = line.partition(":")
                headers[name.lower()] = value.strip()
            got = Got(method, target, headers, reader, writer)
            self.got.append(got)
            doing = self.doings.pop(0) if len(self.doings) > 1 else self.doings[0]
            await doing(got)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


DEADLINE_SECONDS = 60


class Forwarder:
    """The student's own server."""

    def __init__(self, app: ServerApp, port: int, token: str) -> None:
        self.app = app
        self.port = port
        self.token = token
        self.origin = f"http://127.0.0.1:{port}"
        self.base = f"{self.origin}/user/sam"
        self.api = f"{self.base}/jupyter-ppo/api/v1"

    @property
    def upstream(self) -> Upstream:
        found: Upstream = self.app.web_app.settings[UPSTREAM]
        return found

    async def __call__(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        *,
        headers: dict[str, str] | None = None,
        signed_in: bool = True,
        **options: Any,
    ) -> HTTPResponse:
        signed = {"Authorization": f"token {self.token}"} if signed_in else {}
        client = AsyncHTTPClient(force_instance=True, max_body_size=2**30)
        try:
            response: HTTPResponse = await client.fetch(
                self.api + path,
                method=method,
                body=body,
                headers=signed | (headers or {}),
                raise_error=False,
                allow_nonstandard_methods=True,
                follow_redirects=False,
                request_timeout=DEADLINE_SECONDS,
                **options,
            )
        finally:
            client.close()
        return response


Make = Callable[..., Any]


@pytest.fixture
def make_forwarder(
    jp_environ: Any, jp_asyncio_loop: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Make]:
    """Start servers that forward to a port; settings of ``PPOService`` and of the server on top."""
    made: list[ServerApp] = []
    logged = logging.getLogger("ServerApp")
    level = logged.level

    async def make(
        service_port: int,
        token: str = TOKEN,
        *,
        base: str = "/services/ppo/",
        server: dict[str, Any] | None = None,
        **settings: Any,
    ) -> Forwarder:
        monkeypatch.setenv("JUPYTERHUB_API_TOKEN", token)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        url = f"http://127.0.0.1:{service_port}{base}"
        config = Config(
            {
                "ServerApp": {
                    "jpserver_extensions": {
                        "jupyter_ppo": True,
                        "jupyter_server_terminals": False,
                    },
                    "reraise_server_extension_failures": True,
                    **(server or {}),
                },
                "IdentityProvider": {"token": OWN_TOKEN},
                "PPOService": {"service_url": url, **settings},
            }
        )
        app = ServerApp(
            port=port,
            port_retries=0,
            open_browser=False,
            base_url="/user/sam/",
            config=config,
            allow_root=True,
            log_level="DEBUG",
            root_dir=str(tmp_path),
        )
        app.init_signal = lambda: None
        app.initialize(argv=[], new_httpserver=False)
        app.log.propagate = True
        app.log.handlers = []
        app.init_httpserver()
        made.append(app)
        return Forwarder(app, port, OWN_TOKEN)

    yield make
    for app in made:
        jp_asyncio_loop.run_until_complete(app._cleanup())
    logged.setLevel(level)


@pytest.fixture
def service(jp_asyncio_loop: Any) -> Iterator[RawService]:
    """Return a service that answers everything with a bit of JSON until it is told otherwise."""
    made = RawService()
    jp_asyncio_loop.run_until_complete(made.start())
    yield made
    jp_asyncio_loop.run_until_complete(made.stop())


@pytest.fixture
def own(service: RawService, make_forwarder: Make, jp_asyncio_loop: Any) -> Forwarder:
    """Return a student's own server in front of it."""
    found: Forwarder = jp_asyncio_loop.run_until_complete(make_forwarder(service.port))
    return found
