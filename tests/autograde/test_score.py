from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import nbformat
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jupyter_ppo.autograde.notebook_grader import NotebookGrader
from jupyter_ppo.autograde.score import score_outputs
from jupyter_ppo.domain.grading import ExerciseGrade
from jupyter_ppo.domain.sandbox import Verdict

TESTS = 3  # index of the test cell in the restored notebook


@pytest.fixture
def notebook(grader: NotebookGrader, source: bytes) -> dict[str, Any]:
    return grader.restore(source, grader.release(source).release)


@pytest.fixture
def grade(grader: NotebookGrader, make: Any, source: bytes, notebook: Any) -> Any:
    """Grades the test cell (3 points) for the outputs given."""
    exercises = grader.release(source).exercises

    def graded(*outputs: dict[str, Any], **changes: Any) -> ExerciseGrade:
        run = make.ran(notebook, {TESTS: outputs}, **changes)
        return grader.score(notebook, run, exercises)[0]

    return graded


def test_no_output_is_full_points(grade: Any) -> None:
    assert grade() == ExerciseGrade(
        "square_works", 3.0, 3.0, False, "All tests passed.", is_sealed=False
    )


def test_an_error_is_zero_and_its_message_is_the_reason(grade: Any, make: Any) -> None:
    found = grade(make.error("AssertionError", "look at x\n\x1b[31msecond\x1b[0m line"))
    assert (found.points, found.needs_review) == (0.0, False)
    assert found.reason == "A test failed with AssertionError: look at x second line"


def test_an_error_after_a_forged_result_is_still_zero(grade: Any, make: Any) -> None:
    assert grade(make.result("3"), make.error("AssertionError", "")).points == 0.0


def test_the_reason_hides_lines_of_hidden_tests_and_odd_characters(grade: Any, make: Any) -> None:
    found = grade(make.error("ValueError", "  assert square(12) == 144\u202e" + "x" * 1000))
    assert "144" not in found.reason
    assert "[hidden test][U+202E]" in found.reason
    assert len(found.reason) <= 300


def test_the_reason_hides_lines_of_the_hidden_tests_of_every_cell(
    grader: NotebookGrader, make: Any
) -> None:
    long = "assert cube(3) == 27 and secret_twin(3)"
    hidden = "### BEGIN HIDDEN TESTS\n{}\n### END HIDDEN TESTS"
    source = make.data(
        make.tests("first", "assert True"),
        make.tests("second", hidden.format("assert cube(3) == 27")),
        make.tests("third", hidden.format(long)),
    )
    exercises = grader.release(source).exercises
    notebook = grader.restore(source, grader.release(source).release)
    for index in range(3):
        run = make.ran(notebook, {index: [make.error("ValueError", f"see {long}")]})
        reason = grader.score(notebook, run, exercises)[index].reason
        assert reason == "A test failed with ValueError: see [hidden test]"


def test_a_hidden_line_that_students_read_elsewhere_is_no_secret(
    grader: NotebookGrader, make: Any
) -> None:
    line = "env.action_space.seed(seed)"
    source = make.data(
        make.code(f"def rollout(env, seed):\n    {line}"),
        make.tests("first", f"assert True, 'with {line}?'"),
        make.tests(
            "second",
            f"### BEGIN HIDDEN TESTS\n{line}\nassert cube(3) == 27\n### END HIDDEN TESTS",
        ),
    )
    exercises = grader.release(source).exercises
    notebook = grader.restore(source, grader.release(source).release)
    said = f"with {line}? assert cube(3) == 27"
    run = make.ran(notebook, {1: [make.error("AssertionError", said)]})
    reason = grader.score(notebook, run, exercises)[0].reason
    assert reason == f"A test failed with AssertionError: with {line}? [hidden test]"


@pytest.mark.parametrize("given", ["max_horizon = 3", "horizon = 3.5", "horizon = 31", "other = 1"])
def test_a_hidden_line_is_no_less_hidden_for_what_is_like_it(
    grader: NotebookGrader, make: Any, given: str
) -> None:
    hidden = "### BEGIN HIDDEN TESTS\nhorizon = 3\n### END HIDDEN TESTS"
    source = make.data(make.tests("first", given), make.tests("second", hidden))
    exercises = grader.release(source).exercises
    submitted = json.loads(grader.release(source).release)
    submitted["cells"].append(make.code("horizon = 3"))  # a guess of the student's
    notebook = grader.restore(source, make.data(*submitted["cells"]))
    run = make.ran(notebook, {0: [make.error("ValueError", "it was horizon = 3")]})
    reason = grader.score(notebook, run, exercises)[0].reason
    assert reason == "A test failed with ValueError: it was [hidden test]"


def test_stderr_is_zero_as_in_nbgrader(grade: Any, make: Any) -> None:
    found = grade(make.stream("stderr", "DeprecationWarning"))
    assert found.points == 0.0
    assert "error stream" in found.reason
    assert grade(make.stream("stdout", "hello")).points == 3.0


@pytest.mark.parametrize(
    ("text", "points"),
    [("2", 2.0), ("0", 0.0), ("0.5", 0.5), ("3.0", 3.0), (["1.5"], 1.5), ("1e0", 1.0)],
)
def test_a_number_as_result_is_partial_credit(
    grade: Any, make: Any, text: object, points: float
) -> None:
    found = grade(make.result(text))
    assert (found.points, found.needs_review) == (points, False)
    assert found.reason == f"The tests gave {points:g} of 3 points."


@pytest.mark.parametrize("text", ["None", "'2'", "array([1])", "(2.0)", ["1", "2"]])
def test_another_result_is_full_points_as_in_nbgrader(grade: Any, make: Any, text: object) -> None:
    found = grade(make.result(text))
    assert found.points == 3.0
    assert found.reason == "No test failed. The last line gave no plain number to count as points."


@pytest.mark.parametrize(
    ("text", "points"),
    [("True", 3.0), ("False", 0.0), ("np.True_", None), ("np.float64(1.5)", 1.5),
     ("tensor(1.)", 1.0), ("tensor(2, dtype=torch.int8)", 2.0), ("array(0.5)", 0.5),
     ("tensor(False)", 0.0)],
)  # fmt: skip
def test_truth_and_single_numbers_count_by_their_value(
    grade: Any, make: Any, text: str, points: float | None
) -> None:
    assert grade(make.result(text)).points == (3.0 if points is None else points)


@pytest.mark.parametrize(
    "text", ["3.5", "inf", "1e300", "", None, [], "-1", "-1e-9", "-inf", "nan", "-nan", ["NaN"]]
)
def test_an_impossible_result_waits_for_a_person_with_zero(
    grade: Any, make: Any, text: object
) -> None:
    found = grade(make.result(text))
    assert (found.points, found.needs_review) == (0.0, True)
    assert "a person looks at it" in found.reason


def test_a_cell_that_did_not_finish_is_zero_with_the_limit_as_reason(grade: Any) -> None:
    found = grade(
        unfinished=[TESTS], verdict=Verdict.MEMORY, detail="The run used more than 512 MiB."
    )
    assert (found.points, found.reason) == (0.0, "Did not finish: The run used more than 512 MiB.")


@pytest.mark.parametrize(
    ("verdict", "detail", "cut", "later"),
    [
        (
            Verdict.CELL_TIMEOUT,
            "Cell 4 ran longer than 30 s (limit cell_seconds).",
            "Did not finish: it ran longer than 30 s.",
            "Not run, because an earlier cell ran longer than 30 s.",
        ),
        (
            Verdict.MEMORY,
            "More than 512 MiB of memory was needed in cell 4 (limit memory_mb).",
            "Did not finish: More than 512 MiB of memory was needed in this cell.",
            "Not run: More than 512 MiB of memory was needed in an earlier cell.",
        ),
        (
            Verdict.OUTPUT_LIMIT,
            "Too much output in cell 4: flood; 9 are allowed (limits output_bytes, outputs).",
            "Did not finish: Too much output in this cell: flood; 9 are allowed.",
            "Not run: Too much output in an earlier cell: flood; 9 are allowed.",
        ),
        (
            Verdict.WALL_TIMEOUT,
            "The run took longer than 600 s (limit wall_seconds).",
            "Did not finish: The run took longer than 600 s.",
            "Not run: The run took longer than 600 s.",
        ),
        (
            Verdict.KERNEL_DIED,
            "",
            "Not run: the run ended early (kernel_died).",
            "Not run: the run ended early (kernel_died).",
        ),
    ],
)
def test_the_cell_that_was_cut_short_is_told_from_those_after_it(
    grade: Any, verdict: Verdict, detail: str, cut: str, later: str
) -> None:
    for unfinished, reason in (([TESTS], cut), ([1, 2, TESTS], later)):
        found = grade(unfinished=unfinished, verdict=verdict, detail=detail)
        assert (found.points, found.reason) == (0.0, reason)


def test_no_cell_was_cut_short_when_the_kernel_ended_between_two(
    grader: NotebookGrader, make: Any, source: bytes, notebook: Any
) -> None:
    run = make.ran(notebook, verdict=Verdict.KERNEL_DIED, detail="The kernel ended in cell 4.")
    cells = tuple(
        cell if cell.index < TESTS else replace(cell, finished=False, seconds=0.0)
        for cell in run.cells
    )
    found = grader.score(notebook, replace(run, cells=cells), grader.release(source).exercises)[0]
    assert found.reason == "Not run: The kernel ended in an earlier cell."


def frames(*lines: tuple[int, str]) -> list[str]:
    """A traceback as IPython writes it, in colour."""
    colour = "\x1b[36mCell\x1b[39m\x1b[36m \x1b[39m\x1b[32mIn[3]\x1b[39m\x1b[32m, line {}\x1b[39m{}"
    return ["Traceback (most recent call last)", *(colour.format(*line) for line in lines)]


def test_a_failure_in_a_hidden_test_is_told_from_one_that_is_shown(grade: Any, make: Any) -> None:
    # Line 1 of the test cell is shown, line 3 is hidden, 2 and 4 are the delimiters.
    hidden = grade(make.error("AssertionError", "large numbers too", *frames((3, ""))))
    assert hidden.reason == "A hidden test failed: AssertionError: large numbers too"
    inner = ", in square(x)"
    shown = grade(make.error("AssertionError", "two", *frames((1, ""), (3, inner))))
    assert shown.reason == "A test failed with AssertionError: two"
    called = grade(make.error("AssertionError", "", *frames((1, inner), (3, ""), (1, inner))))
    assert called.reason == "A hidden test failed: AssertionError"


@pytest.mark.parametrize(
    "trace", [[], ["Cell In[3], line " + "9" * 5000], ["no frames"], [3, None], ["\n" * 300_000]]
)
def test_a_traceback_that_says_nothing_gives_the_plain_reason(
    grade: Any, make: Any, trace: list[Any]
) -> None:
    found = grade({**make.error("AssertionError", "x"), "traceback": trace})
    assert found.reason == "A test failed with AssertionError: x"


def test_an_exercise_that_was_not_begun_has_no_answer_yet(
    grader: NotebookGrader, make: Any, source: bytes, grade: Any
) -> None:
    stub = make.error("NotImplementedError", "")
    assert grade(stub).reason == "No answer yet."
    assert grade(make.error("NotImplementedError", "later")).reason.startswith("A test failed")
    assert grade(make.error("AssertionError", "")).reason.startswith("A test failed")
    document = json.loads(grader.release(source).release)
    document["cells"][1]["source"] = "def square(x):\n    raise NotImplementedError()"
    answered = grader.restore(source, json.dumps(document).encode())
    exercises = grader.release(source).exercises
    found = grader.score(answered, make.ran(answered, {TESTS: [stub]}), exercises)[0]
    assert (found.points, found.reason) == (0.0, "A test failed with NotImplementedError")


def test_an_answer_below_the_test_does_not_count_as_its_answer(
    grader: NotebookGrader, make: Any
) -> None:
    source = make.data(
        make.solution("first", "### BEGIN SOLUTION\nx = 1\n### END SOLUTION"),
        make.tests("tests", "assert x"),
        make.solution("second", "### BEGIN SOLUTION\ny = 1\n### END SOLUTION"),
    )
    released = grader.release(source)
    document = json.loads(released.release)
    document["cells"][0]["source"] = "raise NotImplementedError"
    notebook = grader.restore(source, json.dumps(document).encode())
    run = make.ran(notebook, {1: [make.error("NotImplementedError", "")]})
    (found,) = grader.score(notebook, run, released.exercises)
    assert found.reason == "A test failed with NotImplementedError"


def test_a_run_that_lost_its_cells_is_zero_and_no_crash(
    grader: NotebookGrader, make: Any, source: bytes, notebook: Any
) -> None:
    run = make.ran(make.notebook(), verdict=Verdict.NOT_RUN, detail="Nothing was run.")
    grades = grader.score(notebook, run, grader.release(source).exercises)
    assert [item.points for item in grades] == [0.0, 0.0, 0.0]
    assert grades[0].reason == "Not run: Nothing was run."


def test_an_unanswered_question_is_zero_and_an_answer_waits_for_a_person(
    grader: NotebookGrader, make: Any, source: bytes, notebook: Any
) -> None:
    exercises = grader.release(source).exercises
    untouched = grader.score(notebook, make.ran(notebook), exercises)[1]
    assert untouched == ExerciseGrade("why", 0.0, 2.0, False, "No answer.")
    document = json.loads(grader.release(source).release)
    document["cells"][4]["source"] = "Because."
    answered = grader.restore(source, json.dumps(document).encode())
    found = grader.score(answered, make.ran(answered), exercises)[1]
    assert (found.points, found.needs_review) == (0.0, True)
    assert found.reason == "Waits for a person to read it."


def test_a_task_always_waits_for_a_person(
    grader: NotebookGrader, make: Any, source: bytes, notebook: Any
) -> None:
    found = grader.score(notebook, make.ran(notebook), grader.release(source).exercises)[2]
    assert (found.grade_id, found.points, found.needs_review) == ("explore", 0.0, True)


_texts = st.sampled_from(["1", "0", "2.5", "5", "7", "nan", "-3", "None", "1_0", "x"]) | st.floats(
    0, 6
).map(str)
_outputs = st.lists(
    st.one_of(
        st.builds(
            lambda text: {
                "output_type": "execute_result",
                "data": {"text/plain": text},
                "metadata": {},
                "execution_count": 1,
            },
            _texts | st.lists(_texts, min_size=1, max_size=2),
        ),
        st.builds(
            lambda name: {"output_type": "stream", "name": name, "text": "hello"},
            st.sampled_from(["stdout", "stderr"]),
        ),
        st.just({"output_type": "error", "ename": "E", "evalue": "", "traceback": []}),
        st.just({"output_type": "display_data", "data": {}, "metadata": {}}),
    ),
    max_size=4,
)


@settings(
    derandomize=True,
    deadline=None,
    max_examples=300,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(outputs=_outputs, points=st.sampled_from([0.0, 1.0, 2.5, 5.0]))
def test_points_are_nbgraders_and_always_between_zero_and_the_maximum(
    outputs: list[dict[str, Any]], points: float
) -> None:
    from nbgrader.utils import determine_grade

    found = score_outputs(outputs, points)
    assert 0.0 <= found.points <= points
    meta = {"grade": True, "solution": False, "grade_id": "a", "points": points}
    cell = nbformat.from_dict(
        {"cell_type": "code", "source": "", "metadata": {"nbgrader": meta}, "outputs": outputs}
    )
    try:
        theirs, _ = determine_grade(cell)
    except ValueError:  # over the maximum
        assert found.points == 0.0
        return
    if any(output["output_type"] == "error" for output in outputs):
        assert found.points == 0.0
    elif found.needs_review:  # NaN, or less than zero
        assert (found.points, theirs) == (0.0, points)
    else:
        assert found.points == theirs
