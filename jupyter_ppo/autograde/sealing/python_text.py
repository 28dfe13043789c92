"""The code of a notebook's cells as Python, IPython's magics and shell lines rewritten.

Line numbers stay those of the cell.
"""

from __future__ import annotations

import ast
import re

from IPython.core.inputtransformer2 import TransformerManager

#: Magics around a whole cell that run it in the same namespace.
_AROUND = re.compile(r"\A(\s*)%%(?:time|capture|prun)\b[^\n]*(?=\n)")
_TIMED = re.compile(r"^(\s*)%time[ \t]+(?=\S)", re.MULTILINE)
# They only say how figures look, and the examiner shows none.
_DISPLAY = re.compile(
    r"^(\s*)get_ipython\(\)\.run_line_magic\('(?:matplotlib|config)', .*\)[ \t]*$", re.MULTILINE
)
_NOT_PYTHON = re.compile(r"^([ \t]*)(?:[%!?].*|.*\?)$", re.MULTILINE)
_EMPTY_START = re.compile(r"(?:[ \t]*\n)*")
#: What the parser raises for text that is no Python, too deep or not text at all.
UNREADABLE = (SyntaxError, ValueError, RecursionError, MemoryError)


def python_of(source: str) -> str:
    """Return an author's cell as Python; magics become calls of ``get_ipython()``, as in IPython.

    Text that IPython cannot read comes back as it is: whoever compiles it gets the error.
    """
    try:
        manager = TransformerManager()  # type: ignore[no-untyped-call]
        text: str = manager.transform_cell(source)
    except (*UNREADABLE, RuntimeError):
        return source
    # IPython drops empty lines at the beginning, and then no line number fits.
    start = _EMPTY_START.match(source)
    dropped = start[0].count("\n") if start is not None else 0
    return "\n" * dropped + _DISPLAY.sub(r"\1pass", text)


def unwrapped(source: str) -> str:
    """Return a cell without the magics that run the code which they stand before (``%time``)."""
    return _TIMED.sub(r"\1", _AROUND.sub(r"\1", source))


def parsed(text: str) -> ast.Module | None:
    """Return the tree of Python ``text``; None if it is no Python."""
    try:
        return ast.parse(text)
    except UNREADABLE:
        return None


def parsed_answer(text: str) -> ast.Module | None:
    """Return the tree of submitted text, its magics left out; None if it is no Python.

    IPython's own transformation is not used: it reads the whole text again for each magic.
    """
    tree = parsed(text)
    return parsed(_NOT_PYTHON.sub(r"\1pass", text)) if tree is None else tree
