"""The corpus of attacks on grading: how a file in ``tests/attacks`` says what it tries.

A file's docstring is one sentence. ``variants(folder)`` gives the submissions that try it, each
with the points that it deserves; most send a wrong answer with a trick, and the same trick with
the right answer. ``harm(seen)`` names what else went wrong, for attacks that are not after points.
An attack that is not about one notebook says what happens on either side by itself
(``on_nbgrader``, ``here``).
"""

from __future__ import annotations

import copy
import functools
import importlib.util
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from jupyter_ppo.autograde.release import make_release, to_bytes

if TYPE_CHECKING:
    from attack_here import Here
    from attack_nbgrader import Course

FOLDER = Path(__file__).parents[1] / "tests" / "attacks"

Document = dict[str, Any]
Points = Mapping[str, float]

RIGHT = {
    "square": "def square(x):\n    return x * x",
    "mean": "def mean(values):\n    return float(np.mean(values))",
}
WRONG = {"square": "def square(x):\n    return 0", "mean": "def mean(values):\n    return 0.0"}
ALL: Points = {"square_tests": 5.0, "mean_tests": 3.0}
NONE: Points = {"square_tests": 0.0, "mean_tests": 0.0}


def cell(name: str, source: str, *, kind: str = "code", **marks: Any) -> Document:
    """Return a cell with nbgrader's metadata; ``marks`` differ from an unlocked, ungraded one."""
    marked = {"grade_id": name, "schema_version": 3, "grade": False, "locked": False}
    marked |= {"solution": False, **marks}
    made: Document = {"cell_type": kind, "id": name, "source": source, "metadata": {}}
    made["metadata"]["nbgrader"] = marked
    return made | ({"outputs": [], "execution_count": None} if kind == "code" else {})


def solution(name: str, source: str) -> Document:
    """Return an answer cell whose whole text is the solution, but for the line of a ``def``."""
    first, _, rest = source.partition("\n")
    if not first.startswith("def ") or "\ndef " in rest or "\nclass " in rest:
        return cell(name, f"### BEGIN SOLUTION\n{source}\n### END SOLUTION", solution=True)
    text = f"{first}\n    ### BEGIN SOLUTION\n{rest}\n    ### END SOLUTION"
    return cell(name, text, solution=True)


def given(source: str, name: str = "given") -> Document:
    """Return a locked cell of the author's."""
    return cell(name, source, locked=True)


def tests(name: str, source: str, points: float) -> Document:
    """Return a cell of tests."""
    return cell(name, source, grade=True, locked=True, points=points)


def hidden(source: str) -> str:
    """Return the text between the marks of hidden tests."""
    return f"\n### BEGIN HIDDEN TESTS\n{source}\n### END HIDDEN TESTS"


def notebook(*cells: Document) -> bytes:
    """Return a notebook file of these cells."""
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    document = {"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": list(cells)}
    return json.dumps(document).encode()


#: Two exercises of 5 and 3 points, each with visible and hidden tests.
STANDARD = notebook(
    given("import numpy as np\n\nTOL = 1e-9"),
    solution("square", RIGHT["square"]),
    tests("square_tests", "assert square(2) == 4" + hidden("assert square(12) == 144"), 5),
    solution("mean", RIGHT["mean"]),
    tests(
        "mean_tests",
        "np.testing.assert_allclose(mean([1, 2, 6]), 3.0)"
        + hidden("assert abs(mean([2, 2, 5]) - 3.0) < TOL"),
        3,
    ),
)


@dataclass(frozen=True, slots=True)
class Variant:
    """One submission: its notebook, other files beside it, and the points that it deserves.

    One that deserves nothing, not even a grade of zero, is no notebook. ``may_be_refused`` says
    that it need not be taken at all, if the student is told at once.
    """

    name: str
    notebook: bytes
    deserved: Points
    files: Mapping[str, bytes] = field(default_factory=dict)
    may_be_refused: bool = False


@dataclass(frozen=True, slots=True)
class Seen:
    """What a grader made of one variant; ``points`` is None when it gave no grade.

    ``notebook`` is the text of the notebook as it was run, where it is kept at all, ``page`` that
    of the feedback. ``seconds`` is what it took, ``cell_seconds`` what a cell was allowed.
    """

    points: Points | None
    notebook: str = ""
    page: str = ""
    seconds: float = 0.0
    cell_seconds: float = 0.0
    refused: str = ""


def submission(
    answers: Mapping[str, str],
    source: bytes = STANDARD,
    change: Callable[[Document], None] = lambda document: None,
) -> bytes:
    """Return the students' copy with these answers by grade_id, changed by ``change``."""
    document: Document = copy.deepcopy(json.loads(released(source)))
    for each in document["cells"]:
        name = each["metadata"].get("nbgrader", {}).get("grade_id")
        each["source"] = answers.get(name, each["source"])
    change(document)
    return json.dumps(document).encode()


@functools.lru_cache(maxsize=64)
def released(source: bytes) -> bytes:
    """Return the students' copy; it is nbgrader's own, byte for byte of every cell."""
    return to_bytes(make_release(source).release)


def wrong(
    trick: str = "",
    name: str = "wrong answer",
    *,
    answers: Mapping[str, str] | None = None,
    deserved: Points = NONE,
    **more: Any,
) -> Variant:
    """Return wrong answers behind ``trick``, or what ``answers`` says."""
    return _variant(name, trick, {**WRONG, **(answers or {})}, deserved, **more)


def right(
    trick: str = "",
    name: str = "right answer",
    *,
    answers: Mapping[str, str] | None = None,
    deserved: Points = ALL,
    **more: Any,
) -> Variant:
    """Return right answers behind ``trick``."""
    return _variant(name, trick, {**RIGHT, **(answers or {})}, deserved, **more)


def both(trick: str, name: str = "", **more: Any) -> list[Variant]:
    """Return the wrong and the right answers behind ``trick``."""
    prefix = f"{name}, " if name else ""
    return [
        wrong(trick, f"{prefix}wrong answer", **more),
        right(trick, f"{prefix}right answer", **more),
    ]


def _variant(
    name: str,
    trick: str,
    answers: Mapping[str, str],
    deserved: Points,
    *,
    change: Callable[[Document], None] = lambda document: None,
    source: bytes = STANDARD,
    files: Mapping[str, bytes] | None = None,
    may_be_refused: bool = False,
) -> Variant:
    texts = {**answers, "square": f"{trick.strip()}\n\n{answers['square']}".lstrip()}
    data = submission(texts, source, change)
    return Variant(name, data, deserved, files or {}, may_be_refused)


def named(document: Document, name: str) -> Document:
    """Return the cell with this grade_id."""
    cells: list[Document] = document["cells"]
    return next(
        each for each in cells if each["metadata"].get("nbgrader", {}).get("grade_id") == name
    )


def _no_variants(folder: Path) -> Sequence[Variant]:
    return ()


def _no_harm(folder: Path, seen: Seen) -> str:
    return ""


@dataclass(frozen=True, slots=True)
class Attack:
    """What is tried, in one sentence, and how.

    ``variants`` gets the folder into which they may leave marks. ``not_run`` says why it is not
    tried on nbgrader, with what was found elsewhere. Before the result is looked at,
    ``settle_seconds`` pass after the grading.
    """

    name: str
    title: str
    source: bytes = STANDARD
    variants: Callable[[Path], Sequence[Variant]] = _no_variants
    harm: Callable[[Path, Seen], str] = _no_harm
    here: Callable[[Here], str] | None = None
    on_nbgrader: Callable[[Course], str] | None = None
    not_run: str = ""
    settle_seconds: float = 0.0
    needs_page: bool = False

    @classmethod
    def read(cls, path: Path) -> Attack:
        """Return the attack of one file of the corpus; its names are those of the fields."""
        module = _load(path)
        said = {
            name: getattr(module, word)
            for name in cls.__slots__
            for word in (name, name.upper())
            if hasattr(module, word)
        }
        return cls(path.stem, " ".join((module.__doc__ or "").split()), **said)

    @property
    def number(self) -> str:
        """Its number in the list of 41: A1 to A41."""
        return self.name.partition("_")[0].upper().replace("A0", "A")


def failure(attack: Attack, folder: Path, variant: Variant, seen: Seen) -> str:
    """Return in what this variant succeeded, or how the honest suffer; empty if resisted."""
    if seen.refused:
        return "" if variant.may_be_refused else f"{variant.name}: refused: {seen.refused}"
    if seen.points is None:
        return f"{variant.name}: no grade at all" if variant.deserved else ""
    for name, points in variant.deserved.items():
        if seen.points.get(name) != points:
            return f"{variant.name}: {seen.points.get(name)} for {name} instead of {points:g}"
    return (said := attack.harm(folder, seen)) and f"{variant.name}: {said}"


def corpus() -> list[Attack]:
    """Return the 41 attacks, in order."""
    return [Attack.read(path) for path in sorted((FOLDER / "corpus").glob("*.py"))]


def border() -> list[Attack]:
    """Return the attacks on the border between the two containers of a sealed run."""
    found: list[Attack] = _load(FOLDER / "border.py").ATTACKS
    return found


def _load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"attack_{path.stem}", path)
    if spec is None or spec.loader is None:
        msg = f"{path}: not a module"
        raise ImportError(msg)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
