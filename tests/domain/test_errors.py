"""The drawn tree and the classes are the same thing."""

import re

from jupyter_ppo.domain import errors


def _drawn() -> dict[str, str]:
    """Return {class: parent} as the docstring of the module draws it."""
    parents: dict[str, str] = {}
    stack: list[tuple[int, str]] = []
    for line in (errors.__doc__ or "").splitlines():
        found = re.search(r"\b([A-Z]\w+Error)\b", line)
        if not found or "::" in line:
            continue
        column = found.start()
        while stack and stack[-1][0] >= column:
            stack.pop()
        if stack:
            parents[found.group(1)] = stack[-1][1]
        stack.append((column, found.group(1)))
    return parents


def _classes() -> dict[str, type[errors.PPOError]]:
    every = vars(errors).items()
    return {
        name: value
        for name, value in every
        if isinstance(value, type) and issubclass(value, errors.PPOError)
    }


def _defined() -> dict[str, str]:
    return {
        name: value.__bases__[0].__name__
        for name, value in _classes().items()
        if value is not errors.PPOError
    }


def test_the_tree_in_the_docstring_is_the_tree_of_classes() -> None:
    assert _drawn() == _defined()


def test_every_error_has_a_code_of_its_own() -> None:
    codes = [value.code for value in _classes().values()]
    assert len(codes) == len(set(codes))


def test_an_error_keeps_its_message_and_the_field_it_is_about() -> None:
    error = errors.InvalidInputError("name: too long", field="name")
    assert (str(error), error.message, error.field) == ("name: too long", "name: too long", "name")
