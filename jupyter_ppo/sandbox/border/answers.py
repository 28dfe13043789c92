"""What ``inspect`` says of the student's functions and classes: from the submitted text, never run.

The student's kernel is not asked: the text is what was submitted, and that cannot be forged.
"""

from __future__ import annotations

import ast
import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any, Final

from jupyter_ppo.sandbox.border.remote import Reference, reference_of

_MAX_SOURCE: Final = 2**20
_DEFINITIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def install(sources: Mapping[str, str]) -> None:
    """Let ``inspect`` answer for objects of the student's; ``sources`` are texts by name."""
    answers: dict[str, Callable[[Reference], Any]] = {
        "getsource": lambda reference: _source(sources, reference),
        "getsourcelines": lambda reference: (
            _source(sources, reference).splitlines(keepends=True),
            1,
        ),
        "getsourcefile": lambda _: None,
        "getfile": lambda reference: _refuse(reference, "the file"),
        "signature": lambda reference: _signature(sources, reference),
        "getdoc": lambda reference: _doc(sources, reference),
        "isclass": lambda reference: reference.is_class,
        "isfunction": _is_function,
        "isroutine": lambda reference: _is_function(reference) or "method" in _kind(reference),
        "ismethod": lambda reference: _kind(reference) == "method",
        "isgeneratorfunction": lambda reference: _is_generator(sources, reference),
        "iscoroutinefunction": lambda reference: isinstance(
            _definition(sources, reference), ast.AsyncFunctionDef
        ),
        "isgenerator": lambda reference: _kind(reference) == "generator",
    }
    for name, answer in answers.items():
        setattr(inspect, name, _answering(getattr(inspect, name), answer))


def _answering(real: Callable[..., Any], answer: Callable[[Reference], Any]) -> Callable[..., Any]:
    @functools.wraps(real)
    def about(value: Any, *arguments: Any, **keywords: Any) -> Any:
        reference = reference_of(value)
        return real(value, *arguments, **keywords) if reference is None else answer(reference)

    return about


def _kind(reference: Reference) -> str:
    """Return the name of a built-in class of the object, as it says."""
    names = (
        name for name in reference.classes if type(name) is str and name.startswith("builtins.")
    )
    return "" if reference.is_class else next(names, "").removeprefix("builtins.")


def _is_function(reference: Reference) -> bool:
    return reference.is_definition and _kind(reference) == "function"


def _refuse(reference: Reference, what: str) -> Any:
    msg = f"{what} of {reference.path!r} is not known here"
    raise OSError(msg)


def _definition(sources: Mapping[str, str], reference: Reference) -> Definition | None:
    """Find the definition that a path as ``Class.method`` means; None if there is none."""
    found = _find(sources, reference)
    return None if found is None else found[0]


def _find(sources: Mapping[str, str], reference: Reference) -> tuple[Definition, str] | None:
    first, *others = reference.path.split(".")
    text = sources.get(first, "")
    if not 0 < len(text) <= _MAX_SOURCE:
        return None
    try:
        nodes = ast.parse(text).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    found: Definition | None = None
    for name in (first, *others):
        named = [node for node in nodes if isinstance(node, _DEFINITIONS) and node.name == name]
        if not named:
            return None
        found, nodes = named[-1], named[-1].body
    return None if found is None else (found, text)


def _source(sources: Mapping[str, str], reference: Reference) -> str:
    found = _find(sources, reference)
    if found is None:
        msg = f"could not get source code of {reference.path!r}"
        raise OSError(msg)
    node, text = found
    first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
    lines = text.splitlines(keepends=True)[first - 1 : node.end_lineno]
    return "".join(lines) if lines and lines[-1].endswith("\n") else "".join(lines) + "\n"


def _doc(sources: Mapping[str, str], reference: Reference) -> str | None:
    node = _definition(sources, reference)
    return None if node is None else ast.get_docstring(node)


def _is_generator(sources: Mapping[str, str], reference: Reference) -> bool:
    node = _definition(sources, reference)
    return isinstance(node, ast.FunctionDef) and any(
        isinstance(inner, ast.Yield | ast.YieldFrom) for inner in ast.walk(node)
    )


def _signature(sources: Mapping[str, str], reference: Reference) -> inspect.Signature:
    node, is_bound = _definition(sources, reference), _kind(reference) == "method"
    if isinstance(node, ast.ClassDef):
        inits = [
            inner
            for inner in node.body
            if isinstance(inner, ast.FunctionDef) and inner.name == "__init__"
        ]
        if not inits:
            return inspect.Signature()
        node, is_bound = inits[-1], True
    if node is None:
        msg = f"no signature found for {reference.path!r}"
        raise ValueError(msg)
    parameters = _parameters(node.args)
    returns: Any = ast.unparse(node.returns) if node.returns else inspect.Signature.empty
    return inspect.Signature(parameters[1:] if is_bound else parameters, return_annotation=returns)


def _parameters(arguments: ast.arguments) -> list[inspect.Parameter]:
    positional = [*arguments.posonlyargs, *arguments.args]
    missing = len(positional) - len(arguments.defaults)
    defaults: list[ast.expr | None] = [*[None] * missing, *arguments.defaults]
    kinds = inspect.Parameter
    made = [
        _parameter(
            argument,
            kinds.POSITIONAL_ONLY
            if at < len(arguments.posonlyargs)
            else kinds.POSITIONAL_OR_KEYWORD,
            default,
        )
        for at, (argument, default) in enumerate(zip(positional, defaults, strict=True))
    ]
    if arguments.vararg:
        made.append(_parameter(arguments.vararg, kinds.VAR_POSITIONAL, None))
    for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        made.append(_parameter(argument, kinds.KEYWORD_ONLY, default))
    if arguments.kwarg:
        made.append(_parameter(arguments.kwarg, kinds.VAR_KEYWORD, None))
    return made


def _parameter(argument: ast.arg, kind: Any, default: ast.expr | None) -> inspect.Parameter:
    """Return a parameter; its default is the value of a literal, else its text."""
    value: Any = inspect.Parameter.empty
    if default is not None:
        try:
            value = ast.literal_eval(default)
        except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
            value = ast.unparse(default)
    annotation: Any = inspect.Parameter.empty
    if argument.annotation is not None:
        annotation = ast.unparse(argument.annotation)
    return inspect.Parameter(argument.arg, kind, default=value, annotation=annotation)
