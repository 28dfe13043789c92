"""Run the experiment of a detail, and say what came out with intervals."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from jupyter_ppo.domain.ablations import (
    CURVE_POINTS,
    FEWEST_SEEDS,
    AblationResult,
    AblationVariant,
    CurveData,
    Improvement,
    Scalar,
    sentence_of,
)
from jupyter_ppo.domain.details import detail_of
from jupyter_ppo.domain.errors import InvalidInputError
from jupyter_ppo.domain.statistics import Statistic
from jupyter_ppo.training.ablation.config import AblationConfig
from jupyter_ppo.training.ablation.experiments import Experiment, experiment_of
from jupyter_ppo.training.ablation.trainer import MEAN_SCORE, summary, train
from jupyter_ppo.training.exports.aggregate import aggregate
from jupyter_ppo.training.exports.comparison import interval_of, probability_of_improvement

DIGITS = 5  # of numbers that are kept


@dataclass(frozen=True, slots=True)
class OneRun:
    """What one variant gave with one seed."""

    final: float | None  # the last number; None: it diverged
    curve: tuple[tuple[float, float], ...]  # step and mean score


#: Told of every run before it begins: label of the variant, and seed.
Tell = Callable[[str, int], None]


def run_ablation(
    key: str,
    seeds: Sequence[int],
    *,
    folder: Path | None = None,
    tell: Tell | None = None,
) -> AblationResult:
    """Run all variants of a detail with all seeds and return what came out.

    ``folder`` keeps every finished run, so that a second call, or another detail with the same
    baseline, does not repeat it. Raises ``NotFoundError`` (field ``key``), and
    ``InvalidInputError`` (field ``seeds``) for fewer than five.
    """
    experiment = experiment_of(key)
    if len(set(seeds)) != len(seeds) or len(seeds) < FEWEST_SEEDS:
        msg = f"seeds: take at least {FEWEST_SEEDS}, all different; fewer say too little."
        raise InvalidInputError(msg, field="seeds")
    runs: dict[str, list[OneRun]] = {}
    for label, value in experiment.variants:
        runs[label] = []
        for seed in seeds:
            if tell is not None:
                tell(label, seed)
            runs[label].append(_kept_run(experiment, value, seed, folder))
    return result_of(experiment, seeds, runs)


def run_once(experiment: Experiment, config: AblationConfig, seed: int) -> OneRun:
    """Train, or measure, with one seed."""
    if experiment.measure is not None:
        return OneRun(_rounded(experiment.measure(config, seed)), ())
    assert experiment.setting is not None  # noqa: S101  (an experiment has one or the other)
    history, _ = train(config, experiment.setting, seed)
    final = summary(history, experiment.series, last=experiment.last)
    points = history.points.get(MEAN_SCORE, []) if experiment.is_return else []
    curve = tuple((float(step), _rounded(value)) for step, value in points)
    return OneRun(None if final is None else _rounded(final), curve)


def result_of(
    experiment: Experiment, seeds: Sequence[int], runs: dict[str, list[OneRun]]
) -> AblationResult:
    """Return the document of finished runs, by label; the statistics are those of its numbers."""
    detail = detail_of(experiment.key)
    variants: list[AblationVariant] = []
    for label, value in experiment.variants:
        final = tuple(number_of(experiment, run) for run in runs[label])
        better = None
        if variants and experiment.lower_is_better is not None:
            better = compare(final, variants[0].final, lower_is_better=experiment.lower_is_better)
        curve = _curve([run.curve for run in runs[label]])
        variants.append(variant_of(label, value, final, better, curve))
    finals = [value for variant in variants for value in variant.final]
    is_positive = all(value is not None and value > 0 for value in finals)
    setting = experiment.setting
    result = AblationResult(
        key=detail.key,
        number=detail.number,
        title=detail.title,
        flag=experiment.flag,
        environment=experiment.environment,
        varied=experiment.varied,
        kind="return" if experiment.is_return else "measurement",
        metric=experiment.metric,
        unit=experiment.unit,
        lower_is_better=experiment.lower_is_better,
        baseline=experiment.variants[0][0],
        variants=tuple(variants),
        curve_metric="mean score of the last 20 episodes" if experiment.is_return else "",
        log_scale=experiment.log_scale and is_positive,
        seeds=tuple(seeds),
        steps=setting.steps if setting is not None else 0,
        sentence=sentence_of(variants, experiment.note),
        versions=_versions(),
    )
    return AblationResult.from_dict(result.to_dict())


def number_of(experiment: Experiment, run: OneRun) -> float | None:
    """Return the number that is compared: of returns the mean height of the learning curve.

    The height tells fast learning from slow, and differs less from seed to seed than the end does.
    """
    if run.final is None or not experiment.is_return:
        return run.final
    return _rounded(sum(value for _, value in run.curve) / len(run.curve))


def variant_of(
    label: str,
    value: Scalar,
    final: tuple[float | None, ...],
    better: Improvement | None,
    curve: CurveData | None,
) -> AblationVariant:
    """Return a variant with its interquartile mean and interval: of the runs that have a number."""
    numbers = [number for number in final if number is not None]
    iqm: float | None = None
    low: float | None = None
    high: float | None = None
    if numbers:
        iqm, low, high = (_rounded(x) for x in interval_of(numbers))
    shown = "none" if value == float("inf") else value  # JSON has no infinity
    return AblationVariant(label, shown, final, iqm, low, high, better, curve)


def compare(
    new: Sequence[float | None], old: Sequence[float | None], *, lower_is_better: bool
) -> Improvement:
    """Return the probability of improvement; a run that diverged is worse than all others."""
    worst = float("inf") if lower_is_better else float("-inf")
    filled = [[worst if x is None else x for x in side] for side in (new, old)]
    better = probability_of_improvement(*filled, lower_is_better=lower_is_better)
    return Improvement(*(_rounded(x) for x in (better.probability, better.low, better.high)))


def _curve(curves: list[tuple[tuple[float, float], ...]]) -> CurveData | None:
    columns = [tuple(zip(*curve, strict=True)) for curve in curves if curve]
    pairs = [(steps, values) for steps, values in columns]
    band = aggregate(pairs, Statistic.IQM_BOOTSTRAP, points=CURVE_POINTS)
    if not band.steps:
        return None
    rounded = ([_rounded(x, 4) for x in c] for c in (band.centre, band.low, band.high))
    return CurveData(band.steps, *(tuple(column) for column in rounded))


def _kept_run(experiment: Experiment, value: Scalar, seed: int, folder: Path | None) -> OneRun:
    config = experiment.config(value)
    if folder is None:
        return run_once(experiment, config, seed)
    path = folder / f"{_fingerprint(experiment, config, seed)}.json"
    if path.exists():
        kept: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return OneRun(kept["final"], tuple((step, value) for step, value in kept["curve"]))
    run = run_once(experiment, config, seed)
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"final": run.final, "curve": run.curve})
    path.write_text(text, encoding="utf-8")
    return run


def _fingerprint(experiment: Experiment, config: AblationConfig, seed: int) -> str:
    """Return a name that is the same for runs that would be the same."""
    measured = experiment.measure.__name__ if experiment.measure else experiment.series
    parts = (config, experiment.setting, measured, experiment.last, seed)
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:24]


def _versions() -> dict[str, str]:
    packages = ("gymnasium", "numpy", "torch")
    return {"python": platform.python_version(), **{p: metadata.version(p) for p in packages}}


def _rounded(value: float, digits: int = DIGITS) -> float:
    return float(f"{value:.{digits}g}")
