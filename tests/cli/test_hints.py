"""``jupyter ppo hint``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
import pytest

from jupyter_ppo.cli.hints import attempt_in
from jupyter_ppo.domain.errors import NotFoundError
from jupyter_ppo.domain.hint_ladder import FailingCheck


def notebook_of(path: str, *, fails: bool = True) -> str:
    """Put the output of a failing check into a notebook; return its path."""
    notebook: Any = nbformat.read(path, as_version=4)
    if fails:
        notebook.cells[1].outputs = [
            nbformat.v4.new_output(
                "error",
                ename="AssertionError",
                evalue="square of 3 is 9 \x1b[2J",
                traceback=["Cell In[2], line 1", "assert square(3) == 9"],
            )
        ]
    nbformat.write(notebook, path)
    return path


def test_the_hint_is_about_the_notebook_and_says_who_wrote_it(released: Any) -> None:
    released.ok("preferences", "set", "hint_level", "4")
    path = notebook_of(released.write("mine.ipynb", "def square(x):\n    return x"))
    said = released.ok("hint", "rl", "ps1", "square", "--notebook", path)
    assert "Hint 1 (restate)" in said
    assert "The check test_square fails" in said
    assert "square of 3 is 9" in said
    assert "\x1b" not in said
    assert "No language model is involved." in said
    again = released.ok("hint", "rl", "ps1", "square", "--notebook", path)
    assert "Hint 1 (restate, as before)" in again
    other = notebook_of(released.write("next.ipynb", "def square(x):\n    return x + x"))
    assert "Hint 2 (concept)" in released.ok("hint", "rl", "ps1", "square", "--notebook", other)


def test_without_a_notebook_it_says_what_is_asked(released: Any) -> None:
    said = released.ok("hint", "rl", "ps1", "square")
    assert "No failing check is known yet" in said
    assert "square(x)" in said


def test_what_is_wrong_is_said(released: Any, tmp_path: Path) -> None:
    status, _, error = released("hint", "rl", "ps1", "nothing")
    assert (status, "nothing" in error) == (1, True)
    path = released.write("mine.ipynb", "def square(x):\n    return x")
    status, _, error = released("hint", "rl", "ps1", "cube", "--notebook", path)
    assert (status, "cube" in error) == (1, True)


def test_only_checks_of_this_answer_count() -> None:
    def cell(grade_id: str, *, solution: bool, fails: bool = False) -> dict[str, Any]:
        meta = {"grade_id": grade_id, "solution": solution, "grade": not solution}
        error = {"output_type": "error", "ename": "E", "evalue": ["a", "b"], "traceback": [7, "t"]}
        return {
            "cell_type": "code",
            "source": grade_id,
            "metadata": {"nbgrader": meta},
            "outputs": [error] if fails else [],
        }

    cells = [
        cell("one", solution=True),
        cell("one-tests", solution=False),
        cell("two", solution=True),
        cell("two-tests", solution=False, fails=True),
    ]
    assert attempt_in({"cells": cells}, "one") == ("one", None)
    assert attempt_in({"cells": cells}, "two") == (
        "two",
        FailingCheck("two-tests", "E", "ab", "t"),
    )
    with pytest.raises(NotFoundError):
        attempt_in({"cells": cells}, "three")
