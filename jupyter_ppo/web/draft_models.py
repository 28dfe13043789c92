"""Bodies of requests and answers about drafted feedback."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from jupyter_ppo.domain import entries, tutoring
from jupyter_ppo.domain.marks import MAX_COMMENT
from jupyter_ppo.domain.tutoring import BatchState, DraftState, Flag, ItemState
from jupyter_ppo.services.drafting import BatchView, DraftEstimate
from jupyter_ppo.services.review_records import EditedResult, QueuedDraft, ReviewedDraft
from jupyter_ppo.services.reviewing import MAX_REASON
from jupyter_ppo.tutor.detectors import flags_of
from jupyter_ppo.tutor.draft_reading import evidence_span
from jupyter_ppo.web.models import Answer, Body, Page, PageQuery, Time

_MAX_LISTED = 5_000


class WhichDrafts(StrEnum):
    """Which drafts of the review queue."""

    OPEN = "open"
    DECIDED = "decided"
    ALL = "all"


# -- received ------------------------------------------------------------------------------------


class WhichAnswers(Body):
    """Which answers; without a grade_id all that have a rubric, without a list everybody's.

    ``for_calibration`` means only those that people marked to compare with.
    """

    grade_id: str | None = None
    submissions: Annotated[list[UUID], Field(min_length=1, max_length=_MAX_LISTED)] | None = None
    for_calibration: bool = False


class DraftsQuery(PageQuery):
    """Which drafts."""

    grade_id: str | None = None
    state: WhichDrafts = WhichDrafts.OPEN


class SeenRecord(Body):
    """The revision of the mark or outcome that was seen, 0 for none."""

    revision: Annotated[int, Field(ge=0, le=2**31 - 1)]


class NewDraftResult(Body):
    """What a person says of one criterion; no comment is no words."""

    criterion: str
    level: str
    comment: Annotated[str, Field(max_length=MAX_COMMENT)] = ""


class EditedDraft(SeenRecord):
    """A draft with a person's changes; without ``comment`` it is made from the results."""

    results: Annotated[list[NewDraftResult], Field(max_length=40)]
    comment: Annotated[str | None, Field(max_length=MAX_COMMENT)] = None

    def edited(self) -> list[EditedResult]:
        """Return the service's objects."""
        return [EditedResult(each.criterion, each.level, each.comment) for each in self.results]


class RejectedDraft(Body):
    """Why a draft is of no use."""

    reason: Annotated[str, Field(max_length=MAX_REASON)] = ""


class ApprovedDrafts(Body):
    """Approve what is ready and whose samples agree so much, 0 to 1."""

    grade_id: str | None = None
    threshold: Annotated[float, Field(ge=0, le=1)]


# -- sent ----------------------------------------------------------------------------------------


class MoneyLeft(Answer):
    """What is left under the caps, in the estimate's currency."""

    course: float
    assignment: float


class Estimate(Answer):
    """What drafting would take; ``reason`` says what keeps a batch from being started."""

    answers: int
    skipped: int
    calls: int
    cached_calls: int
    input_tokens: int
    output_tokens: int
    cost: float
    currency: str
    left: MoneyLeft
    calibrated: bool
    reason: str

    @classmethod
    def of(cls, estimate: DraftEstimate, currency: str) -> Estimate:
        """Make the body from the service's object."""
        return cls(
            answers=estimate.answers,
            skipped=estimate.skipped,
            calls=estimate.calls,
            cached_calls=estimate.cached_calls,
            input_tokens=estimate.input_tokens,
            output_tokens=estimate.output_tokens,
            cost=estimate.cost,
            currency=currency,
            left=MoneyLeft(course=estimate.left_course, assignment=estimate.left_assignment),
            calibrated=estimate.calibrated,
            reason=estimate.reason,
        )


class DraftBatch(Answer):
    """Answers that are drafted together; ``estimate`` and ``spent`` are in ``currency``."""

    id: UUID
    state: BatchState
    grade_id: str | None
    for_calibration: bool
    total: int
    done: int
    skipped: int
    failed: int
    waiting: int
    estimate: float
    spent: float
    currency: str
    message: str
    created_by: str
    created_at: Time

    @classmethod
    def of(cls, view: BatchView, currency: str) -> DraftBatch:
        """Make the body from the service's object."""
        batch, counts = view.batch, view.batch.counts
        return cls(
            id=batch.id,
            state=batch.state,
            grade_id=batch.grade_id,
            for_calibration=batch.for_calibration,
            total=batch.total,
            done=counts.get(ItemState.DONE, 0),
            skipped=counts.get(ItemState.SKIPPED, 0),
            failed=counts.get(ItemState.FAILED, 0),
            waiting=counts.get(ItemState.WAITING, 0) + counts.get(ItemState.LEASED, 0),
            estimate=float(batch.estimate.get("cost", 0.0)),
            spent=view.spent,
            currency=currency,
            message=batch.message,
            created_by=batch.created_by,
            created_at=batch.created_at,
        )


class DraftBatchPage(Page[DraftBatch]):
    """Batches of drafts, newest first."""


class DraftItem(Answer):
    """A draft in the review queue; ``points`` is null when nothing usable was drafted."""

    id: UUID
    submission_id: UUID
    grade_id: str
    who: str
    state: DraftState
    points: float | None
    max_points: float
    agreement: float
    flags: list[Flag]
    created_at: Time
    is_released: bool

    @classmethod
    def of(cls, item: QueuedDraft) -> DraftItem:
        """Make the body from the service's object."""
        return cls(**_item(item))


class DraftPage(Page[DraftItem]):
    """Drafts: flagged first, then least agreement, then oldest."""


class RubricLevel(Answer):
    """One level of a criterion."""

    name: str
    points: float
    description: str


class RubricCriterion(Answer):
    """One criterion as the staff sees it."""

    name: str
    title: str
    description: str
    note: str
    max_points: float
    levels: list[RubricLevel]

    @classmethod
    def of(cls, criterion: entries.Criterion) -> RubricCriterion:
        """Make the body from the domain's object."""
        return cls(
            name=criterion.name,
            title=criterion.title,
            description=criterion.description,
            note=criterion.note,
            max_points=criterion.max_points,
            levels=[
                RubricLevel(name=each.name, points=each.points, description=each.description)
                for each in criterion.levels
            ],
        )


class DraftedResult(Answer):
    """What was drafted for a criterion; the span counts characters of ``answer_text``."""

    criterion: str
    level: str
    points: float
    reason: str
    evidence: str
    agreement: float
    votes: dict[str, int]
    evidence_span: tuple[int, int] | None

    @classmethod
    def of(cls, result: tutoring.DraftResult, text: str) -> DraftedResult:
        """Make the body from the domain's object."""
        return cls(
            criterion=result.criterion,
            level=result.level,
            points=result.points,
            reason=result.reason,
            evidence=result.evidence,
            agreement=result.agreement,
            votes=dict(result.votes),
            evidence_span=evidence_span(result.evidence, text),
        )


class DraftFinding(Answer):
    """What in an answer speaks to whoever grades it, and where; it takes no points off."""

    flag: Flag
    start: int
    end: int


class StoredRecord(Answer):
    """The mark or outcome that is stored now; its revision is named when deciding."""

    revision: int
    points: float | None
    comment: str


class Decision(Answer):
    """What a person made of a draft; ``edit_distance`` is 0 (as it was) to 1 (all other words)."""

    state: DraftState
    by: str
    at: Time
    points: float
    comment: str
    reason: str
    edit_distance: float


class Draft(DraftItem):
    """A draft with everything that a decision needs; HTML is sanitised."""

    title: str
    program: str
    prompt_html: str
    answer_html: str
    answer_text: str
    rubric: list[RubricCriterion]
    results: list[DraftedResult]
    findings: list[DraftFinding]
    record: StoredRecord | None
    calls: list[UUID]
    self_check: dict[str, str] | None
    decision: Decision | None

    @classmethod
    def whole(cls, view: ReviewedDraft) -> Draft:
        """Make the body from the service's object."""
        draft, answer = view.queued.draft, view.answer
        record, decision = view.record, draft.decision
        return cls(
            **_item(view.queued),
            title=answer.question.title,
            program=draft.new.program,
            prompt_html=answer.question.html,
            answer_html=answer.html,
            answer_text=answer.text,
            rubric=[RubricCriterion.of(each) for each in answer.question.rubric],
            results=[DraftedResult.of(each, answer.text) for each in draft.new.results],
            findings=[
                DraftFinding(flag=each.flag, start=each.start, end=each.end)
                for each in flags_of(answer.text)
            ],
            record=None
            if record is None
            else StoredRecord(
                revision=record.revision, points=record.points, comment=record.comment
            ),
            calls=list(draft.new.call_ids),
            self_check=None if view.self_check is None else dict(view.self_check),
            decision=None
            if decision is None
            else Decision(**{name: getattr(decision, name) for name in Decision.model_fields}),
        )


class ApprovedCount(Answer):
    """How many drafts were approved together, and how many were left to be looked at."""

    approved: int
    skipped: int


def _item(item: QueuedDraft) -> dict[str, Any]:
    draft = item.draft
    return {
        "id": draft.id,
        "submission_id": draft.new.submission_id,
        "grade_id": draft.new.grade_id,
        "who": item.who,
        "state": draft.state,
        "points": item.points,
        "max_points": item.max_points,
        "agreement": draft.new.agreement,
        "flags": list(draft.new.flags),
        "created_at": draft.created_at,
        "is_released": draft.is_released,
    }
