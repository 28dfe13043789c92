"""``train()``: PPO in the background, with live curves and buttons in the notebook."""

from __future__ import annotations

import atexit
import contextlib
import os
import re
import sys
import tempfile
import threading
import warnings
from array import array
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import anywidget
import traitlets

from jupyter_ppo.domain.errors import PPOError
from jupyter_ppo.domain.training import (
    Command,
    Metric,
    MetricPoint,
    Preset,
    RunSpec,
    RunState,
    RunStatus,
)
from jupyter_ppo.training.run import Run, open_run, start_run
from jupyter_ppo.widgets.picture import CHARTS, series, summary_svg

#: At most ten messages per second: Jupyter drops messages beyond 1000 per second of all widgets.
_TICK_SECONDS = 0.1
#: The metrics that are drawn, in the order of their numbers in the binary rows.
_DRAWN: tuple[Metric, ...] = tuple(metric for chart in CHARTS for metric in chart.metrics)
_NUMBER = {metric: float(number) for number, metric in enumerate(_DRAWN)}
_ROW = 3  # float64 values: number of the metric, step, value


def train(
    env_id: str = "CartPole-v1",
    *,
    preset: str | None = None,
    total_steps: int | None = None,
    directory: Path | str | None = None,
    **hyperparameters: Any,
) -> LiveRun:
    """Train PPO on a Gymnasium environment in the background and show its curves.

    Returns at once; the kernel stays free. ``preset`` is "cartpole-fast" or "sb3-defaults"; without
    it the first is used for CartPole-v1 and the second for everything else. ``total_steps`` (of all
    environments together, rounded up to whole rollouts) and ``hyperparameters`` replace values of
    the preset; ``RunSpec`` lists them. ``directory`` receives the run and its model.zip; without it
    a new folder in ``runs`` is made.

    Raises ``InvalidInputError`` naming the argument, ``ConflictError`` when ``directory`` holds a
    run already, ``UnavailableError`` when it cannot be written. Failures of the training itself
    show in ``LiveRun.state`` and ``LiveRun.message``.
    """
    if preset is None:
        preset = Preset.CARTPOLE_FAST if env_id == "CartPole-v1" else Preset.SB3_DEFAULTS
    if total_steps is not None:
        hyperparameters["total_steps"] = total_steps
    spec = RunSpec.from_preset(preset, env_id=env_id, **hyperparameters)
    for sentence in spec.advice():
        warnings.warn(sentence, UserWarning, stacklevel=2)
    run = start_run(spec, _new_directory(spec) if directory is None else directory)
    live = LiveRun(run)
    if _in_notebook():
        live.show()
    return live


class LiveRun(anywidget.AnyWidget):
    """A run with its live view. All of it works without a front end as well."""

    # Text, not paths: anywidget may watch a path with a thread of its own.
    _esm = Path(__file__).with_name("live.js").read_text("utf-8")
    _css = Path(__file__).with_name("live.css").read_text("utf-8")

    charts: traitlets.List[Any] = traitlets.List().tag(
        sync=True
    )  # what to draw: title, unit, metrics
    series_names: traitlets.List[Any] = traitlets.List().tag(
        sync=True
    )  # metric of each number in the binary rows
    title = traitlets.Unicode().tag(sync=True)
    snapshot = traitlets.Dict().tag(sync=True)  # state, progress and speed

    def __init__(self, run: Run | Path | str) -> None:
        """Show ``run``, or the run in a directory; a running one is followed to its end."""
        self._run = run if isinstance(run, Run) else open_run(run)
        self._status = self._run.status()
        self._rows = array("d")
        self._points_seen = 0
        self._lock = threading.RLock()
        self._ended = threading.Event()
        self._display_id: str | None = None
        self._shown_in: Any = None
        self._waiting = 0  # callers in wait(): they keep the picture, in the cell that they block
        self._followed_to_end = False
        self._picture_kept = False
        spec = self._run.spec
        super().__init__(
            charts=[
                {
                    "title": chart.title,
                    "unit": chart.unit,
                    "metrics": [str(m) for m in chart.metrics],
                }
                for chart in CHARTS
            ],
            series_names=[str(metric) for metric in _DRAWN],
            title=f"PPO on {spec.env_id}",
            snapshot=_snapshot(spec, self._status),
        )
        self.on_msg(self._on_message)
        self._follower = threading.Thread(target=self._follow, name="ppo-live", daemon=True)
        atexit.register(self._stop_following)
        self._follower.start()

    def __repr__(self) -> str:
        status = self.status
        text = (
            f"<LiveRun {self.spec.env_id}: {status.state}, "
            f"{status.step:,} of {self.spec.planned_steps:,} steps>"
        )
        return f"{text} {status.message}" if status.message else text

    @property
    def spec(self) -> RunSpec:
        """What is trained."""
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
        """One sentence on why the run stopped or failed; otherwise empty."""
        return self.status.message

    @property
    def metrics(self) -> tuple[MetricPoint, ...]:
        """All points measured so far."""
        return self._run.metrics()

    def series(self, metric: Metric | str) -> list[tuple[int, float]]:
        """Return (step, value) of one metric, for instance ``series("return")``."""
        return series(self.metrics, Metric(metric))

    def pause(self) -> None:
        """Pause within one update; raise ``ConflictError`` when the run has ended."""
        self._run.pause()

    def resume(self) -> None:
        """Go on after a pause; raise ``ConflictError`` when the run has ended."""
        self._run.resume()

    def stop(self) -> None:
        """End the run within one update and save the model as it is."""
        self._run.stop()

    def wait(self, timeout: float | None = None) -> RunState:
        """Wait until the run ends, or ``timeout`` seconds; return the state reached by then."""
        with self._lock:
            self._waiting += 1
        try:
            state = self._run.wait(timeout)
            if state.is_final:
                self._follower.join(5)
            return state
        finally:
            with self._lock:
                self._waiting -= 1
                if self._followed_to_end and not self._waiting:
                    self._keep_picture()

    def show(self) -> None:
        """Show the live view below the current cell, once per cell."""
        from IPython import get_ipython
        from IPython.display import publish_display_data

        shell = get_ipython()
        here = getattr(shell, "execution_count", None)
        if here is not None and here == self._shown_in:
            return  # train() as a cell's last line: shown already
        self._shown_in = here
        if self._display_id is None:
            self._display_id = uuid4().hex
        publish_display_data(  # type: ignore[no-untyped-call]
            self._bundle(), transient={"display_id": self._display_id}
        )

    def _ipython_display_(self, **_options: Any) -> None:
        if _in_notebook():
            self.show()
        else:
            sys.stdout.write(f"{self!r}\n")

    def _repr_mimebundle_(self, **_options: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        return self._bundle(), {}

    def close(self) -> None:
        """Remove the view and stop following; the training itself goes on."""
        self._stop_following()
        super().close()

    def _bundle(self) -> dict[str, Any]:
        bundle: dict[str, Any] = {
            "text/plain": repr(self),
            "image/svg+xml": summary_svg(self.spec, self._run.status(), self._run.metrics()),
        }
        if self.comm is not None:
            bundle["application/vnd.jupyter.widget-view+json"] = {
                "version_major": 2,
                "version_minor": 0,
                "model_id": self.model_id,
            }
        return bundle

    def _follow(self) -> None:
        """Send what is new until the run ends or the view is closed. Runs in a thread."""
        try:
            while not self._ended.is_set():
                status = self._run.status()  # before the metrics: a final one comes after them all
                self._send_new_rows()
                if status != self._status:
                    self._status = status
                    self.snapshot = _snapshot(self.spec, status)
                if status.state.is_final:
                    break
                self._ended.wait(_TICK_SECONDS)
        except (PPOError, OSError) as error:
            # The run's folder was removed or damaged: say so in the view, not in some cell.
            failed = RunStatus(RunState.FAILED, self._status.step, message=str(error))
            self.snapshot = _snapshot(self.spec, failed)
        atexit.unregister(self._stop_following)
        with self._lock:
            self._followed_to_end = not self._ended.is_set()
            if self._followed_to_end and not self._waiting:
                self._keep_picture()

    def _stop_following(self) -> None:
        self._ended.set()
        if threading.current_thread() is not self._follower:
            self._follower.join(1)

    def _send_new_rows(self) -> None:
        with self._lock:
            points = self._run.metrics(self._points_seen)
            self._points_seen += len(points)
            new = array("d")
            for point in points:
                for metric, value in point.values.items():
                    if metric in _NUMBER:
                        new.extend((_NUMBER[metric], point.step, value))
            if new:
                start = len(self._rows) // _ROW
                self._rows.extend(new)
                self.send({"type": "rows", "start": start}, [new.tobytes()])

    def _on_message(self, _widget: Any, content: Any, _buffers: Sequence[memoryview]) -> None:
        """Answer a view: the whole history for a new one, or a button."""
        kind = content.get("type") if isinstance(content, dict) else None
        if kind == "history":
            with self._lock:
                self.send({"type": "rows", "start": 0}, [self._rows.tobytes()])
        elif kind == "command":
            actions = {
                Command.PAUSE: self.pause,
                Command.RESUME: self.resume,
                Command.STOP: self.stop,
            }
            action = actions.get(content.get("command"))
            if action is not None:
                with contextlib.suppress(PPOError):  # it ended just before the button was pressed
                    action()

    def _keep_picture(self) -> None:
        """Put the final picture into the notebook, so that a saved one shows the end."""
        if self._picture_kept or self._display_id is None:
            return
        self._picture_kept = True
        from IPython.display import publish_display_data

        publish_display_data(  # type: ignore[no-untyped-call]
            self._bundle(), transient={"display_id": self._display_id}, update=True
        )


def _snapshot(spec: RunSpec, status: RunStatus) -> dict[str, Any]:
    return {
        "state": status.state.value,
        "step": status.step,
        "planned_steps": spec.planned_steps,
        "seconds": status.seconds,
        "steps_per_second": status.steps_per_second,
        "seconds_left": status.seconds_left(spec),
        "message": status.message,
    }


def _in_notebook() -> bool:
    """Whether this process is a Jupyter kernel."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return getattr(shell, "kernel", None) is not None


def _new_directory(spec: RunSpec) -> Path:
    """Return a new folder in ./runs, or in the temporary folder where ./ cannot be written."""
    name = re.sub(r"[^\w.-]+", "-", spec.env_id)
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    parent = Path.cwd() / "runs"
    try:
        parent.mkdir(exist_ok=True)
        if os.access(parent, os.W_OK | os.X_OK):
            return Path(tempfile.mkdtemp(prefix=f"{name}-{stamp}-", dir=parent))
    except OSError:
        pass
    return Path(tempfile.mkdtemp(prefix=f"{name}-{stamp}-"))
