"""Plain values as trees and bytes: the side that sends. See ``wire``."""

from __future__ import annotations

import sys
from array import array
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from math import isfinite
from typing import Any, Final

from jupyter_ppo.sandbox.border.wire_types import (
    DECIMAL,
    DTYPE,
    FLOAT,
    JSON_INT,
    LONG_LIST,
    LONG_TEXT,
    MAX_BLOB,
    MAX_DEPTH,
    MAX_FRACTION_BITS,
    MAX_INT_BITS,
    MAX_NODES,
    SCALAR_TYPES,
    SYMBOL_NAMES,
    SYMBOL_TYPES,
    TENSORS,
    Tree,
    WireError,
    scalar_type,
)


class Encoder:
    """Makes the trees of one message and collects its bytes.

    ``foreign`` gives the tree of an object that is no plain value, or raises. ``generators`` says
    whether ``numpy.random.Generator`` is one (a copy of its state).
    """

    def __init__(self, foreign: Callable[[Any], Tree], *, generators: bool = True) -> None:
        self._foreign = foreign
        self._generators = generators
        self._buffers: list[Any] = []
        self._size = self._nodes = self._depth = 0

    def blob(self) -> bytes:
        """Return the bytes of all trees made so far."""
        return b"".join(self._buffers)

    def tree(self, value: Any) -> Tree:
        """Return the tree of a value; raise ``WireError`` when it is too large, deep or cyclic."""
        self._nodes += 1
        if self._depth > MAX_DEPTH or self._nodes > MAX_NODES:
            msg = "A value is too large, nested too deeply, or holds itself."
            raise WireError(msg)
        kind = type(value)
        if value is None or kind is bool:
            return value
        self._depth += 1
        try:
            make = _ENCODERS.get(kind)
            return self._other(kind, value) if make is None else make(self, value)
        finally:
            self._depth -= 1

    def _bytes(self, data: Any) -> list[int]:
        """Add bytes, or what has them, and return where they are."""
        length = len(data)
        self._check_bytes(length)
        offset = self._size
        self._size += length
        self._buffers.append(data)
        return [offset, length]

    def _check_count(self, items: Any) -> None:
        """Raise when there are more items than may still cross, before looking at any."""
        if len(items) > MAX_NODES - self._nodes:
            msg = f"A value of {len(items)} items is too large to cross the border."
            raise WireError(msg)

    def _check_bytes(self, length: int) -> None:
        """Raise when so many bytes may not cross, before anything is copied."""
        if self._size + length > MAX_BLOB:
            msg = f"A message of {self._size + length} bytes; at most {MAX_BLOB} may cross the "
            raise WireError(msg + "border.")

    def _int(self, value: int) -> Tree:
        if -JSON_INT < value < JSON_INT:
            return value
        if value.bit_length() > MAX_INT_BITS:
            msg = f"An int of {value.bit_length()} bits; at most {MAX_INT_BITS} may cross."
            raise WireError(msg)
        return {"t": "int", "v": hex(value)}

    def _float(self, value: float) -> Tree:
        return value if isfinite(value) else {"t": "float", "v": FLOAT.pack(value).hex()}

    def _str(self, value: str) -> Tree:
        if len(value) < LONG_TEXT:
            if value.isascii():
                return value
            try:
                value.encode()
            except UnicodeEncodeError:  # JSON would join two halves of a surrogate pair
                pass
            else:
                return value
        self._check_bytes(len(value))
        return {"t": "str", "b": self._bytes(value.encode("utf-8", "surrogatepass"))}

    def _items(self, items: Any) -> Tree:
        """Return the tree of a list; of a long one of numbers, the bytes."""
        self._check_count(items)
        if len(items) > LONG_LIST:
            kinds = set(map(type, items))
            code = ""
            if kinds == {float}:
                code = "d"
            elif kinds == {int} and min(items) >= -(2**63) and max(items) < 2**63:
                code = "q"
            if code:
                self._nodes += len(items)
                return {"t": "packed", "d": code, "b": self._bytes(array(code, items).tobytes())}
        tree = self.tree
        return [tree(item) for item in items]

    def _sequence(self, value: Any) -> Tree:
        return {"t": type(value).__name__, "v": self._items(value)}

    def _deque(self, value: deque[Any]) -> Tree:
        return {"t": "deque", "m": value.maxlen, "v": self._items(value)}

    def _mapping(self, value: dict[Any, Any]) -> Tree:
        self._check_count(value)
        pairs = [[self.tree(key), self.tree(item)] for key, item in value.items()]
        return {"t": type(value).__name__, "v": pairs}

    def _defaultdict(self, value: defaultdict[Any, Any]) -> Tree:
        # A factory of one's own stays where it is; then a missing key is an error.
        name = SYMBOL_NAMES.get(id(value.default_factory))
        return self._mapping(value) | {"f": name}

    def _complex(self, value: complex) -> Tree:
        return {"t": "complex", "v": [self._float(value.real), self._float(value.imag)]}

    def _binary(self, value: Any) -> Tree:
        self._check_bytes(len(value))
        return {"t": type(value).__name__, "b": self._bytes(bytes(value))}

    def _bounds(self, value: Any) -> Tree:
        bounds = [self.tree(bound) for bound in (value.start, value.stop, value.step)]
        return {"t": type(value).__name__, "v": bounds}

    def _decimal(self, value: Decimal) -> Tree:
        text = str(value)
        if not DECIMAL.fullmatch(text):
            msg = "A Decimal has too many digits to cross the border."
            raise WireError(msg)
        return {"t": "Decimal", "v": text}

    def _fraction(self, value: Fraction) -> Tree:
        parts = (value.numerator, value.denominator)
        if max(part.bit_length() for part in parts) > MAX_FRACTION_BITS:
            msg = "A Fraction has too many digits to cross the border."
            raise WireError(msg)
        return {"t": "Fraction", "v": [self._int(part) for part in parts]}

    def _other(self, kind: type, value: Any) -> Tree:
        """Return the tree of what is told by identity, or belongs to numpy or PyTorch."""
        if kind in SYMBOL_TYPES and id(value) in SYMBOL_NAMES:
            return {"t": "symbol", "v": SYMBOL_NAMES[id(value)]}
        numpy, torch = sys.modules.get("numpy"), sys.modules.get("torch")
        node = None
        if numpy is not None and hasattr(numpy, "ndarray"):
            node = self._of_numpy(numpy, kind, value)
        if node is None and torch is not None and hasattr(torch, "nn"):
            node = self._of_torch(torch, kind, value)
        return self._foreign(value) if node is None else node

    def _of_numpy(self, np: Any, kind: type, value: Any) -> Tree:
        if kind is np.ndarray:
            return self._array(np, value) if DTYPE.fullmatch(value.dtype.str) else None
        if kind is np.str_:
            return {"t": "np.str", "v": self._str(str.__str__(value))}
        if kind is np.bytes_:
            return {"t": "np.bytes", "b": self._bytes(bytes(value))}
        if issubclass(kind, np.generic):
            plain = kind is value.dtype.type and DTYPE.fullmatch(value.dtype.str)
            return self._array(np, np.asarray(value)) | {"t": "np.scalar"} if plain else None
        if issubclass(kind, np.dtype):
            return {"t": "np.dtype", "v": value.str} if DTYPE.fullmatch(value.str) else None
        if kind is type and issubclass(value, np.generic):
            name = str(value.__name__).rstrip("_")
            is_one = name in SCALAR_TYPES and scalar_type(np, name) is value
            return {"t": "np.type", "v": name} if is_one else None
        if self._generators and kind is np.random.Generator:
            if type(value.bit_generator) is not np.random.PCG64:
                return None
            state = value.bit_generator.state
            numbers = (*state["state"].values(), state["has_uint32"], state["uinteger"])
            return {"t": "generator", "v": [hex(number) for number in numbers]}
        return None

    def _array(self, np: Any, value: Any) -> dict[str, Tree]:
        self._check_bytes(value.nbytes)
        flags, shape = value.flags, list(value.shape)
        is_fortran = flags.f_contiguous and not flags.c_contiguous
        flat = (value.T if is_fortran else np.ascontiguousarray(value)).reshape(-1)
        data = flat.view("u1").data if flat.size else b""
        node = {"t": "ndarray", "d": value.dtype.str, "s": shape, "b": self._bytes(data)}
        return node | {"o": "F"} if is_fortran else node

    def _of_torch(self, torch: Any, kind: type, value: Any) -> Tree:
        if kind is torch.Tensor or kind is torch.nn.Parameter:
            name = str(value.dtype).removeprefix("torch.")
            if name not in TENSORS or value.layout is not torch.strided or value.is_meta:
                return None
            self._check_bytes(value.numel() * value.element_size())
            plain = value.detach().cpu().resolve_conj().resolve_neg().contiguous()
            flat = plain.view(torch.int16) if name == "bfloat16" else plain
            flat = flat.numpy().reshape(-1)
            data = flat.view("u1").data if flat.size else b""
            node: dict[str, Tree] = {
                "t": "tensor",
                "d": name,
                "s": list(plain.shape),
                "b": self._bytes(data),
            }
            if value.requires_grad:
                node["g"] = True
            return node | {"p": True} if kind is torch.nn.Parameter else node
        if kind is torch.dtype:
            name = str(value).removeprefix("torch.")
            return {"t": "torch.dtype", "v": name} if name in TENSORS else None
        if kind is torch.Size:
            return {"t": "torch.Size", "v": list(value)}
        if kind is torch.device and value.type == "cpu":
            return {"t": "torch.device", "v": "cpu"}
        return None


_ENCODERS: Final[dict[type, Callable[[Encoder, Any], Tree]]] = {
    int: Encoder._int,
    float: Encoder._float,
    str: Encoder._str,
    list: Encoder._items,
    tuple: Encoder._sequence,
    set: Encoder._sequence,
    frozenset: Encoder._sequence,
    deque: Encoder._deque,
    dict: Encoder._mapping,
    OrderedDict: Encoder._mapping,
    Counter: Encoder._mapping,
    defaultdict: Encoder._defaultdict,
    complex: Encoder._complex,
    bytes: Encoder._binary,
    bytearray: Encoder._binary,
    slice: Encoder._bounds,
    range: Encoder._bounds,
    Decimal: Encoder._decimal,
    Fraction: Encoder._fraction,
}
