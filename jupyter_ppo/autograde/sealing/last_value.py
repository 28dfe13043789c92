"""The last line of a test cell, whose value is its partial credit."""

from __future__ import annotations

import ast
from typing import TypeGuard

from jupyter_ppo.autograde.sealing.reading import Reading, last_part

# What these return is no number of points: a truth value, a text, a collection.
_CALLS = frozenset(
    {"all", "any", "bool", "dict", "frozenset", "list", "repr", "reversed", "set", "sorted", "str"}
    | {"tuple", "allclose", "array_equal", "array_equiv", "isclose"}
    | {"isinstance", "issubclass", "callable", "hasattr"}
)
_COLLECTIONS = (
    *(ast.List, ast.Tuple, ast.Set, ast.Dict, ast.ListComp, ast.SetComp, ast.DictComp),
    *(ast.GeneratorExp, ast.JoinedStr, ast.Lambda),
)


def is_no_number(value: ast.expr, reading: Reading) -> bool:
    """Whether the value of an expression at the end of a test cell is surely no number.

    What a function of the author's returns is not known, and counts as one.
    """
    match value:
        case ast.Name(id=name):
            given = [node.value for node in reading.tree.body if _sets(node, name)]
            is_once = len(given) == sum(_is_store(node, name) for node in reading.nodes) == 1
            is_known = is_once and not isinstance(given[0], ast.Name)
            return is_known and is_no_number(given[0], reading)
        case ast.IfExp(body=body, orelse=orelse):
            return is_no_number(body, reading) or is_no_number(orelse, reading)
        case ast.BinOp(left=left, right=right):
            return _is_collection(left) or _is_collection(right)
        case ast.UnaryOp(op=operator):
            return isinstance(operator, ast.Not)
        case ast.Call(func=function):
            name = last_part(function)
            return name in _CALLS and name not in reading.ownership.given
    return isinstance(value, ast.Compare | ast.BoolOp) or _is_collection(value)


def _is_collection(node: ast.expr) -> bool:
    is_text = isinstance(node, ast.Constant) and isinstance(node.value, str | bytes)
    return is_text or isinstance(node, _COLLECTIONS)


def _sets(node: ast.stmt, name: str) -> TypeGuard[ast.Assign]:
    return isinstance(node, ast.Assign) and any(
        isinstance(part, ast.Name) and part.id == name for part in node.targets
    )


def _is_store(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name and not isinstance(node.ctx, ast.Load)
