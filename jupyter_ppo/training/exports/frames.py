"""Runs as a pandas table: one row per update, episode, evaluation or run."""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from jupyter_ppo.domain.errors import InvalidInputError
from jupyter_ppo.domain.run_spec import RunSpec
from jupyter_ppo.domain.schedules import Schedule
from jupyter_ppo.domain.training import Metric, MetricPoint
from jupyter_ppo.training.exports.needs import needs
from jupyter_ppo.training.exports.opened import AnyRun, opened
from jupyter_ppo.training.launch import list_runs, open_run
from jupyter_ppo.training.own_loop import given_hyperparameters
from jupyter_ppo.training.run import Run

if TYPE_CHECKING:
    import pandas as pd

_EPISODE: Final = frozenset({Metric.RETURN.value, Metric.LENGTH.value})
_EVALUATION: Final = frozenset({Metric.EVAL_RETURN.value, Metric.EVAL_LENGTH.value})
_INDEX: Final = ("run", "name", "seed")

Runs = AnyRun | Iterable[AnyRun]


class FrameKind(StrEnum):
    """What a row of the table is."""

    UPDATES = "updates"
    EPISODES = "episodes"
    EVALUATIONS = "evaluations"
    RUNS = "runs"


def runs_to_frame(
    runs: Runs, metrics: Sequence[str] | None = None, kind: str = FrameKind.UPDATES
) -> pd.DataFrame:
    """Return one tidy table of all ``runs``: runs, folders of runs, or folders that hold some.

    Every row begins with ``run`` (the folder's name, or its path where that is ambiguous), ``name``
    and ``seed``. Then, for each ``kind``:

    - ``updates``: ``step``, ``seconds`` and every metric that was measured (NaN where it was not);
    - ``episodes``: ``step``, ``seconds``, ``episode`` (from 1), ``return``, ``length``;
    - ``evaluations``: ``step``, ``seconds``, mean, standard deviation, least and greatest return,
      mean length, ``episodes``, ``eval_seed``, ``deterministic``;
    - ``runs``: state, step, time, tags and every hyperparameter.

    ``metrics`` keeps these of the columns. Points that a resumed run measured again are not there
    twice. Raises ``UnavailableError`` without pandas, ``NotFoundError`` or ``InvalidInputError``
    for what is no run, an unknown kind, or a metric that no run has.
    """
    needs("pandas")
    import pandas as pd

    try:
        wanted = FrameKind(kind)
    except ValueError:
        msg = f"kind: {str(kind)[:80]!r} is not known. Use {', '.join(FrameKind)}."
        raise InvalidInputError(msg, field="kind") from None
    rows: list[dict[str, Any]] = []
    columns: dict[str, None] = dict.fromkeys((*_INDEX, *_COLUMNS[wanted]))
    found = _named(_opened(runs))
    for label, run in found:
        same = {"run": label, "name": run.name, "seed": run.spec.seed}
        for row in _ROWS[wanted](run):
            rows.append(same | row)
            columns.update(dict.fromkeys(row))
    names = _kept(list(columns), metrics, len(_INDEX) + _FIXED[wanted])
    table = {name: [row.get(name, math.nan) for row in rows] for name in names}
    return pd.DataFrame(table, columns=names)


def plain_hyperparameters(spec: RunSpec) -> dict[str, Any]:
    """Return every setting of a spec as one cell of a table: a number, a flag or a text."""
    return {name: _cell(getattr(spec, name)) for name in spec.to_dict()}


def _opened(runs: Runs) -> list[Run]:
    if isinstance(runs, Run):
        return [runs]
    if isinstance(runs, str | Path):
        folder = Path(runs)
        is_run = (folder / "spec.json").exists() or not folder.is_dir()
        return [open_run(folder)] if is_run else list(list_runs(folder))
    if not isinstance(runs, Iterable):
        return [opened(runs)]
    return [run for one in runs for run in _opened(one)]


def _named(runs: list[Run]) -> list[tuple[str, Run]]:
    """Return each run once with what it is called in the table."""
    once = list({run.directory: run for run in runs}.values())
    names = [run.directory.name for run in once]
    return [
        (name if names.count(name) == 1 else str(run.directory), run)
        for name, run in zip(names, once, strict=True)
    ]


def _updates(run: Run) -> Iterable[dict[str, Any]]:
    for point in run.metrics():
        values = {str(name): value for name, value in point.values.items()}
        if not values.keys() <= _EPISODE | _EVALUATION:
            yield _place(point) | values


def _episodes(run: Run) -> Iterable[dict[str, Any]]:
    number = 0
    for point in run.metrics():
        values = {str(name): value for name, value in point.values.items()}
        if Metric.RETURN.value in values:
            number += 1
            yield {
                **_place(point),
                "episode": number,
                "return": values["return"],
                "length": values.get("length", math.nan),
            }


def _evaluations(run: Run) -> Iterable[dict[str, Any]]:
    for one in run.evaluations():
        returns = one.returns
        yield {
            "step": one.step,
            "seconds": one.seconds,
            "eval_return": one.mean_return,
            "eval_return_std": statistics.pstdev(returns) if returns else math.nan,
            "eval_return_min": min(returns, default=math.nan),
            "eval_return_max": max(returns, default=math.nan),
            "eval_length": statistics.fmean(one.lengths) if one.lengths else math.nan,
            "episodes": len(returns),
            "eval_seed": one.seed,
            "deterministic": one.deterministic,
        }


def _summary(run: Run) -> Iterable[dict[str, Any]]:
    status = run.status()
    last = {str(name): value for point in run.metrics() for name, value in point.values.items()}
    spec = plain_hyperparameters(run.spec)
    spec.pop("seed")
    given = given_hyperparameters(run.directory)
    if given is not None:  # the others are not its author's, only our defaults
        spec = {name: value if name in given else None for name, value in spec.items()}
    yield {
        "tags": ", ".join(run.tags),
        "state": status.state.value,
        "step": status.step,
        "seconds": status.seconds,
        "steps_per_second": status.steps_per_second,
        "message": status.message,
        "mean_return": last.get(Metric.MEAN_RETURN.value, math.nan),
        "eval_return": last.get(Metric.EVAL_RETURN.value, math.nan),
        "directory": str(run.directory),
        **spec,
    }


def _place(point: MetricPoint) -> dict[str, Any]:
    return {"step": point.step, "seconds": point.seconds}


def _cell(value: Any) -> Any:
    """Return a hyperparameter as a table shows it."""
    if isinstance(value, Schedule):
        return value.start if value.is_constant else str(value)
    if isinstance(value, dict | tuple):
        return json.dumps(value, sort_keys=True)
    return value.value if isinstance(value, StrEnum) else value


def _kept(columns: list[str], metrics: Sequence[str] | None, fixed: int) -> list[str]:
    if metrics is None:
        return columns
    names = [str(name) for name in ([metrics] if isinstance(metrics, str) else metrics)]
    known = {*columns[fixed:], *(metric.value for metric in Metric)}
    for name in names:
        if name not in known:
            there = ", ".join(columns[fixed:]) or "none yet"
            msg = f"metrics: no run has {name[:80]!r}. They have: {there}."
            raise InvalidInputError(msg, field="metrics")
    return list(dict.fromkeys([*columns[:fixed], *names]))


_COLUMNS: Final[dict[FrameKind, tuple[str, ...]]] = {
    FrameKind.UPDATES: ("step", "seconds"),
    FrameKind.EPISODES: ("step", "seconds", "episode", "return", "length"),
    FrameKind.EVALUATIONS: (
        *("step", "seconds", "eval_return", "eval_return_std", "eval_return_min"),
        *("eval_return_max", "eval_length", "episodes", "eval_seed", "deterministic"),
    ),
    FrameKind.RUNS: ("tags", "state", "step", "seconds", "steps_per_second", "message"),
}
#: How many columns after ``run``, ``name`` and ``seed`` are there whatever ``metrics`` says.
_FIXED: Final = {
    FrameKind.UPDATES: 2,
    FrameKind.EPISODES: 3,
    FrameKind.EVALUATIONS: 2,
    FrameKind.RUNS: 3,
}
_ROWS: Final[dict[FrameKind, Callable[[Run], Iterable[dict[str, Any]]]]] = {
    FrameKind.UPDATES: _updates,
    FrameKind.EPISODES: _episodes,
    FrameKind.EVALUATIONS: _evaluations,
    FrameKind.RUNS: _summary,
}
