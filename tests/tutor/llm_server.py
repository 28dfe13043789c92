"""A real HTTP server that speaks the two wire formats of language models, and all they do wrong.

``/v1/chat/completions`` and ``/v1/models`` as OpenAI's and everybody's who copies it, and
``/v1/messages`` as Anthropic's; JSON and server-sent events. Every request is kept as received.

    with LlmServer() as server:          # honest: valid drafts, and hints of 80 to 160 words
        server.will("rate_limited", "ok")        # what the next requests get, one by one
        server.will(Behaviour("ok", text="..."))  # a given text
        server.always("obeys")                    # every further one
        server.openai_url, server.anthropic_url   # base addresses
        server.received[-1].headers / .body / .system / .user

Only the standard library, so that benchmarks may load it by path as well.
"""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, ClassVar, Self
from uuid import uuid4

from llm_replies import Prompt, honest, invented, obedient, out_of_range
from llm_wires import WIRES, Reply, Wire

#: What a model may write, by behaviour; everything else writes what an honest one does.
_WRITERS: dict[str, Callable[[Prompt], str]] = {
    "schema_ignored": lambda prompt: f"Sure! The answer looks fine to me: {prompt.answer[:80]}",
    "fenced": lambda prompt: f"Here you are:\n\n```json\n{honest(prompt)}\n```\n",
    "out_of_range": out_of_range,
    "invented": invented,
    "obeys": obedient,
    "obeys_quietly": lambda prompt: obedient(prompt, quietly=True),
    "refuses": lambda _: "I cannot help with that.",
}
#: Answers that are errors: the status, and what a service says.
_ERRORS = {
    "unauthorised": (401, "Incorrect API key provided: {key}."),
    "forbidden": (403, "The key {key} may not use this model."),
    "not_found": (404, "The model does not exist."),
    "rejected": (400, "This request cannot be used."),
    "rate_limited": (429, "Too many requests."),
    "fails": (500, "Something broke."),
    "overloaded": (529, "Overloaded."),
}
#: Every name that ``Behaviour.kind`` may have.
KINDS = frozenset(
    {
        "ok",
        *_WRITERS,
        *_ERRORS,
        "truncated",  # cut at the most tokens
        "empty",  # no choice, no content
        "schema_rejected",  # 400 on a request that has a schema; honest without one
        "slow",  # the first byte comes after ``seconds``
        "stalls",  # half the answer, then nothing for ``seconds``
        "drops",  # the connection ends before an answer
        "drops_midway",  # ... and in the middle of one
        "cut_bytes",  # pieces end inside characters and inside lines
        "no_usage",
        "no_done",  # the stream ends without its last event
        "not_json",
        "redirects",  # to its own address
        "html",  # a proxy's page in place of an answer
    }
)


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What happens to one request; ``text`` is what the model writes instead of its own words."""

    kind: str = "ok"
    text: str | None = None
    seconds: float = 30.0
    retry_after: str | None = None

    def __post_init__(self) -> None:
        """Refuse a name that nothing here plays."""
        if self.kind not in KINDS:
            msg = f"kind: {self.kind!r} is not played. Use one of {sorted(KINDS)}."
            raise ValueError(msg)


@dataclass(frozen=True, slots=True)
class Received:
    """A request as it came. ``system`` and ``user`` are its texts on either wire."""

    path: str
    headers: Mapping[str, str]  # names in lower case
    body: Mapping[str, Any]
    prompt: Prompt
    at: float = field(default_factory=time.monotonic)

    @property
    def system(self) -> str:
        """What our side says."""
        return self.prompt.system

    @property
    def user(self) -> str:
        """What holds people's words."""
        return self.prompt.user

    @property
    def is_stream(self) -> bool:
        """Whether events were asked for."""
        return bool(self.body.get("stream"))

    @property
    def everything(self) -> str:
        """The whole request as one text, to search in."""
        return json.dumps([self.path, dict(self.headers), self.body], ensure_ascii=False)


#: A behaviour, its name, or what chooses one for a request.
Choice = Behaviour | str | Callable[[Received], "Behaviour | str"]


class LlmServer:
    """The server; ``latency`` is how long every answer takes, in seconds."""

    def __init__(self, always: Choice = "ok", *, latency: float = 0.0) -> None:
        self.received: list[Received] = []
        self.latency = latency
        self.busiest = 0  # the most requests that were open at the same moment
        self._always = always
        self._next: deque[Choice] = deque()
        self._open = 0
        self._lock = threading.Lock()
        self._ended = threading.Event()
        handler = type("Handler", (_Handler,), {"llm": self})
        self._server = _Server(("127.0.0.1", 0), handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    def __enter__(self) -> Self:
        """Begin to answer."""
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End, with every connection."""
        self._ended.set()
        self._server.shutdown()
        self._server.hang_up()
        self._server.server_close()
        self._thread.join()

    @property
    def host(self) -> str:
        """Name and port."""
        return f"127.0.0.1:{self._server.server_port}"

    @property
    def openai_url(self) -> str:
        """The base address for clients of the first wire."""
        return f"http://{self.host}/v1"

    @property
    def anthropic_url(self) -> str:
        """The base address for clients of the second wire."""
        return f"http://{self.host}"

    def will(self, *choices: Choice) -> None:
        """Add what the next requests get, one by one."""
        with self._lock:
            self._next.extend(_checked(each) for each in choices)

    def always(self, choice: Choice) -> None:
        """Say what every request gets for which nothing is planned."""
        with self._lock:
            self._always = _checked(choice)

    def wait(self, seconds: float) -> None:
        """Sleep, but not longer than the server lives."""
        self._ended.wait(seconds)

    def take(self, received: Received) -> Behaviour:
        """Keep a request and say what it gets."""
        with self._lock:
            self.received.append(received)
            choice = self._next.popleft() if self._next else self._always
        if not isinstance(choice, Behaviour | str):
            choice = choice(received)
        return Behaviour(choice) if isinstance(choice, str) else choice

    @contextlib.contextmanager
    def opened(self) -> Iterator[None]:
        """Count the requests that are open at the same moment."""
        with self._lock:
            self._open += 1
            self.busiest = max(self.busiest, self._open)
        try:
            yield
        finally:
            with self._lock:
                self._open -= 1


def _checked(choice: Choice) -> Choice:
    return Behaviour(choice) if isinstance(choice, str) else choice


class _Server(ThreadingHTTPServer):
    daemon_threads = False
    block_on_close = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        self.connections: set[socket.socket] = set()
        super().__init__(address, handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer in a thread; remember the connection, which its client may keep open."""
        self.connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Close a connection."""
        self.connections.discard(request)
        super().shutdown_request(request)

    def hang_up(self) -> None:
        """End every connection, so that nobody waits for the next request on it."""
        for each in list(self.connections):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hung up is no error of ours."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    llm: ClassVar[LlmServer]

    def log_message(self, *args: Any) -> None:
        """Print nothing."""

    def do_GET(self) -> None:
        """List the models."""
        if self.path == "/v1/models":
            models = [{"id": "test-model", "object": "model", "created": 0, "owned_by": "tests"}]
            self._json(200, {"object": "list", "data": models})
        else:
            self._json(404, {"error": {"message": "There is nothing here."}})

    def do_POST(self) -> None:
        """Answer a question."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        wire = WIRES.get(self.path)
        if wire is None:
            self._json(404, {"error": {"message": "There is nothing here."}})
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        received = Received(self.path, headers, body, wire.prompt(body))
        with self.llm.opened():
            behaviour = self.llm.take(received)
            if self.llm.latency:
                self.llm.wait(self.llm.latency)
            self._play(wire, received, behaviour)

    def _play(self, wire: Wire, received: Received, behaviour: Behaviour) -> None:
        kind = behaviour.kind
        if kind == "schema_rejected" and received.prompt.schema is not None:
            kind, message = "rejected", "response_format: this model has no structured outputs."
            self._json(400, wire.error(400, message))
            return
        if kind in _ERRORS:
            status, message = _ERRORS[kind]
            key = received.headers.get("authorization", received.headers.get("x-api-key", ""))
            extra = {"Retry-After": behaviour.retry_after} if behaviour.retry_after else {}
            self._json(status, wire.error(status, message.format(key=key)), extra)
        elif kind == "drops":
            self.close_connection = True
        elif kind == "redirects":
            self._json(307, {}, {"Location": f"http://{self.llm.host}{self.path}"})
        elif kind in {"not_json", "html"}:
            kinds = {"not_json": "application/json", "html": "text/html"}
            self._send(200, b"<html>Please sign in</html>", kinds[kind])
        else:
            if kind == "slow":
                self.llm.wait(behaviour.seconds)
            reply = wire.reply(received.body, _text(received.prompt, behaviour), kind, uuid4().hex)
            if received.is_stream:
                self._stream(wire, reply, behaviour)
            else:
                self._whole(wire, reply, behaviour)

    def _whole(self, wire: Wire, reply: Reply, behaviour: Behaviour) -> None:
        content = json.dumps(wire.whole(reply), ensure_ascii=False).encode()
        if behaviour.kind in {"stalls", "drops_midway"}:
            self._head(200, "application/json", str(len(content)))
            self.wfile.write(content[: len(content) // 2])
            self._break(behaviour)
        elif behaviour.kind == "cut_bytes":
            self._head(200, "application/json", str(len(content)))
            self._in_pieces(content)
        else:
            self._send(200, content, "application/json")

    def _stream(self, wire: Wire, reply: Reply, behaviour: Behaviour) -> None:
        self._head(200, "text/event-stream", None)
        self.close_connection = True
        events = list(wire.events(reply))
        if behaviour.kind in {"stalls", "drops_midway"}:
            self.wfile.write("".join(events[: len(events) // 2]).encode())
            self._break(behaviour)
        elif behaviour.kind == "cut_bytes":
            self._in_pieces("".join(events).encode())
        else:
            for event in events[: len(events) - (behaviour.kind == "no_done")]:
                self.wfile.write(event.encode())
                self.wfile.flush()

    def _break(self, behaviour: Behaviour) -> None:
        self.close_connection = True
        self.wfile.flush()
        if behaviour.kind == "stalls":
            self.llm.wait(behaviour.seconds)

    def _in_pieces(self, content: bytes) -> None:
        """Send so few bytes at once that every longer character and line is cut somewhere."""
        for start in range(0, len(content), 7):
            self.wfile.write(content[start : start + 7])
            self.wfile.flush()

    def _json(
        self, status: int, body: Mapping[str, Any], extra: Mapping[str, str] | None = None
    ) -> None:
        self._send(status, json.dumps(body).encode(), "application/json", extra)

    def _send(
        self, status: int, content: bytes, kind: str, extra: Mapping[str, str] | None = None
    ) -> None:
        self._head(status, kind, str(len(content)), extra)
        self.wfile.write(content)

    def _head(
        self, status: int, kind: str, length: str | None, extra: Mapping[str, str] | None = None
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        headers = {"Content-Length": length} if length is not None else {"Connection": "close"}
        for name, value in {**headers, **(extra or {})}.items():
            self.send_header(name, value)
        self.end_headers()


def _text(prompt: Prompt, behaviour: Behaviour) -> str:
    if behaviour.text is not None:
        return behaviour.text
    return _WRITERS.get(behaviour.kind, honest)(prompt)
