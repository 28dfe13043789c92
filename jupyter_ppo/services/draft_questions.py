"""Samples of a draft as questions to the gate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from jupyter_ppo.domain.tutoring import Purpose
from jupyter_ppo.services.judged_answers import JudgedAnswer
from jupyter_ppo.services.model_calls import Composed, Question
from jupyter_ppo.tutor.draft_prompt import TEMPLATE, DraftPrompt, compose_draft, repair_draft
from jupyter_ppo.tutor.fencing import new_canary
from jupyter_ppo.tutor.templates import REPAIR


@dataclass(frozen=True, slots=True)
class Broken:
    """An answer that broke rules: what the model wrote, and what was wrong with it."""

    raw: str
    problems: tuple[str, ...]


def draft_question(
    answer: JudgedAnswer,
    *,
    asked_by: str,
    sample: int,
    batch_id: UUID | None = None,
    broken: Broken | None = None,
) -> Question:
    """Return the question of one sample, or its repair after an answer that was ``broken``.

    ``batch_id`` is the batch that pays for it.
    """
    canary = new_canary()
    submission, asked = answer.submission, answer.question

    def compose(texts: Mapping[str, str]) -> Composed:
        prompt = compose_draft(
            asked.text, asked.rubric, texts["answer"], seed=sample, canary=canary
        )
        if broken is not None:
            prompt = repair_draft(prompt, broken.problems)
        return _composed(prompt)

    template = TEMPLATE if broken is None else REPAIR
    return Question(
        course_id=submission.course_id,
        user=submission.user,
        asked_by=asked_by,
        purpose=Purpose.DRAFT if broken is None else Purpose.REPAIR,
        template=template.id,
        template_version=template.version,
        texts={"answer": answer.text},
        compose=compose,
        assignment_id=submission.assignment_id,
        submission_id=submission.id,
        grade_id=asked.grade_id,
        depends_on=(
            asked.rubric_digest,
            asked.text,
            *(() if broken is None else (broken.raw, *broken.problems)),
        ),
        sample=sample,
        batch_id=batch_id,
    )


def _composed(prompt: DraftPrompt) -> Composed:
    return Composed(
        system=prompt.system,
        user=prompt.user,
        max_tokens=prompt.max_tokens,
        temperature=prompt.temperature,
        schema=prompt.schema,
        schema_name=prompt.schema_name,
    )
