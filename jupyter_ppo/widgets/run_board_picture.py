"""A static picture of several runs, for a notebook without a kernel."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final
from xml.sax.saxutils import escape

from jupyter_ppo.domain.charts import CHARTS
from jupyter_ppo.domain.training import Metric
from jupyter_ppo.training.decimate import min_max

#: Okabe and Ito 2008, "Color Universal Design": the colours of the live board, in its order.
_COLOURS: Final = (
    *("#0072b2", "#d55e00", "#00926b", "#b8588f"),
    *("#a87000", "#3a8fc2", "#444444", "#827900"),
)
_DASHES: Final = ("", "10 4", "18 4", "14 4 3 4", "5 3")
#: The first so many runs have solid lines, as on the live board.
_SOLID: Final = 6
#: So few that the picture stays below 40 kB.
_MOST_CURVES, _MOST_POINTS, _MOST_ROWS = 16, 120, 16
_LEFT, _TOP, _WIDTH, _HEIGHT = 50, 50, 650, 180
_COLUMNS: Final = ((44, "Name"), (250, "Environment"), (400, "Seed"), (450, "State"))
_NUMBERS: Final = ((600, "Steps"), (700, "Mean return"))

#: Steps and values of the mean return.
Curve = tuple[Sequence[float], Sequence[float]]


def board_svg(
    title: str, rows: Sequence[Mapping[str, Any]], curves: Mapping[str, tuple[int, Curve]]
) -> str:
    """Return an SVG picture below 40 kB: the mean return of runs, and the list of them.

    ``rows`` are those of the list, ``curves`` the colour and the curve of each drawn run by its id.
    """
    shown = sorted(rows, key=lambda row: row["id"] not in curves)[:_MOST_ROWS]
    top = _TOP + _HEIGHT + 50
    height = top + 20 * len(shown) + 30
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 720 {height}" width="720" '
        f'height="{height}" role="img" font-family="sans-serif" font-size="11" fill="#333">',
        f"<title>{escape(title)}</title>",
        f'<rect width="720" height="{height}" fill="#fff"/>',
        f'<text x="10" y="20" font-size="13" font-weight="bold">{escape(title)}</text>',
        f'<text x="{_LEFT}" y="{_TOP - 8}" font-weight="bold">{CHARTS[0].title}</text>',
        f'<text x="{_LEFT + _WIDTH}" y="{_TOP - 8}" text-anchor="end" fill="#666" font-size="9">'
        "mean of the last 100 episodes</text>",
        f'<path d="M{_LEFT} {_TOP}v{_HEIGHT}h{_WIDTH}" fill="none" stroke="#999"/>',
        *_lines(dict(list(curves.items())[:_MOST_CURVES])),
        *_cells(top, {text: text for _, text in (*_COLUMNS, *_NUMBERS)}, ' font-weight="bold"'),
    ]
    for number, row in enumerate(shown, 1):
        y = top + 20 * number
        if row["id"] in curves:
            style = _style(curves[row["id"]][0])
            parts.append(f'<path d="M10 {y - 4}h26" {style}/>')
        mean = row["meanReturn"]
        values = {
            "Name": _cut(row["name"] or row["label"], 34),
            "Environment": _cut(row["envId"], 24),
            "Seed": "" if row["seed"] is None else str(row["seed"]),
            "State": row["state"],
            "Steps": f"{row['step']:,}",
            "Mean return": "" if mean is None else f"{mean:,.4g}",
        }
        parts += _cells(y, values, "")
    if len(rows) > len(shown):
        more = f"and {len(rows) - len(shown)} more"
        parts.append(f'<text x="44" y="{height - 6}" fill="#666">{more}</text>')
    return "".join([*parts, "</svg>"])


def _cells(y: int, values: Mapping[str, str], more: str) -> list[str]:
    return [
        f'<text x="{x}" y="{y}"{anchor}{more}>{escape(values[name])}</text>'
        for columns, anchor in ((_COLUMNS, ""), (_NUMBERS, ' text-anchor="end"'))
        for x, name in columns
    ]


def _lines(curves: Mapping[str, tuple[int, Curve]]) -> list[str]:
    drawn = []
    for colour, (steps, values) in curves.values():
        if len(steps):
            kept = zip(*min_max(steps, values, _MOST_POINTS), strict=True)
            drawn.append((colour, [point for point in kept if math.isfinite(point[1])]))
    every = [point for _, points in drawn for point in points]
    if not every:
        return [f'<text x="{_LEFT + 8}" y="{_TOP + 20}" fill="#666">no data yet</text>']
    last = max(1.0, *(step for step, _ in every))
    low, high = min(value for _, value in every), max(value for _, value in every)
    half_span = (high / 2 - low / 2) or 0.5  # halves: the whole may be too great for a float
    parts = []
    for colour, points in drawn:
        placed = [
            f"{_LEFT + _WIDTH * step / last:.1f} "
            f"{_TOP + _HEIGHT - _HEIGHT * ((value / 2 - low / 2) / half_span):.1f}"
            for step, value in points
        ]
        if placed:
            parts.append(f'<path d="M{"L".join(placed)}" {_style(colour)}/>')
    for value, y in ((high, _TOP + 9), (low, _TOP + _HEIGHT)):
        parts.append(f'<text x="{_LEFT - 4}" y="{y}" text-anchor="end">{value:.3g}</text>')
    y = _TOP + _HEIGHT + 14
    parts.append(f'<text x="{_LEFT}" y="{y}">0</text>')
    return [*parts, f'<text x="{_LEFT + _WIDTH}" y="{y}" text-anchor="end">{last:,.0f}</text>']


def _style(colour: int) -> str:
    turn = (colour + len(_COLOURS) - _SOLID) // len(_COLOURS)
    dashes = _DASHES[turn % len(_DASHES)]
    dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
    return f'fill="none" stroke="{_COLOURS[colour % len(_COLOURS)]}" stroke-width="1.5"{dashed}'


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


#: What is drawn of each run.
METRIC: Final = Metric.MEAN_RETURN
