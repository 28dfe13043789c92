"""The student's page of an outcome: everything that was decided, nothing that is private."""

from __future__ import annotations

import html.parser
from datetime import UTC, datetime
from uuid import uuid4

from jupyter_ppo.autograde.outcome_page import long_markdown_html, outcome_page
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
from jupyter_ppo.domain.submissions import Submission, SubmissionState

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
DEFINITION = EntryDefinition(
    "Report <1>",
    "",
    (EntryPart.TEXT,),
    (
        Criterion("method", "Method", (Level("weak", 0.0), Level("sound", 4.0, "All *steps*."))),
        Criterion("writing", "Writing & form", (Level("poor", 0.0), Level("clear", 2.5))),
    ),
)


def page(author_kind: AuthorKind = AuthorKind.PERSON, **changes: str) -> str:
    submission = Submission(
        id=uuid4(),
        course_id=uuid4(),
        course_name="rl",
        assignment_id=uuid4(),
        assignment_name="report",
        version_id=uuid4(),
        version_number=1,
        user="sam<b>",
        attempt=2,
        digest="a" * 64,
        state=SubmissionState.SUBMITTED,
        submitted_at=NOW,
    )
    outcome = Outcome(
        submission_id=submission.id,
        revision=3,
        state=OutcomeState.APPROVED,
        results=(
            CriterionResult("writing", "clear", 2.0, changes.get("comment", "Good **work**.")),
            CriterionResult("method", "sound", 4.0),
        ),
        summary=changes.get("summary", "Well done."),
        private_note="watch this one",
        author_kind=author_kind,
        author="grader-gil",
        at=NOW,
        approved_by="grader-gil",
    )
    return outcome_page(submission, DEFINITION, outcome).decode()


class Tags(html.parser.HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def test_the_page_shows_levels_points_and_comments_in_the_rubrics_order() -> None:
    text = page()
    assert text.index("Method") < text.index("Writing &amp; form")
    assert "6 <small>of 6.5 points" in text
    assert "2 of 2.5" in text
    assert "Good <strong>work</strong>." in text
    assert "All <em>steps</em>." in text
    assert "Well done." in text
    assert "Report &lt;1&gt;" in text


def test_the_page_names_no_grader_and_no_private_note() -> None:
    text = page()
    assert "grader-gil" not in text
    assert "watch this one" not in text


def test_the_page_says_when_a_program_drafted_it() -> None:
    assert "A program drafted this; a person approved it." in page(AuthorKind.PROGRAM)
    assert "drafted" not in page()


def test_nothing_that_is_typed_runs_or_loads() -> None:
    bad = '<script>alert(1)</script><img src="https://x/y.png" onerror="x()">[l](javascript:x)'
    tags = Tags(page(comment=bad, summary=bad)).found
    assert not {tag for tag, _ in tags} & {"script", "img", "iframe", "form", "link"}
    assert not [name for _, attributes in tags for name in attributes if name.startswith("on")]
    assert not [a for _, a in tags if (a.get("href") or "").startswith("javascript")]


def test_a_long_text_is_rendered_whole() -> None:
    text = "\n\n".join(f"paragraph **{number}**" for number in range(4000))
    assert len(text) > 60_000
    rendered = long_markdown_html(text)
    assert rendered.count("<strong>") == 4000
    assert "<strong>3999</strong>" in rendered


def test_a_long_text_is_not_cut_inside_a_fence() -> None:
    code = "x = 1\n\n" * 2000
    rendered = long_markdown_html(f"before\n\n```python\n{code}```\n\nafter **it**")
    assert rendered.count("<pre") == 1
    assert "after <strong>it</strong>" in rendered
