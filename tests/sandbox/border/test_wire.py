"""Plain values cross the border bit for bit; forged messages build nothing but what they may."""

from __future__ import annotations

import contextlib
import json
import math
import struct
import tracemalloc
from collections import Counter, OrderedDict, defaultdict, deque
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from jupyter_ppo.sandbox.border import wire

quick = settings(max_examples=40, deadline=None)


def refuse(*seen: Any) -> Any:
    msg = f"not plain: {seen!r:.80}"
    raise wire.WireError(msg)


def crossed(value: Any) -> Any:
    encoder = wire.Encoder(refuse)
    header = wire.dumps({"r": encoder.tree(value)})
    decoder = wire.Decoder(encoder.blob(), refuse, generators=True)
    return decoder.value(wire.loads(header)["r"])


def same(one: Any, other: Any) -> bool:
    """Whether two values are equal to the bit and in type, to any depth."""
    if type(one) is not type(other):
        return False
    if type(one) is float:
        return struct.pack("d", one) == struct.pack("d", other)
    if type(one) is complex:
        return same(one.real, other.real) and same(one.imag, other.imag)
    if type(one) in (list, tuple, deque):
        is_like = len(one) == len(other) and getattr(one, "maxlen", 0) == getattr(
            other, "maxlen", 0
        )
        return is_like and all(map(same, one, other))
    if isinstance(one, dict):
        return same(list(one.items()), list(other.items()))
    if isinstance(one, np.ndarray | np.generic):
        is_like = one.dtype == other.dtype and one.shape == other.shape
        return is_like and one.tobytes() == other.tobytes()
    return bool(one == other)


texts = st.text(st.characters(codec=None), max_size=20) | st.sampled_from(
    ["\ud83d\ude00", "\ud800"]
)
leaves = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=True)
    | st.complex_numbers(allow_nan=True)
    | texts
    | st.binary(max_size=20)
    | st.decimals(allow_nan=False)
    | st.fractions()
    | st.builds(bytearray, st.binary(max_size=9))
    | st.slices(9)
    | st.sampled_from([int, float, list, dict, object, type(None), ..., NotImplemented])
)
hashable = st.none() | st.booleans() | st.integers() | texts | st.tuples(st.integers(), texts)
values = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.lists(inner, max_size=5).map(tuple)
        | st.builds(deque, st.lists(inner, max_size=5), st.none() | st.integers(0, 9))
        | st.dictionaries(hashable, inner, max_size=5)
        | st.dictionaries(hashable, inner, max_size=5).map(OrderedDict)
        | st.dictionaries(texts, inner, max_size=5).map(lambda d: defaultdict(list, d))
    ),
    max_leaves=20,
)


@quick
@given(values)
def test_plain_values_cross_bit_for_bit_with_their_exact_types(value: Any) -> None:
    assert same(crossed(value), value)


@quick
@given(st.sets(hashable), st.frozensets(hashable), st.lists(texts).map(Counter))
def test_sets_and_counters_cross(
    one: set[Any], frozen: frozenset[Any], counter: Counter[str]
) -> None:
    for value in (one, frozen, counter):
        assert crossed(value) == value
        assert type(crossed(value)) is type(value)


@quick
@given(
    st.lists(st.floats(allow_nan=True), min_size=65, max_size=80)
    | st.lists(st.integers(-(2**63), 2**63 - 1), min_size=65, max_size=80)
    | st.lists(st.integers(-(2**70), 2**70) | st.booleans(), min_size=65, max_size=80)
)
def test_long_lists_of_numbers_cross_bit_for_bit(numbers: list[Any]) -> None:
    assert same(crossed(numbers), numbers)
    assert same(crossed(tuple(numbers)), tuple(numbers))


def test_long_lists_of_numbers_take_no_room_in_the_json_text() -> None:
    encoder = wire.Encoder(refuse)
    assert len(wire.dumps({"r": encoder.tree([0.1] * 100_000)})) < 100
    assert len(encoder.blob()) == 800_000


dtypes = (
    hnp.boolean_dtypes()
    | hnp.integer_dtypes(endianness="?")
    | hnp.unsigned_integer_dtypes(endianness="?")
    | hnp.floating_dtypes(endianness="?", sizes=(16, 32, 64))
    | hnp.complex_number_dtypes(endianness="?", sizes=(64, 128))
    | hnp.unicode_string_dtypes(endianness="?", max_len=5)
    | hnp.byte_string_dtypes(max_len=5)
    | hnp.datetime64_dtypes(endianness="?")
    | hnp.timedelta64_dtypes(endianness="?")
)


@quick
@given(
    hnp.arrays(dtypes, hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)),
    st.sampled_from(["C", "F", "reversed", "every other"]),
)
def test_arrays_of_every_kind_and_layout_cross_bit_for_bit(array: Any, layout: str) -> None:
    if layout == "F":
        array = np.asfortranarray(array)
    elif array.ndim:
        array = {"reversed": array[::-1], "every other": array[::2]}.get(layout, array)
    found = crossed(array)
    assert same(found, array)
    assert found.flags.writeable
    assert found.flags.f_contiguous == np.asarray(array, order="K").copy("K").flags.f_contiguous


@pytest.mark.parametrize(
    "value",
    [
        np.float64(-0.0),
        np.float32("nan"),
        np.bool_(True),
        np.int8(-1),
        np.str_("ä\0"),
        np.bytes_(b"a\0"),
        np.datetime64("2020-01-01T00", "h"),
        np.dtype(">f4"),
        np.float32,
        np.bool_,
        np.str_,
        torch.float32,
        torch.bfloat16,
        torch.Size([2, 3]),
        torch.device("cpu"),
        2 ** (2**20 - 1),
        -(2**53),
        "x" * 2**17,
        Fraction(1, 3),
        Decimal("1E+6"),
        Decimal("-0.00"),
        range(3, 10**30, 7),
        defaultdict(int, a=1),
    ],
    ids=lambda value: f"{type(value).__name__}",
)
def test_other_plain_values_cross(value: Any) -> None:
    found = crossed(value)
    assert same(found, value) or (math.isnan(value) and math.isnan(found))


@pytest.mark.parametrize(
    "dtype",
    [
        *("bool", "uint8", "int8", "int16", "int32", "int64", "float16", "bfloat16"),
        *("float32", "float64", "complex64", "complex128"),
    ],
)
@pytest.mark.parametrize("shape", [(), (0, 2), (3,), (2, 3)])
def test_tensors_of_every_kind_cross(dtype: str, shape: tuple[int, ...]) -> None:
    value = (torch.rand(shape) * 5).to(getattr(torch, dtype))
    found = crossed(value)
    assert type(found) is torch.Tensor
    assert found.dtype is value.dtype
    assert torch.equal(found, value)
    assert not found.requires_grad


def test_a_tensor_that_needs_a_gradient_still_says_so() -> None:
    assert crossed(torch.ones(2, requires_grad=True)).requires_grad
    found = crossed(torch.nn.Parameter(torch.ones(2), requires_grad=False))
    assert type(found) is torch.nn.Parameter
    assert not found.requires_grad


def test_a_transposed_or_conjugated_tensor_crosses_as_it_looks() -> None:
    value = torch.tensor([[1 + 2j, 3], [4, 5j]]).T.conj()
    assert torch.equal(crossed(value), value)


def test_a_generator_crosses_as_a_copy_and_only_where_it_may() -> None:
    original = np.random.default_rng(7)
    original.integers(0, 9, dtype=np.int32)  # half of a random number is left over
    copy = crossed(original)
    assert copy.integers(0, 99, 5, dtype=np.int32).tolist() == (
        original.integers(0, 99, 5, dtype=np.int32).tolist()
    )
    encoder = wire.Encoder(refuse)
    tree = encoder.tree(original)
    with pytest.raises(wire.WireError, match="random generator"):
        wire.Decoder(encoder.blob(), refuse).value(tree)
    with pytest.raises(wire.WireError, match="not plain"):
        wire.Encoder(refuse, generators=False).tree(original)


class SubInt(int):
    """Not plain: its methods are the student's."""


class SubArray(np.ndarray):
    """Not plain."""


class SubDict(dict[Any, Any]):
    """Not plain."""


@pytest.mark.parametrize(
    "value",
    [
        SubInt(1),
        SubDict(),
        np.zeros(2).view(SubArray),
        np.array([object()]),
        np.zeros(2, "i4,f8"),
        np.longdouble(1),
        np.random.default_rng,
        torch.zeros(2).to_sparse(),
        torch.zeros(2, device="meta"),
        SubInt,
        len,
        object(),
    ],
    ids=lambda value: f"{type(value).__name__}",
)
def test_what_is_not_exactly_a_plain_type_is_left_to_the_caller(value: Any) -> None:
    seen: list[Any] = []
    assert wire.Encoder(lambda found: seen.append(found) or "node").tree([value]) == ["node"]
    assert seen[0] is value


def test_a_value_that_holds_itself_or_is_too_large_is_refused() -> None:
    endless: list[Any] = []
    endless.append(endless)
    for value in (endless, 2**2**20, [0, ""] * 1_000_001, np.zeros(2**23), "x" * 2**26):
        with pytest.raises(wire.WireError):
            wire.Encoder(refuse).tree(value)


def test_json_that_is_too_long_is_refused_on_both_sides() -> None:
    with pytest.raises(wire.WireError):
        wire.dumps({"r": ["x" * 1000] * 5000})
    with pytest.raises(wire.WireError):
        wire.loads(b"{" + b" " * wire.MAX_HEADER + b"}")


@pytest.mark.parametrize(
    "header",
    [b"", b"[]", b"1", b"{} ", b"{", b"\xff", b"[" * 10**6, b'{"a":' * 10**5, b"{}{}", b'{"a":tru'],
)
def test_what_is_not_one_json_object_is_refused(header: bytes) -> None:
    with pytest.raises(wire.WireError):
        wire.loads(header)


BLOB = bytes(range(256)) * 4
FORGED = [
    {"t": "ndarray", "d": "<f8", "s": [2**40, 2**40], "b": [0, 8]},
    {"t": "ndarray", "d": "<f8", "s": [0, 2**47], "b": [0, 8]},
    {"t": "ndarray", "d": "<f8", "s": [-1], "b": [0, 8]},
    {"t": "ndarray", "d": "<f8", "s": [True], "b": [0, 8]},
    {"t": "ndarray", "d": "<f8", "s": [1.0], "b": [0, 8]},
    {"t": "ndarray", "d": "|O", "s": [1], "b": [0, 8]},
    {"t": "ndarray", "d": "|O8", "s": [1], "b": [0, 8]},
    {"t": "ndarray", "d": "|V8", "s": [1], "b": [0, 8]},
    {"t": "ndarray", "d": "<f8", "s": [2], "b": [0, 8]},
    {"t": "ndarray", "d": "<f8", "s": [1], "b": [1020, 8]},
    {"t": "ndarray", "d": "<f8", "s": [1], "b": [-8, 8]},
    {"t": "ndarray", "d": "<U1", "s": [1], "b": [252, 4]},
    {"t": "ndarray", "d": "<f8", "s": [1] * 65, "b": [0, 8]},
    {"t": "np.scalar", "d": "<f8", "s": [1], "b": [0, 8]},
    {"t": "tensor", "d": "float128", "s": [1], "b": [0, 16]},
    {"t": "torch.dtype", "v": "nn"},
    {"t": "np.type", "v": "ndarray"},
    {"t": "np.dtype", "v": "O"},
    {"t": "symbol", "v": "eval"},
    {"t": "defaultdict", "f": "Ellipsis", "v": []},
    {"t": "int", "v": "0x" + "f" * 2**20},
    {"t": "int", "v": "1_0"},
    {"t": "Fraction", "v": [1, 0]},
    {"t": "Fraction", "v": [1, {"t": "int", "v": "0x" + "f" * 2**16}]},
    {"t": "Decimal", "v": "1E+9999999"},
    {"t": "complex", "v": ["1", 2.0]},
    {"t": "range", "v": [0, 1, 0]},
    {"t": "set", "v": [[]]},
    {"t": "dict", "v": [[[], 1]]},
    {"t": "dict", "v": [1]},
    {"t": "packed", "d": "O", "b": [0, 8]},
    {"t": "packed", "d": "d", "b": [0, 7]},
    {"t": "deque", "m": 2**70, "v": []},
    {"t": "str", "b": [128, 128]},
    {"t": "eval", "v": "1"},
    {"t": 1},
    {"no tag": 1},
    [{"t": "bytes", "b": [0, 600]}] * 2,
]


@pytest.mark.parametrize("tree", FORGED, ids=lambda tree: json.dumps(tree)[:60])
def test_a_forged_tree_is_refused(tree: Any) -> None:
    with pytest.raises(wire.WireError):
        wire.Decoder(BLOB, refuse).value(tree)


def test_bools_of_other_bytes_than_0_and_1_are_made_clean() -> None:
    tree = {"t": "ndarray", "d": "|b1", "s": [3], "b": [0, 3]}
    found = wire.Decoder(b"\x00\x02\xff", refuse).value(tree)
    assert found.view("u1").tolist() == [0, 1, 1]


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(["<f8", "|b1", "<U1", "float32", "0x1f", "int", "d", "q", "C", "1E5"])
    | texts,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(list("tvbdsofmgp")), inner, max_size=5)
    ),
    max_leaves=12,
)
tags = st.sampled_from(
    [
        *("int", "float", "str", "packed", "tuple", "set", "frozenset", "deque", "dict"),
        *("OrderedDict", "Counter", "defaultdict", "complex", "bytes", "bytearray", "slice"),
        *("range", "Decimal", "Fraction", "symbol", "ndarray", "np.scalar", "np.str", "np.bytes"),
        *("np.dtype", "np.type", "generator", "tensor", "torch.dtype", "torch.Size"),
        *("torch.device", "ref"),
    ]
)
places = st.tuples(st.integers(-9, 1100), st.integers(-9, 1100)).map(list)
shapes = st.lists(st.integers(-1, 9) | st.sampled_from([2**40, 2**63]), max_size=4)
nodes = st.fixed_dictionaries(
    {"t": tags},
    optional={
        "v": json_values,
        "b": places | json_values,
        "s": shapes | json_values,
        "d": json_values,
        "m": json_values,
        "f": json_values,
        "o": json_values,
    },
)


@settings(max_examples=200, deadline=None)
@given(nodes | st.lists(nodes, max_size=3), st.binary(max_size=64))
def test_no_forged_message_raises_anything_but_a_wire_error(tree: Any, start: bytes) -> None:
    text = json.dumps({"r": tree}).encode()
    with contextlib.suppress(wire.WireError):
        wire.Decoder(start + BLOB, refuse, generators=True).value(wire.loads(text)["r"])


def test_forged_messages_take_little_memory() -> None:
    part = wire.MAX_HEADER // 16
    half = part // 2
    floods = [
        b"[" + b"[]," * (half // 3) + b"0]",
        b"[" + b"1," * (half // 2) + b"0]",
        b"[" + b'{"t":"deque","m":null,"v":[]},' * (half // 32) + b"0]",
        b"[" + b'{"t":"ndarray","d":"<f8","s":[0],"b":[0,0]},' * (half // 45) + b"0]",
        b"[" + b'{"t":"ndarray","d":"<f8","s":[100000000],"b":[0,8]},' * (half // 54) + b"0]",
    ]
    for flood in floods:
        tracemalloc.start()
        with contextlib.suppress(wire.WireError):
            wire.Decoder(b"", refuse).value(wire.loads(b'{"r":' + flood + b"}")["r"])
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 40 * part, flood[:40]


@pytest.mark.parametrize(
    "make",
    [
        lambda: [0] * 10**7,
        lambda: [[0] * 10**6] * 3,
        lambda: tuple([None] * 10**7),
        lambda: deque([None] * 10**7),
        lambda: dict.fromkeys(range(2_100_000)),
        lambda: bytearray(10**8),
        lambda: np.broadcast_to(0.0, 10**12),
        lambda: torch.zeros(1).expand(10**12),
        lambda: "x" * 10**8,
    ],
)
def test_what_is_too_large_is_refused_before_it_is_looked_at(make: Any) -> None:
    value = make()
    tracemalloc.start()
    try:
        with pytest.raises(wire.WireError, match=r"items is too large|bytes; at most"):
            wire.Encoder(refuse).tree(value)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 20_000_000
