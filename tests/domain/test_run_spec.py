"""RunSpec: one value that decides a run."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_ppo.domain.errors import InvalidInputError
from jupyter_ppo.domain.run_spec import RunSpec
from jupyter_ppo.domain.schedules import Schedule


def test_whole_floats_and_numpy_numbers_count_as_integers() -> None:
    spec = RunSpec(total_steps=1e5, n_envs=np.int64(8), gamma=np.float32(0.5))  # type: ignore[arg-type]
    assert (spec.total_steps, spec.n_envs, spec.gamma) == (100_000, 8, 0.5)
    assert type(spec.total_steps) is int
    assert type(spec.n_envs) is int
    assert json.loads(json.dumps(spec.to_dict()))["n_envs"] == 8


def test_a_number_is_a_constant_schedule() -> None:
    assert RunSpec(learning_rate=0.01).learning_rate == Schedule.constant(0.01)  # type: ignore[arg-type]


def test_a_fraction_is_not_an_integer() -> None:
    with pytest.raises(InvalidInputError, match=r"total_steps: 10\.5 is not a whole number"):
        RunSpec(total_steps=10.5)  # type: ignore[arg-type]


@pytest.mark.parametrize("env_id", ["", "two words", "../x", "a;b", 7, None, "x" * 200, ":A-v0"])
def test_what_cannot_be_an_environment_is_refused(env_id: Any) -> None:
    with pytest.raises(InvalidInputError) as caught:
        RunSpec(env_id=env_id)
    assert caught.value.field == "env_id"


@pytest.mark.parametrize("env_id", ["CartPole-v1", "my_envs.mazes:Maze-v0", "ALE/Pong-v5"])
def test_ids_of_gymnasium_and_of_own_modules_are_taken(env_id: str) -> None:
    assert RunSpec(env_id=env_id).env_id == env_id


@pytest.mark.parametrize(
    "kwargs", [{"a": object()}, {1: 2}, [1], {"a": "x" * 20_000}, {"a": 1e999}]
)
def test_arguments_of_the_environment_are_plain_and_small(kwargs: Any) -> None:
    with pytest.raises(InvalidInputError) as caught:
        RunSpec(env_kwargs=kwargs)
    assert caught.value.field == "env_kwargs"
    assert RunSpec(env_kwargs={"a": [1, None]}).env_kwargs == {"a": [1, None]}


def test_a_digest_is_sixty_four_digits() -> None:
    with pytest.raises(InvalidInputError) as caught:
        RunSpec(env_sha256="abc")
    assert caught.value.field == "env_sha256"


def test_a_rollout_of_one_sample_is_refused() -> None:
    with pytest.raises(InvalidInputError) as caught:
        RunSpec(n_envs=1, n_steps=1)
    assert caught.value.field == "n_steps"


def test_a_target_needs_evaluations() -> None:
    with pytest.raises(InvalidInputError, match="eval_every") as caught:
        RunSpec(target_return=475.0)
    assert caught.value.field == "target_return"
    assert RunSpec(target_return=475.0, eval_every=1000).target_return == 475.0


def test_an_unknown_hyperparameter_names_the_nearest_known_one() -> None:
    with pytest.raises(InvalidInputError, match="Did you mean learning_rate") as caught:
        RunSpec().changed(learning_rates=0.1)
    assert caught.value.field == "learning_rates"


def test_the_annealed_learning_rate_has_the_course_s_golden_numbers() -> None:
    spec = RunSpec(total_steps=1000, n_steps=100, learning_rate=Schedule.linear(2.5e-4))
    rates = [spec.learning_rate_at(100 * update) for update in (1, 2, 10)]
    assert rates == pytest.approx([2.5e-4, 2.25e-4, 2.5e-5], rel=1e-12)


specs = st.builds(
    RunSpec,
    total_steps=st.integers(2, 10**6),
    n_envs=st.integers(1, 64),
    n_steps=st.integers(2, 4096),
    learning_rate=st.sampled_from([Schedule.constant(1e-3), Schedule.linear(1e-3)]),
    target_kl=st.none() | st.floats(0.01, 1),
    policy_layers=st.lists(st.integers(1, 64), max_size=3).map(tuple),
)


@settings(deadline=None, max_examples=100)
@given(specs)
def test_the_plan_is_whole_rollouts_and_the_last_update_still_learns(spec: RunSpec) -> None:
    assert spec.planned_steps % spec.rollout_size == 0
    assert spec.total_steps <= spec.planned_steps < spec.total_steps + spec.rollout_size
    assert 0 < spec.learning_rate_at(spec.planned_steps) <= spec.learning_rate_at(0)
    assert spec.learning_rate_at(0) == spec.learning_rate.start


@settings(deadline=None, max_examples=50)
@given(specs)
def test_a_spec_survives_json(spec: RunSpec) -> None:
    assert RunSpec.from_dict(json.loads(json.dumps(spec.to_dict()))) == spec
