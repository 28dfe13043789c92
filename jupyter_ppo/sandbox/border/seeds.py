"""Seeds that a test sets are set in the student's kernel too, so that both draw the same numbers.

Only that way: random state of the student's is never taken.
"""

from __future__ import annotations

import functools
import importlib
import re
import sys
from collections.abc import Callable
from typing import Any, Final, Protocol

#: The functions by module, as the student's side knows them.
_SEEDS: Final = (
    ("random", "seed", "random.seed"),
    ("numpy.random", "seed", "numpy.random.seed"),
    ("torch", "manual_seed", "torch.manual_seed"),
    ("torch.random", "manual_seed", "torch.manual_seed"),
)
_MENTIONED: Final = re.compile(r"\b(numpy|random|torch)\b")


class Session(Protocol):
    """What mirroring needs of the session."""

    def request(self, op: str, *arguments: Any, name: str | None = None) -> Any: ...


class Seeds:
    """Replaces the seeding functions of this process, for one student's kernel."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._replaced: set[tuple[str, str]] = set()
        #: Only a test's seeds: what the author's other cells do, the student's kernel did itself.
        self.is_mirrored = False

    def prepare(self, code: str) -> None:
        """Replace the functions of every module that is loaded or that the code will load."""
        for module in set(_MENTIONED.findall(code)):
            try:
                importlib.import_module("numpy.random" if module == "numpy" else module)
            except ImportError:  # the code will say so
                continue
        for module, function, name in _SEEDS:
            if module in sys.modules and (module, function) not in self._replaced:
                self._replaced.add((module, function))
                real = getattr(sys.modules[module], function)
                setattr(sys.modules[module], function, self._mirroring(real, name))

    def _mirroring(self, real: Callable[..., Any], name: str) -> Callable[..., Any]:
        @functools.wraps(real)
        def seed(*arguments: Any, **keywords: Any) -> Any:
            if self.is_mirrored:
                values = (*arguments, *keywords.values())
                self._session.request("seed", *values, name=name)
            return real(*arguments, **keywords)

        return seed
