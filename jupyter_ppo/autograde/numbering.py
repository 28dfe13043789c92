"""Which number a hidden test has: only statements that can fail as a test are counted."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence

from jupyter_ppo.autograde.sealing.reading import last_part

_FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef)
_TESTING = re.compile(r"assert|(?:raises|checks|examine_policy)\Z")


def numbers_of(
    tree: ast.Module, statements: Sequence[ast.stmt], hidden: Sequence[bool]
) -> list[int]:
    """Return the number, from 1, of the hidden test that each statement belongs to; else 0.

    A hidden statement that only prepares has the number of the next test, at the end that of the
    last one. ``tree`` is the whole cell, ``hidden`` says of each statement whether it is hidden.
    """
    helpers = frozenset(
        node.name
        for node in ast.walk(tree)
        if isinstance(node, _FUNCTION) and any(map(_fails, ast.walk(node)))
    )
    tests = [
        secret and _is_test(node, helpers) for node, secret in zip(statements, hidden, strict=True)
    ]
    most, count = max(1, sum(tests)), 0
    numbers = []
    for is_test, secret in zip(tests, hidden, strict=True):
        number = count + 1 if is_test else min(count + 1, most)
        count += is_test
        numbers.append(number if secret else 0)
    return numbers


def _is_test(node: ast.stmt, helpers: frozenset[str]) -> bool:
    """Whether a statement can fail as a test; one that only defines a helper cannot."""
    if isinstance(node, (*_FUNCTION, ast.ClassDef)):
        return False
    return any(_fails(part) or _called(part) in helpers for part in ast.walk(node))


def _fails(node: ast.AST) -> bool:
    return isinstance(node, ast.Assert | ast.Raise) or bool(_TESTING.match(_called(node)))


def _called(node: ast.AST) -> str:
    """Return the last name of what is called; empty for anything else."""
    return last_part(node.func) if isinstance(node, ast.Call) else ""
