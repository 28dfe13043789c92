"""The questions that students' hints and explanations put to a model, and who wrote an answer."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from jupyter_ppo.domain.courses import Assignment
from jupyter_ppo.domain.hint_ladder import FailingCheck, HintSubject
from jupyter_ppo.domain.tutoring import (
    ExplanationKind,
    HintLevel,
    HintSource,
    ModelAbout,
    Purpose,
)
from jupyter_ppo.services.model_calls import Composed, Question
from jupyter_ppo.services.model_words import Bounds, Check
from jupyter_ppo.tutor import explain_prompt as explaining
from jupyter_ppo.tutor import hint_prompt as hinting
from jupyter_ppo.tutor.fencing import new_canary, new_fence
from jupyter_ppo.tutor.leak_guard import leaks

HINT_BOUNDS = Bounds(hinting.LEAST_WORDS, hinting.MOST_WORDS)
EXPLANATION_BOUNDS = Bounds(explaining.LEAST_WORDS, explaining.MOST_WORDS)
_BY_AUTHOR = "Written by the course's author. No language model is involved."
_BY_RULES = "Made by rules. No language model is involved."


@dataclass(frozen=True, slots=True)
class Asking:
    """A question, and the check that its answer has to pass."""

    question: Question
    check: Check


@dataclass(frozen=True, slots=True)
class Explained:
    """What rules say of an error, a cell or a run.

    ``texts`` are what people wrote; ``subject`` is what is kept of the question.
    """

    kind: ExplanationKind
    text: str
    facts: tuple[str, ...]
    texts: Mapping[str, str]
    subject: Mapping[str, Any] = field(default_factory=dict)


def hint_asking(
    subject: HintSubject,
    level: HintLevel,
    answer: str,
    failing: FailingCheck | None,
    *,
    assignment: Assignment,
    user: str,
) -> Asking:
    """Return what a model is asked for a hint; the reference is in the check only."""
    fence, canary = new_fence(), new_canary()
    seen = failing or FailingCheck()
    texts = {
        "attempt": answer,
        "failing_check": seen.check,
        "error_type": seen.error_type,
        "message": seen.message,
        "traceback": seen.traceback,
    }

    def compose(redacted: Mapping[str, str]) -> Composed:
        prompt = hinting.hint_prompt(subject, level, redacted, fence=fence, canary=canary)
        return Composed(prompt.system, prompt.user, hinting.MAX_TOKENS)

    question = Question(
        course_id=assignment.course_id,
        assignment_id=assignment.id,
        grade_id=subject.grade_id,
        user=user,
        asked_by=user,
        purpose=Purpose.HINT,
        template=hinting.TEMPLATE,
        template_version=hinting.VERSION,
        texts=texts,
        compose=compose,
        depends_on=(level, assignment.version.source_digest, subject.grade_id),
    )
    return Asking(question, _check((subject.reference,), f"{subject.skeleton}\n{answer}"))


def explanation_asking(
    explained: Explained,
    references: Sequence[str],
    *,
    course_id: UUID,
    assignment: Assignment | None,
    user: str,
) -> Asking:
    """Return what a model is asked for an explanation; ``references`` are in the check only."""
    fence, canary = new_fence(), new_canary()

    def compose(redacted: Mapping[str, str]) -> Composed:
        prompt = explaining.explain_prompt(
            explained.kind, explained.facts, explained.text, redacted, fence=fence, canary=canary
        )
        return Composed(prompt.system, prompt.user, explaining.MAX_TOKENS)

    facts = hashlib.sha256("\n".join((*explained.facts, explained.text)).encode()).hexdigest()
    question = Question(
        course_id=course_id,
        assignment_id=None if assignment is None else assignment.id,
        user=user,
        asked_by=user,
        purpose=Purpose.EXPLANATION,
        template=explaining.TEMPLATE,
        template_version=explaining.VERSION,
        texts=explained.texts,
        compose=compose,
        depends_on=(explained.kind, facts),
    )
    return Asking(question, _check(references, explained.texts.get("code", "")))


def said_by(source: HintSource, model: str, about: ModelAbout | None) -> str:
    """Return the sentence on who wrote it, for the reader."""
    if source is HintSource.AUTHORED:
        return _BY_AUTHOR
    if source is HintSource.RULE:
        return _BY_RULES
    at = "" if about is None or about.model != model else f" at {about.host}"
    return f"Written by the language model {model}{at}; it may be wrong."


def _check(references: Sequence[str], given: str) -> Check:
    def check(text: str) -> str | None:
        for reference in references or ("",):
            found = leaks(text, reference, given)
            if found is not None:
                return found
        return None

    return check
