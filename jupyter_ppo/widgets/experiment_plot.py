"""Draws plots of lines and groups of bars as SVG, each with its table of numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise, zip_longest
from typing import Any, Final

from jupyter_ppo.training.decimate import min_max
from jupyter_ppo.widgets.experiment_attempt import say
from jupyter_ppo.widgets.experiment_axes import (
    COLOURS,
    DASHED_DASHES,
    SOLID_DASHES,
    WIDTH,
    Scale,
    cut,
    left_of,
    legend,
    span,
    svg,
    text,
    width_of,
    x_axis,
    y_axis,
)
from jupyter_ppo.widgets.experiment_pictures import (
    LINE_STYLES,
    Bars,
    Line,
    Plot,
    Shade,
    number_text,
    numbers,
    word,
)

_HEIGHT: Final = 190  # of the plot itself
_MOST_POINTS: Final = 500
_MOST_TABLE_ROWS: Final = 40
_MOST_BARS: Final = 120

#: A picture in words: its SVG, the heads of its table, and its rows.
Drawn = tuple[str, list[str], list[list[str]]]


@dataclass(frozen=True, slots=True)
class _Series:
    name: str
    x: list[float]
    y: list[float]
    band: tuple[list[float], list[float]] | None
    colour: str
    style: str
    dashes: str

    def sample(self) -> str:
        if self.style == "dots":
            return f'<circle cx="11" cy="0" r="3.2" fill="{self.colour}"/>'
        return f'<path d="M0 0H22" {self.stroke()}/>'

    def stroke(self) -> str:
        dashes = f' stroke-dasharray="{self.dashes}"' if self.dashes else ""
        width = 1.9 if self.style == "dashed" else 2.3
        return f'fill="none" stroke="{self.colour}" stroke-width="{width}"{dashes}'


def draw_plot(plot: Plot) -> Drawn:
    """Draw lines over an axis. What cannot be drawn is left out and said."""
    series = _series(plot.lines)
    across = [value for one in series for value in one.x if math.isfinite(value)]
    regions = [shade for shade in plot.shaded if _is_place(shade[1], shade[2])]
    x_low, x_high = span(across, plot.x_range) if plot.x_range else _tight(across)
    bands = [edge for one in series if one.band for edge in one.band]
    up = [v for values in [*(one.y for one in series), *bands] for v in values if math.isfinite(v)]
    up += [mark[1] for mark in plot.marks if mark[0] == "y" and _is_place(mark[1])]
    y_low, y_high = span(up, plot.y_range, is_log=plot.y_log)
    keys, taken = legend([(one.sample(), one.name) for one in series], 30)
    top = 30 + taken + 2
    bottom = top + _HEIGHT
    y_scale = Scale(y_low, y_high, bottom, top, plot.y_log)
    left = left_of(y_scale, plot.y_label)
    x_scale = Scale(x_low, x_high, left, WIDTH - 12)
    inside = [_shade(one, x_scale, y_scale, left, top) for one in regions]
    labels: list[str] = []
    for axis, at, words in plot.marks:
        if _is_place(at):
            drawn, named = _mark(axis, at, words, x_scale, y_scale)
            inside.append(drawn)
            labels += named
    labels += [_shade_label(one, x_scale, y_scale) for one in regions if one[3]]
    for one in series:
        inside.append(_drawn(one, x_scale, y_scale, left, top))
    frame = (
        f'<svg x="{left:.1f}" y="{top:.1f}" width="{WIDTH - 12 - left:.1f}" height="{_HEIGHT}" '
        f'overflow="hidden">{"".join(inside)}</svg>'
    )
    parts = [
        *keys,
        *y_axis(y_scale, left, plot.y_label, right=WIDTH - 12),
        *x_axis(x_scale, top, bottom, plot.x_label),
        frame,
        *labels,
    ]
    if not series:
        parts.append(text((left + WIDTH) / 2, top + 90, "nothing to draw", at="middle", kind="f"))
    seen = _words(plot, series)
    head, rows = _table(plot.x_label, series)
    return svg(plot.title, seen, bottom + 38, parts), head, rows


def draw_bars(bars: Bars) -> Drawn:
    """Draw groups of bars from zero."""
    names = [word(name) for name in bars.names]
    found = [
        (name, values, COLOURS[place % len(COLOURS)])
        for place, (name, data) in enumerate(bars.series.items())
        if (values := numbers(data, name, len(names))) is not None
    ]
    if len(names) * len(found) > _MOST_BARS:
        say(f"{bars.title}: {len(names) * len(found)} bars are too many; the first are drawn")
        names = names[: max(1, _MOST_BARS // len(found))]
    up = [v for _, values, _ in found for v in values[: len(names)] if math.isfinite(v)]
    low, high = span([0.0, *up], bars.y_range)
    if not bars.y_range:  # with room for the values, but none on the empty side of zero
        room = 0.05 * (high - low)
        low = low - room if min([0.0, *up]) < 0 else 0.0
        high = high + room if max([0.0, *up]) > 0 else 0.0
        high = high if high > low else low + 1
    sample = '<rect x="3" y="-6" width="14" height="11" fill="{}"/>'
    keys, taken = legend([(sample.format(colour), name) for name, _, colour in found], 30)
    top = 30 + taken + 2
    bottom = top + _HEIGHT - 20
    scale = Scale(low, high, bottom, top)
    left = left_of(scale, bars.y_label)
    wide = (WIDTH - 12 - left) / max(len(names), 1)
    each = 0.8 * wide / max(len(found), 1)
    zero = min(max(scale.place(0.0), top), bottom)
    parts = [*keys, *y_axis(scale, left, bars.y_label, right=WIDTH - 12)]
    for place, (_, values, colour) in enumerate(found):
        for number, value in enumerate(values[: len(names)]):
            x = left + wide * number + 0.1 * wide + each * place
            if not math.isfinite(value):
                parts.append(text(x + each / 2, zero - 4, "?", at="middle"))
                continue
            end = min(max(scale.place(value), top), bottom)
            parts.append(
                f'<rect class="c" x="{x:.1f}" y="{min(end, zero):.1f}" width="{each:.1f}" '
                f'height="{abs(end - zero):.1f}" fill="{colour}"/>'
            )
            words = f"{value + 0.0:.3g}"
            if width_of(words) <= each + 4:
                y = end - 4 if value >= 0 else end + 12
                is_inside = y < top + 8  # the bar reaches the edge
                ink = ' style="fill:#fff"' if is_inside else ""
                place_y = top + 12 if is_inside else y
                parts.append(text(x + each / 2, place_y, words, at="middle", more=ink))
    every = max(1, math.ceil(max((width_of(name) for name in names), default=0) / max(wide, 1)))
    most = max(3, int(wide * every / 6.3))
    parts += [
        text(left + wide * (number + 0.5), bottom + 16, cut(name, most), at="middle")
        for number, name in enumerate(names)
        if number % (every if every > 3 else 1) == 0
    ]
    parts.append(f'<path class="a" d="M{left:.1f} {top}V{bottom:.1f}"/>')
    parts.append(f'<path class="a" d="M{left:.1f} {zero:.1f}H{WIDTH - 12}"/>')
    seen = "; ".join(
        f"{name}: "
        + ", ".join(f"{n} {number_text(v)}" for n, v in zip(names, values, strict=False))
        for name, values, _ in found
    )
    rows = [
        [name, *(number_text(values[number]) for _, values, _ in found)]
        for number, name in enumerate(names)
    ]
    head = ["", *(name for name, _, _ in found)]
    return svg(bars.title, cut(f"Bars. {seen}", 900), bottom + 24, parts), head, rows


def _series(lines: Sequence[Line]) -> list[_Series]:
    found: list[_Series] = []
    solid = dashed = 0
    for place, line in enumerate(lines):
        style = line.style if line.style in LINE_STYLES else "line"
        if style != line.style:
            say(f"{line.name}: style {line.style!r} is none of {', '.join(LINE_STYLES)}")
        colour = COLOURS[(place if line.color is None else line.color) % len(COLOURS)]
        if style == "dashed":
            dashes, dashed = DASHED_DASHES[dashed % len(DASHED_DASHES)], dashed + 1
        elif style == "dots":
            dashes = ""
        else:
            dashes, solid = SOLID_DASHES[solid % len(SOLID_DASHES)], solid + 1
        x = None if line.x is None else numbers(line.x, f"{line.name} (x)")
        if line.x is not None and x is None:
            continue
        y = numbers(line.y, line.name, None if x is None else len(x))
        if y is None:
            continue
        band = None
        if line.band is not None:
            low, high = (numbers(edge, f"{line.name} (band)", len(y)) for edge in line.band)
            band = (low, high) if low is not None and high is not None else None
        across = [float(number) for number in range(len(y))] if x is None else x
        found.append(_Series(line.name, across, y, band, colour, style, dashes))
    return found


def _tight(values: Sequence[float]) -> tuple[float, float]:
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    return (low, high) if low < high else (low - 0.5, high + 0.5)


def _is_place(*values: Any) -> bool:
    try:
        return all(math.isfinite(value) for value in values)
    except (TypeError, ValueError):  # a ``Missing`` is none either
        return False


def _drawn(one: _Series, x_scale: Scale, y_scale: Scale, left: float, top: float) -> str:
    """Return a series; the gaps are where a value is not finite."""

    def at(x: float, y: float) -> str:
        return f"{x_scale.place(x) - left:.1f} {y_scale.place(y) - top:.1f}"

    parts = []
    if one.band:
        for run in _runs(list(zip(one.x, *one.band, strict=True)), y_scale.is_log):
            there = "L".join(at(x, low) for x, low, _ in run)
            back = "L".join(at(x, high) for x, _, high in reversed(run))
            parts.append(f'<path d="M{there}L{back}Z" fill="{one.colour}" opacity=".2"/>')
    if one.style == "dots":
        every = max(1, math.ceil(len(one.y) / (2 * _MOST_POINTS)))
        pairs = list(zip(one.x, one.y, strict=True))[::every]
        points = [point for run in _runs(pairs, y_scale.is_log) for point in run]
        path = "".join(f"M{at(x, y)}h0" for x, y in points)
        size = 6 if len(points) <= 200 else 4
        parts.append(
            f'<path d="{path}" stroke="{one.colour}" stroke-width="{size}" '
            'stroke-linecap="round" opacity=".85"/>'
        )
        return "".join(parts)
    x, y = one.x, one.y
    if len(x) > _MOST_POINTS and all(a <= b for a, b in pairwise(x)):
        x, y = (list(column) for column in min_max(x, y, _MOST_POINTS))
    elif len(x) > 4 * _MOST_POINTS:
        every = math.ceil(len(x) / (4 * _MOST_POINTS))
        x, y = x[::every], y[::every]
    for run in _runs(list(zip(x, y, strict=True)), y_scale.is_log):
        if len(run) == 1:
            parts.append(f'<path d="M{at(*run[0])}h0" {one.stroke()} stroke-linecap="round"/>')
        elif one.style == "steps":
            places = [at(*point).split() for point in run]
            path = "".join(f"H{px}V{py}" for px, py in places[1:])
            parts.append(f'<path d="M{" ".join(places[0])}{path}" {one.stroke()}/>')
        else:
            path = "L".join(at(*point) for point in run)
            parts.append(f'<path d="M{path}" {one.stroke()} stroke-linejoin="round"/>')
    return "".join(parts)


def _runs(points: Sequence[tuple[float, ...]], is_log: bool) -> list[list[tuple[float, ...]]]:
    """Split points where one of them has no place."""
    runs: list[list[tuple[float, ...]]] = [[]]
    for point in points:
        if all(map(math.isfinite, point)) and (not is_log or min(point[1:]) > 0):
            runs[-1].append(point)
        elif runs[-1]:
            runs.append([])
    return [run for run in runs if run]


def _shade(shade: Shade, x_scale: Scale, y_scale: Scale, left: float, top: float) -> str:
    axis, low, high, _ = shade
    scale, begin = (x_scale, left) if axis == "x" else (y_scale, top)
    ends = sorted((scale.place(low) - begin, scale.place(high) - begin))
    size = ends[1] - ends[0]
    if axis == "x":
        return f'<rect class="s" x="{ends[0]:.1f}" y="0" width="{size:.1f}" height="{_HEIGHT}"/>'
    return f'<rect class="s" x="0" y="{ends[0]:.1f}" width="{WIDTH}" height="{size:.1f}"/>'


def _shade_label(shade: Shade, x_scale: Scale, y_scale: Scale) -> str:
    axis, low, high, words = shade
    if axis == "x":
        middle = x_scale.place((max(low, x_scale.low) + min(high, x_scale.high)) / 2)
        return text(middle, y_scale.start - 6, cut(words, 40), at="middle", kind="f")
    middle = y_scale.place((max(low, y_scale.low) + min(high, y_scale.high)) / 2)
    return text(x_scale.start + 5, middle + 4, cut(words, 40), kind="f")


def _mark(
    axis: str, at: float, words: str, x_scale: Scale, y_scale: Scale
) -> tuple[str, list[str]]:
    """Return the thin line of a mark, in the frame's own places, and its label."""
    if axis == "x":
        x = x_scale.place(at)
        line = f'<path class="k" d="M{x - x_scale.start:.1f} 0V{_HEIGHT}"/>'
        if not words or not x_scale.low <= at <= x_scale.high:
            return line, []
        is_right = x + width_of(words) + 8 > x_scale.end
        place = (x - 4, "end") if is_right else (x + 4, "")
        return line, [text(place[0], y_scale.end + 12, cut(words, 40), at=place[1], kind="f")]
    y = y_scale.place(at)
    line = f'<path class="k" d="M0 {y - y_scale.end:.1f}H{WIDTH}"/>'
    if not words or not y_scale.low <= at <= y_scale.high:
        return line, []
    above = y - 4 if y - 4 > y_scale.end + 10 else y + 13
    return line, [text(x_scale.end - 4, above, cut(words, 40), at="end", kind="f")]


def _words(plot: Plot, series: Sequence[_Series]) -> str:
    """Say what is to be seen."""
    if not series:
        return "Nothing could be drawn."
    parts = [f"{plot.y_label or 'Values'} over {plot.x_label or 'their number'}"]
    for one in series[:8]:
        pairs = [(x, y) for x, y in zip(one.x, one.y, strict=True) if math.isfinite(y)]
        if not pairs:
            parts.append(f"{one.name}: no finite value")
            continue
        (x0, y0), (x1, y1) = pairs[0], pairs[-1]
        least, most = min(y for _, y in pairs), max(y for _, y in pairs)
        n = number_text
        parts.append(
            f"{one.name}: {len(pairs)} points, {n(y0)} at {n(x0)}, {n(y1)} at {n(x1)}, "
            f"lowest {n(least)}, highest {n(most)}"
        )
    marks = [f"{words} at {number_text(float(at))}" for _, at, words in plot.marks if words]
    return ". ".join([*parts, *(["Marked: " + ", ".join(marks)] if marks else [])]) + "."


def _table(x_label: str, series: Sequence[_Series]) -> tuple[list[str], list[list[str]]]:
    """Return the numbers: one column for what is under all, or two for each series."""
    if not series:
        return [], []
    shared = all(one.x == series[0].x for one in series)
    # Evenly spaced, each series by itself: a short one keeps all of its points.
    spaces = [max(1, math.ceil(len(one.y) / _MOST_TABLE_ROWS)) for one in series]
    columns: list[list[str]] = []
    head: list[str] = []
    for one, every in zip(series, spaces, strict=True):
        if not shared or not columns:
            head.append((x_label or "x") if shared else f"{one.name}: {x_label or 'x'}")
            columns.append([number_text(x) for x in one.x[::every]])
        head.append(one.name)
        columns.append([number_text(y) for y in one.y[::every]])
    rows = [list(row) for row in zip_longest(*columns, fillvalue="")]
    return head, rows
