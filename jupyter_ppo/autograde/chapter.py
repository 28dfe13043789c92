"""Reads a chapter of the course from its notebook's metadata.

The notebook's key ``chapter`` names the chapter and its goals; the cells' keys are ``exercise``
(an answer cell), ``tier`` (a test cell), ``questions`` (a quiz), ``rubric`` with ``goals`` (an
answer in words), ``explains``, ``ablation`` and ``experiment``. docs/course.md describes each.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from jupyter_ppo.autograde.cells import kind_of, nbgrader_of, own_of
from jupyter_ppo.autograde.entry_document import criterion_of
from jupyter_ppo.autograde.plain_data import (
    check_once,
    fields_of,
    items_of,
    name_of,
    refuse,
    text_of,
)
from jupyter_ppo.autograde.read import read_notebook
from jupyter_ppo.domain.chapters import (
    Chapter,
    Check,
    FreeText,
    Option,
    Practice,
    Question,
    QuestionKind,
    Tier,
)
from jupyter_ppo.domain.courses import CellKind
from jupyter_ppo.domain.details import DETAILS
from jupyter_ppo.domain.errors import InvalidInputError, InvalidNotebookError

_MAX_TEXT = 20_000
_MAX_TITLE = 200
_MAX_NUMBER = 1e300
_DETAILS = frozenset(detail.key for detail in DETAILS)
_Kind = TypeVar("_Kind", QuestionKind, Tier)


@dataclass(slots=True)
class _Found:
    exercises: list[Practice] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)
    free_texts: list[FreeText] = field(default_factory=list)
    explained: set[str] = field(default_factory=set)
    ablated: set[str] = field(default_factory=set)
    experiments: int = 0


def read_chapter(data: bytes) -> Chapter | None:
    """Return the chapter that an author's notebook is, or None if it is no chapter.

    Raises ``InvalidNotebookError`` naming the cell and the place in its metadata, such as
    ``cells[7].questions[0].answer``: missing or unknown names, goals or details that there are
    not, a question whose answer is no option of it, a test cell without an exercise before it, a
    rubric whose best levels are not the points of its cell.
    """
    notebook = read_notebook(data)
    about = own_of(notebook).get("chapter")
    if about is None:
        return None
    try:
        return _chapter(about, notebook["cells"])
    except InvalidInputError as error:
        raise InvalidNotebookError(error.message, field=error.field) from None


def _chapter(about: object, cells: list[dict[str, Any]]) -> Chapter:
    fields = fields_of(about, "chapter", {"number", "title", "minutes", "goals"}, set())
    goals = fields["goals"]
    if not isinstance(goals, dict) or not goals:
        refuse("chapter.goals", "Use an object: for each goal its id and a sentence.")
    for name, text in goals.items():
        name_of(name, f"chapter.goals.{str(name)[:80]}")
        text_of(text, f"chapter.goals.{name}", _MAX_TITLE, is_needed=True)
    found = _Found()
    for index, cell in enumerate(cells):
        _read_cell(found, cell, f"cells[{index}]", goals)
    return Chapter(
        number=int(_number(fields["number"], "chapter.number")),
        title=text_of(fields["title"], "chapter.title", _MAX_TITLE, is_needed=True),
        minutes=int(_number(fields["minutes"], "chapter.minutes")),
        goals=dict(goals),
        exercises=tuple(found.exercises),
        questions=tuple(found.questions),
        free_texts=tuple(found.free_texts),
        explained=frozenset(found.explained),
        ablated=frozenset(found.ablated),
        experiments=found.experiments,
    )


def _read_cell(found: _Found, cell: dict[str, Any], place: str, goals: dict[str, str]) -> None:
    own, kind = own_of(cell), kind_of(cell)
    grade_id, points = nbgrader_of(cell).get("grade_id", ""), nbgrader_of(cell).get("points", 0)
    if "exercise" in own:
        _check_kind(kind, CellKind.SOLUTION, f"{place}.exercise")
        found.exercises.append(_exercise(own["exercise"], f"{place}.exercise", grade_id, goals))
    if "tier" in own:
        _check_kind(kind, CellKind.TESTS, f"{place}.tier")
        if not found.exercises:
            refuse(f"{place}.tier", "Put the answer that is tested before its tests.")
        last = found.exercises[-1]
        check = Check(grade_id, _one_of(Tier, own["tier"], f"{place}.tier"), float(points))
        found.exercises[-1] = replace(last, checks=(*last.checks, check))
    if "questions" in own:
        items = items_of(own["questions"], f"{place}.questions", 1, 100)
        for i, item in enumerate(items):
            question = _question(item, f"{place}.questions[{i}]", goals)
            if question.id in {other.id for other in found.questions}:
                refuse(f"{place}.questions[{i}].id", f"{question.id!r} is there twice.")
            found.questions.append(question)
    if "rubric" in own and "goals" in own:
        _check_kind(kind, CellKind.MANUAL, f"{place}.rubric")
        found.free_texts.append(_free_text(own, place, grade_id, points, goals))
    found.explained |= _known(own.get("explains", []), f"{place}.explains", _DETAILS, "detail")
    if "ablation" in own:
        found.ablated |= _known([own["ablation"]], f"{place}.ablation", _DETAILS, "detail")
    found.experiments += own.get("experiment") is True


def _exercise(data: object, place: str, grade_id: str, goals: dict[str, str]) -> Practice:
    fields = fields_of(data, place, {"signature", "goals"}, {"details"})
    details = items_of(fields.get("details", []), f"{place}.details", 0, len(_DETAILS))
    _known(details, f"{place}.details", _DETAILS, "detail")
    return Practice(
        grade_id=name_of(grade_id, f"{place}.grade_id"),
        signature=text_of(fields["signature"], f"{place}.signature", 1000, is_needed=True),
        goals=_goals(fields["goals"], f"{place}.goals", goals),
        details=tuple(map(str, details)),
        checks=(),
    )


def _question(data: object, place: str, goals: dict[str, str]) -> Question:
    fields = fields_of(
        data,
        place,
        {"id", "kind", "prompt", "answer", "goals"},
        {"points", "options", "tolerance", "why"},
    )
    question = Question(
        id=name_of(fields["id"], f"{place}.id"),
        kind=_one_of(QuestionKind, fields["kind"], f"{place}.kind"),
        prompt=text_of(fields["prompt"], f"{place}.prompt", _MAX_TEXT, is_needed=True),
        goals=_goals(fields["goals"], f"{place}.goals", goals),
        points=_number(fields.get("points", 1), f"{place}.points"),
        why=text_of(fields.get("why", ""), f"{place}.why", _MAX_TEXT),
    )
    if question.kind is QuestionKind.NUMBER:
        if "options" in fields:
            refuse(f"{place}.options", "The answer is a number; leave them out.")
        text_of(fields.get("why", ""), f"{place}.why", _MAX_TEXT, is_needed=True)
        tolerance = _number(fields.get("tolerance", 0), f"{place}.tolerance")
        number = _number(fields["answer"], f"{place}.answer", least=-_MAX_NUMBER)
        return replace(question, number=number, tolerance=tolerance)
    items = items_of(fields.get("options", []), f"{place}.options", 2, 12)
    options = tuple(_option(item, f"{place}.options[{i}]") for i, item in enumerate(items))
    ids = [option.id for option in options]
    check_once(ids, f"{place}.options")
    most = 1 if question.kind is QuestionKind.ONE else len(ids)
    answer = items_of(fields["answer"], f"{place}.answer", 1, most)
    _known(answer, f"{place}.answer", frozenset(ids), "option")
    return replace(question, options=options, answer=tuple(map(str, answer)))


def _option(data: object, place: str) -> Option:
    fields = fields_of(data, place, {"id", "text", "why"}, set())
    return Option(
        id=name_of(fields["id"], f"{place}.id"),
        text=text_of(fields["text"], f"{place}.text", _MAX_TEXT, is_needed=True),
        why=text_of(fields["why"], f"{place}.why", _MAX_TEXT, is_needed=True),
    )


def _free_text(
    own: dict[str, Any], place: str, grade_id: str, points: object, goals: dict[str, str]
) -> FreeText:
    items = items_of(own["rubric"], f"{place}.rubric", 1, 40)
    found = FreeText(
        grade_id=name_of(grade_id, f"{place}.grade_id"),
        goals=_goals(own["goals"], f"{place}.goals", goals),
        rubric=tuple(criterion_of(item, f"{place}.rubric[{i}]") for i, item in enumerate(items)),
    )
    check_once([criterion.name for criterion in found.rubric], f"{place}.rubric")
    if found.points != points:
        refuse(
            f"{place}.rubric",
            f"Its best levels add up to {found.points:g} points, and the cell has {points}.",
        )
    return found


def _goals(value: object, place: str, goals: dict[str, str]) -> tuple[str, ...]:
    items = items_of(value, place, 1, len(goals))
    _known(items, place, frozenset(goals), "goal of this chapter")
    return tuple(map(str, items))


def _known(value: object, place: str, known: frozenset[str], what: str) -> set[str]:
    names = items_of(value, place, 0, 100)
    for name in names:
        if name not in known:
            refuse(place, f"{str(name)[:80]!r} is no {what}: {', '.join(sorted(known))}.")
    return set(map(str, names))


def _check_kind(found: CellKind | None, wanted: CellKind, place: str) -> None:
    if found is not wanted:
        refuse(place, f"It belongs to a cell of the kind {wanted.value!r}.")


def _one_of(kinds: type[_Kind], value: object, place: str) -> _Kind:
    for kind in kinds:
        if kind == value:
            return kind
    refuse(place, f"Use {', '.join(kinds)}.")


def _number(value: object, place: str, least: float = 0.0) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        refuse(place, "Use a number.")
    if not least <= value <= _MAX_NUMBER:
        refuse(place, "Use a number." if least < 0 else "Use a number, not below 0.")
    return float(value)
