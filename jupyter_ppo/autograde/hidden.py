"""What of a test cell students may be told: where its hidden tests are, and what depends on them.

A line that students see can still tell of hidden ones: it may use a name that a hidden line set
(``expected``), or stand in a helper that a hidden line calls. Such lines are *tainted*: an error
there is reported without its text. Judged from the text alone, and to the safe side.

The code under test sees the inputs of hidden tests and can keep them. So whatever is run *after*
a hidden test is quiet: of it students read the author's fixed texts and our own words, nothing that
their code could have put together. ``quiet_after`` says from where on.
"""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from jupyter_ppo.autograde.cells import BEGIN_HIDDEN, END_HIDDEN, kind_of, numbered_hidden_lines
from jupyter_ppo.autograde.numbering import numbers_of
from jupyter_ppo.autograde.sealing.names import names_of
from jupyter_ppo.autograde.sealing.python_text import parsed, python_of
from jupyter_ppo.domain.courses import CellKind
from jupyter_ppo.domain.exam import CheckRun, CheckState
from jupyter_ppo.domain.sandbox import NotebookRun, Verdict

#: What the page says in the place of an output.
NOT_SHOWN = (
    "Not shown: hidden tests had run before this cell. Run it in your own notebook to see its "
    "output."
)
#: What a reason says in the place of a text.
TEXT_NOT_SHOWN = "The text is not shown: hidden tests had run before."
_CALLABLE = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
_RUN_LATER = (*_CALLABLE, ast.GeneratorExp)
_EXIT = re.compile(r" (?:by signal|with exit code) \S+")


@dataclass(frozen=True, slots=True)
class CheckText:
    """A ``with checks(NAME, ...)`` in a test cell; ``name`` is None if it is not written out.

    ``number`` counts hidden statements of the cell, 0 for one that students see. ``message`` is the
    fixed part of the one that is written there: without one the assertion's own text is in its
    place. ``is_before`` says that no hidden line of the cell runs before it.
    """

    name: str | None
    number: int
    is_tainted: bool
    message: str
    is_before: bool

    @property
    def is_secret(self) -> bool:
        """Whether its very name must not be shown: hidden, or computed from something hidden."""
        return self.number > 0 or (self.name is None and self.is_tainted)


@dataclass(frozen=True, slots=True)
class _Statement:
    """A statement of the cell, or of a block around hidden lines, with its first and last line."""

    node: ast.stmt
    number: int  # of the hidden statement, from 1; 0 if students see it


@dataclass(frozen=True, slots=True)
class TestText:
    """A test cell's text, as far as words about its result need it.

    Lines are those of the cell as Python (``python_of``), which is what the examiner runs.
    ``hidden`` are the lines between the delimiters, by number; ``spans`` the first line, the last
    line and the number of each hidden statement; ``tainted`` the visible lines that depend on
    hidden ones; ``before`` those that surely run before any hidden one of the cell. ``messages``
    are the fixed texts of asserts with their first and last line. ``shown`` has, by line, what
    students read there and its number without the hidden lines. ``is_known`` is false if the
    text is no Python, or its hidden lines are not found.
    """

    __test__ = False  # no test class, whatever its name

    has_hidden: bool
    hidden: dict[int, str]
    spans: tuple[tuple[int, int, int], ...] = ()
    tainted: frozenset[int] = frozenset()
    before: frozenset[int] = frozenset()
    messages: tuple[tuple[int, int, str], ...] = ()
    checks: tuple[CheckText, ...] = ()
    is_known: bool = True
    visible: str = field(default="", repr=False)
    shown: dict[int, tuple[int, str]] = field(default_factory=dict, repr=False)

    def source(self, line: int | None) -> tuple[int, str] | None:
        """Return the number and text of a line as students read it; None for a hidden one."""
        return None if line is None else self.shown.get(line)

    def number(self, line: int | None) -> int | None:
        """Return which hidden statement a line belongs to, from 1; None for a visible line."""
        if line is None:
            return None
        for first, last, number in self.spans:
            if first <= line <= last:
                return number
        if line not in self.hidden:
            return None
        before = [text for place, text in self.hidden.items() if place <= line]
        return max(1, sum(bool(text.strip()) for text in before))

    def tells(self, line: int | None) -> bool:
        """Whether the text of an error on this visible line may be shown."""
        if line is None or not self.is_known:
            return not self.has_hidden
        return line not in self.tainted

    def is_quiet(self, line: int | None) -> bool:
        """Whether a hidden test of this cell may have run before this line, or is on it."""
        return self.has_hidden and line not in self.before

    def message(self, line: int | None) -> str:
        """Return the author's fixed text for an assert on this line; empty if there is none."""
        if line is None:
            return ""
        found = [item for item in self.messages if item[0] <= line <= item[1]]
        return max(found, default=(0, 0, ""))[2]

    def has_run_hidden(self, check: CheckRun) -> bool:
        """Whether a hidden test of this cell may have been run, as the examiner saw it."""
        if not self.has_hidden or (check.state is CheckState.NOT_RUN and not check.calls):
            return False
        is_error = check.state is CheckState.FAILED and bool(check.error_type)
        return not (is_error and not self.is_quiet(check.line))

    def check(self, name: str) -> CheckText | None:
        """Return the check of this name; of several or unnamed ones the most secret."""
        found = [item for item in self.checks if item.name == name]
        found = found or [item for item in self.checks if item.name is None]
        if not found:
            return None
        most = max(found, key=lambda item: (item.is_secret, item.is_tainted, not item.is_before))
        is_one = len({item.message for item in found}) == 1
        return most if is_one else replace(most, message="")


def quiet_after(texts: Sequence[TestText | None], checks: Iterable[CheckRun]) -> int | None:
    """Return the first cell whose hidden tests were run with the student's code; None if none.

    ``texts`` are from ``texts_of``. Whatever runs after that cell is quiet.
    """
    found = (
        check.index
        for check in checks
        if 0 <= check.index < len(texts)
        and (text := texts[check.index]) is not None
        and text.has_run_hidden(check)
    )
    return min(found, default=None)


def without_students_words(run: NotebookRun) -> NotebookRun:
    """Return a run with how it ended in words that the student's code cannot choose."""
    if run.verdict is Verdict.PROTOCOL_VIOLATION:
        return replace(run, detail="The kernel sent a message that is not valid.")
    if run.verdict is Verdict.KERNEL_DIED:
        return replace(run, detail=_EXIT.sub("", run.detail))
    return run


def builtin_error(name: str) -> str:
    """Return the name of an exception if it is one of Python's own, else empty."""
    found = getattr(builtins, name, None)
    return name if isinstance(found, type) and issubclass(found, BaseException) else ""


def texts_of(cells: Sequence[dict[str, Any]]) -> tuple[TestText | None, ...]:
    """Return what is known of each of the author's code cells; None for every other cell.

    Names that hidden lines set are followed from cell to cell.
    """
    return _texts(
        tuple(
            cell["source"]
            if cell["cell_type"] == "code" and kind_of(cell) in {CellKind.TESTS, CellKind.READ_ONLY}
            else None
            for cell in cells
        )
    )


@lru_cache(maxsize=16)  # a class has the same cells
def _texts(sources: tuple[str | None, ...]) -> tuple[TestText | None, ...]:
    cells = [None if source is None else _Cell.of(source) for source in sources]
    statements = [item for cell in cells if cell for item in cell.statements]
    called = _called_from_hidden(statements)
    ours = frozenset(name for item in statements for name in _names(item.node)[1])
    secret: set[str] = set()
    return tuple(None if cell is None else _text(cell, called, ours, secret) for cell in cells)


@dataclass(frozen=True, slots=True)
class _Cell:
    """A test cell or a given one: its text, its hidden lines and its statements.

    A block around hidden lines is there as a whole, and then its statements one by one.
    """

    source: str
    hidden: dict[int, str]
    statements: tuple[_Statement, ...]
    is_known: bool

    @classmethod
    def of(cls, source: str) -> _Cell:
        text = python_of(source)
        hidden, tree = numbered_hidden_lines(text), parsed(text)
        if tree is None or _done(hidden) != _done(numbered_hidden_lines(source)):
            return cls(source, hidden, (), is_known=False)
        pieces = list(_pieces(tree.body, hidden))
        numbers = numbers_of(tree, pieces, [node.lineno in hidden for node in pieces])
        found = tuple(map(_Statement, pieces, numbers))
        return cls(source, hidden, found, is_known=True)


def _done(hidden: dict[int, str]) -> int:
    """Count the hidden lines that are not blank."""
    return sum(bool(line.strip()) for line in hidden.values())


def _pieces(body: Iterable[ast.stmt], hidden: dict[int, str]) -> Iterator[ast.stmt]:
    for node in body:
        if node.lineno not in hidden and any(line in hidden for line in _lines(node)):
            inner = [child for child in ast.iter_child_nodes(node) if isinstance(child, ast.stmt)]
            yield node
            yield from _pieces(inner, hidden)
        else:
            yield node


def _lines(node: ast.AST) -> range:
    first = getattr(node, "lineno", 1)
    return range(first, (getattr(node, "end_lineno", None) or first) + 1)


def _text(cell: _Cell, called: frozenset[str], ours: frozenset[str], secret: set[str]) -> TestText:
    """Describe one cell; ``secret`` are the names with hidden values so far, and is brought on.

    ``ours`` are the names that the author's cells set: a student's object holds no hidden value.
    """
    hidden = cell.hidden
    tainted = {place + step for place in hidden for step in (-1, 1)}  # the delimiters
    for item in cell.statements:
        loaded, bound = _names(item.node)
        if item.number:
            secret |= bound | (names_of(item.node).changed & ours)
        elif any(line in hidden for line in _lines(item.node)):
            tainted |= set(_lines(item.node))  # a block around hidden lines
        elif loaded & secret or (bound & called and _has_callable(item.node)):
            tainted |= set(_lines(item.node))
            secret |= bound
        else:
            secret -= bound
    before = frozenset(_before(cell.statements, hidden))
    shown = numbered_hidden_lines(cell.source)
    lines = list(enumerate(cell.source.split("\n"), start=1))
    kept = _kept(lines, shown) if cell.is_known else []
    return TestText(
        has_hidden=_done(shown) > 0,
        hidden=hidden,
        spans=tuple(
            (item.node.lineno, _lines(item.node)[-1], item.number)
            for item in cell.statements
            if item.number
        ),
        tainted=frozenset(tainted - set(hidden)),
        before=before,
        messages=tuple(
            sorted({found for item in cell.statements for found in _messages(item.node)})
        ),
        checks=tuple(_checks(cell.statements, tainted, before)),
        is_known=cell.is_known,
        visible="\n".join(line for number, line in lines if number not in shown),
        shown={number: (at, line) for at, (number, line) in enumerate(kept, start=1)},
    )


def _kept(lines: Sequence[tuple[int, str]], hidden: dict[int, str]) -> list[tuple[int, str]]:
    """Return the lines that students read: the delimiters are left out with what is in them."""
    return [
        (number, line)
        for number, line in lines
        if number not in hidden and not any(mark in line for mark in (BEGIN_HIDDEN, END_HIDDEN))
    ]


def _names(node: ast.stmt) -> tuple[frozenset[str], frozenset[str]]:
    """Return the names that a statement reads from before it, and those it sets; no imports."""
    if isinstance(node, ast.Import | ast.ImportFrom):
        return frozenset(), frozenset()
    use = names_of(node)
    loops = [part.target for part in ast.walk(node) if isinstance(part, ast.For | ast.AsyncFor)]
    own = {name.id for loop in loops for name in ast.walk(loop) if isinstance(name, ast.Name)}
    return use.read - own, use.bound


def _has_callable(node: ast.AST) -> bool:
    return any(isinstance(part, _CALLABLE) for part in ast.walk(node))


def _called_from_hidden(statements: Sequence[_Statement]) -> frozenset[str]:
    """Return the names that hidden statements read, and those that what they read reads."""
    names = [(item, *_names(item.node)) for item in statements]
    reached = {name for item, loaded, _ in names if item.number for name in loaded}
    while True:
        more = {
            name
            for item, loaded, bound in names
            if bound & reached and _has_callable(item.node)
            for name in loaded
        }
        if more <= reached:
            return frozenset(reached)
        reached |= more


def _before(statements: Sequence[_Statement], hidden: dict[int, str]) -> Iterator[int]:
    """Return the lines that run before any hidden one, and not again later."""
    for item in statements:
        if any(line in hidden for line in _lines(item.node)):
            return
        if not any(isinstance(part, _RUN_LATER) for part in ast.walk(item.node)):
            yield from _lines(item.node)


def _messages(node: ast.AST) -> Iterator[tuple[int, int, str]]:
    for part in ast.walk(node):
        if isinstance(part, ast.Assert) and (text := fixed_text(part.msg)):
            yield part.lineno, part.end_lineno or part.lineno, text


def fixed_text(node: ast.AST | None) -> str:
    """Return a text as it is written, with … in the place of what is computed; else empty."""
    parts = node.values if isinstance(node, ast.JoinedStr) else [node]
    texts = [
        part.value if isinstance(part, ast.Constant) and isinstance(part.value, str) else None
        for part in parts
    ]
    if not any(text and text.strip() for text in texts):
        return ""
    return "".join("…" if text is None else text for text in texts)


def _checks(
    statements: Sequence[_Statement], tainted: set[int], before: frozenset[int]
) -> Iterator[CheckText]:
    seen: set[int] = set()
    # Inner pieces come after the block around them and know better whether they are hidden.
    for item in reversed(statements):
        for part in ast.walk(item.node):
            if not isinstance(part, ast.With) or id(part) in seen:
                continue
            seen.add(id(part))
            for manager in part.items:
                call = manager.context_expr
                if isinstance(call, ast.Call):
                    yield _check(call, item.number, set(_lines(part)), tainted, before)


def _check(
    call: ast.Call, number: int, lines: set[int], tainted: set[int], before: frozenset[int]
) -> CheckText:
    given = {keyword.arg: keyword.value for keyword in call.keywords}
    first = call.args[0] if call.args else given.get("name")
    name = first.value if isinstance(first, ast.Constant) else None
    message = given.get("message", call.args[2] if len(call.args) > 2 else None)
    return CheckText(
        name=name if isinstance(name, str) else None,
        number=number,
        is_tainted=bool(tainted & lines),
        message=fixed_text(message),
        is_before=lines <= before,
    )
