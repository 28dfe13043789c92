"""What is believed of an examiner's words about a check."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_ppo.domain.exam import CheckLine, CheckRun, CheckState
from jupyter_ppo.sandbox.check_result import check_run_of, message_of
from jupyter_ppo.sandbox.frames import Channel, Frame

WHOLE: dict[str, Any] = {
    "did": "check",
    "index": 3,
    "state": "failed",
    "value": "1.5",
    "error_type": "AssertionError",
    "error_message": "wrong",
    "line": 2,
    "is_message": True,
    "output": "printed",
    "lines": [{"name": "shape", "points": 0, "max_points": 2.0, "message": "look"}],
    "uses": ["a", "b", "a"],
    "mutations": ["f(argument 1)"],
    "notes": ["A note.", "x" * 300],
    "records": [{"mean": 1.0}],
    "calls": 4,
    "seconds": 0.25,
}


def frame(data: bytes) -> Frame:
    return Frame(Channel.CHECK, (data,))


def test_every_field_arrives() -> None:
    message = message_of(frame(json.dumps(WHOLE).encode()))
    assert check_run_of(message, 3) == CheckRun(
        index=3,
        state=CheckState.FAILED,
        value="1.5",
        error_type="AssertionError",
        error_message="wrong",
        line=2,
        is_message=True,
        output="printed",
        lines=(CheckLine("shape", 0.0, 2.0, "look"),),
        uses=frozenset({"a", "b"}),
        mutations=("f(argument 1)",),
        notes=("A note.", "x" * 200),
        records=({"mean": 1.0},),
        calls=4,
        seconds=0.25,
    )


@pytest.mark.parametrize(
    "change",
    [
        {"index": 4},
        {"index": None},
        {"state": "perfect"},
        {"state": None},
        {"state": ["passed"]},
        {"value": 5},
        {"line": "2"},
        {"is_message": "yes"},
        {"output": 1},
        {"lines": {}},
        {"lines": [{"name": "a", "points": "2", "max_points": 2}]},
        {"lines": [{"name": "a", "points": -1, "max_points": 2}]},
        {"lines": [{"name": "a", "points": float("nan"), "max_points": 2}]},
        {"lines": [{"name": "a", "points": float("inf"), "max_points": 2}]},
        {"lines": [{"name": "a", "points": True, "max_points": 2}]},
        {"lines": ["a"]},
        {"uses": [1]},
        {"uses": ["a"] * 10_001},
        {"notes": [1]},
        {"notes": "a note"},
        {"records": [1]},
        {"calls": 1.5},
        {"seconds": None},
    ],
)
def test_a_wrong_field_makes_it_unreadable(change: dict[str, Any]) -> None:
    message = message_of(frame(json.dumps(WHOLE | change).encode()))
    with pytest.raises(ValueError):  # noqa: PT011 - each says its own
        check_run_of(message, 3)


def test_no_more_than_twenty_notes_are_kept() -> None:
    assert len(check_run_of(WHOLE | {"notes": ["note"] * 21}, 3).notes) == 20


@pytest.mark.parametrize(
    "data", [b"", b"[]", b"{", b"\xff", b"[" * 100_000, b'{"a": 1' + b"0" * 5000 + b"}"]
)
def test_what_is_no_message_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="message"):
        message_of(frame(data))
    with pytest.raises(ValueError, match="2 parts"):
        message_of(Frame(Channel.CHECK, (data, data)))


@settings(deadline=None, max_examples=50)
@given(st.text(st.characters(codec=None, categories=None), max_size=20))
def test_text_from_a_student_can_always_be_stored(text: str) -> None:
    said = WHOLE | {"error_message": text, "records": [{text: [text]}]}
    run = check_run_of(message_of(frame(json.dumps(said).encode())), 3)
    json.dumps([run.error_message, run.records], ensure_ascii=False).encode()
