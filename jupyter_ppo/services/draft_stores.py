"""What the use cases of drafted feedback need from storage."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Protocol
from uuid import UUID

from jupyter_ppo.domain.draft_records import AnswerKey, CalibrationMark, DraftBatch, DraftLease
from jupyter_ppo.domain.entries import Outcome
from jupyter_ppo.domain.feedback_settings import FeedbackSettings
from jupyter_ppo.domain.grading import Grade
from jupyter_ppo.domain.marks import Mark
from jupyter_ppo.domain.ports import Page
from jupyter_ppo.domain.tutoring import BatchState, DraftDecision, FeedbackDraft, NewDraft


class DraftStore(Protocol):
    """Drafts, and the decisions of people with the records that these write."""

    def finish(self, lease: DraftLease, new: NewDraft) -> FeedbackDraft | None:
        """Add a draft and end its item; None when a person has judged the answer meanwhile."""

    def draft(self, draft_id: UUID) -> FeedbackDraft:
        """Return a draft; raise ``NotFoundError``."""

    def of_answers(
        self, assignment_id: UUID, grade_id: str, submissions: Sequence[UUID]
    ) -> Mapping[UUID, FeedbackDraft]:
        """Return the newest draft of each of these answers that has one."""

    def queue(
        self, assignment_id: UUID, *, grade_id: str | None, state: str, offset: int, limit: int
    ) -> Page[FeedbackDraft]:
        """Return drafts: flagged first, then least agreement; ``state`` open, decided or all."""

    def answers(self, assignment_id: UUID) -> Sequence[AnswerKey]:
        """Return the answers that people mark, of the attempts that count."""

    def judged(self, assignment_id: UUID) -> frozenset[tuple[UUID, str]]:
        """Return the answers that a person has judged."""

    def undecided(self, assignment_id: UUID, grade_ids: Collection[str]) -> int:
        """Return how many drafts of these questions nobody has decided on."""

    def decide_mark(self, draft_id: UUID, decision: DraftDecision, mark: Mark) -> FeedbackDraft:
        """Write a decision and its mark; raise ``ConflictError`` or ``EditConflictError``."""

    def decide_outcome(
        self,
        draft_id: UUID,
        decision: DraftDecision,
        revisions: Sequence[tuple[Outcome, Grade | None]],
        *,
        seen: int,
    ) -> FeedbackDraft | None:
        """Write a decision and its outcome; None when another revision is stored."""

    def reject(self, draft_id: UUID, decision: DraftDecision) -> FeedbackDraft:
        """Write that a draft is of no use; raise ``ConflictError``."""


class DraftBatchStore(Protocol):
    """Batches of drafts, and the queue of their answers."""

    def create(
        self,
        *,
        course_id: UUID,
        assignment_id: UUID,
        grade_id: str | None,
        created_by: str,
        samples: int,
        estimate: Mapping[str, Any],
        for_calibration: bool,
        items: Sequence[tuple[UUID, str]],
    ) -> DraftBatch:
        """Add a running batch."""

    def batch(self, batch_id: UUID) -> DraftBatch:
        """Return a batch; raise ``NotFoundError``."""

    def batches(self, assignment_id: UUID, *, offset: int, limit: int) -> Page[DraftBatch]:
        """Return an assignment's batches, newest first."""

    def set_state(self, batch_id: UUID, state: BatchState) -> DraftBatch:
        """Pause, resume or cancel; raise ``ConflictError``."""

    def stop(self, batch_id: UUID, message: str) -> None:
        """Stop a running batch until a person resumes it."""

    def spent(self, batch_ids: Sequence[UUID]) -> Mapping[UUID, int]:
        """Return what each batch cost, in picodollars."""

    def lease(self, seconds: float, batch_id: UUID | None = None) -> DraftLease | None:
        """Take the next answer; None when none waits."""

    def renew(self, lease: DraftLease, seconds: float) -> None:
        """Hold an answer longer; raise ``LeaseLostError``."""

    def give_back(self, lease: DraftLease) -> None:
        """Let an answer wait again."""

    def skip(self, lease: DraftLease, why: str) -> None:
        """End an answer without a draft."""

    def fail(self, lease: DraftLease, error: str) -> None:
        """End an answer as FAILED."""


class CalibrationStore(Protocol):
    """What people marked to compare drafts with."""

    def put(
        self, submission_id: UUID, grade_id: str, levels: Mapping[str, str], *, by: str
    ) -> CalibrationMark:
        """Keep the levels of an answer."""

    def marks(self, assignment_id: UUID, grade_id: str | None = None) -> Sequence[CalibrationMark]:
        """Return the marks, the oldest first."""


class SettingsReader(Protocol):
    """What holds in a course for feedback."""

    def effective(self, course_id: UUID, assignment_id: UUID | None) -> FeedbackSettings:
        """Return the settings of an assignment, or of the course for None."""
