"""What a student thinks of an own answer, level by level of its rubric."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from jupyter_ppo.domain.entries import Criterion
from jupyter_ppo.domain.errors import InvalidInputError


@dataclass(frozen=True, slots=True)
class SelfCheck:
    """Which level of each criterion they think they reached; it gives no points."""

    levels: Mapping[str, str] = field(default_factory=dict)
    revision: int = 0
    at: datetime | None = None


def checked_levels(rubric: Sequence[Criterion], levels: Mapping[str, str]) -> dict[str, str]:
    """Return the levels in the rubric's order; criteria may be left out.

    Raises ``InvalidInputError`` naming the criterion or level that there is not.
    """
    known = {criterion.name: [level.name for level in criterion.levels] for criterion in rubric}
    for criterion, level in levels.items():
        if criterion not in known:
            msg = f"levels: there is no criterion {criterion[:80]!r}. Use {', '.join(known)}."
            raise InvalidInputError(msg, field="levels")
        if level not in known[criterion]:
            names = ", ".join(known[criterion])
            msg = f"levels.{criterion}: {level[:80]!r} is no level. Use {names}."
            raise InvalidInputError(msg, field=f"levels.{criterion}")
    return {name: levels[name] for name in known if name in levels}
