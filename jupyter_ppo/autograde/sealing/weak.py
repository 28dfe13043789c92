"""Tests that a wrong answer may pass, sealed or not."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from decimal import Decimal
from enum import StrEnum

from jupyter_ppo.autograde.sealing.last_value import is_no_number
from jupyter_ppo.autograde.sealing.reading import Reading, last_part
from jupyter_ppo.autograde.sealing.reused import reused_arguments
from jupyter_ppo.domain.sealing import Finding, FindingKind


class Weakness(StrEnum):
    """What makes a test weak; the text is the sentence that the author reads."""

    NAN = (
        "An answer of NaN passes here, because every comparison with NaN is false: assert what "
        "must hold ('assert abs(a - b) <= tol'), or use numpy.testing.assert_allclose."
    )
    ARGUMENT = (
        "The expected value is taken from an argument after the student's code had it and may have "
        "changed it: compute it before the call, or hand over a copy."
    )
    LAST_VALUE = (
        "The value of the last line comes from the student's code and would count as partial "
        "credit: end the cell with an assert, or with a number that the test worked out."
    )
    NO_NUMBER = (
        "The last line's value is no number, so it counts as full points (only a plain False gives "
        "none, and nbgrader counts that as full, too): assert it, or end with a number of points."
    )
    NO_CHECK = (
        "Nothing here can fail but the code itself, so any answer that raises no error passes: add "
        "an assert."
    )
    ALWAYS_TRUE = (
        "This assert always holds, because condition and message are one tuple in the brackets: "
        "remove the brackets."
    )
    CONSTANT = (
        "This assert always holds, because its condition is a constant: put the condition that you "
        "mean."
    )
    SWALLOWED = (
        "The except clause also catches the failed assert inside the try, so it never counts: name "
        "the one exception that you expect, and assert after the try."
    )
    ANY_ERROR = (
        "Any error passes here, also the NotImplementedError of an answer that was never written: "
        "name the exception that you expect."
    )
    NOT_ASKED = (
        "This test uses nothing that an answer defines, so it says nothing about the answer: call "
        "the student's function in it."
    )
    ONLY_TYPE = "Only types are checked, so any value of that type passes: check a value, too."
    FLOAT_EQUAL = (
        "A right answer may differ from this number in the last digit: compare with math.isclose "
        "or numpy.testing.assert_allclose."
    )


_FAILING = re.compile(
    r"assert|check|expect|fail|grade|raises|require|test|validate|verify|warns", re.IGNORECASE
)
_TOO_WIDE = frozenset({"Exception", "BaseException", "NotImplementedError", "RuntimeError"})
_CATCHES_ASSERT = frozenset({"Exception", "BaseException", "AssertionError"})
_ORDER = (ast.Lt, ast.LtE, ast.Gt, ast.GtE)
_TYPE_CALLS = frozenset({"isinstance", "issubclass", "callable", "hasattr"})
_COPYING = frozenset({"print", "display"})
_BY_NAME = frozenset({"globals", "eval", "exec", "getattr", "locals", "vars"})


def weaknesses_of(reading: Reading) -> tuple[Finding, ...]:
    """Return why a wrong answer may pass a test cell, each weakness once a line."""
    if not reading.is_python:
        return ()
    found = {(line, topic) for topic, line in _Look(reading).found()}
    return tuple(_finding(topic, line) for line, topic in sorted(found))


def _finding(topic: Weakness, line: int) -> Finding:
    kind = FindingKind.CARE if topic is Weakness.FLOAT_EQUAL else FindingKind.WEAK
    return Finding(line, kind, topic.value)


class _Look:
    def __init__(self, reading: Reading) -> None:
        self.reading = reading
        self.asserts = [node for node in reading.nodes if isinstance(node, ast.Assert)]

    def found(self) -> Iterator[tuple[Weakness, int]]:
        for node in self.reading.nodes:
            line = getattr(node, "lineno", 1)
            for topic in self._topics(node):
                yield topic, line
        yield from self._whole()
        for line in reused_arguments(self.reading):
            yield Weakness.ARGUMENT, line

    def _topics(self, node: ast.AST) -> Iterator[Weakness]:
        match node:
            case ast.Assert(test=test):
                if _always_true(test):
                    is_message = isinstance(test, ast.Tuple) and _ends_in_text(test)
                    yield Weakness.ALWAYS_TRUE if is_message else Weakness.CONSTANT
                if self._fails_open(test):
                    yield Weakness.NAN
                if self._equals_rounded(test):
                    yield Weakness.FLOAT_EQUAL
            case ast.If(test=test, body=body, orelse=[]):
                if all(map(_is_failure, body)) and self._has_order(test):
                    yield Weakness.NAN
            case ast.Try():
                yield from self._try(node)
            case ast.Call(func=function, args=[kind, *_]):
                wide = last_part(kind) in _TOO_WIDE
                if wide and last_part(function) in {"raises", "assertRaises"}:
                    yield Weakness.ANY_ERROR

    def _whole(self) -> Iterator[tuple[Weakness, int]]:
        body = self.reading.tree.body
        last = body[-1] if body else None
        value = last.value if isinstance(last, ast.Expr) else None
        if isinstance(value, ast.Constant):
            value = None
        if value is not None and last is not None and self._sets_points(value):
            yield Weakness.LAST_VALUE, last.lineno
        elif not self._can_fail(value):
            yield Weakness.NO_CHECK, 1
        elif isinstance(last, ast.Expr) and is_no_number(last.value, self.reading):
            yield Weakness.NO_NUMBER, last.lineno
        if not self._asks():
            yield Weakness.NOT_ASKED, 1
        real = [node for node in self.asserts if not _always_true(node.test)]
        if real and all(map(self._is_about_type, (node.test for node in real))):
            others = [node for node in self.reading.nodes if self._is_other_check(node)]
            if not others and (value is None or self._sets_points(value)):
                yield Weakness.ONLY_TYPE, real[0].lineno

    def _sets_points(self, value: ast.expr) -> bool:
        """Whether the last value is one that the student's code chose."""
        if isinstance(value, ast.Call) and not self.reading.touches(value.func):
            name = last_part(value.func)
            is_own = name in self.reading.ownership.given or name in _COPYING
            if is_own or _FAILING.search(name):
                return False
        return self.reading.touches(value)

    def _can_fail(self, value: ast.expr | None) -> bool:
        if value is not None and not (
            isinstance(value, ast.Call) and last_part(value.func) in _COPYING
        ):
            return True
        return bool(self.asserts) or any(map(self._is_other_check, self.reading.nodes))

    def _is_other_check(self, node: ast.AST) -> bool:
        if isinstance(node, ast.Raise):
            return True
        if not isinstance(node, ast.Call):
            return False
        if self.reading.touches(node.func):
            return False
        name = last_part(node.func)
        return bool(_FAILING.search(name)) or name in self.reading.ownership.given

    def _asks(self) -> bool:
        # A magic or a shell line, which may be the one that asks.
        named = self.reading.students_values | _BY_NAME | {"get_ipython"}
        return any(isinstance(node, ast.Name) and node.id in named for node in self.reading.nodes)

    def _has_order(self, node: ast.expr) -> bool:
        """Whether an order is asked of a value of the student's somewhere in the expression."""
        return any(
            isinstance(part, ast.Compare)
            and any(isinstance(op, _ORDER) for op in part.ops)
            and any(map(self.reading.touches, [part.left, *part.comparators]))
            and not any(_counts(side) for side in [part.left, *part.comparators])
            for part in ast.walk(node)
        )

    def _fails_open(self, test: ast.expr) -> bool:
        return any(
            isinstance(part, ast.UnaryOp)
            and isinstance(part.op, ast.Not)
            and self._has_order(part.operand)
            for part in ast.walk(test)
        )

    def _equals_rounded(self, test: ast.expr) -> bool:
        for part in ast.walk(test):
            if isinstance(part, ast.Compare) and any(isinstance(op, ast.Eq) for op in part.ops):
                sides = [part.left, *part.comparators]
                if any(map(_is_rounded, sides)) and any(map(self.reading.touches, sides)):
                    return True
        return False

    def _is_about_type(self, test: ast.expr) -> bool:
        match test:
            case ast.BoolOp(values=values):
                return all(map(self._is_about_type, values))
            case ast.Call(func=function):
                return last_part(function) in _TYPE_CALLS
            case ast.Compare(left=left, comparators=[right]):
                sides = (left, right)
                of_type = any(
                    isinstance(side, ast.Call) and last_part(side.func) == "type" for side in sides
                )
                is_none = isinstance(right, ast.Constant) and right.value is None
                return of_type or is_none
        return False

    def _try(self, node: ast.Try) -> Iterator[Weakness]:
        inside = [part for statement in node.body for part in ast.walk(statement)]
        checks = any(
            isinstance(part, ast.Assert | ast.Raise)
            or (isinstance(part, ast.Call) and last_part(part.func).startswith("assert"))
            for part in inside
        )
        for handler in node.handlers:
            caught = _caught(handler)
            if not all(map(_is_silent, handler.body)):
                continue
            if checks and caught & _CATCHES_ASSERT:
                yield Weakness.SWALLOWED
            elif caught & _TOO_WIDE and any(map(self.reading.mentions, node.body)):
                yield Weakness.ANY_ERROR


def _always_true(test: ast.expr) -> bool:
    if isinstance(test, ast.Tuple):
        return bool(test.elts)
    return isinstance(test, ast.Constant) and bool(test.value)


def _ends_in_text(node: ast.Tuple) -> bool:
    last = node.elts[-1]
    is_text = isinstance(last, ast.Constant) and isinstance(last.value, str)
    return len(node.elts) == 2 and (is_text or isinstance(last, ast.JoinedStr))


def _is_failure(node: ast.stmt) -> bool:
    return isinstance(node, ast.Raise) or (
        isinstance(node, ast.Assert) and isinstance(node.test, ast.Constant) and not node.test.value
    )


def _is_silent(node: ast.stmt) -> bool:
    if isinstance(node, ast.Pass | ast.Continue):
        return True
    if not isinstance(node, ast.Expr):
        return False
    call = node.value
    return isinstance(call, ast.Constant) or (
        isinstance(call, ast.Call) and last_part(call.func) == "print"
    )


def _caught(handler: ast.ExceptHandler) -> set[str]:
    if handler.type is None:
        return {"BaseException"}
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return {last_part(kind) for kind in kinds}


def _counts(node: ast.expr) -> bool:
    """Whether the value cannot be NaN, because it is a count."""
    return isinstance(node, ast.Call) and last_part(node.func) in {"len", "count", "count_nonzero"}


def _is_rounded(node: ast.expr) -> bool:
    """Whether the number as written is none that a float can hold exactly (0.1, not 0.5)."""
    if isinstance(node, ast.UnaryOp):
        node = node.operand
    if not isinstance(node, ast.Constant) or not isinstance(node.value, float):
        return False
    exact = Decimal(node.value)
    return exact.is_finite() and Decimal(repr(node.value)) != exact
