"""Trees and bytes as plain values: the side that receives, which trusts nothing. See ``wire``."""

from __future__ import annotations

from array import array
from collections import defaultdict, deque
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final, NoReturn

from jupyter_ppo.sandbox.border.wire_types import (
    DECIMAL,
    DTYPE,
    FLOAT,
    HEX,
    MAPPINGS,
    MAX_CODE_POINT,
    MAX_DEPTH,
    MAX_DIMENSIONS,
    MAX_FRACTION_BITS,
    MAX_INT_BITS,
    MAX_NODES,
    MAX_TEXT_ITEM,
    SCALAR_TYPES,
    SEQUENCES,
    SYMBOLS,
    TENSORS,
    Tree,
    WireError,
    scalar_type,
)

Node = dict[str, Tree]


class Decoder:
    """Builds the values of one message.

    ``foreign`` is given the tag and the node of what is no plain value; it builds it or raises
    ``WireError``. ``generators`` says whether a ``numpy.random.Generator`` is taken: never by the
    examiner, which must not take random numbers from the student. All trees of a message share the
    limits, and no byte of the blob is used for two values.
    """

    def __init__(
        self, blob: bytes, foreign: Callable[[str, Node], Any], *, generators: bool = False
    ) -> None:
        self._blob = memoryview(blob)
        self._foreign = foreign
        self._generators = generators
        self._unused = len(blob)
        self._nodes = self._depth = 0

    def value(self, tree: Tree) -> Any:
        """Return the value of a tree; raise ``WireError`` when it is none that is allowed."""
        try:
            return self._value(tree)
        except WireError:
            raise
        except Exception as error:
            msg = f"A value that came across the border is malformed: {type(error).__name__}."
            raise WireError(msg) from None

    def _value(self, tree: Tree) -> Any:
        self._count(1)
        kind = type(tree)
        if tree is None or kind is bool or kind is str or kind is int or kind is float:
            return tree
        if self._depth > MAX_DEPTH:
            _refuse("it is nested too deeply")
        self._depth += 1
        try:
            if kind is list:
                return [self._value(item) for item in tree]
            tag = tree.get("t") if kind is dict else None
            if type(tag) is not str:
                _refuse("a node without a tag")
            make = _DECODERS.get(tag)
            return self._foreign(tag, tree) if make is None else make(self, tree)
        finally:
            self._depth -= 1

    def _count(self, nodes: int) -> None:
        self._nodes += nodes
        if self._nodes > MAX_NODES:
            _refuse("it has too many parts")

    def _bytes(self, node: Node) -> memoryview:
        offset, length = node["b"]
        if not (_is_size(offset) and _is_size(length) and offset + length <= len(self._blob)):
            _refuse("bytes that are not there")
        self._unused -= length
        if self._unused < 0:
            _refuse("bytes that are used twice")
        return self._blob[offset : offset + length]

    def _items(self, tree: Tree) -> list[Any]:
        """Return the parts of a sequence, one by one or packed."""
        if type(tree) is not list and tree["t"] != "packed":
            _refuse("a sequence without items")
        items: list[Any] = self._value(tree)
        return items

    def _int(self, node: Node) -> int:
        return _int(node["v"], MAX_INT_BITS)

    def _float(self, node: Node) -> float:
        (value,) = FLOAT.unpack(bytes.fromhex(_text(node["v"])))
        return float(value)

    def _str(self, node: Node) -> str:
        return str(self._bytes(node), "utf-8", "surrogatepass")

    def _packed(self, node: Node) -> list[Any]:
        if node["d"] not in ("d", "q"):
            _refuse("packed numbers of an unknown kind")
        data = self._bytes(node)
        self._count(len(data) // 8)
        return array(node["d"], bytes(data)).tolist()

    def _sequence(self, node: Node) -> Any:
        return SEQUENCES[node["t"]](self._items(node["v"]))

    def _deque(self, node: Node) -> deque[Any]:
        most = node["m"]
        if most is not None and not _is_size(most):
            _refuse("a deque of impossible length")
        return deque(self._items(node["v"]), most)

    def _pairs(self, node: Node) -> dict[Any, Any]:
        pairs = node["v"]
        if type(pairs) is not list:
            _refuse("a mapping without pairs")
        return {self._value(key): self._value(item) for key, item in pairs}

    def _mapping(self, node: Node) -> dict[Any, Any]:
        return MAPPINGS[node["t"]](self._pairs(node))

    def _defaultdict(self, node: Node) -> defaultdict[Any, Any]:
        factory = None if node["f"] is None else SYMBOLS[_text(node["f"])]
        if factory is not None and not callable(factory):
            _refuse("a factory that cannot be called")
        return defaultdict(factory, self._pairs(node))

    def _complex(self, node: Node) -> complex:
        real, imaginary = (self._value(part) for part in node["v"])
        if type(real) is not float or type(imaginary) is not float:
            _refuse("a complex number of other things than floats")
        return complex(real, imaginary)

    def _plain_bytes(self, node: Node) -> bytes:
        return bytes(self._bytes(node))

    def _bytearray(self, node: Node) -> bytearray:
        return bytearray(self._bytes(node))

    def _slice(self, node: Node) -> slice:
        start, stop, step = (self._value(bound) for bound in node["v"])
        return slice(start, stop, step)

    def _range(self, node: Node) -> range:
        start, stop, step = (self._value(bound) for bound in node["v"])
        if not type(start) is type(stop) is type(step) is int:
            _refuse("a range of other things than ints")
        return range(start, stop, step)

    def _decimal(self, node: Node) -> Decimal:
        if not DECIMAL.fullmatch(_text(node["v"])):
            _refuse("a Decimal of unknown form")
        return Decimal(node["v"])

    def _fraction(self, node: Node) -> Fraction:
        parts = [self._value(part) for part in node["v"]]
        if not all(type(part) is int and part.bit_length() <= MAX_FRACTION_BITS for part in parts):
            _refuse("a Fraction of impossible parts")
        numerator, denominator = parts
        return Fraction(numerator, denominator)

    def _symbol(self, node: Node) -> Any:
        return SYMBOLS[_text(node["v"])]

    def _raw_array(self, node: Node, code: str) -> Any:
        """Return a new array; every length is checked before anything is made."""
        shape, order = node["s"], node.get("o", "C")
        if type(shape) is not list or len(shape) > MAX_DIMENSIONS or order not in ("C", "F"):
            _refuse("an array of impossible shape")
        count = 1
        for length in shape:
            if not _is_size(length):
                _refuse("an array of impossible shape")
            count *= length
        np = _numpy()
        dtype = np.dtype(code)
        data = self._bytes(node)
        if dtype.itemsize > MAX_TEXT_ITEM * 4 or count * dtype.itemsize != len(data):
            _refuse("an array whose shape and bytes disagree")
        if dtype.kind == "U" and len(data):
            points = np.frombuffer(data, dtype.str[0] + "u4")
            if points.max() > MAX_CODE_POINT:
                _refuse("text of impossible characters")
        if dtype.kind == "b":  # a bool of other bytes than 0 and 1 is undefined behaviour
            return np.frombuffer(data, "u1").reshape(shape, order=order).astype("?")
        return np.frombuffer(data, dtype).reshape(shape, order=order).copy(order="K")

    def _array(self, node: Node) -> Any:
        return self._raw_array(node, _dtype_code(node["d"]))

    def _scalar(self, node: Node) -> Any:
        if node["s"] != []:
            _refuse("a scalar with a shape")
        return self._array(node)[()]

    def _np_str(self, node: Node) -> Any:
        return _numpy().str_(_text(self._value(node["v"])))

    def _np_bytes(self, node: Node) -> Any:
        return _numpy().bytes_(self._plain_bytes(node))

    def _np_dtype(self, node: Node) -> Any:
        return _numpy().dtype(_dtype_code(node["v"]))

    def _np_type(self, node: Node) -> Any:
        if _text(node["v"]) not in SCALAR_TYPES:
            _refuse("an unknown scalar type")
        return scalar_type(_numpy(), node["v"])

    def _generator(self, node: Node) -> Any:
        if not self._generators:
            _refuse("a random generator, which does not cross in this direction")
        state, step, has_half, half = (_int(number, 128) for number in node["v"])
        bits = _numpy().random.PCG64(0)
        bits.state = {
            "bit_generator": "PCG64",
            "state": {"state": state, "inc": step},
            "has_uint32": has_half,
            "uinteger": half,
        }
        return _numpy().random.Generator(bits)

    def _tensor(self, node: Node) -> Any:
        name = _text(node["d"])
        data = self._raw_array(node, TENSORS[name])
        torch = _torch()
        made = torch.from_numpy(data)
        if name == "bfloat16":
            made = made.view(torch.bfloat16)
        needs_gradient = node.get("g") is True
        if node.get("p") is True:
            return torch.nn.Parameter(made, requires_grad=needs_gradient)
        return made.requires_grad_() if needs_gradient else made

    def _torch_dtype(self, node: Node) -> Any:
        if _text(node["v"]) not in TENSORS:
            _refuse("an unknown dtype")
        return getattr(_torch(), node["v"])

    def _torch_size(self, node: Node) -> Any:
        lengths = node["v"]
        if type(lengths) is not list or not all(map(_is_size, lengths)):
            _refuse("an impossible size")
        self._count(len(lengths))
        return _torch().Size(lengths)

    def _torch_device(self, node: Node) -> Any:
        if node["v"] != "cpu":
            _refuse("an unknown device")
        return _torch().device("cpu")


def _refuse(what: str) -> NoReturn:
    msg = f"A value that came across the border is malformed: {what}."
    raise WireError(msg)


def _is_size(number: Tree) -> bool:
    return type(number) is int and 0 <= number < 2**48


def _text(value: Tree) -> str:
    if type(value) is not str:
        _refuse("no text where text belongs")
    return value


def _int(text: Tree, bits: int) -> int:
    if len(_text(text)) > bits // 4 + 3 or not HEX.fullmatch(text):
        _refuse("an int of unknown form")
    return int(text, 16)


def _dtype_code(code: Tree) -> str:
    if not DTYPE.fullmatch(_text(code)):
        _refuse("an array of a dtype that does not cross")
    return str(code)


def _numpy() -> Any:
    import numpy as np

    return np


def _torch() -> Any:
    import torch

    return torch


_DECODERS: Final[dict[str, Callable[[Decoder, Node], Any]]] = {
    "int": Decoder._int,
    "float": Decoder._float,
    "str": Decoder._str,
    "packed": Decoder._packed,
    "tuple": Decoder._sequence,
    "set": Decoder._sequence,
    "frozenset": Decoder._sequence,
    "deque": Decoder._deque,
    "dict": Decoder._mapping,
    "OrderedDict": Decoder._mapping,
    "Counter": Decoder._mapping,
    "defaultdict": Decoder._defaultdict,
    "complex": Decoder._complex,
    "bytes": Decoder._plain_bytes,
    "bytearray": Decoder._bytearray,
    "slice": Decoder._slice,
    "range": Decoder._range,
    "Decimal": Decoder._decimal,
    "Fraction": Decoder._fraction,
    "symbol": Decoder._symbol,
    "ndarray": Decoder._array,
    "np.scalar": Decoder._scalar,
    "np.str": Decoder._np_str,
    "np.bytes": Decoder._np_bytes,
    "np.dtype": Decoder._np_dtype,
    "np.type": Decoder._np_type,
    "generator": Decoder._generator,
    "tensor": Decoder._tensor,
    "torch.dtype": Decoder._torch_dtype,
    "torch.Size": Decoder._torch_size,
    "torch.device": Decoder._torch_device,
}
