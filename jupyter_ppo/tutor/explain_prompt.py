"""What a model is asked when it explains an error, a cell or a training run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from jupyter_ppo.domain.tutoring import ExplanationKind
from jupyter_ppo.tutor.fencing import as_json, fenced
from jupyter_ppo.tutor.hint_prompt import RULES, Prompt

TEMPLATE, VERSION = "explanation", 1
LEAST_WORDS, MOST_WORDS = 80, 160
MAX_TOKENS = 600

_TASKS = {
    ExplanationKind.ERROR: (
        "A student's cell ended with an error. Explain what the error means here, which line and "
        "which values to look at, and what to find out next. Do not repair the code."
    ),
    ExplanationKind.CELL: (
        "A student asks what a cell does. Explain what goes in, what happens and what comes out, "
        "in the order in which it happens. If something in it looks unusual, ask about it."
    ),
    ExplanationKind.RUN: (
        "A student asks about a training run of PPO. Explain what happened around the update, from "
        "the figures below and from nothing else: every number that you say must be among them. "
        "Say which causes they support and which they do not, and one thing to try first. If the "
        "figures do not tell, say so."
    ),
}


def explain_prompt(
    kind: ExplanationKind,
    facts: Sequence[str],
    findings: str,
    texts: Mapping[str, str],
    *,
    fence: str,
    canary: str,
) -> Prompt:
    """Return the prompt for an explanation.

    ``facts`` and ``findings`` are what rules found; of an error or a cell they quote the student
    and go with the ``texts``, which are redacted already.
    """
    parts = ["You are a tutor of a course on reinforcement learning.", _TASKS[kind]]
    if kind is ExplanationKind.RUN:
        parts.append(f"The figures: {as_json(list(facts))}")
        parts.append(f"What rules make of them: {as_json(findings)}")
    parts.append(RULES.format(least=LEAST_WORDS, most=MOST_WORDS, fence=fence, canary=canary))
    return Prompt("\n\n".join(parts), fenced(texts, fence))
