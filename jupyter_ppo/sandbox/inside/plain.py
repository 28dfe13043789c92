"""Plain data out of a student's values: numbers, text, lists and dictionaries, as JSON text.

It runs in the student's process after the student's code, so it looks at exact types only, calls
nothing that the student's classes define, and stops at a depth and at a size. That keeps honest
values honest; who wants to forge may, and the server checks all of it again.

``NaN``, ``Infinity`` and ``-Infinity`` stand for themselves, as Python's ``json`` writes them.
"""

from __future__ import annotations

import types
from collections.abc import Mapping
from json.encoder import encode_basestring_ascii
from typing import Any, Final

MAX_DEPTH: Final = 20
MAX_INT_BITS: Final = 1024
#: Characters of an exception's text and of its traceback.
MAX_MESSAGE: Final = 2000
MAX_TRACEBACK: Final = 20_000
_NOT_FINITE: Final = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}
_NUMPY_KINDS: Final = "biufU"
#: What a program defines without meaning it as a result.
_DEFINITIONS: Final = (
    types.FunctionType,
    types.BuiltinFunctionType,
    types.ModuleType,
    types.MethodType,
)
_NAME_OF_TYPE: Final = type.__dict__["__name__"].__get__
_OMITTED_BYTES: Final = 32 * 1024
_LONGEST_TYPE_NAME: Final = 100


class NotPlainError(Exception):
    """The value is something else, or too large; the text says which."""


_NOT_PLAIN: Final = "not plain data"
_TOO_LARGE: Final = "too large"
_TOO_DEEP: Final = "nested too deep"


def text(value: str) -> str:
    """Return a JSON string in ASCII; lone surrogates are kept as their escapes."""
    return encode_basestring_ascii(value)


def to_json(value: Any, max_bytes: int, numpy: Any = None) -> str | None:
    """Return the JSON text of plain data, or None when it is not plain or takes more bytes.

    ``numpy``, the module, makes its scalars and arrays plain data too.
    """
    return _written(value, max_bytes, numpy)[0]


def _written(value: Any, max_bytes: int, numpy: Any) -> tuple[str | None, str]:
    """Return the JSON text, or None and why there is none."""
    writer = _Writer(max_bytes, numpy)
    try:
        writer.write(value, 0)
    except NotPlainError as error:
        return None, error.args[0]
    except Exception:  # also what a thread of the student's that changes the value causes
        return None, _NOT_PLAIN
    return "".join(writer.pieces), ""


def type_name(value: Any) -> str:
    """Return the name of a value's type."""
    name: str = _NAME_OF_TYPE(type(value))
    return name[:_LONGEST_TYPE_NAME]


def names_to_json(
    namespace: dict[str, Any], given: Mapping[str, str], max_bytes: int, numpy: Any = None
) -> tuple[str, str]:
    """Return a program's names with their plain data, and those left out, as JSON.

    Of a name left out the type and the reason are given, as in ``"set (not plain data)"``.

    Left out without a word are names with an underscore in front, modules, functions, classes, and
    the ``given`` names whose JSON text is still the same.
    """
    kept: list[str] = []
    omitted: list[str] = []
    left, left_omitted = max_bytes, _OMITTED_BYTES
    for name, value in list(namespace.items()):
        if type(name) is not str or name[:1] == "_" or _is_definition(value):
            continue
        data, reason = _written(value, left, numpy)
        if data is not None and given.get(name) == data:
            continue
        key = text(name)
        if data is not None and len(key) + len(data) + 2 <= left:
            left -= len(key) + len(data) + 2
            kept.append(f"{key}:{data}")
        elif len(key) < left_omitted:
            shown = f"{type_name(value)} ({reason or _TOO_LARGE})"
            entry = f"{key}:{text(shown)}"
            left_omitted -= len(entry)
            omitted.append(entry)
    return f"{{{','.join(kept)}}}", f"{{{','.join(omitted)}}}"


def _is_definition(value: Any) -> bool:
    kind = type(value)
    return kind in _DEFINITIONS or issubclass(kind, type)


class _Writer:
    def __init__(self, max_bytes: int, numpy: Any) -> None:
        self.pieces: list[str] = []
        self._left = max_bytes
        self._array = numpy.ndarray if numpy else None
        self._scalars = frozenset(numpy.sctypeDict.values()) if numpy else frozenset()

    def write(self, value: Any, depth: int) -> None:
        kind = type(value)
        if kind in (list, tuple):
            self._write_list(value, depth)
        elif kind is dict:
            self._write_dict(value, depth)
        elif kind is self._array:
            if value.dtype.kind not in _NUMPY_KINDS:
                raise NotPlainError(_NOT_PLAIN)
            if value.size > self._left:
                raise NotPlainError(_TOO_LARGE)
            self.write(value.tolist(), depth)
        elif kind in self._scalars and kind not in (bool, int, float, str):
            self._put(self._leaf(value.item()))
        else:
            self._put(self._leaf(value))

    def _write_list(self, value: Any, depth: int) -> None:
        self._check(depth)
        opening = "["
        for item in value:
            self._put(opening)
            self.write(item, depth + 1)
            opening = ","
        self._put("[]" if opening == "[" else "]")

    def _write_dict(self, value: dict[Any, Any], depth: int) -> None:
        self._check(depth)
        opening = "{"
        for key, item in value.items():
            self._put(opening)
            leaf = self._leaf(key)
            self._put(leaf if type(key) is str else f'"{leaf}"')
            self._put(":")
            self.write(item, depth + 1)
            opening = ","
        self._put("{}" if opening == "{" else "}")

    def _leaf(self, value: Any) -> str:
        kind = type(value)
        if kind is str:
            if len(value) > self._left:
                raise NotPlainError(_TOO_LARGE)
            return text(value)
        if kind is int:
            if value.bit_length() > MAX_INT_BITS:
                raise NotPlainError(_TOO_LARGE)
            return repr(value)
        if kind is float:
            written = repr(value)
            return _NOT_FINITE.get(written, written)
        if value is None:
            return "null"
        if kind is bool:
            return "true" if value else "false"
        raise NotPlainError(_NOT_PLAIN)

    def _put(self, piece: str) -> None:
        self._left -= len(piece)
        if self._left < 0:
            raise NotPlainError(_TOO_LARGE)
        self.pieces.append(piece)

    @staticmethod
    def _check(depth: int) -> None:
        if depth >= MAX_DEPTH:
            raise NotPlainError(_TOO_DEEP)
