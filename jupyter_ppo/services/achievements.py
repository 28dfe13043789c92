"""Achievements of a course: its rules, and who meets them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from jupyter_ppo.domain.access import Caller
from jupyter_ppo.domain.achievements import AchievementRule, Award, RuleEdition
from jupyter_ppo.domain.awarding import Evaluation, Met, met, unreachable
from jupyter_ppo.domain.courses import Course, one_spelling
from jupyter_ppo.domain.errors import NotFoundError
from jupyter_ppo.domain.evidence import CourseChecks, Evidence
from jupyter_ppo.domain.ports import CourseStore
from jupyter_ppo.services.access import Access
from jupyter_ppo.services.audit import AuditLog, note
from jupyter_ppo.services.outlines import CourseOutlines


class AwardStore(Protocol):
    """Rules and who has what."""

    def edition(self, course_id: UUID) -> RuleEdition:
        """Return the rules that are in force in a course."""

    def add_edition(
        self,
        course_id: UUID,
        rules: Iterable[AchievementRule],
        by: str,
        seen: int | None = None,
    ) -> tuple[RuleEdition, Evaluation]:
        """Put new rules in force and evaluate everybody; raise ``ConflictError``.

        Raise ``EditConflictError`` when another edition than number ``seen`` is in force.
        """

    def awards(self, course_id: UUID, user: str) -> tuple[Award, ...]:
        """Return what one person has, and had, by time."""

    def evidence(self, course_id: UUID, user: str) -> Evidence:
        """Return what one person's released grades show."""


@dataclass(frozen=True, slots=True)
class AchievementItem:
    """One achievement as its student sees it; ``award`` is None until it is earned.

    ``rule`` is the one that it was earned under, else the one in force.
    """

    rule: AchievementRule
    progress: Met
    award: Award | None


@dataclass(frozen=True, slots=True)
class Achievements:
    """What one person has and can reach; ``edition`` is the number of the rules in force."""

    edition: int
    items: tuple[AchievementItem, ...]


@dataclass(frozen=True, slots=True)
class RuleChange:
    """New rules in force, and what they did; ``warnings`` name what nobody can meet, and why."""

    edition: RuleEdition
    evaluation: Evaluation
    warnings: tuple[str, ...]


class AchievementService:
    """Use cases of achievements. Every method takes the caller first and checks their rights."""

    def __init__(
        self,
        *,
        courses: CourseStore,
        awards: AwardStore,
        outlines: CourseOutlines,
        audit: AuditLog,
    ) -> None:
        self._courses = courses
        self._awards = awards
        self._outlines = outlines
        self._audit = audit
        self._access = Access(courses)

    def own(self, caller: Caller, course_name: str) -> Achievements:
        """Return the caller's achievements: earned ones, and those that can be. Members."""
        course, _ = self._access.course(caller, course_name)
        return self._of(course, caller.user)

    def of_student(self, caller: Caller, course_name: str, user: str) -> Achievements:
        """Return the achievements of somebody in the course. Graders."""
        course, name = self._access.grader(caller, course_name), one_spelling(user)
        if self._courses.membership(course.id, name) is None:
            msg = f"user: {name[:80]!r} is not in {course_name!r}."
            raise NotFoundError(msg, field="user")
        return self._of(course, name)

    def rules(self, caller: Caller, course_name: str) -> RuleEdition:
        """Return the rules in force. Instructors."""
        return self._awards.edition(self._access.author(caller, course_name).id)

    def set_rules(
        self,
        caller: Caller,
        course_name: str,
        rules: Iterable[AchievementRule],
        seen: int | None = None,
    ) -> RuleChange:
        """Put new rules in force, and evaluate everybody by them at once. Instructors.

        Versions are ours: a rule that has changed gets the next one, whatever it says of itself.
        ``seen`` is the number of the edition that the caller saw: raises ``EditConflictError`` with
        both when somebody saved another one in between. Raises ``ConflictError`` when somebody else
        does so at the same moment.
        """
        course = self._access.author(caller, course_name)
        checks = CourseChecks.of(self._outlines.outline(course.id).outline)
        edition, done = self._awards.add_edition(course.id, rules, caller.user, seen)
        found = ((rule, unreachable(rule, checks)) for rule in edition.rules)
        warnings = tuple(f"{rule.id}: {reason}." for rule, reason in found if reason)
        detail = {"edition": edition.number, "awarded": done.awarded, "revoked": done.revoked}
        note(self._audit, caller.user, "achievements.rules_set", course_name, detail)
        return RuleChange(edition, done, warnings)

    def _of(self, course: Course, user: str) -> Achievements:
        self._outlines.fill(course.id)
        edition = self._awards.edition(course.id)
        awards = {award.rule.id: award for award in self._awards.awards(course.id, user)}
        evidence = self._awards.evidence(course.id, user)
        items = []
        for rule in edition.rules:
            award = awards.pop(rule.id, None)
            if award is not None and award.revoked_at is None:
                items.append(_earned(award))
            elif award is not None or unreachable(rule, evidence.checks) is None:
                items.append(AchievementItem(rule, met(rule, evidence), award))
        # Of a rule that is not in force any more, an award is kept and shown.
        kept = (award for award in awards.values() if award.revoked_at is None)
        return Achievements(edition.number, (*items, *map(_earned, kept)))


def _earned(award: Award) -> AchievementItem:
    return AchievementItem(award.rule, Met(1, 1), award)
