"""What people say of exercises, and the history of every grade."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from jupyter_ppo.domain.errors import InvalidInputError

MAX_COMMENT = 20_000
_MAX_POINTS = 1_000_000.0


@dataclass(frozen=True, slots=True)
class Mark:
    """What a person says of one exercise of one submission; it outlives every regrade.

    ``points`` stand in the place of the automatic ones; None leaves those. ``extra_credit`` is
    added to either and may go over the maximum, or take off if negative. ``auto_points`` is what
    the tests had given when it was written, so that a later change of theirs can be shown.
    ``revision`` grows with every change: who saves names the one they saw (0: none).
    ``is_drafted``: a program drafted its words, and a person approved them.
    """

    points: float | None
    extra_credit: float = 0.0
    comment: str = ""
    revision: int = 0
    marked_by: str = ""
    marked_at: datetime | None = None
    auto_points: float | None = None
    is_drafted: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether it says nothing: writing such a mark takes the earlier one away."""
        return self.points is None and not self.extra_credit and not self.comment

    def says_the_same(self, other: Mark) -> bool:
        """Whether both give the same points, extra credit and comment."""
        return self.data() == other.data()

    def data(self) -> dict[str, Any]:
        """Return what it says, as the history keeps it."""
        return {
            "points": self.points,
            "extra_credit": self.extra_credit,
            "comment": self.comment,
        }

    def shown(self) -> dict[str, Any]:
        """Return it as plain data in the shape that it is answered in."""
        at = self.marked_at
        return {
            **self.data(),
            "revision": self.revision,
            "marked_by": self.marked_by or None,
            "marked_at": None if at is None else at.isoformat(),
            "drafted": self.is_drafted,
        }

    def checked(self, max_points: float) -> Mark:
        """Return the mark if it can be given; raise ``InvalidInputError`` naming the part."""
        if self.points is not None and not 0 <= self.points <= max_points:
            msg = (
                f"points: {self.points:g} is not within 0 and {max_points:g}. "
                "What goes beyond is extra_credit."
            )
            raise InvalidInputError(msg, field="points")
        if not math.isfinite(self.extra_credit) or abs(self.extra_credit) > _MAX_POINTS:
            msg = f"extra_credit: use a number within {-_MAX_POINTS:g} and {_MAX_POINTS:g}."
            raise InvalidInputError(msg, field="extra_credit")
        if len(self.comment) > MAX_COMMENT:
            msg = f"comment: it has {len(self.comment):,} characters; use at most {MAX_COMMENT:,}."
            raise InvalidInputError(msg, field="comment")
        checked_text(self.comment, "comment")
        return self


def checked_text(text: str, field: str) -> str:
    """Return ``text`` if every database can keep it; raise ``InvalidInputError`` otherwise."""
    if "\0" in text or any(0xD800 <= ord(each) < 0xE000 for each in text):
        msg = f"{field}: it holds a NUL or half a character. Remove it."
        raise InvalidInputError(msg, field=field)
    return text


class GradeChangeKind(StrEnum):
    """Why a grade changed."""

    AUTOGRADED = "autograded"
    MARKED = "marked"
    OUTCOME = "outcome"  # the outcome of an entry was approved or changed
    LATENESS = "lateness"  # terms or extensions changed
    RELEASED = "released"
    WITHDRAWN = "withdrawn"
    IMPORTED = "imported"


@dataclass(frozen=True, slots=True)
class GradeChange:
    """One line of a submission's history; lines are added, never changed.

    ``by`` is a username, or empty for the autograder. ``grade_id`` is None for the whole
    submission. ``before`` and ``after`` are plain data: points, max_points, extra_credit, comment,
    version, penalty, as far as the kind has them.
    """

    id: UUID
    at: datetime
    submission_id: UUID
    grade_id: str | None
    kind: GradeChangeKind
    by: str
    reason: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None
