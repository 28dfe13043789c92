"""The small environments, and the switches that change what is seen of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from jupyter_ppo.domain.errors import InvalidInputError
from jupyter_ppo.training.ablation.batch_task import BatchTask, Continuous, Discrete
from jupyter_ppo.training.ablation.config import AblationConfig
from jupyter_ppo.training.ablation.control_tasks import Reacher, ReacherRules
from jupyter_ppo.training.ablation.frame_task import FrameTask, warp
from jupyter_ppo.training.ablation.games import Catch, CatchRules, MovingDot
from jupyter_ppo.training.ablation.puzzle_tasks import Dials, Doors, Recall
from jupyter_ppo.training.ablation.tasks import TASKS, task_kind

ALL_ON = AblationConfig(n_envs=4)
CALM = replace(ALL_ON, max_noops=0)
NONE = np.zeros(4, dtype=np.int64)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def catch(config: AblationConfig = CALM, **rules: Any) -> FrameTask:
    return FrameTask(Catch(4, rng(), CatchRules(**rules)), config)


def some_actions(task: BatchTask, generator: np.random.Generator) -> Any:
    match task.actions:
        case Discrete(n):
            return generator.integers(0, n, task.n_envs)
        case Continuous(n):
            return generator.normal(size=(task.n_envs, n))
        case _:
            return generator.integers(0, task.actions.sizes, (task.n_envs, len(task.actions.sizes)))


@pytest.mark.parametrize("name", list(TASKS))
def test_a_task_keeps_its_shapes_ends_episodes_and_repeats_itself_with_a_seed(name: str) -> None:
    told = []
    for _ in range(2):
        task, generator = task_kind(name).make(ALL_ON, rng(3)), rng(4)
        observations = task.reset()
        assert observations.shape == (4, *task.observation_shape)
        rows, scores = [], []
        for _ in range(60):
            step = task.step(some_actions(task, generator))
            assert step.observations.shape == observations.shape
            assert step.rewards.shape == step.dones.shape == (4,)
            rows.append(step.rewards)
            scores += task.pop_scores()
        assert np.isfinite(rows).all()
        assert scores
        told.append((np.array(rows), scores))
    np.testing.assert_array_equal(told[0][0], told[1][0])
    assert told[0][1] == told[1][1]


def test_an_unknown_task_is_refused() -> None:
    with pytest.raises(InvalidInputError):
        task_kind("pong")


def test_frame_skip_repeats_four_times_and_adds_the_rewards() -> None:
    fast, slow = (
        FrameTask(MovingDot(4, rng()), CALM),
        FrameTask(MovingDot(4, rng()), CALM.vary("frame_skip", "off")),
    )
    fast.reset(), slow.reset()
    right = NONE + 1
    one = fast._play(right)[0]
    four = sum(slow._play(right)[0] for _ in range(4))
    np.testing.assert_allclose(one, four)


def test_the_maximum_of_two_frames_shows_what_flickers() -> None:
    seen = {}
    for skip in ("max of two", "last frame"):
        task = catch(CALM.vary("frame_skip", skip), flickers=True)
        task.reset()
        counts = []
        for _ in range(3):
            frames = task.step(NONE).observations[:, -1]
            counts.append((frames[:, :-1] > 0).sum(axis=(1, 2)))  # without the paddle's row
        seen[skip] = np.array(counts)
    assert (seen["max of two"] >= 1).all()
    assert (seen["last frame"] == 0).any()


def test_a_lost_life_ends_the_episode_but_not_the_game() -> None:
    ends = {}
    for is_on in (True, False):
        task = catch(CALM.vary("episodic_life", is_on), lives=3, n_balls=10)
        task.reset()
        dones, scores = 0, 0
        for _ in range(80):
            dones += int(task.step(NONE + 1).dones.sum())  # the paddle stays at the left
            scores += len(task.pop_scores())
        ends[is_on] = (dones, scores)
    assert ends[True][0] > ends[True][1] > 0
    assert ends[False][0] == ends[False][1]
    assert ends[True][1] == ends[False][1]  # the games themselves are the same


def test_fire_begins_the_game() -> None:
    for is_on in (True, False):
        task = catch(CALM.vary("fire_to_start", is_on), waits_for_fire=True)
        first = task.reset()[:, -1]
        has_ball = (first[:, :-1] > 0).any(axis=(1, 2))
        assert has_ball.all() == is_on
        later = task.step(NONE).observations[:, -1]
        assert ((later[:, :-1] > 0).any(axis=(1, 2))).all() == is_on
    fired = task.step(NONE + 3).observations[:, -1]
    assert (fired[:, :-1] > 0).any(axis=(1, 2)).all()


def test_no_ops_move_the_start_and_nothing_else() -> None:
    starts = []
    for noops in (0, 30):
        config = CALM.vary("max_noops", noops)
        game = Catch(4, rng(), CatchRules(same_balls=True))
        FrameTask(game, config).reset()
        starts.append(game._clock.copy())
    assert (starts[0] == 0).all()
    assert (starts[1] >= 1).all()
    assert (starts[1] <= 30).all()
    assert len(set(starts[1].tolist())) > 1


def test_a_blind_task_shows_the_number_of_decisions_only() -> None:
    game = Catch(4, rng(), CatchRules())
    task = FrameTask(game, CALM, is_blind=True)
    frames = [task.reset()[:, -1]]
    for _ in range(3):
        frames.append(task.step(some_actions(task, rng(1))).observations[:, -1])
    for count, frame in enumerate(frames):
        assert (frame.reshape(4, -1).argmax(axis=1) == count).all()
        assert ((frame > 0).sum(axis=(1, 2)) == 1).all()


def test_warping_weighs_the_channels_or_takes_one() -> None:
    frames = np.zeros((1, 2, 2, 3), dtype=np.uint8)
    frames[0, 0, 0] = (255, 0, 0)
    frames[0, 0, 1] = (0, 255, 0)
    frames[0, 1, 0] = (0, 0, 255)
    gray = warp(frames, ALL_ON)
    assert gray.shape == (1, 1, 2, 2)
    assert gray.dtype == np.uint8
    assert gray[0, 0].tolist() == [[76, 150], [29, 0]]
    red = warp(frames, ALL_ON.vary("warp", "red channel"))
    assert red[0, 0].tolist() == [[255, 0], [0, 0]]
    assert warp(frames, ALL_ON.vary("warp", "three channels")).shape == (1, 3, 2, 2)


def test_rewards_are_clipped_to_their_sign_for_the_learner_only() -> None:
    found = {}
    for is_on in (True, False):
        task = catch(CALM.vary("clip_rewards", is_on), has_jackpot=True)
        task.reset()
        generator = rng(5)
        rewards = [task.step(some_actions(task, generator)).rewards for _ in range(120)]
        found[is_on] = (set(np.unique(rewards)), task.pop_scores())
    assert found[True][0] <= {0.0, 1.0}
    assert 100.0 in found[False][0]
    assert found[True][1] == found[False][1]


def test_the_stack_has_the_oldest_frame_first_and_is_empty_at_the_start() -> None:
    task = FrameTask(MovingDot(4, rng()), CALM)
    first = task.reset()
    assert first.shape == (4, 4, 16, 16)
    assert not first[:, :3].any()
    assert first[:, 3].any()
    second = task.step(NONE).observations
    np.testing.assert_array_equal(second[:, 2], first[:, 3])
    assert FrameTask(MovingDot(4, rng()), CALM.vary("frame_stack", 1)).reset().shape[1] == 1


def test_a_single_frame_of_the_dot_says_nothing_about_its_direction() -> None:
    frames = []
    for direction in (-1, 1):
        game = MovingDot(4, rng())
        game.begin(np.ones(4, dtype=bool))
        game._direction[:] = direction
        frames.append(game.frames())
    np.testing.assert_array_equal(*frames)


def test_the_faults_of_the_reacher_are_seen_but_not_scored() -> None:
    calm, faulty = (
        Reacher(4, rng(2), rules)
        for rules in (ReacherRules(), ReacherRules(reward_scale=100.0, first_feature_scale=1000.0))
    )
    plain, scaled = calm.reset(), faulty.reset()
    np.testing.assert_allclose(scaled[:, 0], 1000 * plain[:, 0], rtol=1e-6)
    np.testing.assert_array_equal(scaled[:, 1:], plain[:, 1:])
    for _ in range(30):
        left, right = calm.step(NONE[:, None] + [1, 0]), faulty.step(NONE[:, None] + [1, 0])
        np.testing.assert_allclose(right.rewards, 100 * left.rewards)
    assert calm.pop_scores() == pytest.approx(faulty.pop_scores())
    outlier = Reacher(64, rng(), ReacherRules(outlier_chance=0.5, outlier_size=1000.0))
    assert 10 < (outlier.reset()[:, 0] == 1000).sum() < 54


def test_the_puzzles_reward_what_they_say() -> None:
    recall = Recall(4, rng())
    cue = recall.reset()[:, 0]
    for _ in range(9):
        step = recall.step((cue > 0).astype(np.int64))
        fresh = step.observations[:, 0]
        cue = np.where(step.dones, fresh, cue)
        assert (step.rewards[step.dones] == 1).all()
        assert (step.rewards[~step.dones] == 0).all()
    dials = Dials(4, rng())
    wanted = dials.reset().reshape(4, 4, 5).argmax(axis=2)
    assert (dials.step(wanted).rewards == 1).all()
    doors = Doors(4, rng())
    prize = doors.reset().argmax(axis=1)
    allowed = doors.allowed()
    assert (allowed.sum(axis=1) == 3).all()
    assert allowed[np.arange(4), prize].all()
    closed = (~allowed).argmax(axis=1)
    np.testing.assert_allclose(doors.step(closed).rewards, -0.1)
    np.testing.assert_array_equal(doors.allowed(), allowed)
    assert (doors.step(prize).rewards == 1).all()
