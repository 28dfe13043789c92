"""What a loop of the user's own hands over, checked: numbers, steps and samples."""

from __future__ import annotations

import math
import operator
from array import array
from typing import Any, Final

from jupyter_ppo.domain.errors import InvalidInputError
from jupyter_ppo.domain.training import Minibatch
from jupyter_ppo.training.documents import MOST_SAMPLES

#: Bounds of ratios that are kept: exp(-80) and exp(80), ordinary float32 numbers.
_LEAST_RATIO, _MOST_RATIO = math.exp(-80.0), math.exp(80.0)
_LARGEST_FLOAT32: Final = 3.4e38


def number(name: str, value: Any) -> float:
    """Return one number, be it a tensor's; raise ``InvalidInputError`` naming it."""
    if type(value) is float:
        return value
    try:
        if isinstance(value, str | bytes):
            raise TypeError
        return float(value.item() if hasattr(value, "item") else value)
    except (TypeError, ValueError, RuntimeError, OverflowError):
        msg = (
            f"{name}: {str(value)[:80]!r} ({type(value).__name__}) is not one number. "
            "Log a number, such as loss.item() or values.mean()."
        )
        raise InvalidInputError(msg, field=name) from None


def step_after(last: int, step: Any) -> int:
    """Return a count of steps that is not below ``last``; raise ``InvalidInputError``."""
    try:
        count = operator.index(step)
    except TypeError:
        count = -1
    if isinstance(step, bool) or not 0 <= count < 2**53:
        msg = f"step: {str(step)[:80]!r} is no count of steps. Use a whole number from 0."
        raise InvalidInputError(msg, field="step")
    if count < last:
        msg = (
            f"step: {count} comes after {last}. Count environment steps, which only grow; for "
            "another training begin a new run."
        )
        raise InvalidInputError(msg, field="step")
    return count


def minibatch(
    step: int, update: int, ratios: Any, advantages: Any, clip_range: Any
) -> Minibatch | None:
    """Return up to 256 of the samples, evenly spaced; None when no sample is finite.

    Samples that are not finite cannot be drawn and are left out; ratios are kept within
    exp(-80) and exp(80). Raises ``InvalidInputError`` naming what is wrong.
    """
    epsilon = number("clip_range", clip_range)
    if not 0.0 < epsilon < math.inf:
        msg = f"clip_range: {epsilon:g} is no clip range. Use a positive number, such as 0.2."
        raise InvalidInputError(msg, field="clip_range")
    given = _numbers("ratios", ratios), _numbers("advantages", advantages)
    size = len(given[0])
    if len(given[1]) != size or not size:
        msg = f"advantages: {len(given[1])} advantages for {size} ratios; give one for each sample."
        raise InvalidInputError(msg, field="advantages")
    count = min(size, MOST_SAMPLES)
    kept = [(2 * i + 1) * size // (2 * count) for i in range(count)]
    samples = [(given[0][i], given[1][i]) for i in kept]
    if any(ratio < 0.0 for ratio, _ in samples):
        msg = (
            "ratios: a ratio of probabilities is not negative. "
            "Give exp(new_log_prob - old_log_prob), not the log ratio."
        )
        raise InvalidInputError(msg, field="ratios")
    drawable = [
        (min(max(ratio, _LEAST_RATIO), _MOST_RATIO), advantage)
        for ratio, advantage in samples
        if not math.isnan(ratio) and abs(advantage) < _LARGEST_FLOAT32
    ]
    if not drawable:
        return None
    return Minibatch(
        step=step,
        update=update,
        clip_range=epsilon,
        rollout_size=size,
        ratios=array("f", [ratio for ratio, _ in drawable]),
        advantages=array("f", [advantage for _, advantage in drawable]),
    )


def _numbers(name: str, values: Any) -> list[float]:
    """Return the numbers of a list, an array or a tensor of any shape, in order."""
    try:
        if isinstance(values, str | bytes):
            raise TypeError
        if hasattr(values, "detach"):  # a tensor, which may need gradients
            values = values.detach().cpu()
        plain = values.reshape(-1).tolist() if hasattr(values, "reshape") else list(values)
        return [float(value) for value in plain]
    except (TypeError, ValueError, RuntimeError, OverflowError, AttributeError):
        msg = f"{name}: {type(values).__name__} is no array of numbers. Give one for each sample."
        raise InvalidInputError(msg, field=name) from None
