"""The charts of one run or of several, live in the notebook."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any, Final

import traitlets

from jupyter_ppo.domain.charts import CHARTS, Chart
from jupyter_ppo.domain.training import Metric, MetricPoint, Rewind
from jupyter_ppo.widgets.base import PPOWidget
from jupyter_ppo.widgets.points import Columns, PointsFeed

#: Metrics of a user's own that get a chart; what a loop logs beyond that is in its folder only.
_OWN_AT_MOST: Final = 40
_KNOWN: Final = frozenset(metric.value for metric in Metric)
_DEFAULT_SETTINGS: Final = {"smoothing": 1, "logScale": False, "hidden": []}


class Curves(PPOWidget):
    """Live charts of runs: linked, zoomable, with a table behind each.

    ``append`` and ``flush`` send only what is new. A view that is opened later, in another tab or
    after a reload, asks for all of it. A metric that is in none of ``charts`` and not measured by
    the trainer gets a chart of its own.
    """

    _kind = traitlets.Unicode("curves").tag(sync=True)
    #: What to draw: ``Chart.to_dict`` of each
    charts: traitlets.List[Any] = traitlets.List().tag(sync=True)
    #: id, label, colour and marks of each run
    tracks: traitlets.List[Any] = traitlets.List().tag(sync=True)
    #: smoothing, logScale, hidden: as the reader set them
    settings: traitlets.Dict[Any, Any] = traitlets.Dict().tag(sync=True)

    def __init__(self, charts: Sequence[Chart] = CHARTS, **traits: Any) -> None:
        """Show no run yet. Raises ``UnavailableError`` when the views were not built."""
        self._drawn = {str(metric) for chart in charts for metric in chart.metrics}
        self._own: set[str] = set()
        self._changing = threading.RLock()
        self._feed = PointsFeed(self.send, self._wants)
        traits.setdefault("settings", dict(_DEFAULT_SETTINGS))
        super().__init__(charts=[chart.to_dict() for chart in charts], **traits)

    def add(self, track_id: str, label: str, colour: int = 0) -> None:
        """Show one more run, without points yet; one with this id is described anew."""
        with self._changing:
            kept = {one["id"]: one for one in self.tracks}
            marks = kept.get(track_id, {}).get("marks", [])
            kept[track_id] = {"id": track_id, "label": label, "colour": colour, "marks": marks}
            self.tracks = list(kept.values())

    def remove(self, track_id: str) -> None:
        """Show a run no longer."""
        with self._changing:
            self.tracks = [one for one in self.tracks if one["id"] != track_id]
            self._feed.remove(track_id)

    def append(self, track_id: str, items: Sequence[MetricPoint | Rewind]) -> None:
        """Add points of a run, or take some back; they are sent by ``flush``."""
        self._feed.append(track_id, items)

    def flush(self) -> None:
        """Send what is new of all runs, in one message."""
        self._feed.flush()

    def columns(self, track_id: str) -> Columns:
        """Return a copy of what is kept of a run: steps and values of each metric."""
        return self._feed.columns(track_id)

    def set_marks(self, track_id: str, marks: Sequence[tuple[int, str]]) -> None:
        """Mark steps of a run at which something happened, with words."""
        new = [{"step": step, "text": text} for step, text in marks]
        with self._changing:
            self.tracks = [
                {**one, "marks": new} if one["id"] == track_id else one for one in self.tracks
            ]

    def answer(self, content: Mapping[str, Any], buffers: Sequence[memoryview]) -> None:
        """Give a view that asks the whole history."""
        if content.get("type") == "history":
            with self._changing:
                self._feed.history(content)

    def _wants(self, metric: str) -> bool:
        if metric in self._drawn or metric in self._own:
            return True
        if metric in _KNOWN or len(self._own) >= _OWN_AT_MOST:
            return False
        self._own.add(metric)
        return True
