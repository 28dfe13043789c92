"""The curves of runs as a plotly figure: to keep, to publish, to look at without a kernel."""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from jupyter_ppo.domain.charts import CHARTS, Chart, Mark, Series
from jupyter_ppo.domain.errors import InvalidInputError
from jupyter_ppo.domain.statistics import BandData, Statistic, group_by_setting
from jupyter_ppo.domain.training import EventKind, Metric
from jupyter_ppo.training.decimate import min_max
from jupyter_ppo.training.exports.aggregate import aggregate
from jupyter_ppo.training.exports.needs import needs
from jupyter_ppo.training.exports.opened import AnyRun, opened
from jupyter_ppo.training.launch import list_runs, open_run
from jupyter_ppo.training.metric_log import read_columns
from jupyter_ppo.training.run import Run

if TYPE_CHECKING:
    import plotly.graph_objects as go

Runs = AnyRun | Iterable[AnyRun]
_Columns = Mapping[str, tuple[Sequence[float], Sequence[float]]]

#: Okabe and Ito's palette (2008), told apart by colour-blind readers; yellow is darkened for white.
_PALETTE: Final = (
    "#0072B2",
    "#D55E00",
    "#009E73",
    "#CC79A7",
    "#E69F00",
    "#56B4E9",
    "#444444",
    "#A79A00",
)
_DASHES: Final = ("solid", "dash", "dot", "dashdot", "longdash")
#: A line of more points is drawn by its least and greatest values: a figure is kept in notebooks.
_POINTS: Final = 2000
_ROW_PIXELS: Final = 250
_FAINT: Final = 0.3
#: More marks of changes than this hide the curves.
_MARKS: Final = 40
_SMOOTHING: Final = 100_000


@dataclass(frozen=True)
class _Line:
    """One run, or several of one setting, in one colour."""

    name: str
    colour: int
    columns: tuple[_Columns, ...]


def to_figure(
    runs: Runs,
    charts: Sequence[Chart] = CHARTS,
    *,
    smoothing: int = 1,
    statistic: Statistic | str | None = None,
) -> go.Figure:
    """Return the curves of one run or several as a ``plotly.graph_objects.Figure``.

    ``runs``: runs, folders of runs, or a folder that holds some. Only ``charts`` that have points
    are drawn; metrics of a loop of your own get a chart each. ``smoothing``: each point of a line
    is the mean of itself and the ``smoothing - 1`` before it; the line as it was stays faint behind
    it. ``statistic`` draws runs that differ in their seed only as one line with an interval.

    Lines of more than 2,000 points are drawn by their least and greatest values, so that the figure
    stays small; ``runs_to_frame`` has every point. Raises ``UnavailableError`` without plotly,
    ``InvalidInputError`` naming the argument, and ``NotFoundError`` for what is no run.
    """
    needs("plotly")
    is_count = isinstance(smoothing, int) and not isinstance(smoothing, bool)
    if not is_count or not 1 <= smoothing <= _SMOOTHING:
        msg = f"smoothing: {str(smoothing)[:80]!r} is not a whole number from 1 to {_SMOOTHING}."
        raise InvalidInputError(msg, field="smoothing")
    wanted = _statistic(statistic)
    named = _named(runs)
    if not named:
        msg = f"runs: there is no run in {str(runs)[:200]}."
        raise InvalidInputError(msg, field="runs")
    columns = {name: read_columns(run.files.metrics_file) for name, run in named.items()}
    lines = _lines(named, columns, wanted)
    shown = _with_points(charts, list(columns.values()))
    drawing = _Drawing(shown, lines, smoothing, wanted)
    if len(named) == 1:
        drawing.mark(next(iter(named.values())))
    return drawing.figure(_title(list(named.items()), smoothing, wanted))


def trailing_mean(values: Sequence[float], window: int) -> array[float]:
    """Return the mean of each value and the ``window - 1`` before it; NaN counts for nothing.

    Where all of them are NaN the mean is.
    """
    found = array("d")
    total, count = 0.0, 0
    for index, value in enumerate(values):
        if math.isfinite(value):
            total, count = total + value, count + 1
        if index >= window and math.isfinite(values[index - window]):
            total, count = total - values[index - window], count - 1
        if index % window == 0:  # sums of differences drift: begin anew
            kept = values[max(index - window + 1, 0) : index + 1]
            finite = [one for one in kept if math.isfinite(one)]
            total, count = math.fsum(finite), len(finite)
        found.append(total / count if count else math.nan)
    return found


class _Drawing:
    """A figure as it grows: the first chart is wide, the others stand in two columns."""

    def __init__(
        self,
        charts: Sequence[Chart],
        lines: Sequence[_Line],
        smoothing: int,
        statistic: Statistic | None,
    ) -> None:
        from plotly.subplots import make_subplots

        self._lines = lines
        self._smoothing = smoothing
        self._statistic = statistic
        self._in_legend: set[str] = set()
        rows = 1 + math.ceil((len(charts) - 1) / 2)
        specs: list[list[Any]] = [[{"colspan": 2}, None], *([{}, {}] for _ in range(rows - 1))]
        titles = [f"{one.title} <sup>{one.unit}</sup>" for one in charts]
        self._figure = make_subplots(
            rows=rows,
            cols=2,
            specs=specs,
            subplot_titles=titles,
            vertical_spacing=min(0.28 / rows, 0.2),
            horizontal_spacing=0.09,
        )
        self._rows = rows
        self._places = [
            {"row": 1 + (index + 1) // 2, "col": 1 if index == 0 else 2 - index % 2}
            for index in range(len(charts))
        ]
        for chart, place in zip(charts, self._places, strict=True):
            for line in lines:
                self._draw(chart, line, place, is_first=place == self._places[0])

    def mark(self, run: Run) -> None:
        """Mark the steps at which the run was changed, extended or resumed."""
        kinds = {EventKind.CHANGED, EventKind.EXTENDED, EventKind.RESUMED}
        events = [event for event in run.events() if event.kind in kinds and event.step]
        for event in events[:_MARKS]:
            style = {"line_width": 1, "line_dash": "dot", "line_color": "#666666"}
            text = {"annotation_text": event.message[:60], "annotation_font_size": 10}
            for place in self._places:
                words = text if place == self._places[0] else {}
                self._figure.add_vline(event.step, **place, **style, **words)

    def figure(self, title: str) -> go.Figure:
        """Return it, with its axes and title."""
        figure = self._figure
        figure.update_xaxes(matches="x", tickformat="~s", hoverformat=",d", title_standoff=4)
        figure.update_xaxes(title_text="environment steps", row=self._rows)
        head = 50 + 20 * title.count("<br>")  # pixels of the title
        height = _ROW_PIXELS * self._rows + head + 70
        figure.update_layout(
            template="plotly_white",
            title={"text": title, "x": 0.01, "xanchor": "left", "y": 1 - 12 / height},
            title_yanchor="top",
            height=height,
            margin={"l": 60, "r": 20, "t": head + 60, "b": 50},
            legend={"orientation": "h", "x": 0.01, "xref": "container"},
            legend_yref="container",
            legend_yanchor="top",
            legend_y=1 - head / height,
            hovermode="x unified",
        )
        return figure

    def _draw(self, chart: Chart, line: _Line, place: dict[str, Any], *, is_first: bool) -> None:
        for index, series in enumerate(chart.series):
            is_alone = len(self._lines) == 1
            colour = index if is_alone else line.colour
            curves = [one[series.metric] for one in line.columns if series.metric in one]
            if not curves:
                continue
            if self._statistic is not None:
                if series.mark is not Mark.DOTS:  # episodes of several runs have no common steps
                    self._band(aggregate(curves, self._statistic), line, series, colour, place)
                continue
            name = series.label if is_alone else line.name
            # Of several runs a line stands in the legend: dots do not show the dashes.
            is_shown = is_first if is_alone else series.mark is not Mark.DOTS
            given = {
                "name": name,
                "legendgroup": name if is_alone else line.name,
                "showlegend": is_shown and self._is_new(name),
                "hovertemplate": "%{y:.4~g} " + series.label,
            }
            for steps, values in curves:
                self._curve(steps, values, series, colour, line.colour, given, place)

    def _is_new(self, name: str) -> bool:
        is_new = name not in self._in_legend
        self._in_legend.add(name)
        return is_new

    def _curve(
        self,
        steps: Sequence[float],
        values: Sequence[float],
        series: Series,
        colour: int,
        dash: int,
        given: dict[str, Any],
        place: dict[str, Any],
    ) -> None:
        paint = _PALETTE[colour % len(_PALETTE)]
        if series.mark is Mark.DOTS:
            size, see = (4, 0.45) if len(steps) < _POINTS else (3, _FAINT)
            marker = {"color": paint, "size": size, "opacity": see}
            self._add(steps, values, given | {"mode": "markers", "marker": marker}, place)
            return
        if series.mark is Mark.SQUARES:
            marker = {"color": paint, "size": 8, "symbol": "square-open", "line": {"width": 2}}
            thin = {"color": paint, "width": 1}
            style = {"mode": "lines+markers", "marker": marker, "line": thin}
            self._add(steps, values, given | style, place)
            return
        solid = {"color": paint, "width": 1.8, "dash": _DASHES[dash % len(_DASHES)]}
        if self._smoothing == 1:
            self._add(steps, values, given | {"mode": "lines", "line": solid}, place)
            return
        behind = {"mode": "lines", "line": {"color": paint, "width": 1}, "opacity": _FAINT}
        quiet = {"showlegend": False, "hoverinfo": "skip", "hovertemplate": None}
        self._add(steps, values, given | behind | quiet, place)
        smooth = trailing_mean(values, self._smoothing)
        self._add(steps, smooth, given | {"mode": "lines", "line": solid}, place)

    def _add(
        self,
        steps: Sequence[float],
        values: Sequence[float],
        given: dict[str, Any],
        place: dict[str, Any],
    ) -> None:
        import plotly.graph_objects as go

        x, y = min_max(steps, values, _POINTS)
        shown = [value if math.isfinite(value) else None for value in y]
        self._figure.add_trace(go.Scatter(x=list(x), y=shown, **given), **place)

    def _band(
        self, data: BandData, line: _Line, series: Series, colour: int, place: dict[str, Any]
    ) -> None:
        import plotly.graph_objects as go

        if not data.steps:
            return
        paint = _PALETTE[colour % len(_PALETTE)]
        group = series.label if len(self._lines) == 1 else line.name
        group = f"{group} of {len(line.columns)} runs" if len(self._lines) == 1 else group
        fill = "rgba({},{},{},0.2)".format(*(int(paint[i : i + 2], 16) for i in (1, 3, 5)))
        x, dash = list(data.steps), _DASHES[line.colour % len(_DASHES)]
        around = go.Scatter(
            x=x + x[::-1],
            y=[*data.high, *data.low[::-1]],
            fill="toself",
            fillcolor=fill,
            line={"width": 0},
            hoverinfo="skip",
            legendgroup=group,
            showlegend=False,
        )
        centre = go.Scatter(
            x=x,
            y=list(data.centre),
            name=group,
            mode="lines",
            line={"color": paint, "width": 2, "dash": dash},
            legendgroup=group,
            showlegend=self._is_new(group),
            customdata=list(zip(data.low, data.high, strict=True)),
            hovertemplate="%{y:.4~g} (%{customdata[0]:.4~g} to %{customdata[1]:.4~g})",
        )
        self._figure.add_traces([around, centre], rows=[place["row"]] * 2, cols=[place["col"]] * 2)


def _statistic(given: Statistic | str | None) -> Statistic | None:
    if given is None:
        return None
    try:
        return Statistic(given)
    except ValueError:
        known = ", ".join(Statistic)
        msg = f"statistic: {str(given)[:80]!r} is not known. Use {known}, or None."
        raise InvalidInputError(msg, field="statistic") from None


def _named(runs: Runs) -> dict[str, Run]:
    """Return each run once, by what the legend calls it."""
    once = list({run.directory: run for run in _opened(runs)}.values())
    found: dict[str, Run] = {}
    for run in once:
        name = run.name or run.directory.name
        found[name if name not in found else str(run.directory)] = run
    return found


def _opened(runs: Runs) -> list[Run]:
    if isinstance(runs, str | Path):
        folder = Path(runs)
        is_run = (folder / "spec.json").exists() or not folder.is_dir()
        return [open_run(folder)] if is_run else list(list_runs(folder))
    if isinstance(runs, Run) or not isinstance(runs, Iterable):
        return [opened(runs)]
    return [run for one in runs for run in _opened(one)]


def _lines(
    named: dict[str, Run], columns: Mapping[str, _Columns], statistic: Statistic | None
) -> list[_Line]:
    if statistic is None:
        return [_Line(name, index, (columns[name],)) for index, name in enumerate(named)]
    groups = group_by_setting({name: run.spec for name, run in named.items()})
    differ = _differing([named[names[0]] for names in groups])
    return [
        _Line(
            f"{_setting(named[names[0]], differ)} ({len(names)} runs)",
            index,
            tuple(columns[name] for name in names),
        )
        for index, names in enumerate(groups)
    ]


def _differing(runs: Sequence[Run]) -> list[str]:
    specs = [run.spec.to_dict() for run in runs]
    return [
        name
        for name in specs[0]
        if name != "seed" and any(one[name] != specs[0][name] for one in specs)
    ]


def _setting(run: Run, names: Sequence[str]) -> str:
    if not names:
        return run.spec.env_id
    return ", ".join(f"{name} {getattr(run.spec, name)}" for name in names[:3])


def _with_points(charts: Sequence[Chart], columns: Sequence[_Columns]) -> list[Chart]:
    """Return the charts that have points, those of metrics that are no chart's last."""
    there = list(dict.fromkeys(name for one in columns for name in one))
    found = []
    for chart in charts:
        series = tuple(one for one in chart.series if one.metric in there)
        if series:
            found.append(replace(chart, series=series))
    ours = {metric.value for metric in Metric}
    drawn = {str(metric) for chart in charts for metric in chart.metrics}
    for name in there:
        if name not in ours and name not in drawn:
            alone: Any = name
            found.append(Chart(name, name, "", "", (Series(alone, name),)))
    if not found:
        msg = "runs: nothing was measured yet. Wait for the first update."
        raise InvalidInputError(msg, field="runs")
    return found


def _title(named: Sequence[tuple[str, Run]], smoothing: int, statistic: Statistic | None) -> str:
    envs = list(dict.fromkeys(run.spec.env_id for _, run in named))
    about = f"PPO on {', '.join(envs[:3])}"
    if len(named) == 1:
        name, run = named[0]
        about += f", seed {run.spec.seed}" + (f" ({name})" if run.name else "")
    notes = []
    if statistic is not None:
        notes.append(statistic.label)
    elif smoothing > 1:
        notes.append(f"each point of a line is the mean of itself and the {smoothing - 1} before")
    return about + "".join(f"<br><sup>{note}</sup>" for note in notes)
