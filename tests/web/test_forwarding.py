"""A student's own server brings every request to the course service, and its answer back."""

from __future__ import annotations

import asyncio
import json
import re
import socket
from typing import Any

import pytest
from forwarding_aid import OWN_TOKEN, TOKEN, Forwarder, RawService, answer, refusal
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jupyter_ppo.domain.errors import NotFoundError
from jupyter_ppo.web.forwarding_base import REQUEST_HEADERS
from jupyter_ppo.web.forwarding_upstream import Upstream

PREFIX = "/services/ppo/jupyter-ppo/api/v1"


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"])
async def test_every_verb_goes_there_and_back(
    own: Forwarder, service: RawService, method: str
) -> None:
    body = b'{"x": 1}' if method in {"POST", "PUT", "PATCH"} else None
    found = await own(method, "/courses/a%20b/x?search=%C3%A9&limit=1", body)
    assert found.code == 200
    assert found.body == (b"" if method == "HEAD" else b'{"a": 1}')
    got = service.last
    assert (got.method, got.target) == (method, f"{PREFIX}/courses/a%20b/x?search=%C3%A9&limit=1")
    assert got.body == (body or b"")
    assert got.headers["authorization"] == f"token {TOKEN}"


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
async def test_a_body_may_be_absent(own: Forwarder, service: RawService, method: str) -> None:
    assert (await own(method, "/x/restore", b"")).code == 200
    assert service.last.headers["content-length"] == "0"


async def test_only_listed_headers_of_a_request_are_sent(
    own: Forwarder, service: RawService
) -> None:
    sent = {name: f"of {name}" for name in REQUEST_HEADERS}
    private = {
        "Cookie": "a=secret",
        "X-XSRFToken": "secret",
        "Referer": f"{own.base}/lab",
        "X-Forwarded-For": "1.2.3.4",
        "Forwarded": "for=1.2.3.4",
        "Connection": "X-Odd",
        "X-Odd": "1",
        "TE": "trailers",
        "Proxy-Authorization": "Basic secret",
        "Origin": own.origin,
    }
    assert (await own("GET", "/me", headers=sent | private)).code == 200
    got = service.last.headers
    assert {name: got[name.lower()] for name in REQUEST_HEADERS} == sent
    assert set(got) == {name.lower() for name in REQUEST_HEADERS} | {
        "host",
        "connection",
        "accept-encoding",
        "authorization",
    }
    assert got["connection"] == "close"
    assert got["host"] == f"127.0.0.1:{service.port}"


async def test_only_listed_headers_of_an_answer_come_back(
    own: Forwarder, service: RawService
) -> None:
    kept = {
        "Content-Disposition": 'attachment; filename="a.csv"',
        "ETag": '"3"',
        "Retry-After": "7",
        "Cache-Control": "max-age=1",
        "X-Request-ID": "r1",
        "Content-Security-Policy": "sandbox",
        "Allow": "GET",
    }
    dropped = {
        "Set-Cookie": "a=b",
        "WWW-Authenticate": "token",
        "Server": "odd",
        "Keep-Alive": "timeout=5",
        "Proxy-Authenticate": "Basic",
        "X-JupyterHub-Version": "6",
        "Access-Control-Allow-Origin": "*",
    }
    given = {name.replace("-", "_"): value for name, value in (kept | dropped).items()}
    service.doings = [answer(200, b"a,b", "text/csv; charset=utf-8", **given)]
    found = await own("GET", "/courses/c/grades?format=csv")
    assert found.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert {name: found.headers[name] for name in kept} == kept
    for name, value in dropped.items():
        assert value not in found.headers.get_list(name)


async def test_a_location_is_one_of_this_server(own: Forwarder, service: RawService) -> None:
    for location, expected in (
        (f"{PREFIX}/runs/1?a=b", "/user/sam/jupyter-ppo/api/v1/runs/1?a=b"),
        (f"http://127.0.0.1:{service.port}{PREFIX}/runs/1", "/user/sam/jupyter-ppo/api/v1/runs/1"),
        ("https://elsewhere.example/x", None),
        ("/hub/login", None),
    ):
        service.doings = [answer(201, Location=location)]
        assert (await own("POST", "/runs", b"{}")).headers.get("Location") == expected


async def test_the_token_of_this_server_stays_here(own: Forwarder, service: RawService) -> None:
    path = f"/me?a=1&token={OWN_TOKEN}&%74oken={OWN_TOKEN}&_xsrf=x&b=%26"
    found = await own("GET", path, signed_in=False)
    assert found.code == 200
    assert service.last.target == f"{PREFIX}/me?a=1&b=%26"
    assert OWN_TOKEN not in str(service.last.headers)


@pytest.mark.parametrize(
    "path",
    [
        "/..%2f..%2fhub/api/users",
        "/%2e%2e/%2e%2e/x",
        "/a/..%5cb",
        "/%252e%252e/x",
        "/%25252e%25252e%25252fx",
        "/%2525252525252e./x",
        "//me",
        "/a//b",
        "/a/",
        "/a/..;x=1/b",
        "/a/./b",
        "/a\\b",
        "/a|b",
    ],
)
async def test_no_path_leaves_the_api(own: Forwarder, service: RawService, path: str) -> None:
    found = await raw(own, f"GET /user/sam/jupyter-ppo/api/v1{path} HTTP/1.1")
    assert found.startswith(b"HTTP/1.1 404")
    assert service.got == []


async def test_dots_that_the_client_resolves_never_get_here(
    own: Forwarder, service: RawService
) -> None:
    for path in ("/../../../services/ppo/x", "/../v1/me"):
        found = await raw(own, f"GET /user/sam/jupyter-ppo/api/v1{path} HTTP/1.1")
        assert re.match(rb"HTTP/1.1 4", found)
    assert service.got == []


async def raw(own: Forwarder, start: str, *, signed_in: bool = True) -> bytes:
    """Send a start line that no client would, and return what comes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", own.port)
    signed = f"Authorization: token {OWN_TOKEN}\r\n" if signed_in else ""
    lines = f"{start}\r\nHost: 127.0.0.1:{own.port}\r\n{signed}"
    writer.write(f"{lines}Connection: close\r\n\r\n".encode("latin-1"))
    found = await asyncio.wait_for(reader.read(), 30)
    writer.close()
    return found


@given(st.text(st.characters(max_codepoint=255), max_size=40))
@settings(suppress_health_check=list(HealthCheck), deadline=None)
def test_whatever_the_path_is_the_target_is_below_the_api(path: str) -> None:
    upstream = Upstream("http://h/services/ppo", TOKEN)
    try:
        target = upstream.target(f"/user/x/jupyter-ppo/api/v1{path}", path)
    except NotFoundError:
        return
    assert target.startswith(PREFIX)
    assert re.fullmatch(r"[\x21-\x7e]+", target)
    assert "#" not in target
    assert not {".", ".."} & set(target.partition("?")[0].split("/"))


async def test_nobody_is_forwarded_without_signing_in_here(
    own: Forwarder, service: RawService
) -> None:
    for method in ("GET", "POST", "DELETE"):
        found = await own(method, "/me", signed_in=False)
        assert (found.code, json.loads(found.body)["code"]) == (403, "forbidden")
    found = await own("GET", "/me", signed_in=False, headers={"Authorization": f"token {TOKEN}"})
    assert found.code == 403
    assert service.got == []


async def test_allowing_unauthenticated_access_opens_nothing(
    make_forwarder: Any, service: RawService
) -> None:
    open_server = {"allow_unauthenticated_access": True}
    own = await make_forwarder(service.port, server=open_server)
    assert (await own("GET", "/me", signed_in=False)).code == 403
    assert service.got == []


async def test_a_cookie_needs_the_xsrf_token_and_this_origin(
    own: Forwarder, service: RawService
) -> None:
    signed_in = await own("GET", "/me")
    cookies = [c.partition(";")[0] for c in signed_in.headers.get_list("Set-Cookie")]
    page = await raw(own, "GET /user/sam/login HTTP/1.1", signed_in=False)
    xsrf = page.partition(b"_xsrf=")[2].partition(b";")[0].decode()
    cookie = {"Cookie": "; ".join([*cookies, f"_xsrf={xsrf}"])}
    token = {"X-XSRFToken": xsrf}
    service.got.clear()

    assert (await own("POST", "/x", b"{}", headers=cookie, signed_in=False)).code == 403
    elsewhere = cookie | token | {"Origin": "https://elsewhere.example"}
    assert (await own("POST", "/x", b"{}", headers=elsewhere, signed_in=False)).code in {403, 404}
    assert service.got == []
    good = await own("POST", "/x", b"{}", headers=cookie | token, signed_in=False)
    assert good.code == 200
    assert "_xsrf" not in str(service.last.headers)


async def test_the_service_s_own_errors_come_unchanged(own: Forwarder, service: RawService) -> None:
    for status, code in (
        (403, "forbidden"),
        (409, "edit_conflict"),
        (503, "busy"),
        (500, "internal"),
    ):
        service.doings = [refusal(status, code, "It says so.", Retry_After="9", X_Request_ID="r")]
        found = await own("POST", "/x", b"{}")
        assert found.code == status
        assert json.loads(found.body) == {"code": code, "message": "It says so.", "field": None}
        assert (found.headers["Retry-After"], found.headers["X-Request-ID"]) == ("9", "r")


async def test_not_modified_and_no_content_come_without_a_body(
    own: Forwarder, service: RawService
) -> None:
    for status in (204, 304):

        async def do(got: Any, status: int = status) -> None:
            await got.send(f'HTTP/1.1 {status} Said\r\nETag: "1"\r\n\r\n'.encode())

        service.doings = [do]
        found = await own("GET", "/x", headers={"If-None-Match": '"1"'})
        assert (found.code, found.body or b"", found.headers["ETag"]) == (status, b"", '"1"')


async def test_health_is_this_server_s_own_and_anyone_may_ask(
    own: Forwarder, service: RawService
) -> None:
    found = await own("GET", "/health", signed_in=False)
    said = json.loads(found.body)
    assert (said["status"], said["forwards"], said["service_reachable"]) == ("ok", True, True)
    assert "authorization" not in service.last.headers
    for _ in range(5):
        await own("GET", "/health", signed_in=False)
    assert len(service.got) == 1


async def test_health_says_that_the_service_is_down(make_forwarder: Any) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        own = await make_forwarder(free.getsockname()[1])
    said = json.loads((await own("GET", "/health", signed_in=False)).body)
    assert (said["status"], said["service_reachable"]) == ("degraded", False)


async def test_a_server_that_forwards_opens_no_database(own: Forwarder, tmp_path: Any) -> None:
    assert (await own("GET", "/courses")).code == 200
    assert not list(tmp_path.rglob("*.sqlite"))


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
async def test_an_answer_without_the_headers_for_browsers_gets_them_here(
    own: Forwarder, service: RawService, method: str
) -> None:
    body = b"{}" if method == "POST" else None
    headers = (await own(method, "/courses/ppo", body)).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cache-Control"] == "no-store"
    assert "frame-ancestors 'self'" in headers["Content-Security-Policy"]
