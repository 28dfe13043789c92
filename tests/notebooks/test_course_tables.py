"""The tables in the documentation are what the notebooks say, and no detail of PPO is missing."""

from __future__ import annotations

import re
from collections.abc import Callable
from types import ModuleType

import pytest

from jupyter_ppo.domain.details import DETAILS

REMEDY = "run: python benchmarks/course_tables.py"


@pytest.fixture(scope="module")
def tool(benchmark: Callable[[str], ModuleType]) -> ModuleType:
    return benchmark("course_tables")


def test_the_tables_of_the_course_are_what_its_notebooks_say(tool: ModuleType) -> None:
    text = tool.COURSE.read_text(encoding="utf-8")
    tables = tool.course_tables()
    assert set(tables) == {"chapters", "details"}
    assert tool.with_tables(text, tables) == text, REMEDY


def test_the_tables_of_the_guide_are_what_the_notebooks_say(tool: ModuleType) -> None:
    text = tool.GUIDE.read_text(encoding="utf-8")
    tables = tool.guide_tables()
    assert len(tables) == 13
    assert tool.with_tables(text, tables) == text, REMEDY


def test_the_page_to_print_is_the_cheat_sheet(tool: ModuleType) -> None:
    text = tool.SHEET.read_text(encoding="utf-8")
    assert tool.PAGE.read_text(encoding="utf-8") == tool.printed(text), REMEDY
    assert tool.printed(text).count("<table>") == text.count("| --- |\n") > 1


def test_the_thirteen_chapters_are_there(tool: ModuleType) -> None:
    assert [chapter.number for chapter in tool.chapters().values()] == list(range(13))


def test_every_detail_is_explained_practised_and_taken_away(tool: ModuleType) -> None:
    keys = {detail.key for detail in DETAILS}
    assert len(keys) == 41
    chapters = tool.chapters().values()
    assert keys == {key for chapter in chapters for key in chapter.explained}
    assert keys == {key for chapter in chapters for key in chapter.practised}
    assert keys == {key for chapter in chapters for key in chapter.ablated}


def test_the_strength_of_every_exercise_was_measured(
    tool: ModuleType, benchmark: Callable[[str], ModuleType]
) -> None:
    text = tool.CHECKS.read_text(encoding="utf-8")
    for chapter in tool.chapters().values():
        for exercise in chapter.exercises:
            row = f"| {chapter.number:02d} | `{exercise.grade_id}` | {exercise.points:g} |"
            assert row in text, f"{REMEDY} --checks"
    shares = [float(share) for share in re.findall(r"\((\d+\.\d) %\)", text)]
    assert len(shares) == sum(len(chapter.exercises) for chapter in tool.chapters().values())
    assert min(shares) >= 100 * benchmark("mutants").LEAST_CAUGHT
    for caught, of in re.findall(r"\| (\d+) of (\d+) ", text):
        assert caught == of


def test_a_page_without_marks_is_refused(tool: ModuleType) -> None:
    with pytest.raises(ValueError, match="<!-- details -->"):
        tool.with_table("# Page", "details", "| |")
