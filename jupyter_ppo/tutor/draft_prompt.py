"""What a model is asked when it drafts the judgement of one answer.

The rubric, with the notes for the staff, is in the system part only; the answer is data.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from jupyter_ppo.domain.entries import Criterion
from jupyter_ppo.tutor.draft_reading import LEAST_EVIDENCE, MOST_EVIDENCE, MOST_REASON
from jupyter_ppo.tutor.fencing import as_json, fenced, new_fence
from jupyter_ppo.tutor.templates import DRAFT, REPAIR

TEMPLATE = DRAFT
TEMPERATURE = 0.2
#: Tokens of the answer: the JSON around, and a reason and a quote for each criterion.
_TOKENS, _TOKENS_EACH = 200, 500
#: Characters of an answer that are sent; a longer one goes to people (``Flag.TOO_LONG``).
MOST_ANSWER = 40_000


@dataclass(frozen=True, slots=True)
class DraftPrompt:
    """A question to a model, and the JSON Schema that its answer has to follow."""

    system: str
    user: str
    max_tokens: int
    temperature: float
    schema: Mapping[str, Any]
    schema_name: str = "draft"


def compose_draft(
    question: str, rubric: Sequence[Criterion], answer: str, *, seed: int, canary: str
) -> DraftPrompt:
    """Return the prompt for one sample; ``answer`` is redacted already.

    ``seed`` shuffles the criteria, so that their order does not decide.
    """
    fence = new_fence()
    shuffled = list(rubric)
    random.Random(seed).shuffle(shuffled)  # noqa: S311 - an order, nothing to guard
    system = DRAFT.system.format(
        question=as_json(question),
        criteria="\n".join(as_json(_told(each)) for each in shuffled),
        fence=fence,
        least=LEAST_EVIDENCE,
        most=MOST_EVIDENCE,
        reason=MOST_REASON,
        canary=canary,
    )
    return DraftPrompt(
        system=system,
        user=fenced({"answer": answer}, fence),
        max_tokens=_TOKENS + _TOKENS_EACH * len(shuffled),
        temperature=TEMPERATURE,
        schema=draft_schema(shuffled),
    )


def repair_draft(prompt: DraftPrompt, problems: Sequence[str]) -> DraftPrompt:
    """Return the prompt once more with what was wrong.

    What the model wrote before does not go back: it may repeat what the answer told it to say.
    """
    words = REPAIR.system.format(problems="\n".join(f"- {as_json(each)}" for each in problems))
    return replace(prompt, system=f"{prompt.system}\n\n{words}")


def draft_schema(rubric: Sequence[Criterion]) -> dict[str, Any]:
    """Return the JSON Schema of an answer: each criterion with the names of its own levels."""
    each = [
        {
            "type": "object",
            "properties": {
                "criterion": {"const": criterion.name},
                "level": {"enum": [level.name for level in criterion.levels]},
                "reason": {"type": "string"},
                "evidence": {"type": "string"},
            },
            "required": ["criterion", "level", "reason", "evidence"],
            "additionalProperties": False,
        }
        for criterion in rubric
    ]
    return {
        "type": "object",
        "properties": {"results": {"type": "array", "items": {"anyOf": each}}},
        "required": ["results"],
        "additionalProperties": False,
    }


def _told(criterion: Criterion) -> dict[str, Any]:
    told: dict[str, Any] = {"criterion": criterion.name, "title": criterion.title}
    if criterion.description:
        told["description"] = criterion.description
    if criterion.note:
        told["note"] = criterion.note
    levels = sorted(criterion.levels, key=lambda level: level.points)
    told["levels"] = [
        {"name": level.name, "points": level.points, "description": level.description}
        for level in levels
    ]
    return told
