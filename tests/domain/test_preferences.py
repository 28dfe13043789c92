"""Preferences: what a document may say, and what a merge patch does to it."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_ppo.domain.errors import InvalidInputError
from jupyter_ppo.domain.preferences import (
    Preferences,
    changed_fields,
    flat,
    merged,
    patched,
    preferences_from,
)

DEFAULTS: dict[str, Any] = {
    "mode": "guided",
    "theme": "follow",
    "chart": {"smoothing": 1, "axis": "linear", "band": "none"},
    "hint_level": 4,
    "notifications": {"feedback": True, "due": True, "achievements": True},
    "pseudonym": "",
    "privacy": {"activity": True},
    "tour": "new",
}

_NAMES = st.sampled_from("abcde")
_LEAVES = st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=3)
_JSON = st.recursive(
    _LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner, max_size=4),
    max_leaves=12,
)

#: Documents and patches as other programs find them, with what comes of them: RFC 7396, appendix A.
EXAMPLES: list[tuple[Any, Any, Any]] = [
    ({"a": "b"}, {"a": "c"}, {"a": "c"}),
    ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
    ({"a": "b"}, {"a": None}, {}),
    ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
    ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
    ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
    ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
    ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
    (["a", "b"], ["c", "d"], ["c", "d"]),
    ({"a": "b"}, ["c"], ["c"]),
    ({"a": "foo"}, None, None),
    ({"a": "foo"}, "bar", "bar"),
    ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
    ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
    ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
]


def test_the_defaults_are_those_that_are_documented() -> None:
    assert Preferences().document() == DEFAULTS
    assert preferences_from({}) == Preferences() == preferences_from(DEFAULTS)


@pytest.mark.parametrize(("target", "patch", "result"), EXAMPLES)
def test_a_merge_patch_does_what_the_rfc_says(target: Any, patch: Any, result: Any) -> None:
    before = copy.deepcopy((target, patch))
    assert merged(target, patch) == result
    assert (target, patch) == before


def _paths(value: Any, at: tuple[str, ...] = ()) -> dict[tuple[str, ...], Any]:
    """Return every member that is no object by where it is, and every empty object."""
    if isinstance(value, dict) and value:
        return {k: v for n, each in value.items() for k, v in _paths(each, (*at, n)).items()}
    return {at: value}


@given(_JSON, _JSON)
def test_after_a_merge_patch_what_it_names_is_as_it_says_and_the_rest_as_before(
    target: Any, patch: Any
) -> None:
    result = merged(target, patch)
    assert merged(result, patch) == result  # once is as good as twice
    if not isinstance(patch, dict):
        assert result == patch
        return
    now = _paths(result)
    for path, value in _paths(patch).items():
        if value is None:
            assert not any(path == there[: len(path)] for there in now)
        elif value != {}:
            assert now[path] == value
    before = target if isinstance(target, dict) else {}
    for name, value in before.items():
        if name not in patch:
            assert result[name] == value


@given(_JSON, _JSON)
def test_the_patch_between_two_documents_leads_from_one_to_the_other(one: Any, two: Any) -> None:
    def without_null(value: Any) -> Any:
        """A patch cannot write null into an object."""
        if isinstance(value, dict):
            return {n: without_null(each) for n, each in value.items() if each is not None}
        return value

    def difference(old: Any, new: Any) -> Any:
        if not (isinstance(old, dict) and isinstance(new, dict)):
            return new
        changes = {n: difference(old.get(n), new[n]) for n in new if old.get(n) != new[n]}
        return changes | dict.fromkeys(old.keys() - new.keys())

    target, wanted = without_null(one), without_null(two)
    assert merged(target, difference(target, wanted)) == wanted


def test_a_patch_changes_what_it_names_and_null_brings_a_default_back() -> None:
    changed = patched(Preferences(), {"mode": "expert", "chart": {"smoothing": 20}})
    assert changed.document() == DEFAULTS | {
        "mode": "expert",
        "chart": {"smoothing": 20, "axis": "linear", "band": "none"},
    }
    assert changed_fields(Preferences(), changed) == ["mode", "chart.smoothing"]
    assert patched(changed, {"chart": None, "mode": None}) == Preferences()
    assert patched(changed, {}) == changed


WRONG: list[tuple[Any, str]] = [
    (None, "body"),
    ([], "body"),
    ("guided", "body"),
    ({"mode": "wizard"}, "mode"),
    ({"mode": 1}, "mode"),
    ({"mode": ["guided"]}, "mode"),
    ({"colour": "red"}, "colour"),
    ({"theme": "Light"}, "theme"),
    ({"chart": 1}, "chart"),
    ({"chart": {"smoothing": 0}}, "chart.smoothing"),
    ({"chart": {"smoothing": 1001}}, "chart.smoothing"),
    ({"chart": {"smoothing": float("nan")}}, "chart.smoothing"),
    ({"chart": {"smoothing": 2.0}}, "chart.smoothing"),
    ({"chart": {"smoothing": 10**5000}}, "chart.smoothing"),
    ({"chart": {"smoothing": True}}, "chart.smoothing"),
    ({"chart": {"smoothing": "5"}}, "chart.smoothing"),
    ({"chart": {"axis": "epochs"}}, "chart.axis"),
    ({"chart": {"colour": "red"}}, "chart.colour"),
    ({"hint_level": 5}, "hint_level"),
    ({"hint_level": -1}, "hint_level"),
    ({"hint_level": 1.0}, "hint_level"),
    ({"hint_level": False}, "hint_level"),
    ({"notifications": {"due": 1}}, "notifications.due"),
    ({"pseudonym": "x"}, "pseudonym"),
    ({"pseudonym": "a\0bc"}, "pseudonym"),
    ({"pseudonym": 7}, "pseudonym"),
    ({"privacy": {"activity": "yes"}}, "privacy.activity"),
    ({"tour": "seen"}, "tour"),
]


@pytest.mark.parametrize(("document", "field"), WRONG)
def test_what_cannot_be_used_is_named_with_what_can(document: Any, field: str) -> None:
    for use in (preferences_from, lambda patch: patched(Preferences(), patch)):
        with pytest.raises(InvalidInputError, match="Use ") as caught:
            use(document)
        assert caught.value.field == field
        assert caught.value.message.startswith(f"{field}: ")
        assert len(caught.value.message) < 300


@pytest.mark.parametrize("patch", [{"colour": None}, {"chart": {"colour": None}}])
def test_an_unknown_field_is_no_preference_that_null_could_bring_back(patch: Any) -> None:
    with pytest.raises(InvalidInputError, match="there is no such preference"):
        patched(Preferences(), patch)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "mode": st.sampled_from(["guided", "standard", "expert"]),
            "theme": st.sampled_from(["follow", "light", "dark"]),
            "chart": st.fixed_dictionaries(
                {},
                optional={
                    "smoothing": st.integers(1, 1000),
                    "axis": st.sampled_from(["linear", "log"]),
                    "band": st.sampled_from(["none", "iqr", "ci"]),
                },
            ),
            "hint_level": st.integers(0, 4),
            "notifications": st.dictionaries(
                st.sampled_from(["feedback", "due", "achievements"]), st.booleans()
            ),
            "pseudonym": st.sampled_from(["", "quick fox"]),
            "privacy": st.dictionaries(st.just("activity"), st.booleans()),
            "tour": st.sampled_from(["new", "later", "done"]),
        },
    )
)
def test_a_document_is_read_back_as_it_was_written(document: Any) -> None:
    read = preferences_from(document)
    assert preferences_from(read.document()) == read
    assert read.document() == merged(DEFAULTS, document)
    assert set(flat(read)) == set(flat(Preferences()))
