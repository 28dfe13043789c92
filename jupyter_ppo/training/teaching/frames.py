"""What stands between an Atari game and its agent, in NumPy; [H] Atari details 1 to 7 and 9.

An environment here is any object with Gymnasium's ``reset`` and ``step``; games need not be there.
Images are uint8, (H, W, 3), red, green and blue; those of the games are 210 by 160.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from jupyter_ppo.domain.errors import InvalidInputError

NOOP, FIRE = 0, 1
Info = dict[str, Any]
LUMA = np.array([0.299, 0.587, 0.114])  # of red, green and blue in grey: ITU-R BT.601
_SIDE = 84
_STACK = 4


class Game(Protocol):
    """An environment of Gymnasium's kind."""

    def reset(self) -> tuple[Any, Info]:
        """Begin an episode; return the first observation, and more."""

    def step(self, action: int) -> tuple[Any, float, bool, bool, Info]:
        """Return observation, reward, terminated, truncated, and more."""


def start_episode(
    env: Game, rng: np.random.Generator, noop_max: int = 30, fire: bool = True
) -> Any:
    """Return the first observation after 1 to ``noop_max`` no-ops, and then one FIRE if wanted.

    The no-ops make starts differ, and some games wait for FIRE. Where the episode ends on the way,
    it begins anew. Source: [H] Atari details 1 and 4; Mnih et al. 2015, methods.
    """
    if noop_max < 1:
        msg = f"noop_max: {noop_max} is too few. Use at least 1."
        raise InvalidInputError(msg, field="noop_max")
    observation, _ = env.reset()
    for action in [NOOP] * int(rng.integers(1, noop_max + 1)) + [FIRE] * fire:
        observation, _, terminated, truncated, _ = env.step(action)
        if terminated or truncated:
            observation, _ = env.reset()
    return observation


def skip_step(
    env: Game, action: int, skip: int = 4
) -> tuple[NDArray[Any], float, float, bool, bool]:
    """Take ``action`` up to ``skip`` times; return frame, reward, score, terminated, truncated.

    The frame is the maximum of the last two observations (sprites flicker), the reward the sign of
    the sum, the score the sum itself; an end comes through at once. Source: [H] Atari details 2
    and 6.
    """
    if skip < 1:
        msg = f"skip: {skip} is too few. Use at least 1."
        raise InvalidInputError(msg, field="skip")
    seen: list[NDArray[Any]] = []
    score = 0.0
    for _ in range(skip):
        observation, reward, terminated, truncated, _ = env.step(action)
        seen.append(np.asarray(observation))
        score += float(reward)
        if terminated or truncated:
            break
    frame: NDArray[Any] = np.max(seen[-2:], axis=0)
    return frame, float(np.sign(score)), score, terminated, truncated


class EpisodicLife:
    """A game in which a lost life ends the episode, though the game goes on.

    ``info["lives"]`` says how many are left. The value of what comes after a lost life then is 0,
    which warns the agent. Contested: Machado et al. 2018, "Revisiting the Arcade Learning
    Environment", advise against it. Source: [H] Atari detail 3.
    """

    def __init__(self, env: Game) -> None:
        self._env = env
        self._lives = 0
        self._is_over = True  # the whole game

    def reset(self) -> tuple[Any, Info]:
        """Begin a new game if the last one is over, else go on after a no-op."""
        if not self._is_over:
            observation, _, terminated, truncated, info = self._env.step(NOOP)
            self._is_over = terminated or truncated
        if self._is_over:
            observation, info = self._env.reset()
            self._is_over = False
        self._lives = info["lives"]
        return observation, info

    def step(self, action: int) -> tuple[Any, float, bool, bool, Info]:
        """Step; ``terminated`` also where a life is lost and others are left."""
        observation, reward, terminated, truncated, info = self._env.step(action)
        self._is_over = terminated or truncated
        is_life_lost = 0 < info["lives"] < self._lives
        self._lives = info["lives"]
        return observation, reward, terminated or is_life_lost, truncated, info


def preprocess(frames: ArrayLike) -> NDArray[np.float32]:
    """Return the last four images, oldest first, as the network takes them: (4, 84, 84) float32.

    ``frames`` are (n, H, W, 3) uint8; the first is repeated while there are fewer than four. Gray
    is 0.299 red + 0.587 green + 0.114 blue; each pixel is the mean of the area that it covers;
    numbers are within 0 and 1. Four in a row show where things move. Source: [H] Atari details 5, 7
    and 9. (The original rounds to uint8 in between, which saves memory.)
    """
    images = np.asarray(frames)
    if images.ndim != 4 or images.shape[3] != 3 or images.dtype != np.uint8 or not images.size:
        msg = f"frames: {images.shape} {images.dtype} must be (n, H, W, 3) uint8."
        raise InvalidInputError(msg, field="frames")
    last = np.maximum(np.arange(len(images) - _STACK, len(images)), 0)
    gray = images[last] @ LUMA
    rows, columns = (_area_weights(size) for size in gray.shape[1:])
    stack: NDArray[np.float32] = (rows @ gray @ columns.T / 255.0).astype(np.float32)
    return stack


def _area_weights(size: int) -> NDArray[np.float64]:
    """Return how much each of ``size`` pixels counts for each of 84, (84, size); rows add to 1."""
    edges = np.arange(_SIDE + 1) * (size / _SIDE)
    begins, ends = edges[:-1, None], edges[1:, None]
    pixels = np.arange(size)[None, :]
    covered = np.minimum(ends, pixels + 1) - np.maximum(begins, pixels)
    weights: NDArray[np.float64] = np.maximum(covered, 0.0) * (_SIDE / size)
    return weights
