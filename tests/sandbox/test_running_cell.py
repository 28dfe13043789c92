"""The message that appears under the cell that ran, made from what a kernel says of that cell."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jupyter_client.session import Session

from jupyter_ppo.sandbox.running_cell import RunningCell

KEY = b"the kernel's key"


def announced(kernel: Session, parent: Any, msg_type: str = "execute_input") -> list[bytes]:
    """Return the message of a kernel that says that it runs a cell."""
    message = kernel.msg(msg_type, {"code": "1"})
    message["parent_header"] = parent
    return list(kernel.serialize(message, ident=b"kernel.1.execute_input"))


def read(parts: list[bytes] | None) -> dict[str, Any]:
    """Return a message as Jupyter reads it; that checks the signature."""
    assert parts is not None
    reader = Session(key=KEY)
    _, rest = reader.feed_identities(parts)
    return dict(reader.deserialize(rest))


def test_the_message_belongs_to_the_cell_that_ran_last() -> None:
    cell, kernel, client = RunningCell(), Session(key=KEY), Session()
    requests = [client.msg("execute_request")["header"] for _ in range(2)]
    for request in requests:
        cell.note(announced(kernel, request))
    cell.note(announced(kernel, client.msg("kernel_info_request")["header"], "status"))
    message = read(cell.message("It ended.\n", KEY))
    assert message["msg_type"] == "stream"
    assert message["content"] == {"name": "stderr", "text": "It ended.\n"}
    assert message["parent_header"]["msg_id"] == requests[1]["msg_id"]
    assert message["parent_header"]["session"] == client.session


def test_without_a_cell_there_is_no_message() -> None:
    assert RunningCell().message("It ended.", KEY) is None


@pytest.mark.parametrize(
    "parent",
    [
        [],
        "text",
        {},
        {"msg_id": 7},
        {"msg_id": "x" * 300},
        {"msg_id": "a\n"},
        {"msg_id": "ok", "more": "x" * 5000},
    ],
    ids=str,
)
def test_a_cell_that_cannot_be_named_is_no_cell(parent: Any) -> None:
    cell = RunningCell()
    cell.note(announced(Session(key=KEY), parent))
    assert cell.message("It ended.", KEY) is None


@pytest.mark.parametrize(
    "parent",
    [b"[" * 4000, b"\xff\xfe", b'{"msg_id": "\\ud800"}', b"{", b""],
    ids=["deep", "no UTF-8", "surrogate", "cut", "empty"],
)
def test_bytes_of_a_hostile_kernel_are_no_cell(parent: bytes) -> None:
    cell = RunningCell()
    header = json.dumps({"msg_type": "execute_input"}).encode()
    cell.note([b"topic", b"<IDS|MSG>", b"", header, parent, b"{}", b"{}"])
    assert cell.message("It ended.", KEY) is None


@settings(deadline=None, max_examples=50)
@given(st.lists(st.binary(max_size=60), max_size=9), st.binary(max_size=200))
def test_no_bytes_break_it(parts: list[bytes], parent: bytes) -> None:
    cell = RunningCell()
    cell.note(parts)
    cell.note([b"", b"<IDS|MSG>", b"", b'{"msg_type":"execute_input"}', parent])
    made = cell.message("It ended.", KEY)
    assert made is None or read(made)["content"]["text"] == "It ended."
