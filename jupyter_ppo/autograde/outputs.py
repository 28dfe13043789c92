"""A cell's source and outputs as HTML that is safe to show to anyone.

Everything here was chosen by a student: text is escaped, markup goes through nh3 with a short list
of tags, pictures are PNG or JPEG that say so in their first bytes, and all else is named only.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import Any

import nh3
from markupsafe import Markup, escape

from jupyter_ppo.autograde.cells import text_of
from jupyter_ppo.autograde.hidden import NOT_SHOWN, builtin_error
from jupyter_ppo.autograde.score import error_line
from jupyter_ppo.autograde.text import presentable, shortened, visible, without_hidden

#: Characters of one output, of one cell's source, and of one markdown cell that is rendered.
OUTPUT_MAX, SOURCE_MAX, MARKDOWN_MAX = 8_000, 40_000, 20_000
#: Bytes of one picture, and outputs of one cell.
IMAGE_MAX, OUTPUTS_MAX = 400_000, 50

_MAGIC = {"image/png": b"\x89PNG\r\n\x1a\n", "image/jpeg": b"\xff\xd8\xff"}
_TAGS = {
    *("a", "abbr", "b", "blockquote", "br", "caption", "code", "dd", "del", "dl", "dt", "em"),
    *("h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "kbd", "li", "ol", "p", "pre", "s", "span"),
    *("strong", "sub", "sup", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "u", "ul"),
}
_ATTRIBUTES: dict[str, set[str]] = {
    "a": {"href", "title"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan", "scope"},
    "ol": {"start"},
}


def clean_html(html: str, mark: str = "") -> Markup:
    """Return ``html`` with nothing but harmless tags: no script, style, picture, form or frame.

    An element with the name ``mark`` stays too, with its attribute ``n``.
    """
    return Markup(  # noqa: S704 - nh3 is what makes it safe
        nh3.clean(
            html,
            tags=_TAGS | {mark} if mark else _TAGS,
            attributes=_ATTRIBUTES | {mark: {"n"}} if mark else _ATTRIBUTES,
            url_schemes={"https", "http", "mailto"},
            link_rel="noopener noreferrer nofollow",
        )
    )


def code_html(source: str) -> Markup:
    """Return highlighted Python, escaped."""
    from pygments import highlight  # type: ignore[import-untyped]
    from pygments.formatters import HtmlFormatter  # type: ignore[import-untyped]
    from pygments.lexers import PythonLexer  # type: ignore[import-untyped]

    html = highlight(shortened(visible(source), SOURCE_MAX), PythonLexer(), HtmlFormatter())
    allowed = nh3.clean(
        html, tags={"div", "pre", "span"}, attributes={"div": {"class"}, "span": {"class"}}
    )
    return Markup(allowed)  # noqa: S704 - nh3 is what makes it safe


def markdown_html(source: str) -> Markup:
    """Return rendered Markdown, sanitised, with the formulas that can be drawn as MathML."""
    from jupyter_ppo.autograde.markdown_formulas import rendered

    shown = visible(source)
    if len(shown) > MARKDOWN_MAX:  # rendering is not linear in every case
        return _pre(shortened(shown, MARKDOWN_MAX))
    return rendered(shown, clean_html)


def outputs_html(
    outputs: Sequence[dict[str, Any]], *, tests: bool, hidden: Sequence[str]
) -> Markup:
    """Return all outputs of one code cell.

    For a cell with ``tests`` an error is its last line only, because a traceback shows lines of
    the test around the one that failed. Lines in ``hidden`` are blotted out everywhere.
    """
    shown = [_output(output, tests=tests, hidden=hidden) for output in outputs[:OUTPUTS_MAX]]
    if len(outputs) > OUTPUTS_MAX:
        shown.append(_note(f"{len(outputs) - OUTPUTS_MAX} more outputs are left out."))
    return Markup("\n").join(shown)


def quiet_html(outputs: Sequence[dict[str, Any]]) -> Markup:
    """Return what is shown of a cell that ran after hidden tests: a note, and Python's own errors.

    Its outputs may quote what the hidden tests asked.
    """
    if not outputs:
        return Markup()
    names = (
        builtin_error(text_of(output.get("ename")))
        for output in outputs
        if output.get("output_type") == "error"
    )
    error = next(filter(None, names), "")
    return _note(NOT_SHOWN) + (Markup("\n") + _pre(error, "error") if error else Markup())


def printed_html(text: str, hidden: Sequence[str]) -> Markup:
    """Return what a cell printed; nothing if that is only blank."""
    return _pre(_shown(text, hidden), "stdout") if text.strip() else Markup()


def _output(output: dict[str, Any], *, tests: bool, hidden: Sequence[str]) -> Markup:
    kind = output.get("output_type")
    if kind == "stream":
        name = "stderr" if output.get("name") == "stderr" else "stdout"
        return _pre(_shown(text_of(output.get("text")), hidden), name)
    if kind == "error":
        trace = output.get("traceback")
        lines = [line for line in trace if isinstance(line, str)] if isinstance(trace, list) else []
        text = error_line(output) if tests or not lines else "\n".join(lines)
        return _pre(_shown(text, hidden), "error")
    data = output.get("data")
    return _rich(data if isinstance(data, dict) else {}, hidden)


def _rich(data: dict[str, Any], hidden: Sequence[str]) -> Markup:
    for mime in _MAGIC:
        if mime in data:
            return _picture(mime, text_of(data[mime]))
    if "text/html" in data:
        html = text_of(data["text/html"])
        if len(html) <= OUTPUT_MAX * 4:
            cleaned = clean_html(visible(without_hidden(html, hidden)))
            if cleaned.striptags().strip():
                return Markup('<div class="rich">{}</div>').format(
                    Markup(without_hidden(cleaned, hidden))  # noqa: S704 - cleaned just above
                )
    if "text/plain" in data:
        return _pre(_shown(text_of(data["text/plain"]), hidden), "result")
    kinds = ", ".join(sorted(visible(str(mime))[:60] for mime in data)[:5]) or "nothing"
    return _note(f"An output of kind {kinds} is not shown here.")


def _picture(mime: str, encoded: str) -> Markup:
    try:
        raw = base64.b64decode("".join(encoded[: IMAGE_MAX * 2].split()), validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if not raw.startswith(_MAGIC[mime]) or len(raw) > IMAGE_MAX:
        return _note(f"A picture is not shown: damaged, or larger than {IMAGE_MAX // 1000} kB.")
    again = base64.b64encode(raw).decode("ascii")
    return Markup('<img alt="Picture made by this cell" src="data:{};base64,{}">').format(
        mime, again
    )


def _shown(text: str, hidden: Sequence[str]) -> str:
    return presentable(text, OUTPUT_MAX, hidden)


def _pre(text: str, name: str = "result") -> Markup:
    return Markup('<pre class="{}">{}</pre>').format(name, text)


def _note(text: str) -> Markup:
    return Markup('<p class="note">{}</p>').format(escape(text))
