"""Who has which achievements, in the database, evaluated anew whenever the evidence changes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from jupyter_ppo.domain.achievement_rules import rule_data, rules_from
from jupyter_ppo.domain.achievements import (
    AchievementRule,
    Award,
    AwardEvidence,
    AwardHolder,
    RuleEdition,
)
from jupyter_ppo.domain.awarding import AwardChange, Evaluation, Granted, Refreshed, Revoked, decide
from jupyter_ppo.domain.courses import Role
from jupyter_ppo.domain.errors import NotFoundError
from jupyter_ppo.domain.evidence import CourseChecks, Evidence
from jupyter_ppo.domain.ids import new_id
from jupyter_ppo.domain.privacy import is_stand_in
from jupyter_ppo.domain.progress_records import StudentState
from jupyter_ppo.storage.achievement_editions import add_edition, edition_of
from jupyter_ppo.storage.database import Database, database_now
from jupyter_ppo.storage.outlines import course_outline
from jupyter_ppo.storage.progress_states import locked, read_states
from jupyter_ppo.storage.tables import AwardRow, CourseRow, MembershipRow
from jupyter_ppo.storage.term_rows import MOST_NAMED


class Awards:
    """``services.achievements.AwardStore`` on a database; times are the database's clock."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def edition(self, course_id: UUID) -> RuleEdition:
        """Return the rules that are in force in a course."""
        with self._database.session() as session:
            return edition_of(session, course_id)

    def add_edition(
        self,
        course_id: UUID,
        rules: Iterable[AchievementRule],
        by: str,
        seen: int | None = None,
    ) -> tuple[RuleEdition, Evaluation]:
        """Put new rules in force and evaluate everybody, all or nothing.

        ``seen`` is the number of the edition that they were made from: raises ``EditConflictError``
        when another one is in force, ``ConflictError`` when somebody else saves at the same moment.
        """
        with self._database.begin() as session:
            edition = add_edition(session, course_id, rules, by, seen)
            return edition, evaluate(session, course_id)

    def evaluate(self, course_id: UUID, users: Collection[str] | None = None) -> Evaluation:
        """Evaluate these people, everybody if None, in a transaction of its own."""
        with self._database.begin() as session:
            return evaluate(session, course_id, users)

    def awards(self, course_id: UUID, user: str) -> tuple[Award, ...]:
        """Return what one person has, and had, by time."""
        with self._database.session() as session:
            awards = _awards(session, course_id, [user])[user]
        return tuple(sorted(awards, key=lambda award: award.awarded_at))

    def holder(self, award_id: UUID) -> AwardHolder:
        """Return an award, with its course and its person; raise ``NotFoundError``."""
        query = (
            select(AwardRow.__table__, CourseRow.name, CourseRow.title, MembershipRow.email)
            .join(CourseRow, CourseRow.id == AwardRow.course_id)
            .outerjoin(
                MembershipRow,
                (MembershipRow.course_id == AwardRow.course_id)
                & (MembershipRow.user == AwardRow.user),
            )
            .where(AwardRow.id == award_id, CourseRow.deleted_at.is_(None))
        )
        with self._database.session() as session:
            row = session.execute(query).mappings().first()
        if row is None:
            msg = f"There is no award {str(award_id)!r}."
            raise NotFoundError(msg, field="award")
        return AwardHolder(_award(dict(row), {}), row["title"] or row["name"], row["email"] or "")

    def evidence(self, course_id: UUID, user: str) -> Evidence:
        """Return what one person's released grades show."""
        with self._database.session() as session:
            states = read_states(session, course_id, [user])
            checks = CourseChecks.of(course_outline(session, course_id))
            return Evidence.of(states.get(user), checks)


def evaluate(
    session: Session,
    course_id: UUID,
    users: Collection[str] | None = None,
    *,
    states: Mapping[str, StudentState] | None = None,
) -> Evaluation:
    """Award, refresh and revoke what the rules in force say of ``users``, everybody if None.

    For whoever has just folded new evidence, in the same transaction. Staff, people who were
    removed from the course and erased ones are passed over. The number of queries does not grow
    with the number of people. Their states are locked first, so that of two evaluations of a person
    at the same moment the second sees what the first did; who has locked them gives ``states``.
    """
    if users is not None and not users:
        return Evaluation()
    session.flush()
    if states is None:
        states = locked(session, course_id, read_states(session, course_id, users).keys())
    had = _awards(session, course_id, users)
    people = (states.keys() | had.keys()) - _passed_over(session, course_id)
    people = {user for user in people if not is_stand_in(user)}
    if not people:
        return Evaluation()
    rules = edition_of(session, course_id).rules
    checks = CourseChecks.of(course_outline(session, course_id))
    changes = {
        user: decide(rules, had.get(user, ()), Evidence.of(states.get(user), checks))
        for user in sorted(people)
    }
    return _write(session, course_id, changes)


def _passed_over(session: Session, course_id: UUID) -> set[str]:
    """Return staff and removed people; who is no member is an admin with work of their own."""
    found = session.scalars(
        select(MembershipRow.user).where(
            MembershipRow.course_id == course_id,
            (MembershipRow.role != Role.STUDENT) | MembershipRow.removed_at.is_not(None),
        )
    )
    return set(found)


def _awards(
    session: Session, course_id: UUID, users: Collection[str] | None
) -> defaultdict[str, list[Award]]:
    query = select(AwardRow.__table__).where(AwardRow.course_id == course_id)
    if users is not None and len(users) <= MOST_NAMED:
        query = query.where(AwardRow.user.in_(users))
    wanted = None if users is None else set(users)
    found: defaultdict[str, list[Award]] = defaultdict(list)
    rules: dict[tuple[str, int], AchievementRule] = {}
    for row in session.execute(query).mappings():
        if wanted is None or row["user"] in wanted:
            found[row["user"]].append(_award(dict(row), rules))
    return found


def _write(
    session: Session, course_id: UUID, changes: Mapping[str, Sequence[AwardChange]]
) -> Evaluation:
    if not any(changes.values()):
        return Evaluation()
    now = database_now(session)
    new: list[dict[str, Any]] = []
    granted_again: list[dict[str, Any]] = []
    refreshed: list[dict[str, Any]] = []
    revoked: list[dict[str, Any]] = []
    for user, each in ((user, each) for user, found in changes.items() for each in found):
        match each:
            case Granted(rule, evidence, before):
                values = _granted(rule, evidence, now)
                if before is None:
                    values |= {"id": new_id(), "course_id": course_id, "user": user}
                    new.append(values | {"rule_id": rule.id})
                else:
                    granted_again.append(values | {"id": before.id})
            case Refreshed(award, evidence):
                refreshed.append({"id": award.id, "evidence": _evidence_data(evidence)})
            case Revoked(award, because):
                revoked.append({"id": award.id, "revoked_at": now, "revoked_because": because})
    for rows in (granted_again, refreshed, revoked):
        if rows:
            session.execute(update(AwardRow), rows)
    if new:
        session.execute(insert(AwardRow), new)
    return Evaluation(len(new) + len(granted_again), len(revoked))


def _granted(
    rule: AchievementRule, evidence: Iterable[AwardEvidence], now: datetime
) -> dict[str, Any]:
    return {
        "rule": rule_data(rule),
        "evidence": _evidence_data(evidence),
        "awarded_at": now,
        "revoked_at": None,
        "revoked_because": "",
    }


def _evidence_data(evidence: Iterable[AwardEvidence]) -> list[dict[str, Any]]:
    return [
        {
            "assignment": each.assignment,
            "submission_id": str(each.submission_id),
            "points": dict(each.points),
        }
        for each in evidence
    ]


def _award(row: Mapping[str, Any], rules: dict[tuple[str, int], AchievementRule]) -> Award:
    """Return the award; ``rules`` are those of the course that were read before."""
    name = row["rule"]["id"], row["rule"]["version"]
    if name not in rules:
        [rules[name]] = rules_from([row["rule"]], "award.rule")
    rule = rules[name]
    return Award(
        id=row["id"],
        course_id=row["course_id"],
        user=row["user"],
        rule=rule,
        evidence=tuple(
            AwardEvidence(each["assignment"], UUID(each["submission_id"]), each["points"])
            for each in row["evidence"]
        ),
        awarded_at=row["awarded_at"],
        revoked_at=row["revoked_at"],
        revoked_because=row["revoked_because"],
    )
