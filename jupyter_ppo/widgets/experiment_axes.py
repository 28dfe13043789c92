"""Scales, ticks, texts and colours of an experiment's pictures, as parts of SVG."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise
from typing import Final

from jupyter_ppo.widgets.experiment_pictures import number_text

#: Okabe and Ito 2008, "Color Universal Design", dark enough for a white page, light enough for a
#: dark one: 3:1 on both.
COLOURS: Final = (
    *("#0078bb", "#d55e00", "#00926b", "#b8588f"),
    *("#a87000", "#3a8fc2", "#7a7a7a", "#827900"),
)
#: The dashes of the first solid line, the second, ...; and of those that are drawn dashed.
SOLID_DASHES: Final = ("", "9 3", "9 3 2 3", "16 3 4 3", "9 3 2 3 2 3")
DASHED_DASHES: Final = ("5 4", "2 3", "8 3 2 3", "4 2 4 6")
#: Two pictures fit beside each other in a notebook on a laptop.
WIDTH: Final = 460
#: The height of a line of text.
LINE: Final = 16
_LETTER: Final = 6.5  # the mean width of a letter of 11 px
_TEXT: Final = "var(--jp-content-font-color1, #212121)"
_FAINT: Final = "var(--jp-content-font-color2, #5f5f5f)"
_GRID: Final = "var(--jp-border-color2, #d8d8d8)"
_AXIS: Final = "var(--jp-border-color0, #757575)"
STYLE: Final = (
    f".ppo-x-svg text{{fill:{_TEXT};font:11px var(--jp-ui-font-family,sans-serif)}}"
    f".ppo-x-svg text.h{{font-weight:600;font-size:12.5px}}.ppo-x-svg text.f{{fill:{_FAINT}}}"
    f".ppo-x-svg .g{{stroke:{_GRID};fill:none}}.ppo-x-svg .a{{stroke:{_AXIS};fill:none}}"
    f".ppo-x-svg .k{{stroke:{_FAINT};fill:none;stroke-dasharray:3 3}}"
    f".ppo-x-svg .s{{fill:{_AXIS};opacity:.17}}"
    f".ppo-x-svg .c{{stroke:var(--jp-layout-color0,#fff)}}"
)


@dataclass(frozen=True, slots=True)
class Scale:
    """Where values are on an axis: ``start`` for the lowest, ``end`` for the highest."""

    low: float
    high: float
    start: float
    end: float
    is_log: bool = False

    def place(self, value: float) -> float:
        """Return the place of a value, near the axis also for one that is far outside."""
        low, high = self.low, self.high
        if self.is_log:
            value, low, high = (math.log10(max(one, 1e-300)) for one in (value, low, high))
        # Halves: the difference of two great values may be too great for a float.
        share = (value / 2 - low / 2) / (high / 2 - low / 2)
        return self.start + (self.end - self.start) * min(max(share, -20.0), 21.0)

    def labels(self, count: int) -> list[tuple[float, str]]:
        """Return about ``count`` round values from low to high, each with its text."""
        if self.is_log:
            return [(value, number_text(value)) for value in log_ticks(self.low, self.high)]
        values = ticks(self.low, self.high, count)
        return list(zip(values, tick_texts(values), strict=True))


def span(
    values: Sequence[float], fixed: tuple[float, float] | None, *, is_log: bool = False
) -> tuple[float, float]:
    """Return where an axis begins and ends for finite values, with a little room."""
    if fixed is not None:
        low, high = float(fixed[0]), float(fixed[1])
        if math.isfinite(low) and math.isfinite(high) and low < high and (low > 0 or not is_log):
            return low, high
    kept = [value for value in values if not is_log or value > 0]
    if not kept:
        return (0.1, 10.0) if is_log else (0.0, 1.0)
    low, high = min(kept), max(kept)
    if is_log:
        return max(low / 1.3, 1e-300), max(min(high * 1.3, 1e308), 1e-299)
    if high - low <= 1e-9 * max(abs(low), abs(high)):
        room = 0.5 if low == 0 else 0.5 * abs(low)
    else:
        room = min(0.05 * (high / 2 - low / 2) * 2, 1e307)
    return max(low - room, -1e308), min(high + room, 1e308)


def ticks(low: float, high: float, count: int) -> list[float]:
    """Return round values, 1, 2 or 5 times a power of ten apart, about ``count`` of them."""
    rough = (high / 2 - low / 2) / count * 2
    if not math.isfinite(rough) or rough <= 0:
        return [low, high]
    power = 10.0 ** math.floor(math.log10(rough))
    if power == 0:
        return [low, high]
    step = next(power * one for one in (1, 2, 5, 10) if power * one >= 0.75 * rough)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [number * step for number in range(first, last + 1)][: 4 * count]


def log_ticks(low: float, high: float) -> list[float]:
    """Return powers of ten, with their multiples by 2 and 5 where there are few."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    every = max(1, (last - first) // 6)
    found = [10.0**power for power in range(first, last + 1, every)]
    if sum(low <= one <= high for one in found) < 3:
        found = [10.0**power * one for power in range(first, last + 1) for one in (1, 2, 5)]
    return [one for one in found if low * 0.999 <= one <= high * 1.001]


def tick_texts(values: Sequence[float]) -> list[str]:
    """Return labels of ticks, all with as many decimals."""
    greatest = max((abs(value) for value in values), default=0.0)
    if greatest >= 1e6 or 0 < greatest < 1e-3:
        return ["0" if value == 0 else f"{value:.3g}" for value in values]
    gaps = [abs(b - a) for a, b in pairwise(values) if b != a]
    decimals = max(0, -math.floor(math.log10(min(gaps)) + 1e-9)) if gaps else 2
    return [f"{0 if abs(value) < 1e-12 else value:,.{min(decimals, 6)}f}" for value in values]


def width_of(words: str) -> float:
    """Return about how wide a text is."""
    return _LETTER * len(words)


def cut(words: str, most: int) -> str:
    """Return a text of at most ``most`` letters."""
    return words if len(words) <= most else f"{words[: most - 1]}…"


def text(x: float, y: float, words: str, *, at: str = "", kind: str = "", more: str = "") -> str:
    """Return a text; ``at`` is "middle" or "end", ``kind`` a class of ``STYLE``."""
    anchor = f' text-anchor="{at}"' if at else ""
    name = f' class="{kind}"' if kind else ""
    return f'<text x="{x:.1f}" y="{y:.1f}"{anchor}{name}{more}>{escape(words)}</text>'


def svg(title: str, seen: str, height: float, parts: Sequence[str], *, width: int = WIDTH) -> str:
    """Return a picture. ``seen`` says in words what is to be seen."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="ppo-x-svg" viewBox="0 0 {width} '
        f'{height:.0f}" width="{width}" height="{height:.0f}" role="img" '
        f'aria-label="{escape(f"{title}. {seen}")}">'
        f"<style>{STYLE}</style>"
        f"{text(2, 14, cut(title, 62), kind='h')}{''.join(parts)}</svg>"
    )


def legend(entries: Sequence[tuple[str, str]], top: float) -> tuple[list[str], float]:
    """Return the legend of samples (SVG at 0, 0, 22 wide) and names, and the height it takes."""
    parts: list[str] = []
    x, y = 2.0, top
    for sample, name in entries:
        words = cut(name, 60)
        wide = 28 + width_of(words) + 14
        if x > 2 and x + wide > WIDTH:
            x, y = 2.0, y + LINE
        parts.append(f'<g transform="translate({x:.0f} {y:.0f})">{sample}</g>')
        parts.append(text(x + 27, y + 4, words))
        x += wide
    return parts, (y - top + LINE if entries else 0.0)


def y_axis(scale: Scale, left: float, label: str, *, right: float = WIDTH - 6) -> list[str]:
    """Return lines and labels of the vertical axis."""
    parts = []
    for value, words in scale.labels(5):
        y = scale.place(value)
        parts.append(f'<path class="g" d="M{left:.1f} {y:.1f}H{right:.1f}"/>')
        parts.append(text(left - 5, y + 4, words, at="end"))
    if label:
        middle = (scale.start + scale.end) / 2
        more = f' transform="rotate(-90 11 {middle:.1f})"'
        most = max(4, int(abs(scale.end - scale.start) / _LETTER) + 4)
        parts.append(text(11, middle, cut(label, most), at="middle", more=more))
    return parts


def left_of(scale: Scale, label: str) -> float:
    """Return how much room the labels of the vertical axis need."""
    widths = [width_of(words) for _, words in scale.labels(5)]
    return max(widths, default=0.0) + (26 if label else 10)


def x_axis(scale: Scale, top: float, bottom: float, label: str) -> list[str]:
    """Return lines and labels of the horizontal axis, and the edges of the plot."""
    parts = []
    for value, words in scale.labels(7):
        x = scale.place(value)
        parts.append(f'<path class="g" d="M{x:.1f} {top:.1f}V{bottom:.1f}"/>')
        parts.append(text(x, bottom + 15, words, at="middle"))
    is_long = width_of(label) > scale.end - scale.start
    middle = WIDTH / 2 if is_long else (scale.start + scale.end) / 2
    parts.append(text(middle, bottom + 31, cut(label, 68), at="middle"))
    parts.append(f'<path class="a" d="M{scale.start:.1f} {top:.1f}V{bottom:.1f}H{scale.end:.1f}"/>')
    return parts
