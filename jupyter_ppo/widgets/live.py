"""The live view of a run in the notebook: head, curves, forms."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import ipywidgets

from jupyter_ppo.domain.charts import CHARTS, Chart
from jupyter_ppo.domain.errors import InvalidInputError, PPOError
from jupyter_ppo.domain.hyperparameters import HYPERPARAMETERS, LIVE
from jupyter_ppo.domain.run_spec import RunSpec
from jupyter_ppo.domain.training import (
    Command,
    Evaluation,
    EventKind,
    Metric,
    MetricPoint,
    Rewind,
    RunEvent,
    RunState,
    RunStatus,
)
from jupyter_ppo.training.launch import open_run
from jupyter_ppo.training.own_loop import given_hyperparameters
from jupyter_ppo.training.run import Run
from jupyter_ppo.widgets.control_style import ControlStyle, Kit, close_all
from jupyter_ppo.widgets.curves import Curves
from jupyter_ppo.widgets.following import Follower
from jupyter_ppo.widgets.header import Header
from jupyter_ppo.widgets.live_settings import LiveSettings, settings_table
from jupyter_ppo.widgets.notebook_display import Bundle, NotebookDisplay, in_notebook, run_bundle
from jupyter_ppo.widgets.picture import draw_summary, progress, run_title, series
from jupyter_ppo.widgets.sections import Section, Sections
from jupyter_ppo.widgets.setting_text import setting_text

__all__ = ["LiveRun", "in_notebook"]

#: How often the saved picture is renewed while a run trains; at a pause and the end it is at once.
PICTURE_SECONDS: Final = 30.0
#: And at first, so that a kernel that ends soon leaves more than empty charts.
_FIRST_PICTURE_SECONDS: Final = 2.0
#: A new view of an ended run gets the picture again, as it may have missed it, not more often.
_AGAIN_SECONDS: Final = 20.0
_CATCH_UP_SECONDS: Final = 2.0
_SETTLE_SECONDS: Final = 5.0
_TRACK: Final = "run"


class LiveRun(ipywidgets.VBox):
    """A run with its live view. All of it works without a front end as well."""

    _is_open = False

    def __init__(self, run: Run | Path | str, *, charts: Sequence[Chart] = CHARTS) -> None:
        """Show ``run``, or the run in a directory; a running one is followed to its end."""
        self._run = run if isinstance(run, Run) else open_run(run)
        self._status = self._run.status()
        self._lock = threading.RLock()
        self._follower = Follower(self._on_points, self._on_status, self._on_tick)
        self._display = NotebookDisplay()
        self._waiting = 0  # callers in wait(): they renew the picture, in the cell that they block
        self._pictured: RunStatus | None = None
        self._pictured_at = time.monotonic()
        self._picture_every = _FIRST_PICTURE_SECONDS
        self._picture_listeners: list[Callable[[], None]] = []
        self._caught_up = threading.Event()
        self._change_waits = ""
        self._events_size = -1
        self._changes: list[tuple[int, str]] = []
        self._live: dict[str, Any] = {name: getattr(self.spec, name) for name in LIVE}
        self._changed: dict[str, Any] = {}  # live changes and extensions: what counts now
        self._table: Any = None
        self._settings: LiveSettings | None = None
        self.title = run_title(self._run)
        self._kit = kit = Kit()
        self.curves = Curves(charts, layout=kit.layout())
        self.curves.add(_TRACK, self.title)
        self.curves.on_msg(self._seen)
        is_ours = not self._run.files.is_own_loop()  # nobody can steer a loop of one's own
        commands: dict[Command, Callable[[], object]] = {
            Command.PAUSE: self.pause,
            Command.RESUME: self.resume,
            Command.STOP: self.stop,
        }
        self.header = Header(self.title, commands if is_ours else {}, kit=kit)
        self.sections = Sections(self._make_sections(is_ours), kit=kit, label="More about this run")
        super().__init__(
            children=[ControlStyle(kit), self.header, self.curves, self.sections],
            layout=kit.layout(),
            _dom_classes=("ppo-controls", "ppo-live-run"),
        )
        self._show(self._status)
        self._is_open = True
        self._follower.add(self._run)

    def __repr__(self) -> str:
        return self._text(self.status)

    def _text(self, status: RunStatus) -> str:
        text = f"<LiveRun {self.title.removeprefix('PPO on ')}: {status.state}, {progress(status)}>"
        return f"{text} {status.message}" if status.message else text

    @property
    def run(self) -> Run:
        """The run itself, without a view."""
        return self._run

    @property
    def spec(self) -> RunSpec:
        """What is trained, as it was started."""
        return self._run.spec

    @property
    def directory(self) -> Path:
        """Where the run keeps its files; ``model.zip`` is there after the end."""
        return self._run.directory

    @property
    def status(self) -> RunStatus:
        """State, step, training seconds, speed, and why it stopped or failed."""
        return self._run.status()

    @property
    def state(self) -> RunState:
        """The state only."""
        return self._run.state()

    @property
    def message(self) -> str:
        """One sentence on why the run ended as it did; otherwise empty."""
        return self.status.message

    @property
    def metrics(self) -> tuple[MetricPoint, ...]:
        """All points measured so far."""
        return tuple(self._run.metrics())

    @property
    def evaluations(self) -> tuple[Evaluation, ...]:
        """All evaluations on held-out seeds so far."""
        return tuple(self._run.evaluations())

    @property
    def events(self) -> tuple[RunEvent, ...]:
        """What happened to the run: states, changes with their step, warnings."""
        return tuple(self._run.events())

    def series(self, metric: Metric | str) -> list[tuple[int, float]]:
        """Return (step, value) of one metric, for instance ``series("return")``.

        Raises ``InvalidInputError`` for a name that no worker measures and this run does not hold.
        """
        found = series(self.metrics, metric)
        if not found and metric not in set(Metric):
            names = sorted({str(name) for point in self.metrics for name in point.values})
            msg = f"metric: this run has no {str(metric)[:80]!r}. It has {', '.join(names)}."
            raise InvalidInputError(msg, field="metric")
        return found

    def pause(self) -> None:
        """Pause within one update; raise ``ConflictError`` when the run has ended."""
        self._run.pause()

    def resume(self) -> None:
        """Go on: after a pause, or from the last checkpoint of a run that ended before its time.

        Raises ``ConflictError`` when it is running already or has made all its steps.
        """
        self._run.resume()
        self._follower.again(self._run)

    def stop(self) -> None:
        """End the run within one update and save the model as it is; ``resume`` goes on."""
        self._run.stop()

    def extend(self, total_steps: int) -> None:
        """Let the run go on to ``total_steps``, also when it has ended. Schedules use the new end.

        Raises ``InvalidInputError`` when it has made more steps already.
        """
        self._run.extend(total_steps)
        self._follower.again(self._run)

    def change(self, **values: Any) -> None:
        """Change ``learning_rate``, ``clip_range`` or ``ent_coef`` from the next update on.

        ``events`` and the view say at which step it took effect. Raises ``InvalidInputError`` with
        the range, ``ConflictError`` when the run has ended.
        """
        self._run.change(**values)
        with self._lock:
            if self.state is RunState.PAUSED:  # nothing else shows it before it goes on
                given = ", ".join(f"{name} {setting_text(value)}" for name, value in values.items())
                self._change_waits = f"When it goes on: {given}."
                self.header.show(self._status, self._change_waits)

    def wait(self, timeout: float | None = None) -> RunState:
        """Wait until the run ends, or ``timeout`` seconds; return the state reached by then."""
        with self._lock:
            self._waiting += 1
        try:
            state = self._run.wait(timeout)
            if state.has_ended:
                self._follower.settle(self._run, _SETTLE_SECONDS)
            return state
        finally:
            with self._lock:
                self._waiting -= 1
            self._renew_picture()

    def to_figure(self, **options: Any) -> Any:
        """Return the charts as a plotly figure, to keep or to publish.

        ``options`` are those of ``jupyter_ppo.to_figure``. Raises ``UnavailableError`` without
        plotly.
        """
        from jupyter_ppo.training.exports.figure import to_figure

        return to_figure(self._run, **options)

    def show(self) -> None:
        """Show the live view below the current cell, once per cell."""
        self._display.show(self._bundle)

    def _ipython_display_(self, **_options: Any) -> None:
        if in_notebook():
            self.show()
        else:
            sys.stdout.write(f"{self!r}\n")

    def _repr_mimebundle_(self, **_options: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        return self._bundle(), {}

    def close(self) -> None:
        """Remove the view and stop following; the training itself goes on."""
        if self._is_open:  # ipywidgets also closes what was never made whole
            self._is_open = False
            self._follower.stop()
            self.sections.close()
            close_all(self)
            self._kit.close()
        super().close()

    def _make_sections(self, is_ours: bool) -> list[Section]:
        sections: list[Section] = [("Change or extend", self._make_settings)] if is_ours else []
        return [
            *sections,
            ("Inside PPO", self._make_inside),
            ("Episodes", self._make_episodes),
            ("All settings", self._make_table),
        ]

    def _make_settings(self) -> LiveSettings:
        with self._lock:
            self._settings = LiveSettings(
                self._live, change=self.change, extend=self.extend, kit=self._kit
            )
            self._settings.show(self._status, self._live, self._changes)
            return self._settings

    def _make_inside(self) -> Any:
        from jupyter_ppo.widgets.inside import InsidePPO

        return InsidePPO(self._run)

    def _make_episodes(self) -> Any:
        from jupyter_ppo.widgets.episode import EpisodeViewer

        return EpisodeViewer(self._run)

    def _make_table(self) -> Any:
        with self._lock:
            self._table = self._kit.text(value=self._table_text())
            return self._table

    def _table_text(self) -> str:
        return settings_table(self.spec, given_hyperparameters(self.directory), self._changed)

    def _bundle(self) -> Bundle:
        self._caught_up.wait(_CATCH_UP_SECONDS)
        return run_bundle(
            self,
            text=self._text(self._status),
            picture=self.draw_picture(),
            directory=str(self.directory),
            title=self.title,
        )

    def draw_picture(self) -> str:
        """Return the run as it is now as an SVG picture; the curves show it without a kernel."""
        picture = draw_summary(self.title, self._status, self.curves.columns(_TRACK))
        self.curves.picture = picture
        return picture

    def on_picture(self, listener: Callable[[], None]) -> None:
        """Call ``listener`` when the notebook should save a newer picture."""
        self._picture_listeners.append(listener)

    def _on_points(self, _run: Run, items: Sequence[MetricPoint | Rewind]) -> None:
        self.curves.append(_TRACK, items)

    def _on_status(self, _run: Run, status: RunStatus) -> None:
        with self._lock:
            before, self._status = self._status, status
            if status.state is not RunState.PAUSED:
                self._change_waits = ""
            self._show(status)
        seen = (status.state, status.checkpoint_step)
        if (episodes := self.sections.made("Episodes")) and seen != (
            before.state,
            before.checkpoint_step,
        ):
            with contextlib.suppress(PPOError, OSError):
                episodes.refresh()

    def _on_tick(self) -> None:
        self.curves.flush()
        self.header.tick()
        self._caught_up.set()
        if not self._waiting:
            self._renew_picture()

    def _show(self, status: RunStatus) -> None:
        """Show a status, and what has happened to the run."""
        if self._read_changes():
            self.curves.set_marks(_TRACK, self._changes)
            if self._table is not None:
                self._table.value = self._table_text()
        self.header.show(status, self._change_waits)
        if self._settings is not None:
            self._settings.show(status, self._live, self._changes)

    def _read_changes(self) -> bool:
        """Read the events again if there are more; return whether a change is among them."""
        try:
            size = self._run.files.events_file.stat().st_size
            if size == self._events_size:
                return False
            events = self._run.events()
        except (PPOError, OSError):  # removed or damaged: its status says so
            return False
        self._events_size = size
        marked = {EventKind.CHANGED, EventKind.EXTENDED, EventKind.RESUMED}
        changes = [(event.step, event.message) for event in events if event.kind in marked]
        for event in events:
            names = {EventKind.CHANGED: LIVE, EventKind.EXTENDED: ("total_steps",)}
            for name in names.get(event.kind, ()):
                with contextlib.suppress(KeyError, InvalidInputError):  # none, or somebody else's
                    self._changed[name] = HYPERPARAMETERS[name].checked(event.data[name])
        self._live |= {name: self._changed[name] for name in LIVE if name in self._changed}
        is_new, self._changes = changes != self._changes, changes
        return is_new

    def _renew_picture(self) -> None:
        """Put a newer picture into the notebook: at a pause, at the end, and now and then."""
        with self._lock:
            status, old = self._status, self._pictured
            if status.state.has_ended or status.state is RunState.PAUSED:
                is_due = old is None or (old.state, old.step) != (status.state, status.step)
            else:
                every = min(self._picture_every, PICTURE_SECONDS)
                is_old = time.monotonic() - self._pictured_at >= every
                is_due = is_old and status.step != (old.step if old else 0)
                if is_due:
                    self._picture_every = 2 * every
            if is_due:
                self._publish_picture()

    def _publish_picture(self) -> None:
        self._pictured, self._pictured_at = self._status, time.monotonic()
        if self._display.is_shown and self.comm is not None:
            self._display.update(self._bundle())
        for listener in self._picture_listeners:
            listener()

    def _seen(self, _widget: Any, content: Any, _buffers: Any) -> None:
        """A page shows the curves anew: it may have missed the picture of the end."""
        if not isinstance(content, dict) or content.get("type") != "history":
            return
        with self._lock, contextlib.suppress(PPOError, OSError):
            is_still = self._status.state.has_ended or self._status.state is RunState.PAUSED
            if is_still and time.monotonic() - self._pictured_at >= _AGAIN_SECONDS:
                self._publish_picture()
