"""An answer in words as it is judged: the question, the rubric, and exactly what was written.

The rubric is what the author keeps under ``rubric`` in our metadata of the answer's cell.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jupyter_ppo.autograde.answer_view import text_before
from jupyter_ppo.autograde.cells import grade_id_of, kind_of, own_of
from jupyter_ppo.autograde.entry_document import MAX_CRITERIA, criterion_of
from jupyter_ppo.autograde.headings import last_section
from jupyter_ppo.autograde.outputs import code_html, markdown_html
from jupyter_ppo.autograde.plain_data import check_once, items_of
from jupyter_ppo.autograde.release import make_release
from jupyter_ppo.autograde.restore import restore_notebook
from jupyter_ppo.domain.courses import CellKind
from jupyter_ppo.domain.entries import Criterion
from jupyter_ppo.domain.errors import InvalidInputError


@dataclass(frozen=True, slots=True)
class RubricQuestion:
    """A question that people judge by a rubric; ``prompt`` is its text in Markdown.

    ``placeholder`` is what students find in the answer's cell.
    """

    grade_id: str
    title: str
    prompt: str
    prompt_html: str
    rubric: tuple[Criterion, ...]
    placeholder: str
    is_code: bool


def rubric_questions(source: bytes) -> Mapping[str, RubricQuestion]:
    """Return an author's questions that have a rubric, by grade_id, in the notebook's order.

    Only answers that people mark: a rubric elsewhere, or one that cannot be read, is none. Raises
    like ``make_release``.
    """
    made = make_release(source)
    originals, released = made.source["cells"], made.release["cells"]
    found: dict[str, RubricQuestion] = {}
    for at, cell in enumerate(originals):
        rubric = _rubric(cell) if kind_of(cell) is CellKind.MANUAL else ()
        grade_id = grade_id_of(cell)
        if not rubric or grade_id is None:
            continue
        cells = text_before(released, at)
        prompt = "\n\n".join(str(each["source"]) for each in cells)
        found[grade_id] = RubricQuestion(
            grade_id=grade_id,
            title=_title(prompt) or grade_id,
            prompt=prompt,
            prompt_html="\n".join(map(_html, cells)),
            rubric=rubric,
            placeholder=str(released[at]["source"]),
            is_code=cell["cell_type"] == "code",
        )
    return found


def written_answer(source: bytes, submitted: bytes, grade_id: str, seed: int | None = None) -> str:
    """Return what a student wrote into the cell of this grade_id, nothing changed.

    It is empty when the cell is gone. Raises like ``restore_notebook``.
    """
    for cell in restore_notebook(source, submitted, seed)["cells"]:
        if grade_id_of(cell) == grade_id:
            return str(cell["source"])
    return ""


def answer_html(text: str, *, is_code: bool) -> str:
    """Return an answer as sanitised HTML."""
    return str(code_html(text) if is_code else markdown_html(text))


def _rubric(cell: dict[str, Any]) -> tuple[Criterion, ...]:
    own = own_of(cell).get("rubric")
    if not isinstance(own, list):
        return ()
    try:
        items = items_of(own, "rubric", 1, MAX_CRITERIA)
        rubric = tuple(criterion_of(item, f"rubric[{i}]") for i, item in enumerate(items))
        check_once([criterion.name for criterion in rubric], "rubric")
    except InvalidInputError:
        return ()  # a list of sentences will do for people, and is shown to them elsewhere
    return rubric


def _html(cell: dict[str, Any]) -> str:
    return answer_html(str(cell["source"]), is_code=cell["cell_type"] == "code")


def _title(prompt: str) -> str:
    section = last_section(prompt) or prompt
    for line in section.split("\n"):
        if line.lstrip().startswith("#") and (title := line.strip().strip("#").strip()):
            return title[:200]
    return ""
