"""The two wire formats of the test server: what a request says, and how an answer is written."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from llm_replies import Prompt


@dataclass(frozen=True, slots=True)
class Reply:
    """What a model wrote. ``kind`` is the behaviour, tokens are one for four characters."""

    id: str
    model: str
    text: str
    kind: str
    input: int
    output: int
    cached: int

    @property
    def pieces(self) -> list[str]:
        """The text as it comes in a stream: a few characters at once."""
        return [self.text[start : start + 11] for start in range(0, len(self.text), 11)]


class Wire(Protocol):
    """One format."""

    def prompt(self, body: Mapping[str, Any]) -> Prompt:
        """Read a request."""

    def reply(self, body: Mapping[str, Any], text: str, kind: str, call: str) -> Reply:
        """Make an answer out of what a model wrote."""

    def error(self, status: int, message: str) -> dict[str, Any]:
        """Return the body of an error."""

    def whole(self, reply: Reply) -> dict[str, Any]:
        """Return the body of an answer."""

    def events(self, reply: Reply) -> Iterator[str]:
        """Yield an answer's events; the last one says that it is complete."""


def tokens(text: str) -> int:
    """Return how many tokens a text has here: one for every four bytes that were begun."""
    return -(-len(text.encode()) // 4)


def _made(body: Mapping[str, Any], text: str, kind: str, call: str, limit: int) -> Reply:
    read = tokens(json.dumps(body.get("messages")) + json.dumps(body.get("system", "")))
    if kind == "truncated":
        text = text[: max(1, len(text) // 2)]
    elif kind == "empty":
        text = ""
    return Reply(
        id=call,
        model=str(body.get("model")),
        text=text,
        kind=kind,
        input=read,
        output=min(tokens(text), limit),
        cached=read // 4,
    )


def _joined(content: Any) -> str:
    if isinstance(content, str):
        return content
    return "\n".join(part.get("text", "") for part in content or ())


class ChatCompletions:
    """OpenAI's, and that of everybody who copies it."""

    def prompt(self, body: Mapping[str, Any]) -> Prompt:
        """Read a request."""
        texts: dict[str, list[str]] = {"system": [], "user": []}
        for message in body["messages"]:
            role = "system" if message["role"] in {"system", "developer"} else "user"
            texts[role].append(_joined(message["content"]))
        wanted = body.get("response_format") or {}
        schema = (wanted.get("json_schema") or {}).get("schema")
        return Prompt("\n".join(texts["system"]), "\n".join(texts["user"]), schema)

    def reply(self, body: Mapping[str, Any], text: str, kind: str, call: str) -> Reply:
        """Make an answer out of what a model wrote."""
        limit = body.get("max_completion_tokens") or body.get("max_tokens") or 10**9
        return _made(body, text, kind, f"chatcmpl-{call}", limit)

    def error(self, status: int, message: str) -> dict[str, Any]:
        """Return the body of an error."""
        return {"error": {"message": message, "type": "test", "param": None, "code": str(status)}}

    def whole(self, reply: Reply) -> dict[str, Any]:
        """Return the body of an answer."""
        refused = reply.kind == "refuses"
        message = {
            "role": "assistant",
            "content": None if refused else reply.text,
            "refusal": reply.text if refused else None,
        }
        choice = {"index": 0, "message": message, "finish_reason": _finish(reply)}
        body = {
            "id": reply.id,
            "object": "chat.completion",
            "created": 1_760_000_000,
            "model": reply.model,
            "choices": [] if reply.kind == "empty" else [choice],
        }
        return body if reply.kind == "no_usage" else {**body, "usage": _usage(reply)}

    def events(self, reply: Reply) -> Iterator[str]:
        """Yield an answer's events; the last one says that it is complete."""
        part = "refusal" if reply.kind == "refuses" else "content"
        if reply.kind != "empty":
            yield self._chunk(reply, {"role": "assistant", part: ""}, None)
            for piece in reply.pieces:
                yield self._chunk(reply, {part: piece}, None)
            yield self._chunk(reply, {}, _finish(reply))
        if reply.kind != "no_usage":
            yield self._event(reply, [], usage=_usage(reply))
        yield "data: [DONE]\n\n"

    def _chunk(self, reply: Reply, delta: Mapping[str, Any], finish: str | None) -> str:
        return self._event(reply, [{"index": 0, "delta": delta, "finish_reason": finish}])

    def _event(
        self, reply: Reply, choices: list[Any], usage: Mapping[str, Any] | None = None
    ) -> str:
        body = {
            "id": reply.id,
            "object": "chat.completion.chunk",
            "created": 1_760_000_000,
            "model": reply.model,
            "choices": choices,
            **({"usage": usage} if usage else {}),
        }
        return f"data: {json.dumps(body, ensure_ascii=False)}\n\n"


def _finish(reply: Reply) -> str:
    return "length" if reply.kind == "truncated" else "stop"


def _usage(reply: Reply) -> dict[str, Any]:
    return {
        "prompt_tokens": reply.input,
        "completion_tokens": reply.output,
        "total_tokens": reply.input + reply.output,
        "prompt_tokens_details": {"cached_tokens": reply.cached},
    }


class Messages:
    """Anthropic's. Its input tokens are those that were not read from the cache."""

    def prompt(self, body: Mapping[str, Any]) -> Prompt:
        """Read a request."""
        user = "\n".join(_joined(message["content"]) for message in body["messages"])
        wanted = (body.get("output_config") or {}).get("format") or body.get("output_format") or {}
        return Prompt(_joined(body.get("system", "")), user, wanted.get("schema"))

    def reply(self, body: Mapping[str, Any], text: str, kind: str, call: str) -> Reply:
        """Make an answer out of what a model wrote."""
        return _made(body, text, kind, f"msg_{call}", body["max_tokens"])

    def error(self, status: int, message: str) -> dict[str, Any]:
        """Return the body of an error."""
        return {"type": "error", "error": {"type": f"error_{status}", "message": message}}

    def whole(self, reply: Reply) -> dict[str, Any]:
        """Return the body of an answer."""
        return {
            **self._begun(reply, self._counted(reply)),
            "content": [{"type": "text", "text": reply.text}] if reply.kind != "empty" else [],
            "stop_reason": self._stop(reply),
        }

    def events(self, reply: Reply) -> Iterator[str]:
        """Yield an answer's events; the last one says that it is complete."""
        begun = self._begun(reply, {**self._counted(reply), "output_tokens": 0})
        yield _event("message_start", message=begun)
        if reply.kind != "empty":
            yield _event("content_block_start", index=0, content_block={"type": "text", "text": ""})
            yield _event("ping")
            for piece in reply.pieces:
                delta = {"type": "text_delta", "text": piece}
                yield _event("content_block_delta", index=0, delta=delta)
            yield _event("content_block_stop", index=0)
        last = {"stop_reason": self._stop(reply), "stop_sequence": None}
        yield _event("message_delta", delta=last, usage=self._counted(reply))
        yield _event("message_stop")

    def _begun(self, reply: Reply, usage: Mapping[str, int]) -> dict[str, Any]:
        return {
            "id": reply.id,
            "type": "message",
            "role": "assistant",
            "model": reply.model,
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": usage,
        }

    def _counted(self, reply: Reply) -> dict[str, int]:
        if reply.kind == "no_usage":
            return {"input_tokens": 0, "output_tokens": 0}
        return {
            "input_tokens": reply.input - reply.cached,
            "cache_read_input_tokens": reply.cached,
            "cache_creation_input_tokens": 0,
            "output_tokens": reply.output,
        }

    def _stop(self, reply: Reply) -> str:
        return {"truncated": "max_tokens", "refuses": "refusal"}.get(reply.kind, "end_turn")


def _event(kind: str, **fields: Any) -> str:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields}, ensure_ascii=False)}\n\n"


#: The formats, by address.
WIRES: dict[str, Wire] = {"/v1/chat/completions": ChatCompletions(), "/v1/messages": Messages()}
