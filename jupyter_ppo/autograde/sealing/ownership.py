"""Whose name is it: the examiner's or the student's. Decided by the author's notebook alone.

The examiner has what test cells and given cells bind, and all imports: those in answers too, as the
same module of its own. The student's are the names that the answers bind, and what given statements
build from these (``model = Net()``). Of several cells that bind a name, the last one before a test
decides, as it would in one kernel.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from jupyter_ppo.autograde.sealing.author import AuthorCell, Part
from jupyter_ppo.autograde.sealing.names import names_of
from jupyter_ppo.autograde.sealing.python_text import parsed, python_of, unwrapped

_KERNEL = "get_ipython"


@dataclass(frozen=True, slots=True)
class OwnedCell:
    """A code cell of the author's with what of it the examiner runs.

    ``tree`` is None if the cell is no Python. ``definitions`` is the part of ``code`` that only
    defines things without asking the student's code: what is left of a test that is not run.
    ``pushed`` as in ``ExamCell``. ``students`` are the names that are the student's when the cell
    is run.
    """

    cell: AuthorCell
    tree: ast.Module | None
    code: str
    definitions: str
    pushed: tuple[str, ...]
    students: frozenset[str]


@dataclass(frozen=True, slots=True)
class Ownership:
    """Who has which name, and what the notebook uses.

    ``read_by_answers`` are the global names that functions and classes in answers read.
    ``given`` are the names that given cells bind in the examiner; ``asking`` those of them that
    read the student's names when they are called. ``imported`` are the names of modules and of what
    was imported from them, with the dotted name. ``answers`` are the trees of the answers.
    """

    cells: tuple[OwnedCell, ...]
    student_names: frozenset[str]
    read_by_answers: frozenset[str]
    given: frozenset[str]
    asking: frozenset[str]
    imported: Mapping[str, str]
    modules: frozenset[str]
    answers: tuple[ast.Module, ...]


@lru_cache(maxsize=16)
def ownership_of(cells: tuple[AuthorCell, ...]) -> Ownership:
    """Return who has which name in the author's notebook with these ``cells``.

    Remembered, because a class is graded from one source: do not change what comes back.
    """
    walk = _Walk()
    for cell in cells:
        walk.enter(cell)
    owned = tuple(walk.owned(*item) for item in walk.found)
    return Ownership(
        owned,
        frozenset(walk.ever_students),
        frozenset(walk.read_by_answers),
        frozenset(walk.given),
        frozenset(name for name, lazy in walk.lazy.items() if lazy & walk.ever_students),
        walk.imported,
        frozenset(walk.modules),
        tuple(walk.answers),
    )


class _Walk:
    """Goes through the cells in order and keeps who has which name at this point."""

    def __init__(self) -> None:
        self.found: list[tuple[AuthorCell, ast.Module | None, str, str, frozenset[str]]] = []
        self.students: set[str] = set()
        self.ever_students: set[str] = set()
        self.examiners: set[str] = set()
        self.given: set[str] = set()
        self.read_by_answers: set[str] = set()
        self.imported: dict[str, str] = {}
        self.modules: set[str] = set()
        self.lazy: dict[str, frozenset[str]] = {}
        self.answers: list[ast.Module] = []

    def enter(self, cell: AuthorCell) -> None:
        is_test = cell.part is Part.TEST
        text = python_of(cell.source if is_test else unwrapped(cell.source))
        tree = parsed(text)
        before = frozenset(self.students)
        if tree is None:
            self.found.append((cell, None, text if is_test else "", "", before))
            return
        self._imports(tree)
        if is_test:
            code, definitions = text, self._definitions(tree)
            # A student's name that a test sets stays the student's.
            self.examiners |= names_of(tree).bound
        elif cell.part is Part.ANSWER:
            self.answers.append(tree)
            code, definitions = self._answer(tree), ""
        else:
            code, definitions = self._given(tree, text, only_names=cell.part is Part.UNSEALED), ""
        self.found.append((cell, tree, code, definitions, before))

    def owned(
        self,
        cell: AuthorCell,
        tree: ast.Module | None,
        code: str,
        definitions: str,
        students: frozenset[str],
    ) -> OwnedCell:
        bound = names_of(tree).bound if tree is not None and cell.part is Part.TEST else frozenset()
        pushed = bound & self.read_by_answers & self.ever_students
        return OwnedCell(cell, tree, code, definitions, tuple(sorted(pushed)), students)

    def _answer(self, tree: ast.Module) -> str:
        code: list[str] = []
        for node in tree.body:
            use = names_of(node)
            if is_import(node):
                if not _is_future(node):
                    code.append(ast.unparse(node))
                    self._taken(use.bound)
                continue
            self.read_by_answers |= use.lazy
            if isinstance(node, ast.ClassDef):
                self.read_by_answers |= use.eager
            code += self._lost(use.bound)
        return "\n".join(code)

    def _given(self, tree: ast.Module, text: str, *, only_names: bool) -> str:
        code: list[str] = []
        is_whole = not only_names
        for node in tree.body:
            use = names_of(node)
            is_students = not is_import(node) and (use.eager & self.students or _KERNEL in use.read)
            if is_students:
                self.read_by_answers |= use.lazy
                code += self._lost(use.bound | (use.changed & self.given))
                is_whole = False
            elif use.bound or not only_names:
                code.append(ast.unparse(node))
                self._taken(use.bound)
                if not is_import(node):
                    self.given |= use.bound
                    self.lazy |= dict.fromkeys(use.bound, use.lazy)
        return text if is_whole else "\n".join(code)

    def _definitions(self, tree: ast.Module) -> str:
        return "\n".join(
            ast.unparse(node)
            for node in tree.body
            if (use := names_of(node)).bound
            and not use.eager & self.students
            and _KERNEL not in use.read
        )

    def _taken(self, names: Iterable[str]) -> None:
        self.examiners |= set(names)
        self.students -= set(names)

    def _lost(self, names: Iterable[str]) -> list[str]:
        """Give ``names`` to the student; return code that makes the examiner forget its own."""
        named = set(names)
        self.students |= named
        self.ever_students |= named
        forgotten = sorted(named & self.examiners)
        self.examiners -= named
        self.given -= named
        # Not the method: the examiner's names hand it on to the student's kernel.
        return [f"dict.pop(globals(), {name!r}, None)" for name in forgotten]

    def _imports(self, tree: ast.Module) -> None:
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    self.modules.add(alias.name)
                    head = alias.name.partition(".")[0]
                    self.imported[alias.asname or head] = alias.name if alias.asname else head
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                if node.module == "__future__":
                    continue
                self.modules.add(node.module)
                for alias in node.names:
                    self.imported[alias.asname or alias.name] = f"{node.module}.{alias.name}"


def is_import(node: ast.stmt) -> bool:
    """Whether a statement only imports; ``try: import a`` with ``except: a = None`` does, too."""
    if isinstance(node, ast.Import | ast.ImportFrom):
        return True
    if not isinstance(node, ast.Try):
        return False
    handled = [statement for handler in node.handlers for statement in handler.body]
    rest = [*node.body, *handled, *node.orelse, *node.finalbody]
    return any(is_import(part) for part in node.body) and all(
        is_import(part)
        or isinstance(part, ast.Pass)
        or (isinstance(part, ast.Assign) and isinstance(part.value, ast.Constant))
        for part in rest
    )


def _is_future(node: ast.stmt) -> bool:
    return isinstance(node, ast.ImportFrom) and node.module == "__future__"
