"""A kernel that does not play by the rules: no forged message passes a test, whatever it says."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jupyter_ppo.sandbox.border.breach import Breach, State
from jupyter_ppo.sandbox.border.link import Link
from jupyter_ppo.sandbox.border.peer import Peer
from jupyter_ppo.sandbox.border.session import Budget, Session
from jupyter_ppo.sandbox.frames import Channel

EVERY_METHOD = [
    *("call", "getitem", "len", "iter", "next", "str", "bool", "float", "int", "eq", "ne", "lt"),
    *("gt", "add", "sub", "rsub", "radd", "mul", "hash", "abs", "index", "enter", "exit"),
]
REFERENCE = {"t": "ref", "v": 0, "n": "x", "m": EVERY_METHOD}
EQUAL = "assert f(3) == [1, 4, 9]"
CLOSE = "assert abs(f(3) - 3.0) < 1e-9"
ARRAY = (
    "import numpy as np\nnp.testing.assert_allclose(f(3), [0, 2, 4])\n"
    "assert (f(3) == np.array([0, 2, 4])).all()"
)


def _always(*messages: tuple[Any, bytes]) -> Callable[[dict[str, Any]], Any]:
    return lambda request: messages


FORGED: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
    "an object with every method": (_always(({"r": REFERENCE}, b"")), EQUAL),
    "the same, with a difference": (_always(({"r": REFERENCE}, b"")), CLOSE),
    "the same, in numpy": (_always(({"r": REFERENCE}, b"")), ARRAY),
    "SystemExit": (_always(({"x": ["builtins.SystemExit"], "msg": ""}, b"")), EQUAL),
    "KeyboardInterrupt": (_always(({"x": ["builtins.KeyboardInterrupt"], "msg": ""}, b"")), EQUAL),
    "no classes of an error": (_always(({"x": 3, "msg": []}, b"")), EQUAL),
    "many classes of an error": (
        _always(({"x": [*range(90), "builtins.ValueError"], "msg": "", "a": [1] * 90}, b"")),
        EQUAL,
    ),
    "a strange tag": (_always(({"r": {"t": ["list"], "v": {}}}, b"")), EQUAL),
    "an argument never sent": (_always(({"r": {"t": "arg", "v": 99}}, b"")), EQUAL),
    "an object never shared": (_always(({"r": {"t": "cb", "v": 0}}, b"")), EQUAL),
    "a changed argument never sent": (_always(({"r": None, "mut": {"7": [1]}}, b"")), EQUAL),
    "a changed int": (
        lambda request: [
            ({"r": REFERENCE}, b"")
            if request["op"] == "get"
            else ({"r": [1, 4, 9], "mut": {"1": 4}}, b"")
        ],
        EQUAL,
    ),
    "two answers to each request": (_always(({"r": 0}, b""), ({"r": 0}, b"")), EQUAL),
    "an answer to another request": (_always(({"q": 10**6, "r": 0}, b""), ({"r": 0}, b"")), EQUAL),
    "no JSON": (_always((b"\xff\x00", b"")), EQUAL),
    "no object": (_always((b"[]", b"")), EQUAL),
    "empty lists": (_always((b'{"q": 1, "r": [' + b"[]," * 10**7 + b"[]]}", b"")), EQUAL),
    "a long number": (_always((b'{"q": 1, "r": ' + b"9" * 20_000_000 + b"}", b"")), EQUAL),
    "deep nesting": (_always((b'{"q": 1, "r": ' + b"[" * 10**5 + b"]" * 10**5 + b"}", b"")), EQUAL),
    "object arrays": (
        _always(({"r": {"t": "ndarray", "d": "|O", "s": [1], "b": [0, 8]}}, b"A" * 8)),
        ARRAY,
    ),
    "a shape that lies": (
        _always(
            ({"r": {"t": "ndarray", "d": "<f8", "s": [2**39, 0, 2**39], "b": [0, 0]}}, b""),
        ),
        ARRAY,
    ),
    "a dtype with a shape": (
        _always(({"r": {"t": "ndarray", "d": "(1000000000,)<f8", "s": [0], "b": [0, 0]}}, b"")),
        ARRAY,
    ),
    "a buffer beyond the end": (
        _always(({"r": {"t": "bytes", "b": [0, 2**40]}}, b"abc")),
        EQUAL,
    ),
    "an endless length": (
        lambda request: [
            ({"r": 2**62}, b"") if request["n"] == "__len__" else ({"r": REFERENCE}, b"")
        ],
        "assert list(f) == [0, 1, 2]",
    ),
    "StopIteration out of place": (
        lambda request: [
            ({"r": REFERENCE}, b"")
            if request["op"] == "get"
            else ({"x": ["builtins.StopIteration", "builtins.Exception"], "msg": ""}, b"")
        ],
        "assert all(map(lambda n: f(n) == n, range(5)))",
    ),
    "a call to what was never offered": (
        lambda request: [({"cb": 0, "m": "secret", "a": [], "k": {}}, b""), ({"r": 0}, b"")],
        "class Env:\n    secret = 3\nassert f(Env()) == 3",
    ),
    "the students' own objects as keys": (
        _always(({"r": {"t": "dict", "v": [[REFERENCE, 1], [REFERENCE, 2]]}}, b"")),
        EQUAL,
    ),
}


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_message_never_passes_a_test(exam_of: Callable[..., Any], name: str) -> None:
    script, code = FORGED[name]
    exam = exam_of(script=script)
    exam.begin(["f"], seconds=2)
    if code is ARRAY:
        exam.given("import numpy as np")
    before, began = exam.peak_kb(), time.monotonic()
    result = exam.check(code)
    assert result["state"] in {"failed", "border", "timeout"}, result
    assert time.monotonic() - began < 15
    assert exam.peak_kb() - before < 150_000
    swallowed = exam.check("try:\n    f(3) == 1 or 1 / 0\nexcept BaseException:\n    raise")
    assert swallowed["state"] != "passed"


def test_the_border_stays_down_for_a_test_with_a_bare_except(exam_of: Callable[..., Any]) -> None:
    exam = exam_of(script=_always((b"junk", b"")))
    exam.begin(["f"])
    assert exam.check("try:\n    f(-1)\nexcept:\n    pass")["state"] == "border"


def test_a_dead_kernel_ends_the_rest_of_the_checks(exam_of: Callable[..., Any]) -> None:
    exam = exam_of("import os\ndef f(n): os._exit(0)")
    exam.begin(["f"])
    assert exam.check("try:\n    f(1)\nexcept:\n    pass")["state"] == "not_run"
    assert exam.check("assert True")["state"] == "not_run"


def test_a_call_that_hangs_costs_only_its_check(exam_of: Callable[..., Any]) -> None:
    exam = exam_of("def hangs():\n    while True: pass\ndef half(x): return x / 2")
    exam.begin(["hangs", "half"], seconds=0.5)
    assert exam.check("hangs()")["state"] == "timeout"
    assert exam.check("assert half(3) == 1.5")["state"] == "passed"
    assert exam.check("while True: half(3)")["state"] == "timeout"
    assert exam.check("try:\n    while True: pass\nexcept: pass")["state"] == "timeout"
    assert exam.check("assert half(3) == 1.5")["state"] == "passed"


def test_code_that_does_not_stop_ends_the_rest_of_the_checks(exam_of: Callable[..., Any]) -> None:
    exam = exam_of(
        "import signal\ndef hangs():\n    signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
        "    while True: pass"
    )
    exam.begin(["hangs"], seconds=0.2)
    began = time.monotonic()
    result = exam.check("hangs()")
    assert result["state"] == "not_run"
    assert 4 < time.monotonic() - began < 12
    assert exam.check("assert True")["state"] == "not_run"


def test_a_callback_that_hangs_leaves_the_border_in_order(exam_of: Callable[..., Any]) -> None:
    exam = exam_of("def apply(f): return f()\ndef half(x): return x / 2")
    exam.begin(["apply", "half"], seconds=0.5)
    code = "def forever():\n    while True: pass\napply(forever)"
    assert exam.check(code)["state"] == "timeout"
    assert exam.check("assert half(3) == 1.5")["state"] == "passed"


def test_callbacks_without_end_are_stopped(exam_of: Callable[..., Any]) -> None:
    exam = exam_of("def apply(g, x): return g(apply, x)\ndef half(x): return x / 2")
    exam.begin(["apply", "half"])
    result = exam.check("h = lambda a, x: a(h, x)\nassert apply(h, 1) == 0")
    assert result["state"] in {"border", "failed"}
    assert exam.check("assert half(3) == 1.5")["state"] == "passed"


def test_calls_and_bytes_are_counted_per_check(exam_of: Callable[..., Any]) -> None:
    exam = exam_of("def f(x): return x")
    exam.begin(["f"], calls=50, bytes=10_000)
    assert exam.check("for i in range(60): f(i)")["state"] == "border"
    assert exam.check("try:\n    f('a' * 8000)\nexcept: pass")["state"] == "border"
    assert exam.check("assert f(1) == 1")["state"] == "passed"


def test_a_late_answer_is_not_taken_for_the_next_one(exam_of: Callable[..., Any]) -> None:
    def late(request: dict[str, Any]) -> list[tuple[dict[str, Any], bytes]]:
        answer: dict[str, Any] = {"r": REFERENCE} if request["op"] == "get" else {"r": 1}
        return [(answer | {"q": request["q"] - 1}, b""), (answer, b"")]

    exam = exam_of(script=late)
    exam.begin(["f"])
    assert exam.check("assert f(3) == 1")["state"] == "passed"


@pytest.fixture
def forged_session() -> Iterator[Callable[[bytes, bytes], Session]]:
    """A session whose next request gets these two parts as its answer."""
    ends: list[socket.socket] = []

    def make(header: bytes, blob: bytes) -> Session:
        ours, theirs = socket.socketpair()
        ends.extend((ours, theirs))
        session = Session(Peer(Link(ours)), Budget(seconds=5))
        Link(theirs).send(Channel.BORDER, (header, blob))
        return session

    yield make
    for end in ends:
        end.close()


_TAGS = st.sampled_from(
    ["ref", "arg", "cb", "env", "int", "dict", "set", "tuple", "packed", "ndarray", "tensor", "x"]
)
_TREES = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 2**70) | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.fixed_dictionaries(
            {"t": _TAGS | inner},
            optional=dict.fromkeys(("v", "n", "m", "k", "b", "d", "s", "f"), inner),
        )
    ),
    max_leaves=12,
)


@settings(
    deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    answer=st.fixed_dictionaries(
        {},
        optional={
            "r": _TREES,
            "x": _TREES,
            "msg": _TREES,
            "mut": _TREES,
            "out": _TREES,
            "a": _TREES,
            "n": _TREES,
        },
    ),
    blob=st.binary(max_size=30),
)
def test_any_answer_is_a_value_an_exception_or_a_breach(
    forged_session: Callable[[bytes, bytes], Session], answer: dict[str, Any], blob: bytes
) -> None:
    session = forged_session(json.dumps({"q": 1} | answer).encode(), blob)
    if isinstance(answer.get("out"), str):
        answer["out"] = ""
    with contextlib.suppress(Exception):
        try:
            session.request("get", [1, 2], {"a": 1}, name="f")
        except Breach:
            assert session.failure is not None
            assert session.failure.state is State.BORDER


def test_an_alarm_never_cuts_a_message_in_two(exam_of: Callable[..., Any]) -> None:
    exam = exam_of("def f(x): return x")
    exam.begin(["f"], seconds=0.3)
    for _ in range(3):
        assert exam.check("while True: f(b'a' * 100_000)")["state"] == "timeout"
        assert exam.check("assert f(b'ab') == b'ab'")["state"] == "passed"


def test_threads_of_a_test_ask_one_after_the_other(exam_of: Callable[..., Any]) -> None:
    exam = exam_of("def double(x): return 2 * x")
    exam.begin(["double"])
    code = (
        "from concurrent.futures import ThreadPoolExecutor\n"
        "with ThreadPoolExecutor(8) as pool:\n"
        "    assert list(pool.map(double, range(200))) == list(range(0, 400, 2))"
    )
    assert exam.check(code)["state"] == "passed", threading.active_count()


def test_the_examiner_ends_with_its_connection(exam_of: Callable[..., Any]) -> None:
    exam = exam_of("x = 1")
    exam.begin(["x"])
    exam._examiner.close()
    end = time.monotonic() + 20
    while time.monotonic() < end:
        with open(f"/proc/{exam.examiner_pid}/stat") as stat:
            if stat.read().split()[2] == "Z":
                break
        time.sleep(0.05)
    else:
        os.kill(exam.examiner_pid, signal.SIGKILL)
        pytest.fail("it did not end")
