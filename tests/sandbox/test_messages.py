from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_ppo.sandbox.messages import MAX_DEPTH, checked_content, checked_reply

anything = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(st.characters(codec=None), max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["name", "text", "data", "metadata", "transient", "x"])
            | st.text(max_size=4),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
types = st.sampled_from(["stream", "display_data", "execute_result", "error", "status", "other"])


@settings(deadline=None)
@given(types, anything)
def test_whatever_passes_can_be_written_as_utf8_json(msg_type: str, content: Any) -> None:
    try:
        checked, size = checked_content(msg_type, content)
    except ValueError:
        return
    written = json.dumps(checked, ensure_ascii=False, allow_nan=False).encode()
    assert size == len(written)


@pytest.mark.parametrize(
    ("msg_type", "content"),
    [
        ("stream", {"name": "stdout", "text": "x"}),
        ("display_data", {"data": {"text/plain": "x"}, "metadata": {}}),
        ("display_data", {"data": {"text/plain": ["x"]}, "metadata": {}, "transient": {}}),
        ("display_data", {"data": {"application/json": {"a": [1]}}, "metadata": {}}),
        ("execute_result", {"data": {}, "metadata": {}, "execution_count": 1}),
        ("error", {"ename": "E", "evalue": "", "traceback": ["x"]}),
        ("clear_output", {"wait": True}),
    ],
)
def test_what_a_kernel_normally_sends_passes_unchanged(
    msg_type: str, content: dict[str, Any]
) -> None:
    assert checked_content(msg_type, content)[0] == content


@pytest.mark.parametrize(
    ("msg_type", "content"),
    [
        ("stream", []),
        ("stream", {"name": "stdout"}),
        ("stream", {"name": ["stdout"], "text": "x"}),
        ("stream", {"name": "other", "text": "x"}),
        ("stream", {"name": "stdout", "text": float("nan")}),
        ("display_data", {"data": {"text/plain": 7}, "metadata": {}}),
        ("display_data", {"data": {}, "metadata": None}),
        ("display_data", {"data": {}, "metadata": {}, "transient": {"display_id": 3}}),
        ("display_data", {"data": {str(n): "" for n in range(5000)}, "metadata": {}}),
        ("execute_result", {"data": {}, "metadata": {}, "execution_count": True}),
        ("error", {"ename": "E", "evalue": "", "traceback": [1]}),
        ("status", {}),
    ],
)
def test_what_no_notebook_can_hold_is_refused(msg_type: str, content: Any) -> None:
    with pytest.raises(ValueError, match=r"."):
        checked_content(msg_type, content)


def test_deep_nesting_is_refused() -> None:
    content: Any = {}
    for _ in range(MAX_DEPTH + 1):
        content = {"data": content}
    with pytest.raises(ValueError, match="deep"):
        checked_content("other", content)


def test_lone_surrogates_are_replaced() -> None:
    content, _ = checked_content("stream", {"name": "stdout", "text": "a\ud800b"})
    assert content["text"] == "a?b"


@pytest.mark.parametrize("content", [None, {}, {"status": ["ok"]}, {"status": "fine"}])
def test_a_reply_without_a_valid_status_is_refused(content: Any) -> None:
    with pytest.raises(ValueError, match="status"):
        checked_reply(content)


def test_a_reply_with_an_error_must_say_which() -> None:
    with pytest.raises(ValueError, match="ename"):
        checked_reply({"status": "error"})


def test_only_the_known_fields_of_a_reply_are_kept() -> None:
    assert checked_reply({"status": "ok", "payload": [{"source": "ask_exit"}]}) == {"status": "ok"}
