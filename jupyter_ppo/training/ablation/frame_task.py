"""From the frames of a game to what the learner sees: the wrappers of the Atari details."""

from __future__ import annotations

import numpy as np

from jupyter_ppo.training.ablation.batch_task import Array, BatchTask, Discrete, Step
from jupyter_ppo.training.ablation.config import AblationConfig
from jupyter_ppo.training.ablation.games import NOTHING, SIZE, FrameGame
from jupyter_ppo.training.teaching.frames import LUMA

_REPEATS = 4


def warp(frames: Array, config: AblationConfig) -> Array:
    """Return (N, H, W, 3) uint8 frames as (N, C, H, W): grey, one channel or all three.

    The games have few pixels already, so nothing is made smaller here.
    """
    if config.warp == "three channels":
        return np.moveaxis(frames, -1, 1)
    if config.warp == "red channel":
        return frames[:, None, :, :, 0]
    gray: Array = np.rint(frames @ LUMA).astype(np.uint8)
    return gray[:, None]


class FrameTask(BatchTask):
    """A game behind no-op start, skipping, lives, FIRE, warping, reward clipping and a stack.

    With ``is_blind`` the screen shows how many decisions were made since the learner took over and
    nothing else: whatever policy is learned then is a fixed list of actions.
    """

    is_frames = True

    def __init__(self, game: FrameGame, config: AblationConfig, *, is_blind: bool = False) -> None:
        super().__init__(game.n_envs, game.rng)
        self._game, self._config, self._is_blind = game, config, is_blind
        self._channels = 3 if config.warp == "three channels" else 1
        self.actions = Discrete(game.n_actions)
        self.observation_shape = (config.frame_stack * self._channels, SIZE, SIZE)
        self._stack = np.zeros((game.n_envs, *self.observation_shape), dtype=np.uint8)
        self._decisions = np.zeros(game.n_envs, dtype=np.int64)

    def reset(self) -> Array:
        """Begin everywhere."""
        everywhere = np.ones(self.n_envs, dtype=bool)
        self._begin_games(everywhere)
        self._begin_episodes(everywhere)
        self._see(self._game.frames(), everywhere)
        return self._stack.copy()

    def step(self, actions: Array) -> Step:
        """Act for one frame, or for four."""
        game, config = self._game, self._config
        lives = game.lives.copy()
        rewards, frames = self._play(actions)
        is_over = game.over.copy()
        dones = is_over | (config.episodic_life & (game.lives < lives))
        self._count(rewards, is_over)
        self._decisions += 1
        if dones.any():
            self._begin_games(is_over)
            self._begin_episodes(dones)
            frames = np.where(dones[:, None, None, None], game.frames(), frames)
        self._see(frames, dones)
        seen = np.sign(rewards) if config.clip_rewards else rewards
        return Step(self._stack.copy(), seen, dones)

    def _play(self, actions: Array) -> tuple[Array, Array]:
        """Repeat the actions; return the rewards, added, and the frames that are seen."""
        game, skip = self._game, self._config.frame_skip
        everywhere = np.ones(self.n_envs, dtype=bool)
        if skip == "off":
            return game.play(actions, everywhere), game.frames()
        rewards = np.zeros(self.n_envs)
        frames = np.zeros(0, dtype=np.uint8)
        for repeat in range(_REPEATS):
            rewards += game.play(actions, everywhere)  # copies that are over stand still
            if repeat == _REPEATS - 2:
                frames = game.frames()
        last = game.frames()
        return rewards, np.maximum(frames, last) if skip == "max of two" else last

    def _begin_games(self, which: Array) -> None:
        """Begin new games, and do nothing for a random number of frames."""
        if not which.any():
            return
        game = self._game
        game.begin(which)
        if self._config.max_noops:
            noops = self.rng.integers(1, self._config.max_noops + 1, self.n_envs) * which
            nothing = np.full(self.n_envs, NOTHING)
            for frame in range(int(noops.max())):
                game.play(nothing, noops > frame)
            if (game.over & which).any():  # too long for this game: without it
                game.begin(game.over & which)

    def _begin_episodes(self, which: Array) -> None:
        """Press FIRE where the learner begins: a new game, or a new life."""
        self._decisions[which] = 0
        if self._config.fire_to_start and self._game.fire is not None:
            self._game.play(np.full(self.n_envs, self._game.fire), which)

    def _see(self, frames: Array, is_first: Array) -> None:
        """Put frames at the end of the stack, which is empty where an episode begins."""
        if self._is_blind:
            frames = self._clock_frames()
        self._stack[is_first] = 0
        self._stack = np.roll(self._stack, -self._channels, axis=1)
        self._stack[:, -self._channels :] = warp(frames, self._config)

    def _clock_frames(self) -> Array:
        """Draw one white pixel that moves on with every decision."""
        frames = np.zeros((self.n_envs, SIZE, SIZE, 3), dtype=np.uint8)
        place = self._decisions % (SIZE * SIZE)
        frames[np.arange(self.n_envs), place // SIZE, place % SIZE] = 255
        return frames
