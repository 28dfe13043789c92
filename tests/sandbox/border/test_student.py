"""What the student's side answers: values, references, changes, errors and what was printed."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from jupyter_ppo.sandbox.border import wire
from jupyter_ppo.sandbox.border.link import Link
from jupyter_ppo.sandbox.border.student import Student
from jupyter_ppo.sandbox.frames import Channel

SECONDS = 60

CODE = """
import sys

def double(x): return 2 * x
def same(x): return x
def put(values, value): values.append(value); return values
def shout(*words): print(*words); return len(words)
def wrong(kind, *args): raise kind(*args)
def forever():
    while True: pass
def twice(callback): return callback(callback(1))
def spends(env): return env.step(2), env.size
def flood(): sys.stdout.write("ä" * 3_000_000)
def plus_one(array): array += 1
def outer(): print("outer"); return ask_back()
def nothing(*anything): pass
class Mine(ValueError): pass
class Rude(Exception):
    def __str__(self): raise RuntimeError("no text")
class Stack(list):
    def __init__(self): self.top = 3
    def __len__(self): return 5
    def __add__(self, other): return self.top + other
    __hash__ = None
kept = []
def keep(x): kept.append(x)
def use_kept(): return kept[0](1)
"""


class Asker:
    """The examiner, as far as messages go."""

    def __init__(self, link: Link, pid: int) -> None:
        self.link, self.pid = link, pid
        self.number = 0

    def send(self, op: str, *args: Any, n: str | None = None, **keywords: Any) -> None:
        self.number += 1
        encoder = wire.Encoder(lambda found: found.node)
        request = {
            "q": self.number,
            "op": op,
            "n": n,
            "a": [encoder.tree(arg) for arg in args],
            "k": {name: encoder.tree(value) for name, value in keywords.items()},
        }
        self.link.send(Channel.BORDER, (wire.dumps(request), encoder.blob()))

    def receive(self, seconds: float = SECONDS) -> dict[str, Any]:
        frame = self.link.receive(time.monotonic() + seconds)
        assert frame is not None, "no answer"
        message = wire.loads(frame.parts[0])
        decoder = wire.Decoder(frame.parts[1], Node)
        for key in ("r", "mut", "a"):
            if key in message:
                trees = message[key]
                message[key] = (
                    {name: decoder.value(tree) for name, tree in trees.items()}
                    if key == "mut"
                    else decoder.value(trees)
                )
        return message

    def ask(self, op: str, *args: Any, n: str | None = None, **keywords: Any) -> dict[str, Any]:
        self.send(op, *args, n=n, **keywords)
        return self.receive()

    def get(self, name: str) -> Any:
        return self.ask("get", n=name)["r"]

    def call(self, name: str, *args: Any, **keywords: Any) -> dict[str, Any]:
        return self.ask("call", self.get(name), *args, n="__call__", **keywords)

    def answer(self, value: Any) -> None:
        encoder = wire.Encoder(lambda found: found.node)
        header = wire.dumps({"q": self.number, "r": encoder.tree(value)})
        self.link.send(Channel.BORDER, (header, encoder.blob()))


class Node:
    """What stands for an object of either side."""

    def __init__(self, tag: str, node: dict[str, Any]) -> None:
        self.tag, self.all = tag, node
        self.node = {"t": tag, "v": node["v"]} | {
            k: node[k] for k in "nmd" if tag == "env" and k in node
        }


@pytest.fixture
def start() -> Iterator[Callable[[str], Asker]]:
    """Start a process that has run the code and answers."""
    started: list[Asker] = []

    def fork(code: str = CODE) -> Asker:
        ours, theirs = socket.socketpair()
        pid = os.fork()
        if pid == 0:
            with contextlib.suppress(BaseException):
                ours.close()
                names: dict[str, Any] = {"__name__": "__main__"}
                exec(code, names)  # noqa: S102 - the code under test
                Student(Link(theirs), names).serve()
            os._exit(0)
        theirs.close()
        started.append(Asker(Link(ours), pid))
        return started[-1]

    yield fork
    for asker in started:
        asker.link.close()
        os.kill(asker.pid, signal.SIGKILL)
        os.waitpid(asker.pid, 0)


@pytest.fixture
def asker(start: Callable[..., Asker]) -> Asker:
    return start()


def test_plain_values_come_back_as_they_are(asker: Asker) -> None:
    assert asker.call("double", 21)["r"] == 42
    assert np.array_equal(asker.call("double", np.arange(3))["r"], [0, 2, 4])
    assert asker.ask("ping")["r"] is None


def test_a_name_can_be_set_read_and_deleted(asker: Asker) -> None:
    asker.ask("set", [1], n="fresh")
    assert asker.get("fresh") == [1]
    asker.ask("del", n="fresh")
    reply = asker.ask("get", n="fresh")
    assert reply["x"][0] == "builtins.NameError"
    assert reply["msg"] == "name 'fresh' is not defined"


def test_a_function_is_a_reference_that_may_be_kept(asker: Asker) -> None:
    node = asker.get("double").all
    assert node["n"] == "double"
    assert node["f"] is True
    assert node["b"] == ["builtins.function"]
    assert "call" in node["m"]
    assert asker.get("double").all["v"] == node["v"]


def test_an_instance_tells_its_classes_and_its_own_special_methods(asker: Asker) -> None:
    cls = asker.get("Stack")
    made = asker.ask("call", cls, n="__call__")["r"].all
    assert made["n"] == "Stack"
    assert made["b"] == [cls.all["v"], "builtins.list"]
    assert {"len", "add", "getitem", "iter"} <= set(made["m"])
    assert "hash" not in made["m"]
    assert "call" not in made["m"]
    assert "f" not in made
    assert cls.all["k"] == made["b"]


def test_members_and_special_methods_work_on_a_reference(asker: Asker) -> None:
    made = asker.ask("call", asker.get("Stack"), n="__call__")["r"]
    assert asker.ask("call", made, n="__len__")["r"] == 5
    assert asker.ask("call", made, 4, n="__add__")["r"] == 7
    assert asker.ask("call", made, 1, n="append")["r"] is None
    asker.ask("setattr", made, 9, n="top")
    assert asker.ask("attr", made, n="top")["r"] == 9
    asker.ask("delattr", made, n="top")
    assert asker.ask("attr", made, n="top")["x"][0] == "builtins.AttributeError"
    assert asker.ask("isinstance", made, asker.get("Stack"))["r"] is True
    assert asker.ask("isinstance", made, asker.get("Mine"))["r"] is False


def test_an_argument_that_comes_back_is_named_and_not_copied(asker: Asker) -> None:
    assert asker.call("same", [1])["r"].all == {"t": "arg", "v": 1}
    assert asker.call("same", asker.get("double"))["r"].all == {"t": "arg", "v": 1}
    assert asker.call("same", np.zeros(3))["r"].tag == "arg"
    assert asker.call("same", "text")["r"] == "text"


def test_arguments_that_were_changed_travel_back(asker: Asker) -> None:
    assert asker.call("put", [1], 2.5)["mut"] == {"1": [1, 2.5]}
    array = asker.call("plus_one", np.arange(3.0))["mut"]["1"]
    assert array.tolist() == [1, 2, 3]
    assert asker.call("same", {"a": [1], "b": {3}})["mut"] == {}


def test_a_changed_argument_that_was_passed_by_name_travels_back(
    start: Callable[..., Asker],
) -> None:
    asker = start("def f(*, values): values.append(3)")
    assert asker.ask("call", asker.get("f"), values=[1])["mut"] == {"values": [1, 3]}


def test_a_change_of_type_alone_is_a_change(start: Callable[..., Asker]) -> None:
    asker = start("def f(values): values[0] = True; values[1] = -0.0")
    found = asker.call("f", [1, 0.0, float("nan")])["mut"]["1"]
    assert found[0] is True
    assert np.signbit(found[1])


def test_what_is_printed_comes_with_the_answer_and_is_bounded(asker: Asker) -> None:
    assert asker.call("shout", "a", "b")["out"] == "a b\n"
    assert asker.call("double", 1)["out"] == ""
    out = asker.call("flood")["out"]
    assert 0 < len(out) <= 2**20
    assert asker.call("shout", "still here")["out"] == "still here\n"


def test_errors_come_with_their_classes_text_and_plain_arguments(asker: Asker) -> None:
    reply = asker.call("wrong", asker.get("Mine"), "why", 3)
    assert reply["x"][1:] == ["builtins.ValueError", "builtins.Exception", "builtins.BaseException"]
    assert type(reply["x"][0]) is int
    assert reply["n"] == "Mine"
    assert reply["a"] == ["why", 3]
    reply = asker.call("wrong", asker.get("Rude"))
    assert reply["msg"] == ""
    assert asker.call("wrong", asker.get("SystemExit"), 1)["x"][0] == "builtins.SystemExit"
    assert asker.call("double", 1)["r"] == 2


def test_a_value_too_large_to_cross_is_an_error_and_nothing_breaks(
    start: Callable[..., Asker],
) -> None:
    asker = start("def f(): return bytes(49 * 2**20)\ndef g(): return ['x' * 999] * 9999")
    for name in ("f", "g"):
        reply = asker.call(name)
        assert reply["x"][0] == "builtins.ValueError"
        assert "cross the border" in reply["msg"]
    assert asker.ask("ping")["r"] is None


def test_a_callback_is_called_and_its_answer_is_the_value(asker: Asker) -> None:
    function = Node("cb", {"v": 4})
    target = asker.get("twice")
    asker.send("call", target, function, n="__call__")
    for value in (10, 20):
        question = asker.receive()
        assert (question["cb"], question["m"]) == (4, None)
        asker.answer(value)
    assert asker.receive()["r"] == 20


def test_a_shared_object_has_exactly_the_members_that_it_came_with(asker: Asker) -> None:
    env = Node("env", {"v": 0, "n": "Env", "m": ["step"], "d": ["size"]})
    asker.send("call", asker.get("spends"), env, n="__call__")
    question = asker.receive()
    assert (question["m"], question["a"]) == ("step", [2])
    asker.answer("stepped")
    assert asker.receive()["m"] == "size"
    asker.answer(8)
    assert asker.receive()["r"] == ("stepped", 8)
    assert asker.ask("attr", env, n="secret")["x"][0] == "builtins.AttributeError"


def test_requests_nest_while_a_callback_is_open(asker: Asker) -> None:
    target, double = asker.get("twice"), asker.get("double")
    asker.send("call", target, Node("cb", {"v": 0}), n="__call__")
    outer = asker.number
    asker.receive()
    assert asker.ask("call", double, 4, n="__call__")["r"] == 8
    asker.number = outer
    asker.answer(1)
    asker.receive()
    asker.answer(2)
    assert asker.receive()["q"] == outer


def test_an_error_of_a_callback_is_of_that_type_without_its_text(
    start: Callable[..., Asker],
) -> None:
    asker = start("def f(g):\n try: g()\n except KeyError as e: return str(e)")
    for name, found in (("KeyError", "r"), ("SystemExit", "x"), ("eval", "x"), (3, "x")):
        asker.send("call", asker.get("f"), Node("cb", {"v": 0}), n="__call__")
        number = asker.receive()["q"]
        asker.link.send(Channel.BORDER, (wire.dumps({"q": number, "x": name}), b""))
        assert found in asker.receive()


def test_a_callback_outside_of_a_call_of_the_test_is_refused(
    start: Callable[..., Asker],
) -> None:
    asker = start(
        "import threading\n"
        "def f(g):\n"
        "    found = []\n"
        "    def late():\n"
        "        try: g()\n"
        "        except RuntimeError as e: found.append(str(e))\n"
        "    thread = threading.Thread(target=late); thread.start(); thread.join()\n"
        "    return found[0]\n"
    )
    assert "only while the test" in asker.call("f", Node("cb", {"v": 0}))["r"]


def test_an_interrupt_ends_the_students_code_and_the_next_call_works(asker: Asker) -> None:
    target = asker.get("forever")
    asker.send("call", target, n="__call__")
    time.sleep(0.3)
    os.kill(asker.pid, signal.SIGINT)
    assert asker.receive()["x"][0] == "builtins.KeyboardInterrupt"
    assert asker.call("double", 2)["r"] == 4


def test_an_interrupt_ends_the_wait_for_a_callback_and_its_late_answer_is_dropped(
    asker: Asker,
) -> None:
    target = asker.get("twice")
    asker.send("call", target, Node("cb", {"v": 0}), n="__call__")
    asker.receive()
    time.sleep(0.2)
    os.kill(asker.pid, signal.SIGINT)
    assert asker.receive()["x"][0] == "builtins.KeyboardInterrupt"
    asker.answer("late")
    assert asker.call("double", 2)["r"] == 4


def test_seeds_are_set_in_the_students_own_generators(start: Callable[..., Asker]) -> None:
    asker = start("import random, numpy\ndef f(): return random.random(), numpy.random.rand()")
    asker.ask("seed", 5, n="random.seed")
    asker.ask("seed", 6, n="numpy.random.seed")
    random.seed(5)
    np.random.seed(6)
    assert asker.call("f")["r"] == (random.random(), np.random.rand())  # noqa: S311
    assert "x" in asker.ask("seed", "ls", n="os.system")


def test_messages_that_are_none_are_passed_over(asker: Asker) -> None:
    for parts in ((b"{", b""), (b"{}",), (b'{"q":"1","op":"ping"}', b""), (b'{"q":1}', b"")):
        asker.link.send(Channel.BORDER, parts)
    asker.link.send(Channel.META, (b'{"q":1,"op":"ping"}', b""))
    assert asker.call("double", 2)["r"] == 4
    assert "x" in asker.ask("eval", n="1")
    assert "x" in asker.ask("attr", Node("ref", {"v": 10**6}), n="x")


def test_nothing_of_a_request_stays_alive(start: Callable[..., Asker]) -> None:
    asker = start(
        "import gc, weakref\n"
        "class A: pass\n"
        "seen = []\n"
        "def f(values):\n"
        "    a = A(); seen.append(weakref.ref(a)); raise ValueError(1)\n"
        "def alive(): gc.collect(); return [r() is not None for r in seen]\n"
    )
    asker.call("f", [1])
    assert asker.call("alive")["r"] == [False]


def test_a_stand_in_is_the_same_object_as_long_as_it_is_used(
    start: Callable[..., Asker],
) -> None:
    asker = start("kept = []\ndef f(env): kept.append(env); return env is kept[0]\n")
    env = Node("env", {"v": 3, "n": "Env", "m": [], "d": []})
    assert asker.call("f", env)["r"] is True
    assert asker.call("f", env)["r"] is True
    assert [node.node for node in asker.get("kept")] == [{"t": "env", "v": 3}] * 2
