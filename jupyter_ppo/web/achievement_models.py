"""Bodies about achievements: rules, what a person has, public keys."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from jupyter_ppo.domain.achievement_rules import rule_data, rules_from
from jupyter_ppo.domain.achievements import AchievementRule, CriterionKind, RuleEdition
from jupyter_ppo.services import achievements as service
from jupyter_ppo.services.achievements import RuleChange
from jupyter_ppo.web.models import Answer, Body, Time


class NewRuleCriterion(Body):
    """One condition. ``data`` is as its kind needs it, for example ``{"count": 3}``."""

    kind: CriterionKind
    data: dict[str, Any]


class NewRule(Body):
    """A rule: all of its criteria must hold.

    ``version`` may be there, as in an answer, and is not looked at: the server counts it.
    """

    id: str
    title: str
    description: str
    criteria: list[NewRuleCriterion]
    version: Annotated[int | None, Field(description="not looked at")] = None


class NewRules(Body):
    """All rules of a course, in the place of those that are in force."""

    rules: list[NewRule]
    number: Annotated[
        int | None,
        Field(description="the edition that was seen; when another is in force, it is a 409"),
    ] = None

    def to_domain(self) -> tuple[AchievementRule, ...]:
        """Return the domain's objects; raise ``InvalidInputError`` naming the place."""
        return rules_from(
            [rule.model_dump(mode="json", exclude={"version"}) for rule in self.rules]
        )


class RuleCriterion(Answer):
    """One condition of a rule."""

    kind: CriterionKind
    data: dict[str, Any]


class Rule(Answer):
    """A rule; ``version`` has grown with every change of it."""

    id: str
    version: int
    title: str
    description: str
    criteria: list[RuleCriterion]


class Rules(Answer):
    """The edition that is in force; number 0 comes with the package and has no ``created_at``."""

    number: int
    created_at: Time | None
    created_by: str
    rules: list[Rule]

    @classmethod
    def of(cls, edition: RuleEdition) -> Rules:
        """Make the body from the domain's object."""
        return cls(
            number=edition.number,
            created_at=edition.created_at,
            created_by=edition.created_by,
            rules=[Rule(**rule_data(rule)) for rule in edition.rules],
        )


class RulesSet(Answer):
    """The edition that is in force now, and how many achievements came and went with it.

    ``warnings`` name rules that nobody can meet in this course, and why.
    """

    number: int
    awarded: int
    revoked: int
    warnings: list[str]

    @classmethod
    def of(cls, change: RuleChange) -> RulesSet:
        """Make the body from the service's answer."""
        return cls(
            number=change.edition.number,
            awarded=change.evaluation.awarded,
            revoked=change.evaluation.revoked,
            warnings=list(change.warnings),
        )


class AchievementProgress(Answer):
    """How much of what is asked for is there; ``unit`` says of what."""

    met: int
    of: int
    unit: str


class Achievement(Answer):
    """An achievement, earned when ``awarded_at`` is there and ``revoked_at`` is not.

    An earned one has the title, description and version that it was earned under.
    """

    id: str
    version: int
    title: str
    description: str
    award_id: UUID | None
    awarded_at: Time | None
    revoked_at: Time | None
    revoked_because: str
    progress: AchievementProgress

    @classmethod
    def of(cls, item: service.AchievementItem) -> Achievement:
        """Make the body from the service's answer."""
        rule, award, progress = item.rule, item.award, item.progress
        return cls(
            id=rule.id,
            version=rule.version,
            title=rule.title,
            description=rule.description,
            award_id=None if award is None else award.id,
            awarded_at=None if award is None else award.awarded_at,
            revoked_at=None if award is None else award.revoked_at,
            revoked_because="" if award is None else award.revoked_because,
            progress=AchievementProgress(met=progress.met, of=progress.of, unit=progress.unit),
        )


class Achievements(Answer):
    """What a person has and can reach; ``edition`` is the number of the rules in force."""

    edition: int
    items: list[Achievement]

    @classmethod
    def of(cls, found: service.Achievements) -> Achievements:
        """Make the body from the service's answer."""
        return cls(edition=found.edition, items=[Achievement.of(item) for item in found.items])


class PublicKey(Answer):
    """An Ed25519 key as a JWK (RFC 8037); ``kid`` is its thumbprint (RFC 7638)."""

    kty: str
    crv: str
    x: str
    use: str
    alg: str
    kid: str


class PublicKeys(Answer):
    """The keys that sign the credentials of this server, as a JWK set (RFC 7517)."""

    keys: list[PublicKey]
