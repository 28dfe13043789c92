"""Checks what a kernel publishes before anything of it becomes part of a notebook.

A kernel belongs to the student, so a message may hold anything. What passes here can be written as
JSON in UTF-8, is shallow enough for every later reader, and has the types of nbformat 4.
Source: "Messaging in Jupyter", messages on the iopub channel; the nbformat 4 schema.
"""

from __future__ import annotations

import json
from typing import Any, Final

#: Nesting of lists and dicts: JSON mime types need a few, recursive readers fail at hundreds.
MAX_DEPTH: Final = 64
MAX_MIME_TYPES: Final = 4096

OUTPUT_TYPES: Final = frozenset(
    {"stream", "display_data", "update_display_data", "execute_result", "error", "clear_output"}
)
#: What every cell sends without printing anything.
QUIET_TYPES: Final = frozenset({"status", "execute_input"})


def checked_content(msg_type: str, content: Any) -> tuple[dict[str, Any], int]:
    """Return the content, free of lone surrogates, and its size in bytes as JSON.

    Raises ``ValueError`` that says what is wrong with it.
    """
    if not isinstance(content, dict):
        msg = f"the content of {msg_type!r} is not an object"
        raise ValueError(msg)
    _check_depth(content)
    text = json.dumps(content, ensure_ascii=False, allow_nan=False)
    try:
        data = text.encode()
    except UnicodeEncodeError:
        data = text.encode("utf-8", "replace")
        content = json.loads(data)
    _check_fields(msg_type, content)
    return content, len(data)


def _check_depth(content: Any) -> None:
    level: list[Any] = [content]
    for _ in range(MAX_DEPTH):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return
    msg = f"it is nested more than {MAX_DEPTH} levels deep"
    raise ValueError(msg)


def _check_fields(msg_type: str, content: dict[str, Any]) -> None:
    match msg_type:
        case "stream":
            _require(msg_type, content, "text", str)
            _require(msg_type, content, "name", str)
            if content["name"] not in {"stdout", "stderr"}:
                msg = f"a stream is named {content['name'][:40]!r}"
                raise ValueError(msg)
        case "error":
            _require(msg_type, content, "ename", str)
            _require(msg_type, content, "evalue", str)
            _require(msg_type, content, "traceback", list)
            if not all(isinstance(line, str) for line in content["traceback"]):
                msg = "a traceback has a line that is not text"
                raise ValueError(msg)
        case "display_data" | "update_display_data" | "execute_result":
            _check_display(msg_type, content)
        case "status":
            _require(msg_type, content, "execution_state", str)
        case _:
            pass


def _check_display(msg_type: str, content: dict[str, Any]) -> None:
    _require(msg_type, content, "data", dict)
    _require(msg_type, content, "metadata", dict)
    if msg_type == "execute_result":
        _require(msg_type, content, "execution_count", int)
    transient = content.get("transient")
    if transient:
        display_id = transient.get("display_id") if isinstance(transient, dict) else transient
        if not isinstance(display_id, str | None):
            msg = "a display has an id that is not text"
            raise ValueError(msg)
    if len(content["data"]) > MAX_MIME_TYPES:
        msg = f"a display has {len(content['data'])} mime types"
        raise ValueError(msg)
    for mime, value in content["data"].items():
        is_json = mime == "application/json" or mime.endswith("+json")
        is_text = isinstance(value, str) or (
            isinstance(value, list) and all(isinstance(line, str) for line in value)
        )
        if not is_json and not is_text:
            msg = f"the {mime[:80]!r} of a display is not text"
            raise ValueError(msg)


def _require(msg_type: str, content: dict[str, Any], name: str, kind: type) -> None:
    if not isinstance(content.get(name), kind) or isinstance(content[name], bool):
        msg = f"{msg_type!r} has no valid {name!r}"
        raise ValueError(msg)


def checked_reply(content: Any) -> dict[str, Any]:
    """Return the content of an execute_reply; raise ``ValueError`` that says what is wrong."""
    status = content.get("status") if isinstance(content, dict) else None
    if not isinstance(status, str) or status not in {"ok", "error", "aborted"}:
        msg = "an execute_reply has no valid 'status'"
        raise ValueError(msg)
    if status == "error":
        error = {name: content.get(name) for name in ("ename", "evalue", "traceback")}
        cleaned, _ = checked_content("error", error)
        return {"status": "error"} | cleaned
    return {"status": status}
