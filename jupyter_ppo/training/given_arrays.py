"""Arrays that were handed to a formula, as float64; shapes that do not fit are refused by name.

NumPy would broadcast (B, 1) with (B,) to (B, B) without a word, and the loss of that still falls.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from jupyter_ppo.domain.errors import InvalidInputError

Floats = NDArray[np.float64]


def floats(name: str, value: Any) -> Floats:
    """Return an array of any shape; ``name`` is what a refusal calls it."""
    try:
        return np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError):
        msg = f"{name}: this is not an array of numbers."
        raise InvalidInputError(msg, field=name) from None


def same_shape(
    shape: str, ndims: tuple[int, ...] = (), *, is_filled: bool = False, **arrays: ArrayLike
) -> tuple[Floats, ...]:
    """Return arrays that must have the same shape, in their order.

    ``shape`` says in letters which one, ``ndims`` how many dimensions it may have (any when empty),
    and ``is_filled`` that there must be a number in it.
    """
    found = tuple(floats(name, value) for name, value in arrays.items())
    first = found[0]
    if (
        (ndims and first.ndim not in ndims)
        or any(array.shape != first.shape for array in found)
        or (is_filled and not first.size)
    ):
        name = next(iter(arrays))
        given = ", ".join(f"{key} {array.shape}" for key, array in zip(arrays, found, strict=True))
        msg = f"{name}: {given}: must be {shape}{', all alike' if len(found) > 1 else ''}."
        raise InvalidInputError(msg, field=name)
    return found


def of_shape(name: str, value: Any, shape: tuple[int, ...]) -> Floats:
    """Return an array that must have this shape."""
    found = floats(name, value)
    if found.shape != shape:
        msg = f"{name}: the shape is {found.shape}. It must be {shape}."
        raise InvalidInputError(msg, field=name)
    return found


def fraction(name: str, value: float) -> float:
    """Return a number that must be within 0 and 1, as a discount factor."""
    if not 0.0 <= value <= 1.0:
        msg = f"{name}: {value} is not within 0 and 1."
        raise InvalidInputError(msg, field=name)
    return float(value)
