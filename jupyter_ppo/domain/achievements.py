"""Achievements: declarative rules over a student's evidence, in numbered editions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID


class CriterionKind(StrEnum):
    """What a rule may ask for. Each looks at released grades or at weeks with evidence only."""

    CHECKS = "checks"  # {"assignment": str, "grade_ids": [str, ...]}: all points in each
    EXERCISE = "exercise"  # {"assignment": str, "grade_id": str}: all points in an exercise
    CHAPTER = "chapter"  # {"assignment": str, "fraction": 0..1}: that part of its points
    CHAPTERS = "chapters"  # {"count": n}: that many chapters with all points
    CONCEPTS = "concepts"  # {"count": n} or {"keys": [str, ...]}: details shown
    WEEKS = "weeks"  # {"count": n}: weeks with evidence, in all (not in a row)


@dataclass(frozen=True, slots=True)
class AchievementCriterion:
    """One condition; ``data`` is as its kind says."""

    kind: CriterionKind
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class AchievementRule:
    """A rule: all criteria must hold. ``version`` grows with every change of the rule."""

    id: str
    version: int
    title: str
    description: str
    criteria: tuple[AchievementCriterion, ...]


@dataclass(frozen=True, slots=True)
class RuleEdition:
    """All rules of a course as they hold since ``created_at``; editions do not change.

    ``number`` 0 is what comes with the package, for courses without an edition of their own.
    """

    number: int
    rules: tuple[AchievementRule, ...]
    created_at: datetime | None = None
    created_by: str = ""


@dataclass(frozen=True, slots=True)
class AwardEvidence:
    """What an award rests on in one assignment: ``points`` by ``grade_id`` of a submission."""

    assignment: str
    submission_id: UUID
    points: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Award:
    """An achievement that a person has, and the evidence that it rests on.

    A grade that is taken back revokes it (``revoked_at``); a rule that changes does not, and
    neither does a new version of an assignment, as long as none of these points has fallen.
    """

    id: UUID
    course_id: UUID
    user: str
    rule: AchievementRule
    evidence: tuple[AwardEvidence, ...]
    awarded_at: datetime
    revoked_at: datetime | None = None
    revoked_because: str = ""


@dataclass(frozen=True, slots=True)
class AwardHolder:
    """An award with what its credential says beside it: the course's title, the person's e-mail.

    Both are empty where they are not known.
    """

    award: Award
    course: str
    email: str
