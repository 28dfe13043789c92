"""What counts as a plain value at the border, and how large it may be."""

from __future__ import annotations

import re
import struct
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterable
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final, TypeAlias

#: What JSON can hold; its real type is recursive, and every use of it checks.
Tree: TypeAlias = Any

#: The longest JSON text, in bytes. Short lists cost most: 4 MiB of them take about 10 MB.
MAX_HEADER: Final = 4 * 2**20
#: All raw bytes of one message.
MAX_BLOB: Final = 48 * 2**20
#: Values in one message, and how deep they may lie in each other.
MAX_NODES: Final = 2_000_000
MAX_DEPTH: Final = 60
#: The largest int, and the largest numerator (finding a common divisor takes quadratic time).
MAX_INT_BITS: Final = 2**20
MAX_FRACTION_BITS: Final = 2**14

#: Ints that every JSON parser reads exactly; longer texts and lists travel as bytes.
JSON_INT: Final = 2**53
LONG_TEXT: Final = 2**14
LONG_LIST: Final = 64
MAX_DIMENSIONS: Final = 32
MAX_TEXT_ITEM: Final = 2**16
MAX_CODE_POINT: Final = 0x10FFFF

DTYPE: Final = re.compile(
    r"\|[biu]1|[<>](?:[iu][248]|f[248]|c8|c16)"
    r"|[<>]U[1-9]\d{0,4}|\|S[1-9]\d{0,4}"
    r"|[<>][mM]8(?:\[[1-9]?\d{0,2}(?:Y|M|W|D|h|m|s|ms|us|ns|ps|fs|as)\])?"
)
#: PyTorch's names and numpy's codes of the same bytes; numpy has no bfloat16.
TENSORS: Final = {
    "bool": "|b1",
    "uint8": "|u1",
    "int8": "|i1",
    "int16": "<i2",
    "int32": "<i4",
    "int64": "<i8",
    "float16": "<f2",
    "bfloat16": "<i2",
    "float32": "<f4",
    "float64": "<f8",
    "complex64": "<c8",
    "complex128": "<c16",
}
SCALAR_TYPES: Final = {
    *("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"),
    *("float16", "float32", "float64", "complex64", "complex128", "str", "bytes"),
}
SEQUENCES: Final[dict[str, Callable[[Iterable[Any]], Any]]] = {
    "tuple": tuple,
    "set": set,
    "frozenset": frozenset,
}
MAPPINGS: Final[dict[str, type[dict[Any, Any]]]] = {
    "dict": dict,
    "OrderedDict": OrderedDict,
    "Counter": Counter,
}
SYMBOLS: Final[dict[str, Any]] = {
    made.__name__: made
    for made in (
        *(object, type, bool, int, float, complex, str, bytes, bytearray, slice, range),
        *(list, tuple, dict, set, frozenset, deque, defaultdict, OrderedDict, Counter),
        *(Decimal, Fraction),
    )
} | {"NoneType": type(None), "Ellipsis": Ellipsis, "NotImplemented": NotImplemented}
SYMBOL_NAMES: Final = {id(value): name for name, value in SYMBOLS.items()}
#: Only types, and these two, are looked up by identity.
SYMBOL_TYPES: Final = (type, type(Ellipsis), type(NotImplemented))

HEX: Final = re.compile(r"-?0x[0-9a-f]+")
DECIMAL: Final = re.compile(
    r"-?(?:\d{1,4000}(?:\.\d{1,4000})?(?:E[+-]?\d{1,6})?|Infinity|s?NaN\d{0,4000})"
)
FLOAT: Final = struct.Struct(">d")


class WireError(Exception):
    """A value cannot cross the border, or what came is none that ``Encoder`` makes."""


def scalar_type(np: Any, name: str) -> Any:
    """Return numpy's class of this name, one of ``SCALAR_TYPES``."""
    return getattr(np, {"bool": "bool_", "str": "str_", "bytes": "bytes_"}.get(name, name))
