"""A static picture of a run, kept in the notebook for when no kernel is there."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

from jupyter_ppo.domain.training import Metric, MetricPoint, RunSpec, RunStatus

#: At most so many points of a series are drawn, so that the picture stays below 100 kB.
_MOST_POINTS = 400
_BLUE, _ORANGE = "#1f77b4", "#d95f02"


@dataclass(frozen=True, slots=True)
class Chart:
    """One chart: its metrics (dots of the first, a line of the last) and what it is called."""

    metrics: tuple[Metric, ...]
    title: str
    unit: str


CHARTS: tuple[Chart, ...] = (
    Chart((Metric.RETURN, Metric.MEAN_RETURN), "Return", "reward per episode"),
    Chart((Metric.APPROX_KL,), "Approximate KL divergence", "nats"),
    Chart((Metric.CLIP_FRACTION,), "Clip fraction", "share of samples"),
    Chart((Metric.ENTROPY,), "Entropy", "nats"),
    Chart((Metric.EXPLAINED_VARIANCE,), "Explained variance", "1 is perfect"),
)


def series(points: Sequence[MetricPoint], metric: Metric) -> list[tuple[int, float]]:
    """Return (step, value) of every point that holds ``metric``, in order."""
    return [(point.step, point.values[metric]) for point in points if metric in point.values]


def summary_svg(spec: RunSpec, status: RunStatus, points: Sequence[MetricPoint]) -> str:
    """Return an SVG picture, 720 by 470 units and below 100 kB, of the five charts."""
    heading = (
        f"PPO on {spec.env_id}: {status.state}, {status.step:,} of {spec.planned_steps:,} steps"
    )
    parts = [
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 720 470" width="720" height="470" '
        'role="img" font-family="sans-serif" font-size="11" fill="#333">',
        f"<title>{escape(heading)}</title>",
        '<rect width="720" height="470" fill="#fff"/>',
        f'<text x="10" y="20" font-size="13" font-weight="bold">{escape(heading)}</text>',
    ]
    boxes = [(50, 50, 650, 150), *((50 + 172 * column, 260, 134, 150) for column in range(4))]
    for chart, box in zip(CHARTS, boxes, strict=True):
        parts += _draw(chart, box, points)
    parts.append(
        '<text x="360" y="450" text-anchor="middle">environment steps; '
        f'<tspan fill="{_BLUE}">dots: episodes</tspan>, '
        f'<tspan fill="{_ORANGE}">line: mean of the last 100 episodes, or one update</tspan>'
        "</text></svg>"
    )
    return "".join(parts)


def _draw(chart: Chart, box: tuple[int, int, int, int], points: Sequence[MetricPoint]) -> list[str]:
    left, top, width, height = box
    rows = [[p for p in series(points, m) if math.isfinite(p[1])] for m in chart.metrics]
    every = [point for row in rows for point in row]
    parts = [
        f'<text x="{left}" y="{top - 8}"><tspan font-weight="bold">{chart.title}</tspan></text>',
        f'<path d="M{left} {top}v{height}h{width}" fill="none" stroke="#999"/>',
    ]
    if not every:
        return [*parts, f'<text x="{left + 8}" y="{top + 20}" fill="#777">no data yet</text>']
    last_step = max(step for step, _ in every)
    low, high = min(value for _, value in every), max(value for _, value in every)
    span = (high - low) or 1.0

    def place(point: tuple[int, float]) -> str:
        x = left + width * point[0] / max(last_step, 1)
        y = top + height - height * (point[1] - low) / span
        return f"{x:.1f} {y:.1f}"

    for metric, row in zip(chart.metrics, rows, strict=True):
        placed = [place(point) for point in _thinned(row)]
        if metric is Metric.RETURN:
            dots = "".join(f"M{at}h0" for at in placed)
            parts.append(
                f'<path d="{dots}" fill="none" stroke="{_BLUE}" stroke-width="3" '
                'stroke-linecap="round" opacity="0.5"/>'
            )
        elif placed:
            line = "L".join(placed)
            parts.append(f'<path d="M{line}" fill="none" stroke="{_ORANGE}" stroke-width="1.5"/>')
    for value, y in ((high, top + 9), (low, top + height)):
        parts.append(f'<text x="{left - 4}" y="{y}" text-anchor="end">{value:.3g}</text>')
    bottom = top + height + 14
    parts.append(f'<text x="{left}" y="{bottom}">0</text>')
    parts.append(f'<text x="{left + width}" y="{bottom}" text-anchor="end">{last_step:,}</text>')
    parts.append(
        f'<text x="{left + width}" y="{top - 8}" text-anchor="end" fill="#777" font-size="9">'
        f"{chart.unit if width > 200 else ''}</text>"
    )
    return parts


def _thinned(row: Sequence[tuple[int, float]]) -> list[tuple[int, float]]:
    """Keep the lowest and the highest point of each of equal slices: peaks stay visible."""
    if len(row) <= _MOST_POINTS:
        return list(row)
    size = math.ceil(len(row) / (_MOST_POINTS // 2))
    kept: list[tuple[int, float]] = []
    for begin in range(0, len(row), size):
        part = row[begin : begin + size]
        ends = {min(part, key=lambda p: p[1]), max(part, key=lambda p: p[1])}
        kept += sorted(ends)
    return kept
