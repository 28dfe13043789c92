"""Every chapter has what a chapter of the course has, and nothing of it reaches students early."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import nbformat
import pytest

from jupyter_ppo.autograde.author_check import author_problems
from jupyter_ppo.autograde.chapter import read_chapter
from jupyter_ppo.autograde.notebook_grader import NotebookGrader
from jupyter_ppo.domain.chapters import Chapter, QuestionKind, Tier
from jupyter_ppo.domain.sealing import FindingKind

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
CHAPTERS = tuple(path.stem for path in sorted(NOTEBOOKS.glob("[0-9][0-9]-*.ipynb")))
#: Our metadata of cells that are read somewhere.
KEYS = {
    "exercise",
    "hints",
    "tier",
    "questions",
    "rubric",
    "goals",
    "explains",
    "ablation",
    "experiment",
}


#: A block between fences; without a language, or as `text`, it is a drawing made of signs.
FENCED = re.compile(r"^```(\w*) *\n.*?^``` *$", re.MULTILINE | re.DOTALL)


def source(name: str) -> bytes:
    return (NOTEBOOKS / f"{name}.ipynb").read_bytes()


def cells(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(source(name))["cells"]
    return found


def text_of(cell: dict[str, Any]) -> str:
    return "".join(cell["source"])


@pytest.fixture(params=CHAPTERS)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def chapter(name: str) -> Chapter:
    found = read_chapter(source(name))
    assert found is not None
    return found


def test_a_chapter_is_a_clean_notebook_that_says_its_number(name: str, chapter: Chapter) -> None:
    node = nbformat.reads(source(name).decode(), as_version=nbformat.NO_CONVERT)
    nbformat.validate(node)
    for cell in node.cells:
        assert cell.get("outputs", []) == []
        assert cell.get("execution_count") is None
        if "nbgrader" in cell.metadata:
            assert cell.id == cell.metadata.nbgrader.grade_id
    assert node.metadata.kernelspec.name == "python3"
    assert chapter.number == int(name[:2])
    assert 20 <= chapter.minutes <= 300


def test_each_exercise_is_checked_in_four_tiers(chapter: Chapter) -> None:
    assert 3 <= len(chapter.exercises) <= 6
    for exercise in chapter.exercises:
        tiers = [check.tier for check in exercise.checks]
        assert tiers == sorted(set(tiers), key=list(Tier).index), exercise.grade_id
        assert set(tiers) == set(Tier), exercise.grade_id
        assert all(check.points > 0 for check in exercise.checks), exercise.grade_id
        assert exercise.grade_id in exercise.signature


def test_a_quiz_a_question_in_words_and_an_experiment_are_there(chapter: Chapter) -> None:
    assert len(chapter.questions) >= 5
    assert len(chapter.free_texts) == 1
    assert len(chapter.free_texts[0].rubric) >= 2
    assert chapter.experiments >= 1
    # Whoever always takes the first option, or the longest one, knows nothing.
    one = [question for question in chapter.questions if question.kind is QuestionKind.ONE]
    assert len({question.answer for question in one}) > 1
    longest = [max(question.options, key=lambda option: len(option.text)).id for question in one]
    assert [(id_,) for id_ in longest] != [question.answer for question in one]


def test_every_goal_is_practised_or_asked_for(chapter: Chapter) -> None:
    items = (*chapter.exercises, *chapter.questions, *chapter.free_texts)
    assert {goal for item in items for goal in item.goals} == set(chapter.goals)


def test_the_text_of_the_quiz_is_that_of_its_questions(name: str, chapter: Chapter) -> None:
    text = "\n".join(
        text_of(cell)
        for cell in cells(name)
        if "questions" in cell["metadata"].get("jupyter_ppo", {})
    )
    for question in chapter.questions:
        assert question.prompt in text
        for option in question.options:
            assert f"- **{option.id}** {option.text}" in text
            assert option.why not in text


def test_headings_are_in_order_and_pictures_have_words(name: str) -> None:
    before = 0
    for cell in cells(name):
        if cell["cell_type"] != "markdown":
            continue
        text = re.sub(r"^```.*?^```", "", text_of(cell), flags=re.MULTILINE | re.DOTALL)
        for marks in re.findall(r"^(#+) ", text, re.MULTILINE):
            assert len(marks) <= before + 1, f"{cell['id']}: {marks} after level {before}"
            assert (len(marks) == 1) == (before == 0), f"{cell['id']}: one title, at the top"
            before = len(marks)
        assert "![](" not in text, f"{cell['id']}: a picture without words"
        for image in re.findall(r"<(?:img|svg)\b[^>]*>", text):
            assert re.search(r'\b(alt|aria-label)="[^"]+"', image), f"{cell['id']}: {image[:80]}"


def test_every_drawing_is_followed_by_its_words(name: str) -> None:
    drawings = 0
    for cell in cells(name):
        if cell["cell_type"] != "markdown":
            continue
        text = text_of(cell)
        for block in FENCED.finditer(text):
            if block[1] not in ("", "text"):
                continue
            drawings += 1
            after = text[block.end() :]
            # Read aloud, a drawing is a row of signs: the line after it says what it shows.
            assert re.match(r"\n\n\*In words:\* \S.{30}", after), f"{cell['id']}: {block[0][:80]}"
    assert drawings, "no drawing was found in this chapter"


def test_summary_and_references_are_there(name: str) -> None:
    text = "\n".join(text_of(cell) for cell in cells(name))
    assert re.search(r"^## .*[Ss]ummary", text, re.MULTILINE)
    assert re.search(r"^## .*[Rr]eferences", text, re.MULTILINE)


def test_only_known_metadata_are_kept(name: str) -> None:
    for cell in cells(name):
        assert set(cell["metadata"]) <= {"nbgrader", "jupyter_ppo", "tags"}, cell["id"]
        assert set(cell["metadata"].get("jupyter_ppo", {})) <= KEYS, cell["id"]


def test_an_author_s_check_finds_nothing_and_all_tests_can_be_sealed(name: str) -> None:
    assert author_problems(source(name)) == ()
    kinds = {FindingKind.OBSTACLE, FindingKind.WEAK}
    for cell in NotebookGrader().release(source(name)).cells:
        assert not [found for found in cell.findings if found.kind in kinds], cell.grade_id


def test_students_get_neither_solutions_nor_hidden_tests_nor_answers(
    name: str, chapter: Chapter
) -> None:
    release = NotebookGrader().release(source(name)).release.decode()
    document = json.loads(release)
    assert "BEGIN SOLUTION" not in release
    assert "HIDDEN TESTS" not in release
    assert not [cell for cell in document["cells"] if "jupyter_ppo" in cell["metadata"]]
    for question in chapter.questions:
        for why in (question.why, *(option.why for option in question.options)):
            assert not why or json.dumps(why, ensure_ascii=False)[1:-1] not in release


def test_questions_have_ids_of_their_own_in_the_whole_course() -> None:
    chapters = [read_chapter(source(name)) for name in CHAPTERS]
    ids = [question.id for chapter in chapters if chapter for question in chapter.questions]
    assert len(ids) == len(set(ids))
