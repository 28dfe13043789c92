"""What students are shown of what ran after a hidden test: nothing their code can have made."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jupyter_ppo.autograde.notebook_grader import NotebookGrader
from jupyter_ppo.domain.exam import CheckLine, CheckState
from jupyter_ppo.domain.grading import ExerciseGrade
from jupyter_ppo.domain.sandbox import Verdict
from jupyter_ppo.domain.sealing import SealState

NOT_SHOWN = "Not shown: hidden tests had run before this cell."
TEXT_NOT_SHOWN = "The text is not shown: hidden tests had run before."
HIDDEN = "assert f(1) == 1\n### BEGIN HIDDEN TESTS\nassert f(12) == 144\n### END HIDDEN TESTS"
LATER = """assert g(1) == 1, "Begin with one"
assert g(2) == 2, f"g gave {g(2)}, not two"
with checks("by hand", points=1): assert g(3)
with checks(f"case {g(4)}", points=1, message=f"got {g(4)}, think"): assert g(4)
g(5)"""
#: Indices of the cells: an answer, hidden tests, the student's own, an answer, two tests.
ANSWER, TESTS, OWN, SECOND, SEALED, OPEN = range(6)
Show = Callable[..., tuple[dict[str, ExerciseGrade], str]]


@pytest.fixture(scope="module")
def show(grader: NotebookGrader, make: Any) -> Show:
    """Grades and page of a notebook with cells after its hidden tests."""
    source = make.data(
        make.solution("a", "def f(x):\n    ### BEGIN SOLUTION\n    0\n    ### END SOLUTION"),
        make.tests("hidden", HIDDEN),
        make.solution("b", "def g(x):\n    ### BEGIN SOLUTION\n    0\n    ### END SOLUTION"),
        make.tests("later", LATER, 3),
        make.tests("open", "assert g(1)", 3),
    )
    released = grader.release(source)
    document = json.loads(released.release)
    document["cells"].insert(OWN, {**make.code("print(seen)"), "id": "own"})
    notebook = grader.restore(source, json.dumps(document).encode())
    assert notebook["cells"][OWN]["source"] == "print(seen)"
    states = {"hidden": SealState.SEALED, "later": SealState.SEALED, "open": SealState.UNSEALED}
    sealing = make.sealing(states)

    def shown(outputs: Any = None, **run: Any) -> tuple[dict[str, ExerciseGrade], str]:
        ran = make.ran(notebook, outputs, **run)
        grades = grader.score(notebook, ran, released.exercises, sealing)
        page = grader.feedback(make.submission(), ran, grades).decode().partition("<body>")[2]
        return {grade.grade_id: grade for grade in grades}, page

    return shown


def test_outputs_before_hidden_tests_are_shown_and_those_after_are_not(
    show: Show, make: Any
) -> None:
    outputs = {
        ANSWER: [make.stream("stdout", "early")],
        OWN: [make.stream("stdout", "tardy"), make.error("KeyError", "tardy", "tardy")],
        SECOND: [make.error("tardy", "tardy", "tardy")],
    }
    _, page = show(outputs, checks=[make.check(TESTS)])
    assert "early" in page
    assert "tardy" not in page
    assert page.count(NOT_SHOWN) == 2
    assert '<pre class="error">KeyError</pre>' in page


def test_everything_is_shown_where_no_hidden_test_was_run(show: Show, make: Any) -> None:
    outputs = {OWN: [make.stream("stdout", "my own words")]}
    for check in (
        make.failed(TESTS, "AssertionError", line=1),
        make.check(TESTS, CheckState.NOT_RUN),
    ):
        later = make.failed(SEALED, "ValueError", "my text", line=2)
        grades, page = show(outputs, checks=[check, later])
        assert "my own words" in page
        assert NOT_SHOWN not in page
        assert grades["later"].reason.startswith("A test failed with ValueError: my text (line 2: ")


def test_of_a_later_test_the_authors_fixed_text_and_pythons_error_names_are_told(
    show: Show, make: Any
) -> None:
    def reason(name: str, message: str, line: int, *, is_message: bool = False) -> str:
        check = make.failed(SEALED, name, message, line=line, is_message=is_message)
        return show(checks=[make.check(TESTS), check])[0]["later"].reason

    fixed = reason("AssertionError", "Begin with one", 1, is_message=True)
    assert fixed == 'A test failed in line 1: assert g(1) == 1, "Begin with one"'
    computed = reason("AssertionError", "g gave 12, not two", 2, is_message=True)
    assert computed.startswith("A test failed: g gave …, not two (line 2: assert g(2) == 2, f")
    place = 'line 1: assert g(1) == 1, "Begin with one"'
    shown = f"A test failed with ValueError ({place}). {TEXT_NOT_SHOWN}"
    assert reason("ValueError", "12", 1) == shown
    assert reason("Twelve", "12", 1) == f"A test failed ({place}). {TEXT_NOT_SHOWN}"


def test_of_later_checks_names_and_messages_are_the_written_ones(show: Show, make: Any) -> None:
    lines = (
        CheckLine("by hand", 0.0, 1.0, "12 is not 3"),
        CheckLine("case 12", 0.0, 1.0, "got 12"),
    )
    check = make.check(SEALED, CheckState.FAILED, lines=lines)
    grades, _ = show(checks=[make.check(TESTS), check])
    assert [(line.name, line.message) for line in grades["later"].checks] == [
        ("by hand", ""),
        ("check 2", "got …, think"),
    ]


_secret = st.integers(10**8, 10**12).map(str) | st.text("XYZQ", min_size=9, max_size=14)


@settings(
    derandomize=True,
    deadline=None,
    max_examples=150,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(secret=_secret, data=st.data())
def test_nothing_that_the_students_code_says_after_a_hidden_test_is_shown(
    show: Show, make: Any, secret: str, data: st.DataObject
) -> None:
    """Whatever it prints, raises, names, changes or gives as the last value."""
    state = data.draw(st.sampled_from(list(CheckState)))
    verdict = data.draw(st.sampled_from(list(Verdict)))
    error = make.error(data.draw(st.sampled_from(["ValueError", secret])), secret, secret, secret)
    outputs = data.draw(
        st.lists(
            st.sampled_from(
                [make.stream("stdout", secret), make.stream("stderr", secret), make.result(secret),
                 make.display(text_html=f"<b>{secret}</b>"), make.display(**{secret: secret}),
                 make.display(image_png=base64.b64encode(secret.encode()).decode()), error]
            ),
            max_size=3,
        )
    )  # fmt: skip
    hidden = make.check(
        TESTS,
        data.draw(st.sampled_from(list(CheckState))),
        error_type=data.draw(st.sampled_from(["", "AssertionError", secret])),
        error_message=secret,
        line=data.draw(st.none() | st.integers(3, 4)),
        is_message=data.draw(st.booleans()),
        value=data.draw(st.sampled_from([None, secret])),
        output=secret,
        notes=(f"A {secret}, a subclass of {secret}.",),
        mutations=(secret,),
        calls=1,
    )
    later = make.check(
        SEALED,
        state,
        error_type=data.draw(st.sampled_from(["", "AssertionError", "ValueError", secret])),
        error_message=secret,
        line=data.draw(st.none() | st.integers(1, 5)),
        is_message=data.draw(st.booleans()),
        value=data.draw(st.sampled_from([None, secret])),
        output=secret,
        notes=(f"The class '{secret}', a subclass of tuple, which equals nothing.",),
        mutations=(f"{secret}(argument 1)",),
        records=({"env_id": secret, "mean": 1.0},),
        lines=tuple(
            CheckLine(name, data.draw(st.sampled_from([0.0, 1.0])), 1.0, secret)
            for name in data.draw(
                st.lists(st.sampled_from(["by hand", f"case {secret}", secret]), unique=True)
            )
        ),
    )
    details = {
        Verdict.KERNEL_DIED: f"The kernel ended with exit code {secret} in cell 6.",
        Verdict.PROTOCOL_VIOLATION: f"The kernel sent a message that is not valid: {secret}.",
    }
    grades, page = show(
        dict.fromkeys((TESTS, OWN, SECOND, SEALED, OPEN), outputs),
        checks=[hidden, later],
        verdict=verdict,
        detail=details.get(verdict, "Too much."),
        unfinished=data.draw(st.sampled_from([(), (OPEN,), (SECOND, OPEN)])),
    )
    assert secret not in page
    assert secret not in repr(grades)
