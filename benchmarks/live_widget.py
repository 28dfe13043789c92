"""The live widget's numbers in a real browser: redraws, appends, first paint, import, memory.

    python benchmarks/live_widget.py [--repeats 5] [--only redraw paint import append memory]

Ends with 1 when a bar is missed.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from harness import environment, table
from live_widget_page import (
    chromium,
    curves,
    finished_run,
    first_paints,
    jupyterlab,
    redraws,
    stream,
)
from training_report import Outcome, below

from jupyter_ppo.domain.training import Metric, MetricPoint
from jupyter_ppo.widgets.points import PointsFeed

POINTS = 1_000_000
REDRAW_BAR_MS, PAINT_BAR_MS, IMPORT_BAR_MS, GROWTH_BAR_MB = 16.0, 500.0, 200.0, 1.0
STREAM_MINUTES, STREAM_PARTS = 30, 6
_IMPORT = """
import time, ipywidgets, anywidget
began = time.perf_counter()
import jupyter_ppo.widgets.live
print(1000 * (time.perf_counter() - began))
"""


def redraw(repeats: int) -> list[Outcome]:
    """Redraw charts of 1,000,000 points after appends of 10."""
    outcomes = []
    cases: tuple[tuple[str, Metric, dict[str, int]], ...] = (
        ("line", Metric.ENTROPY, {}),
        ("line and its mean over 20", Metric.ENTROPY, {"smoothing": 20}),
        ("dots", Metric.RETURN, {}),
    )
    with chromium() as browser:
        for what, metric, settings in cases:
            with curves(browser) as page:
                times = redraws(page, metric, POINTS, 10 * repeats, settings)
            outcomes.append(below(f"redraw, {POINTS:,} points, {what}", times, REDRAW_BAR_MS))
    return outcomes


def append(_repeats: int) -> list[Outcome]:
    """Count the bytes of one point more, with 1,000,000 points there already."""
    sent: list[int] = []
    feed = PointsFeed(
        lambda content, buffers: sent.append(len(str(content)) + sum(len(one) for one in buffers))
    )
    for count in (1, POINTS):
        step = 0
        feed.append("run", [MetricPoint(step + n, 0.0, {"entropy": 0.5}) for n in range(count)])
        feed.flush()
        feed.append("run", [MetricPoint(POINTS + 1, 0.0, {"entropy": 0.5})])
        feed.flush()
    few, many = sent[1], sent[-1]
    bar = "the same as with few points"
    return [Outcome(f"an append of 1 point to {POINTS:,}", f"{many} bytes", bar, many <= few + 8)]


def paint(repeats: int) -> list[Outcome]:
    """Show a run in JupyterLab."""
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        home = Path(folder)
        run = finished_run(home)
        with jupyterlab(home) as lab:
            found = first_paints(browser, lab, run, repeats)
    return [
        below(f"display to first paint in JupyterLab, {what}", times, PAINT_BAR_MS)
        for what, times in found.items()
    ]


def importing(repeats: int) -> list[Outcome]:
    """Import the widget side beside ipywidgets itself."""
    times = []
    for _ in range(repeats + 1):  # the first one reads files that are not in memory
        done = subprocess.run(
            [sys.executable, "-c", _IMPORT], capture_output=True, text=True, check=True
        )
        times.append(float(done.stdout))
    return [below("import of the widget side", times[1:], IMPORT_BAR_MS)]


def memory(_repeats: int) -> list[Outcome]:
    """Send the messages of 30 minutes to a page as fast as it takes them."""
    with chromium() as browser, curves(browser) as page:
        found = stream(page, STREAM_MINUTES, STREAM_PARTS)
    each = STREAM_MINUTES // STREAM_PARTS
    rows = [
        (str(each * (number + 1)), f"{objects:.1f}", f"{points:.1f}", str(draws))
        for number, (objects, points, draws) in enumerate(found)
    ]
    print(table(("minutes", "objects, MB", "points, MB", "redraws"), rows), end="\n\n")
    growth = found[-1][0] - found[STREAM_PARTS // 3][0]
    return [
        Outcome(
            f"memory beside the points, minutes {each * (STREAM_PARTS // 3 + 1)} to "
            f"{STREAM_MINUTES}",
            f"{growth:+.2f} MB",
            f"below {GROWTH_BAR_MB:g} MB",
            growth < GROWTH_BAR_MB,
        )
    ]


PARTS: dict[str, Callable[[int], list[Outcome]]] = {
    "redraw": redraw,
    "append": append,
    "paint": paint,
    "import": importing,
    "memory": memory,
}


def main() -> int:
    """Measure and print; return 1 when a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS))
    chosen = parser.parse_args()
    print(environment(), end="\n\n")
    outcomes = [one for name in chosen.only for one in PARTS[name](chosen.repeats)]
    rows = [(one.what, one.measured, one.bar, "yes" if one.is_met else "NO") for one in outcomes]
    print(table(("what", "median (lowest to highest)", "bar", "met"), rows))
    return 0 if all(one.is_met for one in outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
