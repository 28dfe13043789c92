"""A static picture of a run, kept in the notebook for when no kernel is there."""

from __future__ import annotations

import math
from array import array
from collections.abc import Mapping, Sequence
from typing import Final
from xml.sax.saxutils import escape

from jupyter_ppo.domain.charts import CHARTS, Chart, Mark, Series
from jupyter_ppo.domain.training import Metric, MetricPoint, RunStatus
from jupyter_ppo.training.decimate import min_max
from jupyter_ppo.training.own_loop import given_hyperparameters
from jupyter_ppo.training.run import Run

#: Steps and values of one metric.
Column = tuple[Sequence[float], Sequence[float]]
#: Left, top, width, height in units of the picture.
_Box = tuple[int, int, int, int]

#: At most so many points of a series are drawn, so that the picture stays below 40 kB.
_MOST_WIDE: Final = 320
_MOST_SMALL: Final = 160
#: Colours that readers who are colour-blind tell apart (Okabe and Ito 2008, "Color Universal
#: Design"), each with a shape of its own.
_BLUE, _ORANGE, _GREEN = "#0072B2", "#D55E00", "#009E73"
_STYLES: Final = {
    Mark.DOTS: f'stroke="{_BLUE}" stroke-width="3" stroke-linecap="round" opacity="0.5"',
    Mark.SQUARES: f'stroke="{_GREEN}" stroke-width="6" stroke-linecap="square"',
    Mark.LINE: f'stroke="{_ORANGE}" stroke-width="1.5" stroke-linejoin="round"',
}
_WIDTH, _HEIGHT = 720, 560


def series(points: Sequence[MetricPoint], metric: str) -> list[tuple[int, float]]:
    """Return (step, value) of every point that holds ``metric``, in order."""
    return [(point.step, point.values[metric]) for point in points if metric in point.values]


def progress(status: RunStatus) -> str:
    """Return how far a run is, in words; the end of a loop of one's own may not be known."""
    total = f" of {status.total_steps:,}" if status.total_steps else ""
    return f"{status.step:,}{total} steps"


def run_title(run: Run) -> str:
    """Return what a run is called: by its environment, the name it was given, and its seed."""
    named = f" ({run.name})" if run.name else ""
    given = given_hyperparameters(run.directory)  # a loop of one's own may not say its seed
    seeded = f", seed {run.spec.seed}" if given is None or "seed" in given else ""
    return f"PPO on {run.spec.env_id}{named}{seeded}"


def summary_svg(title: str, status: RunStatus, points: Sequence[MetricPoint]) -> str:
    """Return an SVG picture, 720 by 560 units and below 40 kB, of the charts of ``CHARTS``."""
    columns: dict[str, tuple[array[float], array[float]]] = {}
    for point in points:
        for metric, value in point.values.items():
            steps, values = columns.setdefault(metric, (array("d"), array("d")))
            steps.append(point.step)
            values.append(value)
    return draw_summary(title, status, columns)


def draw_summary(title: str, status: RunStatus, columns: Mapping[str, Column]) -> str:
    """Return the picture of ``summary_svg`` from columns of steps and values."""
    heading = f"{title}: {status.state}, {progress(status)}"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
        f'width="{_WIDTH}" height="{_HEIGHT}" role="img" font-family="sans-serif" '
        'font-size="11" fill="#333">',
        f"<title>{escape(heading)}</title>",
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#fff"/>',
        f'<text x="10" y="20" font-size="13" font-weight="bold">{escape(heading)}</text>',
    ]
    for number, chart in enumerate(_charts(columns)):
        parts += _draw(chart, _box(number), columns)
    labels = [
        f'<tspan fill="{colour}">{shape}: {escape(one.label)}</tspan>'
        for one, colour, shape in zip(
            CHARTS[0].series, (_BLUE, _ORANGE, _GREEN), ("dots", "line", "squares"), strict=True
        )
    ]
    legend = f"environment steps; return: {', '.join(labels)}"
    parts.append(f'<text x="360" y="{_HEIGHT - 10}" text-anchor="middle">{legend}</text></svg>')
    return "".join(parts)


def _charts(columns: Mapping[str, Column]) -> list[Chart]:
    """Metrics of a loop of the user's own take the place of charts without data, from the end."""
    charts = list(CHARTS)
    drawn = {metric for chart in CHARTS for metric in chart.metrics}
    own = [name for name in columns if name not in drawn and name not in set(Metric)]
    free = [n for n, chart in enumerate(charts) if not any(m in columns for m in chart.metrics)]
    for name, place in zip(own, free[::-1], strict=False):
        charts[place] = Chart(name, name, "", "", (Series(name, name),))  # type: ignore[arg-type]
    return charts


def _box(number: int) -> _Box:
    """The first chart is wide; the others stand below it, four in a line."""
    if number == 0:
        return 50, 50, 650, 150
    line, column = divmod(number - 1, 4)
    return 50 + 172 * column, 250 + 150 * line, 134, 100


def _draw(chart: Chart, box: _Box, columns: Mapping[str, Column]) -> list[str]:
    left, top, width, height = box
    is_wide = width > 200
    rows = [_row(columns.get(m), _MOST_WIDE if is_wide else _MOST_SMALL) for m in chart.metrics]
    every = [point for row in rows for point in row]
    parts = [
        f'<text x="{left}" y="{top - 8}" font-weight="bold">{escape(chart.title)}</text>',
        f'<path d="M{left} {top}v{height}h{width}" fill="none" stroke="#999"/>',
    ]
    if not every:
        return [*parts, f'<text x="{left + 8}" y="{top + 20}" fill="#666">no data yet</text>']
    last_step = max(step for step, _ in every)
    low, high = min(value for _, value in every), max(value for _, value in every)
    half_span = (high / 2 - low / 2) or 0.5  # halves: the whole may be too great for a float

    def place(point: tuple[float, float]) -> str:
        x = left + width * point[0] / max(last_step, 1)
        y = top + height - height * ((point[1] / 2 - low / 2) / half_span)
        return f"{x:.1f} {y:.1f}"

    for one, row in zip(chart.series, rows, strict=True):
        if not row:
            continue
        placed = [place(point) for point in row]
        is_line = one.mark is Mark.LINE
        path = f"M{'L'.join(placed)}" if is_line else "".join(f"M{at}h0" for at in placed)
        if is_line and len(placed) == 1:
            path += "h-6"  # a line of one point could not be seen
        parts.append(f'<path d="{path}" fill="none" {_STYLES[one.mark]}/>')
    for value, y in ((high, top + 9), (low, top + height)):
        parts.append(f'<text x="{left - 4}" y="{y}" text-anchor="end">{value:.3g}</text>')
    bottom = top + height + 14
    parts.append(f'<text x="{left}" y="{bottom}">0</text>')
    parts.append(f'<text x="{left + width}" y="{bottom}" text-anchor="end">{last_step:,.0f}</text>')
    if is_wide:
        parts.append(
            f'<text x="{left + width}" y="{top - 8}" text-anchor="end" fill="#666" font-size="9">'
            f"{escape(chart.unit)}</text>"
        )
    return parts


def _row(column: Column | None, most: int) -> list[tuple[float, float]]:
    """Return what is drawn of a column: of each slice the lowest and the highest, so peaks stay."""
    if column is None or not column[0]:
        return []
    steps, values = min_max(*column, most)
    return [point for point in zip(steps, values, strict=True) if math.isfinite(point[1])]
