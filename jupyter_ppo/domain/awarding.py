"""Who gets an achievement, keeps it, or loses it: pure decisions over a student's evidence."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from jupyter_ppo.domain.achievements import (
    AchievementCriterion,
    AchievementRule,
    Award,
    AwardEvidence,
    CriterionKind,
)
from jupyter_ppo.domain.evidence import TOLERANCE, Checks, CourseChecks, Evidence


@dataclass(frozen=True, slots=True)
class Met:
    """How much of what is asked for is there, in whole numbers; ``unit`` says of what."""

    met: int
    of: int
    unit: str = "criteria"

    @property
    def is_met(self) -> bool:
        """Whether all of it is there."""
        return self.met >= self.of


@dataclass(frozen=True, slots=True)
class Granted:
    """A rule that holds, and what it rests on; ``before`` is the person's revoked award of it."""

    rule: AchievementRule
    evidence: tuple[AwardEvidence, ...]
    before: Award | None = None


@dataclass(frozen=True, slots=True)
class Refreshed:
    """An award that is kept, and rests on other submissions or points now."""

    award: Award
    evidence: tuple[AwardEvidence, ...]


@dataclass(frozen=True, slots=True)
class Revoked:
    """An award that is lost, and why, for the student to read."""

    award: Award
    because: str


@dataclass(frozen=True, slots=True)
class Evaluation:
    """How many achievements were ``awarded`` (or came back) and ``revoked``."""

    awarded: int = 0
    revoked: int = 0


AwardChange = Granted | Refreshed | Revoked


def holds(criterion: AchievementCriterion, evidence: Evidence) -> Met:
    """Return how much of one criterion the evidence meets."""
    return _MEASURES[criterion.kind](criterion.data, evidence)


def met(rule: AchievementRule, evidence: Evidence) -> Met:
    """Return how much of a rule is met: of its only criterion, else how many of its criteria."""
    if len(rule.criteria) == 1:
        return holds(rule.criteria[0], evidence)
    held = sum(holds(each, evidence).is_met for each in rule.criteria)
    return Met(held, len(rule.criteria))


def rests_on(rule: AchievementRule, evidence: Evidence) -> tuple[AwardEvidence, ...]:
    """Return the points that the rule's criteria look at and that are there."""
    checks: dict[str, frozenset[str]] = defaultdict(frozenset)
    for criterion in rule.criteria:
        for assignment, grade_ids in _looked_at(criterion, evidence):
            checks[assignment] |= grade_ids
    return evidence.shown_by(checks)


def decide(
    rules: Iterable[AchievementRule], awards: Iterable[Award], evidence: Evidence
) -> list[AwardChange]:
    """Return what changes for one person, whose ``awards`` are all that they have or had.

    A rule that holds is granted. An award stays as long as the rule that it was earned under holds,
    or none of the points that it rests on has fallen; so neither another rule nor another version
    of an assignment takes one away. What was revoked comes back when the rule holds again, as it
    is now or as it was.
    """
    had = {award.rule.id: award for award in awards}
    changes: list[AwardChange] = []
    current = {rule.id: rule for rule in rules}
    for rule_id in [*current, *(rule_id for rule_id in had if rule_id not in current)]:
        award, rule = had.get(rule_id), current.get(rule_id)
        change = _decide(rule, award, evidence)
        if change is not None:
            changes.append(change)
    return changes


def unreachable(rule: AchievementRule, checks: CourseChecks) -> str | None:
    """Return what a rule asks for that the course does not have, None if it can be met."""
    reasons = (_missing(criterion, checks) for criterion in rule.criteria)
    return next((reason for reason in reasons if reason is not None), None)


def _decide(
    rule: AchievementRule | None, award: Award | None, evidence: Evidence
) -> AwardChange | None:
    if award is None:
        return _granted([rule], None, evidence)
    if award.revoked_at is not None:
        return _granted([rule, award.rule], award, evidence)
    if met(award.rule, evidence).is_met:
        now = rests_on(award.rule, evidence)
        return None if now == award.evidence else Refreshed(award, now)
    if _has_kept(award, evidence):
        return None
    return _granted([rule], award, evidence) or Revoked(award, _reason(award, evidence))


def _has_kept(award: Award, evidence: Evidence) -> bool:
    """Whether an award's points are all there, though the course asks for others by now."""
    return (
        bool(award.evidence)
        and all(evidence.has_kept(each) for each in award.evidence)
        and all(
            holds(each, evidence).is_met
            for each in award.rule.criteria
            if each.kind is CriterionKind.WEEKS
        )
    )


def _granted(
    rules: Iterable[AchievementRule | None], before: Award | None, evidence: Evidence
) -> Granted | None:
    for rule in rules:
        if rule is not None and met(rule, evidence).is_met:
            return Granted(rule, rests_on(rule, evidence), before)
    return None


def _reason(award: Award, evidence: Evidence) -> str:
    for shown in award.evidence:
        if not evidence.points(shown.assignment):
            return f"The grade of {shown.assignment} was taken back."
        if not evidence.has_kept(shown):
            return f"Points of {shown.assignment} were taken back."
    return "What it rests on is not there any more."


# -- each kind of criterion: how much is met, what it looks at, what the course lacks -------------


def _checks_met(data: Mapping[str, Any], evidence: Evidence) -> Met:
    grade_ids = data["grade_ids"]
    return Met(evidence.full(data["assignment"], grade_ids), len(grade_ids), "checks")


def _exercise_met(data: Mapping[str, Any], evidence: Evidence) -> Met:
    checks = evidence.checks.exercise(data["assignment"], data["grade_id"])
    return Met(evidence.full(data["assignment"], checks), max(1, len(checks)), "checks")


def _chapter_met(data: Mapping[str, Any], evidence: Evidence) -> Met:
    most = sum(evidence.checks.max_points.get(data["assignment"], {}).values())
    wanted, points = most * data["fraction"], evidence.chapter_points(data["assignment"])
    of = max(1, math.ceil(wanted - TOLERANCE))
    if most > 0 and points >= wanted - TOLERANCE:
        return Met(of, of, "points")
    return Met(min(math.floor(points), of - 1), of, "points")


def _chapters_met(data: Mapping[str, Any], evidence: Evidence) -> Met:
    return Met(sum(1 for _ in _full_chapters(evidence)), data["count"], "chapters")


def _concepts_met(data: Mapping[str, Any], evidence: Evidence) -> Met:
    of = len(data["keys"]) if "keys" in data else data["count"]
    return Met(sum(1 for _ in _shown_concepts(data, evidence)), of, "details")


def _weeks_met(data: Mapping[str, Any], evidence: Evidence) -> Met:
    return Met(evidence.weeks, data["count"], "weeks")


_MEASURES: Final[Mapping[CriterionKind, Callable[[Mapping[str, Any], Evidence], Met]]] = {
    CriterionKind.CHECKS: _checks_met,
    CriterionKind.EXERCISE: _exercise_met,
    CriterionKind.CHAPTER: _chapter_met,
    CriterionKind.CHAPTERS: _chapters_met,
    CriterionKind.CONCEPTS: _concepts_met,
    CriterionKind.WEEKS: _weeks_met,
}


def _full_chapters(evidence: Evidence) -> Iterator[str]:
    for assignment in evidence.works:
        grade_ids = evidence.checks.chapter(assignment)
        if evidence.are_full({assignment: grade_ids}) and grade_ids:
            yield assignment


def _shown_concepts(data: Mapping[str, Any], evidence: Evidence) -> Iterator[str]:
    for key in data.get("keys", evidence.checks.concepts):
        if evidence.are_full(evidence.checks.concept(key)):
            yield key


def _looked_at(
    criterion: AchievementCriterion, evidence: Evidence
) -> Iterator[tuple[str, frozenset[str]]]:
    data, checks = criterion.data, evidence.checks
    match criterion.kind:
        case CriterionKind.CHECKS:
            yield data["assignment"], frozenset(data["grade_ids"])
        case CriterionKind.EXERCISE:
            yield data["assignment"], checks.exercise(data["assignment"], data["grade_id"])
        case CriterionKind.CHAPTER:
            yield data["assignment"], checks.chapter(data["assignment"])
        case CriterionKind.CHAPTERS:
            for assignment in _full_chapters(evidence):
                yield assignment, checks.chapter(assignment)
        case CriterionKind.CONCEPTS:
            for key in _shown_concepts(data, evidence):
                yield from _items(checks.concept(key))
        case CriterionKind.WEEKS:
            return


def _items(checks: Checks) -> Iterable[tuple[str, frozenset[str]]]:
    return checks.items()


def _missing(criterion: AchievementCriterion, checks: CourseChecks) -> str | None:
    data = criterion.data
    if "assignment" in data:
        name = data["assignment"]
        if name not in checks.max_points:
            return f"this course has no assignment {name!r}"
        wanted = data.get("grade_ids", [])
        lacking = [each for each in wanted if each not in checks.max_points[name]]
        if "grade_id" in data and not checks.exercise(name, data["grade_id"]):
            lacking.append(data["grade_id"])
        if lacking:
            return f"{name} has no {lacking[0]!r}"
        return None if checks.max_points[name] else f"{name} gives no points"
    if criterion.kind is CriterionKind.CHAPTERS and data["count"] > len(checks.max_points):
        return f"this course has {len(checks.max_points)} chapters"
    if criterion.kind is CriterionKind.CONCEPTS:
        unknown = [key for key in data.get("keys", []) if not checks.concept(key)]
        if unknown:
            return f"no exercise of this course practises {unknown[0]}"
        if data.get("count", 0) > len(checks.concepts):
            return f"the exercises of this course practise {len(checks.concepts)} details"
    return None
