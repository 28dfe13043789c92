"""A chapter of the course, as its notebook describes itself: goals, exercises, questions.

The notebook is the only place where these are written; a quiz, a progress view and the tables of
the documentation read them from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from jupyter_ppo.domain.entries import Criterion


class Tier(StrEnum):
    """How a check looks at an answer, from the first look to the last doubt."""

    SHAPE = "shape"  # shapes, types, inputs left alone
    HAND = "hand"  # a case worked out by hand
    RANDOM = "random"  # random inputs against another formulation
    PROPERTY = "property"  # what must hold for any input


class QuestionKind(StrEnum):
    """What an answer to a question of a quiz is."""

    ONE = "one"  # one option
    SEVERAL = "several"  # all options that are right, and no other
    NUMBER = "number"


@dataclass(frozen=True, slots=True)
class Option:
    """Something to choose; ``why`` says why it is right or wrong, and is told afterwards."""

    id: str
    text: str
    why: str


@dataclass(frozen=True, slots=True)
class Question:
    """A question of a quiz, with its answer: never shown to students before they have answered.

    ``options`` and ``answer`` (ids of options) belong to ONE and SEVERAL; ``number``, the absolute
    ``tolerance`` and ``why`` to NUMBER.
    """

    id: str
    kind: QuestionKind
    prompt: str  # Markdown
    goals: tuple[str, ...]
    points: float
    options: tuple[Option, ...] = ()
    answer: tuple[str, ...] = ()
    number: float = 0.0
    tolerance: float = 0.0
    why: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """A test cell of an exercise."""

    grade_id: str
    tier: Tier
    points: float


@dataclass(frozen=True, slots=True)
class Practice:
    """An exercise: what is to be written, what is learnt by it, and how it is checked."""

    grade_id: str
    signature: str
    goals: tuple[str, ...]
    details: tuple[str, ...]  # keys of ``domain.details``
    checks: tuple[Check, ...]

    @property
    def points(self) -> float:
        """The points of all its checks."""
        return sum(check.points for check in self.checks)


@dataclass(frozen=True, slots=True)
class FreeText:
    """A question that a person marks by a rubric."""

    grade_id: str
    goals: tuple[str, ...]
    rubric: tuple[Criterion, ...]

    @property
    def points(self) -> float:
        """The points of the best level of every criterion."""
        return sum(criterion.max_points for criterion in self.rubric)


@dataclass(frozen=True, slots=True)
class Chapter:
    """A notebook of the course."""

    number: int
    title: str
    minutes: int  # about how long it takes to work through
    goals: Mapping[str, str]  # id -> what one can do afterwards
    exercises: tuple[Practice, ...]
    questions: tuple[Question, ...]
    free_texts: tuple[FreeText, ...]
    explained: frozenset[str]  # details that a text explains
    ablated: frozenset[str]  # details whose ablation is shown
    experiments: int  # interactive experiments

    @property
    def practised(self) -> frozenset[str]:
        """The details that a graded exercise practises."""
        return frozenset(detail for exercise in self.exercises for detail in exercise.details)
