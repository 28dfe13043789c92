"""What is read of an exercise for hints, and the hints that authors write."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from jupyter_ppo.autograde.author_check import author_problems
from jupyter_ppo.autograde.hints import authored_hints, hint_subject, may_ask_model
from jupyter_ppo.autograde.release import make_release, to_bytes
from jupyter_ppo.domain.chapters import Tier
from jupyter_ppo.domain.errors import InvalidInputError, InvalidNotebookError, NotFoundError

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
ANSWER = (
    "def double(x, by=2):\n    '''Return it twice.'''\n    ### BEGIN SOLUTION\n"
    "    return by * x\n    ### END SOLUTION"
)
TESTS = (
    "assert double(2) == 4\n### BEGIN HIDDEN TESTS\nassert double(-7) == -14\n### END HIDDEN TESTS"
)
HINTS = {
    name: f"{name}: say what twice means, once for each number."
    for name in ("concept", "location", "step")
}


def answer(make: Any, hints: object = None, name: str = "double") -> dict[str, Any]:
    cell: dict[str, Any] = make.solution(name, ANSWER)
    if hints is not None:
        cell["metadata"]["jupyter_ppo"] = {"hints": hints}
    return cell


def test_an_exercise_is_read_with_what_stands_around_it(make: Any) -> None:
    data = make.data(
        make.text("# Numbers\n\nOld.\n\n# Double it\n\nGive `x` twice."),
        answer(make, HINTS),
        make.tests("double-tests", TESTS, 2),
        make.solution("next", "y = 1"),
        make.tests("next-tests", "assert y == 1"),
    )
    found = hint_subject(data, "double")
    assert found.title == "Double it"
    assert "Old." not in found.question
    assert found.signature == "double(x, by=2)"
    assert "return by * x" in found.reference
    assert "return by * x" not in found.skeleton
    assert [check.grade_id for check in found.checks] == ["double-tests"]
    assert found.authored is not None
    assert found.authored.step == HINTS["step"]
    assert found.may_ask_model


def test_no_hidden_test_is_in_it_and_the_solution_only_as_the_reference(make: Any) -> None:
    data = make.data(make.text("# Q"), answer(make), make.tests("double-tests", TESTS, 2))
    found = hint_subject(data, "double")
    rest = repr((found.question, found.skeleton, found.signature, found.checks, found.goals))
    assert "-14" not in rest
    assert "by * x" not in rest


def test_the_students_copy_has_no_hint(make: Any) -> None:
    data = make.data(answer(make, HINTS), make.tests("double-tests", TESTS, 2))
    copy = to_bytes(make_release(data).release).decode()
    assert "twice means" not in copy
    assert '"hints"' not in copy


def test_a_chapter_gives_signature_goals_and_tiers() -> None:
    data = (NOTEBOOKS / "05-gae.ipynb").read_bytes()
    found = hint_subject(data, "compute_gae")
    assert found.signature.startswith("compute_gae(rewards: (T, N)")
    assert [check.tier for check in found.checks] == list(Tier)
    assert any("backwards" in goal for goal in found.goals)


@pytest.mark.parametrize("path", sorted(NOTEBOOKS.glob("[0-9]*.ipynb")), ids=lambda path: path.stem)
def test_every_exercise_of_the_course_has_hints_of_three_levels(path: Path) -> None:
    data = path.read_bytes()
    exercises = {
        cell["metadata"]["nbgrader"]["grade_id"]
        for cell in json.loads(data)["cells"]
        if "exercise" in cell["metadata"].get("jupyter_ppo", {})
    }
    assert exercises
    assert authored_hints(data).keys() == exercises


@pytest.mark.parametrize("name", ["double-tests", "nothing", "why", ""])
def test_what_is_no_answer_in_code_has_no_hints(make: Any, name: str) -> None:
    data = make.data(answer(make), make.tests("double-tests", TESTS), make.manual("why", "Why?"))
    with pytest.raises(NotFoundError) as refused:
        hint_subject(data, name)
    assert refused.value.field == "grade_id"


@pytest.mark.parametrize(
    ("hints", "place"),
    [
        ("a text", "hints"),
        ({**HINTS, "code": "x" * 50}, "hints.code"),
        ({"concept": HINTS["concept"], "step": HINTS["step"]}, "hints.location"),
        ({**HINTS, "step": "too short"}, "hints.step"),
        ({**HINTS, "step": " " * 60}, "hints.step"),
        ({**HINTS, "step": "x" * 39 + " " * 20}, "hints.step"),
        ({**HINTS, "concept": 7}, "hints.concept"),
        ({**HINTS, "concept": "\ud800" + "x" * 60}, "hints.concept"),
    ],
)
def test_bad_hints_are_refused_with_their_place(make: Any, hints: object, place: str) -> None:
    data = make.data(make.text("# Q"), answer(make, hints), make.tests("t", TESTS))
    with pytest.raises(InvalidNotebookError) as refused:
        authored_hints(data)
    assert refused.value.field == f"cells[1].{place}"
    ((severity, cell),) = [(item.severity, item.cell) for item in author_problems(data)]
    assert (severity, cell) == ("error", 1)
    assert hint_subject(data, "double").authored is None


def test_hints_that_are_too_long_are_named(make: Any) -> None:
    data = make.data(answer(make, {**HINTS, "step": "x" * 1201}), make.tests("t", TESTS))
    assert "cells[0].hints.step" in author_problems(data)[0].message


def test_hints_belong_to_answers_in_code_only(make: Any) -> None:
    tests = make.tests("t", TESTS)
    tests["metadata"]["jupyter_ppo"] = {"hints": HINTS}
    with pytest.raises(InvalidNotebookError) as refused:
        authored_hints(make.data(answer(make), tests))
    assert refused.value.field == "cells[1].hints"


def test_a_notebook_can_keep_models_away(make: Any) -> None:
    notebook = make.notebook(answer(make), make.tests("t", TESTS))
    assert may_ask_model(notebook)
    notebook["metadata"]["jupyter_ppo"] = {"tutor": False}
    assert not may_ask_model(notebook)
    assert not hint_subject(json.dumps(notebook).encode(), "double").may_ask_model


def test_a_switch_that_is_neither_on_nor_off_keeps_models_away_and_is_told(make: Any) -> None:
    notebook = make.notebook(answer(make), make.tests("t", TESTS))
    notebook["metadata"]["jupyter_ppo"] = {"tutor": "no"}
    data = json.dumps(notebook).encode()
    with pytest.raises(InvalidInputError):
        may_ask_model(notebook)
    assert not hint_subject(data, "double").may_ask_model
    assert "tutor: this cannot be used" in author_problems(data)[0].message
