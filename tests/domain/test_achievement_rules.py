"""Rules as plain data: what is taken, what is refused by its place, how versions are counted."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_ppo.domain.achievement_rules import numbered, rule_data, rules_from
from jupyter_ppo.domain.achievements import AchievementCriterion, AchievementRule, CriterionKind
from jupyter_ppo.domain.details import DETAILS
from jupyter_ppo.domain.errors import InvalidInputError

names = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,20}", fullmatch=True)
counts = st.integers(1, 1000)
keys = st.sampled_from([detail.key for detail in DETAILS])
texts = st.text(min_size=1, max_size=50).filter(
    lambda text: text.strip() and "\0" not in text and text.encode(errors="ignore").decode() == text
)


def lists(items: st.SearchStrategy[str]) -> st.SearchStrategy[list[str]]:
    return st.lists(items, min_size=1, max_size=5, unique=True)


criteria = st.one_of(
    st.builds(
        lambda name, ids: {"kind": "checks", "data": {"assignment": name, "grade_ids": ids}},
        names,
        lists(names),
    ),
    st.builds(
        lambda name, grade_id: {
            "kind": "exercise",
            "data": {"assignment": name, "grade_id": grade_id},
        },
        names,
        names,
    ),
    st.builds(
        lambda name, part: {"kind": "chapter", "data": {"assignment": name, "fraction": part}},
        names,
        st.floats(0, 1, exclude_min=True),
    ),
    st.builds(lambda n: {"kind": "chapters", "data": {"count": n}}, counts),
    st.builds(lambda n: {"kind": "concepts", "data": {"count": n}}, counts),
    st.builds(lambda some: {"kind": "concepts", "data": {"keys": some}}, lists(keys)),
    st.builds(lambda n: {"kind": "weeks", "data": {"count": n}}, counts),
)
rules = st.lists(
    st.fixed_dictionaries(
        {
            "id": st.from_regex(r"[a-z0-9][a-z0-9-]{0,20}", fullmatch=True),
            "version": st.integers(1, 1000),
            "title": texts,
            "description": texts,
            "criteria": st.lists(criteria, min_size=1, max_size=4),
        }
    ),
    max_size=5,
    unique_by=lambda rule: rule["id"],
)
plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["id", "kind", "data", "criteria", "count"]), inner)
    ),
    max_leaves=12,
)

RULE: dict[str, Any] = {
    "id": "gae",
    "title": "GAE",
    "description": "It is exact.",
    "criteria": [
        {"kind": "checks", "data": {"assignment": "05-gae", "grade_ids": ["hand", "random"]}},
        {"kind": "weeks", "data": {"count": 2}},
    ],
}


@given(rules)
def test_what_was_read_is_written_and_read_again_as_it_was(document: list[dict[str, Any]]) -> None:
    read = rules_from(document)
    written = [rule_data(rule) for rule in read]
    assert written == document
    assert rules_from(json.loads(json.dumps(written))) == read


@given(plain)
def test_any_other_data_is_refused_with_a_place(document: Any) -> None:
    if document == []:
        assert rules_from(document) == ()
        return
    with pytest.raises(InvalidInputError) as refused:
        rules_from(document)
    assert refused.value.field is not None
    assert refused.value.field.startswith("rules")
    assert refused.value.message.startswith(f"{refused.value.field}: ")


def changed(path: list[Any], value: Any) -> list[Any]:
    document: Any = [copy.deepcopy(RULE), copy.deepcopy(RULE) | {"id": "second"}]
    at = document
    for step in path[:-1]:
        at = at[step]
    if value is ...:
        del at[path[-1]]
    else:
        at[path[-1]] = value
    return document  # type: ignore[no-any-return]


CHECKS = {"assignment": "a", "grade_ids": ["b"]}


@pytest.mark.parametrize(
    ("path", "value", "field"),
    [
        ([1, "criteria", 1, "data", "count"], 0, "rules[1].criteria[1].data.count"),
        ([1, "criteria", 1, "data", "count"], True, "rules[1].criteria[1].data.count"),
        ([1, "criteria", 1, "data", "count"], 2.0, "rules[1].criteria[1].data.count"),
        ([0, "criteria", 1, "data"], {}, "rules[0].criteria[1].data.count"),
        ([0, "criteria", 1, "data", "keys"], ["x"], "rules[0].criteria[1].data.keys"),
        ([0, "criteria", 0, "kind"], "luck", "rules[0].criteria[0].kind"),
        ([0, "criteria", 0, "data"], None, "rules[0].criteria[0].data"),
        ([0, "criteria", 0, "data", "grade_ids", 1], "hand", "grade_ids[1]"),
        ([0, "criteria", 0, "data", "grade_ids", 1], "a b", "grade_ids[1]"),
        ([0, "criteria", 0, "data", "grade_ids"], [], "grade_ids"),
        ([0, "criteria", 0, "data", "assignment"], "../x", "rules[0].criteria[0].data.assignment"),
        ([0, "criteria"], [], "rules[0].criteria"),
        ([0, "id"], "GAE", "rules[0].id"),
        ([1, "id"], "gae", "rules[1].id"),
        ([0, "title"], " ", "rules[0].title"),
        ([0, "title"], "x" * 121, "rules[0].title"),
        ([0, "description"], "\0", "rules[0].description"),
        ([0, "description"], "\ud800", "rules[0].description"),
        ([0, "version"], 0, "rules[0].version"),
        ([0, "points"], 3, "rules[0].points"),
        ([0, "title"], ..., "rules[0].title"),
        ([0], "gae", "rules[0]"),
    ],
)
def test_what_cannot_be_used_is_named(path: list[Any], value: Any, field: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        rules_from(changed(path, value))
    assert refused.value.field is not None
    assert refused.value.field.endswith(field)


@pytest.mark.parametrize(
    "fraction", [0, -0.1, 1.1, 10**400, float("nan"), float("inf"), True, "1", None]
)
def test_a_fraction_is_above_0_and_at_most_1(fraction: Any) -> None:
    criterion = {"kind": "chapter", "data": {"assignment": "a", "fraction": fraction}}
    with pytest.raises(InvalidInputError, match=r"criteria\[0\]\.data\.fraction"):
        rules_from(changed([0, "criteria"], [criterion]))


def test_a_detail_that_there_is_not_is_refused() -> None:
    criterion = {"kind": "concepts", "data": {"keys": ["core-1", "core-99"]}}
    with pytest.raises(InvalidInputError, match=r"data\.keys\[1\].*such as core-5"):
        rules_from(changed([0, "criteria"], [criterion]))


def rule(rule_id: str, count: int, version: int = 1, title: str = "T") -> AchievementRule:
    criterion = AchievementCriterion(CriterionKind.WEEKS, {"count": count})
    return AchievementRule(rule_id, version, title, "D", (criterion,))


def test_a_rule_keeps_its_version_until_something_of_it_changes() -> None:
    first = [rule("a", 1), rule("b", 1, version=4)]
    assert numbered([rule("a", 1, version=9), rule("b", 1)], first) == tuple(first)
    assert numbered([rule("a", 2)], first) == (rule("a", 2, version=2),)
    assert numbered([rule("b", 1, title="New")], first) == (rule("b", 1, 5, "New"),)
    assert numbered([rule("c", 1, version=7)], first) == (rule("c", 1),)


def test_a_rule_that_was_away_goes_on_counting() -> None:
    earlier = [rule("a", 1), rule("a", 2, version=2)]
    assert numbered([rule("a", 1)], earlier) == (rule("a", 1, version=3),)
    assert numbered([rule("a", 2)], earlier) == (rule("a", 2, version=2),)
