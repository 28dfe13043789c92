"""Marking by hand: what waits, whose it is under a pseudonym, what there is to read."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from jupyter_ppo.domain.courses import CellKind
from jupyter_ppo.domain.grading import ExerciseGrade

_SHORTEST = 4


class MarkingState(StrEnum):
    """Which answers are listed."""

    WAITING = "waiting"  # a person has to give points, or gave more than there are by now
    MARKED = "marked"  # a person has
    ALL = "all"


@dataclass(frozen=True, slots=True)
class MarkingTotal:
    """One exercise that people have to look at, and how far they are; ``max_points`` is the most.

    ``total`` counts the students with a graded attempt, each once.
    """

    assignment: str
    grade_id: str
    kind: CellKind
    max_points: float
    waiting: int
    marked: int
    total: int


@dataclass(frozen=True, slots=True)
class MarkingKey:
    """One student's exercise in the attempt that counts; ``place`` is the exercise's, from 0."""

    submission_id: UUID
    user: str
    grade_id: str
    place: int


@dataclass(frozen=True, slots=True)
class MarkingItem:
    """One student's exercise in the attempt that counts; ``who`` is a pseudonym or a username."""

    submission_id: UUID
    who: str
    exercise: ExerciseGrade


@dataclass(frozen=True, slots=True)
class AnswerView:
    """What there is to read of one exercise; both pieces of HTML are sanitised.

    ``scheme`` is for the staff only: the mark scheme, or the author's own answer.
    """

    grade_id: str
    kind: CellKind
    prompt_html: str
    answer_html: str
    answer_text: str
    scheme: str


def pseudonyms(secret: bytes, assignment_id: UUID, users: Collection[str]) -> dict[str, str]:
    """Return what each of ``users`` is called while an assignment is marked: ``Student 7F3A``.

    HMAC-SHA-256 (RFC 2104) with the course's ``secret`` as key, cut to the first four hexadecimal
    digits; those who would share a name get as many more as tell them apart. Without the secret
    nobody can tell who it is, and in another assignment they are called otherwise.
    """
    left = {
        user: hmac.digest(secret, assignment_id.bytes + user.encode(), hashlib.sha256).hex().upper()
        for user in users
    }
    named: dict[str, str] = {}
    length = _SHORTEST
    while left:
        sharing: dict[str, list[str]] = {}
        for user, digits in left.items():
            sharing.setdefault(digits[:length], []).append(user)
        for start, those in sharing.items():
            if len(those) == 1 or length >= hashlib.sha256().digest_size * 2:
                named |= dict.fromkeys(those, f"Student {start}")
        left = {user: digits for user, digits in left.items() if user not in named}
        length += 1
    return named
