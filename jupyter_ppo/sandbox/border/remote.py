"""Objects of the student's kernel, as they look in the examiner: references that forward some uses.

What a special method sends is what decides. Those without an operand, and those whose operand is a
plain input of the student's code (a call, an index), are always forwarded. A comparison or a sum
with a plain operand is not: the operand may be the expected value, and who gets to see it can
answer what he likes. Nor is a member (``.allclose``, where a tensor was expected). Only the
contract, made by the run on the reference solution, allows these. It names them by the kind of the
object, so that what an instance may do a class of that name may not: ``.member``,
``class.member``, ``function.member``; ``Vector.__mul__`` for an instance of a class that the
author's solution names, ``.__mul__`` of any other.
"""

from __future__ import annotations

import sys
import types
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final, NoReturn, Protocol

from jupyter_ppo.sandbox.border.breach import Breach, State
from jupyter_ppo.sandbox.border.wire import WireError

_FREE: Final = (
    *("len", "iter", "next", "reversed", "str", "repr", "bool", "float", "int", "complex"),
    *("index", "abs", "neg", "pos", "invert", "hash", "enter", "round"),
)
_INPUT: Final = ("call", "getitem", "setitem", "delitem", "exit")
_ARITHMETIC: Final = (
    *("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul"),
    *("and", "or", "xor", "lshift", "rshift", "divmod"),
)
_OPERAND: Final = (
    *("eq", "ne", "lt", "le", "gt", "ge", "contains"),
    *_ARITHMETIC,
    *(f"r{name}" for name in _ARITHMETIC),
    *(f"i{name}" for name in _ARITHMETIC if name != "divmod"),
)
FORWARDED: Final = frozenset((*_FREE, *_INPUT, *_OPERAND))
MAX_LENGTH: Final = 10_000_000
_MAX_NAME, _MAX_LIST, _MAX_CLASSES = 80, 100, 2000
#: Where classes come from that a student's may extend, and that ``isinstance`` then knows.
_LIBRARIES: Final = frozenset(
    {"abc", "collections", "contextlib", "enum", "gymnasium", "numbers", "stable_baselines3"}
    | {"torch", "typing", "unittest"}
)
#: Types of which exact instances cross as values, and those of a subclass as references.
_PLAIN: Final = frozenset(
    (
        *("builtins.bytearray", "builtins.bytes", "builtins.complex", "builtins.dict"),
        *("builtins.float", "builtins.frozenset", "builtins.int", "builtins.list"),
        *("builtins.set", "builtins.str", "builtins.tuple", "collections.deque"),
        *("decimal.Decimal", "fractions.Fraction", "numpy.ndarray", "torch.Tensor"),
    )
)


class Session(Protocol):
    """What a reference needs of the session."""

    @property
    def student_names(self) -> frozenset[str]: ...

    def request(
        self, op: str, *arguments: Any, name: str | None = None, keywords: Any = None
    ) -> Any: ...

    def allow(self, use: str) -> bool: ...

    def fail(self, state: State, text: str) -> Breach: ...


@dataclass(frozen=True, slots=True)
class Reference:
    """What the student's kernel said about one of its objects. None of it is to be believed.

    ``classes`` holds library classes by name and the student's by handle: the MRO of the object if
    it is a class, else that of its class. ``path`` is what leads to it, for ``inspect``.
    """

    handle: int
    name: str
    special: frozenset[str]
    classes: tuple[str | int, ...]
    is_class: bool
    is_definition: bool
    path: str

    @classmethod
    def read(cls, node: dict[str, Any]) -> Reference:
        """Check a node; raise ``WireError`` when it is none of a reference."""
        handle, name = node.get("v"), node.get("n")
        if type(handle) is not int or not 0 <= handle < 2**53:
            msg = "A reference came without a handle."
            raise WireError(msg)
        name = name[:_MAX_NAME] if type(name) is str else ""
        is_class = "k" in node
        special = _list_of(node.get("m"), str) & FORWARDED
        mro = node.get("k") if is_class else node.get("b")
        return cls(
            handle,
            name,
            frozenset(special),
            _mro(mro),
            is_class,
            is_class or node.get("f") is True,
            name,
        )

    def within(self, owner: Reference | None) -> Reference:
        """Say that it was got from another object, as an attribute or a result."""
        if owner is None or not self.is_definition or self.is_class:
            return self
        return replace(self, path=f"{owner.path}.{self.name}") if owner.is_owner else self

    @property
    def kind(self) -> str:
        """What the contract calls it: ``class``, ``function``, or nothing for an instance."""
        return "class" if self.is_class else "function" if self.is_definition else ""

    @property
    def plain_base(self) -> str | None:
        """The plain type that its class extends, for an instance of such a class."""
        if self.kind:
            return None
        names = (name for name in self.classes[1:] if type(name) is str and name in _PLAIN)
        return next((str(name).rpartition(".")[2] for name in names), None)

    @property
    def is_owner(self) -> bool:
        """Whether what is got from it may be one of its methods."""
        return self.is_class or not self.is_definition


def _list_of(items: Any, kind: type) -> set[Any]:
    if items is None:
        return set()
    if type(items) is not list or len(items) > _MAX_LIST:
        msg = "A reference came with strange members."
        raise WireError(msg)
    return {item for item in items if type(item) is kind}


def _mro(items: Any) -> tuple[str | int, ...]:
    _list_of(items, str)
    return tuple(item for item in items or () if type(item) in {str, int})


class Remote:
    """An object that lives in the student's kernel; its class has what it may forward."""

    __slots__ = ("__weakref__", "_remote")
    _remote: tuple[Session, Reference]

    def __init__(self, session: Session, reference: Reference) -> None:
        object.__setattr__(self, "_remote", (session, reference))

    def __getattr__(self, name: str) -> Any:
        reference = self._remote[1]
        if name in {"__name__", "__qualname__"} and reference.is_definition:
            return reference.name if name == "__name__" else reference.path
        if name.startswith("_"):
            msg = f"{reference.name!r} has no attribute {name!r} that the test may use"
            raise AttributeError(msg)
        return self._use("attr", name)

    def __setattr__(self, name: str, value: Any) -> None:
        self._use("setattr", name, value)

    def __delattr__(self, name: str) -> None:
        self._use("delattr", name)

    def _use(self, op: str, name: str, *values: Any) -> Any:
        session, reference = self._remote
        if not session.allow(f"{reference.kind}.{name}"):
            msg = f"{type(self).__name__!r} object has no attribute {name!r} that the test may use"
            raise AttributeError(msg)
        return session.request(op, self, *values, name=name)

    def __repr__(self) -> str:
        return f"<{self._remote[1].name} of the student's>"

    def __hash__(self) -> int:
        return hash((Remote, self._remote[1].handle))

    def __reduce_ex__(self, _: Any) -> NoReturn:
        msg = f"{self._remote[1].name!r} lives in the student's kernel and cannot be copied here"
        raise TypeError(msg)

    def __mro_entries__(self, _: Any) -> NoReturn:
        msg = f"the student's class {self._remote[1].name!r} cannot be extended in a test"
        raise TypeError(msg)

    @property
    def __doc__(self) -> str | None:  # type: ignore[override]
        session, _ = self._remote
        text = session.request("attr", self, name="__doc__")
        return text if type(text) is str else None

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        """The library's class that the student's extends, for ``isinstance``."""
        reference = self._remote[1]
        if reference.is_class:
            return type
        if reference.is_definition and "builtins.function" in reference.classes:
            return types.FunctionType
        return next(iter(_library_classes(reference.classes)), type(self))

    @property
    def __bases__(self) -> tuple[type, ...]:
        reference = self._remote[1]
        if not reference.is_class:
            raise AttributeError("__bases__")  # noqa: EM101 - as Python says it
        return _library_classes(reference.classes) or (object,)

    def __instancecheck__(self, value: Any) -> bool:
        session, reference = self._remote
        if not reference.is_class:
            msg = "isinstance() arg 2 must be a type"
            raise TypeError(msg)
        if reference_of(value) is None:
            return False
        return session.request("isinstance", value, self) is True

    def __subclasscheck__(self, cls: Any) -> bool:
        own, other = self._remote[1], reference_of(cls)
        if not own.is_class:
            msg = "issubclass() arg 2 must be a class"
            raise TypeError(msg)
        return other is not None and other.is_class and own.handle in {other.handle, *other.classes}


def reference_of(value: Any) -> Reference | None:
    """Return what is known of a student's object; None for any other."""
    return value._remote[1] if issubclass(type(value), Remote) else None


def make_remote(session: Session, reference: Reference) -> Remote:
    """Return the object that stands for a reference."""
    is_instance = not reference.is_definition and type(next(iter(reference.classes), None)) is int
    key = (reference.special, reference.classes[0] if is_instance else reference.name)
    found = _classes.get(key)
    if found is None:
        name = reference.name if reference.name.isidentifier() else Remote.__name__
        body: dict[str, Any] = {f"__{d}__": _forward(d) for d in reference.special}
        body |= {"__slots__": (), "__module__": "__main__", "__doc__": Remote.__dict__["__doc__"]}
        if "__eq__" in body and "__hash__" not in body:
            body["__hash__"] = None
        if reference.is_definition and not reference.is_class:
            name = "function"
        elif reference.is_class:
            name = "type"
        found = type(name, (Remote,), body)
        if len(_classes) < _MAX_CLASSES:
            _classes[key] = found
    return found(session, reference)


_classes: dict[tuple[frozenset[str], str | int], type[Remote]] = {}


def _library_classes(mro: tuple[str | int, ...]) -> tuple[type, ...]:
    found = (_library_class(name) for name in mro if type(name) is str)
    return tuple(cls for cls in found if cls is not None)


def _library_class(name: str) -> type | None:
    """Return a class that the examiner has itself. Data is none: that crosses as exact types."""
    module, _, attribute = name.rpartition(".")
    if module.partition(".")[0] not in _LIBRARIES or module not in sys.modules:
        return None
    found = vars(sys.modules[module]).get(attribute)
    torch = sys.modules.get("torch")
    if not isinstance(found, type) or issubclass(found, (int, float, str, bytes, BaseException)):
        return None
    return None if torch is not None and issubclass(found, torch.Tensor) else found


def _operand_label(session: Session, reference: Reference) -> str:
    """Return how the contract calls the left side of an operator."""
    if reference.kind:
        return reference.kind
    return reference.name if reference.name in session.student_names else ""


def _forward(short: str) -> Callable[..., Any]:
    special, is_operand = f"__{short}__", short in _OPERAND

    def method(self: Remote, *arguments: Any, **keywords: Any) -> Any:
        session, reference = self._remote
        is_plain = is_operand and any(reference_of(value) is None for value in arguments)
        if is_plain and not session.allow(f"{_operand_label(session, reference)}.{special}"):
            # Python takes NotImplemented for true here, so look at the items instead.
            return arguments[0] in iter(self) if short == "contains" else NotImplemented
        result = session.request("call", self, *arguments, name=special, keywords=keywords)
        if short == "len" and not (type(result) is int and 0 <= result <= MAX_LENGTH):
            raise session.fail(State.BORDER, f"An object says that its length is {result!r:.40}.")
        return result

    method.__name__ = method.__qualname__ = special
    return method
