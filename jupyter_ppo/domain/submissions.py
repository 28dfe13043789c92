"""Submissions and the states they go through."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from jupyter_ppo.domain.errors import ConflictError


class SubmissionState(StrEnum):
    """Where a submission is on its way to a grade."""

    QUEUED = "queued"
    GRADING = "grading"
    GRADED = "graded"
    FAILED = "failed"  # our failure, after every retry; it can be graded again


_LEGAL: dict[SubmissionState, frozenset[SubmissionState]] = {
    SubmissionState.QUEUED: frozenset({SubmissionState.GRADING, SubmissionState.FAILED}),
    SubmissionState.GRADING: frozenset(
        {SubmissionState.GRADED, SubmissionState.FAILED, SubmissionState.QUEUED}
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
    ``error`` says why a submission FAILED. ``points`` and ``max_points`` are None until graded;
    ``unsealed_points`` are those of them that tests in the student's own process gave.
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
