"""Usual causes of trouble in a PPO run, and which of them a run's figures support.

Sources: Schulman et al. 2017, "Proximal Policy Optimization Algorithms"; Engstrom et al. 2020,
"Implementation Matters"; Andrychowicz et al. 2021, "What Matters in On-Policy Reinforcement
Learning"; Huang et al. 2022, "The 37 Implementation Details of PPO".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from jupyter_ppo.domain.training import Metric

_HIGH_LEARNING_RATE = 1e-3
_HIGH_KL = 0.03
_MUCH_CLIPPED = 0.3
_POOR_CRITIC = 0.1


class Figure(Protocol):
    """A metric at the update."""

    @property
    def value(self) -> float:
        """What was measured; NaN where nothing was."""

    @property
    def is_high(self) -> bool:
        """Whether it is unusually high."""

    @property
    def is_low(self) -> bool:
        """Whether it is unusually low."""


@dataclass(frozen=True, slots=True)
class Cause:
    """A usual cause: what it means here, what speaks against it, and what to try."""

    title: str
    means: str
    against: str
    attempt: str


@dataclass(frozen=True, slots=True)
class _Seen:
    figures: Mapping[str, Figure]
    changes: Sequence[str]

    def high(self, metric: str) -> bool:
        found = self.figures.get(metric)
        return found is not None and found.is_high

    def low(self, metric: str) -> bool:
        found = self.figures.get(metric)
        return found is not None and found.is_low

    def value(self, metric: str, default: float = 0.0) -> float:
        found = self.figures.get(metric)
        return default if found is None or found.value != found.value else found.value

    def has(self, *metrics: str) -> bool:
        return all(metric in self.figures for metric in metrics)


def causes(
    figures: Mapping[str, Figure],
    changes: Sequence[str],
    unusual: float,
) -> tuple[tuple[Cause, ...], tuple[Cause, ...]]:
    """Return the causes that the figures support, and those that they speak against.

    A cause whose metrics were not measured is in neither. ``unusual`` is from how many robust
    deviations on a figure counts as unusual.
    """
    supported: list[Cause] = []
    unsupported: list[Cause] = []
    for is_supported, cause in _judged(_Seen(figures, changes), unusual):
        (supported if is_supported else unsupported).append(cause)
    return tuple(supported), tuple(unsupported)


def _judged(seen: _Seen, unusual: float) -> Iterator[tuple[bool, Cause]]:
    kl, clipped = Metric.APPROX_KL, Metric.CLIP_FRACTION
    if seen.has(kl):
        value = seen.value(kl)
        is_large = seen.high(kl) or value > _HIGH_KL
        yield (
            is_large,
            Cause(
                "steps that are too large",
                f"The policy moved far in one update: approx_kl is {value:.3g} (0.003 to 0.03 is "
                f"usual), clip_fraction {seen.value(clipped):.2g}.",
                f"approx_kl is {value:.3g}, within {unusual:g} robust deviations of what was usual "
                f"and not above {_HIGH_KL:g}.",
                "A lower learning rate, fewer epochs, or a target_kl that ends the epochs early.",
            ),
        )
    if seen.has(clipped):
        value = seen.value(clipped)
        yield (
            seen.high(clipped) or value > _MUCH_CLIPPED,
            Cause(
                "much is clipped",
                f"{value:.0%} of the samples lie outside the clip range, so they no longer push "
                "back: the later epochs of this update worked with the rest.",
                f"clip_fraction is {value:.2g}; up to {_MUCH_CLIPPED:g} is usual.",
                "Fewer epochs or larger minibatches; look at clip_fraction after each.",
            ),
        )
    if seen.has(Metric.LEARNING_RATE):
        yield _learning_rate(seen)
    if seen.has(Metric.EXPLAINED_VARIANCE):
        value = seen.value(Metric.EXPLAINED_VARIANCE)
        is_poor = seen.low(Metric.EXPLAINED_VARIANCE) or value < _POOR_CRITIC
        yield (
            is_poor,
            Cause(
                "a critic that does not follow",
                f"explained_variance is {value:.3g}: the advantages of this update were little "
                "better than noise, so the policy may have moved in a wrong direction.",
                f"explained_variance is {value:.3g}, so the critic predicted the returns about as "
                "well as before.",
                "More value epochs or a larger value coefficient, normalised returns, or larger "
                "rollouts.",
            ),
        )
    if seen.has(Metric.VALUE_LOSS):
        yield (
            seen.high(Metric.VALUE_LOSS),
            Cause(
                "returns that jumped",
                f"value_loss is {seen.value(Metric.VALUE_LOSS):.3g}, far above what was usual: the "
                "returns of this rollout were unlike those before (new parts of the task, or a "
                "policy that broke), and shared layers pull the policy along.",
                "value_loss is not unusual.",
                "Normalise rewards, clip the gradient's norm, or give actor and critic networks of "
                "their own.",
            ),
        )
    if seen.has(Metric.ENTROPY):
        value = seen.value(Metric.ENTROPY)
        yield (
            seen.low(Metric.ENTROPY),
            Cause(
                "exploration that collapsed",
                f"entropy fell to {value:.3g}: the policy became nearly sure, and small changes of "
                "its weights now change probabilities a lot.",
                f"entropy is {value:.3g}, not unusually low.",
                "A larger entropy coefficient, or a smaller learning rate.",
            ),
        )
    if seen.has(Metric.ACTION_STD):
        value = seen.value(Metric.ACTION_STD)
        yield (
            seen.low(Metric.ACTION_STD),
            Cause(
                "actions with too little spread",
                f"action_std fell to {value:.3g}. KL of a Gaussian grows with (change of the mean "
                "/ std) squared, so the same step of the mean counts for more.",
                f"action_std is {value:.3g}, not unusually low.",
                "A lower bound of the log standard deviation, or a larger entropy coefficient.",
            ),
        )
    if seen.has(Metric.MEAN_RETURN) and seen.low(Metric.MEAN_RETURN):
        yield (
            True,
            Cause(
                "a policy that got worse",
                f"mean_return fell to {seen.value(Metric.MEAN_RETURN):.4g}: the update did harm, "
                "or the episodes before it did; compare with approx_kl one or two updates earlier.",
                "",
                "Go on from the checkpoint before it with smaller steps.",
            ),
        )
    if seen.changes:
        yield (
            True,
            Cause(
                "a change while it ran",
                f"Somebody changed settings just before: {'; '.join(seen.changes)}.",
                "",
                "Run once more without the change, with the same seed.",
            ),
        )


def _learning_rate(seen: _Seen) -> tuple[bool, Cause]:
    value = seen.value(Metric.LEARNING_RATE)
    is_cause = seen.high(Metric.LEARNING_RATE) or value > _HIGH_LEARNING_RATE
    return (
        is_cause,
        Cause(
            "a learning rate that is too high",
            f"learning_rate is {value:.3g} at this update; 1e-5 to {_HIGH_LEARNING_RATE:g} is "
            "usual.",
            f"learning_rate is {value:.3g}, within the usual range and without a jump.",
            "A third of the learning rate, or a schedule that lets it fall to 0.",
        ),
    )
