"""A course's leaderboard: who joins it goes by a pseudonym, and the best mean return counts."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from jupyter_ppo.domain.errors import InvalidInputError

_SHORTEST, _LONGEST = 3, 40


@dataclass(frozen=True, slots=True)
class LeaderboardMember:
    """A person who joined a course's leaderboard, and the name that everybody sees there."""

    course_id: UUID
    user: str
    pseudonym: str
    joined_at: datetime


@dataclass(frozen=True, slots=True)
class PolicyResult:
    """What a policy of a member's reached in one examination.

    ``mean`` is the mean undiscounted return of ``episodes`` episodes, ``low`` to ``high`` its 95 %
    confidence interval.
    """

    user: str
    pseudonym: str
    assignment: str
    env_id: str
    mean: float
    low: float
    high: float
    episodes: int


@dataclass(frozen=True, slots=True)
class LeaderboardEntry:
    """A member's best result in one environment of one assignment.

    ``rank`` counts from 1 among those of the same assignment and environment; equal means share it,
    and the next one is as far down as there are better ones.
    """

    rank: int
    result: PolicyResult


def ranked(results: Iterable[PolicyResult]) -> tuple[LeaderboardEntry, ...]:
    """Return each person's best result, by assignment, environment and rank."""
    best: dict[tuple[str, str, str], PolicyResult] = {}
    for result in results:
        key = (result.assignment, result.env_id, result.user)
        if key not in best or best[key].mean < result.mean:
            best[key] = result
    ordered = sorted(
        best.values(), key=lambda each: (each.assignment, each.env_id, -each.mean, each.pseudonym)
    )
    entries: list[LeaderboardEntry] = []
    place = 0
    for result in ordered:
        before = entries[-1] if entries else None
        if before is None or not _same_board(before.result, result):
            place, before = 0, None
        place += 1
        is_tie = before is not None and before.result.mean == result.mean
        entries.append(LeaderboardEntry(before.rank if before and is_tie else place, result))
    return tuple(entries)


def _same_board(one: PolicyResult, other: PolicyResult) -> bool:
    return (one.assignment, one.env_id) == (other.assignment, other.env_id)


def checked_pseudonym(text: str) -> str:
    """Return ``text`` in Unicode's composed form if it may be a pseudonym.

    Raises ``InvalidInputError`` (field ``pseudonym``) otherwise.
    """
    name = unicodedata.normalize("NFC", text[: 4 * _LONGEST])
    if not _SHORTEST <= len(name) <= _LONGEST or not name.isprintable() or name != name.strip():
        msg = (
            f"pseudonym: {text[:_LONGEST]!r} cannot be one. Use {_SHORTEST} to {_LONGEST} "
            "printable characters without a blank at either end."
        )
        raise InvalidInputError(msg, field="pseudonym")
    return name


def folded(name: str) -> str:
    """Return what two names share that people would take for the same (case, widths, blanks)."""
    return "".join(unicodedata.normalize("NFKC", name).casefold().split())
