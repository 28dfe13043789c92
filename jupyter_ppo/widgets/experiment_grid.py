"""Draws heat maps, images and timelines as SVG, each with its table of numbers."""

from __future__ import annotations

import base64
import math
import struct
import zlib
from collections.abc import Sequence
from typing import Final

from jupyter_ppo.widgets.experiment_attempt import say
from jupyter_ppo.widgets.experiment_axes import (
    COLOURS,
    WIDTH,
    Scale,
    cut,
    legend,
    svg,
    text,
    width_of,
    x_axis,
)
from jupyter_ppo.widgets.experiment_pictures import (
    Frame,
    Heat,
    Row,
    Timeline,
    matrix,
    number_text,
    pixels,
    word,
)
from jupyter_ppo.widgets.experiment_plot import Drawn

_MOST_CELLS: Final = 400  # of a heat map that is drawn cell by cell
_MOST_SIDE: Final = 320  # pixels of an image
_MOST_TABLE: Final = 16  # rows and columns of a table of numbers
_MOST_ROWS: Final = 24
_MOST_SPANS: Final = 600
_BLUE, _WHITE, _ORANGE = (0, 90, 160), (250, 250, 250), (213, 94, 0)
_EMPTY: Final = (150, 150, 150)
#: Shapes of events, 11 wide, around 0, 0; filled but for the second and the fourth.
_SHAPES: Final = (
    "M0 -5L5 4H-5Z",
    "M-4 -4L4 4M-4 4L4 -4",
    "M0 -5L5 0L0 5L-5 0Z",
    "M0 -5V5M-5 0H5",
    "M-4 -4H4V4H-4Z",
)

Colour = tuple[int, int, int]


def draw_heat(heat: Heat) -> Drawn:
    """Draw a table of numbers as colours."""
    rows = matrix(heat.values, heat.title)
    if rows is None:
        return svg(heat.title, "Nothing could be drawn.", 40, [_nothing(32)]), [], []
    finite = [value for row in rows for value in row if math.isfinite(value)]
    low, high = min(finite, default=0.0), max(finite, default=1.0)
    low = low if heat.low is None else float(heat.low)
    high = high if heat.high is None else float(heat.high)
    has_both = low < 0 < high
    if has_both:
        high = max(-low, high)
        low = -high
    names = [word(one) for one in heat.row_labels][: len(rows)]
    heads = [word(one) for one in heat.column_labels][: len(rows[0])]
    left = min(160.0, max((width_of(name) for name in names), default=0.0)) + 8
    top = 28.0 + (18 if heads else 0)
    wide = min((WIDTH - 70 - left) / len(rows[0]), 64)
    tall = min(max(wide, 8) if not heat.show_values else 26, 40, 340 / len(rows))
    parts: list[str] = []
    if len(rows) * len(rows[0]) <= _MOST_CELLS:
        has_room = heat.show_values and wide >= 22 and tall >= 12
        for number, row in enumerate(rows):
            for place, value in enumerate(row):
                x, y = left + wide * place, top + tall * number
                parts += _cell(value, (x, y, wide, tall), (low, high), has_room)
    else:
        colours = [[_colour(value, low, high) for value in row] for row in rows]
        parts.append(_image(colours, left, top, wide * len(rows[0]), tall * len(rows)))
    for number, name in enumerate(names):
        if number % max(1, math.ceil(11 / tall)) == 0:
            y = top + tall * (number + 0.5) + 4
            parts.append(text(left - 5, y, cut(name, int(left / 6.3)), at="end"))
    every = max(1, math.ceil(max((width_of(one) for one in heads), default=0) / wide))
    parts += [
        text(left + wide * (place + 0.5), top - 5, cut(name, 24), at="middle")
        for place, name in enumerate(heads)
        if place % (every if every < 20 else len(heads)) == 0
    ]
    bottom = top + tall * len(rows)
    parts += _key(low, high, left + wide * len(rows[0]) + 12, top, min(120, max(bottom - top, 50)))
    seen = (
        f"{len(rows)} rows and {len(rows[0])} columns, lowest "
        f"{number_text(min(finite, default=math.nan))}, highest "
        f"{number_text(max(finite, default=math.nan))}."
    )
    few = rows[:_MOST_TABLE]
    table = [
        [names[n] if n < len(names) else str(n), *(number_text(v) for v in row[:_MOST_TABLE])]
        for n, row in enumerate(few)
    ]
    head = [heads[n] if n < len(heads) else str(n) for n in range(len(rows[0]))][:_MOST_TABLE]
    height = max(bottom, top + 64) + 8
    return svg(heat.title, seen, height, parts), ["", *head], table


def draw_frame(frame: Frame) -> Drawn:
    """Draw an image with pixels that can be seen."""
    rows = pixels(frame.pixels, frame.title)
    if rows is None:
        return svg(frame.title, "Nothing could be drawn.", 40, [_nothing(32)]), [], []
    tall, wide = len(rows), len(rows[0])
    every = max(1, math.ceil(max(tall, wide) / _MOST_SIDE))
    small = [row[::every] for row in rows[::every]]
    scale = min((WIDTH - 12) / wide, 280 / tall)
    place = _image(small, 4, 24, wide * scale, tall * scale)
    mean = sum(sum(one) for row in small for one in row) / (3 * len(small) * len(small[0]))
    seen = f"An image, {wide} pixels wide and {tall} high, mean brightness {mean:.0f} of 255."
    return svg(frame.title, seen, 30 + tall * scale, [place]), [], []


def draw_timeline(timeline: Timeline) -> Drawn:
    """Draw spans and events row by row."""
    rows = list(timeline.rows)[:_MOST_ROWS]
    if len(rows) < len(timeline.rows):
        say(f"{timeline.title}: {len(timeline.rows)} rows, of which {_MOST_ROWS} are drawn")
    spans: dict[str, str] = {}
    events: dict[str, str] = {}
    kept = []
    for row in rows:
        checked = _checked(row)
        kept.append(checked)
        for *_, label in checked.spans:
            spans.setdefault(label, COLOURS[len(spans) % len(COLOURS)])
        for _, label in checked.events:
            events.setdefault(label, _SHAPES[len(events) % len(_SHAPES)])
    ends = [end for row in kept for start, stop, _ in row.spans for end in (start, stop)]
    ends += [at for row in kept for at, _ in row.events]
    low, high = (min(ends), max(ends)) if ends else (0.0, 1.0)
    high = high if high > low else low + 1
    box = '<rect x="2" y="-6" width="18" height="12" rx="2" fill="{}"/>'
    keys, taken = legend(
        [(box.format(colour), label) for label, colour in spans.items()]
        + [(f'<g transform="translate(11 0)">{_shape(one)}</g>', n) for n, one in events.items()],
        30,
    )
    top = 30 + taken + 4
    left = min(150.0, max((width_of(row.name) for row in kept), default=0.0)) + 10
    scale = Scale(low, high, left, WIDTH - 12)
    each = 28
    bottom = top + each * max(len(kept), 1)
    parts = [*keys, *x_axis(scale, top, bottom, timeline.x_label)]
    for number, row in enumerate(kept):
        y = top + each * number
        parts.append(text(left - 5, y + 18, cut(row.name, int(left / 6.3)), at="end"))
        for start, end, label in row.spans:
            x, wide = scale.place(start), scale.place(end) - scale.place(start)
            parts.append(
                f'<rect class="c" x="{x:.1f}" y="{y + 5}" width="{max(wide, 1):.1f}" height="18" '
                f'rx="2" fill="{spans[label]}"/>'
            )
            if width_of(label) < wide - 4:
                ink = ' style="fill:#fff"'
                parts.append(text(x + wide / 2, y + 18, label, at="middle", more=ink))
        parts += [
            f'<g transform="translate({scale.place(at):.1f} {y + 14})">{_shape(events[label])}</g>'
            for at, label in row.events
        ]
    told = []
    table = []
    for row in kept:
        told.append(f"{row.name}: {len(row.spans)} spans, {len(row.events)} events")
        table += [[row.name, number_text(a), number_text(b), label] for a, b, label in row.spans]
        table += [[row.name, number_text(at), "", label] for at, label in row.events]
    head = ["Row", timeline.x_label, "until", "what"]
    seen = f"From {number_text(low)} to {number_text(high)}. {'; '.join(told)}."
    return svg(timeline.title, cut(seen, 900), bottom + 38, parts), head, table[:60]


def png(rows: Sequence[Sequence[Colour]]) -> bytes:
    """Return the file of an image (RFC 2083, colour type 2, no filter)."""
    data = b"".join(b"\0" + bytes(part for one in row for part in one) for row in rows)

    def chunk(kind: bytes, content: bytes) -> bytes:
        check = zlib.crc32(kind + content)
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)

    head = struct.pack(">IIBBBBB", len(rows[0]), len(rows), 8, 2, 0, 0, 0)
    parts = [chunk(b"IHDR", head), chunk(b"IDAT", zlib.compress(data, 9)), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def _image(rows: Sequence[Sequence[Colour]], x: float, y: float, wide: float, tall: float) -> str:
    data = base64.b64encode(png(rows)).decode()
    return (
        f'<image x="{x:.1f}" y="{y:.1f}" width="{wide:.1f}" height="{tall:.1f}" '
        'preserveAspectRatio="none" style="image-rendering:pixelated" '
        f'href="data:image/png;base64,{data}"/>'
    )


def _cell(
    value: float, box: tuple[float, float, float, float], ends: tuple[float, float], has_text: bool
) -> list[str]:
    x, y, wide, tall = box
    red, green, blue = colour = _colour(value, *ends)
    parts = [
        f'<rect class="c" x="{x:.1f}" y="{y:.1f}" width="{wide:.1f}" height="{tall:.1f}" '
        f'fill="#{red:02x}{green:02x}{blue:02x}"/>'
    ]
    if has_text:
        words = cut(f"{value + 0.0:.3g}" if math.isfinite(value) else "?", int(wide / 5.5))
        ink = "#fff" if _brightness(colour) < 0.42 else "#111"
        more = f' style="fill:{ink}"'
        parts.append(text(x + wide / 2, y + tall / 2 + 4, words, at="middle", more=more))
    return parts


def _brightness(colour: Colour) -> float:
    red, green, blue = colour
    return (0.299 * red + 0.587 * green + 0.114 * blue) / 255


def _colour(value: float, low: float, high: float) -> Colour:
    """Return white for 0 or the lowest, blue for the highest, orange for the most negative."""
    if not math.isfinite(value):
        return _EMPTY
    if low < 0 < high:
        share, end = abs(value) / high, (_BLUE if value > 0 else _ORANGE)
    else:
        share, end = ((value - low) / (high - low) if high > low else 0.0), _BLUE
    share = min(max(share, 0.0), 1.0)
    red, green, blue = (
        round(start + (stop - start) * share) for start, stop in zip(_WHITE, end, strict=True)
    )
    return red, green, blue


def _key(low: float, high: float, x: float, top: float, tall: float) -> list[str]:
    """Return a column of the colours with the values at its ends."""
    steps = 12
    parts = []
    for number in range(steps):
        red, green, blue = _colour(high - (high - low) * number / (steps - 1), low, high)
        parts.append(
            f'<rect x="{x:.1f}" y="{top + tall * number / steps:.1f}" width="10" '
            f'height="{tall / steps + 0.5:.1f}" fill="#{red:02x}{green:02x}{blue:02x}"/>'
        )
    parts.append(f'<rect class="a" x="{x:.1f}" y="{top:.1f}" width="10" height="{tall:.1f}"/>')
    parts.append(text(x + 14, top + 9, f"{high:.3g}"))
    parts.append(text(x + 14, top + tall, f"{low:.3g}"))
    return parts


def _checked(row: Row) -> Row:
    """Return a row without what cannot be drawn, which is said."""
    spans: list[tuple[float, float, str]] = []
    events: list[tuple[float, str]] = []
    try:
        for start, end, label in row.spans:
            if math.isfinite(float(start)) and math.isfinite(float(end)):
                spans.append((float(start), float(end), word(label)))
        for at, label in row.events:
            if math.isfinite(float(at)):
                events.append((float(at), word(label)))
    except (TypeError, ValueError):
        say(f"{row.name}: spans are (start, end, label), and events are (at, label)")
    if len(spans) > _MOST_SPANS:
        say(f"{row.name}: {len(spans)} spans, of which {_MOST_SPANS} are drawn")
    return Row(word(row.name), spans[:_MOST_SPANS], events[:_MOST_SPANS])


def _shape(path: str) -> str:
    colour = "var(--jp-content-font-color1,#212121)"
    return f'<path d="{path}" style="fill:{colour};stroke:{colour}" stroke-width="1.8"/>'


def _nothing(y: float) -> str:
    return text(2, y, "nothing to draw", kind="f")
