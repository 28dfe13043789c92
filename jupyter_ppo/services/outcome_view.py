"""An outcome as it is answered, checked when it comes, and made a grade."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from jupyter_ppo.autograde.outcome_page import long_markdown_html
from jupyter_ppo.autograde.points import one_line
from jupyter_ppo.domain.entries import (
    MAX_WORDS,
    CriterionResult,
    EntryDefinition,
    Outcome,
    OutcomeState,
    checked_results,
)
from jupyter_ppo.domain.errors import TooLargeError
from jupyter_ppo.domain.grading import ExerciseGrade, Grade
from jupyter_ppo.domain.marks import checked_text
from jupyter_ppo.domain.sandbox import Verdict
from jupyter_ppo.domain.submissions import Submission


@dataclass(frozen=True, slots=True)
class ResultInput:
    """What is said of one criterion; without ``points`` they are those of the level."""

    criterion: str
    level: str
    points: float | None = None
    comment: str = ""


@dataclass(frozen=True, slots=True)
class OutcomeView:
    """An outcome as its reader may see it; ``outcome`` is None while nothing is written.

    ``is_staff`` says that the reader grades: notes and names are for them only.
    """

    submission: Submission
    definition: EntryDefinition
    outcome: Outcome | None
    is_staff: bool

    def data(self) -> dict[str, Any]:
        """Return plain data in the shape that the outcome is answered in."""
        outcome, rubric = self.outcome, {each.name: each for each in self.definition.rubric}
        if outcome is None:
            none = ("author_kind", "author", "changed_by", "approved_by", "at")
            return {
                "submission_id": str(self.submission.id),
                "revision": 0,
                "state": OutcomeState.DRAFT.value,
                "results": [],
                "summary": "",
                "summary_html": "",
                "private_note": "",
                "points": 0.0,
                "max_points": self.definition.max_points,
            } | dict.fromkeys(none)
        data = {
            "submission_id": str(outcome.submission_id),
            "revision": outcome.revision,
            "state": outcome.state.value,
            "results": [
                asdict(result)
                | {
                    "max_points": rubric[result.criterion].max_points
                    if result.criterion in rubric
                    else None,
                    "comment_html": str(long_markdown_html(result.comment)),
                }
                for result in outcome.results
            ],
            "summary": outcome.summary,
            "summary_html": str(long_markdown_html(outcome.summary)),
            "private_note": outcome.private_note,
            "points": outcome.points,
            "max_points": self.definition.max_points,
            "author_kind": outcome.author_kind.value,
            "author": outcome.author,
            "changed_by": outcome.changed_by,
            "approved_by": outcome.approved_by,
            "at": outcome.at.astimezone(UTC).isoformat(),
        }
        if not self.is_staff:
            data |= dict.fromkeys(("private_note", "author", "changed_by", "approved_by"))
        return data


def grade_of_outcome(
    submission: Submission,
    definition: EntryDefinition,
    outcome: Outcome,
    feedback_digest: str,
    at: datetime,
) -> Grade:
    """Return the grade that an outcome gives: one exercise for each criterion.

    ``feedback_digest`` names the page for the student, ``at`` is the server's clock.
    """
    most = {criterion.name: criterion.max_points for criterion in definition.rubric}
    return Grade(
        submission_id=submission.id,
        exercises=tuple(
            ExerciseGrade(
                result.criterion,
                result.points,
                most[result.criterion],
                False,
                f"{result.level}: {one_line(result.comment)}"
                if result.comment.strip()
                else result.level,
            )
            for result in outcome.results
        ),
        verdict=Verdict.RAN,
        detail="",
        feedback_digest=feedback_digest,
        graded_at=at,
        wall_seconds=0.0,
        version_id=submission.version_id,
    )


def checked_input(
    definition: EntryDefinition, given: Sequence[ResultInput], *, is_complete: bool
) -> tuple[CriterionResult, ...]:
    """Return the results with the points of their levels where none are given.

    Raises ``InvalidInputError`` as ``domain.entries.checked_results`` does.
    """
    points = {
        (criterion.name, level.name): level.points
        for criterion in definition.rubric
        for level in criterion.levels
    }
    results = [
        CriterionResult(
            each.criterion,
            each.level,
            # Of an unknown level any number does: it is refused below.
            points.get((each.criterion, each.level), 0.0) if each.points is None else each.points,
            checked_words(each.comment, f"results[{index}].comment"),
        )
        for index, each in enumerate(given)
    ]
    return checked_results(definition.rubric, results, is_complete=is_complete)


def checked_words(text: str, field: str) -> str:
    """Return ``text`` if it may be kept; raise ``TooLargeError`` or ``InvalidInputError``."""
    if len(text) > MAX_WORDS:
        msg = f"{field}: there are {len(text):,} characters, and {MAX_WORDS:,} may be."
        raise TooLargeError(msg, field=field)
    return checked_text(text, field)
