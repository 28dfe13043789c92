"""What rules say of a cell."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from jupyter_ppo.tutor.cell_rules import explain_cell

CODE = '''
import numpy as np

def discount(rewards, gamma):
    """Return discounted sums.

    More words."""
    total = 0.0
    for reward in rewards[::-1]:
        total = reward + gamma * total
    return total

result = discount(episode, 0.99)
assert result > 0
'''


def test_a_cell_is_told_by_its_parts() -> None:
    text = "\n".join(explain_cell(CODE))
    assert "imports numpy" in text
    assert "defines the function discount of rewards, gamma" in text
    assert "Its text says: Return discounted sums." in text
    assert {"total", "reward", "result"} <= set(
        text.partition("It gives values to ")[2].partition(".")[0].split(", ")
    )
    assert "episode" in text.partition("It uses")[2]
    assert "1 loop" in text
    assert "checks something" in text


def test_a_function_that_gives_nothing_back_is_named_so() -> None:
    assert "No line of it gives a result back" in explain_cell("def f(x):\n    x + 1")[1]


def test_text_that_is_no_python_is_said_to_be_none() -> None:
    assert "not Python" in explain_cell("def f(")[0]


def test_an_empty_cell_does_nothing() -> None:
    assert "no code" in explain_cell("# nothing\n")[0]


@given(st.text(max_size=300))
def test_any_text_is_told(text: str) -> None:
    found = explain_cell(text)
    assert found
    assert all(each and "\n" not in each for each in found)
