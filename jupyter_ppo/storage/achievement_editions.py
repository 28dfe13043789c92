"""Editions of a course's rules of achievements; courses without one have the package's."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from jupyter_ppo.domain.achievement_rules import edition_data, numbered, rule_data, rules_from
from jupyter_ppo.domain.achievements import AchievementRule, RuleEdition
from jupyter_ppo.domain.errors import EditConflictError
from jupyter_ppo.storage.database import database_now
from jupyter_ppo.storage.tables import RuleEditionRow

#: One file for each edition that a version of this package brought; the newest is in force.
DEFAULTS = Path(__file__).with_name("default_achievements")


def edition_of(session: Session, course_id: UUID) -> RuleEdition:
    """Return the edition that is in force in a course."""
    row = session.scalar(
        select(RuleEditionRow)
        .where(RuleEditionRow.course_id == course_id)
        .order_by(RuleEditionRow.number.desc())
        .limit(1)
    )
    if row is None:
        return default_edition()
    return RuleEdition(row.number, rules_from(row.rules), row.created_at, row.created_by)


def add_edition(
    session: Session,
    course_id: UUID,
    rules: Iterable[AchievementRule],
    by: str,
    seen: int | None = None,
) -> RuleEdition:
    """Add the next edition: rules that changed get their next version.

    ``seen`` is the number of the edition that they were made from, None when that does not matter.
    Raises ``EditConflictError`` with both when another one is in force. Two at the same moment are
    a ``ConflictError`` for the second, when it is committed.
    """
    given = tuple(rules)
    rows = session.scalars(
        select(RuleEditionRow)
        .where(RuleEditionRow.course_id == course_id)
        .order_by(RuleEditionRow.number)
    ).all()
    stored = edition_of(session, course_id)
    if seen is not None and seen != stored.number:
        msg = (
            f"number: edition {stored.number} of the rules is in force now, and you saw {seen}. "
            "Look at it and save again."
        )
        yours = RuleEdition(seen, given)
        raise EditConflictError(
            msg, yours=edition_data(yours), theirs=edition_data(stored), field="number"
        )
    earlier = [*_default_rules(), *(rule for row in rows for rule in rules_from(row.rules))]
    edition = RuleEdition(
        number=stored.number + 1,
        rules=numbered(given, earlier),
        created_at=database_now(session),
        created_by=by,
    )
    session.add(
        RuleEditionRow(
            course_id=course_id,
            number=edition.number,
            rules=[rule_data(rule) for rule in edition.rules],
            created_at=edition.created_at,
            created_by=by,
        )
    )
    session.flush()
    return edition


@cache
def default_edition() -> RuleEdition:
    """Return the package's newest rules, as edition 0."""
    newest = max(DEFAULTS.glob("*.json"), key=lambda path: int(path.stem))
    return RuleEdition(0, _read(newest))


@cache
def _default_rules() -> Sequence[AchievementRule]:
    paths = sorted(DEFAULTS.glob("*.json"), key=lambda path: int(path.stem))
    return [rule for path in paths for rule in _read(path)]


def _read(path: Path) -> tuple[AchievementRule, ...]:
    return rules_from(json.loads(path.read_text(encoding="utf-8"))["rules"])
