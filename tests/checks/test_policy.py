"""A policy's exam gives what a plain loop gives, says what is wrong with it, and trusts nothing."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from jupyter_ppo.checks import examine_policy, record
from jupyter_ppo.checks.policy import (
    PolicyError,
    checked_actions,
    mean_and_half_width,
    student_t_975,
)

Policy = Callable[[NDArray[Any]], Any]


def lean(observations: NDArray[Any]) -> NDArray[Any]:
    """Push to the side the pole leans to."""
    return (observations[:, 2] + observations[:, 3] > 0).astype(np.int64)


def swing(observations: NDArray[Any]) -> NDArray[Any]:
    """Push with the motion; far out of bounds at times."""
    return (3 * observations[:, 2:3]).astype(np.float32)


def plain_loop(env_id: str, policy: Policy, seeds: list[int]) -> list[float]:
    found = []
    for seed in seeds:
        env = gym.make(env_id)
        observation, _ = env.reset(seed=seed)
        total, is_over = 0.0, False
        while not is_over:
            action = policy(observation[None])[0]
            if isinstance(env.action_space, gym.spaces.Box):
                action = np.clip(action, env.action_space.low, env.action_space.high)
            observation, reward, terminated, truncated, _ = env.step(action)
            total += float(reward)
            is_over = terminated or truncated
        env.close()
        found.append(total)
    return found


@settings(max_examples=6)
@given(seeds=st.lists(st.integers(0, 2**32 - 1), min_size=2, max_size=6))
@pytest.mark.parametrize(("env_id", "policy"), [("CartPole-v1", lean), ("Pendulum-v1", swing)])
def test_returns_are_those_of_a_plain_loop_bit_for_bit(
    env_id: str, policy: Policy, seeds: list[int]
) -> None:
    report = examine_policy(policy, env_id, seeds=seeds)
    assert list(report.returns) == plain_loop(env_id, policy, seeds)
    assert report.episodes == len(report.lengths) == len(seeds)


def test_the_policy_is_called_once_per_step_with_the_episodes_that_still_run() -> None:
    sizes: list[int] = []

    def counted(observations: NDArray[Any]) -> NDArray[Any]:
        assert type(observations) is np.ndarray
        assert observations.dtype == np.float32
        sizes.append(len(observations))
        return lean(observations)

    report = examine_policy(counted, "CartPole-v1", 10)
    assert len(sizes) == max(report.lengths)
    assert sizes[0] == 10
    assert sizes == sorted(sizes, reverse=True)
    assert sum(sizes) == sum(report.lengths)


def test_changing_the_observations_has_no_effect() -> None:
    def vandal(observations: NDArray[Any]) -> NDArray[Any]:
        actions = lean(observations)
        observations[:] = 0.0
        return actions

    assert examine_policy(vandal, "CartPole-v1") == examine_policy(lean, "CartPole-v1")


def test_seeds_decide_and_can_be_made_from_one_number() -> None:
    again = [examine_policy(lean, "CartPole-v1", 5, seed).returns for seed in (1, 1, 2)]
    assert again[0] == again[1] != again[2]
    assert examine_policy(lean, "CartPole-v1").episodes == 20


def test_max_steps_replaces_the_time_limit_and_env_kwargs_reach_the_environment() -> None:
    assert examine_policy(swing, "Pendulum-v1", 2, max_steps=7).lengths == (7, 7)
    near = examine_policy(swing, "Pendulum-v1", 2, env_kwargs={"g": 0.0}).returns
    assert near != examine_policy(swing, "Pendulum-v1", 2).returns


def test_an_object_with_predict_is_asked_as_stable_baselines3_is() -> None:
    asked: list[bool] = []

    class Model:
        def predict(
            self, observations: NDArray[Any], *, deterministic: bool = False
        ) -> tuple[NDArray[Any], None]:
            asked.append(deterministic)
            return lean(observations), None

    assert examine_policy(Model(), "CartPole-v1") == examine_policy(lean, "CartPole-v1")
    examine_policy(Model(), "CartPole-v1", 2, deterministic=False)
    assert asked[0] is True
    assert asked[-1] is False


def test_a_model_of_stable_baselines3_reaches_what_its_own_evaluation_says() -> None:
    from stable_baselines3 import PPO

    model = PPO("MlpPolicy", "CartPole-v1", n_steps=32, batch_size=32, seed=1, device="cpu")
    report = examine_policy(model, "CartPole-v1", seeds=[3, 4, 5])

    def one(observations: NDArray[Any]) -> Any:
        return model.predict(observations, deterministic=True)[0]

    assert list(report.returns) == plain_loop("CartPole-v1", one, [3, 4, 5])


@pytest.mark.parametrize(
    "convert",
    [
        lambda actions: actions.tolist(),
        lambda actions: tuple(actions.tolist()),
        list,
        lambda actions: actions.astype(np.uint8),
        lambda actions: actions.astype(bool),
    ],
)
def test_lists_scalars_and_other_whole_types_are_actions_too(convert: Policy) -> None:
    report = examine_policy(lambda seen: convert(lean(seen)), "CartPole-v1")
    assert report == examine_policy(lean, "CartPole-v1")


def test_a_torch_tensor_is_read_with_its_gradient_left_behind() -> None:
    import torch

    gain = torch.tensor(3.0, requires_grad=True)

    def policy(observations: NDArray[Any]) -> torch.Tensor:
        return gain * torch.from_numpy(observations[:, 2:3])

    assert examine_policy(policy, "Pendulum-v1", 2) == examine_policy(swing, "Pendulum-v1", 2)


class Always(np.ndarray):  # type: ignore[type-arg]
    """Equals everything, and is no plain array."""

    def __eq__(self, other: object) -> Any:
        return True

    __hash__ = None


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (
            np.zeros((2, 1), int),
            r"shape \(2, 1\) for 2 observations; .* have shape \(2,\)",
        ),
        (np.zeros(1, int), r"shape \(1,\) for 2"),
        (0, r"shape \(\) for 2"),
        (np.array([0, 2]), r"the action 2, which is not in Discrete\(2\)"),
        ([0, -1], "the action -1"),
        (np.array([0.0, 1.0]), "type float64; this environment takes whole numbers"),
        ([0, None], "returned NoneType"),
        ("01", "returned str"),
        (None, "returned NoneType"),
        ([[0], [0, 1]], "different shapes"),
        (np.array([0, None]), "type object"),
        (np.zeros(2, int).view(Always), "returned Always"),
        ([10**30, 0], "type object"),
        ({0: 1, 1: 1}, "returned dict"),
    ],
)
def test_actions_that_are_none_are_refused_with_what_is_expected(answer: Any, words: str) -> None:
    with pytest.raises(PolicyError, match=words):
        examine_policy(lambda _: answer, "CartPole-v1", 2)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (np.array([[0.0], [math.nan]]), "NaN"),
        (np.zeros(2), r"shape \(2,\) for 2 observations; they should have shape \(2, 1\)"),
        (np.zeros((2, 1), complex), "type complex128"),
    ],
)
def test_continuous_actions_are_checked(answer: NDArray[Any], words: str) -> None:
    with pytest.raises(PolicyError, match=words):
        examine_policy(lambda _: answer, "Pendulum-v1", 2)


def test_continuous_actions_are_clipped_to_the_bounds_and_cast() -> None:
    space = gym.spaces.Box(-2.0, 2.0, (1,), np.float32)
    answer = np.array([[1e300], [-math.inf], [0.5]])
    actions = checked_actions(answer, space, 3)
    assert [float(action[0]) for action in actions] == [2.0, -2.0, 0.5]
    assert all(action in space for action in actions)
    free = gym.spaces.Box(-math.inf, math.inf, (1,), np.float64)
    with pytest.raises(PolicyError, match="infinite"):
        checked_actions(answer[1:2], free, 1)


@pytest.mark.parametrize(
    ("space", "right", "wrong"),
    [
        (gym.spaces.Discrete(3, start=-1), [-1, 0, 1], [2, 0, 0]),
        (gym.spaces.MultiDiscrete([2, 3]), [[1, 2], [0, 0], [1, 1]], [[2, 0], [0, 0], [0, 0]]),
        (gym.spaces.MultiBinary(2), [[0, 1], [1, 1], [0, 0]], [[0, 2], [0, 0], [0, 0]]),
    ],
)
def test_spaces_of_whole_numbers_have_their_own_ranges(
    space: gym.Space[Any], right: list[Any], wrong: list[Any]
) -> None:
    actions = checked_actions(right, space, 3)
    assert np.array_equal(actions, right)
    assert all(action in space for action in actions)
    with pytest.raises(PolicyError, match="not in"):
        checked_actions(wrong, space, 3)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"episodes": 1}, "episodes should be from 2 to 1000, not 1"),
        ({"episodes": 2.0}, "whole numbers, not float"),
        ({"episodes": True}, "whole numbers, not bool"),
        ({"seeds": [1]}, "number of seeds should be from 2"),
        ({"seeds": [1, -1]}, "seeds should be from 0"),
        ({"seeds": -1}, "seeds should be from 0"),
        ({"seeds": [1, 2], "episodes": 3}, "episodes is 3, but there are 2 seeds"),
        ({"max_steps": 0}, "max_steps should be from 1"),
        ({"policy": 3}, "policy should be a function"),
        ({"env_id": "Blackjack-v1"}, "kind Tuple .* FlattenObservation"),
    ],
)
def test_arguments_that_cannot_be_used_are_named(change: dict[str, Any], words: str) -> None:
    with pytest.raises((TypeError, ValueError), match=words):
        examine_policy(**({"policy": lean, "env_id": "CartPole-v1"} | change))


def test_an_error_of_the_policy_comes_as_it_is() -> None:
    def broken(_: NDArray[Any]) -> NDArray[Any]:
        raise NotImplementedError

    with pytest.raises(NotImplementedError):
        examine_policy(broken, "CartPole-v1")


def test_the_grade_gets_plain_numbers_without_the_seeds(monkeypatch: pytest.MonkeyPatch) -> None:
    noted: list[Any] = []
    monkeypatch.setattr(record, "note", noted.append)
    report = examine_policy(lean, "CartPole-v1", seeds=[901, 902])
    assert json.loads(json.dumps(noted)) == [report.records]
    assert noted[0].keys() == {"env_id", "episodes", "mean", "low", "high", "returns", "lengths"}
    assert "90" not in json.dumps({key: noted[0][key] for key in ("env_id", "episodes")})
    assert str(report).startswith("CartPole-v1: mean return ")
    assert "over 2 episodes (95 % confidence interval " in str(report)


@pytest.mark.parametrize(
    ("freedom", "expected"),
    # Tables of Student's t: two-sided 5 %.
    [
        (1, 12.7062), (2, 4.30265), (3, 3.18245), (4, 2.77645), (5, 2.57058), (9, 2.26216),
        (19, 2.09302), (29, 2.04523), (99, 1.98422), (999, 1.96234),
    ],
)  # fmt: skip
def test_the_quantiles_are_those_of_the_tables(freedom: int, expected: float) -> None:
    assert student_t_975(freedom) == pytest.approx(expected, abs=6e-5)


def test_the_interval_is_the_one_worked_out_by_hand() -> None:
    mean, half = mean_and_half_width([1.0, 2.0, 3.0, 4.0])
    assert mean == 2.5
    assert half == pytest.approx(3.18245 * math.sqrt(5 / 3 / 4), rel=1e-5)
    assert mean_and_half_width([7.0, 7.0]) == (7.0, 0.0)
