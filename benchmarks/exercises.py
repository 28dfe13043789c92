"""The exercises in our notebooks, and the answers to them that are kept in ``answers/``.

``answers/<notebook>.py`` holds three dicts by exercise: ``VARIANTS`` (right answers that look
different), ``MISTAKES`` (what learners get wrong: text of the solution and what they write instead)
and ``EQUIVALENT`` (mutants that are right answers too, and why).
"""

from __future__ import annotations

import json
import re
import runpy
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
NOTEBOOKS = HERE.parent / "notebooks"
ANSWERS = HERE / "answers"
_SOLUTION = re.compile(
    r"^([ \t]*)### BEGIN SOLUTION\n.*?^[ \t]*### END SOLUTION[ \t]*$", re.MULTILINE | re.DOTALL
)


@dataclass(frozen=True, slots=True)
class Exercise:
    """What students write: what runs before it, the answer, the tests of it with their points."""

    name: str
    notebook: str
    setup: str
    source: str
    tests: tuple[tuple[str, float], ...] = ()
    variants: Mapping[str, str] = field(default_factory=dict, hash=False)
    mistakes: Mapping[str, tuple[str, str]] = field(default_factory=dict, hash=False)
    equivalent: Mapping[str, str] = field(default_factory=dict, hash=False)

    @property
    def points(self) -> float:
        """The points of all tests."""
        return sum(most for _, most in self.tests)

    @property
    def solution(self) -> str:
        """The author's answer."""
        return self.source.replace("### BEGIN SOLUTION", "").replace("### END SOLUTION", "")

    @property
    def skeleton(self) -> str:
        """What students are given."""
        return _SOLUTION.sub(r"\1raise NotImplementedError", self.source)

    def mistaken(self, name: str) -> str:
        """Return the solution with one of ``mistakes``; raise ``ValueError`` if it is not there."""
        right, wrong = self.mistakes[name]
        if right not in self.solution:
            msg = f"{self.notebook}, {self.name}, {name!r}: the solution has no {right!r}"
            raise ValueError(msg)
        return self.solution.replace(right, wrong)


@cache
def notebooks() -> tuple[str, ...]:
    """Return the names of our notebooks."""
    return tuple(path.stem for path in sorted(NOTEBOOKS.glob("*.ipynb")))


@cache
def exercises(notebook: str) -> tuple[Exercise, ...]:
    """Return the exercises of a notebook that are functions or classes to be written."""
    found: list[Exercise] = []
    setup: list[str] = []
    known = _answers(notebook)
    document = json.loads((NOTEBOOKS / f"{notebook}.ipynb").read_text(encoding="utf-8"))
    for cell in document["cells"]:
        meta, source = cell["metadata"].get("nbgrader", {}), "".join(cell["source"])
        if cell["cell_type"] != "code":
            continue
        if meta.get("solution"):
            name = meta["grade_id"]
            texts = known["VARIANTS"].get(name, {})
            made = Exercise(
                name,
                notebook,
                "\n".join(setup),
                source,
                variants={key: textwrap.dedent(text) for key, text in texts.items()},
                mistakes=known["MISTAKES"].get(name, {}),
                equivalent=known["EQUIVALENT"].get(name, {}),
            )
            found.append(made)
            setup.append(made.solution)
        elif meta.get("grade"):
            last = found[-1]
            tests = (*last.tests, (source, float(meta["points"])))
            found[-1] = replace(last, tests=tests)
        elif meta:
            setup.append(source)
    return tuple(found)


def _answers(notebook: str) -> dict[str, dict[str, Any]]:
    path = ANSWERS / f"{notebook}.py"
    names = runpy.run_path(str(path)) if path.exists() else {}
    return {key: names.get(key, {}) for key in ("VARIANTS", "MISTAKES", "EQUIVALENT")}
