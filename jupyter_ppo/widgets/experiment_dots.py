"""Draws rows of dots, one for each seed, with a middle and its interval, as SVG."""

from __future__ import annotations

import math
from typing import Any, Final

from jupyter_ppo.widgets.experiment_axes import (
    COLOURS,
    WIDTH,
    Scale,
    cut,
    span,
    svg,
    text,
    width_of,
    x_axis,
)
from jupyter_ppo.widgets.experiment_pictures import Dots, number_text, numbers
from jupyter_ppo.widgets.experiment_plot import Drawn

_EACH: Final = 40
_TOP: Final = 28
#: How far dots stand from the middle of their row, one after the other, so that equal ones show.
_OFFSETS: Final = (0.0, -4.5, 4.5, -9.0, 9.0)
_MOST_DOTS: Final = 300


def draw_dots(dots: Dots) -> Drawn:
    """Draw a row for each group: its dots, and below them its middle and interval."""
    groups = {
        str(name): values[:_MOST_DOTS]
        for name, data in dots.groups.items()
        if (values := numbers(data, str(name))) is not None
    }
    middles = {name: ends for name, ends in dots.middles.items() if _is_interval(ends)}
    every = [value for values in groups.values() for value in values if math.isfinite(value)]
    every += [float(end) for name, ends in middles.items() if name in groups for end in ends]
    low, high = span(every, dots.x_range, is_log=dots.x_log)
    left = min(190.0, max((width_of(name) for name in groups), default=0.0)) + 12
    scale = Scale(low, high, left, WIDTH - 14, dots.x_log)
    bottom = _TOP + _EACH * max(len(groups), 1)
    parts = x_axis(scale, _TOP, bottom, dots.x_label)
    for number, (name, values) in enumerate(groups.items()):
        middle = _TOP + _EACH * number + 16
        colour = COLOURS[number % len(COLOURS)]
        parts.append(text(left - 6, middle + 6, cut(name, int(left / 6.3)), at="end"))
        path = "".join(
            f"M{scale.place(value):.1f} {middle + _OFFSETS[place % 5]:.1f}h0"
            for place, value in enumerate(values)
            if math.isfinite(value) and (value > 0 or not dots.x_log)
        )
        parts.append(
            f'<path d="{path}" stroke="{colour}" stroke-width="7" stroke-linecap="round" '
            'opacity=".85"/>'
        )
        if name in middles:
            parts.append(_interval(middles[name], scale, middle + 17))
    if not groups:
        parts.append(text(WIDTH / 2, _TOP + 20, "nothing to draw", at="middle", kind="f"))
    told = [_words(name, values, middles.get(name)) for name, values in groups.items()]
    longest = max(map(len, groups.values()), default=0)
    rows = [
        [str(place + 1), *(_at(values, place) for values in groups.values())]
        for place in range(longest)
    ]
    for place, label in enumerate(("middle", "low", "high")):
        if middles:
            found = [middles.get(name) for name in groups]
            rows.append([label, *(number_text(float(one[place])) if one else "" for one in found)])
    seen = cut(f"{dots.x_label}. {'; '.join(told)}.", 900)
    return svg(dots.title, seen, bottom + 38, parts), ["", *groups], rows


def _interval(ends: tuple[float, float, float], scale: Scale, y: float) -> str:
    middle, low, high = (scale.place(float(end)) for end in ends)
    ink = 'style="stroke:var(--jp-content-font-color1,#212121)"'
    return (
        f'<path d="M{low:.1f} {y}H{high:.1f}M{low:.1f} {y - 3}v6M{high:.1f} {y - 3}v6" {ink} '
        f'stroke-width="1.6" fill="none"/><path d="M{middle:.1f} {y - 5}v10" {ink} '
        'stroke-width="4"/>'
    )


def _is_interval(ends: Any) -> bool:
    try:
        return len(ends) == 3 and all(math.isfinite(float(end)) for end in ends)
    except (TypeError, ValueError):
        return False


def _words(name: str, values: list[float], ends: tuple[float, float, float] | None) -> str:
    kept = [value for value in values if math.isfinite(value)]
    told = f"{name}: {len(kept)} dots"
    if kept:
        told += f" from {number_text(min(kept))} to {number_text(max(kept))}"
    if ends is not None:
        middle, low, high = (number_text(float(end)) for end in ends)
        told += f", middle {middle}, interval {low} to {high}"
    return told


def _at(values: list[float], place: int) -> str:
    return number_text(values[place]) if place < len(values) else ""
