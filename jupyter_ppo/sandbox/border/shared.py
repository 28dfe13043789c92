"""Objects of the examiner's side that the student's code may use, and nothing through them.

A function crosses as something to call. Any other object crosses as a stand-in with exactly those
members that the run on the reference solution used (``Label.member`` in the contract).
"""

from __future__ import annotations

import inspect
import io
import types
from collections.abc import Callable
from typing import Any, Final

from jupyter_ppo.sandbox.border.wire import Tree, WireError

#: Special methods that a stand-in may have, if the object's class has them.
_SPECIAL: Final = (
    *("__len__", "__getitem__", "__setitem__", "__contains__", "__iter__", "__next__"),
    *("__enter__", "__exit__", "__call__"),
)
_NEVER: Final = (
    types.ModuleType,
    types.FrameType,
    types.CodeType,
    types.TracebackType,
    types.CoroutineType,
    io.IOBase,
)
_PLAIN_FUNCTIONS: Final = (
    types.FunctionType,
    types.BuiltinFunctionType,
    types.MethodType,
    type,
)


class SharedObjects:
    """What has crossed from here, by number. The same object always has the same number."""

    def __init__(self, allows: Callable[[str], bool]) -> None:
        self._allows = allows
        self._objects: list[Any] = []
        self._members: list[frozenset[str] | None] = []
        self._numbers: dict[int, int] = {}

    def tree(self, value: Any) -> Tree:
        """Return what stands for the object; raise ``TypeError`` when it must not cross."""
        kind = type(value)
        if isinstance(value, _NEVER):
            msg = f"A {kind.__name__} cannot be handed to the student's code."
            raise TypeError(msg)
        is_own = kind.__module__ == "__main__" and not isinstance(value, type)
        if isinstance(value, _PLAIN_FUNCTIONS) or (callable(value) and not is_own):
            return {"t": "cb", "v": self._number(value, None)}
        allowed = [name for name in _public(value) if self._allows(f"{kind.__name__}.{name}")]
        methods = [name for name in allowed if _is_method(value, name)]
        data = [name for name in allowed if name not in methods]
        number = self._number(value, frozenset(allowed))
        return {"t": "env", "v": number, "n": kind.__name__, "m": methods, "d": data}

    def _number(self, value: Any, members: frozenset[str] | None) -> int:
        number = self._numbers.get(id(value))
        if number is None:  # the list keeps the object, so its id stays its own
            number = self._numbers[id(value)] = len(self._objects)
            self._objects.append(value)
            self._members.append(members)
        self._members[number] = members
        return number

    def named(self, number: Any) -> Any:
        """Return the object of a number; raise ``WireError`` when none has it."""
        if type(number) is not int or not 0 <= number < len(self._objects):
            msg = "An object that was never shared came back."
            raise WireError(msg)
        return self._objects[number]

    def target(self, number: Any, member: Any) -> tuple[Any, str | None]:
        """Return what a callback means, and what it is called in the contract.

        Raises ``WireError`` for anything that was not offered.
        """
        value = self.named(number)
        members = self._members[number]
        if members is None:
            if member is not None:
                msg = "A member of a function was asked for."
                raise WireError(msg)
            return value, None
        if type(member) is not str or member not in members:
            msg = "A member that was not offered was asked for."
            raise WireError(msg)
        return getattr(value, member), f"{type(value).__name__}.{member}"


def _public(value: Any) -> list[str]:
    special = [name for name in _SPECIAL if hasattr(type(value), name)]
    return [name for name in dir(value) if not name.startswith("_")] + special


def _is_method(value: Any, name: str) -> bool:
    """Whether a member is there to be called; properties are not run to find out."""
    try:
        static = inspect.getattr_static(value, name)
    except AttributeError:  # made by __getattr__
        return callable(getattr(value, name, None))
    if isinstance(static, property):
        return False
    return isinstance(static, staticmethod | classmethod) or callable(static)
