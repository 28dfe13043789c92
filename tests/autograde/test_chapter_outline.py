"""An outline is read from the author's file: exercises, their checks, and what they teach."""

from __future__ import annotations

from typing import Any

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from jupyter_ppo.autograde.cells import kind_of, nbgrader_of
from jupyter_ppo.autograde.chapter import read_chapter
from jupyter_ppo.autograde.chapter_outline import chapter_outline
from jupyter_ppo.autograde.entry_document import definition_of, exercises_of, write_definition
from jupyter_ppo.cli.course_files import chapters, course_notebook
from jupyter_ppo.domain.courses import AssignmentKind, CellKind, Exercise
from jupyter_ppo.domain.outline import OutlineChapter

NOTEBOOK = AssignmentKind.NOTEBOOK


def cell(grade_id: str, kind: str, **more: Any) -> Any:
    marks = {"grade": kind != "answer", "solution": kind in {"answer", "words"}, "locked": False}
    meta = {"nbgrader": marks | {"grade_id": grade_id, "schema_version": 3, **more}}
    make = new_markdown_cell if kind == "words" else new_code_cell
    return make("pass", id=f"c-{grade_id}", metadata=meta)


def outline(*cells: Any, graded: dict[str, float] | None = None) -> OutlineChapter:
    """Return the outline of a notebook; a text is a Markdown cell."""
    made = [
        new_markdown_cell(each, id=f"t{index}") if isinstance(each, str) else each
        for index, each in enumerate(cells)
    ]
    found = graded
    if found is None:
        marks = [each.metadata.get("nbgrader", {}) for each in made]
        found = {one["grade_id"]: one.get("points", 0) for one in marks if one.get("grade")}
    exercises = [Exercise(name, CellKind.TESTS, points, 0) for name, points in found.items()]
    source = nbformat.writes(new_notebook(cells=made)).encode()
    return chapter_outline("ps1", NOTEBOOK, source, exercises)


def graded_cells(source: bytes) -> list[Exercise]:
    """Return what a release counts, without making one."""
    cells = nbformat.reads(source.decode(), as_version=4).cells
    return [
        Exercise(nbgrader_of(each)["grade_id"], kind_of(each), nbgrader_of(each)["points"], index)
        for index, each in enumerate(cells)
        if nbgrader_of(each).get("grade")
    ]


@pytest.mark.parametrize("name", chapters())
def test_a_chapter_of_the_course_has_its_exercises_with_goals_and_details(name: str) -> None:
    source = course_notebook(name).read_bytes()
    chapter, graded = read_chapter(source), graded_cells(source)
    assert chapter is not None
    found = chapter_outline(name, NOTEBOOK, source, graded)
    assert (found.number, found.title, found.minutes) == (
        chapter.number,
        chapter.title,
        chapter.minutes,
    )
    assert found.goals == chapter.goals
    practised = [*chapter.exercises, *chapter.free_texts]
    assert [(each.grade_id, each.goals) for each in found.exercises] == [
        (each.grade_id, each.goals) for each in practised
    ]
    assert {key for each in found.exercises for key in each.concepts} == chapter.practised
    for each, exercise in zip(found.exercises, chapter.exercises, strict=False):
        assert each.checks == {check.grade_id: check.points for check in exercise.checks}
    assert found.max_points == sum(each.points for each in graded)
    assert len({each.title for each in found.exercises}) == len(found.exercises)


def test_in_any_other_notebook_tests_belong_to_the_answer_before_them() -> None:
    found = outline(
        "# Problem set\n\nWords.",
        "## 1 · Square `x`",
        cell("square", "answer"),
        cell("shape", "tests", points=1),
        cell("values", "tests", points=2),
        "### In words ###",
        cell("why", "words", points=3),
        "```\n# no heading\n```",
        cell("late-test", "tests", points=4),
    )
    assert (found.assignment, found.title, found.number) == ("ps1", "Problem set", None)
    assert [(each.grade_id, each.title, each.checks) for each in found.exercises] == [
        ("square", "Square x", {"shape": 1, "values": 2, "late-test": 4}),
        ("why", "In words", {"why": 3}),
    ]


def test_tests_without_an_answer_and_cells_that_give_nothing() -> None:
    found = outline(
        cell("given", "tests", points=2),
        cell("alone", "answer"),
        cell("free", "tests", points=0),
    )
    assert [(each.grade_id, each.checks) for each in found.exercises] == [("given", {"given": 2})]
    assert (found.title, found.exercises[0].title) == ("ps1", "given")


def test_two_exercises_under_one_heading_keep_their_names() -> None:
    found = outline("## Sums", cell("a", "words", points=1), cell("b", "words", points=1))
    assert [each.title for each in found.exercises] == ["Sums: a", "Sums: b"]


@pytest.mark.parametrize(
    ("heading", "title"),
    [
        ("## 37 details of PPO", "37 details of PPO"),
        ("## 2. Values", "Values"),
        ("## 3) `gae`", "gae"),
        ("## 12 · Capstone ##", "Capstone"),
    ],
)
def test_only_the_number_of_a_section_is_left_out_of_its_title(heading: str, title: str) -> None:
    assert outline(heading, cell("a", "words", points=1)).exercises[0].title == title


def test_the_points_are_those_of_the_version_and_none_is_lost() -> None:
    found = outline(
        cell("square", "answer"), cell("t", "tests", points=1), graded={"t": 5.0, "gone": 2.0}
    )
    assert [each.checks for each in found.exercises] == [{"t": 5.0}, {"gone": 2.0}]


def test_metadata_of_a_chapter_that_are_wrong_leave_an_ordinary_notebook() -> None:
    notebook = new_notebook(
        metadata={"jupyter_ppo": {"chapter": {"number": 1}}},
        cells=[new_markdown_cell("# Broken", id="a"), cell("why", "words", points=1)],
    )
    graded = [Exercise("why", CellKind.MANUAL, 1.0, 1)]
    found = chapter_outline("ps1", NOTEBOOK, nbformat.writes(notebook).encode(), graded)
    assert (found.title, found.number) == ("Broken", None)
    assert found.max_points == 1


def test_the_criteria_of_an_entry_are_its_exercises() -> None:
    levels = [{"name": "none", "points": 0}, {"name": "full", "points": 4}]
    definition = definition_of(
        {
            "title": "An essay",
            "rubric": [{"name": "depth", "title": "Depth of thought", "levels": levels}],
        }
    )
    found = chapter_outline(
        "essay", AssignmentKind.ENTRY, write_definition(definition), exercises_of(definition)
    )
    assert (found.title, found.kind, found.max_points) == ("An essay", AssignmentKind.ENTRY, 4)
    assert [(each.grade_id, each.title) for each in found.exercises] == [
        ("depth", "Depth of thought")
    ]


@given(st.binary(max_size=200), st.sampled_from(AssignmentKind))
def test_a_file_that_cannot_be_read_gives_an_exercise_for_each_graded_cell(
    source: bytes, kind: AssignmentKind
) -> None:
    graded = [
        Exercise("b", CellKind.TESTS, 2.0, 3),
        Exercise("a", CellKind.TESTS, 1.0, 1),
        Exercise("zero", CellKind.TESTS, 0.0, 0),
    ]
    found = chapter_outline("ps1", kind, source, graded)
    assert [(each.grade_id, each.checks) for each in found.exercises] == [
        ("a", {"a": 1.0}),
        ("b", {"b": 2.0}),
    ]
