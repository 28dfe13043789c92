"""Plain data out of values: what goes through comes back equal, the rest is left out."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_ppo.domain.execution import same_data
from jupyter_ppo.sandbox.inside.plain import MAX_DEPTH, MAX_INT_BITS, names_to_json, to_json

ROOM = 100_000
leaves = (
    st.none()
    | st.booleans()
    | st.integers(-(2**MAX_INT_BITS) + 1, 2**MAX_INT_BITS - 1)
    | st.floats()
    | st.text(max_size=20)
)
plain_values = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(), inner),
    max_leaves=30,
)


def nested(levels: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(levels - 1):
        value = [value]
    return value


@settings(deadline=None, max_examples=100)
@given(plain_values)
def test_plain_data_comes_back_equal(value: Any) -> None:
    text = to_json(value, ROOM)
    assert text is not None
    assert same_data(json.loads(text), value, tolerance=0)


@settings(deadline=None, max_examples=100)
@given(plain_values, st.integers(0, 200))
def test_nothing_is_longer_than_its_room(value: Any, room: int) -> None:
    text = to_json(value, room)
    whole = to_json(value, ROOM)
    assert whole is not None
    assert text == (whole if len(whole) <= room else None)


@settings(deadline=None, max_examples=50)
@given(st.text(st.characters(categories=["Cs", "Lu", "So", "Cc"])))
def test_text_with_lone_surrogates_is_written_in_ascii(value: str) -> None:
    text = to_json(value, ROOM)
    assert text is not None
    assert text.isascii()
    came = json.loads(text)
    assert came.encode("utf-16", "surrogatepass") == value.encode("utf-16", "surrogatepass")


def test_numbers_that_are_not_finite_stand_for_themselves() -> None:
    text = to_json([math.nan, math.inf, -math.inf], ROOM)
    assert text == "[NaN,Infinity,-Infinity]"


def test_tuples_become_lists_and_keys_become_text_as_json_writes_them() -> None:
    value = {1: (1, 2), None: 2, False: 3, 1.5: 4, "t": ()}
    text = to_json(value, ROOM)
    assert text is not None
    assert json.loads(text) == json.loads(json.dumps(value))


class Liar(list[int]):
    def __iter__(self) -> Any:
        raise AssertionError


class Text(str):
    __slots__ = ()


@pytest.mark.parametrize(
    "value",
    [
        object(),
        {1, 2},
        1j,
        b"bytes",
        Liar([1]),
        Text("x"),
        [1, [object()]],
        {(1, 2): 3},
        {Text("x"): 1},
        2**MAX_INT_BITS,
        nested(MAX_DEPTH + 1),
        "x" * (ROOM + 1),
        [0] * ROOM,
    ],
)
def test_what_is_not_plain_or_too_large_is_left_out(value: Any) -> None:
    assert to_json(value, ROOM) is None


def test_the_deepest_and_the_largest_that_fit_are_kept() -> None:
    assert to_json(nested(MAX_DEPTH), ROOM) == "[" * MAX_DEPTH + "]" * MAX_DEPTH
    assert to_json(2**MAX_INT_BITS - 1, ROOM) == str(2**MAX_INT_BITS - 1)


def test_values_that_hold_themselves_end() -> None:
    circle: list[Any] = []
    circle += [circle] * 10
    ring: dict[str, Any] = {}
    ring["self"] = ring
    wide: list[Any] = []
    for _ in range(MAX_DEPTH - 1):
        wide = [wide] * 1000
    assert [to_json(value, ROOM) for value in (circle, ring, wide)] == [None, None, None]


def test_numpy_values_are_plain_data_where_it_is_given() -> None:
    value = [
        np.float32(0.5),
        np.int64(-3),
        np.bool_(True),
        np.array([[1.5, math.inf], [2, 3]]),
        np.array(7),
        np.arange(3),
    ]
    expected = "[0.5,-3,true,[[1.5,Infinity],[2.0,3.0]],7,[0,1,2]]"
    assert to_json(value, ROOM, np) == expected
    assert to_json(value, ROOM) is None


@pytest.mark.parametrize(
    "value",
    [
        np.array([1j]),
        np.array([object()]),
        np.datetime64("2020-01-01"),
        np.longdouble(1),
        np.array([1], dtype=np.longdouble),
        np.zeros(ROOM),
    ],
)
def test_other_numpy_values_are_left_out(value: Any) -> None:
    assert to_json(value, ROOM, np) is None


def test_a_programs_names_without_what_it_defined_or_was_given() -> None:
    namespace: dict[Any, Any] = {
        "x": 1,
        "_hidden": 2,
        "__name__": "__main__",
        "json": json,
        "nested": nested,
        "print": print,
        "Liar": Liar,
        "same": [1],
        "changed": [1, 2],
        "other": {1},
        7: 8,
    }
    kept, omitted = names_to_json(namespace, {"same": "[1]", "changed": "[1]"}, ROOM)
    assert json.loads(kept) == {"x": 1, "changed": [1, 2]}
    assert json.loads(omitted) == {"other": "set (not plain data)"}


def test_the_reason_says_why_a_name_is_left_out() -> None:
    deep: list[Any] = []
    deep.append(deep)
    namespace = {"long": "x" * 100, "many": [1] * 100, "big": 2**2000, "deep": deep, "odd": [{1}]}
    assert json.loads(names_to_json(namespace, {}, 90)[1]) == {
        "long": "str (too large)",
        "many": "list (too large)",
        "big": "int (too large)",
        "deep": "list (nested too deep)",
        "odd": "list (not plain data)",
    }


@settings(deadline=None, max_examples=50)
@given(st.dictionaries(st.text(), plain_values), st.integers(10, 500))
def test_names_share_the_room_and_what_is_left_out_is_named(
    namespace: dict[str, Any], room: int
) -> None:
    kept, omitted = (json.loads(text) for text in names_to_json(namespace, {}, room))
    assert kept.keys() | omitted.keys() == {name for name in namespace if name[:1] != "_"}
    assert not kept.keys() & omitted.keys()
    assert len(names_to_json(namespace, {}, room)[0]) <= room + 2
