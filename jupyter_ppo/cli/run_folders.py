"""Runs as commands name them, and what is said of them."""

from __future__ import annotations

import difflib
import json
import math
from collections.abc import Mapping
from numbers import Real
from pathlib import Path
from typing import Any

from jupyter_ppo.cli.terminal import visible
from jupyter_ppo.domain.errors import InvalidInputError, NotFoundError
from jupyter_ppo.domain.hyperparameters import HYPERPARAMETERS, Kind
from jupyter_ppo.domain.schedules import ScheduleKind
from jupyter_ppo.domain.training import Metric, RunState, RunStatus
from jupyter_ppo.training.launch import list_runs, open_run
from jupyter_ppo.training.run import Run

RUN_HELP = "the run's folder, or its name in ./runs"
_SPEC = "spec.json"


def run_folder(name: str) -> Path:
    """Return the folder that ``name`` means: a path, or a folder in ./runs."""
    path = Path(name)
    there = Path("runs") / name
    return there if not (path / _SPEC).exists() and (there / _SPEC).exists() else path


def found_run(name: str) -> Run:
    """Return the run that ``name`` means.

    Raises ``NotFoundError`` with the names that are close, or ``InvalidInputError`` for a damaged
    run.
    """
    folder = run_folder(name)
    if not folder.exists():
        msg = f"{name} holds no training run, and ./runs has none of that name.{_close(name)}"
        raise NotFoundError(msg, field="directory")
    return open_run(folder)


def _close(name: str) -> str:
    """Return what was probably meant: folders of ./runs with such a name, or given such a one."""
    found = {run.directory.name: run for run in list_runs("runs")}
    called = {run.name: folder for folder, run in found.items() if run.name}
    near = difflib.get_close_matches(Path(name).name, [*found, *called], n=3, cutoff=0.6)
    folders = dict.fromkeys(one if one in found else called[one] for one in near)
    return f" Did you mean {' or '.join(folders)}?" if folders else ""


def shown_path(run: Run) -> str:
    """Return the shortest way to name a run's folder here."""
    try:
        return visible(str(run.directory.relative_to(Path.cwd())))
    except ValueError:
        return visible(str(run.directory))


def progress_words(status: RunStatus) -> str:
    """Return how far a run is."""
    total = f" of {status.total_steps:,}" if status.total_steps else ""
    return f"{status.step:,}{total} steps in {status.seconds:.1f} s"


def ended_words(run: Run) -> str:
    """Return how a run did, and what can be done with it now."""
    status = run.status()
    words = [f"{shown_path(run)}: {status.state}, {progress_words(status)}"]
    means = [p.values[Metric.MEAN_RETURN] for p in run.metrics() if Metric.MEAN_RETURN in p.values]
    if means and math.isfinite(means[-1]):
        words.append(f"  mean return of the last training episodes {means[-1]:.1f}")
    evaluations = run.evaluations()
    if evaluations:
        last = evaluations[-1]
        words.append(
            f"  last evaluation {last.mean_return:.1f} "
            f"({len(last.returns)} episodes, after {last.step:,} steps)"
        )
    if status.message:
        words.append(f"  {visible(status.message)}")
    if status.state is not RunState.FINISHED:
        mended = "when that is mended, " if status.state is RunState.FAILED else ""
        words.append(f"  {mended}go on with: jupyter ppo resume {shown_path(run)}")
    return "\n".join(words)


def given_value(text: str, name: str) -> Any:
    """Return what ``text`` means: JSON, ``none``, a schedule, or the text itself.

    Raises ``InvalidInputError`` when ``name`` takes a schedule and it is none.
    """
    value = _meant(text)
    setting = HYPERPARAMETERS.get(name)
    is_schedule = setting is not None and setting.kind is Kind.SCHEDULE
    if is_schedule and not isinstance(value, Real | Mapping):
        kinds = ", ".join(ScheduleKind)
        msg = (
            f"{name}: {text[:80]!r} is neither a number nor a schedule. Use a number, or "
            f"KIND:START:END such as linear:1e-3:0; kinds are {kinds}."
        )
        raise InvalidInputError(msg, field=name)
    return value


def _meant(text: str) -> Any:
    if text.lower() in {"none", "true", "false"}:
        return {"none": None, "true": True, "false": False}[text.lower()]
    kind, *numbers = text.split(":")
    if kind in set(ScheduleKind) and 1 <= len(numbers) <= 2:
        keys = ("start", "end")
        return {
            "kind": kind,
            **{key: _meant(number) for key, number in zip(keys, numbers, strict=False)},
        }
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
