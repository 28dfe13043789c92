"""What the decision about a draft writes: points and words for people, a mark or an outcome."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from jupyter_ppo.domain.entries import (
    AuthorKind,
    Criterion,
    CriterionResult,
    Outcome,
    OutcomeState,
    checked_results,
)
from jupyter_ppo.domain.grading import total
from jupyter_ppo.domain.tutoring import DraftResult, DraftState, FeedbackDraft
from jupyter_ppo.services.judged_answers import JudgedAnswer
from jupyter_ppo.services.outcome_view import checked_words


@dataclass(frozen=True, slots=True)
class EditedResult:
    """What a person says of one criterion in the place of a draft; "" is no words."""

    criterion: str
    level: str
    comment: str = ""


@dataclass(frozen=True, slots=True)
class HumanRecord:
    """What is stored about an answer now; ``revision`` is the one to name when deciding."""

    revision: int
    points: float | None
    comment: str


def drafted(rubric: Sequence[Criterion], results: Sequence[DraftResult]) -> list[CriterionResult]:
    """Return what was drafted as results; points are those of the levels, by the rubric."""
    said = [EditedResult(each.criterion, each.level, each.reason) for each in results]
    return with_points(rubric, said)


def with_points(
    rubric: Sequence[Criterion], results: Sequence[EditedResult]
) -> list[CriterionResult]:
    """Return results with the points of their levels, one for every criterion, in its order.

    Raises ``InvalidInputError`` naming what is unknown, doubled or missing.
    """
    points = {
        (criterion.name, level.name): level.points
        for criterion in rubric
        for level in criterion.levels
    }
    made = [
        CriterionResult(
            each.criterion,
            each.level,
            points.get((each.criterion, each.level), 0.0),  # of an unknown level: refused below
            checked_words(each.comment, f"results[{index}].comment"),
        )
        for index, each in enumerate(results)
    ]
    return list(checked_results(rubric, made, is_complete=True))


def points_of(results: Sequence[CriterionResult], most: float) -> float:
    """Return the points of all results, at most ``most``."""
    return min(total(result.points for result in results), most)


def words_of(rubric: Sequence[Criterion], results: Sequence[CriterionResult]) -> str:
    """Return the comment that results are for a student, a criterion a line."""
    titles = {criterion.name: criterion.title for criterion in rubric}
    return "\n\n".join(
        f"{titles[result.criterion]}: {result.level}. {result.comment}".strip()
        for result in results
    )


def outcome_revisions(
    draft: FeedbackDraft,
    results: Mapping[str, CriterionResult],
    edited: Sequence[CriterionResult] | None,
    *,
    summary: str,
    by: str,
    at: datetime,
    is_first: bool,
) -> tuple[Outcome, ...]:
    """Return the revisions that a decision about an entry's draft writes.

    Approved as it was, the words stay the program's and a person approves them: where nothing was
    written before, the draft is a revision of its own. Edited, they are the person's.
    """
    if edited is not None:
        return (
            Outcome(
                submission_id=draft.new.submission_id,
                revision=0,
                state=OutcomeState.APPROVED,
                results=tuple(edited),
                summary=summary,
                private_note="",
                author_kind=AuthorKind.PERSON,
                author=by,
                at=at,
                approved_by=by,
                changed_by=by,
            ),
        )
    made = Outcome(
        submission_id=draft.new.submission_id,
        revision=0,
        state=OutcomeState.DRAFT,
        results=tuple(results.values()),
        summary=summary,
        private_note="",
        author_kind=AuthorKind.PROGRAM,
        author=draft.new.program,
        at=at,
    )
    approved = replace(made, state=OutcomeState.APPROVED, approved_by=by, changed_by=by)
    return (made, approved) if is_first else (approved,)


@dataclass(frozen=True, slots=True)
class QueuedDraft:
    """A draft in the review queue; ``who`` is a pseudonym, ``points`` None without results."""

    draft: FeedbackDraft
    who: str
    points: float | None
    max_points: float


@dataclass(frozen=True, slots=True)
class ReviewedDraft:
    """A draft with everything that a decision needs."""

    queued: QueuedDraft
    answer: JudgedAnswer
    record: HumanRecord | None
    self_check: Mapping[str, str] | None


def queued(draft: FeedbackDraft, names: Mapping[str, str], most: float) -> QueuedDraft:
    """Return a draft as the queue has it; a decision's points come before drafted ones."""
    points = None
    if draft.decision is not None and draft.decision.state is not DraftState.REJECTED:
        points = draft.decision.points
    elif draft.new.results:
        points = min(round(sum(each.points for each in draft.new.results), 9), most)
    return QueuedDraft(draft, names.get(draft.user, "Student"), points, most)
