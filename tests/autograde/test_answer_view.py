"""What a person reads who marks an exercise."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from jupyter_ppo.autograde.answer_view import answer_view
from jupyter_ppo.autograde.chapter import read_chapter
from jupyter_ppo.autograde.notebook_grader import NotebookGrader
from jupyter_ppo.domain.courses import Exercise
from jupyter_ppo.domain.marking import AnswerView

CHAPTERS = sorted((Path(__file__).parents[2] / "notebooks").glob("[0-9][0-9]-*.ipynb"))


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


def test_a_rubric_with_points_and_notes_is_shown_with_them(
    grader: NotebookGrader, make: Any
) -> None:
    levels = [
        {"name": "missing", "points": 0, "description": "no reason"},
        {"name": "full", "points": 1.5},
    ]
    criterion = {
        "name": "reason",
        "title": "Gives the reason",
        "levels": levels,
        "note": "Be kind.",
    }
    cell = make.manual("why", "So.", points=2)
    cell["metadata"]["jupyter_ppo"] = {"rubric": [criterion]}
    source = make.data(cell)
    released = grader.release(source)
    found = answer_view(source, released.release, released.exercises[0])
    assert found.scheme == "So.\n\nGives the reason: 0 no reason | 1.5 full\n    Be kind."
    assert b"Be kind" not in released.release


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


def prompt_before(grader: NotebookGrader, make: Any, *cells: Any) -> str:
    """What is shown as the question of an answer in words after these cells."""
    source = make.data(*cells, make.manual("why", "So.", points=2))
    released = grader.release(source)
    return str(answer_view(source, released.release, released.exercises[0]).prompt_html)


def test_the_question_is_what_stands_under_the_last_heading(
    grader: NotebookGrader, make: Any
) -> None:
    shown = prompt_before(
        grader,
        make,
        make.text("## Quiz\n\n**1.** How many?"),
        make.text("### In your own words\n\nExplain the clip."),
        make.text("Three sentences, please."),
    )
    assert shown.startswith("<h3>In your own words</h3>")
    assert "Explain the clip." in shown
    assert "Three sentences" in shown
    assert "How many" not in shown


@pytest.mark.parametrize("title", ["## Your turn", "Your turn\n---------", "<h2>Your turn</h2>"])
def test_a_question_that_shares_its_cell_begins_at_its_own_heading(
    grader: NotebookGrader, make: Any, title: str
) -> None:
    text = f"## Quiz\n\nHow many?\n\n{title}\n\nExplain it.\n\n### A hint\n\nDraw it."
    shown = prompt_before(grader, make, make.text(text))
    assert "How many" not in shown
    assert shown.startswith("<h2>Your turn</h2>")
    assert shown.index("Explain it.") < shown.index("A hint") < shown.index("Draw it.")


@pytest.mark.parametrize(
    "text",
    [
        "```\n# a comment\n```",
        "~~~~\n```\n# a comment\n~~~\n~~~~",
        "a table:\n\n| a |\n---",
        "- a point\n---",
        "above the rule\n\n---",
        "#hashtag",
    ],
)
def test_what_only_looks_like_a_heading_does_not_cut_the_question(
    grader: NotebookGrader, make: Any, text: str
) -> None:
    shown = prompt_before(grader, make, make.text(f"## Why?\n\nLook:\n\n{text}\n\nSay why."))
    assert shown.startswith("<h2>Why?</h2>")
    assert "Say why." in shown


def test_without_a_heading_the_question_is_the_cell_right_before(
    grader: NotebookGrader, make: Any
) -> None:
    shown = prompt_before(
        grader, make, make.text("## Earlier"), make.code("1"), make.text("Old."), make.text("Why?")
    )
    assert "Why?" in shown
    assert "Old." not in shown
    assert "Earlier" not in shown


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_a_chapters_question_in_words_is_shown_whole_and_without_the_quiz(
    grader: NotebookGrader, path: Path
) -> None:
    source = path.read_bytes()
    chapter, released = read_chapter(source), grader.release(source)
    cells = json.loads(released.release)["cells"]
    assert chapter is not None
    assert chapter.free_texts
    for free_text in chapter.free_texts:
        names = [cell["metadata"].get("nbgrader", {}).get("grade_id") for cell in cells]
        at = names.index(free_text.grade_id)
        asked = "".join(cells[at - 1]["source"])
        exercise = next(e for e in released.exercises if e.grade_id == free_text.grade_id)
        shown = answer_view(source, released.release, exercise).prompt_html
        words = shown.striptags()
        title, _, rest = asked.partition("\n")
        assert shown.startswith(f"<h2>{title.removeprefix('## ')}</h2>")
        assert rest.split()[-1] in words
        letters = sum(map(str.isalpha, words))
        assert letters > 0.9 * sum(map(str.isalpha, asked))
        assert "Answer without running anything" not in words


def test_every_chapter_of_the_course_was_looked_at() -> None:
    assert [path.stem[:2] for path in CHAPTERS] == [f"{number:02}" for number in range(13)]
