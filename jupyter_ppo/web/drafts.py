"""Drafted feedback: estimates, batches, the review queue and its decisions."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import ClassVar, Concatenate, ParamSpec
from uuid import UUID

from tornado import web

from jupyter_ppo.domain.access import Caller
from jupyter_ppo.domain.errors import NotFoundError
from jupyter_ppo.domain.marks import MAX_COMMENT
from jupyter_ppo.services.review_records import ReviewedDraft
from jupyter_ppo.web.base import PPOHandler
from jupyter_ppo.web.draft_models import (
    ApprovedCount,
    ApprovedDrafts,
    Draft,
    DraftBatch,
    DraftBatchPage,
    DraftItem,
    DraftPage,
    DraftsQuery,
    EditedDraft,
    Estimate,
    RejectedDraft,
    SeenRecord,
    WhichAnswers,
)
from jupyter_ppo.web.models import PageQuery, page_numbers
from jupyter_ppo.web.operations import Action, answers, permitted

P = ParamSpec("P")
_PATH = "/courses/{course}/assignments/{assignment}"


class DraftEstimateHandler(PPOHandler):
    """``/courses/{course}/assignments/{assignment}/drafts/estimate``: what drafting would take."""

    max_json_bytes: ClassVar[int] = 2**20

    @web.authenticated
    @permitted(Action.WRITE)
    @answers(Estimate, body=WhichAnswers)
    async def post(self, course: str, assignment: str) -> None:
        """Return answers, calls, tokens and cost; nothing is sent to a model (graders)."""
        body = self.json_body(WhichAnswers)
        found = await self.ask(
            self.use_cases.drafting.estimate,
            course,
            assignment,
            grade_id=body.grade_id,
            submissions=body.submissions,
            for_calibration=body.for_calibration,
        )
        self.reply(Estimate.of(found, self.use_cases.drafting.currency))


class DraftBatchesHandler(PPOHandler):
    """``/courses/{course}/assignments/{assignment}/draft-batches``: batches of drafts."""

    max_json_bytes: ClassVar[int] = 2**20

    @web.authenticated
    @permitted(Action.READ)
    @answers(DraftBatchPage, query=PageQuery)
    async def get(self, course: str, assignment: str) -> None:
        """List the batches of an assignment, newest first (graders)."""
        query = self.query(PageQuery)
        page = await self.ask(
            self.use_cases.drafting.batches, course, assignment, **query.model_dump()
        )
        currency = self.use_cases.drafting.currency
        items = [DraftBatch.of(each, currency) for each in page.items]
        self.reply(DraftBatchPage(items=items, **page_numbers(page)))

    @web.authenticated
    @permitted(Action.WRITE)
    @answers(DraftBatch, HTTPStatus.ACCEPTED, body=WhichAnswers)
    async def post(self, course: str, assignment: str) -> None:
        """Draft answers; more than a few need a passed calibration (instructors)."""
        body = self.json_body(WhichAnswers)
        made = await self.ask(
            self.use_cases.drafting.start,
            course,
            assignment,
            grade_id=body.grade_id,
            submissions=body.submissions,
            for_calibration=body.for_calibration,
        )
        location = f"/draft-batches/{made.batch.id}"
        batch = DraftBatch.of(made, self.use_cases.drafting.currency)
        self.reply(batch, HTTPStatus.ACCEPTED, location=location)


class DraftBatchHandler(PPOHandler):
    """``/draft-batches/{draft_batch_id}``: one batch."""

    @web.authenticated
    @permitted(Action.READ)
    @answers(DraftBatch)
    async def get(self, draft_batch_id: str) -> None:
        """Return a batch and how far it is (graders)."""
        batch, drafting = self.identifier(draft_batch_id, "batch"), self.use_cases.drafting
        self.reply(DraftBatch.of(await self.ask(drafting.batch, batch), drafting.currency))


class DraftBatchChangeHandler(PPOHandler):
    """``/draft-batches/{draft_batch_id}/{batch_change}``: pause, resume or cancel."""

    @web.authenticated
    @permitted(Action.WRITE)
    @answers(DraftBatch)
    async def post(self, draft_batch_id: str, batch_change: str) -> None:
        """Pause, resume or cancel a batch; again changes nothing (instructors)."""
        batch, drafting = self.identifier(draft_batch_id, "batch"), self.use_cases.drafting
        changes = {"pause": drafting.pause, "resume": drafting.resume, "cancel": drafting.cancel}
        change = changes.get(batch_change)
        if change is None:
            msg = f"change: there is no {batch_change[:80]!r}. Use {', '.join(changes)}."
            raise NotFoundError(msg, field="change")
        self.reply(DraftBatch.of(await self.ask(change, batch), drafting.currency))


class DraftsHandler(PPOHandler):
    """``/courses/{course}/assignments/{assignment}/drafts``: the review queue."""

    @web.authenticated
    @permitted(Action.READ)
    @answers(DraftPage, query=DraftsQuery)
    async def get(self, course: str, assignment: str) -> None:
        """List drafts by pseudonym: flagged first, then least agreement (graders)."""
        query = self.query(DraftsQuery)
        page = await self.ask(
            self.use_cases.reviewing.queue, course, assignment, **query.model_dump()
        )
        items = [DraftItem.of(each) for each in page.items]
        self.reply(DraftPage(items=items, **page_numbers(page)))


class ApprovedDraftsHandler(PPOHandler):
    """``/courses/{course}/assignments/{assignment}/drafts/approve``: many at once."""

    @web.authenticated
    @permitted(Action.WRITE)
    @answers(ApprovedCount, body=ApprovedDrafts)
    async def post(self, course: str, assignment: str) -> None:
        """Approve what is ready above a threshold, and never what is flagged (instructors)."""
        body = self.json_body(ApprovedDrafts)
        approved, skipped = await self.ask(
            self.use_cases.reviewing.approve_all,
            course,
            assignment,
            grade_id=body.grade_id,
            threshold=body.threshold,
        )
        self.reply(ApprovedCount(approved=approved, skipped=skipped))


class DraftHandler(PPOHandler):
    """``/drafts/{draft_id}``: one draft."""

    @web.authenticated
    @permitted(Action.READ)
    @answers(Draft)
    async def get(self, draft_id: str) -> None:
        """Return a draft with the answer, the rubric and what was found in it (graders)."""
        draft = self.identifier(draft_id, "draft")
        self.reply(await self.ask(_whole, self.use_cases.reviewing.draft, draft))


class DraftApproveHandler(PPOHandler):
    """``/drafts/{draft_id}/approve``: take a draft as it is."""

    @web.authenticated
    @permitted(Action.WRITE)
    @answers(Draft, body=SeenRecord)
    async def post(self, draft_id: str) -> None:
        """Approve a draft; 409 with both when somebody saved in between (graders)."""
        draft, seen = self.identifier(draft_id, "draft"), self.json_body(SeenRecord).revision
        review = self.use_cases.reviewing
        self.reply(await self.ask(_whole, review.approve, draft, revision=seen))


class DraftEditHandler(PPOHandler):
    """``/drafts/{draft_id}/edit``: take a draft with changes."""

    # Each character as two escapes of six bytes.
    max_json_bytes: ClassVar[int] = 12 * 4 * MAX_COMMENT

    @web.authenticated
    @permitted(Action.WRITE)
    @answers(Draft, body=EditedDraft)
    async def post(self, draft_id: str) -> None:
        """Approve a draft with changes; 409 with both on a conflict (graders)."""
        draft, body = self.identifier(draft_id, "draft"), self.json_body(EditedDraft)
        review = self.use_cases.reviewing
        made = await self.ask(
            _whole, review.edit, draft, body.edited(), body.comment, revision=body.revision
        )
        self.reply(made)


class DraftRejectHandler(PPOHandler):
    """``/drafts/{draft_id}/reject``: a draft is of no use."""

    @web.authenticated
    @permitted(Action.WRITE)
    @answers(Draft, body=RejectedDraft)
    async def post(self, draft_id: str) -> None:
        """Reject a draft; the answer waits to be marked by hand (graders)."""
        draft, reason = self.identifier(draft_id, "draft"), self.json_body(RejectedDraft).reason
        self.reply(await self.ask(_whole, self.use_cases.reviewing.reject, draft, reason))


# Finding things in an answer takes time, so it is done in the use case's thread.


def _whole(
    caller: Caller,
    use_case: Callable[Concatenate[Caller, UUID, P], ReviewedDraft],
    draft_id: UUID,
    *args: P.args,
    **kwargs: P.kwargs,
) -> Draft:
    return Draft.whole(use_case(caller, draft_id, *args, **kwargs))


handlers: list[tuple[str, type[PPOHandler]]] = [
    (f"{_PATH}/drafts/estimate", DraftEstimateHandler),
    (f"{_PATH}/drafts/approve", ApprovedDraftsHandler),
    (f"{_PATH}/drafts", DraftsHandler),
    (f"{_PATH}/draft-batches", DraftBatchesHandler),
    ("/draft-batches/{draft_batch_id}", DraftBatchHandler),
    ("/draft-batches/{draft_batch_id}/{batch_change}", DraftBatchChangeHandler),
    ("/drafts/{draft_id}", DraftHandler),
    ("/drafts/{draft_id}/approve", DraftApproveHandler),
    ("/drafts/{draft_id}/edit", DraftEditHandler),
    ("/drafts/{draft_id}/reject", DraftRejectHandler),
]
