"""``jupyter ppo preferences``."""

from __future__ import annotations

import argparse
from typing import Any

from jupyter_ppo.cli.app import Commands, Context
from jupyter_ppo.cli.terminal import visible
from jupyter_ppo.domain.errors import InvalidInputError
from jupyter_ppo.domain.preferences import Preferences, StoredPreferences, flat

_YES_NO = {"yes": True, "true": True, "no": False, "false": False}


def add_commands(commands: Commands) -> None:
    """Add this module's commands to the parser."""
    preferences = commands.add_parser("preferences", help="your own preferences on this server")
    verbs = preferences.add_subparsers(metavar="verb", required=True)
    show = verbs.add_parser("show", help="print them")
    show.set_defaults(run=_show)
    change = verbs.add_parser("set", help="change one of them, and leave the rest as it is")
    change.add_argument("name", help="as 'jupyter ppo preferences show' prints it")
    change.add_argument("value", help="the new value; 'default' for the default")
    change.set_defaults(run=_set)


def _show(_: argparse.Namespace, context: Context) -> int:
    _print(context.service.use_cases.preferences.preferences(context.caller))
    return 0


def _set(arguments: argparse.Namespace, context: Context) -> int:
    patch = patch_of(arguments.name, arguments.value)
    _print(context.service.use_cases.preferences.patch(context.caller, patch))
    return 0


def patch_of(name: str, text: str) -> dict[str, Any]:
    """Return the merge patch that sets one preference to what ``text`` says.

    Raises ``InvalidInputError`` when there is no such preference or ``text`` is of another kind.
    """
    defaults = flat(Preferences())
    if name not in defaults:
        msg = f"name: there is no preference {name[:120]!r}. Use {', '.join(defaults)}."
        raise InvalidInputError(msg, field="name")
    value = None if text == "default" else _parsed(name, text, type(defaults[name]))
    outer, is_inner, inner = name.partition(".")
    return {outer: {inner: value}} if is_inner else {outer: value}


def _parsed(name: str, text: str, kind: type) -> Any:
    if kind is str:
        return text
    if kind is bool:
        if text.lower() not in _YES_NO:
            msg = f"{name}: {text[:40]!r} cannot be used. Use yes or no."
            raise InvalidInputError(msg, field=name)
        return _YES_NO[text.lower()]
    try:
        return kind(text)
    except ValueError as error:
        msg = f"{name}: {text[:40]!r} is not a number. Use one, such as {kind(0)}."
        raise InvalidInputError(msg, field=name) from error


def _print(stored: StoredPreferences) -> None:
    names = flat(stored.preferences)
    width = max(map(len, names))
    for name, value in names.items():
        shown = ("yes" if value else "no") if isinstance(value, bool) else visible(str(value))
        print(f"{name:<{width}}  {shown or '(none)'}")
