"""Cells as Python, with the line numbers of the cell."""

from __future__ import annotations

import ast

from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_ppo.autograde.sealing.python_text import parsed_answer, python_of, unwrapped


def test_plain_python_keeps_its_lines_also_after_empty_ones() -> None:
    assert python_of("\n  \n\nx = 1\n\ny = 2").split("\n")[3:6] == ["x = 1", "", "y = 2"]


def test_magics_that_show_figures_do_nothing() -> None:
    assert python_of("%matplotlib inline\nx = 1") == "pass\nx = 1\n"


def test_other_magics_ask_the_kernel() -> None:
    assert python_of("!ls\n%time x = 1").count("get_ipython()") == 2


def test_a_timing_magic_is_taken_away_from_around_code() -> None:
    assert unwrapped("%%time\nx = 1") == "\nx = 1"
    assert unwrapped("%time x = 1\ny = 2 %time") == "x = 1\ny = 2 %time"


@settings(deadline=None, max_examples=80)
@given(st.text(alphabet="ab=1 \n%!?()'\"\\:\t", max_size=40))
def test_any_text_is_read_or_refused_without_an_error(text: str) -> None:
    python_of(text)
    tree = parsed_answer(text)
    assert tree is None or isinstance(tree, ast.Module)
