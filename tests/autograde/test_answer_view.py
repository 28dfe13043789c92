"""What a person reads who marks an exercise."""

from __future__ import annotations

import json
from typing import Any

import pytest

from jupyter_ppo.autograde.answer_view import answer_view
from jupyter_ppo.autograde.notebook_grader import NotebookGrader
from jupyter_ppo.domain.courses import Exercise
from jupyter_ppo.domain.marking import AnswerView


@pytest.fixture
def source(make: Any) -> bytes:
    data: bytes = make.data(
        make.text("# Squares"),
        make.solution(
            "square",
            "def square(x):\n    ### BEGIN SOLUTION\n    return x * x\n    ### END SOLUTION",
        ),
        make.tests("first", "assert square(2) == 4", points=1),
        make.tests("second", "assert square(3) == 9", points=1),
        make.text("## Why\nWhy **does** it work?"),
        make.manual("why", "Because it is multiplied by itself.", points=2),
        make.task(
            "explore",
            "Explore $x^2$.\n=== BEGIN MARK SCHEME ===\n2 for a plot\n=== END MARK SCHEME ===",
            points=4,
        ),
        make.text("## The end"),
    )
    return data


@pytest.fixture
def view(grader: NotebookGrader, source: bytes) -> Any:
    """Shows one exercise of a notebook with these answers, and these cells after the task."""
    released = grader.release(source)
    exercises: dict[str, Exercise] = {each.grade_id: each for each in released.exercises}

    def view(grade_id: str, answers: dict[str, str], after_task: Any = ()) -> AnswerView:
        document = json.loads(released.release)
        cells = document["cells"]
        for cell in cells:
            name = cell["metadata"].get("nbgrader", {}).get("grade_id")
            cell["source"] = answers.get(name, cell["source"])
        cells[-1:-1] = after_task
        return answer_view(source, json.dumps(document).encode(), exercises[grade_id])

    return view


def test_a_manual_answer_comes_with_its_question_and_the_authors_answer(view: Any) -> None:
    found = view("why", {"why": "It *is* <b onclick=x>so</b>.<script>alert(1)</script>"})
    assert "<strong>does</strong>" in found.prompt_html
    assert "Squares" not in found.prompt_html
    assert "<em>is</em>" in found.answer_html
    assert "script" not in found.answer_html
    assert "onclick" not in found.answer_html
    assert found.answer_text == "It *is* <b onclick=x>so</b>.<script>alert(1)</script>"
    assert found.scheme == "Because it is multiplied by itself."
    assert "Because" not in found.prompt_html + found.answer_html


def test_a_task_is_answered_in_the_cells_after_it_and_has_a_mark_scheme(
    view: Any, make: Any
) -> None:
    cells = [make.code("plot([1, 4, 9])"), make.text("It grows.")]
    cells = [{"id": f"own{i}", **cell} for i, cell in enumerate(cells)]
    found = view("explore", {}, cells)
    assert "Explore" in found.prompt_html
    assert "2 for a plot" not in found.prompt_html + found.answer_html
    assert found.scheme == "2 for a plot"
    assert found.answer_text == "plot([1, 4, 9])\n\nIt grows."
    assert "It grows." in found.answer_html
    assert "The end" not in found.answer_html


@pytest.mark.parametrize("grade_id", ["first", "second"])
def test_tests_are_shown_with_the_answer_that_they_are_about(view: Any, grade_id: str) -> None:
    found = view(grade_id, {"square": "def square(x):\n    return x + x"})
    assert found.answer_text == "def square(x):\n    return x + x"
    assert "return x * x" in found.scheme
    assert "Squares" in found.prompt_html


def test_the_rubric_of_an_answer_is_for_who_marks_it(grader: NotebookGrader, make: Any) -> None:
    rubric = [{"criterion": "reason", "levels": ["none", "names the minimum"]}, "not a criterion"]
    cell = make.manual("why", "So.", points=2)
    cell["metadata"]["jupyter_ppo"] = {"rubric": rubric}
    source = make.data(cell)
    released = grader.release(source)
    found = answer_view(source, released.release, released.exercises[0])
    assert found.scheme == "So.\n\nreason: none | names the minimum"
    assert "minimum" not in found.prompt_html + found.answer_html


def test_an_answer_that_was_not_submitted_is_shown_as_released(
    grader: NotebookGrader, source: bytes
) -> None:
    released = grader.release(source)
    document = json.loads(released.release)
    document["cells"] = [
        cell
        for cell in document["cells"]
        if cell["metadata"].get("nbgrader", {}).get("grade_id") != "why"
    ]
    exercise = next(each for each in released.exercises if each.grade_id == "why")
    found = answer_view(source, json.dumps(document).encode(), exercise)
    assert found.answer_text == "YOUR ANSWER HERE"
