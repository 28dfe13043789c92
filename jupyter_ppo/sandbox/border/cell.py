"""Runs one cell of the author's: its code, its last value, what it printed, where it failed."""

from __future__ import annotations

import ast
import io
import linecache
import sys
import token
import tokenize
import types
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from jupyter_ppo.sandbox.border.breach import Breach
from jupyter_ppo.sandbox.border.remote import Remote, reference_of

#: Characters that a cell may print, and of an error's text and a value's.
MAX_OUTPUT: Final = 64 * 1024
MAX_TEXT: Final = 2000
_NO_CODE: Final = (
    *(token.NEWLINE, token.ENDMARKER, token.INDENT, token.DEDENT),
    *(tokenize.NL, tokenize.COMMENT),
)


@dataclass
class CellResult:
    """What came of a cell. ``line`` counts from 1; ``error`` is what ended it early."""

    value: str | None = None
    error: BaseException | None = None
    error_type: str = ""
    error_message: str = ""
    line: int | None = None
    is_message: bool = False
    output: str = ""


def text_of(error: BaseException) -> str:
    """Return an exception's text, cut; an exception may fail to give one.

    A student's object that it was made of is named and not asked. One that lies deeper is: that
    takes as long as its code does, so this belongs under the clock, and what the session remembers
    decides afterwards.
    """
    try:
        if any(reference_of(argument) is not None for argument in error.args):
            return ", ".join(
                str(argument) if reference_of(argument) is None else Remote.__repr__(argument)
                for argument in error.args
            )[:MAX_TEXT]
        return str(error)[:MAX_TEXT]
    except (Exception, Breach):
        return ""


def run_cell(code: str, names: dict[str, Any], filename: str) -> CellResult:
    """Run the code with these globals. Nothing that it raises gets out of here."""
    result = CellResult()
    linecache.cache[filename] = (len(code), None, code.splitlines(keepends=True), filename)
    with _captured() as output:
        tree = ast.Module([], [])
        try:
            tree = ast.parse(code, filename)
            result.value = _run(tree, code, names, filename)
        except BaseException as error:
            result.error = error
            result.error_type = type(error).__name__[:MAX_TEXT]
            result.error_message = text_of(error)
            result.line = _line(error, filename)
            is_ours = type(error) is AssertionError and _is_raised_there(error, filename)
            result.is_message = is_ours and _has_message(tree, result.line)
    result.output = output.text
    return result


def _run(tree: ast.Module, code: str, names: dict[str, Any], filename: str) -> str | None:
    last = tree.body[-1] if tree.body else None
    if not isinstance(last, ast.Expr):
        exec(compile(tree, filename, "exec"), names)  # noqa: S102 - that is what this is for
        return None
    before = ast.Module(tree.body[:-1], [])
    exec(compile(before, filename, "exec"), names)  # noqa: S102
    value = eval(compile(ast.Expression(last.value), filename, "eval"), names)  # noqa: S307
    # A student's object is no number of ours, whatever it says.
    if value is None or reference_of(value) is not None or _is_quiet(code):
        return None
    try:
        return repr(_number(value))[:MAX_TEXT]
    except Exception:
        return None


def _number(value: Any) -> Any:
    """Return the float or bool that a numpy scalar or an array of one number holds.

    Their own text is ``np.float64(2.0)`` or ``tensor(2.)``, which says nothing as points.
    """
    np, torch = sys.modules.get("numpy"), sys.modules.get("torch")
    if torch is not None and isinstance(value, torch.Tensor) and value.dim() == 0:
        is_complex = value.dtype.is_complex
        found = value if is_complex else value.detach().item()
        return found if is_complex or type(found) is bool else float(found)
    if np is None or not isinstance(value, (np.generic, np.ndarray)) or value.ndim:
        return value
    if value.dtype.kind in "iuf":
        return float(value)
    return bool(value) if value.dtype.kind == "b" else value


def _is_quiet(code: str) -> bool:
    """Whether the last thing in the code is a semicolon, so that its value is not shown."""
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(code).readline))
    except (tokenize.TokenError, SyntaxError):
        return False
    texts = [found.string for found in tokens if found.type not in _NO_CODE]
    return bool(texts) and texts[-1] == ";"


def _frames(error: BaseException) -> Iterator[types.TracebackType]:
    at = error.__traceback__
    while at is not None:
        yield at
        at = at.tb_next


def _line(error: BaseException, filename: str) -> int | None:
    lines = [at.tb_lineno for at in _frames(error) if at.tb_frame.f_code.co_filename == filename]
    if not lines and isinstance(error, SyntaxError) and error.filename == filename:
        return error.lineno
    return lines[-1] if lines else None


def _is_raised_there(error: BaseException, filename: str) -> bool:
    last = list(_frames(error))[-1]
    return last.tb_frame.f_code.co_filename == filename


def _has_message(tree: ast.Module, line: int | None) -> bool:
    """Whether an ``assert`` with a message covers the line."""
    asserts = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Assert)
        and line is not None
        and node.lineno <= line <= (node.end_lineno or node.lineno)
    ]
    return bool(asserts) and asserts[-1].msg is not None


class _Bounded(io.TextIOBase):
    """A text file that keeps the beginning of what is written."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._left = MAX_OUTPUT

    @property
    def text(self) -> str:
        return "".join(self._pieces)

    def writable(self) -> bool:
        return True

    def write(self, text: Any) -> int:
        if not isinstance(text, str):
            msg = f"write() argument must be str, not {type(text).__name__}"
            raise TypeError(msg)
        if self._left > 0:
            self._pieces.append(text[: self._left])
            self._left -= len(text)
        return len(text)


@contextmanager
def _captured() -> Iterator[_Bounded]:
    before, output = (sys.stdout, sys.stderr), _Bounded()
    sys.stdout = sys.stderr = output
    try:
        yield output
    finally:
        sys.stdout, sys.stderr = before
