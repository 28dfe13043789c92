"""The feedback page with what people said since it was made."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any

import pytest

from jupyter_ppo.autograde.feedback import with_marks
from jupyter_ppo.autograde.notebook_grader import NotebookGrader
from jupyter_ppo.autograde.outcome_page import outcome_page
from jupyter_ppo.domain.entries import (
    AuthorKind,
    Criterion,
    CriterionResult,
    EntryDefinition,
    EntryPart,
    Level,
    Outcome,
    OutcomeState,
)
from jupyter_ppo.domain.grading import ExerciseGrade, Grade
from jupyter_ppo.domain.marks import Mark
from jupyter_ppo.domain.sandbox import Verdict


class Text(HTMLParser):
    """The text of a page in one line, and its tags."""

    def __init__(self, data: bytes) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.raw = ""
        self.feed(data.decode("utf-8"))
        self.text = " ".join(self.raw.split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.raw += data


@pytest.fixture
def graded(grader: NotebookGrader, make: Any, source: bytes) -> Any:
    """A stored page, and its grade; 'square_works' has 3 of 3, 'why' and 'explore' wait."""
    released = grader.release(source)

    def graded(answer: str = "So.") -> tuple[bytes, Grade]:
        document = json.loads(released.release)
        for cell in document["cells"]:
            if cell["metadata"].get("nbgrader", {}).get("grade_id") == "why":
                cell["source"] = answer
        notebook = grader.restore(source, json.dumps(document).encode())
        run = make.ran(notebook)
        scores = grader.score(notebook, run, released.exercises)
        page = grader.feedback(make.submission(), run, scores)
        now = datetime(2026, 1, 2, tzinfo=UTC)
        return page, Grade(make.submission().id, scores, Verdict.RAN, "", "0" * 64, now, 1.0)

    return graded


def marked(grade: Grade, marks: dict[str, Mark]) -> Grade:
    exercises = (replace(item, mark=marks.get(item.grade_id)) for item in grade.exercises)
    return replace(grade, exercises=tuple(exercises))


def test_without_marks_the_page_is_what_it_was(graded: Any, make: Any) -> None:
    page, grade = graded()
    assert with_marks(page, grade, make.submission()) == page


def test_marks_and_comments_stand_in_the_table_and_beside_the_cells(graded: Any, make: Any) -> None:
    page, grade = graded()
    marks = {
        "square_works": Mark(1.0, comment="Copied."),
        "why": Mark(2.0, 0.5, "Well said,\n<b>and</b> why not?"),
        "explore": Mark(None, -1.0),
    }
    found = Text(with_marks(page, marked(grade, marks), make.submission()))
    for words in (
        "2.5 of 9 points; a person still has to look",
        "1 of 3 Marked by a person, in the place of 3 of 3: All tests passed.",
        "2.5 of 2 (+0.5 extra) Marked by a person.",
        "Copied.",
        "waits for a person (\N{MINUS SIGN}1 extra)",
    ):
        assert words in found.text
    assert "Well said,\n<b>and</b> why not?" in found.raw
    assert found.text.count("Copied.") == 1
    again = with_marks(page, marked(grade, {}), make.submission())
    assert "Copied." not in Text(again).text


def test_words_that_a_program_drafted_are_said_to_be(graded: Any, make: Any) -> None:
    page, grade = graded()
    marks = {
        "square_works": Mark(1.0, comment="By hand."),
        "why": Mark(2.0, comment="Drafted.", is_drafted=True),
    }
    found = Text(with_marks(page, marked(grade, marks), make.submission())).text
    assert "2 of 2 Drafted by a program and approved by a person." in found
    assert "1 of 3 Marked by a person, in the place of 3 of 3" in found
    assert found.count("A program drafted these words; a person approved them.") == 1
    assert "drafted" not in Text(with_marks(page, grade, make.submission())).text


def test_a_page_is_renewed_as_often_as_it_is_read(graded: Any, make: Any) -> None:
    page, grade = graded()
    once = with_marks(page, marked(grade, {"why": Mark(1.0, comment="First.")}), make.submission())
    twice = with_marks(once, grade, make.submission())
    assert twice == page


def test_lateness_and_its_price_are_told(graded: Any, make: Any) -> None:
    page, grade = graded()
    late = make.submission(late_seconds=93_601, penalty=0.75)
    found = Text(with_marks(page, grade, late)).text
    assert "2.25 of 9 points" in found
    assert "Handed in 1 day 2 hours 1 minute late: 0.75 of 3 points are taken off" in found
    free = Text(with_marks(page, grade, make.submission(late_seconds=60))).text
    assert "Handed in 1 minute late." in free


def test_a_student_cannot_write_the_marks_of_our_parts(graded: Any, make: Any) -> None:
    evil = (
        "<!--ppo:score-->100 of 100<!--/ppo--> <p>x<!--ppo:ex:why-->\n```\n<!--ppo:table-->\n```\n"
        "&lt;!--ppo:table--&gt;"
    )
    page, grade = graded(evil)
    plain, _ = graded("So.")
    assert page.count(b"<!--ppo:") == plain.count(b"<!--ppo:")
    assert page.count(b"<!--/ppo-->") == plain.count(b"<!--/ppo-->")
    comment = Mark(1.0, comment="<!--/ppo--><script>1</script><!--ppo:score-->")
    found = with_marks(page, marked(grade, {"why": comment}), make.submission())
    assert "script" not in Text(found).tags
    assert with_marks(found, grade, make.submission()) == page


def test_a_page_from_before_there_were_parts_gets_them_at_its_top(graded: Any, make: Any) -> None:
    _, grade = graded()
    old = b"<html><body><h1>squares</h1></body></html>"
    found = Text(
        with_marks(old, marked(grade, {"why": Mark(2.0, comment="Good.")}), make.submission())
    )
    assert "5 of 9 points" in found.text
    assert "Good." in found.text
    assert found.text.endswith("squares")


def test_the_page_of_an_entry_gets_its_lateness_too(make: Any) -> None:
    rubric = (Criterion("depth", "Depth", (Level("full", 4.0),)),)
    definition = EntryDefinition("Essay", "", (EntryPart.TEXT,), rubric)
    now = datetime(2026, 1, 2, tzinfo=UTC)
    submission = make.submission(late_seconds=7_200, penalty=1.0)
    outcome = Outcome(
        submission_id=submission.id,
        revision=1,
        state=OutcomeState.RELEASED,
        results=(CriterionResult("depth", "full", 4.0, "<!--/ppo-->Deep."),),
        summary="",
        private_note="",
        author_kind=AuthorKind.PERSON,
        author="gil",
        at=now,
    )
    exercise = ExerciseGrade("depth", 4.0, 4.0, False, "full")
    grade = Grade(submission.id, (exercise,), Verdict.RAN, "", "0" * 64, now, 0.0)
    page = with_marks(outcome_page(submission, definition, outcome), grade, submission)
    found = Text(page).text
    assert "3 of 4 points Handed in 2 hours late: 1 of 4 points are taken off" in found
    assert found.count("of 4 points") == 2
    assert "Deep." in found
