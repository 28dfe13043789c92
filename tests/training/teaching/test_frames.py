from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_ppo.domain.errors import InvalidInputError
from jupyter_ppo.training.teaching.frames import (
    EpisodicLife,
    preprocess,
    skip_step,
    start_episode,
)


class Game:
    """Writes down what is asked of it. Two sprites take turns; a life is lost every third step."""

    def __init__(self, length=100, lives=3):
        self.taken: list[object] = []
        self._length, self._most = length, lives

    def reset(self):
        self.taken.append("reset")
        self._t = 0
        return self._frame(), {"lives": self._lives()}

    def step(self, action):
        self._t += 1
        self.taken.append(action)
        is_over = self._t == self._length or self._lives() == 0
        return self._frame(), 10.0 * self._t, is_over, False, {"lives": self._lives()}

    def _lives(self):
        return max(self._most - self._t // 3, 0)

    def _frame(self):
        frame = np.zeros((2, 2), np.uint8)
        frame[self._t % 2] = self._t
        return frame


def test_episodes_begin_after_a_drawn_number_of_no_ops_and_one_fire():
    counts = []
    for seed in range(300):
        game = Game()
        observation = start_episode(game, np.random.default_rng(seed), noop_max=5)
        assert game.taken[0] == "reset"
        assert game.taken[1:-1] == [0] * (len(game.taken) - 2)
        assert game.taken[-1] == 1
        counts.append(len(game.taken) - 2)
        assert observation.max() == len(game.taken) - 1
    assert set(counts) == {1, 2, 3, 4, 5}
    expected = np.random.default_rng(7).integers(1, 6)
    assert counts[7] == expected


def test_fire_is_pressed_only_where_it_is_wanted():
    game = Game()
    start_episode(game, np.random.default_rng(0), fire=False)
    assert 1 not in game.taken


def test_an_end_during_the_no_ops_or_at_the_fire_begins_again():
    game = Game(length=2)
    start_episode(game, np.random.default_rng(0), noop_max=30)
    assert game.taken.count("reset") > 1
    for first, second in zip(game.taken, game.taken[1:], strict=False):
        assert first == "reset" or second != "reset" or first in {0, 1}
    assert "resetreset" not in "".join(map(str, game.taken))


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 6), st.integers(1, 6))
def test_a_skip_ends_early_and_shows_both_sprites(skip, length):
    game = Game(length=length, lives=100)
    game.reset()
    observation, reward, score, terminated, truncated = skip_step(game, 2, skip)
    steps = min(skip, length)
    assert game.taken == ["reset"] + [2] * steps
    assert (reward, score) == (1.0, sum(10.0 * t for t in range(1, steps + 1)))
    assert (terminated, truncated) == (length <= skip, False)
    expected = sorted([steps, steps - 1] if steps > 1 else [steps, 0])
    assert sorted(observation[:, 0]) == expected


def test_rewards_keep_their_sign_only():
    class Paying(Game):
        def __init__(self, rewards):
            super().__init__()
            self._rewards = iter(rewards)

        def step(self, action):
            observation, _, *rest = super().step(action)
            return observation, next(self._rewards), *rest

    for rewards, sign in (([5, -1, 0, 0], 1.0), ([-5, 1, 0, 0], -1.0), ([3, -3, 0, 0], 0.0)):
        game = Paying(rewards)
        game.reset()
        assert skip_step(game, 0)[1] == sign


def test_a_lost_life_ends_the_episode_but_not_the_game():
    game = Game(lives=2)
    wrapped = EpisodicLife(game)
    wrapped.reset()
    assert [wrapped.step(2)[2] for _ in range(3)] == [False, False, True]
    assert game.taken == ["reset", 2, 2, 2]
    wrapped.reset()  # goes on: a no-op
    assert game.taken[-1] == 0
    assert [wrapped.step(2)[2] for _ in range(2)] == [False, True]  # the last life: a true end
    _, info = wrapped.reset()
    assert game.taken[-1] == "reset"
    assert info["lives"] == 2


def test_a_game_that_ends_at_the_no_op_begins_anew():
    game = Game(lives=1, length=100)
    wrapped = EpisodicLife(game)
    wrapped.reset()
    wrapped.step(2)
    wrapped.step(2)
    _, info = wrapped.reset()  # its no-op loses the only life
    assert game.taken == ["reset", 2, 2, 0, "reset"]
    assert info["lives"] == 1


@pytest.mark.parametrize(
    ("color", "gray"),
    [((255, 0, 0), 0.299), ((0, 255, 0), 0.587), ((0, 0, 255), 0.114), ((255,) * 3, 1.0)],
)
def test_colours_have_the_brightness_of_the_standard(color, gray):
    found = preprocess(np.full((1, 210, 160, 3), color, np.uint8))
    assert (found.shape, found.dtype) == ((4, 84, 84), np.float32)
    np.testing.assert_allclose(found, gray, atol=1e-6)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 999))
def test_a_small_image_has_the_means_of_the_areas(seed):
    rng = np.random.default_rng(seed)
    gray = rng.integers(0, 256, (168, 252), dtype=np.uint8)  # areas of two by three pixels
    expected = gray.reshape(84, 2, 84, 3).mean(axis=(1, 3)) / 255
    found = preprocess(np.repeat(gray[None, ..., None], 3, axis=3))
    np.testing.assert_allclose(found[-1], expected, atol=1e-6)


def test_no_light_is_lost_between_pixels():
    image = np.zeros((1, 210, 160, 3), np.uint8)
    image[0, 100:110, 70:90] = 250
    assert preprocess(image).mean() == pytest.approx(image.mean() / 255, abs=1e-6)


@pytest.mark.parametrize(
    ("levels", "expected"),
    [
        ((0, 51, 102, 255), (0.0, 0.2, 0.4, 1.0)),
        ((51, 102), (0.2, 0.2, 0.2, 0.4)),
        ((255, 0, 51, 102, 153), (0.0, 0.2, 0.4, 0.6)),
    ],
)
def test_four_images_are_stacked_oldest_first_and_the_first_fills_up(levels, expected):
    found = preprocess([np.full((21, 16, 3), level, np.uint8) for level in levels])
    np.testing.assert_allclose(found[:, 5, 5], expected, atol=1e-6)


@pytest.mark.parametrize(
    ("function", "arguments", "field"),
    [
        (start_episode, (Game(), np.random.default_rng(0), 0), "noop_max"),
        (skip_step, (Game(), 0, 0), "skip"),
        (preprocess, (np.zeros((210, 160, 3), np.uint8),), "frames"),
        (preprocess, (np.zeros((1, 210, 160, 3)),), "frames"),
        (preprocess, (np.zeros((0, 210, 160, 3), np.uint8),), "frames"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(function, arguments, field):
    with pytest.raises(InvalidInputError) as caught:
        function(*arguments)
    assert caught.value.field == field
