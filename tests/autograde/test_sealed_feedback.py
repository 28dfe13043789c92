"""The page of a sealed run: lines of checks, the mark for unsealed tests, what is printed."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from jupyter_ppo.autograde.notebook_grader import NotebookGrader
from jupyter_ppo.domain.exam import CheckLine, CheckRun, CheckState
from jupyter_ppo.domain.sealing import SealState

HIDDEN = "assert f(1)\n### BEGIN HIDDEN TESTS\nassert f(12345678)\n### END HIDDEN TESTS"
NOTE = "More tests were run that are not shown."
Page = Callable[..., str]


@pytest.fixture
def page(grader: NotebookGrader, make: Any) -> Page:
    """The page for one test cell of this text, with this check; tags and markup are kept."""

    def made(
        text: str, check: CheckRun | None = None, state: SealState = SealState.SEALED, **run: Any
    ) -> str:
        source = make.data(make.tests("t", text, 3))
        released = grader.release(source)
        notebook = grader.restore(source, released.release)
        ran = make.ran(notebook, checks=[] if check is None else [check], **run)
        grades = grader.score(notebook, ran, released.exercises, make.sealing({"t": state}))
        body: str = grader.feedback(make.submission(), ran, grades).decode().partition("<body>")[2]
        return body

    return made


def words(html: str) -> str:
    return " ".join(re.sub(r"<[^>]*>", " ", html).split())


def test_each_check_is_a_line_with_its_points_and_message(page: Page, make: Any) -> None:
    lines = (CheckLine("shape <5>", 1.0, 1.0), CheckLine("by hand", 0.5, 2.0, "Begin <last>"))
    html = page("pass", make.check(0, CheckState.FAILED, lines=lines))
    assert "✓ shape &lt;5&gt; 1 of 1 ✗ by hand Begin &lt;last&gt; 0.5 of 2" in words(html)
    assert "1 of 2 checks passed." in html


def test_a_test_that_ran_in_the_students_process_is_marked_and_a_sealed_one_is_not(
    page: Page, make: Any
) -> None:
    html = page("assert f(1)", state=SealState.UNSEALED)
    assert html.count('class="badge"') == 3  # in the table, in its note, at the cell
    assert "These tests ran in the same process as your code." in words(html)
    assert "badge" not in page("assert f(1)", make.check(0))


def test_what_the_test_printed_is_shown_unless_it_holds_hidden_tests(page: Page, make: Any) -> None:
    check = make.check(0, output="seen <b>12345678</b>\n")
    assert '<pre class="stdout">seen &lt;b&gt;12345678' in page("assert f(1)", check)
    assert "seen" not in page(HIDDEN, check)
    assert '<pre class="stdout">' not in page("assert f(1)", make.check(0, output=" \n"))


def test_what_the_students_kernel_says_of_a_sealed_cell_is_not_shown(page: Page, make: Any) -> None:
    html = page("assert f(1)", make.check(0), outputs={0: [make.stream("stdout", "forged")]})
    assert "forged" not in html


def test_it_says_that_hidden_tests_were_run_where_they_were(page: Page, make: Any) -> None:
    assert NOTE in page(HIDDEN, make.check(0))
    assert NOTE in page(HIDDEN, make.failed(0, "AssertionError", line=3))
    assert NOTE not in page(HIDDEN, make.failed(0, "AssertionError", line=1))
    assert NOTE not in page(HIDDEN)
    assert NOTE not in page("assert f(1)", make.check(0))


def test_an_examined_policy_is_one_line(page: Page, make: Any) -> None:
    record = {"env_id": "CartPole-v1", "mean": 487.25, "low": 470.0, "high": 500.0, "episodes": 20}
    html = page("examine_policy(p, 'CartPole-v1')", make.check(0, records=(record,)))
    line = "CartPole-v1: mean return 487.2, 95 % confidence interval 470.0 to 500.0, 20 episodes"
    assert line in words(html)
    odd = page("pass", make.check(0, records=({"mean": "<b>", "episodes": 1},)))
    assert "policy: mean return unknown, 1 episode" in words(odd)
