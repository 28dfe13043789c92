"""Runs that give no grade: a student validates, an author checks before a release."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID


class TrialKind(StrEnum):
    """What is tried."""

    VALIDATION = "validation"  # a student's notebook against the visible tests
    CHECK = "check"  # an author's source: solution, skeleton, sealing


class TrialState(StrEnum):
    """Where a trial is."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"  # our failure, or the server stopped: try again


@dataclass(frozen=True, slots=True)
class Trial:
    """One trial. ``result`` is plain data in the shape of its kind, None until DONE."""

    id: UUID
    course_id: UUID
    assignment: str
    user: str
    kind: TrialKind
    state: TrialState
    created_at: datetime
    ended_at: datetime | None = None
    result: Mapping[str, Any] | None = None
    error: str | None = None
