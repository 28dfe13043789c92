"""A test cell with what can be told of its values: which of them come from the student."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from jupyter_ppo.autograde.sealing.names import names_of
from jupyter_ppo.autograde.sealing.ownership import OwnedCell, Ownership

Function = ast.FunctionDef | ast.AsyncFunctionDef
# What they return is the test's own, whatever they are asked about.
_JUDGES = frozenset(
    {"isinstance", "issubclass", "callable", "hasattr", "allclose", "isclose", "array_equal"}
    | {"array_equiv", "id", "repr"}
)
_NO_KIND = frozenset({"int", "float", "str", "bool", "len", "abs", "round", "hash"})


class Reading:
    """One test cell, and the names whose values come from the student's code.

    A value that was only compared is the test's own. ``earlier`` are such names of the test cells
    before. The names are followed without regard to the order of statements.
    """

    def __init__(
        self, owned: OwnedCell, ownership: Ownership, earlier: frozenset[str] = frozenset()
    ) -> None:
        self.tree = owned.tree if owned.tree is not None else ast.Module([], [])
        self.is_python = owned.tree is not None
        self.owned, self.ownership = owned, ownership
        # A name that an answer binds only later is nobody's here, so all of them may count.
        self.students = ownership.student_names | ownership.asking
        self.nodes = tuple(ast.walk(self.tree))
        bound = names_of(self.tree).bound
        self.students_values = self.students | (earlier - bound)
        while (grown := self.students_values | frozenset(self._receivers())) != (
            self.students_values
        ):
            self.students_values = grown
        #: Those that test cells after this one can see.
        self.later = earlier - bound | (self.students_values & bound)

    def touches(self, node: ast.AST | None) -> bool:
        """Whether a value of this expression may come from the student's code."""
        if node is None or isinstance(node, ast.Compare):
            return False
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            return False
        if isinstance(node, ast.Name):
            return isinstance(node.ctx, ast.Load) and node.id in self.students_values
        if isinstance(node, ast.Call) and last_part(node.func) in _JUDGES:
            return False
        return any(self.touches(child) for child in ast.iter_child_nodes(node))

    def mentions(self, node: ast.AST) -> bool:
        """Whether the expression asks the student's code at all, be it only to compare."""
        return any(
            isinstance(part, ast.Name) and part.id in self.students_values
            for part in ast.walk(node)
        )

    def may_be_object(self, node: ast.expr) -> bool:
        """Whether the value may be an object or a function that stays in the student's kernel."""
        if isinstance(node, ast.Call) and last_part(node.func) in _NO_KIND:
            return False
        return self.touches(node)

    def dotted(self, node: ast.expr) -> str:
        """Return the dotted name of an expression by the notebook's imports, else empty."""
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name):
            return ""
        known = self.ownership.imported
        is_imported = node.id in known and node.id not in self.students
        parts.append(known[node.id] if is_imported else node.id)
        return ".".join(reversed(parts))

    def is_module(self, node: ast.expr) -> bool:
        """Whether the expression begins with the name of something imported, or ``builtins``."""
        while isinstance(node, ast.Attribute | ast.Subscript):
            node = node.value
        names = self.ownership.imported
        return isinstance(node, ast.Name) and (node.id in names or node.id == "__builtins__")

    def calls(self) -> Iterator[ast.Call]:
        """Return every call in the cell."""
        return (node for node in self.nodes if isinstance(node, ast.Call))

    def asks(self, call: ast.Call) -> bool:
        """Whether a call runs the student's code: its function or something it is handed is theirs.

        Not whether its value comes from there.
        """
        return self.touches(call.func) or any(
            isinstance(part, ast.Name) and part.id in self.students for part in call.args
        )

    def _receivers(self) -> Iterator[str]:
        for node in self.nodes:
            match node:
                case ast.Assign(targets=targets, value=value) if self.touches(value):
                    for target in targets:
                        yield from _plain_targets(target)
                case (
                    ast.AnnAssign(target=target, value=value)
                    | ast.AugAssign(target=target, value=value)
                    | ast.NamedExpr(target=target, value=value)
                ) if self.touches(value):
                    yield from _plain_targets(target)
                case (
                    ast.For(target=target, iter=value)
                    | ast.AsyncFor(target=target, iter=value)
                    | ast.comprehension(target=target, iter=value)
                ) if self.touches(value):
                    yield from _plain_targets(target)
                case ast.withitem(context_expr=value, optional_vars=ast.expr() as target) if (
                    self.touches(value)
                ):
                    yield from _plain_targets(target)
                case ast.FunctionDef(name=name) if self._returns_students(node):
                    yield name

    def _returns_students(self, function: ast.AST) -> bool:
        return any(
            isinstance(part, ast.Return | ast.Yield | ast.YieldFrom) and self.touches(part.value)
            for part in ast.walk(function)
        )


def last_part(node: ast.expr) -> str:
    """Return the last name of what is called: ``allclose`` of ``np.allclose``."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _plain_targets(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.Name):
        yield node.id
    elif isinstance(node, ast.Tuple | ast.List):
        for part in node.elts:
            yield from _plain_targets(part)
    elif isinstance(node, ast.Starred):
        yield from _plain_targets(node.value)
