"""Answers that would gain by more than the reference needed, and what each check may use."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

MEMBERS = {
    "allclose": "import torch\nassert f(3).allclose(torch.tensor([3., 6.]))",
    "startswith": "assert f(3).startswith('sec')",
    "chain": "import torch\nassert f(3).sub(torch.tensor([3., 6.])).abs().item() < 1e-6",
    "operator": "assert f(3) == 271828",
    "setting": "f(3).expected = 271828",
}
YES = """
seen = []
class Meta(type):
    def __eq__(cls, other): return seen.append(other) or True
    __hash__ = type.__hash__
    def __setattr__(cls, name, value): seen.append(value)
class Yes(metaclass=Meta):
    def allclose(other): return seen.append(other) or True
    def startswith(other): return seen.append(other) or True
    def sub(other): return seen.append(other) or Yes
    def abs(): return Yes
    def item(): return 0.0
"""
CLASS = YES + "def f(x): return Yes\n"
FUNCTION = YES + (
    "def f(x):\n    def r(): pass\n"
    "    r.allclose = r.startswith = lambda other: seen.append(other) or True\n"
    "    r.sub = lambda other: seen.append(other) or r\n"
    "    r.abs, r.item = lambda: r, lambda: 0.0\n    return r\n"
)


@pytest.mark.parametrize("answer", [CLASS, FUNCTION])
def test_a_class_or_function_in_place_of_a_value_gains_and_sees_nothing(
    exam_of: Callable[..., Any], answer: str
) -> None:
    pytest.importorskip("torch")
    exam = exam_of(answer)
    # All that an instance may do, in the widest contract.
    allowed = [".allclose", ".startswith", ".sub", ".abs", ".item", ".expected", ".__eq__"]
    exam.begin(["f", "seen"], contract=allowed)
    for code in MEMBERS.values():
        assert exam.check(code)["state"] == "failed", code
    assert exam.check("assert seen == []")["state"] == "passed"


def test_methods_of_instances_classes_and_functions_work_when_recorded(
    exam_of: Callable[..., Any],
) -> None:
    answer = (
        "class Stack:\n    limit = 3\n    def __init__(self, *items): self.items = list(items)\n"
        "    @classmethod\n    def create(cls, *items): return cls(*items)\n"
        "    def size(self): return len(self.items)\n"
        "def f(x): f.calls += 1\nf.calls = 0\n"
    )
    code = (
        "assert Stack.create(1, 2).size() == 2\nStack.limit = 4\nassert Stack.limit == 4\n"
        "f(1)\nassert f.calls == 1"
    )
    recording = exam_of(answer)
    recording.begin(["Stack", "f"], contract=None)
    run = recording.check(code)
    assert run["state"] == "passed", run
    assert run["uses"] == [".size", "class.create", "class.limit", "function.calls"]
    grading = exam_of(answer)
    grading.begin(["Stack", "f"])
    assert grading.check(code, contract=run["uses"])["state"] == "passed"
    for use in run["uses"]:
        fewer = [other for other in run["uses"] if other != use]
        assert grading.check(code, contract=fewer)["state"] == "failed"


def test_a_namedtuple_may_have_any_name_that_the_author_does_not_use(
    exam_of: Callable[..., Any],
) -> None:
    answer = (
        "from collections import namedtuple\n"
        "def f(v): return namedtuple('Stats', 'low high')(min(v), max(v))"
    )
    code = "assert f([1, 2]) == (1, 2)"
    reference = exam_of(answer)
    reference.begin(["f"], contract=None)
    run = reference.check(code)
    assert (run["state"], run["uses"], run["notes"]) == ("passed", [".__eq__"], [])
    renamed = exam_of(answer.replace("Stats", "Result"))
    renamed.begin(["f"])
    assert renamed.check(code, contract=run["uses"])["state"] == "passed"


def test_a_subclass_of_a_plain_type_is_noted_once(exam_of: Callable[..., Any]) -> None:
    exam = exam_of(
        "from collections import namedtuple\nStats = namedtuple('Stats', 'low high')\n"
        "class Long(list): pass\nclass Own: pass\n"
        "def f(v): return [Stats(min(v), max(v)), Long(v), Own(), Own, (1, 2)]"
    )
    exam.begin(["f"])
    run = exam.check("f([1])\nassert f([1, 2])[0] == (1, 2)")
    assert run["state"] == "failed"
    assert run["notes"] == [
        "Your code gave an object of the class 'Stats', a subclass of tuple, which equals nothing "
        "here; give a plain tuple.",
        "Your code gave an object of the class 'Long', a subclass of list, which equals nothing "
        "here; give a plain list.",
    ]
    assert exam.check("assert f")["notes"] == []


def test_a_contract_holds_for_its_check_only(exam_of: Callable[..., Any]) -> None:
    exam = exam_of("class Box:\n    value = 3\nbox = Box()")
    exam.begin(["box"], contract=[])
    assert exam.check("assert box.value == 3", contract=[".value"])["state"] == "passed"
    assert exam.check("assert box.value == 3", contract=[])["state"] == "failed"
    assert exam.check("def read(): return box.value", contract=[".value"])["state"] == "passed"
    assert exam.check("assert read() == 3", contract=[])["state"] == "failed"
    assert exam.given("box.value") is not None


def test_a_shared_object_kept_by_the_students_code_can_be_used_in_a_later_check(
    exam_of: Callable[..., Any],
) -> None:
    env = (
        "class Env:\n    secret = 9\n    def reset(self): return 0\n    def step(self): return 1\n"
    )
    answer = (
        "class Agent:\n    def __init__(self, env): self.env, self.first = env, env.reset()\n"
        "    def act(self): return self.env.step()\n"
        "    def peek(self): return self.env.secret\n"
    )
    checks = ["agent = Agent(Env())", "assert agent.act() == 1", "assert agent.peek() == 9"]
    recording = exam_of(answer)
    recording.begin(["Agent", "agent"], contract=None)
    assert recording.given(env) is None
    contracts = [recording.check(code)["uses"] for code in checks[:2]]
    assert contracts == [["Env.reset"], [".act", "Env.step"]]
    exam = exam_of(answer)
    exam.begin(["Agent", "agent"], contract=[*contracts[0], *contracts[1]])
    assert exam.given(env) is None
    for code, contract in zip(checks, contracts, strict=False):
        assert exam.check(code, contract=contract)["state"] == "passed"
    assert exam.check(checks[2], contract=[".peek"])["state"] == "failed"
