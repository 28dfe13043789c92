"""What several samples of one draft have in common: the share of the majority is the confidence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from jupyter_ppo.domain.entries import Criterion
from jupyter_ppo.domain.tutoring import DraftResult, Flag
from jupyter_ppo.tutor.draft_reading import DraftReading, ReadResult


class Consensus(NamedTuple):
    """The results in the rubric's order, the least agreement of a criterion (0 to 1), and flags."""

    results: tuple[DraftResult, ...]
    agreement: float
    flags: tuple[Flag, ...]


def agree(readings: Sequence[DraftReading], rubric: Sequence[Criterion]) -> Consensus:
    """Return what the samples agree on: of each criterion the level that most of them chose.

    Of levels with the same votes the lower one counts. Reason and evidence are the first sample's
    that chose it. A sample that cannot be used chose nothing, and lowers the agreement. Without
    any usable sample there are no results.
    """
    flags = [flag for reading in readings for flag in reading.flags]
    usable = [reading for reading in readings if reading.is_usable]
    if len(usable) < len(readings) or not usable:
        flags.append(Flag.UNUSABLE)
    if not usable or not rubric:
        return Consensus((), 0.0, tuple(dict.fromkeys(flags)))
    results = tuple(_agreed(each, usable, len(readings)) for each in rubric)
    least = min(result.agreement for result in results)
    if any(len(result.votes) > 1 for result in results):
        flags.append(Flag.DISAGREEMENT)
    return Consensus(results, least, tuple(dict.fromkeys(flags)))


def _agreed(criterion: Criterion, usable: Sequence[DraftReading], samples: int) -> DraftResult:
    chosen: list[ReadResult] = [
        result
        for reading in usable
        for result in reading.results
        if result.criterion == criterion.name
    ]
    votes = Counter(result.level for result in chosen)
    order = sorted(criterion.levels, key=lambda level: level.points)
    most = max(votes.values())
    level = next(each for each in order if votes[each.name] == most)
    first = next(result for result in chosen if result.level == level.name)
    return DraftResult(
        criterion=criterion.name,
        level=level.name,
        points=level.points,
        reason=first.reason,
        evidence=first.evidence,
        agreement=votes[level.name] / samples,
        votes=dict(votes),
    )
