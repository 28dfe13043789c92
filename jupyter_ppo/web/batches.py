"""Batches and the queue."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field
from tornado import web

from jupyter_ppo.domain import batches
from jupyter_ppo.domain.batches import BatchItemState, BatchScope
from jupyter_ppo.services.batches import MAX_LISTED, MAX_REASON, CourseQueue
from jupyter_ppo.web.base import PPOHandler
from jupyter_ppo.web.models import Answer, Body, Page, PageQuery, Submission, Time, page_numbers
from jupyter_ppo.web.operations import Action, answers, permitted

# -- received ------------------------------------------------------------------------------------


class NewBatch(Body):
    """Which submissions of an assignment to grade; ``submissions`` are for the scope ``listed``.

    With ``newest_version`` all are put on the assignment's newest version.
    """

    scope: BatchScope
    submissions: Annotated[list[UUID], Field(max_length=MAX_LISTED, default_factory=list)]
    newest_version: bool = False
    reason: Annotated[str, Field(max_length=MAX_REASON)] = ""


class BatchesQuery(PageQuery):
    """Which batches of a course."""

    assignment: str | None = None


class BatchItemsQuery(PageQuery):
    """Which submissions of a batch; ``changed`` keeps those whose points differ now."""

    changed: bool = False


# -- sent ----------------------------------------------------------------------------------------


class BatchCounts(Answer):
    """How many submissions of a batch are in each state."""

    waiting: int
    grading: int
    done: int
    failed: int
    cancelled: int


class Batch(Answer):
    """Submissions that are graded together; ``version`` is what all were put on, if anything."""

    id: UUID
    course: str
    assignment: str
    created_by: str
    created_at: Time
    reason: str
    scope: BatchScope
    version: int | None
    cancelled_at: Time | None
    counts: BatchCounts
    total: int
    is_over: bool

    @classmethod
    def of(cls, batch: batches.Batch) -> Batch:
        """Make the body from the domain's object."""
        return cls(
            id=batch.id,
            course=batch.course_name,
            assignment=batch.assignment_name,
            created_by=batch.created_by,
            created_at=batch.created_at,
            reason=batch.reason,
            scope=batch.scope,
            version=batch.version_number,
            cancelled_at=batch.cancelled_at,
            counts=BatchCounts(
                **{state.value: batch.counts.get(state, 0) for state in BatchItemState}
            ),
            total=batch.total,
            is_over=batch.is_over,
        )


class BatchPage(Page[Batch]):
    """Batches, newest first."""


class Snapshot(Answer):
    """What a submission scored: in all, with marks and before lateness, and by grade_id."""

    version: int
    points: float
    max_points: float
    exercises: dict[str, float]

    @classmethod
    def of(cls, snapshot: batches.Snapshot | None) -> Snapshot | None:
        """Make the body from the domain's object."""
        if snapshot is None:
            return None
        return cls(
            version=snapshot.version_number,
            points=snapshot.points,
            max_points=snapshot.max_points,
            exercises=dict(snapshot.exercises),
        )


class BatchItem(Answer):
    """One submission of a batch. ``position`` is its place in the queue, 1 for the next."""

    submission_id: UUID
    user: str
    attempt: int
    state: BatchItemState
    before: Snapshot | None
    after: Snapshot | None
    error: str | None
    position: int | None

    @classmethod
    def of(cls, item: batches.BatchItem) -> BatchItem:
        """Make the body from the domain's object."""
        return cls(
            submission_id=item.submission_id,
            user=item.user,
            attempt=item.attempt,
            state=item.state,
            before=Snapshot.of(item.before),
            after=Snapshot.of(item.after),
            error=item.error,
            position=item.position,
        )


class BatchItemPage(Page[BatchItem]):
    """Submissions of a batch by username and attempt."""


class QueuePlace(Answer):
    """Where one submission is in the server's queue, 1 for the next."""

    submission_id: UUID
    position: int


class Queue(Answer):
    """How many submissions of a course wait or are being graded, and where the caller's own are."""

    waiting: int
    grading: int
    own: list[QueuePlace]

    @classmethod
    def of(cls, queue: CourseQueue) -> Queue:
        """Make the body from the use case's object."""
        return cls(
            waiting=queue.waiting,
            grading=queue.grading,
            own=[QueuePlace(submission_id=each, position=place) for each, place in queue.own],
        )


# -- verbs ---------------------------------------------------------------------------------------


class NewBatchHandler(PPOHandler):
    """``/courses/{course}/assignments/{assignment}/batches``: where batches are made."""

    max_json_bytes: ClassVar[int] = 2**20

    @web.authenticated
    @permitted(Action.WRITE)
    @answers(Batch, HTTPStatus.ACCEPTED, body=NewBatch)
    async def post(self, course: str, assignment: str) -> None:
        """Grade submissions of an assignment, or grade them again (graders)."""
        body = self.json_body(NewBatch)
        made = await self.ask(
            self.use_cases.batches.create,
            course,
            assignment,
            scope=body.scope,
            submissions=body.submissions,
            newest_version=body.newest_version,
            reason=body.reason,
        )
        self.reply(Batch.of(made), HTTPStatus.ACCEPTED, location=f"/batches/{made.id}")


class BatchesHandler(PPOHandler):
    """``/courses/{course}/batches``: all batches of a course."""

    @web.authenticated
    @permitted(Action.READ)
    @answers(BatchPage, query=BatchesQuery)
    async def get(self, course: str) -> None:
        """List the course's batches, newest first (graders)."""
        query = self.query(BatchesQuery)
        page = await self.ask(self.use_cases.batches.batches, course, **query.model_dump())
        items = [Batch.of(each) for each in page.items]
        self.reply(BatchPage(items=items, **page_numbers(page)))


class BatchHandler(PPOHandler):
    """``/batches/{batch_id}``: one batch."""

    @web.authenticated
    @permitted(Action.READ)
    @answers(Batch)
    async def get(self, batch_id: str) -> None:
        """Return a batch and how far it is (graders)."""
        found = await self.ask(self.use_cases.batches.batch, self.identifier(batch_id, "batch"))
        self.reply(Batch.of(found))


class BatchItemsHandler(PPOHandler):
    """``/batches/{batch_id}/items``: the submissions of a batch."""

    @web.authenticated
    @permitted(Action.READ)
    @answers(BatchItemPage, query=BatchItemsQuery)
    async def get(self, batch_id: str) -> None:
        """List the submissions of a batch with their points before and after (graders)."""
        query = self.query(BatchItemsQuery)
        batch = self.identifier(batch_id, "batch")
        page = await self.ask(self.use_cases.batches.items, batch, **query.model_dump())
        items = [BatchItem.of(each) for each in page.items]
        self.reply(BatchItemPage(items=items, **page_numbers(page)))


class BatchCancelHandler(PPOHandler):
    """``/batches/{batch_id}/cancel``: end a batch early."""

    @web.authenticated
    @permitted(Action.WRITE)
    @answers(Batch)
    async def post(self, batch_id: str) -> None:
        """Cancel what of a batch is not over; again changes nothing (graders)."""
        found = await self.ask(self.use_cases.batches.cancel, self.identifier(batch_id, "batch"))
        self.reply(Batch.of(found))


class QueueHandler(PPOHandler):
    """``/courses/{course}/queue``: how busy grading is."""

    @web.authenticated
    @permitted(Action.READ)
    @answers(Queue)
    async def get(self, course: str) -> None:
        """Return how many submissions wait, and where the caller's own are (members)."""
        self.reply(Queue.of(await self.ask(self.use_cases.batches.queue, course)))


class SubmissionCancelHandler(PPOHandler):
    """``/submissions/{submission_id}/cancel``: stop the grading of one submission."""

    @web.authenticated
    @permitted(Action.WRITE)
    @answers(Submission)
    async def post(self, submission_id: str) -> None:
        """Cancel the grading of a submission; again changes nothing (graders)."""
        submission = self.identifier(submission_id)
        found = await self.ask(self.use_cases.batches.cancel_submission, submission)
        self.reply(Submission.of(found))


handlers: list[tuple[str, type[PPOHandler]]] = [
    ("/courses/{course}/assignments/{assignment}/batches", NewBatchHandler),
    ("/courses/{course}/batches", BatchesHandler),
    ("/courses/{course}/queue", QueueHandler),
    ("/batches/{batch_id}", BatchHandler),
    ("/batches/{batch_id}/items", BatchItemsHandler),
    ("/batches/{batch_id}/cancel", BatchCancelHandler),
    ("/submissions/{submission_id}/cancel", SubmissionCancelHandler),
]
