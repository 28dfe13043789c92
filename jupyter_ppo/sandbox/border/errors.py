"""Exceptions of the student's code, as exceptions on the examiner's side.

Only built-in subclasses of ``Exception`` cross as themselves. A class of the student's becomes a
class here, the same one each time, below the built-in class that it extends.
"""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Final

from jupyter_ppo.sandbox.border.wire import WireError

_BUILTIN: Final = "builtins."
_BUILTINS: Final = {
    name: value
    for name, value in vars(builtins).items()
    if isinstance(value, type) and issubclass(value, Exception)
}
#: The longest text of an exception that is kept, in characters.
MAX_TEXT: Final = 2000
_MAX_MRO: Final = 100
_MAX_CLASSES: Final = 2000


class StudentError(Exception):
    """An exception of the student's code that extends no built-in class but ``Exception``."""


class _Verbatim(str):
    """A key whose text in a KeyError is what it was on the other side."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


class ErrorTypes:
    """The student's exception classes that have been seen, by their handle."""

    def __init__(self) -> None:
        self._own: dict[int, type[Exception]] = {}
        self._handles: dict[type[Exception], int] = {}

    def handle_of(self, cls: object) -> int | None:
        """Return the handle of a class that stands for one of the student's."""
        return self._handles.get(cls) if isinstance(cls, type) else None

    def of(self, mro: Any, name: str = "") -> type[Exception] | None:
        """Return the class for an MRO of library names and handles; None for no exception.

        Raises ``WireError`` when it is no MRO.
        """
        if type(mro) is not list or len(mro) > _MAX_MRO:
            msg = "An exception came without its classes."
            raise WireError(msg)
        if not any(type(entry) is str and _class_named(entry) is not None for entry in mro):
            return None
        return self._class_of(mro, name)

    def _class_of(self, mro: list[Any], name: str) -> type[Exception]:
        for at, entry in enumerate(mro):
            if type(entry) is int:
                if entry not in self._own:
                    if len(self._own) >= _MAX_CLASSES:
                        msg = "The student's code has too many exception classes."
                        raise WireError(msg)
                    base = self._class_of(mro[at + 1 :], "")
                    base = StudentError if base is Exception else base
                    made = type(_identifier(name), (base,), {"__module__": "__main__"})
                    self._own[entry], self._handles[made] = made, entry
                elif name.isidentifier():
                    self._own[entry].__name__ = self._own[entry].__qualname__ = _identifier(name)
                return self._own[entry]
            found = _class_named(entry) if type(entry) is str else None
            if found is not None:
                return found
        return StudentError

    def make(
        self,
        mro: Any,
        text: str,
        name: str = "",
        arguments: Sequence[Any] = (),
        *,
        is_next: bool = False,
    ) -> Exception:
        """Return the exception to raise for one that the student's code raised.

        ``arguments`` are what it was made of, if that was plain.

        A StopIteration ends only what asked for the next item; anywhere else it would end a loop
        of the test in silence.
        """
        text = text[:MAX_TEXT]
        cls = self.of(mro, name)
        if cls is None:  # SystemExit and the like
            label = next((entry.rpartition(".")[2] for entry in mro if type(entry) is str), "")
            return StudentError(f"{name or label}: {text}")
        if issubclass(cls, StopIteration) and not is_next:
            return RuntimeError("the student's code raised StopIteration")
        if arguments and not issubclass(cls, ExceptionGroup):
            with suppress(Exception):
                made = cls(*arguments)
                if str(made)[:MAX_TEXT] == text:
                    return made
        return _instance(cls, text)


def _class_named(name: str) -> type[Exception] | None:
    return _BUILTINS.get(name[len(_BUILTIN) :]) if name.startswith(_BUILTIN) else None


def _identifier(name: str) -> str:
    return name[:80] if name.isidentifier() else StudentError.__name__


def _instance(cls: type[Exception], text: str) -> Exception:
    """Return an instance whose text is ``text``, whatever the class wants to be made of."""
    if issubclass(cls, UnicodeDecodeError):
        return cls("utf-8", b"", 0, 0, text)
    if issubclass(cls, UnicodeEncodeError):
        return cls("utf-8", "", 0, 0, text)
    if issubclass(cls, UnicodeTranslateError):
        return cls("", 0, 0, text)
    if issubclass(cls, ExceptionGroup):
        return cls(text, [StudentError(text)])
    if issubclass(cls, KeyError):
        return cls(_key(text))
    return cls(text) if text else cls()


def _key(text: str) -> Any:
    """Return the key that a KeyError's text shows, if it is simple."""
    inner = text[1:-1]
    if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"" and not {*inner} & {*"'\"\\"}:
        return inner
    return int(text) if len(text) < 20 and text.isascii() and text.isdecimal() else _Verbatim(text)
