"""Several runs side by side: how good each is, and equal settings as one line with an interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from jupyter_ppo.domain.access import Caller
from jupyter_ppo.domain.errors import InvalidInputError, NotFoundError
from jupyter_ppo.domain.run_records import TrainingRun
from jupyter_ppo.domain.statistics import BandData, Statistic, setting_key
from jupyter_ppo.services.training import TrainingService
from jupyter_ppo.services.training_reading import MAX_SERIES_BYTES, check_names
from jupyter_ppo.training.exports.aggregate import aggregate

#: The most runs and metrics of one comparison: each run's file is read as a whole.
MAX_RUNS, MAX_METRICS = 50, 20


@dataclass(frozen=True, slots=True)
class SettingBand:
    """One metric of the runs of one setting.

    ``settings`` are the values that differ between the settings that were compared.
    """

    run_ids: tuple[UUID, ...]
    env_id: str
    settings: dict[str, Any]
    metric: str
    band: BandData


class TrainingComparing:
    """Use cases over several runs. Every method takes the caller first and checks their rights."""

    def __init__(self, training: TrainingService) -> None:
        self._training = training

    def latest(
        self, caller: Caller, runs: Sequence[TrainingRun]
    ) -> tuple[tuple[float | None, float | None], ...]:
        """Return of each run the newest mean return and that of the newest evaluation."""
        found = []
        for run in runs:
            try:
                found.append(self._training.follow(caller, run.id).latest())
            except NotFoundError:  # it was deleted meanwhile
                found.append((None, None))
        return tuple(found)

    def bands(
        self,
        caller: Caller,
        run_ids: Sequence[UUID],
        metrics: Sequence[str],
        statistic: Statistic,
        *,
        points: int = 300,
    ) -> tuple[SettingBand, ...]:
        """Return a band for each setting and each metric that its runs have measured.

        Settings come in the order of their first runs. Raises ``NotFoundError`` for a run that the
        caller may not see, ``InvalidInputError`` for too many runs or too much to read (field
        ``ids``), and for too many or unknown metrics (field ``metric``).
        """
        ids = tuple(dict.fromkeys(run_ids))
        _check_counts(ids, metrics)
        runs = [self._training.run(caller, each) for each in ids]
        readers = {each: self._training.follow(caller, each) for each in ids}
        _check_size(sum(reader.metrics_bytes for reader in readers.values()))
        columns, measured = {}, set[str]()
        for each, reader in readers.items():
            columns[each], names = reader.columns(metrics)
            measured |= names
        check_names("metric", metrics, measured)
        groups = _groups(runs)
        differing = _differing([group[0] for group in groups])
        bands = []
        for group in groups:
            spec = group[0].spec.to_dict()
            settings = {name: spec[name] for name in differing}
            for metric in metrics:
                there = [run.id for run in group if metric in columns[run.id]]
                if there:
                    curves = [columns[each][metric] for each in there]
                    band = aggregate(curves, statistic, points=points)
                    made = SettingBand(tuple(there), group[0].spec.env_id, settings, metric, band)
                    bands.append(made)
        return tuple(bands)


def _check_counts(ids: Sequence[UUID], metrics: Sequence[str]) -> None:
    if not 1 <= len(ids) <= MAX_RUNS:
        msg = f"ids: {len(ids)} runs cannot be compared. Name 1 to {MAX_RUNS}."
        raise InvalidInputError(msg, field="ids")
    if not 1 <= len(metrics) <= MAX_METRICS:
        msg = f"metric: {len(metrics)} metrics cannot be compared at once. Name 1 to {MAX_METRICS}."
        raise InvalidInputError(msg, field="metric")


def _check_size(size: int) -> None:
    if size > MAX_SERIES_BYTES:
        msg = (
            f"ids: the metrics of these runs take {size // 2**20} MiB; at most "
            f"{MAX_SERIES_BYTES // 2**20} MiB are compared. Name fewer runs."
        )
        raise InvalidInputError(msg, field="ids")


def _groups(runs: Sequence[TrainingRun]) -> list[list[TrainingRun]]:
    groups: dict[str, list[TrainingRun]] = {}
    for run in runs:
        groups.setdefault(setting_key(run.spec), []).append(run)
    return list(groups.values())


def _differing(runs: Sequence[TrainingRun]) -> list[str]:
    """Return the names of settings that are not the same in all of these runs."""
    first, *others = [run.spec.to_dict() for run in runs]
    return [
        name
        for name, value in first.items()
        if name != "seed" and any(other[name] != value for other in others)
    ]
