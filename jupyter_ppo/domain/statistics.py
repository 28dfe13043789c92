"""Several runs of one setting as one line: which runs belong together, and what the line is."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from jupyter_ppo.domain.run_spec import RunSpec

#: Resamples of the bootstrap, and what its interval covers.
RESAMPLES: Final = 2000
CONFIDENCE: Final = 0.95


class Statistic(StrEnum):
    """What is drawn of several runs at a step."""

    MEDIAN_IQR = "median_iqr"  # median; from the 25th to the 75th percentile
    IQM_BOOTSTRAP = "iqm_bootstrap"  # Agarwal et al. 2021, arXiv:2108.13264

    @property
    def label(self) -> str:
        """What it is, in words."""
        if self is Statistic.MEDIAN_IQR:
            return "median and interquartile range"
        return f"interquartile mean and {CONFIDENCE:.0%} bootstrap interval".replace("%", " %")


@dataclass(frozen=True, slots=True)
class BandData:
    """A line with an interval around it; all four have the same length.

    Of a single run, ``low`` and ``high`` are the line itself: there is no interval.
    """

    steps: tuple[float, ...] = ()
    centre: tuple[float, ...] = ()
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()


def setting_key(spec: RunSpec) -> str:
    """Return a text that is equal exactly for specs that are equal in all but the seed."""
    values = spec.to_dict()
    del values["seed"]
    return json.dumps(values, sort_keys=True)


def group_by_setting(specs: Mapping[str, RunSpec]) -> list[list[str]]:
    """Return the names of specs that differ in their seed only, together; in the given order."""
    groups: dict[str, list[str]] = {}
    for name, spec in specs.items():
        groups.setdefault(setting_key(spec), []).append(name)
    return list(groups.values())
