"""What is stored beside a draft: batches, their leases, calibration marks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from jupyter_ppo.domain.tutoring import BatchState, ItemState


@dataclass(frozen=True, slots=True)
class AnswerKey:
    """One answer of the attempt of ``user`` that counts; ``grade_id`` is "" for an entry."""

    submission_id: UUID
    user: str
    grade_id: str


@dataclass(frozen=True, slots=True)
class DraftBatch:
    """Answers that are drafted together; ``grade_id`` None means every answer with a rubric.

    ``estimate`` is what was shown before it began. ``message`` says why it stopped, and what to do.
    """

    id: UUID
    course_id: UUID
    assignment_id: UUID
    grade_id: str | None
    created_by: str
    created_at: datetime
    state: BatchState
    samples: int
    estimate: Mapping[str, Any]
    for_calibration: bool
    message: str
    revision: int
    counts: Mapping[ItemState, int]

    @property
    def total(self) -> int:
        """How many answers it has."""
        return sum(self.counts.values())


@dataclass(frozen=True, slots=True)
class DraftLease:
    """One answer of a batch that a worker holds; ``fence`` grows with every lease of it."""

    batch_id: UUID
    submission_id: UUID
    grade_id: str
    course_id: UUID
    assignment_id: UUID
    created_by: str
    samples: int
    for_calibration: bool
    tries: int
    fence: int


@dataclass(frozen=True, slots=True)
class CalibrationMark:
    """The levels that a person chose for an answer, to compare drafts with."""

    submission_id: UUID
    grade_id: str
    assignment_id: UUID
    levels: Mapping[str, str]
    marked_by: str
    marked_at: datetime
