"""Many submissions graded together: progress, and what changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class BatchScope(StrEnum):
    """Which submissions of an assignment a batch takes; of each student the attempt that counts."""

    ALL = "all"
    UNGRADED = "ungraded"  # submitted, never graded
    FAILED = "failed"
    LISTED = "listed"  # those that are named


class BatchItemState(StrEnum):
    """Where one submission of a batch is."""

    WAITING = "waiting"
    GRADING = "grading"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a submission scored at one moment: the whole, and each exercise by its grade_id."""

    version_number: int
    points: float
    max_points: float
    exercises: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class BatchItem:
    """One submission of a batch; ``before`` is None when it had no grade, ``after`` until it has.

    ``position`` is its place in the queue, 1 for the next, None when it does not wait.
    """

    submission_id: UUID
    user: str
    attempt: int
    state: BatchItemState
    before: Snapshot | None
    after: Snapshot | None
    error: str | None = None
    position: int | None = None


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch and how far it is. ``version_number`` is what all were put on, None: each its own."""

    id: UUID
    course_id: UUID
    course_name: str
    assignment_name: str
    created_by: str
    created_at: datetime
    reason: str
    scope: BatchScope
    version_number: int | None
    cancelled_at: datetime | None
    counts: Mapping[BatchItemState, int]

    @property
    def total(self) -> int:
        """How many submissions it has."""
        return sum(self.counts.values())

    @property
    def is_over(self) -> bool:
        """Whether nothing of it waits or is being graded."""
        under_way = (BatchItemState.WAITING, BatchItemState.GRADING)
        return not any(self.counts.get(state, 0) for state in under_way)
