"""Rules of achievements as plain data: read, checked, numbered, written."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, Final, NoReturn

from jupyter_ppo.domain.achievements import (
    AchievementCriterion,
    AchievementRule,
    CriterionKind,
    RuleEdition,
)
from jupyter_ppo.domain.details import DETAILS
from jupyter_ppo.domain.errors import InvalidInputError

MAX_RULES: Final = 200
MAX_CRITERIA: Final = 20
MAX_NAMED: Final = 100  # checks or details in one criterion
MAX_TITLE: Final = 120
MAX_DESCRIPTION: Final = 1000
MAX_COUNT: Final = 1000
_MAX_VERSION: Final = 1_000_000

_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,79}")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_DETAILS: Final = frozenset(detail.key for detail in DETAILS)


def rules_from(document: object, place: str = "rules") -> tuple[AchievementRule, ...]:
    """Return the rules that a list of plain data describes.

    Raises ``InvalidInputError`` naming the place, such as ``rules[2].criteria[0].data.count``.
    A rule without ``version`` is of version 1.
    """
    items = _items(document, place, 0, MAX_RULES)
    rules = tuple(_rule(item, f"{place}[{index}]") for index, item in enumerate(items))
    for index, rule in enumerate(rules):
        if rule.id in {other.id for other in rules[:index]}:
            _refuse(f"{place}[{index}].id", f"{rule.id!r} is there twice. Use each id once.")
    return rules


def rule_data(rule: AchievementRule) -> dict[str, Any]:
    """Return plain data that ``rules_from`` reads back."""
    return {
        "id": rule.id,
        "version": rule.version,
        "title": rule.title,
        "description": rule.description,
        "criteria": [{"kind": each.kind.value, "data": each.data} for each in rule.criteria],
    }


def edition_data(edition: RuleEdition) -> dict[str, Any]:
    """Return an edition as plain data, in the shape in which it is answered."""
    created = edition.created_at
    return {
        "number": edition.number,
        "created_at": None if created is None else created.isoformat(),
        "created_by": edition.created_by,
        "rules": [rule_data(rule) for rule in edition.rules],
    }


def numbered(
    rules: Iterable[AchievementRule], earlier: Iterable[AchievementRule]
) -> tuple[AchievementRule, ...]:
    """Return the rules with their versions, given all rules of ``earlier`` editions in order.

    What is as it was keeps its version, what has changed gets the next one, also after it was
    away for a while: one id and one version are one rule for ever.
    """
    known: dict[str, AchievementRule] = {}
    for rule in earlier:
        if rule.id not in known or rule.version >= known[rule.id].version:
            known[rule.id] = rule
    found = []
    for rule in rules:
        last = known.get(rule.id)
        if last is None:
            found.append(replace(rule, version=1))
        else:
            same = replace(rule, version=last.version)
            found.append(same if same == last else replace(rule, version=last.version + 1))
    return tuple(found)


def _rule(item: object, place: str) -> AchievementRule:
    fields = _fields(item, place, {"id", "title", "description", "criteria"}, {"version"})
    criteria = _items(fields["criteria"], f"{place}.criteria", 1, MAX_CRITERIA)
    if not isinstance(fields["id"], str) or not _ID.fullmatch(fields["id"]):
        _refuse(f"{place}.id", "Use 1 to 80 small letters, digits or dashes.")
    return AchievementRule(
        id=fields["id"],
        version=_whole(fields.get("version", 1), f"{place}.version", _MAX_VERSION),
        title=_text(fields["title"], f"{place}.title", MAX_TITLE),
        description=_text(fields["description"], f"{place}.description", MAX_DESCRIPTION),
        criteria=tuple(
            _criterion(each, f"{place}.criteria[{index}]") for index, each in enumerate(criteria)
        ),
    )


def _criterion(item: object, place: str) -> AchievementCriterion:
    fields = _fields(item, place, {"kind", "data"}, set())
    for kind, read in _READERS.items():
        if kind == fields["kind"]:
            return AchievementCriterion(kind, read(fields["data"], f"{place}.data"))
    _refuse(f"{place}.kind", f"Use {', '.join(_READERS)}.")


def _checks(data: object, place: str) -> dict[str, Any]:
    fields = _fields(data, place, {"assignment", "grade_ids"}, set())
    return {
        "assignment": _name(fields["assignment"], f"{place}.assignment"),
        "grade_ids": _once(fields["grade_ids"], f"{place}.grade_ids", _name),
    }


def _exercise(data: object, place: str) -> dict[str, Any]:
    fields = _fields(data, place, {"assignment", "grade_id"}, set())
    return {name: _name(fields[name], f"{place}.{name}") for name in ("assignment", "grade_id")}


def _chapter(data: object, place: str) -> dict[str, Any]:
    fields = _fields(data, place, {"assignment", "fraction"}, set())
    part = fields["fraction"]
    is_number = isinstance(part, int | float) and not isinstance(part, bool)
    if not is_number or not 0 < part <= 1:
        _refuse(f"{place}.fraction", "Use a number above 0 and at most 1.")
    return {"assignment": _name(fields["assignment"], f"{place}.assignment"), "fraction": part}


def _count(data: object, place: str) -> dict[str, Any]:
    fields = _fields(data, place, {"count"}, set())
    return {"count": _whole(fields["count"], f"{place}.count", MAX_COUNT)}


def _concepts(data: object, place: str) -> dict[str, Any]:
    if not isinstance(data, Mapping) or "keys" not in data:
        return _count(data, place)
    fields = _fields(data, place, {"keys"}, set())
    return {"keys": _once(fields["keys"], f"{place}.keys", _detail)}


_READERS: Final[Mapping[CriterionKind, Callable[[object, str], dict[str, Any]]]] = {
    CriterionKind.CHECKS: _checks,
    CriterionKind.EXERCISE: _exercise,
    CriterionKind.CHAPTER: _chapter,
    CriterionKind.CHAPTERS: _count,
    CriterionKind.CONCEPTS: _concepts,
    CriterionKind.WEEKS: _count,
}


def _refuse(place: str, remedy: str) -> NoReturn:
    msg = f"{place}: this cannot be used. {remedy}"
    raise InvalidInputError(msg, field=place)


def _fields(item: object, place: str, needed: set[str], other: set[str]) -> Mapping[str, Any]:
    names = ", ".join(sorted(needed | other))
    if not isinstance(item, Mapping):
        _refuse(place, f"Use an object with {names}.")
    for name in sorted(needed - item.keys()):
        _refuse(f"{place}.{name}", "It is missing.")
    for name in item:
        if name not in needed | other:
            _refuse(f"{place}.{str(name)[:80]}", f"There is no such name; known are {names}.")
    return item


def _items(value: object, place: str, least: int, most: int) -> list[object]:
    if not isinstance(value, list | tuple) or not least <= len(value) <= most:
        _refuse(place, f"Use a list of {least} to {most}.")
    return list(value)


def _text(value: object, place: str, most: int) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > most:
        _refuse(place, f"Use 1 to {most:,} characters of text.")
    # Neither the database nor a badge takes these: a NUL, a half of a character of two parts.
    if any(char == "\0" or "\ud800" <= char <= "\udfff" for char in value):
        _refuse(place, "Leave out control characters.")
    return value


def _whole(value: object, place: str, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
        _refuse(place, f"Use a whole number from 1 to {most:,}.")
    return value


def _name(value: object, place: str) -> str:
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        _refuse(place, "Use 1 to 100 letters, digits, dots, dashes or underscores.")
    return value


def _detail(value: object, place: str) -> str:
    if not isinstance(value, str) or value not in _DETAILS:
        _refuse(place, "Use a key of the table of details, such as core-5.")
    return value


def _once(value: object, place: str, read: Callable[[object, str], str]) -> list[str]:
    names: list[str] = []
    for index, item in enumerate(_items(value, place, 1, MAX_NAMED)):
        name = read(item, f"{place}[{index}]")
        if name in names:
            _refuse(f"{place}[{index}]", f"{name!r} is there twice. Use each once.")
        names.append(name)
    return names
