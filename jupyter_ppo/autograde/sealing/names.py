"""Which names a statement binds and reads, by Python's own symbol tables."""

from __future__ import annotations

import ast
import symtable
from collections.abc import Iterator
from dataclasses import dataclass

from jupyter_ppo.autograde.sealing.python_text import UNREADABLE

# Functions in the symbol table that run where they stand.
_AT_ONCE = frozenset({"listcomp", "setcomp", "dictcomp", "genexpr"})
_CHANGING = frozenset(
    {"add", "append", "appendleft", "clear", "discard", "extend", "insert", "pop", "popleft"}
    | {"popitem", "remove", "reverse", "setdefault", "sort", "update"}
)


@dataclass(frozen=True, slots=True)
class NameUse:
    """The global names of a piece of code.

    ``eager`` are read when it runs, ``lazy`` only when a function in it is called. ``changed`` are
    those whose value it changes without binding it (``x[0] = 1``, ``x.append(1)``).
    """

    bound: frozenset[str] = frozenset()
    eager: frozenset[str] = frozenset()
    lazy: frozenset[str] = frozenset()
    changed: frozenset[str] = frozenset()

    @property
    def read(self) -> frozenset[str]:
        """All names that it reads, now or later."""
        return self.eager | self.lazy


def names_of(node: ast.stmt | ast.Module) -> NameUse:
    """Return the global names of a statement or a cell; none for what cannot be compiled."""
    try:
        table = symtable.symtable(ast.unparse(node), "cell", "exec")
    except UNREADABLE:
        return NameUse()
    bound: set[str] = set()
    eager: set[str] = set()
    lazy: set[str] = set()
    _collect(table, bound, eager, lazy, is_eager=True)
    changed = frozenset(_changed(node))
    return NameUse(frozenset(bound), frozenset(eager), frozenset(lazy), changed)


def _collect(
    table: symtable.SymbolTable, bound: set[str], eager: set[str], lazy: set[str], *, is_eager: bool
) -> None:
    is_top = table.get_type() == "module"
    for symbol in table.get_symbols():
        name = symbol.get_name()
        is_global = is_top or symbol.is_global()
        if is_global and (symbol.is_assigned() or symbol.is_imported()):
            bound.add(name)
        if is_global and symbol.is_referenced():
            (eager if is_eager else lazy).add(name)
    for child in table.get_children():
        at_once = child.get_type() == "class" or child.get_name() in _AT_ONCE
        _collect(child, bound, eager, lazy, is_eager=is_eager and at_once)


def _changed(node: ast.AST) -> Iterator[str]:
    for part in ast.walk(node):
        target: ast.expr | None = None
        if isinstance(part, ast.Attribute | ast.Subscript) and not isinstance(part.ctx, ast.Load):
            target = part.value
        elif (
            isinstance(part, ast.Call)
            and isinstance(part.func, ast.Attribute)
            and part.func.attr in _CHANGING
        ):
            target = part.func.value
        name = root_name(target) if target is not None else None
        if name is not None:
            yield name


def root_name(node: ast.expr) -> str | None:
    """Return the name that attributes and subscripts begin with: ``a`` of ``a.b[0]``."""
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None
