"""What a student's own try sees: every line that they can read, and not one hidden one."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_ppo.autograde.notebook_grader import NotebookGrader
from jupyter_ppo.autograde.release import make_release
from jupyter_ppo.autograde.visible import (
    runs_something,
    visible_results,
    visible_source,
    without_hidden_tests,
)
from jupyter_ppo.domain.exam import CheckState
from jupyter_ppo.domain.sealing import SealState

SOLUTION = "def double(x):\n    ### BEGIN SOLUTION\n    return 2 * x\n    ### END SOLUTION"
TESTS = (
    "assert double(1) == 2\n### BEGIN HIDDEN TESTS\nassert double(-3.5) == -7\n### END HIDDEN TESTS"
)
HIDDEN_ONLY = "### BEGIN HIDDEN TESTS\nassert double(19) == 38\n### END HIDDEN TESTS"


def source_of(make: Any) -> bytes:
    data: bytes = make.data(
        make.solution("double", SOLUTION),
        make.tests("double-tests", TESTS, 2),
        make.tests("double-more", HIDDEN_ONLY, 3),
        make.manual("why", "Because.", 1),
    )
    return data


def test_the_tests_read_as_in_the_students_copy_and_the_solution_stays(make: Any) -> None:
    source = source_of(make)
    visible, released = visible_source(source), make_release(source).release
    made = make_release(visible)
    assert b"HIDDEN" not in visible
    assert b"3.5" not in visible
    for cell, students in zip(made.source["cells"], released["cells"], strict=True):
        if cell["metadata"]["nbgrader"]["grade"] and cell["cell_type"] == "code":
            assert cell["source"] == students["source"]
    assert made.source["cells"][0]["source"] == SOLUTION
    assert [each["source"] for each in made.release["cells"]] == [
        each["source"] for each in released["cells"]
    ]


def test_whose_name_is_whose_stays_as_it_was(make: Any) -> None:
    source, grader = source_of(make), NotebookGrader()
    full = grader.exam(source, grader.restore(source, source), None)
    seen = visible_source(source)
    visible = grader.exam(seen, grader.restore(seen, source), None)
    assert full is not None
    assert visible is not None
    assert visible.student_names == full.student_names == {"double"}
    assert "3.5" not in repr(visible)


def test_results_tell_passed_failed_and_not_run_apart(make: Any) -> None:
    source, grader = source_of(make), NotebookGrader()
    visible, exercises = visible_source(source), make_release(source).exercises
    notebook = grader.restore(visible, source)
    sealing = make.sealing({"double-tests": SealState.SEALED, "double-more": SealState.SEALED})
    for state, passed in ((CheckState.PASSED, True), (CheckState.FAILED, False)):
        run = make.ran(notebook, checks=[make.check(1, state), make.check(2)])
        grades = grader.score(notebook, run, exercises, sealing)
        results = visible_results(notebook, grades, exercises)
        assert [item.is_passed for item in results] == [passed, None, None]
        assert results[0].points == (2 if passed else 0)
        assert "hidden" in results[1].reason
        assert results[1].points == 0  # an empty test cell would give its points to everybody
        assert "person" in results[2].reason


def test_a_test_without_points_can_fail_too(make: Any) -> None:
    source = make.data(make.solution("double", SOLUTION), make.tests("t", TESTS, 0))
    grader, exercises = NotebookGrader(), make_release(source).exercises
    notebook = grader.restore(visible_source(source), source)
    sealing = make.sealing({"t": SealState.SEALED})
    for state in (CheckState.PASSED, CheckState.FAILED):
        run = make.ran(notebook, checks=[make.check(1, state)])
        (result,) = visible_results(
            notebook, grader.score(notebook, run, exercises, sealing), exercises
        )
        assert result.is_passed is (state is CheckState.PASSED)


LINES = st.lists(
    st.sampled_from(
        ["a = 1", "", "# BEGIN HIDDEN TESTS", "### END HIDDEN TESTS", "secret()", "  b = 2"]
    ),
    max_size=12,
)


@settings(deadline=None, max_examples=100)
@given(LINES)
def test_cutting_twice_is_cutting_once_and_leaves_no_delimiter(lines: list[str]) -> None:
    cut = without_hidden_tests("\n".join(lines))
    assert "HIDDEN" not in cut
    assert without_hidden_tests(cut) == cut


def test_comments_and_texts_run_nothing_and_broken_code_counts_as_a_test() -> None:
    idle = ("", "# only words", "'a text'", "pass", "# x\n\npass")
    assert not any(map(runs_something, idle))
    assert all(map(runs_something, ("assert True", "x = 1", "%time f()", "def broken(")))
