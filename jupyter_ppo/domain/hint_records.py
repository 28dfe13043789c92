"""Hints and explanations as they are kept: what was said, who wrote it, what it takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from jupyter_ppo.domain.tutoring import ExplanationKind, HintLevel, HintSource


@dataclass(frozen=True, slots=True)
class NewHint:
    """A hint before it is kept.

    ``model`` names the model, "" when none wrote it; ``call_id`` its call. ``cost_fraction`` is the
    share of the exercise's points that its level takes, as set when it was given.
    """

    course_id: UUID
    assignment_id: UUID
    user: str
    grade_id: str
    level: HintLevel
    source: HintSource
    model: str
    text: str
    attempt_digest: str
    call_id: UUID | None
    cost_fraction: float


@dataclass(frozen=True, slots=True)
class Hint:
    """A hint that was given."""

    id: UUID
    new: NewHint
    at: datetime

    @property
    def level(self) -> HintLevel:
        """Its level."""
        return self.new.level

    @property
    def attempt_digest(self) -> str:
        """The attempt that it was about."""
        return self.new.attempt_digest


@dataclass(frozen=True, slots=True)
class NewExplanation:
    """An explanation before it is kept; ``subject`` is what was asked, with the ``facts``."""

    course_id: UUID
    assignment_id: UUID | None
    user: str
    kind: ExplanationKind
    subject: Mapping[str, Any]
    source: HintSource
    model: str
    text: str
    call_id: UUID | None


@dataclass(frozen=True, slots=True)
class Explanation:
    """An explanation that was given."""

    id: UUID
    new: NewExplanation
    at: datetime
