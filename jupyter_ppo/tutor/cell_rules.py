"""A cell of code described by rules: what it takes, makes and does, in plain sentences."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from jupyter_ppo.tutor.error_places import short

_MOST_CHARACTERS = 20_000
_MOST_ITEMS = 8
_UNREADABLE = (SyntaxError, ValueError, RecursionError, MemoryError)


def explain_cell(code: str) -> tuple[str, ...]:
    """Return what a cell does, one sentence each; never empty. Nothing of it is run."""
    try:
        tree = ast.parse(code[:_MOST_CHARACTERS])
        found = tuple(_sentences(tree))
    except _UNREADABLE as error:
        what = short(str(error)) or type(error).__name__
        return (f"This is not Python as it stands, so it cannot be read by rules: {what}.",)
    return found or ("The cell holds no code that does anything.",)


def _sentences(tree: ast.Module) -> Iterator[str]:
    lines = sum(1 for node in ast.walk(tree) if isinstance(node, ast.stmt))
    if lines:
        yield f"The cell has {lines} statement{'' if lines == 1 else 's'}."
    imported = [
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    ]
    if imported:
        yield f"It imports {_listed(imported)}."
    for node in tree.body[:50]:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield _function(node)
        elif isinstance(node, ast.ClassDef):
            methods = [
                each.name
                for each in node.body
                if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)
            ]
            told = f" with the methods {_listed(methods)}" if methods else ""
            yield f"It defines the class {node.name}{told}."
    stored = _names(tree, ast.Store)
    if stored:
        yield f"It gives values to {_listed(stored)}."
    built = [node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    taken = [name for name in _names(tree, ast.Load) if name not in {*stored, *imported, *built}]
    if taken:
        yield f"It uses {_listed(taken)}, which come from elsewhere."
    loops = sum(isinstance(node, ast.For | ast.While) for node in ast.walk(tree))
    if loops:
        yield f"It has {loops} loop{'' if loops == 1 else 's'}: ask how often each is gone through."
    if any(isinstance(node, ast.Assert) for node in ast.walk(tree)):
        yield "It checks something, and ends with an error where that does not hold."


def _function(node: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    arguments = node.args
    names = [each.arg for each in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]
    takes = f" of {_listed(names)}" if names else ", which takes nothing"
    words = short((ast.get_docstring(node) or "").partition("\n")[0])
    purpose = f" Its text says: {words}." if words else ""
    gives = any(isinstance(each, ast.Return) and each.value for each in ast.walk(node))
    ends = "" if gives else " No line of it gives a result back."
    return f"It defines the function {node.name}{takes}.{purpose}{ends}"


def _names(tree: ast.Module, context: type[ast.expr_context]) -> list[str]:
    found = (
        node.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and isinstance(node.ctx, context)
    )
    return list(dict.fromkeys(found))


def _listed(names: Iterable[str]) -> str:
    once = list(dict.fromkeys(short(name, 60) for name in names))
    more = f" and {len(once) - _MOST_ITEMS} more" if len(once) > _MOST_ITEMS else ""
    return ", ".join(once[:_MOST_ITEMS]) + more
