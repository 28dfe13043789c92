"""The pieces around a gradient step, as the course has them one by one.

``optimizer.Adam`` joins the first three for the fast way, on one vector of all weights.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import nn

from jupyter_ppo.domain.errors import InvalidInputError
from jupyter_ppo.domain.schedules import Schedule

Arrays = list[NDArray[Any]]


def make_optimizer(parameters: Iterable[nn.Parameter], lr: float) -> torch.optim.Adam:
    """Return PyTorch's Adam with an epsilon of 1e-5, where it takes 1e-8 ([H] core detail 3)."""
    return torch.optim.Adam(parameters, lr=lr, eps=1e-5)


def annealed(start: float, update: int, n_updates: int) -> float:
    """Return a learning rate or clip range that falls on a line, at ``update`` 1 to ``n_updates``.

    The first update has ``start``; the last one still more than 0, which comes after it. Source:
    [H] core detail 4; clip range: auxiliary detail 1.
    """
    if not 1 <= update <= n_updates:
        msg = f"update: {update} is not within 1 and {n_updates}."
        raise InvalidInputError(msg, field="update")
    return Schedule.linear(start).at((update - 1) / n_updates)


def clip_grads(gradients: Sequence[ArrayLike], max_norm: float) -> tuple[Arrays, float]:
    """Return gradients, arrays of any shapes, that together are not longer than ``max_norm``.

    The second value is the length before: one norm for all of them. Shorter ones come back as they
    are. Source: [H] core detail 11; Pascanu et al. 2013, "On the Difficulty of Training Recurrent
    Neural Networks", algorithm 1. The 1e-6 is PyTorch's.
    """
    if not max_norm > 0:
        msg = f"max_norm: {max_norm} is not above 0."
        raise InvalidInputError(msg, field="max_norm")
    arrays = [np.asarray(gradient).copy() for gradient in gradients]
    norm = math.sqrt(sum(float(np.square(array, dtype=np.float64).sum()) for array in arrays))
    share = max_norm / (norm + 1e-6)
    if share < 1.0:
        arrays = [array * np.asarray(share, dtype=array.dtype) for array in arrays]
    return arrays, norm


def average_gradients(
    workers: Sequence[Sequence[ArrayLike]], sizes: Sequence[int] | None = None
) -> Arrays:
    """Return the mean over W workers of each of their gradients, arrays of any shapes.

    ``sizes``, one per worker, are the numbers of samples behind the gradients; the mean is then
    the one of all samples. A worker without samples does not count, even if its gradient is NaN.
    Source: [H] auxiliary detail 2.
    """
    if not workers or len({len(gradients) for gradients in workers}) > 1:
        msg = "workers: give at least one, all with the same number of gradients."
        raise InvalidInputError(msg, field="workers")
    counts = np.ones(len(workers)) if sizes is None else np.asarray(sizes, dtype=np.float64)
    if counts.shape != (len(workers),) or not np.all(counts >= 0) or not counts.sum() > 0:
        msg = f"sizes: give {len(workers)} numbers, none below 0 and not all 0."
        raise InvalidInputError(msg, field="sizes")
    found: Arrays = []
    for of_all in zip(*workers, strict=True):
        arrays = [np.asarray(gradient) for gradient in of_all]
        if len({array.shape for array in arrays}) > 1:
            shapes = ", ".join(str(array.shape) for array in arrays)
            msg = f"workers: the shapes of one gradient differ: {shapes}."
            raise InvalidInputError(msg, field="workers")
        mean = np.average(np.stack(arrays)[counts > 0], axis=0, weights=counts[counts > 0])
        found.append(np.asarray(mean, dtype=np.result_type(*arrays, np.float32)))
    return found
