"""A question to a language model, on its way from a use case to an answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from jupyter_ppo.domain.tutoring import ModelAnswer, ModelCall, ModelRequest, Purpose
from jupyter_ppo.tutor.fencing import canary_of
from jupyter_ppo.tutor.redaction import restore


@dataclass(frozen=True, slots=True)
class Composed:
    """A prompt: ``system`` is ours, ``user`` holds people's redacted words as data."""

    system: str
    user: str
    max_tokens: int
    temperature: float = 0.2
    schema: Mapping[str, Any] | None = None
    schema_name: str = "answer"


@dataclass(frozen=True, slots=True)
class Question:
    """What a use case wants to know.

    ``texts`` is everything that people wrote, by name; ``compose`` makes the prompt of them after
    they were redacted. ``depends_on`` is what else the answer rests on, such as a rubric's digest;
    the same question of the same ``sample`` is answered from the cache.
    """

    course_id: UUID
    user: str
    asked_by: str
    purpose: Purpose
    template: str
    template_version: int
    texts: Mapping[str, str]
    compose: Callable[[Mapping[str, str]], Composed]
    assignment_id: UUID | None = None
    submission_id: UUID | None = None
    grade_id: str = ""
    depends_on: tuple[str, ...] = ()
    sample: int = 0
    flags: tuple[str, ...] = ()
    batch_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Prepared:
    """A question as it would be sent; ``reserved`` is the most it can cost, in picodollars."""

    question: Question
    request: ModelRequest
    texts: Mapping[str, str]
    placeholders: Mapping[str, str] = field(repr=False)
    cache_key: str
    reserved: int
    cached: ModelCall | None

    @property
    def canary(self) -> str:
        """The secret mark of the prompt that was really sent: an earlier one for a kept answer."""
        if self.cached is None:
            return canary_of(self.request.system)
        sent = (part["text"] for part in self.cached.new.prompt if part["role"] == "system")
        return canary_of("\n".join(sent))

    @property
    def is_cached(self) -> bool:
        """Whether it costs nothing, because it was answered before."""
        return self.cached is not None

    @property
    def cost_at_most(self) -> int:
        """The most that asking costs, in picodollars."""
        return 0 if self.is_cached else self.reserved

    def restore(self, text: str) -> str:
        """Put back what placeholders in ``text`` stand for."""
        return restore(text, self.placeholders)


@dataclass(frozen=True, slots=True)
class Asked:
    """An answer, as the model wrote it; ``texts`` are what it was asked about, as it saw them.

    ``canary`` is the secret mark of the prompt that it answers, which must not be in it.
    """

    call_id: UUID
    answer: ModelAnswer
    is_cached: bool
    texts: Mapping[str, str]
    placeholders: Mapping[str, str] = field(repr=False)
    canary: str = field(repr=False)

    def restore(self, text: str) -> str:
        """Put back what placeholders in ``text`` stand for."""
        return restore(text, self.placeholders)
