"""Scores of sealed tests: from what the examiner saw, and no word of a hidden test."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from jupyter_ppo.autograde.notebook_grader import NotebookGrader
from jupyter_ppo.domain.exam import CheckLine, CheckRun, CheckState
from jupyter_ppo.domain.grading import ExerciseGrade
from jupyter_ppo.domain.sandbox import Verdict
from jupyter_ppo.domain.sealing import SealState

TESTS = 3  # index of the test cell in the restored notebook; its line 3 is hidden
SEALED = {"square_works": SealState.SEALED}


@pytest.fixture
def notebook(grader: NotebookGrader, source: bytes) -> dict[str, Any]:
    document = json.loads(grader.release(source).release)
    document["cells"][1]["source"] = "def square(x):\n    return x * x"
    return grader.restore(source, json.dumps(document).encode())


Grades = Callable[..., ExerciseGrade]


@pytest.fixture
def grade(grader: NotebookGrader, make: Any, source: bytes, notebook: Any) -> Grades:
    """Grades the sealed test cell (3 points) for the check given."""
    exercises = grader.release(source).exercises

    def graded(
        check: CheckRun | None = None, allowed: tuple[str, ...] = (), **changes: Any
    ) -> ExerciseGrade:
        checks = () if check is None else (check,)
        run = make.ran(notebook, checks=checks, **changes)
        return grader.score(notebook, run, exercises, make.sealing(SEALED, changes=allowed))[0]

    return graded


def of_tests(grader: NotebookGrader, make: Any, text: str, points: float = 3) -> Grades:
    """Grades a notebook with one test cell of this text, at index 0."""
    source = make.data(make.tests("t", text, points))
    released = grader.release(source)
    notebook = grader.restore(source, released.release)

    def graded(check: CheckRun, allowed: tuple[str, ...] = ()) -> ExerciseGrade:
        sealing = make.sealing({"t": SealState.SEALED}, changes=allowed)
        return grader.score(
            notebook, make.ran(notebook, checks=[check]), released.exercises, sealing
        )[0]

    return graded


def test_a_check_that_passed_is_full_points_whatever_the_students_kernel_said(
    grade: Grades, make: Any
) -> None:
    forged = {TESTS: [make.error("AssertionError", ""), make.stream("stderr", "warning")]}
    found = grade(make.check(TESTS), outputs=forged)
    assert found == ExerciseGrade("square_works", 3.0, 3.0, False, "All tests passed.")


def test_outputs_of_the_students_kernel_are_no_points_in_a_sealed_test(
    grade: Grades, make: Any
) -> None:
    forged = {TESTS: [make.result("3")]}
    assert grade(None, outputs=forged).points == 0.0
    assert grade(make.failed(TESTS, "AssertionError", line=1), outputs=forged).points == 0.0


@pytest.mark.parametrize(
    ("value", "points", "review"),
    [("2", 2.0, False), ("0.5", 0.5, False), ("[1]", 3.0, False), ("4", 0.0, True),
     ("nan", 0.0, True), ("-1", 0.0, True), ("", 0.0, True), ("True", 3.0, False),
     ("False", 0.0, False)],
)  # fmt: skip
def test_the_last_value_is_nbgraders_partial_credit(
    grade: Grades, make: Any, value: str, points: float, review: bool
) -> None:
    found = grade(make.check(TESTS, value=value))
    assert (found.points, found.needs_review) == (points, review)


def test_a_visible_failure_tells_type_and_text_as_in_one_kernel(grade: Grades, make: Any) -> None:
    found = grade(make.failed(TESTS, "AssertionError", "two\nlines", line=1, is_message=True))
    told = "A test failed with AssertionError: two lines (line 1: assert square(2) == 4)"
    assert (found.points, found.reason) == (0.0, told)
    raised = grade(make.failed(TESTS, "ValueError", line=1)).reason
    assert raised == "A test failed with ValueError (line 1: assert square(2) == 4)"
    failed = grade(make.failed(TESTS, "AssertionError", line=1)).reason
    assert failed == "A test failed in line 1: assert square(2) == 4"


def test_a_hidden_failure_tells_the_authors_message_or_a_number(grade: Grades, make: Any) -> None:
    quoted = make.failed(TESTS, "ValueError", "12 is not 144", line=3)
    assert grade(quoted).reason == (
        "Hidden test 1 stopped with an error: try inputs of your own, other sizes and the last "
        "step too."
    )
    assert grade(make.failed(TESTS, "ValueError", "12 is not 144")).reason == "A test failed."


def test_of_a_message_for_a_hidden_test_only_the_fixed_part_is_told(
    grader: NotebookGrader, make: Any
) -> None:
    text = "### BEGIN HIDDEN TESTS\nassert f(12), {}\n### END HIDDEN TESTS\nassert f(1)"
    for message, told in (("'Think big'", ": Think big"), ("f'not {f(12)}!'", ": not …!"),
                          ("f(12)", ".")):  # fmt: skip
        grade = of_tests(grader, make, text.replace("{}", message, 1))
        check = make.failed(0, "AssertionError", "not 12!", line=2, is_message=True)
        assert grade(check).reason == f"Hidden test 1 failed{told}"
    after = grade(make.failed(0, "ValueError", "12", line=4))
    assert after.reason == "A test failed in line 1: assert f(1)"  # as students count lines


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (CheckState.TIMEOUT, "took too long"),
        (CheckState.BORDER, "cannot be used"),
        (CheckState.NOT_RUN, "Not run: the tests got no answer"),
        (CheckState.FAILED, "A test failed."),
    ],
)
def test_every_other_end_is_zero_with_a_sentence(
    grade: Grades, make: Any, state: CheckState, words: str
) -> None:
    found = grade(make.check(TESTS, state, value="3", seconds=30.0))
    assert (found.points, found.needs_review) == (0.0, False)
    assert words in found.reason


def test_a_value_does_not_save_a_check_with_an_error(grade: Grades, make: Any) -> None:
    check = make.check(TESTS, value="3", error_type="AssertionError", line=1)
    assert grade(check).points == 0.0


def test_a_check_that_is_missing_or_there_twice_is_not_run(
    grader: NotebookGrader, grade: Grades, make: Any, source: bytes, notebook: Any
) -> None:
    assert (grade().points, grade().reason[:8]) == (0.0, "Not run:")
    run = make.ran(notebook, checks=[make.check(TESTS), make.check(TESTS)])
    exercises = grader.release(source).exercises
    assert grader.score(notebook, run, exercises, make.sealing(SEALED))[0].points == 0.0


def test_what_was_not_run_names_the_limit_that_ended_the_run(grade: Grades, make: Any) -> None:
    found = grade(
        make.check(TESTS, CheckState.NOT_RUN),
        unfinished=[1, TESTS],
        verdict=Verdict.CELL_TIMEOUT,
        detail="Cell 2 ran longer than 30 s (limit cell_seconds).",
    )
    assert found.reason == "Not run, because an earlier cell ran longer than 30 s."


def test_points_of_earlier_tests_stay_when_the_kernel_died_later(grade: Grades, make: Any) -> None:
    found = grade(make.check(TESTS), verdict=Verdict.KERNEL_DIED, detail="The kernel ended.")
    assert found.points == 3.0


def test_an_untouched_answer_has_no_answer_yet(
    grader: NotebookGrader, make: Any, source: bytes
) -> None:
    released = grader.release(source)
    notebook = grader.restore(source, released.release)
    stub = make.failed(TESTS, "NotImplementedError", line=3)
    run = make.ran(notebook, checks=[stub])
    found = grader.score(notebook, run, released.exercises, make.sealing(SEALED))[0]
    assert found.reason == "No answer yet."


def test_states_decide_which_way_a_test_is_scored(
    grader: NotebookGrader, make: Any, source: bytes, notebook: Any
) -> None:
    exercises = grader.release(source).exercises
    run = make.ran(notebook, {TESTS: [make.result("2")]}, checks=[make.check(TESTS)])

    def found(state: SealState) -> ExerciseGrade:
        return grader.score(notebook, run, exercises, make.sealing({"square_works": state}))[0]

    assert found(SealState.SEALED).points == found(SealState.REFERENCE_FAILS).points == 3.0
    unsealed = found(SealState.UNSEALED)
    assert (unsealed.points, unsealed.is_sealed) == (2.0, False)
    waits = found(SealState.CANNOT_SEAL)
    assert (waits.points, waits.needs_review, waits.is_sealed) == (0.0, True, True)
    assert "mark them as unsealed" in waits.reason
    assert grader.score(notebook, run, exercises)[0].is_sealed is False
    assert all(item.is_sealed for item in grader.score(notebook, run, exercises)[1:])


LINES = """with checks("shape", points=1): assert a.shape == (5,)
with checks("by hand", points=1.5, message="Begin at the end"): assert a[0] == 3
### BEGIN HIDDEN TESTS
with checks("far away", points=0.5): assert a[99] == 145
### END HIDDEN TESTS
checks.points"""


def lines(*points: float, message: str = "it is 145") -> tuple[CheckLine, ...]:
    names, most = ("shape", "by hand", "far away"), (1.0, 1.5, 0.5)
    return tuple(
        CheckLine(name, point, limit, "" if point >= limit else message)
        for name, point, limit in zip(names, points, most, strict=True)
    )


def test_checks_with_points_of_their_own_are_summed_and_told_line_by_line(
    grader: NotebookGrader, make: Any
) -> None:
    grade = of_tests(grader, make, LINES)
    found = grade(make.check(0, CheckState.FAILED, value="1.0", lines=lines(1, 0, 0)))
    assert (found.points, found.reason) == (1.0, "1 of 3 checks passed.")
    assert found.checks == (
        CheckLine("shape", 1.0, 1.0),
        CheckLine("by hand", 0.0, 1.5, "it is 145"),
        CheckLine("hidden test 1", 0.0, 0.5, "Hidden test 1 failed."),
    )
    whole = grade(make.check(0, value="3.0", lines=lines(1, 1.5, 0.5)))
    assert (whole.points, whole.reason) == (3.0, "All tests passed.")
    assert whole.checks[2].name == "hidden test 1"


def test_an_error_outside_of_the_checks_takes_the_points_of_all(
    grader: NotebookGrader, make: Any
) -> None:
    grade = of_tests(grader, make, LINES)
    found = grade(make.failed(0, "NameError", "checks", line=6, lines=lines(1, 1.5, 0.5)))
    assert (found.points, sum(line.points for line in found.checks)) == (0.0, 0.0)
    assert found.checks[0].message == "Not counted: the tests failed outside of it."
    ended = grade(make.check(0, CheckState.TIMEOUT, lines=lines(1, 1.5, 0.5)))
    assert ended.points == 0.0


@pytest.mark.parametrize("points", [4.0, float("nan"), float("inf"), -1.0])
def test_checks_never_give_more_than_the_cell_or_less_than_nothing(
    grader: NotebookGrader, make: Any, points: float
) -> None:
    grade = of_tests(grader, make, LINES)
    found = grade(make.check(0, lines=(CheckLine("shape", points, points),)))
    assert found.points == 0.0
    assert found.needs_review == (points == 4.0)


def test_checks_of_an_untouched_answer_are_no_answer_yet(grader: NotebookGrader, make: Any) -> None:
    source = make.data(
        make.solution("a", "def f():\n    ### BEGIN SOLUTION\n    return 1\n    ### END SOLUTION"),
        make.tests("t", LINES, 3),
    )
    released = grader.release(source)
    notebook = grader.restore(source, released.release)
    check = make.check(1, CheckState.FAILED, lines=lines(0, 0, 0, message="NotImplementedError"))
    run = make.ran(notebook, checks=[check])
    sealing = make.sealing({"t": SealState.SEALED})
    assert grader.score(notebook, run, released.exercises, sealing)[0].reason == "No answer yet."


def test_a_changed_argument_is_told_unless_the_reference_changes_it_too(
    grader: NotebookGrader, make: Any
) -> None:
    grade = of_tests(grader, make, "assert f(x) == y")
    check = make.failed(0, "AssertionError", line=1, mutations=("f(argument 1)",))
    told = " Your code changed argument 1 of f in place, which the reference does not."
    assert grade(check).reason.endswith(told)
    assert "changed" not in grade(check, ("f(argument 1)",)).reason
    passed = grade(make.check(0, mutations=("f(argument 1)",)))
    assert (passed.points, passed.reason) == (3.0, f"All tests passed.{told}")
    assert grade(make.check(0, mutations=("f(argument 1)",)), ("f(argument 1)",)).reason == (
        "All tests passed."
    )


def test_the_error_of_the_answer_just_before_is_told(
    grader: NotebookGrader, grade: Grades, make: Any
) -> None:
    failed = make.failed(TESTS, "NameError", "square", line=1)
    answered = {1: [make.error("SyntaxError", "my text")]}
    reason = grade(failed, outputs=answered).reason
    assert " raised SyntaxError." in reason
    assert "Your answer '" in reason
    assert "my text" not in reason
    assert "raised" not in grade(failed, outputs={1: [make.error("Leak12", "")]}).reason
    assert "raised" not in grade(make.check(TESTS), outputs=answered).reason


@pytest.mark.parametrize("untold", [0, 1, 3])
def test_a_stub_has_no_answer_yet_also_where_checks_have_messages(
    grader: NotebookGrader, make: Any, untold: int
) -> None:
    stub = "def f():\n    ### BEGIN SOLUTION\n    return 1\n    ### END SOLUTION"
    text = "\n".join(
        f"with checks('c{n}', points=1{'' if n < untold else ', message=' + repr('Look')}): f()"
        for n in range(3)
    )
    source = make.data(make.solution("a", stub), make.tests("t", text, 3))
    released = grader.release(source)
    sealing = make.sealing({"t": SealState.SEALED})

    def reason(submitted: bytes, *messages: str) -> str:
        found = tuple(CheckLine(f"c{n}", 0.0, 1.0, said) for n, said in enumerate(messages))
        notebook = grader.restore(source, submitted)
        run = make.ran(notebook, checks=[make.check(1, CheckState.FAILED, lines=found)])
        return grader.score(notebook, run, released.exercises, sealing)[0].reason

    said = ["NotImplementedError" if n < untold else "Look" for n in range(3)]
    assert reason(released.release, *said) == "No answer yet."
    answered = json.loads(released.release)
    answered["cells"][0]["source"] = "def f(): return 2"
    assert reason(json.dumps(answered).encode(), *said) == "0 of 3 checks passed."
    if untold:
        assert reason(released.release, "2 is not 1", *said[1:]) == "0 of 3 checks passed."


def test_a_note_is_added_to_the_reason_of_a_test_that_failed(
    grader: NotebookGrader, grade: Grades, make: Any
) -> None:
    note = (
        "Your code gave an object of the class 'Stats', a subclass of tuple, which equals nothing."
    )
    visible = of_tests(grader, make, "assert f(x) == y")
    failed = {"error_type": "AssertionError", "line": 1, "notes": (note,)}
    assert visible(make.check(0, CheckState.FAILED, **failed)).reason.endswith(f" {note}")
    assert visible(make.check(0, notes=(note,))).reason == "All tests passed."
    hidden = grade(make.check(TESTS, CheckState.FAILED, **{**failed, "line": 3})).reason
    assert hidden.endswith(" Your code gave a subclass of tuple; give a plain one.")
    assert "Stats" not in hidden


def test_a_changed_argument_of_a_hidden_test_is_not_named(grade: Grades, make: Any) -> None:
    check = make.failed(TESTS, "AssertionError", line=3, mutations=("secret(argument 1)",))
    reason = (
        "Hidden test 1 failed. "
        "Your code changed an argument in place, which the reference does not."
    )
    assert grade(check).reason == reason


def test_records_keep_only_what_is_known_and_no_name_of_a_hidden_environment(
    grader: NotebookGrader, make: Any
) -> None:
    record = {"env_id": "Secret-v9", "mean": 3, "low": 1.5, "high": float("nan"), "episodes": 2,
              "returns": [1, 5.0], "seeds": [7], "lengths": [1]}  # fmt: skip
    hidden = "### BEGIN HIDDEN TESTS\nexamine_policy(p, 'Secret-v9')\n### END HIDDEN TESTS"
    kept = {"mean": 3.0, "low": 1.5, "episodes": 2, "returns": [1.0, 5.0]}
    for text, env_id in ((hidden, "hidden test"), ("examine_policy(p, 'Secret-v9')", "Secret-v9")):
        found = of_tests(grader, make, text)(make.check(0, records=(record, {})))
        assert found.records == ({"env_id": env_id, **kept}, {})
