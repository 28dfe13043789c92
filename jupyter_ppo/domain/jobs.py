"""Jobs: work that is leased, renewed, and done once although workers die."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class JobState(StrEnum):
    """Where a job is."""

    QUEUED = "queued"
    LEASED = "leased"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"  # by a person; what it held is dropped, the submission is kept


#: How often a job is tried before it ends as FAILED.
MAX_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to work on a job until ``expires_at``.

    ``fence`` grows with every lease of the job; each write under an older fence is refused with
    ``LeaseLostError``. ``attempt`` counts from 1.
    """

    job_id: UUID
    submission_id: UUID
    worker: str
    fence: int
    attempt: int
    expires_at: datetime

    @property
    def is_last_attempt(self) -> bool:
        """Whether a failure now is final."""
        return self.attempt >= MAX_ATTEMPTS
