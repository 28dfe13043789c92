"""Calling a learner's function while it may be unwritten or wrong, without a traceback."""

from __future__ import annotations

import copy
import sys
import sysconfig
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from types import CodeType, FunctionType, TracebackType
from typing import Any, Final

from jupyter_ppo.widgets.experiment_limit import TooLongError

_LAMBDA: Final = "<lambda>"
_MOST_WORDS: Final = 200  # letters of an error that are shown
#: Where the files of Python, of packages and our own are.
_LIBRARIES: Final = (
    *{sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")},
    str(Path(__file__).parents[1]),
    "<frozen",
    "<__array_function__",
)

#: What went wrong in the drawing that is under way; None outside of one.
_SAID: ContextVar[list[str] | None] = ContextVar("said", default=None)


class MissingValueError(ValueError):
    """A value that is not there was needed as a number; the message is why it is not there."""


class Missing:
    """A value that is not there, and why. What is computed with it is missing as well.

    Arithmetic, indexing, attributes, calls and functions of NumPy give it back; ``bool`` is false
    and a format gives ``?``. Where a number or a length is needed, ``MissingValueError`` is raised,
    which an ``Experiment`` answers with ``reason``.
    """

    def __init__(self, reason: str) -> None:
        self.reason = reason

    def __repr__(self) -> str:
        return f"Missing({self.reason!r})"

    def __str__(self) -> str:
        return "?"

    def __format__(self, _spec: str) -> str:
        return "?"

    def __bool__(self) -> bool:
        return False

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # protocols, such as that of copying, must not find one here
            raise AttributeError(name)
        return self

    def _same(self, *_args: Any, **_kwargs: Any) -> Any:
        return self

    __call__ = __getitem__ = __neg__ = __pos__ = __abs__ = __invert__ = __round__ = _same
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = _same
    __truediv__ = __rtruediv__ = __floordiv__ = __rfloordiv__ = __mod__ = __rmod__ = _same
    __pow__ = __rpow__ = __matmul__ = __rmatmul__ = _same
    __and__ = __rand__ = __or__ = __ror__ = __lt__ = __le__ = __gt__ = __ge__ = _same
    __array_ufunc__ = __array_function__ = _same

    def _refuse(self, *_args: Any, **_kwargs: Any) -> Any:
        raise MissingValueError(self.reason)

    __float__ = __int__ = __index__ = __len__ = __array__ = _refuse

    def __iter__(self) -> Iterator[Any]:
        raise MissingValueError(self.reason)


def attempt(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Return what ``function`` returns, or a ``Missing`` with the reason in plain words.

    Lists, dicts, arrays and tensors among the arguments are copied first, so that a function that
    overwrites its input spoils nothing. Nothing is raised for an error of the function, nor when a
    ``lambda`` calls a name that is not defined yet.
    """
    try:
        result = function(
            *(_copied(value) for value in args),
            **{name: _copied(value) for name, value in kwargs.items()},
        )
    except Exception as error:
        return _missing(failure(error, function))
    if result is None:
        return _missing(f"{_name(function)}: returned nothing (is a return missing?)")
    return result


def attempt_several(
    count: int, function: Callable[..., Any], *args: Any, **kwargs: Any
) -> tuple[Any, ...]:
    """Return the ``count`` values that ``function`` returns, each ``Missing`` when it fails."""
    result = attempt(function, *args, **kwargs)
    if isinstance(result, Missing):
        return (result,) * count
    try:
        values = tuple(result)
    except TypeError:
        values = ()
    if len(values) != count:
        got = f"{len(values)} values" if values else f"one {type(result).__name__}"
        missing = _missing(f"{_name(function)}: returned {got}, expected {count} values")
        return (missing,) * count
    return values


def failure(error: BaseException, function: Callable[..., Any]) -> str:
    """Return one line on an error of ``function``, which was called and has raised it."""
    if isinstance(error, MissingValueError):
        return str(error)
    codes = list(_codes(error.__traceback__, function))
    if _is_not_run(error, codes, function) and _is_lambda(function):
        return f"{error.name}: run its cell first"  # type: ignore[attr-defined]
    name = _blamed(codes) or _name(function)
    return f"{name}: {_words(error)}"


def draw_failure(error: BaseException, draw: Callable[..., Any]) -> str:
    """Return one line on an error that was raised in drawing itself."""
    if isinstance(error, MissingValueError):
        return str(error)
    codes = list(_codes(error.__traceback__, draw))
    if _is_not_run(error, codes, draw):
        return f"{error.name}: run its cell first"  # type: ignore[attr-defined]
    name = _blamed(codes[1:])
    if isinstance(error, TooLongError) and not name:
        return f"The drawing {error}"
    if isinstance(error, NotImplementedError) and not name:
        return f"The pictures could not be drawn: {first_line(error)}"
    return f"{name or 'The pictures could not be drawn'}: {_words(error)}"


def first_line(error: BaseException) -> str:
    """Return the type and the first line of an error."""
    lines = str(error).strip().splitlines()
    words = f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
    return words if len(words) <= _MOST_WORDS else f"{words[: _MOST_WORDS - 1]}…"


def _words(error: BaseException) -> str:
    if isinstance(error, NotImplementedError):
        return "not written yet"
    return str(error) if isinstance(error, TooLongError) else first_line(error)


def say(sentence: str) -> None:
    """Add a line to what the drawing under way says; each once."""
    said = _SAID.get()
    if said is not None and sentence not in said:
        said.append(sentence)


@contextmanager
def listening() -> Iterator[list[str]]:
    """Collect in a list what is said meanwhile."""
    said: list[str] = []
    token = _SAID.set(said)
    try:
        yield said
    finally:
        _SAID.reset(token)


def _missing(reason: str) -> Missing:
    say(reason)
    return Missing(reason)


def _copied(value: Any) -> Any:
    if isinstance(value, list | dict | set | bytearray):
        return copy.deepcopy(value)
    for module, kind in (("numpy", "ndarray"), ("torch", "Tensor")):
        loaded = sys.modules.get(module)  # what is not imported yet has made no value
        if loaded is not None and isinstance(value, getattr(loaded, kind)):
            if module == "numpy":
                return value.copy()
            return value if value.requires_grad else value.clone()
    return value


def _is_lambda(function: Any) -> bool:
    return getattr(function, "__name__", "") == _LAMBDA


def _name(function: Any) -> str:
    """Return the name of a function, for a lambda that of the first function it calls."""
    if _is_lambda(function) and isinstance(function, FunctionType):
        for name in function.__code__.co_names:
            if callable(function.__globals__.get(name)):
                return name
        return "your function"
    name = getattr(function, "__qualname__", None) or type(function).__qualname__
    return str(name).rpartition("<locals>.")[2]


def _codes(traceback: TracebackType | None, function: Any) -> Iterator[CodeType]:
    """Yield what was called from ``function`` on to where the error was raised."""
    code = getattr(function, "__code__", None)
    has_begun = code is None
    while traceback is not None:
        has_begun = has_begun or traceback.tb_frame.f_code is code
        if has_begun:
            yield traceback.tb_frame.f_code
        traceback = traceback.tb_next


def _is_not_run(error: BaseException, codes: Sequence[CodeType], function: Any) -> bool:
    """Whether a name was not defined in the very cell of ``function``, which a cell must define.

    Every cell of a notebook has a file name of its own. A slip in the learner's own cell is none.
    """
    code = getattr(function, "__code__", None)
    in_cell = bool(codes) and code is not None and codes[-1].co_filename == code.co_filename
    return type(error) is NameError and in_cell


def _blamed(codes: Sequence[CodeType]) -> str:
    """Return the name of the innermost function of the notebook; "" when there is none."""
    for code in reversed(codes):
        name = code.co_qualname.rpartition("<locals>.")[2]
        if not name.startswith("<") and not code.co_filename.startswith(_LIBRARIES):
            return name
    return ""
