"""Two games of 16 x 16 coloured pixels, in which the Atari details matter. Our own; no ROMs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Final

import numpy as np

from jupyter_ppo.training.ablation.batch_task import Array

SIZE: Final = 16
NOTHING: Final = 0  # the action that every game takes for "do nothing"


class FrameGame(ABC):
    """N copies of a game that goes on by single frames. ``over`` copies stand still."""

    n_actions: int
    fire: int | None = None  # the action that begins, where the game waits for it

    def __init__(self, n_envs: int, rng: np.random.Generator) -> None:
        self.n_envs = n_envs
        self.rng = rng
        self.lives = np.ones(n_envs, dtype=np.int64)
        self.over = np.zeros(n_envs, dtype=bool)

    @abstractmethod
    def begin(self, which: Array) -> None:
        """Begin a new game in some copies, (N,) bool."""

    @abstractmethod
    def play(self, actions: Array, which: Array) -> Array:
        """Go on by one frame in the copies of ``which`` that are not over; (N,) rewards."""

    @abstractmethod
    def frames(self) -> Array:
        """Return what is on the screens: (N, 16, 16, 3) uint8."""


@dataclass(frozen=True, slots=True)
class CatchRules:
    """How Catch is played."""

    n_balls: int = 5
    lives: int = 0  # that misses cost; 0: misses cost nothing
    drifts: bool = False  # balls move sideways too
    flickers: bool = False  # balls are drawn in every second frame only
    colours: bool = False  # balls are red, green or blue; otherwise white
    waits_for_fire: bool = False  # at the beginning and after a miss
    same_balls: bool = False  # every game drops them in the same columns
    has_jackpot: bool = False  # one ball of each game is bright and worth 100; others are dim


class Catch(FrameGame):
    """Balls fall, one row in two frames; a paddle of four pixels catches them: 1 for each.

    Actions: 0 nothing, 1 left, 2 right, and 3 fire in a game that waits for it. The paddle moves
    one pixel in a frame.
    """

    _WIDTH = 4
    _FRAMES_PER_BALL = 2 * (SIZE - 1)

    def __init__(self, n_envs: int, rng: np.random.Generator, rules: CatchRules) -> None:
        super().__init__(n_envs, rng)
        self._rules = rules
        self.n_actions = 4 if rules.waits_for_fire else 3
        self.fire = 3 if rules.waits_for_fire else None
        self._same_columns = np.random.default_rng(7).integers(0, SIZE, rules.n_balls)
        whole = np.zeros(n_envs, dtype=np.int64)
        self._paddle, self._column, self._drift = whole.copy(), whole.copy(), whole.copy()
        self._half_row, self._ball, self._clock = whole.copy(), whole.copy(), whole.copy()
        self._phase, self._colour, self._worth = whole.copy(), whole.copy(), whole.copy()
        self._lucky = whole.copy()
        self._is_waiting = np.zeros(n_envs, dtype=bool)

    def begin(self, which: Array) -> None:
        """Begin with the paddle in the middle."""
        count = int(which.sum())
        self.over[which] = False
        self.lives[which] = self._rules.lives or 1
        self._paddle[which] = (SIZE - self._WIDTH) // 2
        self._ball[which] = 0
        self._clock[which] = 0
        self._phase[which] = self.rng.integers(0, 2, count)
        self._lucky[which] = self.rng.integers(0, self._rules.n_balls, count)
        self._drop(which)
        self._is_waiting[which] = self._rules.waits_for_fire

    def play(self, actions: Array, which: Array) -> Array:
        """Move paddle and ball."""
        active = which & ~self.over
        self._clock += active
        if self.fire is not None:
            self._is_waiting &= ~(active & (actions == self.fire))
        move = (actions == 2).astype(np.int64) - (actions == 1)
        self._paddle = np.clip(self._paddle + move * active, 0, SIZE - self._WIDTH)
        falling = active & ~self._is_waiting
        self._half_row += falling
        if self._rules.drifts:
            self._sideways(falling & (self._half_row % 2 == 0))
        landed = falling & (self._half_row >= self._FRAMES_PER_BALL)
        rewards = np.zeros(self.n_envs)
        if landed.any():
            is_caught = (self._column >= self._paddle) & (self._column < self._paddle + self._WIDTH)
            rewards = np.where(landed & is_caught, self._worth, 0).astype(np.float64)
            self._land(landed, landed & ~is_caught)
        limit = self._rules.n_balls * (self._FRAMES_PER_BALL + 1)
        self.over |= active & (self._clock >= limit)
        return rewards

    def frames(self) -> Array:
        """Draw paddle and ball."""
        frames = np.zeros((self.n_envs, SIZE, SIZE, 3), dtype=np.uint8)
        rows = np.arange(self.n_envs)
        for pixel in range(self._WIDTH):
            frames[rows, SIZE - 1, self._paddle + pixel] = 255
        is_drawn = ~self._is_waiting
        if self._rules.flickers:
            is_drawn &= (self._clock + self._phase) % 2 == 0
        copies = rows[is_drawn]
        colour = np.full((len(copies), 3), 255, dtype=np.uint8)
        if self._rules.colours:
            colour = np.eye(3, dtype=np.uint8)[self._colour[copies]] * np.uint8(255)
        if self._rules.has_jackpot:
            colour[self._worth[copies] == 1] = 100
        row = np.minimum(self._half_row[copies] // 2, SIZE - 1)
        frames[copies, row, self._column[copies]] = colour
        return frames

    def _sideways(self, which: Array) -> None:
        column = self._column + self._drift * which
        is_wall = (column < 0) | (column >= SIZE)
        self._drift = np.where(is_wall, -self._drift, self._drift)
        self._column = np.where(is_wall, self._column, column)

    def _land(self, landed: Array, missed: Array) -> None:
        """Count the balls and drop new ones."""
        self._ball += landed
        if self._rules.lives:
            self.lives -= missed
            self.over |= missed & (self.lives == 0)
        self.over |= landed & (self._ball >= self._rules.n_balls)
        self._drop(landed)
        if self._rules.waits_for_fire:
            self._is_waiting |= missed

    def _drop(self, which: Array) -> None:
        count = int(which.sum())
        self._half_row[which] = 0
        if self._rules.same_balls:
            self._column[which] = self._same_columns[self._ball[which] % self._rules.n_balls]
        else:
            self._column[which] = self.rng.integers(0, SIZE, count)
        self._drift[which] = self.rng.integers(-1, 2, count)
        self._colour[which] = self.rng.integers(0, 3, count)
        is_jackpot = self._rules.has_jackpot & (self._ball == self._lucky)
        self._worth[which] = np.where(is_jackpot, 100, 1)[which]


class MovingDot(FrameGame):
    """A dot goes round in a row; the action must name its direction, which no single frame shows.

    Actions: 0 is left and 1 is right. A right frame gives 1/32; a game has 32 frames. The dot moves
    one pixel in two frames.
    """

    _LENGTH = 32

    def __init__(self, n_envs: int, rng: np.random.Generator) -> None:
        super().__init__(n_envs, rng)
        self.n_actions = 2
        whole = np.zeros(n_envs, dtype=np.int64)
        self._start, self._direction = whole.copy(), whole.copy()
        self._clock = whole.copy()

    def begin(self, which: Array) -> None:
        """Begin with a dot anywhere."""
        count = int(which.sum())
        self.over[which] = False
        self._clock[which] = 0
        self._start[which] = self.rng.integers(0, SIZE, count)
        self._direction[which] = self.rng.choice([-1, 1], count)

    def play(self, actions: Array, which: Array) -> Array:
        """Let the dot move."""
        active = which & ~self.over
        self._clock += active
        is_right = (actions == 1) == (self._direction == 1)
        self.over |= active & (self._clock >= self._LENGTH)
        rewards: Array = np.where(active & is_right, 1 / self._LENGTH, 0.0)
        return rewards

    def frames(self) -> Array:
        """Draw the dot."""
        frames = np.zeros((self.n_envs, SIZE, SIZE, 3), dtype=np.uint8)
        column = (self._start + self._direction * (self._clock // 2)) % SIZE
        frames[np.arange(self.n_envs), SIZE // 2, column] = 255
        return frames
