"""Submissions and the states they go through."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from jupyter_ppo.domain.courses import AssignmentKind
from jupyter_ppo.domain.errors import ConflictError

#: What a student is told in the place of the name of whoever took their work in.
STAFF = "staff"


class SubmissionState(StrEnum):
    """Where a submission is on its way to a grade."""

    SUBMITTED = "submitted"  # kept; nobody has asked for a grade yet, or the grading was cancelled
    QUEUED = "queued"
    GRADING = "grading"
    GRADED = "graded"
    FAILED = "failed"  # our failure, after every retry; it can be graded again


class AttemptState(StrEnum):
    """What a student is told of an attempt."""

    SUBMITTED = "submitted"
    QUEUED = "queued"
    GRADING = "grading"
    GRADED = "graded"  # there is a grade, and the staff has not released it yet
    RELEASED = "released"
    FAILED = "failed"


# A cancelled one goes back to what it was: graded if it has a grade, submitted otherwise.
_LEGAL: dict[SubmissionState, frozenset[SubmissionState]] = {
    SubmissionState.SUBMITTED: frozenset({SubmissionState.QUEUED, SubmissionState.GRADED}),
    SubmissionState.QUEUED: frozenset(
        {
            SubmissionState.GRADING,
            SubmissionState.FAILED,
            SubmissionState.SUBMITTED,
            SubmissionState.GRADED,
        }
    ),
    SubmissionState.GRADING: frozenset(
        {
            SubmissionState.GRADED,
            SubmissionState.FAILED,
            SubmissionState.QUEUED,
            SubmissionState.SUBMITTED,
        }
    ),
    SubmissionState.GRADED: frozenset({SubmissionState.QUEUED}),
    SubmissionState.FAILED: frozenset({SubmissionState.QUEUED}),
}


def checked_transition(now: SubmissionState, then: SubmissionState) -> SubmissionState:
    """Return ``then`` if a submission may go there from ``now``; else raise ``ConflictError``."""
    if then not in _LEGAL[now]:
        msg = f"A submission that is {now} cannot become {then}."
        raise ConflictError(msg, field="state")
    return then


@dataclass(frozen=True, slots=True)
class Submission:
    """One attempt of one student at one assignment.

    ``digest`` names the submitted bytes (SHA-256 hex), kept exactly as they came. ``attempt``
    counts from 1 per student and assignment; ``submitted_at`` is the server's clock, UTC.
    ``warnings`` are for the student: cells that were missing, renamed or changed.
    ``error`` says why a submission FAILED. ``points`` and ``max_points`` are None until graded:
    people's marks and ``extra_credit`` are in ``points``, and ``penalty`` is taken off already.
    ``unsealed_points`` are those of them that tests in the student's own process gave,
    ``hint_deduction`` what hints took off the tests' points before.
    ``version_number`` is the version that it is graded on, ``submitted_version`` the one that was
    the newest when it came. ``counts`` says that it is the student's attempt that counts, and
    ``counts_for_student`` that it is as far as the student knows: by points that are released.
    ``collected_by`` is who took it in for the student; None if they handed it in themselves.
    ``queue_position`` is its place in the queue, 1 for the next, None when it does not wait.
    ``is_repeat`` is only said to who sent it again with its idempotency key: nothing was added.
    """

    id: UUID
    course_id: UUID
    course_name: str
    assignment_id: UUID
    assignment_name: str
    version_id: UUID
    version_number: int
    user: str
    attempt: int
    digest: str
    state: SubmissionState
    submitted_at: datetime
    warnings: tuple[str, ...] = ()
    error: str | None = None
    points: float | None = None
    max_points: float | None = None
    needs_review: bool = False
    unsealed_points: float = 0.0
    submitted_version: int = 0
    late_seconds: int = 0
    penalty: float = 0.0
    counts: bool = False
    counts_for_student: bool = False
    released_at: datetime | None = None
    collected_by: str | None = None
    queue_position: int | None = None
    kind: AssignmentKind = AssignmentKind.NOTEBOOK
    extra_credit: float = 0.0
    hint_deduction: float = 0.0
    is_repeat: bool = False

    @property
    def attempt_state(self) -> AttemptState:
        """What its student is told of it."""
        if self.state is SubmissionState.GRADED and self.released_at is not None:
            return AttemptState.RELEASED
        return AttemptState(self.state.value)

    def as_repeat(self) -> Submission:
        """Return the answer to the same bytes sent again under the same idempotency key."""
        return replace(self, is_repeat=True)

    def for_student(self) -> Submission:
        """Return what its student may see: no points before they are released, no staff's name."""
        seen = replace(
            self,
            counts=self.counts_for_student,
            collected_by=None if self.collected_by is None else STAFF,
        )
        if self.released_at is not None:
            return seen
        return replace(
            seen,
            points=None,
            max_points=None,
            needs_review=False,
            unsealed_points=0.0,
            penalty=0.0,
            extra_credit=0.0,
            hint_deduction=0.0,
        )
