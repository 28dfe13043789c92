"""Every prompt of ours as it is sent, with examples in it, under the id and version of its words.

``python tests/tutor/prompt_record.py`` writes those that are not in docs/prompts yet; what is there
is never written again, so that calls of earlier versions can be read with their words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from jupyter_ppo.domain.chapters import Tier
from jupyter_ppo.domain.entries import Criterion, Level
from jupyter_ppo.domain.hint_ladder import HintSubject, SubjectCheck
from jupyter_ppo.domain.tutoring import ExplanationKind, HintLevel
from jupyter_ppo.tutor import explain_prompt, hint_prompt
from jupyter_ppo.tutor.draft_prompt import compose_draft, repair_draft
from jupyter_ppo.tutor.templates import DRAFT, REPAIR

FOLDER = Path(__file__).parents[2] / "docs" / "prompts"
_FENCE, _CANARY = "====DATA-(32 random digits)====", "mark-(16 random digits)"
_SUBJECT = HintSubject(
    grade_id="mean",
    title="(the title of the exercise)",
    question="(the text before the exercise)",
    signature="(what the answer cell defines)",
    goals=("(a goal of the chapter)",),
    skeleton="",
    reference="(the solution: never sent)",
    checks=(SubjectCheck("t", Tier.HAND, 1, "(a visible check)"),),
    authored=None,
    may_ask_model=True,
)
_RUBRIC = (
    Criterion(
        "(criterion)",
        "(its title)",
        (Level("(least level)", 0), Level("(best level)", 1)),
        note="(its note for the staff)",
    ),
)


def prompts() -> Iterator[tuple[str, int, str]]:
    """Yield the id, the version and all the words of every prompt."""
    hints = (
        _parts(level.value, hint_prompt.hint_prompt(_SUBJECT, level, _HINT, **_SECRETS))
        for level in HintLevel
    )
    yield hint_prompt.TEMPLATE, hint_prompt.VERSION, "\n".join((*hints, _AGAIN))
    explanations = (
        _parts(
            kind.value,
            explain_prompt.explain_prompt(kind, ["(a figure)"], "(findings)", _CODE, **_SECRETS),
        )
        for kind in ExplanationKind
    )
    yield explain_prompt.TEMPLATE, explain_prompt.VERSION, "\n".join((*explanations, _AGAIN))
    draft = compose_draft("(the question)", _RUBRIC, "(the answer)", seed=1, canary=_CANARY)
    yield DRAFT.id, DRAFT.version, _same_fence(_parts("draft", draft))
    repair = repair_draft(draft, ["(what was wrong)"])
    yield REPAIR.id, REPAIR.version, _same_fence(_parts("repair", repair))


def path_of(template: str, version: int) -> Path:
    """Return where the words of a version are kept."""
    return FOLDER / f"{template}-{version}.txt"


_SECRETS = {"fence": _FENCE, "canary": _CANARY}
_AGAIN = f"#### asked once more: added to the system part\n\n{hint_prompt.AGAIN}\n"
_HINT = {"attempt": "(the answer cell)", "failing_check": "(what failed)"}
_CODE = {"code": "(the cell)"}


def _parts(name: str, prompt: hint_prompt.Prompt | object) -> str:
    system, user = getattr(prompt, "system", ""), getattr(prompt, "user", "")
    return f"#### {name}: system\n\n{system}\n\n#### {name}: user\n\n{user}\n"


def _same_fence(text: str) -> str:
    return re.sub(r"====DATA-[0-9a-f]{32}====", _FENCE, text)


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for template, version, words in prompts():
        path = path_of(template, version)
        if not path.exists():
            path.write_text(words, encoding="utf-8")
            print(f"wrote {path}")
