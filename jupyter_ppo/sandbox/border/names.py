"""The global names of the author's cells: the examiner's own, then the student's.

Whose a name is was decided on the author's notebook; what the student's kernel has of it is asked
for each time. A class or a function is kept for the cell, a value never.
"""

from __future__ import annotations

import builtins
from collections.abc import Iterable
from typing import Any

from jupyter_ppo.sandbox.border.remote import reference_of
from jupyter_ppo.sandbox.border.session import Session


class Names(dict[str, Any]):
    """Globals for ``exec``. Python asks a subclass of dict for every name it does not find."""

    def __init__(self, session: Session, student_names: Iterable[str]) -> None:
        super().__init__(__builtins__=builtins, __name__="__main__", __doc__=None)
        self._session = session
        self._student = frozenset(student_names)
        self._pushed: frozenset[str] = frozenset()
        self._kept: dict[str, Any] = {}

    def begin_cell(self, pushed: Iterable[str]) -> None:
        """Forget what was kept, and say which assignments reach the student's kernel."""
        self._pushed = frozenset(pushed)
        self._kept.clear()

    def __missing__(self, name: str) -> Any:
        if name not in self._student:
            raise KeyError(name)
        if name in self._kept:
            return self._kept[name]
        try:
            value = self._session.request("get", name=name)
        except NameError:
            raise KeyError(name) from None
        reference = reference_of(value)
        if reference is not None and reference.is_definition:
            self._kept[name] = value
        return value

    def __contains__(self, name: object) -> bool:
        if super().__contains__(name):
            return True
        return isinstance(name, str) and self.get(name, self) is not self

    def get(self, name: str, default: Any = None) -> Any:
        """Return a name's value, the student's too."""
        try:
            return self[name]
        except KeyError:
            return default

    def __setitem__(self, name: str, value: Any) -> None:
        self._kept.pop(name, None)
        is_push = name in self._pushed or reference_of(value) is not None
        if name in self._student and is_push:
            super().pop(name, None)
            self._session.request("set", value, name=name)
        else:  # other values stay here: they may be what the test expects
            super().__setitem__(name, value)

    def __delitem__(self, name: str) -> None:
        self._kept.pop(name, None)
        if super().__contains__(name):
            super().__delitem__(name)
        elif name not in self._student:
            raise KeyError(name)
        else:
            try:
                self._session.request("del", name=name)
            except NameError:
                raise KeyError(name) from None

    def pop(self, name: str, *default: Any) -> Any:
        """Take a name away and return what it had."""
        try:
            value = self[name]
        except KeyError:
            if default:
                return default[0]
            raise
        del self[name]
        return value

    def setdefault(self, name: str, default: Any = None) -> Any:
        """Return a name's value; give it one if it has none."""
        if name not in self:
            self[name] = default
        return self[name]

    def update(self, *others: Any, **names: Any) -> None:
        """Set several names."""
        for name, value in dict(*others, **names).items():
            self[name] = value
