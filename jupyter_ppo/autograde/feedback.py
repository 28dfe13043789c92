"""The feedback page: one HTML file, readable without script, without anything loaded from outside.

Formulas are drawn by the browser, from MathML.

It works under ``Content-Security-Policy: sandbox; default-src 'none'; style-src 'unsafe-inline';
img-src data:`` and shows a test cell as it was released, never its hidden part.

It is made once, when the submission is graded. What people say later, and lateness, is put into it
when it is read (``with_marks``): these parts stand between comments that only this module writes,
since every text of a student's is escaped or stripped of its comments.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup, escape

from jupyter_ppo.autograde.cells import grade_id_of, hidden_lines_of, kind_of, own_of
from jupyter_ppo.autograde.failure import ran_hidden
from jupyter_ppo.autograde.formulas import text_html
from jupyter_ppo.autograde.hidden import TestText, quiet_after, texts_of, without_students_words
from jupyter_ppo.autograde.outputs import (
    code_html,
    markdown_html,
    outputs_html,
    printed_html,
    quiet_html,
)
from jupyter_ppo.autograde.restore import Origin
from jupyter_ppo.autograde.text import shortened, visible
from jupyter_ppo.domain.courses import CellKind
from jupyter_ppo.domain.exam import CheckRun, CheckState
from jupyter_ppo.domain.grading import ExerciseGrade, Grade, total
from jupyter_ppo.domain.sandbox import NotebookRun, Verdict
from jupyter_ppo.domain.submissions import Submission

#: The most characters of cells on one page; what follows is left out with a note.
PAGE_MAX = 4_000_000

_NOTES = {
    Origin.ANSWER: "your answer",
    Origin.MISSING: "was missing in your notebook; shown as released",
    Origin.LEFT: "not part of a saved model; shown as released",
    Origin.MODEL: "your answer",
    Origin.STUDENT: "",
    Origin.AUTHOR: "",
}


_PART = re.compile(r"<!--ppo:([a-zA-Z0-9_:-]+)-->.*?<!--/ppo-->", re.DOTALL)
_CLOSE = Markup("<!--/ppo-->")


@dataclass(frozen=True, slots=True)
class _Line:
    """One exercise with what is said of it, fit to be shown."""

    exercise: ExerciseGrade
    reason: Markup
    comment: Markup
    is_drafted: bool

    @classmethod
    def of(cls, exercise: ExerciseGrade) -> _Line:
        reason = exercise.reason
        if exercise.mark is not None and exercise.mark.points is not None:
            tests = f"{exercise.points:g} of {exercise.max_points:g}: {reason}"
            by = "Drafted by a program and approved" if exercise.mark.is_drafted else "Marked"
            reason = f"{by} by a person."
            if not exercise.needs_review:
                reason = f"{by} by a person, in the place of {tests}"
        is_drafted = exercise.mark is not None and exercise.mark.is_drafted
        return cls(exercise, text_html(reason), text_html(exercise.comment), is_drafted)


@dataclass(frozen=True, slots=True)
class _Total:
    """The sum over a page; ``raw`` are the points before ``penalty``, ``late`` says how late."""

    raw: float
    max_points: float
    needs_review: bool
    penalty: float = 0.0
    late: str = ""

    @property
    def points(self) -> float:
        return total((self.raw, -self.penalty))


@dataclass(frozen=True, slots=True)
class _Cell:
    """One cell as the template needs it."""

    grade: ExerciseGrade | None
    is_code: bool
    note: str
    source: Markup
    outputs: Markup
    more_tests: bool
    records: tuple[str, ...]

    @property
    def line(self) -> _Line | None:
        """What the badge of a graded cell says."""
        return None if self.grade is None else _Line.of(self.grade)


def feedback_page(
    submission: Submission, run: NotebookRun, grades: Sequence[ExerciseGrade]
) -> bytes:
    """Return the page for one graded submission: UTF-8 HTML.

    ``run`` holds a notebook made by ``restore_notebook``. A cell without its mark of origin is
    shown without source, so that a hidden test cannot slip through. What ran after a hidden test is
    shown without its output, which may quote what that test asked.
    """
    texts = texts_of(run.notebook["cells"])
    quiet = quiet_after(texts, run.checks)
    if quiet is not None:
        run = without_students_words(run)
    by_name = {grade.grade_id: grade for grade in grades}
    cells, cut = _bounded(_cells(run, by_name, texts, quiet))
    html = _template().render(
        submission=submission,
        user=visible(submission.user),
        lines=list(map(_Line.of, grades)),
        total=_Total(
            total(grade.score for grade in grades),
            total(grade.max_points for grade in grades),
            needs_review=any(grade.waits for grade in grades),
        ),
        open_part=_open,
        close_part=_CLOSE,
        verdict=None if run.verdict is Verdict.RAN else shortened(visible(run.detail), 500),
        has_unsealed=any(not grade.is_sealed for grade in grades),
        cells=cells,
        cut=cut,
        light=_style("default"),
        dark=_style("github-dark"),
    )
    return html.encode("utf-8", errors="replace")


def with_marks(page: bytes, grade: Grade, submission: Submission) -> bytes:
    """Return a stored page with what people say, the present points and lateness in it.

    ``submission`` says what lateness costs. A page from before there were such parts gets them at
    its top.
    """
    parts: Any = _environment().get_template("grade_parts.html").module
    lines = {each.grade_id: _Line.of(each) for each in grade.exercises}
    score = parts.score(
        _Total(
            grade.points,
            grade.max_points,
            needs_review=grade.needs_review,
            penalty=submission.penalty,
            late=_duration(submission.late_seconds),
        )
    )
    table = parts.table(list(lines.values()))

    def renewed(found: re.Match[str]) -> str:
        name = found[1]
        inside = {"score": score, "table": table}.get(name)
        if inside is None:
            line = lines.get(name.removeprefix("ex:"))
            inside = None if line is None else parts.badge(line)
        return found[0] if inside is None else f"{_open(name)}{inside}{_CLOSE}"

    html = page.decode("utf-8", errors="replace")
    changed, count = _PART.subn(renewed, html)
    if not count:
        said = Markup("").join(parts.badge(line) for line in lines.values() if line.comment)
        head, body, rest = html.partition("<body>")
        changed = f"{head}{body}\n{score}{table}{said}{rest}" if body else html
    return changed.encode("utf-8", errors="replace")


def _open(name: str) -> Markup:
    return Markup("<!--ppo:{}-->").format(escape(name))


def _duration(seconds: int) -> str:
    """Return how long that is in days, hours and minutes, rounded up to a minute; empty for 0."""
    if seconds <= 0:
        return ""
    rounded = timedelta(minutes=-(-seconds // 60))
    hours, rest = divmod(rounded.seconds, 3600)
    counted = ((rounded.days, "day"), (hours, "hour"), (rest // 60, "minute"))
    return " ".join(
        f"{count} {unit}{'' if count == 1 else 's'}" for count, unit in counted if count
    )


@cache
def _template() -> Template:
    return _environment().get_template("feedback.html")


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("jupyter_ppo.autograde"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["points"] = lambda value: f"{value:g}"
    environment.filters["shown"] = text_html
    return environment


@cache
def _style(name: str) -> Markup:
    from pygments.formatters import HtmlFormatter  # type: ignore[import-untyped]

    return Markup(HtmlFormatter(style=name).get_style_defs(".highlight"))  # noqa: S704 - ours


def _cells(
    run: NotebookRun,
    grades: dict[str, ExerciseGrade],
    texts: Sequence[TestText | None],
    quiet: int | None,
) -> Iterator[_Cell]:
    cells: list[dict[str, Any]] = run.notebook["cells"]
    hidden, finished = hidden_lines_of(cells), run.finished
    checks = {check.index: check for check in run.checks}
    for index, cell in enumerate(cells):
        grade = grades.get(grade_id_of(cell) or "")
        is_code = cell["cell_type"] == "code"
        source, note = _shown_source(cell)
        tests = kind_of(cell) is CellKind.TESTS
        is_sealed = tests and grade is not None and grade.is_sealed
        is_late = quiet is not None and index > quiet
        shown, more = Markup(), False
        if is_sealed:  # nothing that the student's kernel sent is about this cell
            shown, more = _of_examiner(checks.get(index), texts[index], hidden, is_quiet=is_late)
        elif is_code:
            outputs = cell.get("outputs", [])
            shown = outputs_html(outputs, tests=tests, hidden=hidden)
            if is_late:
                shown = quiet_html(outputs)
            more = index in finished and ran_hidden(cell, outputs)
        yield _Cell(
            grade=grade,
            is_code=is_code,
            note=note,
            source=code_html(source) if is_code else markdown_html(source),
            outputs=shown,
            more_tests=more,
            records=tuple(map(_record, grade.records)) if grade else (),
        )


def _of_examiner(
    check: CheckRun | None, text: TestText | None, hidden: Sequence[str], *, is_quiet: bool
) -> tuple[Markup, bool]:
    """Return what a sealed test printed, and whether hidden tests were run.

    What is printed around hidden tests may quote them, so it is not shown.
    """
    if check is None or text is None:
        return Markup(), False
    if not text.has_hidden:
        return Markup() if is_quiet else printed_html(check.output, hidden), False
    ended = check.state is CheckState.PASSED or (
        check.state is CheckState.FAILED and not check.error_type
    )
    return Markup(), ended or text.number(check.line) is not None


def _record(record: Mapping[str, Any]) -> str:
    """Return what a test wrote down of an examined policy as one line."""
    figures = {
        key: f"{value:.1f}"
        for key in ("mean", "low", "high")
        if isinstance(value := record.get(key), int | float)
    }
    name = visible(str(record.get("env_id", "policy")))
    parts = [f"{name}: mean return {figures.get('mean', 'unknown')}"]
    if "low" in figures and "high" in figures:
        parts.append(f"95 % confidence interval {figures['low']} to {figures['high']}")
    episodes = record.get("episodes")
    if isinstance(episodes, int):
        parts.append(f"{episodes} episode{'' if episodes == 1 else 's'}")
    return ", ".join(parts)


def _shown_source(cell: dict[str, Any]) -> tuple[str, str]:
    own = own_of(cell)
    origin, released = own.get("origin"), own.get("release_source")
    if origin == Origin.AUTHOR and isinstance(released, str):
        return released, ""
    if origin == Origin.MODEL and isinstance(released, str):
        return released, _NOTES[Origin.MODEL]
    if origin in {Origin.ANSWER, Origin.MISSING, Origin.LEFT, Origin.STUDENT}:
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
