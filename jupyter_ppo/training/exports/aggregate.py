"""Curves of several runs as one line with an interval."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from jupyter_ppo.domain.errors import InvalidInputError
from jupyter_ppo.domain.statistics import CONFIDENCE, RESAMPLES, BandData, Statistic
from jupyter_ppo.training.exports.needs import needs
from jupyter_ppo.training.metric_log import read_columns

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, np.dtype[np.float64]]

#: Steps and values of one metric of one run, steps not decreasing.
Curve = tuple[Sequence[float], Sequence[float]]

_SEED: Final = 0  # of the bootstrap: the same runs give the same interval
#: At most so many resampled values are held at once, 8 bytes each.
_BLOCK: Final = 2_000_000


def aggregate(curves: Sequence[Curve], statistic: Statistic | str, points: int = 300) -> BandData:
    """Return the centre of several curves and an interval, at no more than ``points`` steps.

    At a step each curve counts with its last value until then (NaN is no value). Steps are those at
    which all curves have begun and none has ended; curves without values are left out.

    - MEDIAN_IQR: the median, and the 25th and 75th percentile, linear between values.
    - IQM_BOOTSTRAP: the interquartile mean, which is the mean without the lowest and highest
      quarter of the runs, rounded down (of 2 or 3 runs: the mean of all), and its 95 % percentile
      bootstrap interval over 2,000 resamples of whole runs. All runs are of one environment, so
      there is one stratum (Agarwal et al. 2021, "Deep Reinforcement Learning at the Edge of the
      Statistical Precipice", arXiv:2108.13264). A fixed seed makes it the same each time.

    With one curve there is no interval. Raises ``InvalidInputError`` (field ``statistic``,
    ``points`` or ``curves``) and ``UnavailableError`` without NumPy.
    """
    wanted = _checked(statistic, points)
    needs("numpy")
    import numpy as np

    from jupyter_ppo.training.teaching.scores import interquartile_means

    rows = [_finite(curve) for curve in curves]
    rows = [row for row in rows if row[0].size]
    if not rows:
        return BandData()
    grid = _common_steps([steps for steps, _ in rows], points)
    if not grid.size:
        return BandData()
    values = np.stack(
        [values[np.searchsorted(steps, grid, side="right") - 1] for steps, values in rows], axis=1
    )
    if len(rows) == 1:
        centre = low = high = values[:, 0]
    elif wanted is Statistic.MEDIAN_IQR:
        low, centre, high = np.percentile(values, (25, 50, 75), axis=1)
    else:
        centre = interquartile_means(values)
        low, high = _bootstrap_interval(values)
    columns = (grid, centre, low, high)
    return BandData(*(tuple(column.tolist()) for column in columns))


def read_curves(metrics_files: Iterable[Path], metric: str) -> list[Curve]:
    """Return one metric of the runs with these files; without points where it is not measured."""
    found: list[Curve] = []
    for path in metrics_files:
        found.append(read_columns(path).get(metric, ((), ())))
    return found


def _checked(statistic: Statistic | str, points: int) -> Statistic:
    if points < 2:
        msg = f"points: {points} is too few to draw a line. Use at least 2."
        raise InvalidInputError(msg, field="points")
    try:
        return Statistic(statistic)
    except ValueError:
        known = ", ".join(Statistic)
        msg = f"statistic: {str(statistic)[:80]!r} is not known. Use {known}."
        raise InvalidInputError(msg, field="statistic") from None


def _finite(curve: Curve) -> tuple[Array, Array]:
    """Return the points of a curve that have a value."""
    import numpy as np

    steps, values = (np.asarray(column, dtype=np.float64) for column in curve)
    if steps.shape != values.shape:
        msg = f"curves: {values.size} values do not belong to {steps.size} steps."
        raise InvalidInputError(msg, field="curves")
    if np.any(steps[1:] < steps[:-1]):
        msg = "curves: the steps of a curve decrease. Sort its points by step."
        raise InvalidInputError(msg, field="curves")
    is_value = np.isfinite(values)
    return steps[is_value], values[is_value]


def _common_steps(every: Sequence[Array], points: int) -> Array:
    """Return the steps of all curves where all are there, or fewer at equal distances."""
    import numpy as np

    begin, end = max(steps[0] for steps in every), min(steps[-1] for steps in every)
    if begin > end:
        return np.empty(0)
    union = np.unique(np.concatenate(every))
    union = union[(union >= begin) & (union <= end)]
    if union.size <= points:
        return np.asarray(union)
    # On steps that were measured, so that none is made up.
    places = np.searchsorted(union, np.linspace(begin, end, points), side="right") - 1
    fewer: Array = union[np.unique(places)]
    return fewer


def _bootstrap_interval(values: Array) -> tuple[Array, Array]:
    """Return the ends of the interval at each step; ``values`` has a row for each step."""
    import numpy as np

    from jupyter_ppo.training.teaching.scores import interquartile_means

    steps, runs = values.shape
    drawn = np.random.default_rng(_SEED).integers(runs, size=(RESAMPLES, runs))
    tail = 100 * (1 - CONFIDENCE) / 2
    block = max(_BLOCK // drawn.size, 1)
    ends = []
    for first in range(0, steps, block):
        resampled = values[first : first + block][:, drawn]
        ends.append(np.percentile(interquartile_means(resampled), (tail, 100 - tail), axis=-1))
    low, high = np.concatenate(ends, axis=-1)
    return low, high
