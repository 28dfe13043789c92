"""A chapter describes itself in its notebook's metadata; what is wrong is said with its place."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from jupyter_ppo.autograde.author_check import Severity, author_problems
from jupyter_ppo.autograde.chapter import read_chapter
from jupyter_ppo.autograde.release import make_release
from jupyter_ppo.domain.chapters import Chapter, QuestionKind, Tier
from jupyter_ppo.domain.errors import InvalidNotebookError

CHAPTER = {
    "number": 5,
    "title": "Advantages",
    "minutes": 90,
    "goals": {"recursion": "Compute advantages backwards.", "lambda": "Choose lambda."},
}
ONE = {
    "id": "gae-zero",
    "kind": "one",
    "prompt": "What is left at lambda 0?",
    "options": [
        {"id": "a", "text": "The TD error", "why": "Right: every later weight is 0."},
        {"id": "b", "text": "The return", "why": "That is lambda 1."},
    ],
    "answer": ["a"],
    "goals": ["lambda"],
}
NUMBER = {
    "id": "gae-number",
    "kind": "number",
    "prompt": "gamma 0.99, lambda 0.95: the weight of the next error?",
    "answer": 0.9405,
    "tolerance": 0.0005,
    "why": "gamma times lambda",
    "points": 2,
    "goals": ["recursion"],
}
RUBRIC = [
    {
        "name": "direction",
        "title": "Direction",
        "levels": [{"name": "none", "points": 0}, {"name": "right", "points": 2}],
    }
]


def cell(
    kind: str, name: str, own: dict[str, Any], source: str = "", **meta: Any
) -> dict[str, Any]:
    nbgrader = {"grade": False, "grade_id": name, "locked": True, "schema_version": 3}
    nbgrader |= {"solution": False, "task": False, **meta}
    found: dict[str, Any] = {"cell_type": kind, "id": name, "source": source}
    found["metadata"] = {"nbgrader": nbgrader, "jupyter_ppo": own}
    return found | ({"outputs": [], "execution_count": None} if kind == "code" else {})


@pytest.fixture
def notebook() -> dict[str, Any]:
    exercise = {"signature": "gae(...)", "goals": ["recursion"], "details": ["core-5"]}
    answer = "def gae():\n    ### BEGIN SOLUTION\n    return 1\n    ### END SOLUTION"
    answer_meta = {"solution": True, "locked": False}
    words = {"rubric": RUBRIC, "goals": ["lambda"]}
    cells = [
        cell("markdown", "text", {"explains": ["core-5"]}, "Advantages"),
        cell("code", "gae", {"exercise": exercise}, answer, **answer_meta),
        cell("code", "gae_shape", {"tier": "shape"}, "assert gae()", grade=True, points=1),
        cell("code", "gae_hand", {"tier": "hand"}, "assert gae() == 1", grade=True, points=2),
        cell("code", "look", {"ablation": "core-5", "experiment": True}, "1"),
        cell("markdown", "quiz", {"questions": [ONE, NUMBER]}, "Quiz"),
        cell("markdown", "why", words, "Because.", grade=True, points=2, **answer_meta),
    ]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    metadata = {"jupyter_ppo": {"chapter": CHAPTER}, "kernelspec": kernel}
    return copy.deepcopy({"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5})


def read(notebook: dict[str, Any]) -> Chapter | None:
    return read_chapter(json.dumps(notebook).encode())


def test_a_chapter_is_read_whole(notebook: dict[str, Any]) -> None:
    chapter = read(notebook)
    assert chapter is not None
    assert (chapter.number, chapter.title, chapter.minutes) == (5, "Advantages", 90)
    assert list(chapter.goals) == ["recursion", "lambda"]
    (exercise,) = chapter.exercises
    assert (exercise.grade_id, exercise.signature, exercise.points) == ("gae", "gae(...)", 3.0)
    assert [check.tier for check in exercise.checks] == [Tier.SHAPE, Tier.HAND]
    one, number = chapter.questions
    assert (one.kind, one.answer, one.points) == (QuestionKind.ONE, ("a",), 1.0)
    assert [option.id for option in one.options] == ["a", "b"]
    assert (number.number, number.tolerance, number.points) == (0.9405, 0.0005, 2.0)
    assert chapter.free_texts[0].points == 2.0
    assert chapter.explained == chapter.ablated == chapter.practised == {"core-5"}
    assert chapter.experiments == 1


def test_other_notebooks_are_no_chapters(notebook: dict[str, Any]) -> None:
    del notebook["metadata"]["jupyter_ppo"]
    assert read(notebook) is None


def test_students_get_neither_answers_nor_rubric(notebook: dict[str, Any]) -> None:
    release = json.dumps(make_release(json.dumps(notebook).encode()).release)
    for secret in ("every later weight", "gamma times lambda", "direction", "tolerance"):
        assert secret in json.dumps(notebook)
        assert secret not in release


#: What is changed, where, and what the error names.
WRONG: dict[str, tuple[tuple[str | int, ...], Any, str]] = {
    "no title": (("metadata", "jupyter_ppo", "chapter", "title"), None, "chapter.title"),
    "no goals": (("metadata", "jupyter_ppo", "chapter", "goals"), {}, "chapter.goals"),
    "a number below zero": (("metadata", "jupyter_ppo", "chapter", "number"), -1, "chapter.number"),
    "minutes in words": (("metadata", "jupyter_ppo", "chapter", "minutes"), "90", "chapter.min"),
    "unknown detail": ((0, "explains"), ["core-14"], "cells[0].explains"),
    "unknown goal": ((1, "exercise", "goals"), ["fame"], "cells[1].exercise.goals"),
    "unknown name": ((1, "exercise", "detail"), ["core-5"], "cells[1].exercise.detail"),
    "unknown tier": ((2, "tier"), "hard", "cells[2].tier"),
    "answer is no option": ((5, "questions", 0, "answer"), ["c"], "cells[5].questions[0].answer"),
    "two answers to one": ((5, "questions", 0, "answer"), ["a", "b"], "questions[0].answer"),
    "an option without why": ((5, "questions", 0, "options", 0, "why"), "", "options[0].why"),
    "same option twice": ((5, "questions", 0, "options", 1, "id"), "a", "options[1]"),
    "same question twice": ((5, "questions", 1, "id"), "gae-zero", "questions[1]"),
    "options of a number": ((5, "questions", 1, "options"), [], "questions[1].options"),
    "no number": ((5, "questions", 1, "answer"), "0.94", "questions[1].answer"),
    "not a number": ((5, "questions", 1, "answer"), True, "questions[1].answer"),
    "a number without why": ((5, "questions", 1, "why"), "", "questions[1].why"),
    "points of a rubric": ((6, "rubric", 0, "levels", 1, "points"), 3, "cells[6].rubric"),
    "a level's points": (
        (6, "rubric", 0, "levels", 1, "points"),
        "2",
        "rubric[0].levels[1].points",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_said_with_its_place(notebook: dict[str, Any], name: str) -> None:
    (first, *between, last), value, field = WRONG[name]
    place: Any = notebook[first] if isinstance(first, str) else None
    if isinstance(first, int):
        place = notebook["cells"][first]["metadata"]["jupyter_ppo"]
    for step in between:
        place = place[step]
    place[last] = value
    with pytest.raises(InvalidNotebookError) as caught:
        read(notebook)
    assert field in str(caught.value.field)
    assert caught.value.message.startswith(str(caught.value.field))
    (problem,) = author_problems(json.dumps(notebook).encode())
    assert problem.severity is Severity.ERROR
    assert problem.cell == (first if isinstance(first, int) else None)


def test_tests_need_an_answer_before_them(notebook: dict[str, Any]) -> None:
    notebook["cells"].insert(0, notebook["cells"].pop(2))
    with pytest.raises(InvalidNotebookError, match="answer that is tested before its tests"):
        read(notebook)


@pytest.mark.parametrize(("index", "key"), [(0, "exercise"), (0, "tier"), (0, "rubric")])
def test_metadata_belong_to_cells_of_their_kind(
    notebook: dict[str, Any], index: int, key: str
) -> None:
    own = notebook["cells"][index]["metadata"]["jupyter_ppo"]
    own[key] = {"exercise": {}, "tier": "hand", "rubric": RUBRIC}[key]
    own["goals"] = ["lambda"]
    with pytest.raises(InvalidNotebookError, match="belongs to a cell of the kind"):
        read(notebook)


def test_the_courses_own_notebooks_can_be_read() -> None:
    sources = Path(__file__).parents[2] / "notebooks"
    for path in sorted(sources.glob("*.ipynb")):
        assert (read_chapter(path.read_bytes()) is not None) == path.stem[0].isdigit()
