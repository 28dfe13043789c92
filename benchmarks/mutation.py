"""Mutants of a reference solution: each is its syntax tree with one small mistake in it."""

from __future__ import annotations

import ast
import copy
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

Item = TypeVar("Item")

#: A mutation makes of a node the nodes that could stand in its place by mistake.
Mutation = Callable[[ast.AST], Iterator[ast.AST]]

_OPERATORS: dict[type[ast.operator], tuple[type[ast.operator], ...]] = {
    ast.Add: (ast.Sub, ast.Mult),
    ast.Sub: (ast.Add,),
    ast.Mult: (ast.Div, ast.Add),
    ast.Div: (ast.Mult,),
    ast.FloorDiv: (ast.Div,),
    ast.Mod: (ast.FloorDiv,),
    ast.Pow: (ast.Mult,),
    ast.MatMult: (ast.Mult,),
}
_COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.Gt),
    ast.LtE: (ast.Lt, ast.GtE),
    ast.Gt: (ast.GtE, ast.Lt),
    ast.GtE: (ast.Gt, ast.LtE),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
}
#: Functions that are taken for one another.
_LOOKALIKES = {
    "minimum": "maximum",
    "min": "max",
    "mean": "sum",
    "sum": "mean",
    "exp": "log",
    "log": "exp",
    "zeros_like": "ones_like",
    "zeros": "ones",
    "argmax": "argmin",
    "std": "var",
    "clip": "maximum",
    "cumsum": "cumprod",
}
_LOOKALIKES |= {other: name for name, other in _LOOKALIKES.items() if other not in _LOOKALIKES}


@dataclass(frozen=True, slots=True)
class Mutant:
    """A changed solution. ``change`` reads "line: before -> after" and names it."""

    change: str
    code: str


def mutants(code: str, most: int | None = None) -> list[Mutant]:
    """Return every mutant of ``code`` once, in the order of its nodes.

    With ``most`` at most so many, spread evenly over all; those that are left out cost nothing.
    """
    tree = ast.parse(code)
    original = ast.unparse(tree)
    found: dict[str, Mutant] = {}
    for node, changed in spread(list(_changes(tree)), most):
        # What the copy finds in its memory it takes instead of copying.
        text = ast.unparse(copy.deepcopy(tree, {id(node): changed}))
        if text != original and text not in found and _compiles(text):
            line = getattr(node, "lineno", 0)
            change = f"{line}: {ast.unparse(node)} -> {ast.unparse(changed)}"
            found[text] = Mutant(change, text)
    return list(found.values())


def spread(items: Sequence[Item], most: int | None) -> list[Item]:
    """Return at most ``most`` of the items, spread evenly; None: all of them."""
    if most is None or len(items) <= most:
        return list(items)
    return [items[i * len(items) // most] for i in range(most)]


def _changes(tree: ast.AST) -> Iterator[tuple[ast.AST, ast.AST]]:
    mutations = (*_MUTATIONS, _other_names(tree))
    for node in ast.walk(tree):
        for mutation in mutations:
            for changed in mutation(node):
                yield node, changed


def _compiles(text: str) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SyntaxWarning)
        try:
            compile(text, "<mutant>", "exec")
        except SyntaxError:
            return False
    return True


def _copy(node: ast.AST, **changes: object) -> ast.AST:
    new = copy.copy(node)
    for name, value in changes.items():
        setattr(new, name, value)
    return new


def _swapped_operators(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.BinOp | ast.AugAssign):
        for other in _OPERATORS.get(type(node.op), ()):
            yield _copy(node, op=other())
    if isinstance(node, ast.BinOp):
        yield node.left
        yield node.right
        if isinstance(node.op, ast.Sub | ast.Div):
            yield _copy(node, left=node.right, right=node.left)
    if isinstance(node, ast.BoolOp):
        yield _copy(node, op=ast.Or() if isinstance(node.op, ast.And) else ast.And())


def _flipped_comparisons(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.Compare):
        for other in _COMPARISONS.get(type(node.ops[0]), ()):
            yield _copy(node, ops=[other(), *node.ops[1:]])
    if isinstance(node, ast.If | ast.IfExp | ast.While):
        yield _copy(node, test=ast.UnaryOp(ast.Not(), node.test))


def _wrong_signs(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.UnaryOp):
        yield node.operand
    if isinstance(node, ast.Call | ast.Name) and isinstance(getattr(node, "ctx", None), ast.Load):
        yield ast.UnaryOp(ast.USub(), node)


def _changed_constants(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.Constant) and type(node.value) in {int, float}:
        value = node.value
        assert isinstance(value, int | float)
        for other in (value + 1, value - 1, -value, value / 2):
            yield ast.Constant(other)
    if isinstance(node, ast.Constant) and type(node.value) is bool:
        yield ast.Constant(not node.value)


def _off_by_one(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Name | ast.BinOp):
        for operator in (ast.Add(), ast.Sub()):
            yield _copy(node, slice=ast.BinOp(node.slice, operator, ast.Constant(1)))
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "range":
        last = node.args[0] if len(node.args) == 1 else node.args[1]
        first = ast.Constant(0) if len(node.args) == 1 else node.args[0]
        for start, stop in ((0, -1), (1, 0), (0, 1)):
            ends = [
                ast.BinOp(end, ast.Add(), ast.Constant(move)) if move else end
                for end, move in ((first, start), (last, stop))
            ]
            yield _copy(node, args=[*ends, *node.args[2:]])


def _dropped_statements(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return  # a docstring
    if isinstance(node, ast.Assign | ast.AugAssign | ast.Expr | ast.Return | ast.If | ast.For):
        yield ast.Pass()
    if isinstance(node, ast.AugAssign):
        yield ast.Assign([node.target], node.value, lineno=node.lineno)
    if isinstance(node, ast.Return) and node.value is not None:
        yield ast.Return(ast.UnaryOp(ast.USub(), node.value))


def _dropped_calls(node: ast.AST) -> Iterator[ast.AST]:
    """``f(x)`` becomes ``x``; ``x.detach()`` becomes ``x``; keywords are left out."""
    if not isinstance(node, ast.Call):
        return
    yield from node.args
    if isinstance(node.func, ast.Attribute):
        yield node.func.value
    for i in range(len(node.keywords)):
        yield _copy(node, keywords=node.keywords[:i] + node.keywords[i + 1 :])


def _swapped_arguments(node: ast.AST) -> Iterator[ast.AST]:
    name, items = "args", node.args if isinstance(node, ast.Call) else []
    if isinstance(node, ast.Tuple) and isinstance(node.ctx, ast.Load):
        name, items = "elts", node.elts
    for i in range(len(items) - 1):
        swapped = [*items[:i], items[i + 1], items[i], *items[i + 2 :]]
        yield _copy(node, **{name: swapped})


def _lookalike_functions(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.Attribute) and node.attr in _LOOKALIKES:
        yield _copy(node, attr=_LOOKALIKES[node.attr])
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in _LOOKALIKES:
        yield _copy(node, id=_LOOKALIKES[node.id])
    if isinstance(node, ast.Attribute) and node.attr == "zeros_like":
        # The default type, whatever the argument's.
        text = f"lambda a: {ast.unparse(node.value)}.zeros(a.shape)"
        yield ast.parse(text, mode="eval").body


def _other_names(tree: ast.AST) -> Mutation:
    """Each variable is taken for each other one, and for 0 and 1 (a mask that is ignored)."""
    names = {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    names |= {
        node.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }

    def mutation(node: ast.AST) -> Iterator[ast.AST]:
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in names:
            for other in sorted(names - {node.id}):
                yield ast.Name(other, ast.Load())
            yield ast.Constant(0.0)
            yield ast.Constant(1.0)

    return mutation


_MUTATIONS: tuple[Mutation, ...] = (
    _swapped_operators,
    _flipped_comparisons,
    _wrong_signs,
    _changed_constants,
    _off_by_one,
    _dropped_statements,
    _dropped_calls,
    _swapped_arguments,
    _lookalike_functions,
)
