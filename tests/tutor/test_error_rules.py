"""What learners are told of an error: the errors are real ones, raised here."""

from __future__ import annotations

import ast
import traceback
from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from jupyter_ppo.tutor.error_rules import ErrorExplanation, explain_error, rule_names


def _unpack(count: int, values: int) -> None:
    names = ", ".join(f"x{i}" for i in range(count))
    exec(f"{names} = range({values})", {})  # noqa: S102 - an error of Python's own


def _unbound() -> None:
    exec("def f():\n    if 0: x = 1\n    return x\nf()", {})  # noqa: S102


def _cast() -> None:
    whole = np.zeros(3, dtype=int)
    whole += 0.5


def _twice() -> None:
    weight = torch.ones(1, requires_grad=True)
    loss = (weight * weight).sum()
    loss.backward()
    loss.backward()


def _in_place() -> None:
    weight = torch.ones(1, requires_grad=True)
    y = weight.exp()
    y += 1
    y.sum().backward()


def _step(*, reset: bool, action: int) -> None:
    env = gymnasium.make("CartPole-v1")
    if reset:
        env.reset(seed=0)
    env.step(action)


def _check(message: str) -> None:
    raise AssertionError(message)


def _not_written() -> None:
    raise NotImplementedError


RAISES: list[tuple[str, Callable[[], Any]]] = [
    ("not_written", _not_written),
    ("name", lambda: eval("advantage")),  # noqa: S307 - an error of Python's own
    ("unbound", _unbound),
    ("module", lambda: __import__("stable_baselines")),
    ("import", lambda: exec("from math import cosinus")),  # noqa: S102 - likewise
    ("syntax", lambda: ast.parse("a = (")),
    ("step_values", lambda: _unpack(4, 5)),
    ("step_values", lambda: _unpack(5, 4)),
    ("unpack", lambda: _unpack(3, 2)),
    ("reset", lambda: _step(reset=False, action=0)),
    ("action", lambda: _step(reset=True, action=7)),
    ("none", lambda: None + 1),  # type: ignore[operator]
    ("none", lambda: None.shape),  # type: ignore[attr-defined]
    ("arguments", lambda: _unpack(1)),  # type: ignore[call-arg]
    ("arguments", lambda: _unpack(1, 1, gamma=1)),  # type: ignore[call-arg]
    ("not_callable", lambda: np.zeros(3).shape()),  # type: ignore[operator]
    ("in_place", _in_place),
    ("twice", _twice),
    ("no_graph", lambda: torch.zeros(3).sum().backward()),
    ("needs_detach", lambda: torch.zeros(1, requires_grad=True).numpy()),
    ("dtype", lambda: torch.nn.Linear(3, 2)(torch.zeros(4, 3, dtype=torch.float64))),
    ("cast", _cast),
    ("matrix", lambda: torch.nn.Linear(3, 2)(torch.zeros(4, 5))),
    ("matrix", lambda: np.zeros((3, 4)) @ np.zeros((3, 4))),
    ("reshape", lambda: np.zeros(6).reshape(4, 2)),
    ("reshape", lambda: torch.zeros(6).reshape(4, 2)),
    ("one_element", lambda: bool(np.zeros(3))),
    ("one_element", lambda: bool(torch.zeros(3))),
    ("one_element", lambda: torch.zeros(3).item()),
    ("distribution", lambda: torch.distributions.Categorical(logits=torch.tensor([np.nan]))),
    ("shape", lambda: np.zeros(3) + np.zeros(4)),
    ("shape", lambda: torch.zeros(3) + torch.zeros(4)),
    ("shape", lambda: torch.stack([torch.zeros(2), torch.zeros(3)])),
    ("index_kind", lambda: np.zeros(3)[1.5]),  # type: ignore[call-overload]
    ("index", lambda: torch.zeros(3)[5]),
    ("index", lambda: [1, 2].pop(2)),
    ("key", lambda: {}["final_info"]),
    ("attribute", lambda: np.zeros(3).detach()),  # type: ignore[attr-defined]
    ("zero", lambda: 1 / 0),
    ("not_finite", lambda: _check("some advantages are NaN: is every row set?")),
    ("assertion", lambda: _check("environment 1, last step: 4 + 0.5 * last_value - 2 is 3")),
    ("types", lambda: "a" + 1),  # type: ignore[operator]
    ("value", lambda: int("ten")),
]


def explained(raises: Callable[[], Any]) -> ErrorExplanation:
    try:
        raises()
    except BaseException as error:
        return explain_error(type(error).__name__, str(error), traceback.format_exc())
    pytest.fail("nothing was raised")


@pytest.mark.parametrize(("rule", "raises"), RAISES, ids=lambda value: str(value)[:20])
def test_each_real_error_is_explained_by_its_rule(rule: str, raises: Callable[[], Any]) -> None:
    found = explained(raises)
    assert found.rule == rule
    assert found.means
    assert found.tries


def test_every_rule_is_named_by_an_error_here() -> None:
    only_names = {"timeout", "interrupted", "memory", "recursion"}
    assert set(rule_names()) - only_names == {rule for rule, _ in RAISES}


@pytest.mark.parametrize(
    ("error_type", "message", "rule"),
    [
        ("TimeoutError", "", "timeout"),
        ("", "Cell 3 did not finish within 30 s.", "timeout"),
        ("KeyboardInterrupt", "", "interrupted"),
        ("MemoryError", "", "memory"),
        ("RecursionError", "maximum recursion depth exceeded", "recursion"),
        ("gymnasium.error.ResetNeeded", "Cannot call env.step() before", "reset"),
        ("MyOwnError", "oh", "unknown"),
        ("", "", "unknown"),
    ],
)
def test_errors_by_name_and_those_that_nobody_knows(
    error_type: str, message: str, rule: str
) -> None:
    assert explain_error(error_type, message).rule == rule


TRACE = """\
\x1b[31m---------------------------------------------------------------\x1b[39m
ValueError                                Traceback (most recent call last)
Cell In[7], line 9
      7     return deltas
----> 9 advantages = gae(rewards, values)

Cell In[7], line 4, in gae(rewards, values)
      2 def gae(rewards, values):
      3     following = values[1:]
----> 4     deltas = rewards + 0.99 * following - values
      5     return deltas

ValueError: operands could not be broadcast together with shapes (5,) (4,)
"""


def test_the_last_line_of_the_learners_is_named_with_its_names() -> None:
    found = explain_error("ValueError", "operands could not be broadcast", TRACE)
    assert "Line 4 of gae" in found.where
    assert "deltas = rewards + 0.99 * following - values" in found.where
    assert "deltas, rewards, following, values" in found.where


def test_without_the_line_in_the_traceback_it_is_read_from_the_code() -> None:
    trace = "Cell In[2], line 2\n\nNameError: name 'x' is not defined"
    found = explain_error("NameError", "name 'x' is not defined", trace, "a = 1\nb = x + a\n")
    assert "Line 2, which reads: b = x + a" in found.where


def test_a_name_that_looks_alike_is_shown() -> None:
    found = explain_error("NameError", "name 'advantage' is not defined", "", "advantages = [1]")
    assert "'advantages'" in found.means


def test_the_type_is_read_from_the_traceback_if_nobody_says_it() -> None:
    assert (
        explain_error("", "", "Traceback ...\nZeroDivisionError: division by zero").rule == "zero"
    )


@given(*(st.text(max_size=300) for _ in range(4)))
def test_any_text_is_explained_in_plain_characters(
    error_type: str, message: str, trace: str, code: str
) -> None:
    text = explain_error(error_type, message, trace, code).text
    assert text.startswith("What it means: ")
    assert not any(ord(each) < 32 and each != "\n" for each in text)


def test_long_text_is_cut_and_takes_no_time() -> None:
    many = "Cell In[1], line 1\n" * 200_000
    text = explain_error("ValueError" * 10_000, "shape " * 100_000, many, "x = 1\n" * 100_000).text
    assert len(text) < 3_000


@pytest.mark.parametrize(("rule", "raises"), RAISES, ids=lambda value: str(value)[:20])
def test_no_advice_holds_code(rule: str, raises: Callable[[], Any]) -> None:
    for each in explained(raises).tries:
        assert "`" not in each
        assert " = " not in each
        assert "()" not in each
