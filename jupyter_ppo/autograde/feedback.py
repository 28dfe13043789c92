"""The feedback page: one HTML file, readable without script, without anything loaded from outside.

It works under ``Content-Security-Policy: sandbox; default-src 'none'; style-src 'unsafe-inline';
img-src data:`` and shows a test cell as it was released, never its hidden part.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup

from jupyter_ppo.autograde.cells import grade_id_of, hidden_lines_of, kind_of, own_of
from jupyter_ppo.autograde.failure import ran_hidden
from jupyter_ppo.autograde.outputs import code_html, markdown_html, outputs_html
from jupyter_ppo.autograde.restore import Origin
from jupyter_ppo.autograde.text import shortened, visible
from jupyter_ppo.domain.courses import CellKind
from jupyter_ppo.domain.grading import ExerciseGrade, total
from jupyter_ppo.domain.sandbox import NotebookRun, Verdict
from jupyter_ppo.domain.submissions import Submission

#: The most characters of cells on one page; what follows is left out with a note.
PAGE_MAX = 4_000_000

_NOTES = {
    Origin.ANSWER: "your answer",
    Origin.MISSING: "was missing in your notebook; shown as released",
    Origin.STUDENT: "",
    Origin.AUTHOR: "",
}


@dataclass(frozen=True, slots=True)
class _Cell:
    """One cell as the template needs it."""

    grade: ExerciseGrade | None
    is_code: bool
    note: str
    source: Markup
    outputs: Markup
    more_tests: bool


def feedback_page(
    submission: Submission, run: NotebookRun, grades: Sequence[ExerciseGrade]
) -> bytes:
    """Return the page for one graded submission: UTF-8 HTML.

    ``run`` holds a notebook made by ``restore_notebook``. A cell without its mark of origin is
    shown without source, so that a hidden test cannot slip through.
    """
    cells, cut = _bounded(_cells(run, {grade.grade_id: grade for grade in grades}))
    html = _template().render(
        submission=submission,
        user=visible(submission.user),
        grades=[(grade, visible(grade.reason)) for grade in grades],
        points=total(grade.points for grade in grades),
        max_points=total(grade.max_points for grade in grades),
        needs_review=any(grade.needs_review for grade in grades),
        verdict=None if run.verdict is Verdict.RAN else shortened(visible(run.detail), 500),
        cells=cells,
        cut=cut,
        light=_style("default"),
        dark=_style("github-dark"),
    )
    return html.encode("utf-8", errors="replace")


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("jupyter_ppo.autograde"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["points"] = lambda value: f"{value:g}"
    return environment.get_template("feedback.html")


@cache
def _style(name: str) -> Markup:
    from pygments.formatters import HtmlFormatter  # type: ignore[import-untyped]

    return Markup(HtmlFormatter(style=name).get_style_defs(".highlight"))  # noqa: S704 - ours


def _cells(run: NotebookRun, grades: dict[str, ExerciseGrade]) -> Iterator[_Cell]:
    cells: list[dict[str, Any]] = run.notebook["cells"]
    hidden, finished = hidden_lines_of(cells), run.finished
    for index, cell in enumerate(cells):
        grade = grades.get(grade_id_of(cell) or "")
        is_code = cell["cell_type"] == "code"
        source, note = _shown_source(cell)
        tests = kind_of(cell) is CellKind.TESTS
        yield _Cell(
            grade=grade,
            is_code=is_code,
            note=note,
            source=code_html(source) if is_code else markdown_html(source),
            outputs=outputs_html(cell.get("outputs", []), tests=tests, hidden=hidden)
            if is_code
            else Markup(),
            more_tests=index in finished and ran_hidden(cell, cell.get("outputs", [])),
        )


def _shown_source(cell: dict[str, Any]) -> tuple[str, str]:
    own = own_of(cell)
    origin, released = own.get("origin"), own.get("release_source")
    if origin == Origin.AUTHOR and isinstance(released, str):
        return released, ""
    if origin in {Origin.ANSWER, Origin.MISSING, Origin.STUDENT}:
        return cell["source"], _NOTES[Origin(origin)]
    return "", "its source is not shown"


def _bounded(cells: Iterator[_Cell]) -> tuple[list[_Cell], bool]:
    kept: list[_Cell] = []
    size = 0
    for cell in cells:
        size += len(cell.source) + len(cell.outputs)
        if size > PAGE_MAX:
            return kept, True
        kept.append(cell)
    return kept, False
