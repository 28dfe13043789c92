"""The student's objects as the examiner names them, and the examiner's as the student has them.

An object that is no plain value stays where it is. Of the student's objects the examiner gets a
reference: a handle, the name, the classes and which special methods there are. Of the examiner's
objects the student gets a stand-in that can do what the examiner allows, and nothing else.
"""

from __future__ import annotations

import sys
import types
import weakref
from collections.abc import Callable, Mapping
from typing import Any, Final

from jupyter_ppo.sandbox.border.wire import Tree, WireError

#: The special methods that are told; what of these may be used is the examiner's decision.
_SPECIAL: Final = frozenset(
    f"__{name}__"
    for name in (
        *("call", "getitem", "setitem", "delitem", "contains", "len", "length_hint", "iter"),
        *("next", "reversed", "enter", "exit", "str", "repr", "bytes", "format", "bool", "int"),
        *("float", "complex", "index", "round", "trunc", "floor", "ceil", "abs", "neg", "pos"),
        *("invert", "hash", "eq", "ne", "lt", "le", "gt", "ge", "await", "aiter", "anext"),
        *("aenter", "aexit", "divmod", "rdivmod"),
        *(
            f"{prefix}{name}"
            for prefix in ("", "r", "i")
            for name in ("add", "sub", "mul", "matmul", "truediv", "floordiv", "mod", "pow")
        ),
        *(
            f"{prefix}{name}"
            for prefix in ("", "r", "i")
            for name in ("lshift", "rshift", "and", "or", "xor")
        ),
    )
)
_NAMED: Final = (types.FunctionType, types.BuiltinFunctionType, types.MethodType)
# A class may override these for itself, so they are taken from ``type``.
_mro_of: Final[Callable[[type], tuple[type, ...]]] = vars(type)["__mro__"].__get__
_name_of: Final[Callable[[type], str]] = vars(type)["__name__"].__get__
_module_of: Final[Callable[[type], Any]] = vars(type)["__module__"].__get__
_flags_of: Final[Callable[[type], int]] = vars(type)["__flags__"].__get__
_members_of: Final[Callable[[type], Mapping[str, Any]]] = vars(type)["__dict__"].__get__
#: CPython, "Py_TPFLAGS_HEAPTYPE": a class that was made while the program ran.
_IS_MADE: Final = 1 << 9

#: How a stand-in reaches the examiner: number of the object, member or None, arguments.
Ask = Callable[[int, str | None, tuple[Any, ...], dict[str, Any]], Any]


class StudentObjects:
    """Handles of the student's objects, kept until the kernel ends, and stand-ins.

    ``ask`` is called when a stand-in is used; it returns the examiner's answer or raises.
    """

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._objects: list[Any] = []
        self._handles: dict[int, int] = {}
        self._stand_ins: dict[int, weakref.ref[Any]] = {}
        self._numbers: dict[int, tuple[str, int]] = {}

    def handle(self, value: Any) -> int:
        """Return the number of an object, a new one if it has none."""
        known = self._handles.get(id(value))
        if known is None:
            known = self._handles[id(value)] = len(self._objects)
            self._objects.append(value)
        return known

    def classes(self, cls: type) -> list[str | int]:
        """Return the classes of a class, the nearest first: libraries' by name, others' handles."""
        return [_library_name(c) or self.handle(c) for c in _mro_of(cls) if c is not object]

    def short_node(self, value: Any) -> Tree:
        """Return the tree that stands for an object, of a stand-in the one that it came as."""
        shared = self._numbers.get(id(value))
        if shared is not None:
            return {"t": shared[0], "v": shared[1]}
        return {"t": "ref", "v": self.handle(value)}

    def node(self, value: Any) -> Tree:
        """Return a reference with all that the examiner is told of an object."""
        node = self.short_node(value)
        if node["t"] != "ref":
            return node
        cls = type(value)
        node["n"] = _name_of(cls)
        node["m"] = _special_methods(cls)
        if issubclass(cls, type):
            node |= {"n": _name_of(value), "k": self.classes(value), "f": True}
            return node
        if issubclass(cls, _NAMED):
            node |= {"n": str(value.__name__), "f": True}
        node["b"] = self.classes(cls)
        return node

    def value(self, tag: str, node: dict[str, Tree]) -> Any:
        """Return what a tree of the examiner stands for; raise ``WireError`` if there is none."""
        number = node.get("v")
        if type(number) is int and number >= 0:
            if tag == "ref" and number < len(self._objects):
                return self._objects[number]
            if tag in ("cb", "env"):
                made = self._stand_ins.get(number, lambda: None)()
                return self._new_stand_in(tag, number, node) if made is None else made
        msg = f"The examiner sent a {tag!r} that is not known here."
        raise WireError(msg)

    def _new_stand_in(self, tag: str, number: int, node: dict[str, Tree]) -> Any:
        ask = self._ask

        def member(name: str | None) -> Callable[..., Any]:
            def call(*args: Any, **kwargs: Any) -> Any:
                return ask(number, name, args, kwargs)

            if name is not None:
                call.__name__ = call.__qualname__ = name
            return call

        if tag == "cb":
            made: Any = member(None)
        else:
            members: dict[str, Any] = {name: staticmethod(member(name)) for name in node["m"]}
            members |= {name: property(_reader(member(name))) for name in node["d"]}
            made = type(str(node.get("n") or "Shared"), (), members)()
        key = id(made)
        self._stand_ins[number] = weakref.ref(made, lambda _: self._forget(number, key))
        self._numbers[key] = (tag, number)
        return made

    def _forget(self, number: int, key: int) -> None:
        self._stand_ins.pop(number, None)
        self._numbers.pop(key, None)


def _reader(ask: Callable[..., Any]) -> Callable[[Any], Any]:
    return lambda _: ask()


def _special_methods(cls: type) -> list[str]:
    """Return the special methods of a class, without underscores; ``object``'s do not count.

    They are looked up as Python does for its operators: ``getattr`` would find the metaclass's too.
    """
    found: dict[str, Any] = {}
    for c in _mro_of(cls):
        if c is not object:
            members = _members_of(c)
            for name in _SPECIAL & members.keys():
                found.setdefault(name, members[name])
    return sorted(name[2:-2] for name, method in found.items() if method is not None)


def _library_name(cls: type) -> str | None:
    """Return where a library has a class, or None for one of the student's."""
    module, name = _module_of(cls), _name_of(cls)
    if module == "builtins" and not _flags_of(cls) & _IS_MADE:
        return f"{module}.{name}"  # some, such as that of functions, are to be found nowhere
    if type(module) is not str or module == "__main__":
        return None
    home = sys.modules.get(module)
    is_there = home is not None and vars(home).get(name) is cls
    return f"{module}.{name}" if is_there else None
