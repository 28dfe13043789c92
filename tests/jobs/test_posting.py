"""Messages to real receivers, and to those that would have us talk to somebody else."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Sequence
from datetime import timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from webhook_receiver import Receiver, answer, receiving, self_made

from jupyter_ppo.domain.webhook_addresses import AllowedHosts, Target, read_target
from jupyter_ppo.domain.webhooks import PostResult
from jupyter_ppo.jobs.posting import Poster

HERE = AllowedHosts(["127.0.0.1"])
HEADERS = {"Content-Type": "application/json", "X-JupyterPPO-Event": "ping"}
#: Less than a receiver of these tests waits, far more than anything else takes.
SHORT = 0.5


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


def send(url: str, poster: Poster | None = None) -> PostResult:
    return (poster or Poster(HERE)).post(read_target(url), HEADERS, b'{"a":1}')


def test_a_message_arrives_as_it_was_sent(receiver: Receiver) -> None:
    assert send(receiver.url) == PostResult(200)
    [got] = receiver.got
    assert (got.path, got.body) == ("/hook?from=ppo", b'{"a":1}')
    assert got.headers == {
        "Host": f"127.0.0.1:{receiver.port}",
        "Content-Type": "application/json",
        "X-JupyterPPO-Event": "ping",
        "Connection": "close",
        "Content-Length": "7",
    }


def test_a_redirect_is_not_followed(receiver: Receiver) -> None:
    with receiving() as other:
        receiver.answers = [answer(307, Location=other.url)]
        result = send(receiver.url)
        assert (result.status, result.is_delivered) == (307, False)
        assert "redirects are not followed" in result.reason
        assert other.connections == 0


@pytest.mark.parametrize(("status", "is_down"), [(400, False), (500, False), (503, True)])
def test_a_refusal_is_told_with_its_status(receiver: Receiver, status: int, is_down: bool) -> None:
    receiver.answers = [answer(status, b"<h1>words of theirs</h1>", Retry_After="77")]
    assert send(receiver.url) == PostResult(
        status, f"It answered {status}.", is_down, timedelta(seconds=77)
    )


def test_a_large_answer_is_taken_without_reading_it_all(receiver: Receiver) -> None:
    receiver.answers = [answer(200, b"x" * 5_000_000)]
    assert send(receiver.url) == PostResult(200)


def test_who_answers_byte_by_byte_is_cut_off(receiver: Receiver) -> None:
    ended = threading.Event()

    def drip(handler: BaseHTTPRequestHandler) -> None:
        with contextlib.suppress(OSError):
            handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
            while not ended.wait(0.05):
                handler.wfile.write(b"X-More: 1\r\n")

    receiver.answers = [drip]
    began = time.monotonic()
    result = send(receiver.url, Poster(HERE, seconds=SHORT))
    ended.set()
    assert result == PostResult(None, "It took too long to answer.", is_down=True)
    assert time.monotonic() - began < 20 * SHORT


def test_who_never_answers_is_left(receiver: Receiver) -> None:
    ended = threading.Event()
    receiver.answers = [lambda _: ended.wait(60) and None]
    result = send(receiver.url, Poster(HERE, seconds=SHORT))
    ended.set()
    assert result == PostResult(None, "It took too long to answer.", is_down=True)


@pytest.mark.parametrize("said", [b"hello\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n", b"\x00\x16\x03"])
def test_what_is_no_http_is_no_answer(receiver: Receiver, said: bytes) -> None:
    receiver.answers = [lambda handler: handler.wfile.write(said) and None]
    result = send(receiver.url)
    assert (result.status, result.is_down) == (None, True)
    assert result.reason in {
        "The answer was no HTTP.",
        "The connection could not be made, or broke off.",
    }


def test_nobody_there_and_no_such_host_are_told_apart() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    assert send(f"http://127.0.0.1:{port}/").reason == "The connection was refused."

    def unknown(host: str, port: int) -> Sequence[str]:
        raise socket.gaierror

    for url, poster in (
        ("https://hooks.example/", Poster(HERE, resolve=unknown)),
        (f"https://{'x' * 70}.example/", Poster(HERE)),
    ):
        expected = PostResult(None, "The name of the host is not known.", is_down=True)
        assert send(url, poster) == expected


@pytest.mark.parametrize("url", ["http://localhost:{port}/", "http://127.0.0.1:{port}/"])
def test_nothing_is_sent_to_this_machine_unless_an_admin_allows_it(
    receiver: Receiver, url: str
) -> None:
    target = read_target(url.format(port=receiver.port))
    result = Poster(AllowedHosts()).post(target, HEADERS, b"{}")
    assert result.status is None
    assert "not on the public internet" in result.reason
    assert not result.is_down
    assert receiver.connections == 0


@pytest.mark.parametrize("found", [["8.8.8.8", "10.0.0.1"], ["::ffff:127.0.0.1"], ["fe80::1%lo"]])
def test_one_address_that_is_not_allowed_is_enough(found: Sequence[str]) -> None:
    poster = Poster(AllowedHosts(), resolve=lambda *_: found)
    assert "not on the public internet" in send("https://hooks.example/", poster).reason


def test_a_name_that_changes_what_it_stands_for_reaches_nothing_else() -> None:
    """DNS rebinding: the first look is allowed, the next one is this machine's own address."""
    with receiving("127.0.0.2") as allowed, receiving("127.0.0.3") as forbidden:
        looks: list[str] = []

        def changing(host: str, port: int) -> Sequence[str]:
            looks.append(host)
            return ["127.0.0.2"] if len(looks) == 1 else ["127.0.0.3"]

        poster = Poster(AllowedHosts(["127.0.0.2"]), resolve=changing)
        target = Target("http", "hooks.example", allowed.port, "/")
        assert poster.post(target, HEADERS, b"{}") == PostResult(200)
        assert looks == ["hooks.example"]  # connected to what was checked, not to a second look
        moved = Target("http", "hooks.example", forbidden.port, "/")
        assert "not on the public internet" in poster.post(moved, HEADERS, b"{}").reason
        assert forbidden.connections == 0


def test_the_next_address_of_a_name_is_tried(receiver: Receiver) -> None:
    poster = Poster(AllowedHosts(["127.0.0.0/8"]), resolve=lambda *_: ["127.0.0.9", "127.0.0.1"])
    target = Target("http", "hooks.example", receiver.port, "/")
    assert poster.post(target, HEADERS, b"{}") == PostResult(200)
    assert receiver.got[0].headers["Host"] == f"hooks.example:{receiver.port}"


def test_no_proxy_of_the_environment_is_used(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    with receiving() as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        assert send(receiver.url).is_delivered
        assert proxy.connections == 0


def test_over_https_only_the_host_that_was_named_is_believed(tmp_path: Path) -> None:
    file = self_made(tmp_path, "hooks.example")
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(file)
    ours = ssl.create_default_context(cafile=str(file))
    with receiving(tls=server) as receiver:

        def post(host: str, tls: ssl.SSLContext | None) -> PostResult:
            poster = Poster(HERE, resolve=lambda *_: ["127.0.0.1"], tls=tls)
            return poster.post(Target("https", host, receiver.port, "/"), HEADERS, b"{}")

        assert post("hooks.example", ours) == PostResult(200)
        for host, tls in (("other.example", ours), ("hooks.example", None)):
            result = post(host, tls)
            assert result.reason.startswith("Its certificate is not believed")
        assert len(receiver.got) == 1


def test_https_to_who_speaks_none_is_told(receiver: Receiver) -> None:
    result = send(f"https://127.0.0.1:{receiver.port}/", Poster(HERE, seconds=SHORT))
    assert (result.status, result.is_down) == (None, True)
