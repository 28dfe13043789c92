"""A training run as evidence in an entry: what was trained, what was measured, what it reached.

It is what the student's own machine says; nothing of it is run again here.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from jupyter_ppo.domain.errors import InvalidInputError, NotFoundError, TooLargeError
from jupyter_ppo.domain.run_spec import RunSpec
from jupyter_ppo.domain.training import Evaluation, Metric, MetricPoint, RunState, metric_name
from jupyter_ppo.training.documents import spec_of_format_1
from jupyter_ppo.training.files import RunDirectory
from jupyter_ppo.training.lines import LineReader
from jupyter_ppo.training.metric_log import apply_rewinds, item_of_line

#: The most bytes of one run as JSON.
MAX_BYTES = 2**20
#: Returns of single episodes that are kept: the last ones of training, and all of an evaluation.
MAX_TRAINING_RETURNS, MAX_EVALUATION_RETURNS = 100, 10_000
#: Metrics of a run, and evaluations that are kept: the last ones.
MAX_METRICS, MAX_EVALUATIONS = 200, 1000
_SUMMARY = ("count", "first", "last", "min", "max")
_EVALUATION = ("step", "seed", "deterministic", "episodes", "mean", "min", "max")
_NAMES = (
    *("spec", "state", "step", "seconds", "metrics"),
    *("training_returns", "evaluations", "evaluation_returns"),
)
_MAX_COUNT = 2**53


def checked_run(data: object) -> dict[str, Any]:
    """Return the run if it has the right shape and size, with every default of its spec filled in.

    ``spec`` is that of ``RunSpec``; ``metrics`` holds count, first, last, min and max of each
    measured value by its name; ``evaluations`` holds step, first seed, mean, min and max return of
    each evaluation while it trained; the two other lists are undiscounted returns of episodes,
    oldest first. A value that was not finite is None. Raises ``InvalidInputError`` or
    ``TooLargeError`` naming the part below ``run``.
    """
    if not isinstance(data, Mapping):
        _refuse("run", f"Use an object with {', '.join(_NAMES)}.")
    for name in data:
        if name not in _NAMES:
            _refuse(f"run.{str(name)[:80]}", f"There is no such name; known are {_NAMES}.")
    checked = {
        "spec": _spec(data.get("spec")),
        "state": _state(data.get("state")),
        "step": _whole(data.get("step"), "run.step"),
        "seconds": _number(data.get("seconds"), "run.seconds"),
        "metrics": _metrics(data.get("metrics", {})),
        "training_returns": _returns(data, "training_returns", MAX_TRAINING_RETURNS),
        "evaluations": _evaluations(data.get("evaluations", [])),
        "evaluation_returns": _returns(data, "evaluation_returns", MAX_EVALUATION_RETURNS),
    }
    size = len(json.dumps(checked))
    if size > MAX_BYTES:
        msg = f"run: {size / 2**20:.1f} MiB is over the limit of {MAX_BYTES // 2**20} MiB."
        raise TooLargeError(msg, field="run")
    return checked


def run_from_folder(path: Path, evaluation_returns: Sequence[float] = ()) -> dict[str, Any]:
    """Return the evidence of a run folder, as ``jupyter_ppo.training.files`` describes it.

    Without ``evaluation_returns`` they are those of the run's last evaluation. Raises
    ``NotFoundError`` or ``InvalidInputError`` (field ``directory``).
    """
    folder = RunDirectory(path)
    spec, status = folder.read_spec(), folder.read_status()
    values: dict[str, list[float]] = {}
    for point in _points(folder):
        for metric, value in point.values.items():
            values.setdefault(str(metric), []).append(value)
    evaluations = folder.read_evaluations()
    if not evaluation_returns and evaluations:
        evaluation_returns = evaluations[-1].returns[:MAX_EVALUATION_RETURNS]
    returns = values.get(Metric.RETURN, [])
    return checked_run(
        {
            "spec": spec.to_dict(),
            "state": status.state.value,
            "step": status.step,
            "seconds": status.seconds,
            "metrics": {name: _summary(values[name]) for name in list(values)[:MAX_METRICS]},
            "training_returns": [_finite(value) for value in returns[-MAX_TRAINING_RETURNS:]],
            "evaluations": [_evaluation(one) for one in evaluations[-MAX_EVALUATIONS:]],
            "evaluation_returns": [_finite(value) for value in evaluation_returns],
        }
    )


def _points(folder: RunDirectory) -> list[MetricPoint]:
    """Return the points that count. Evidence is not made of what remains of a damaged file."""
    if not folder.metrics_file.exists():
        msg = f"directory: {folder.path} holds no measurements (metrics.jsonl is missing)."
        raise NotFoundError(msg, field="directory")
    items = [item_of_line(line) for line in LineReader(folder.metrics_file).read()]
    if None in items:
        msg = f"directory: metrics.jsonl in {folder.path} holds a line that is no measurement."
        raise InvalidInputError(msg, field="directory")
    return apply_rewinds(item for item in items if item is not None)


def _evaluation(evaluation: Evaluation) -> dict[str, Any]:
    finite = [value for value in evaluation.returns if math.isfinite(value)]
    return {
        "step": evaluation.step,
        "seed": evaluation.seed,
        "deterministic": evaluation.deterministic,
        "episodes": len(evaluation.returns),
        "mean": _finite(evaluation.mean_return),
        "min": min(finite, default=None),
        "max": max(finite, default=None),
    }


def _summary(values: Sequence[float]) -> dict[str, Any]:
    finite = [value for value in values if math.isfinite(value)]
    return {
        "count": len(values),
        "first": _finite(values[0]),
        "last": _finite(values[-1]),
        "min": min(finite, default=None),
        "max": max(finite, default=None),
    }


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _refuse(place: str, remedy: str) -> NoReturn:
    msg = f"{place}: this cannot be used. {remedy}"
    raise InvalidInputError(msg, field=place)


def _spec(data: object) -> dict[str, Any]:
    if not isinstance(data, Mapping):
        _refuse("run.spec", "Use an object of hyperparameters, such as RunSpec().to_dict().")
    try:
        given = spec_of_format_1({str(name): value for name, value in data.items()})
        return RunSpec.from_dict(given).to_dict()
    except InvalidInputError as error:
        msg = f"run.spec.{error.message}"
        raise InvalidInputError(msg, field=f"run.spec.{error.field}") from error


def _state(value: object) -> str:
    names = [state.value for state in RunState]
    if value not in names:
        _refuse("run.state", f"Use {', '.join(names)}.")
    return str(value)


def _metrics(data: object) -> dict[str, Any]:
    if not isinstance(data, Mapping):
        _refuse("run.metrics", "Use an object of summaries by the metric's name.")
    if len(data) > MAX_METRICS:
        _refuse("run.metrics", f"There are {len(data):,} metrics, and {MAX_METRICS} may be.")
    for name, summary in data.items():
        place = f"run.metrics.{str(name)[:80]}"
        try:
            metric_name(name)
        except InvalidInputError as error:
            _refuse(place, error.message)
        if not isinstance(summary, Mapping) or set(summary) != set(_SUMMARY):
            _refuse(place, f"Use an object with {', '.join(_SUMMARY)}.")
    return {
        name: {
            key: _whole(summary[key], f"run.metrics.{name}.count")
            if key == "count"
            else _maybe(summary[key], f"run.metrics.{name}.{key}")
            for key in _SUMMARY
        }
        for name, summary in data.items()
    }


def _evaluations(data: object) -> list[dict[str, Any]]:
    place = "run.evaluations"
    if not isinstance(data, Sequence) or isinstance(data, str | bytes):
        _refuse(place, f"Use a list of objects with {', '.join(_EVALUATION)}.")
    if len(data) > MAX_EVALUATIONS:
        _refuse(place, f"There are {len(data):,}, and {MAX_EVALUATIONS:,} may be.")
    checked = []
    for index, one in enumerate(data):
        here = f"{place}[{index}]"
        if not isinstance(one, Mapping) or set(one) != set(_EVALUATION):
            _refuse(here, f"Use an object with {', '.join(_EVALUATION)}.")
        if not isinstance(one["deterministic"], bool):
            _refuse(f"{here}.deterministic", "Use true or false.")
        found = {name: _whole(one[name], f"{here}.{name}") for name in ("step", "seed", "episodes")}
        returns = {name: _maybe(one[name], f"{here}.{name}") for name in ("mean", "min", "max")}
        checked.append({**found, "deterministic": one["deterministic"], **returns})
    return checked


def _returns(data: Mapping[str, Any], name: str, most: int) -> list[float | None]:
    values = data.get(name, [])
    place = f"run.{name}"
    if not isinstance(values, Iterable) or isinstance(values, str | bytes | Mapping):
        _refuse(place, "Use a list of numbers.")
    every = list(values)
    if len(every) > most:
        _refuse(place, f"There are {len(every):,} returns, and {most:,} may be.")
    return [_maybe(value, f"{place}[{index}]") for index, value in enumerate(every)]


def _whole(value: object, place: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _MAX_COUNT:
        _refuse(place, "Use a whole number from 0 on.")
    return value


def _maybe(value: object, place: str) -> float | None:
    return None if value is None else _number(value, place)


def _number(value: object, place: str) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    # Compared before float(), which refuses an integer of hundreds of digits.
    if not is_number or not -1e300 < value < 1e300:  # type: ignore[operator]
        _refuse(place, "Use a finite number.")
    return float(value)  # type: ignore[arg-type]
