"""One exercise for the person who marks it: what was asked, what was answered, what to look for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from markupsafe import Markup

from jupyter_ppo.autograde.cells import grade_id_of, is_answer, kind_of, own_of
from jupyter_ppo.autograde.headings import last_section
from jupyter_ppo.autograde.outputs import code_html, markdown_html
from jupyter_ppo.autograde.release import make_release
from jupyter_ppo.autograde.restore import Origin, restore_notebook
from jupyter_ppo.autograde.text import shortened, visible
from jupyter_ppo.domain.courses import CellKind, Exercise
from jupyter_ppo.domain.marking import AnswerView

#: The most characters of an answer, and of a scheme, as text.
TEXT_MAX = 100_000
_BEGIN_SCHEME, _END_SCHEME = "BEGIN MARK SCHEME", "END MARK SCHEME"

_Cells = Sequence[dict[str, Any]]


def answer_view(
    source: bytes, submitted: bytes, exercise: Exercise, seed: int | None = None
) -> AnswerView:
    """Return what there is to read of ``exercise`` in what a student handed in.

    Of an answer marked by hand that is the cell itself, of a task the student's cells after it, of
    tests the answers in code since the tests before. The question is the last section of the text
    before it (of a task the task). Raises like ``restore_notebook``.
    """
    made = make_release(source)
    restored: _Cells = restore_notebook(source, submitted, seed)["cells"]
    originals: _Cells = made.source["cells"]
    released: _Cells = made.release["cells"]
    at = next(i for i, cell in enumerate(released) if grade_id_of(cell) == exercise.grade_id)
    if exercise.kind is CellKind.TASK:
        prompt: _Cells = [released[at]]
        answer = _written_after(restored, released, exercise.grade_id)
        scheme = _mark_scheme(originals[at]["source"])
    else:
        places = [at] if exercise.kind is CellKind.MANUAL else _answers_before(released, at)
        prompt = text_before(released, min(places, default=at))
        names = {grade_id_of(released[place]) for place in places}
        answer = [cell for cell in restored if grade_id_of(cell) in names]
        scheme = "\n\n".join(
            originals[place]["source"]
            for place in places
            if originals[place]["source"] != released[place]["source"]
        )
    scheme = "\n\n".join(filter(None, (scheme, _rubric(originals[at]))))
    text = "\n\n".join(_source(cell) for cell in answer)
    return AnswerView(
        grade_id=exercise.grade_id,
        kind=exercise.kind,
        prompt_html=_html(prompt),
        answer_html=_html(answer),
        answer_text=shortened(visible(text), TEXT_MAX),
        scheme=shortened(visible(scheme), TEXT_MAX),
    )


def _html(cells: _Cells) -> Markup:
    return Markup("\n").join(
        code_html(_source(cell)) if cell["cell_type"] == "code" else markdown_html(_source(cell))
        for cell in cells
    )


def _source(cell: dict[str, Any]) -> str:
    """Return what may be shown of a restored cell: of a saved model what it is, not our code."""
    own = own_of(cell)
    if own.get("origin") == Origin.MODEL:
        return str(own.get("release_source") or "")
    return str(cell["source"])


def text_before(released: _Cells, at: int) -> _Cells:
    """Return the cells that the author wrote just before ``at``: the last section of it.

    That is from the last cell with a heading on, and from that heading within it; without any
    heading it is the last cell. A quiz or an introduction above is not part of the question.
    """
    found: list[dict[str, Any]] = []
    for cell in reversed(released[:at]):
        if cell["cell_type"] != "markdown" or is_answer(cell) or kind_of(cell) is CellKind.TASK:
            break
        section = last_section(cell["source"])
        if section is not None:
            return [{**cell, "source": section}, *reversed(found)]
        found.append(cell)
    return found[:1]


def _answers_before(released: _Cells, at: int) -> list[int]:
    """Return where the answers in code are that these tests are about: those just before them.

    More tests of the same answers may lie between.
    """
    places: list[int] = []
    for place in range(at - 1, -1, -1):
        kind = kind_of(released[place])
        if kind is CellKind.TESTS and places:
            break
        if kind is CellKind.SOLUTION:
            places.append(place)
    return places[::-1]


def _written_after(restored: _Cells, released: _Cells, grade_id: str) -> _Cells:
    """Return the student's cells that follow a task, without the author's unlocked ones."""
    authors = {cell["source"] for cell in released if kind_of(cell) is None}
    places = [i for i, cell in enumerate(restored) if grade_id_of(cell) == grade_id]
    found: list[dict[str, Any]] = []
    for cell in restored[places[0] + 1 :] if places else []:
        if own_of(cell).get("origin") != Origin.STUDENT:
            break
        if cell["source"].strip() and cell["source"] not in authors:
            found.append(cell)
    return found


def _rubric(cell: dict[str, Any]) -> str:
    """Return the rubric that the author keeps in our metadata of the cell, a criterion a line.

    What the course's own notebooks have is that of an entry; a list of sentences will do.
    """
    rubric = own_of(cell).get("rubric")
    lines: list[str] = []
    for criterion in rubric if isinstance(rubric, list) else []:
        if not isinstance(criterion, dict):
            continue
        levels = criterion.get("levels")
        shown = " | ".join(map(_level, levels)) if isinstance(levels, list) else ""
        title = criterion.get("title") or criterion.get("criterion", "")
        lines.append(f"{title}: {shown}")
        if note := criterion.get("note"):
            lines.append(f"    {note}")
    return "\n".join(lines)


def _level(level: object) -> str:
    if not isinstance(level, dict):
        return str(level)
    points = level.get("points")
    shown = f"{points:g} " if isinstance(points, int | float) else ""
    return f"{shown}{level.get('description') or level.get('name', '')}"


def _mark_scheme(source: str) -> str:
    """Return the lines of a task's mark scheme."""
    lines: list[str] = []
    inside = False
    for line in source.split("\n"):
        if _BEGIN_SCHEME in line:
            inside = True
        elif _END_SCHEME in line:
            inside = False
        elif inside:
            lines.append(line)
    return "\n".join(lines)
