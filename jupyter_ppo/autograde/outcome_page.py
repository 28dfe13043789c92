"""The feedback page of an entry: what was decided for each criterion, and why.

One HTML file without script and without anything from outside, under the same policy as the
feedback page of a notebook. Notes for the staff and names of graders are not in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup

from jupyter_ppo.autograde.outputs import MARKDOWN_MAX, markdown_html
from jupyter_ppo.autograde.text import visible
from jupyter_ppo.domain.entries import AuthorKind, Criterion, EntryDefinition, Outcome
from jupyter_ppo.domain.submissions import Submission

_FENCES = ("```", "~~~")


@dataclass(frozen=True, slots=True)
class _Line:
    """One criterion as the template needs it."""

    criterion: Criterion
    level: str
    level_description: Markup
    points: float
    comment: Markup


def outcome_page(submission: Submission, definition: EntryDefinition, outcome: Outcome) -> bytes:
    """Return the page for one outcome: UTF-8 HTML, in the rubric's order, nothing private."""
    found = {result.criterion: result for result in outcome.results}
    lines = []
    for criterion in definition.rubric:
        result = found.get(criterion.name)
        if result is None:
            continue
        described = {level.name: level.description for level in criterion.levels}
        lines.append(
            _Line(
                criterion,
                result.level,
                markdown_html(described.get(result.level, "")),
                result.points,
                markdown_html(result.comment),
            )
        )
    html = _template().render(
        submission=submission,
        user=visible(submission.user),
        title=visible(definition.title),
        lines=lines,
        points=outcome.points,
        max_points=definition.max_points,
        summary=markdown_html(outcome.summary),
        is_drafted=outcome.author_kind is AuthorKind.PROGRAM,
    )
    return html.encode("utf-8", errors="replace")


def long_markdown_html(text: str) -> Markup:
    """Return rendered Markdown of any length, a piece at a time, cut at blank lines.

    One call of the renderer takes a bounded text only, because its time is not linear in it.
    """
    pieces: list[list[str]] = [[]]
    size, is_fenced = 0, False
    for line in text.splitlines(keepends=True):
        if line.lstrip().startswith(_FENCES):
            is_fenced = not is_fenced
        size += len(line)
        if size > MARKDOWN_MAX // 2 and not line.strip() and not is_fenced:
            pieces.append([])
            size = 0
        pieces[-1].append(line)
    return Markup("\n").join(markdown_html("".join(piece)) for piece in pieces)


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
    environment.filters["shown"] = visible
    return environment.get_template("outcome.html")
