"""Which texts are the same attempt."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_ppo.autograde.attempt_digest import attempt_digest
from jupyter_ppo.domain.hint_ladder import NO_ATTEMPT

CODE = "def f(x):\n    return x + 1\n"


@pytest.mark.parametrize(
    "same",
    [
        "def f(x):\n    # one more\n    return x + 1",
        "\n\ndef f( x ):\n\n    return x+1\n\n\n",
        'def f(x):\n    """Return one more."""\n    return (x + 1)',
        '"""A text."""\ndef f(x):\n        return x + 1',
        "%matplotlib inline\ndef f(x):\n    return x + 1",
    ],
)
def test_looks_make_no_new_attempt(same: str) -> None:
    assert attempt_digest(same) == attempt_digest(CODE)


@pytest.mark.parametrize(
    "other",
    [
        "def f(x):\n    return x + 2\n",
        "def f(x):\n    return x - 1\n",
        "def f(x):\n    return 'x + 1'\n",
        "def f(x):\n    return x + 1\n\nf(3)",
        "def f(x):\n    return x + 1.0\n",
    ],
)
def test_other_code_is_a_new_attempt(other: str) -> None:
    assert attempt_digest(other) != attempt_digest(CODE)


@pytest.mark.parametrize("text", ["", "  \n\n", "# nothing yet\n", '"""Only words."""\n'])
def test_text_without_code_is_no_attempt(text: str) -> None:
    assert attempt_digest(text) == NO_ATTEMPT


def test_text_that_is_no_python_is_compared_without_blanks_and_comments() -> None:
    broken = "def f(x:\n    return x"
    assert attempt_digest(broken) == attempt_digest("def f(x:   # oh\n\n  return   x\n")
    assert attempt_digest(broken) != attempt_digest("def f(x:\n    return y")
    assert attempt_digest(broken) != NO_ATTEMPT


@given(st.text(max_size=200))
def test_any_text_has_a_digest(text: str) -> None:
    assert attempt_digest(text) == attempt_digest(text + "\n")


def test_deep_nesting_has_a_digest() -> None:
    deep = "x = " + "-" * 5000 + "1"
    assert attempt_digest(deep) not in {NO_ATTEMPT, attempt_digest(deep + "2")}
