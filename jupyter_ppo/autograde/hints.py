"""An exercise as hints need it, and the hints that its author wrote.

The key ``hints`` in our metadata of an answer cell in code is an object of three texts:
``concept``, ``location`` and ``step``. The key ``tutor`` in that of the notebook, false, keeps
language models away from it. No cell of the students' copy has our key.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jupyter_ppo.autograde.answer_view import text_before
from jupyter_ppo.autograde.cells import grade_id_of, kind_of, nbgrader_of, own_of
from jupyter_ppo.autograde.plain_data import fields_of, refuse, text_of
from jupyter_ppo.autograde.read import read_notebook
from jupyter_ppo.autograde.release import make_release
from jupyter_ppo.autograde.sealing.python_text import parsed, python_of
from jupyter_ppo.autograde.visible import without_hidden_tests
from jupyter_ppo.domain.chapters import Tier
from jupyter_ppo.domain.courses import CellKind
from jupyter_ppo.domain.errors import InvalidInputError, InvalidNotebookError, NotFoundError
from jupyter_ppo.domain.hint_ladder import AuthoredHints, HintSubject, SubjectCheck

MIN_HINT, MAX_HINT = 40, 1200
_FIELDS = ("concept", "location", "step")


def authored_hints(source: bytes) -> Mapping[str, AuthoredHints]:
    """Return the hints in an author's notebook by the grade_id of their answer cell.

    Raises ``InvalidNotebookError`` naming the cell and the place in its metadata, such as
    ``cells[7].hints.step``; also for a switch ``tutor`` that is neither true nor false.
    """
    notebook = read_notebook(source)
    try:
        may_ask_model(notebook)
        found = {}
        for index, cell in enumerate(notebook["cells"]):
            hints = _hints(cell, f"cells[{index}].hints")
            if hints is not None:
                found[grade_id_of(cell) or ""] = hints
    except InvalidInputError as error:
        raise InvalidNotebookError(error.message, field=error.field) from None
    return found


def may_ask_model(notebook: dict[str, Any]) -> bool:
    """Whether language models may be asked about a notebook; raise ``InvalidInputError``."""
    switch = own_of(notebook).get("tutor", True)
    if not isinstance(switch, bool):
        refuse("tutor", "Use true or false.")
    return switch


def hint_subject(source: bytes, grade_id: str) -> HintSubject:
    """Return the exercise whose answer cell has this grade_id.

    Raises ``NotFoundError`` when the author's notebook has no such answer in code, and otherwise
    like ``make_release``. Bad hints count as none: releasing them is refused elsewhere.
    """
    made = make_release(source)
    cells, released = made.source["cells"], made.release["cells"]
    at = next((i for i, cell in enumerate(cells) if _is_subject(cell, grade_id)), None)
    if at is None:
        msg = f"grade_id: no answer cell in code is called {grade_id[:80]!r}."
        raise NotFoundError(msg, field="grade_id")
    own = own_of(cells[at]).get("exercise")
    exercise: dict[str, Any] = own if isinstance(own, dict) else {}
    question = "\n\n".join(cell["source"] for cell in text_before(released, at))
    skeleton = released[at]["source"]
    signature = exercise.get("signature")
    try:
        authored, is_allowed = _hints(cells[at], "hints"), may_ask_model(made.source)
    except InvalidInputError:
        authored, is_allowed = None, False
    return HintSubject(
        grade_id=grade_id,
        title=_title(question) or grade_id,
        question=question,
        signature=signature if isinstance(signature, str) else _signature(skeleton),
        goals=_goals(made.source, exercise.get("goals")),
        skeleton=skeleton,
        reference=cells[at]["source"],
        checks=_checks(cells, at),
        authored=authored,
        may_ask_model=is_allowed,
    )


def answers_of(source: bytes) -> dict[str, str]:
    """Return which answer cell each test cell of a notebook is about, both by grade_id.

    Raises like ``make_release``.
    """
    cells = make_release(source).source["cells"]
    return {
        check.grade_id: grade_id_of(cell) or ""
        for at, cell in enumerate(cells)
        if kind_of(cell) is CellKind.SOLUTION and cell["cell_type"] == "code"
        for check in _checks(cells, at)
    }


@dataclass(frozen=True, slots=True)
class Guarded:
    """The solutions of a notebook, one text per answer cell; whether models may be asked at all."""

    references: tuple[str, ...]
    may_ask_model: bool


def guarded_by(source: bytes) -> Guarded:
    """Return what guards words about a notebook; raises like ``make_release``."""
    made = make_release(source)
    try:
        is_allowed = may_ask_model(made.source)
    except InvalidInputError:
        is_allowed = False
    references = tuple(
        cell["source"]
        for cell in made.source["cells"]
        if kind_of(cell) is CellKind.SOLUTION and cell["cell_type"] == "code"
    )
    return Guarded(references, is_allowed)


def _is_subject(cell: dict[str, Any], grade_id: str) -> bool:
    return (
        grade_id_of(cell) == grade_id
        and kind_of(cell) is CellKind.SOLUTION
        and cell["cell_type"] == "code"
    )


def _hints(cell: dict[str, Any], place: str) -> AuthoredHints | None:
    """Return a cell's hints, if it has any; raise ``InvalidInputError`` naming the place."""
    own = own_of(cell)
    if "hints" not in own:
        return None
    if kind_of(cell) is not CellKind.SOLUTION or cell["cell_type"] != "code":
        refuse(place, "Hints belong to an answer cell in code that tests mark.")
    fields = fields_of(own["hints"], place, set(_FIELDS), set())
    words = {}
    for name in _FIELDS:
        text = text_of(fields[name], f"{place}.{name}", MAX_HINT, is_needed=True)
        if len(text.strip()) < MIN_HINT:
            refuse(f"{place}.{name}", f"Use {MIN_HINT} to {MAX_HINT} characters.")
        words[name] = text.strip()
    return AuthoredHints(**words)


def _checks(cells: list[dict[str, Any]], at: int) -> tuple[SubjectCheck, ...]:
    """Return the test cells of the answer at ``at``: those up to the next answer after them."""
    found: list[SubjectCheck] = []
    for cell in cells[at + 1 :]:
        kind = kind_of(cell)
        if kind is CellKind.TESTS:
            tier = own_of(cell).get("tier")
            found.append(
                SubjectCheck(
                    grade_id=grade_id_of(cell) or "",
                    tier=next((each for each in Tier if each == tier), None),
                    points=float(nbgrader_of(cell).get("points", 0)),
                    text=without_hidden_tests(cell["source"]),
                )
            )
        elif found and kind in {CellKind.SOLUTION, CellKind.MANUAL, CellKind.TASK}:
            break
    return tuple(found)


def _goals(notebook: dict[str, Any], names: object) -> tuple[str, ...]:
    chapter = own_of(notebook).get("chapter")
    goals = chapter.get("goals") if isinstance(chapter, dict) else None
    if not isinstance(goals, dict) or not isinstance(names, list):
        return ()
    return tuple(str(goals[name]) for name in names if isinstance(name, str) and name in goals)


def _title(question: str) -> str:
    """Return the first heading of a text in Markdown, without its marks."""
    for line in question.split("\n"):
        if line.lstrip().startswith("#") and (title := line.strip().strip("#").strip()):
            return title[:200]
    return ""


def _signature(skeleton: str) -> str:
    """Return the first line of each function and class that students are given."""
    tree = parsed(python_of(skeleton))
    if tree is None:
        return ""
    found = []
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            found.append(f"{node.name}({ast.unparse(node.args)})")
        elif isinstance(node, ast.ClassDef):
            found.append(f"class {node.name}")
    return ", ".join(found)
