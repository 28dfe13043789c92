"""The ladder of hints: which level comes next, and what a hint is about.

A level higher is reached only by another attempt at the exercise. What makes two texts the same
attempt is ``autograde.attempt_digest``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from jupyter_ppo.domain.chapters import Tier
from jupyter_ppo.domain.tutoring import HintLevel

#: The digest of an answer cell without code.
NO_ATTEMPT = ""

SWITCHED_OFF = "Hints are switched off for this assignment."
NOT_WANTED = "You switched hints off. Your preferences (hint level) switch them on again."
WRITE_FIRST = (
    "Write something of your own into the answer cell first, even if it is wrong. The next hint is "
    "about your attempt."
)


@dataclass(frozen=True, slots=True)
class AuthoredHints:
    """What the author of a notebook wrote for one exercise; plain text, no code."""

    concept: str
    location: str
    step: str

    def of(self, level: HintLevel) -> str:
        """Return the words for a level; "" for RESTATE, which no author writes."""
        words = {
            HintLevel.CONCEPT: self.concept,
            HintLevel.LOCATION: self.location,
            HintLevel.STEP: self.step,
        }
        return words.get(level, "")


@dataclass(frozen=True, slots=True)
class SubjectCheck:
    """A test cell of an exercise, as students see it; ``tier`` is None outside of chapters."""

    grade_id: str
    tier: Tier | None
    points: float
    text: str


@dataclass(frozen=True, slots=True)
class HintSubject:
    """An exercise as hints need it.

    ``reference`` is the author's solution: it guards what a model writes and never leaves the
    server. Everything else is in the students' copy, but for the goals and the author's hints.
    ``may_ask_model`` is False where the notebook says so.
    """

    grade_id: str
    title: str
    question: str
    signature: str
    goals: tuple[str, ...]
    skeleton: str
    reference: str
    checks: tuple[SubjectCheck, ...]
    authored: AuthoredHints | None
    may_ask_model: bool


@dataclass(frozen=True, slots=True)
class FailingCheck:
    """What a student saw fail: said by their browser or by a grade; not to be trusted.

    ``check`` names a test cell or one of its checks, all are plain text and may be empty.
    """

    check: str = ""
    error_type: str = ""
    message: str = ""
    traceback: str = ""

    @property
    def is_empty(self) -> bool:
        """Whether it says nothing."""
        return not any((self.check, self.error_type, self.message, self.traceback))


class Taken(Protocol):
    """A hint that was given."""

    @property
    def level(self) -> HintLevel:
        """Its level."""

    @property
    def attempt_digest(self) -> str:
        """The attempt that it was about."""


@dataclass(frozen=True, slots=True)
class NextHint:
    """What asking gives now: one hint ``again`` (its index), a new one of ``level``, or neither."""

    level: HintLevel | None = None
    again: int | None = None
    why_not: str = ""


def most_levels(hint_levels: int, wanted: int) -> int:
    """Return the highest level that there is for a person, 0 to 4.

    ``hint_levels`` is what the course allows, ``wanted`` what the person chose; 0 of either is no
    hint at all.
    """
    return max(0, min(hint_levels, wanted, len(HintLevel)))


def level_of(number: int) -> HintLevel:
    """Return the level with this number, 1 to 4."""
    return list(HintLevel)[number - 1]


def upcoming(taken: Sequence[Taken], most: int) -> HintLevel | None:
    """Return the level that the next new attempt gives; None when there are no hints."""
    if most < 1:
        return None
    highest = max((hint.level.number for hint in taken), default=0)
    return level_of(min(highest + 1, most))


def next_hint(taken: Sequence[Taken], digest: str, skeleton: str, most: int) -> NextHint:
    """Return what asking with the attempt ``digest`` gives.

    The same attempt gets its hint again. Otherwise it is one level more than the highest so far,
    at most ``most`` (0: there are no hints); from the second level on there has to be an attempt:
    some code, other than the ``skeleton`` that students were given.
    """
    level = upcoming(taken, most)
    if level is None:
        return NextHint(why_not=SWITCHED_OFF)
    for index, hint in enumerate(taken):
        if hint.attempt_digest == digest:
            return NextHint(level=hint.level, again=index)
    if level.number > 1 and digest in {NO_ATTEMPT, skeleton}:
        return NextHint(why_not=WRITE_FIRST)
    return NextHint(level=level)


def cost_of(level: HintLevel, costs: Sequence[float]) -> float:
    """Return the fraction of the exercise's points that a level costs, 0 to 1."""
    number = level.number - 1
    return costs[number] if number < len(costs) else 0.0
