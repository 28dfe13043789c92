"""Turns the pictures of an experiment into HTML: for the live view, and for what is saved."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from html import escape
from typing import Any, Final

from jupyter_ppo.widgets.experiment_attempt import Missing, MissingValueError, first_line, say
from jupyter_ppo.widgets.experiment_dots import draw_dots
from jupyter_ppo.widgets.experiment_grid import draw_frame, draw_heat, draw_timeline
from jupyter_ppo.widgets.experiment_pictures import (
    Bars,
    Dots,
    Frame,
    Heat,
    Note,
    Plot,
    Table,
    Timeline,
    word,
)
from jupyter_ppo.widgets.experiment_plot import Drawn, draw_bars, draw_plot

#: Of what a notebook saves.
MOST_BYTES: Final = 95_000
_MOST_PICTURES: Final = 12
_MOST_TABLE_ROWS: Final = 200
_MOST_LETTERS: Final = 4000
_DRAWERS: Final[dict[type, Any]] = {
    Plot: draw_plot,
    Bars: draw_bars,
    Dots: draw_dots,
    Heat: draw_heat,
    Frame: draw_frame,
    Timeline: draw_timeline,
}

_FONT: Final = "var(--jp-content-font-color1,#212121)"
_LINES: Final = "var(--jp-border-color2,#d8d8d8)"
STYLE: Final = (
    ".ppo-x-pictures{display:flex;flex-flow:row wrap;gap:12px 18px;align-items:flex-start;"
    f"color:{_FONT};line-height:1.45}}"
    ".ppo-x-pictures figure{margin:0;flex:0 1 460px;min-width:0;max-width:100%}"
    ".ppo-x-pictures figure.mod-table{flex-basis:auto}"
    ".ppo-x-pictures svg,.ppo-x-pictures figure img{display:block;max-width:100%;height:auto}"
    ".ppo-x-pictures .ppo-x-note{flex:1 0 100%;margin:0}"
    ".ppo-x-pictures .ppo-x-note p{margin:0 0 2px;white-space:pre-wrap;overflow-wrap:anywhere}"
    ".ppo-x-pictures .mod-warn{padding-left:8px;"
    "border-left:3px solid var(--jp-warn-color1,#b26a00)}"
    ".ppo-x-pictures summary{cursor:pointer;width:max-content;"
    "color:var(--jp-content-font-color2,#5f5f5f)}"
    ".ppo-x-pictures .ppo-x-scroll{max-height:260px;overflow:auto}"
    ".ppo-x-pictures table{border-collapse:collapse;font-variant-numeric:tabular-nums;margin:0}"
    ".ppo-x-pictures caption{text-align:left;font-weight:600;padding:0 0 4px}"
    f".ppo-x-pictures th,.ppo-x-pictures td{{padding:1px 12px 1px 0;text-align:right;"
    f"border-bottom:1px solid {_LINES};white-space:nowrap;background:none}}"
    ".ppo-x-pictures th:first-child,.ppo-x-pictures td:first-child{text-align:left}"
    ".ppo-x-pictures th[scope=row]{font-weight:normal}"
    ".ppo-controls.ppo-x .ppo-setting{border-top:0}"
    ".ppo-controls.ppo-x .widget-checkbox label{display:flex;align-items:center;gap:4px}"
    ".ppo-x-said{margin:0 0 6px;padding:2px 0 2px 8px;list-style:none;"
    f"border-left:3px solid var(--jp-warn-color1,#b26a00);color:{_FONT}}}"
)


class Seen:
    """What an experiment shows for one choice of settings."""

    def __init__(self, title: str, note: str, settings: str) -> None:
        self.title = title
        self.note = note
        self.settings = settings
        self.drawn: list[tuple[Any, Drawn | None]] = []
        self.said: list[str] = []
        self.printed = ""

    def add(self, pictures: Any) -> None:
        """Draw what ``draw`` has returned. What is no picture is said."""
        for picture in _listed(pictures)[:_MOST_PICTURES]:
            if isinstance(picture, Missing):
                say(picture.reason)
                continue
            drawer = _DRAWERS.get(type(picture))
            if drawer is None and not isinstance(picture, Note | Table):
                say(f"draw returned {type(picture).__name__}, which is no picture")
                continue
            try:
                if drawer is None:
                    _words(picture)  # raises here what it would raise later
                self.drawn.append((picture, drawer(picture) if drawer else None))
            except MissingValueError as error:
                say(str(error))
            except Exception as error:  # such as a title that is no text
                name = getattr(picture, "title", type(picture).__name__)
                say(f"{name}: could not be drawn ({first_line(error)})")

    def html(self, *, is_open: bool = False) -> str:
        """Return the pictures for the page, in its theme; ``is_open`` shows the numbers."""
        parts = [self._piece(picture, drawn, is_open) for picture, drawn in self.drawn]
        return (
            f'<style>{STYLE}</style><div class="ppo-x-pictures">'
            f"{''.join(parts)}{self._printed()}</div>"
        )

    def saved(self, name: str) -> str:
        """Return what a notebook keeps: images, which no page removes, with their numbers.

        ``name`` is a class of CSS for it.
        """
        for with_tables in (True, False):
            parts = [
                _figure(_image(drawn[0]), _numbers(picture, drawn, False) if with_tables else "")
                if drawn
                else _words(picture)
                for picture, drawn in self.drawn
            ]
            page = (
                f'<div class="{name}"><style>{STYLE}</style>'
                f"<p><strong>{escape(self.title)}</strong></p>"
                f"{f'<p>{escape(self.note)}</p>' if self.note else ''}"
                f"{f'<p>{escape(self.settings)}</p>' if self.settings else ''}"
                f'{said_html(self.said)}<div class="ppo-x-pictures">{"".join(parts)}</div>'
                "<p>Saved pictures. Run the cell again to move them.</p></div>"
            )
            if len(page.encode()) <= MOST_BYTES:
                return page
        return (
            f'<div class="{name}"><p><strong>{escape(self.title)}</strong></p>'
            "<p>The pictures are too large to be kept in the notebook.</p></div>"
        )

    def _piece(self, picture: Any, drawn: Drawn | None, is_open: bool) -> str:
        if drawn is None:
            return _words(picture)
        return _figure(drawn[0], _numbers(picture, drawn, is_open))

    def _printed(self) -> str:
        if not self.printed.strip():
            return ""
        lines = self.printed.rstrip().splitlines()[-12:]
        body = "".join(f"<p>{escape(line[:300])}</p>" for line in lines)
        return f'<div class="ppo-x-note"><p><strong>Printed</strong></p>{body}</div>'


def said_html(said: Sequence[str]) -> str:
    """Return the lines on what is missing or wrong; nothing for none."""
    if not said:
        return ""
    items = "".join(f"<li>{escape(line)}</li>" for line in said)
    return f'<ul class="ppo-x-said">{items}</ul>'


def _listed(pictures: Any) -> list[Any]:
    if pictures is None:
        say("draw returned nothing (is a return missing?)")
        return []
    if isinstance(pictures, str):
        return [Note(pictures)]
    if isinstance(pictures, Iterable) and not isinstance(pictures, Missing):
        return [Note(one) if isinstance(one, str) else one for one in pictures]
    return [pictures]


def _figure(image: str, numbers: str) -> str:
    return f"<figure>{image}{numbers}</figure>"


def _image(svg: str) -> str:
    """Return an SVG as an image with its words. A page may remove SVG, but not images."""
    label = svg.partition('aria-label="')[2].partition('"')[0]
    # On a page of any colour it brings its own white.
    white = svg.replace("</style>", "</style><rect width='100%' height='100%' fill='#fff'/>", 1)
    data = base64.b64encode(white.encode()).decode()
    return f'<img alt="{label}" src="data:image/svg+xml;base64,{data}">'


def _numbers(picture: Any, drawn: Drawn, is_open: bool) -> str:
    _, head, rows = drawn
    if not rows:
        return ""
    opened = " open" if is_open else ""
    return (
        f"<details{opened}><summary>Numbers</summary>"
        f"{_table(f'Numbers of {picture.title}', '', head, rows)}</details>"
    )


def _table(label: str, caption: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    heads = "".join(f'<th scope="col">{escape(one)}</th>' if one else "<td></td>" for one in head)
    body = "".join(
        f'<tr><th scope="row">{escape(row[0]) if row else ""}</th>'
        + "".join(f"<td>{escape(one)}</td>" for one in row[1:])
        + "</tr>"
        for row in rows
    )
    title = f"<caption>{escape(caption)}</caption>" if caption else ""
    return (
        f'<div class="ppo-x-scroll" role="region" tabindex="0" aria-label="{escape(label)}">'
        f"<table>{title}<thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _words(picture: Note | Table) -> str:
    if isinstance(picture, Table):
        rows = [[word(one) for one in row] for row in picture.rows][:_MOST_TABLE_ROWS]
        head = [word(one) for one in picture.columns]
        table = _table(picture.title, picture.title, head, rows)
        return f'<figure class="mod-table">{table}</figure>'
    lines = str(picture.text)[:_MOST_LETTERS].splitlines()
    body = "".join(f"<p>{escape(line)}</p>" for line in lines if line.strip())
    tone = " mod-warn" if picture.tone == "warn" else ""
    return f'<div class="ppo-x-note{tone}">{body}</div>'
