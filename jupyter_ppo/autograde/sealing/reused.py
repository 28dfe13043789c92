"""Expected values that are worked out from an argument when the student's code has had it.

That code may have changed it in place, and then the expected value changes with it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TypeVar

from jupyter_ppo.autograde.sealing.reading import Reading, last_part

_Node = TypeVar("_Node", bound=ast.AST)
# What makes a value that a function can change in place.
_CHANGEABLE = (ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp)
_CHANGEABLE_CALLS = frozenset({"list", "dict", "set", "bytearray", "deque", "copy", "clone"})
_ARRAYS = ("numpy.", "torch.", "pandas.", "copy.")
_NUMBERS = frozenset(
    {"all", "any", "argmax", "argmin", "default_rng", "item", "manual_seed", "max", "mean", "min"}
    | {"prod", "seed", "std", "sum", "var"}
)
# Draws give one number unless they are told a size, which stands after so many arguments.
_DRAWS = (
    dict.fromkeys(("rand", "randn", "random", "standard_normal"), 0)
    | dict.fromkeys(("choice", "exponential", "poisson"), 1)
    | dict.fromkeys(("integers", "normal", "randint", "uniform"), 2)
)
# Calls that compare or work out nothing from their arguments' values.
_NO_VALUES = frozenset(
    {"callable", "display", "hasattr", "isinstance", "issubclass", "len", "print", "type"}
)
_SIZES = frozenset({"dtype", "ndim", "shape", "size"})


def reused_arguments(reading: Reading) -> Iterator[int]:
    """Return the lines where an expected value is taken from an argument handed over before."""
    return _Look(reading).found()


class _Look:
    def __init__(self, reading: Reading) -> None:
        self.reading = reading
        self.changeable: set[str] = set()
        while (grown := self.changeable | set(self._bound_to_changeable())) != self.changeable:
            self.changeable = grown

    def found(self) -> Iterator[int]:
        # Names that were handed to the student's code; a later assignment makes them new.
        handed: set[str] = set()
        for statement in _in_order(self.reading.tree.body):
            for call in _own_nodes(statement, ast.Call):
                if self.reading.touches(call.func):
                    handed |= self._handed_in(call)
            if any(self._expects(part, handed) for part in _own_nodes(statement, ast.expr)):
                yield statement.lineno
            for name in _own_nodes(statement, ast.Name):
                if isinstance(name.ctx, ast.Store):
                    handed.discard(name.id)

    def _handed_in(self, call: ast.Call) -> set[str]:
        given = [*call.args, *(keyword.value for keyword in call.keywords)]
        names = {part.id for part in given if isinstance(part, ast.Name)}
        return names & self.changeable

    def _expects(self, node: ast.expr, handed: set[str]) -> bool:
        """Whether the student's value meets one worked out from a handed argument."""
        match node:
            case ast.Compare(left=left, ops=[operator], comparators=[right]):
                if isinstance(operator, ast.Is | ast.IsNot):
                    return False
            case ast.BinOp(left=left, right=right):
                pass
            case ast.Call(func=function, args=[left, right, *_]):
                if last_part(function) in _NO_VALUES or self.reading.touches(function):
                    return False
            case _:
                return False
        # What stands left of the call was worked out before it, unless it is the argument itself.
        return self._pair(left, right, handed) or (
            self._pair(right, left, handed)
            and (isinstance(left, ast.Name) or not self._calls_student(right))
        )

    def _pair(self, answer: ast.expr, expected: ast.expr, handed: set[str]) -> bool:
        if self.reading.touches(expected) or not set(_value_names(expected)) & handed:
            return False
        if isinstance(answer, ast.Name) and answer.id in self.reading.students:
            return False  # the function itself, not what it gave
        changed_itself = isinstance(answer, ast.Name) and answer.id in handed
        return changed_itself or self.reading.touches(answer)

    def _calls_student(self, node: ast.expr) -> bool:
        return any(
            isinstance(part, ast.Call) and self.reading.touches(part.func)
            for part in ast.walk(node)
        )

    def _bound_to_changeable(self) -> Iterator[str]:
        for node in self.reading.nodes:
            match node:
                case ast.Assign(targets=targets, value=value) if self._can_change(value):
                    for target in targets:
                        yield from _plain(target)
                case ast.AnnAssign(target=target, value=ast.expr() as value) if self._can_change(
                    value
                ):
                    yield from _plain(target)
                case ast.For(target=target, iter=ast.List(elts=items) | ast.Tuple(elts=items)):
                    if any(map(self._can_change, items)):
                        yield from _plain(target)

    def _can_change(self, value: ast.expr) -> bool:
        match value:
            case ast.Name(id=name):
                return name in self.changeable
            case ast.BinOp(left=left, right=right):
                return self._can_change(left) or self._can_change(right)
            case ast.Call() if not self.reading.touches(value):
                return self._makes(value)
        return isinstance(value, _CHANGEABLE)

    def _makes(self, call: ast.Call) -> bool:
        """Whether a call of the test's own gives an array or a collection."""
        name, options = last_part(call.func), {keyword.arg for keyword in call.keywords}
        if name in _NUMBERS or (name in _DRAWS and not self._is_sized(call)):
            return bool(options & {"axis", "dim", "keepdims", "size"})
        if name in _CHANGEABLE_CALLS:
            return True
        root: ast.expr = call.func
        while isinstance(root, ast.Attribute | ast.Call | ast.Subscript):
            if self.reading.dotted(root).startswith(_ARRAYS):
                return True
            root = root.func if isinstance(root, ast.Call) else root.value
        # A method of an array, or of a generator of random numbers that was made before.
        is_method = isinstance(call.func, ast.Attribute)
        return is_method and (name in _DRAWS or self._can_change(root))

    def _is_sized(self, call: ast.Call) -> bool:
        return len(call.args) > _DRAWS[last_part(call.func)]


def _plain(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.Name):
        yield node.id


def _in_order(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Return the statements as they stand, those inside others after them."""
    for statement in body:
        yield statement
        for part in ("body", "orelse", "handlers", "finalbody"):
            for inner in getattr(statement, part, ()):
                yield from _in_order([inner] if isinstance(inner, ast.stmt) else inner.body)


def _own_nodes(statement: ast.stmt, kind: type[_Node]) -> Iterator[_Node]:
    """Return a statement's nodes of a kind, without those of the statements inside it."""
    waiting: list[ast.AST] = [statement]
    while waiting:
        node = waiting.pop()
        if isinstance(node, kind):
            yield node
        inner = ast.iter_child_nodes(node)
        waiting += [part for part in inner if not isinstance(part, ast.stmt | ast.ExceptHandler)]


def _value_names(node: ast.AST) -> Iterator[str]:
    """Return the names whose value, not only its size or type, is in an expression."""
    if isinstance(node, ast.Name):
        yield node.id
    is_size = isinstance(node, ast.Attribute) and node.attr in _SIZES
    if is_size or (isinstance(node, ast.Call) and last_part(node.func) in {"len", "type", "id"}):
        return
    for part in ast.iter_child_nodes(node):
        yield from _value_names(part)
