"""Everything that is wrong with an author's notebook is said at once, each with its cell."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_ppo.autograde.author_check import Severity, author_problems, places_of_grade_ids
from jupyter_ppo.autograde.notebook_grader import NotebookGrader
from jupyter_ppo.domain.errors import InvalidNotebookError

SOLUTION = "def double(x):\n    ### BEGIN SOLUTION\n    return 2 * x\n    ### END SOLUTION"
NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "ppo-in-one-sitting.ipynb"


def said(data: bytes) -> list[tuple[str, str | None, int | None]]:
    return [(item.severity.value, item.grade_id, item.cell) for item in author_problems(data)]


def test_a_good_notebook_has_no_problem(make: Any) -> None:
    data = make.data(
        make.text("# Double"),
        make.solution("double", SOLUTION),
        make.tests("double-tests", "assert double(2) == 4", 2),
    )
    assert author_problems(data) == ()


def test_the_bundled_notebook_has_no_error() -> None:
    assert not [
        item
        for item in author_problems(NOTEBOOK.read_bytes())
        if item.severity is not Severity.INFO
    ]


def test_a_copied_cell_and_missing_points_are_told_at_once(make: Any) -> None:
    data = make.data(
        make.solution("double", SOLUTION),
        make.tests("double", "assert double(2) == 4"),
        make.marked(make.code("assert double(1) == 2"), "more", grade=True, locked=True),
        make.marked(make.text("Why?"), "why", grade=True, solution=True),
    )
    assert said(data) == [("error", "double", 1), ("error", "more", 2), ("error", "why", 3)]
    first, second, third = author_problems(data)
    assert "1st and the 2nd cell" in first.message
    assert "test cell needs points" in second.message
    assert "person marks needs points" in third.message


@pytest.mark.parametrize("name", ["", "with blank", "a/b", "ünï", "x" * 201, "two\nlines"])
def test_a_grade_id_that_cannot_be_one_is_named(make: Any, name: str) -> None:
    data = make.data(make.solution("a", SOLUTION), make.tests(name, "assert double(1) == 2"))
    ((severity, _, cell),) = said(data)
    assert (severity, cell) == ("error", 1)
    assert "1 to 200 letters" in author_problems(data)[0].message


@pytest.mark.parametrize("points", [-1, float("nan"), float("inf"), 2e6, "3", True])
def test_points_have_to_be_a_number_from_zero(make: Any, points: object) -> None:
    cell = make.marked(make.code("assert 1"), "t", grade=True, locked=True, points=points)
    assert said(make.data(cell))[0] == ("error", "t", 0)


def test_a_test_cell_without_a_test_gives_its_points_to_everybody(make: Any) -> None:
    data = make.data(make.solution("a", SOLUTION), make.tests("t", "# to be written\npass"))
    (problem,) = author_problems(data)
    assert (problem.severity, problem.cell) == (Severity.ERROR, 1)
    assert "every submission gets its points" in problem.message


def test_tests_above_their_answer_are_told_to_move(make: Any) -> None:
    data = make.data(make.tests("t", "assert double(2) == 4"), make.solution("double", SOLUTION))
    (problem,) = author_problems(data)
    assert (problem.severity, problem.grade_id) == (Severity.ERROR, "t")
    assert "'double' is defined in double, below" in problem.message


def test_a_name_that_is_there_before_is_no_reason_to_move(make: Any) -> None:
    data = make.data(
        make.code("x = 1"),
        make.tests("t", "assert x == 1"),
        make.solution("a", "x = 2\n### BEGIN SOLUTION\nx = 3\n### END SOLUTION"),
    )
    assert said(data) == []


def test_an_answer_without_a_region_is_only_warned_of(make: Any) -> None:
    data = make.data(
        make.solution("a", "def double(x):\n    return 2 * x"),
        make.solution("b", "# nothing yet"),
        make.tests("t", "assert double(2) == 4"),
    )
    first, second = author_problems(data)
    assert {first.severity, second.severity} == {Severity.WARNING}
    assert "YOUR CODE HERE" in first.message
    assert "There is no solution" in second.message


def test_what_students_get_must_be_python_too(make: Any) -> None:
    tests = "for x in (1, 2):\n    ### BEGIN HIDDEN TESTS\n    assert double(x) == 2 * x\n"
    data = make.data(
        make.solution("a", SOLUTION), make.tests("t", f"{tests}    ### END HIDDEN TESTS")
    )
    found = author_problems(data)
    assert [(item.severity, item.grade_id) for item in found][-1] == (Severity.ERROR, "t")
    assert any("no Python any more" in item.message for item in found)


def test_hidden_tests_alone_are_worth_a_word(make: Any) -> None:
    hidden = "### BEGIN HIDDEN TESTS\nassert double(2) == 4\n### END HIDDEN TESTS"
    data = make.data(make.solution("a", SOLUTION), make.tests("t", hidden))
    assert said(data) == [("info", "t", 1)]


def test_what_a_release_refuses_is_among_the_errors(make: Any) -> None:
    data = make.data(
        make.text("### BEGIN HIDDEN TESTS"), make.tests("t", "x = 1"), make.solution("a", SOLUTION)
    )
    assert ("error", None, 0) in said(data)
    assert said(make.data(make.text("nothing graded"))) == [("error", None, None)]


def test_what_is_no_notebook_is_refused() -> None:
    with pytest.raises(InvalidNotebookError):
        author_problems(b"no notebook")


def test_places_are_those_of_the_source(make: Any) -> None:
    data = make.data(make.text("a"), make.solution("a", SOLUTION), make.tests("t", "x"))
    assert places_of_grade_ids(data) == {"a": 1, "t": 2}


KINDS = st.fixed_dictionaries(
    {
        "schema_version": st.just(3),
        "grade": st.booleans(),
        "solution": st.booleans(),
        "locked": st.booleans(),
        "grade_id": st.sampled_from(["a", "b", "", "c d", None, 7]),
    },
    optional={"points": st.sampled_from([0, 1, 2.5, -1, None, "1"]), "task": st.booleans()},
)
TEXTS = st.sampled_from(
    ["", "x = 1", "assert x", "### BEGIN SOLUTION\nx = 1\n### END SOLUTION", "(", "BEGIN SOLUTION"]
)
CELLS = st.lists(st.tuples(st.sampled_from(["code", "markdown"]), KINDS, TEXTS), max_size=4)


@settings(deadline=None, max_examples=80)
@given(CELLS)
def test_without_an_error_it_can_be_released(
    make: Any, cells: list[tuple[str, dict[str, Any], str]]
) -> None:
    made = [
        {**(make.code(text) if kind == "code" else make.text(text)), "metadata": {"nbgrader": meta}}
        for kind, meta, text in cells
    ]
    data = make.data(*made)
    if not any(item.severity is Severity.ERROR for item in author_problems(data)):
        refused = ""
        try:
            NotebookGrader().release(data)
        except InvalidNotebookError as error:
            refused = error.message
        assert not refused or "students' copy" in refused  # which the trial itself tells
