"""``train()``: PPO in the background, with live curves and buttons in the notebook."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, overload

from jupyter_ppo.domain.run_advice import advice
from jupyter_ppo.domain.run_spec import RunSpec
from jupyter_ppo.domain.training import RunState
from jupyter_ppo.training.group import (
    Environment,
    RunGroup,
    make_spec,
    run_directory,
    start_group,
)
from jupyter_ppo.training.launch import start_run
from jupyter_ppo.widgets.live import LiveRun
from jupyter_ppo.widgets.notebook_display import in_notebook
from jupyter_ppo.widgets.picture import progress


@overload
def train(
    env: Environment = ...,
    *,
    preset: str | None = ...,
    total_steps: int | None = ...,
    directory: Path | str | None = ...,
    seeds: None = ...,
    name: str = ...,
    tags: Sequence[str] = ...,
    detached: bool = ...,
    **hyperparameters: Any,
) -> LiveRun: ...


@overload
def train(
    env: Environment = ...,
    *,
    preset: str | None = ...,
    total_steps: int | None = ...,
    directory: Path | str | None = ...,
    seeds: Iterable[int],
    name: str = ...,
    tags: Sequence[str] = ...,
    detached: bool = ...,
    **hyperparameters: Any,
) -> LiveRuns: ...


def train(
    env: Environment = "CartPole-v1",
    *,
    preset: str | None = None,
    total_steps: int | None = None,
    directory: Path | str | None = None,
    seeds: Iterable[int] | None = None,
    name: str = "",
    tags: Sequence[str] = (),
    detached: bool = False,
    **hyperparameters: Any,
) -> LiveRun | LiveRuns:
    """Train PPO on an environment in the background and show its curves.

    Returns at once; the kernel stays free. ``env`` is a Gymnasium id or a class of yours, also one
    that is defined in this notebook. ``preset`` is "cartpole-fast", "rl-zoo" or "sb3-defaults";
    without it the first is used for CartPole-v1 and the last for everything else. ``total_steps``
    (of all environments together, rounded up to whole rollouts) and ``hyperparameters`` replace
    values of the preset; ``RunSpec`` lists them. ``directory`` receives the run; without it a new
    folder in ``runs`` is made. With ``seeds`` there is one run for each, two at a time, in folders
    of ``directory``, and a ``LiveRuns`` comes back. ``name`` and ``tags`` are yours. A run ends
    with a checkpoint when this kernel ends, unless it is ``detached``.

    Raises ``InvalidInputError`` naming the argument, ``ConflictError`` when ``directory`` holds a
    run already, ``UnavailableError`` when it cannot be written. Failures of the training itself
    show in ``LiveRun.state`` and ``LiveRun.message``.
    """
    env = hyperparameters.pop("env_id", env)
    if total_steps is not None:
        hyperparameters["total_steps"] = total_steps
    spec = make_spec(env, preset, **hyperparameters)
    for sentence in advice(spec):
        warnings.warn(sentence, UserWarning, stacklevel=2)
    shown = start(
        env, spec, directory=directory, seeds=seeds, name=name, tags=tags, detached=detached
    )
    if in_notebook():
        shown.show()
    return shown


def start(
    env: Environment,
    spec: RunSpec,
    *,
    directory: Path | str | None = None,
    seeds: Iterable[int] | None = None,
    name: str = "",
    tags: Sequence[str] = (),
    detached: bool = False,
) -> LiveRun | LiveRuns:
    """Do what ``train`` does with a spec that is checked, and show nothing."""
    own = None if isinstance(env, str) else env
    with run_directory(spec.env_id, directory) as folder:
        if seeds is not None:
            return LiveRuns(start_group(spec, seeds, folder, env=own, name=name, tags=tags))
        run = start_run(spec, folder, env=own, name=name, tags=tuple(tags), detached=detached)
        return LiveRun(run)


class LiveRuns(Sequence[LiveRun]):
    """Runs that differ in their seed: a sequence of ``LiveRun``, two of which train at a time.

    They are shown on one board, each for itself or all as a band. A view of a single run is made
    when it is asked for: ``runs[0]``.
    """

    def __init__(self, group: RunGroup) -> None:
        self._group = group
        self._views: dict[int, LiveRun] = {}
        self._board: Any = None

    def __repr__(self) -> str:
        lines = []
        for run in self._group.runs:
            status = run.status()
            message = f" {status.message}" if status.message else ""
            lines.append(f"seed {run.spec.seed}: {status.state}, {progress(status)}{message}")
        return "\n".join([f"<LiveRuns {self._group.runs[0].spec.env_id}", *lines, ">"])

    def __len__(self) -> int:
        return len(self._group.runs)

    @overload
    def __getitem__(self, index: int) -> LiveRun: ...

    @overload
    def __getitem__(self, index: slice) -> list[LiveRun]: ...

    def __getitem__(self, index: int | slice) -> LiveRun | list[LiveRun]:
        places = range(len(self))[index]
        if isinstance(places, int):
            return self._view(places)
        return [self._view(place) for place in places]

    @property
    def directory(self) -> Path:
        """The folder that holds the folders of the runs."""
        return self._group.runs[0].directory.parent

    @property
    def states(self) -> tuple[RunState, ...]:
        """The state of each run; QUEUED ones are started when another has ended."""
        return tuple(run.state() for run in self._group.runs)

    @property
    def board(self) -> Any:
        """The ``RunBoard`` that shows them together."""
        if self._board is None:
            from jupyter_ppo.domain.statistics import Statistic
            from jupyter_ppo.widgets.run_board import RunBoard

            self._board = RunBoard(self._group.runs, statistic=Statistic.MEDIAN_IQR)
        return self._board

    def pause(self) -> None:
        """Pause those that train; none is started in their place."""
        self._group.pause()

    def resume(self) -> None:
        """Let those that are paused go on."""
        self._group.resume()

    def stop(self) -> None:
        """End all, also those that wait."""
        self._group.stop()

    def wait(self, timeout: float | None = None) -> tuple[RunState, ...]:
        """Wait until all have ended, or ``timeout`` seconds; return their states."""
        self._group.wait(timeout)
        return self.states

    def to_figure(self, **options: Any) -> Any:
        """Return the charts of all as a plotly figure.

        ``options`` are those of ``jupyter_ppo.to_figure``. Raises ``UnavailableError`` without
        plotly.
        """
        from jupyter_ppo.training.exports.figure import to_figure

        return to_figure(self._group.runs, **options)

    def show(self) -> None:
        """Show all on one board below the current cell, once per cell."""
        self.board.show()

    def close(self) -> None:
        """Remove the views; the training itself goes on."""
        for view in self._views.values():
            view.close()
        if self._board is not None:
            self._board.close()

    def _view(self, place: int) -> LiveRun:
        if place not in self._views:
            self._views[place] = LiveRun(self._group.runs[place])
        return self._views[place]

    def _ipython_display_(self, **_options: Any) -> None:
        if in_notebook():
            self.show()
        else:
            sys.stdout.write(f"{self!r}\n")
