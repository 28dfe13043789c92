"""RunSpec, presets, and the learning rate's schedule."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_ppo.domain.errors import InvalidInputError
from jupyter_ppo.domain.training import (
    BOUNDS,
    Command,
    Preset,
    RunSpec,
    RunState,
    RunStatus,
)


def test_defaults_are_those_of_sb3() -> None:
    assert RunSpec() == RunSpec.from_preset("sb3-defaults")
    spec = RunSpec()
    assert (spec.n_steps, spec.batch_size, spec.n_epochs) == (2048, 64, 10)
    assert (spec.learning_rate, spec.gamma, spec.gae_lambda) == (3e-4, 0.99, 0.95)


def test_cartpole_fast_is_sixteen_environments_with_an_annealed_learning_rate() -> None:
    spec = RunSpec.from_preset("cartpole-fast")
    assert (spec.n_envs, spec.n_steps, spec.batch_size, spec.n_epochs) == (16, 64, 256, 10)
    assert (spec.learning_rate, spec.anneal_lr, spec.clip_range) == (2e-3, True, 0.2)
    assert (spec.gae_lambda, spec.gamma) == (0.9, 0.98)
    assert spec.advice() == ()


@pytest.mark.parametrize("name", sorted(BOUNDS))
@pytest.mark.parametrize("bad", ["low", "high", "nan", "text", "bool", "none"])
def test_a_number_out_of_its_range_is_refused_by_name_and_with_the_range(
    name: str, bad: str
) -> None:
    bound = BOUNDS[name]
    value: Any = {
        "low": bound["low"] - 1,
        "high": bound["high"] * 2 + 1,
        "nan": math.nan,
        "text": "12",
        "bool": True,
        "none": None,
    }[bad]
    with pytest.raises(InvalidInputError) as caught:
        RunSpec(**{name: value})
    assert caught.value.field == name
    assert caught.value.message.startswith(f"{name}: ")
    assert f"{bound['low']:g} to {bound['high']:g}" in caught.value.message


def test_every_bound_has_unit_and_help_and_holds_the_default() -> None:
    for name, bound in BOUNDS.items():
        assert bound["unit"]
        assert bound["help"]
        assert bound["low"] <= getattr(RunSpec(), name) <= bound["high"]


def test_whole_floats_and_numpy_numbers_count_as_integers() -> None:
    spec = RunSpec(total_steps=1e5, n_envs=np.int64(8), learning_rate=np.float32(0.5))  # type: ignore[arg-type]
    assert (spec.total_steps, spec.n_envs, spec.learning_rate) == (100_000, 8, 0.5)
    assert type(spec.total_steps) is int
    assert type(spec.n_envs) is int
    assert json.loads(json.dumps(spec.to_dict()))["n_envs"] == 8


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


def test_anneal_lr_must_be_a_truth_value() -> None:
    with pytest.raises(InvalidInputError) as caught:
        RunSpec(anneal_lr="yes")  # type: ignore[arg-type]
    assert caught.value.field == "anneal_lr"


def test_a_rollout_of_one_sample_is_refused() -> None:
    with pytest.raises(InvalidInputError) as caught:
        RunSpec(n_envs=1, n_steps=1)
    assert caught.value.field == "n_steps"


def test_a_batch_size_that_does_not_divide_the_rollout_gets_advice() -> None:
    (sentence,) = RunSpec(n_envs=4, n_steps=25, batch_size=64).advice()
    assert "batch_size: 64" in sentence
    assert "n_envs * n_steps = 100" in sentence
    assert "36 samples" in sentence


def test_an_unknown_hyperparameter_names_the_nearest_known_one() -> None:
    with pytest.raises(InvalidInputError, match="Did you mean learning_rate") as caught:
        RunSpec.from_preset("sb3-defaults", learning_rates=0.1)
    assert caught.value.field == "learning_rates"


def test_an_unknown_preset_lists_the_known_ones() -> None:
    with pytest.raises(InvalidInputError, match="'sb3-defaults' or 'cartpole-fast'") as caught:
        RunSpec.from_preset("best")
    assert caught.value.field == "preset"


def test_the_annealed_learning_rate_has_the_course_s_golden_numbers() -> None:
    spec = RunSpec(total_steps=1000, n_steps=100, learning_rate=2.5e-4, anneal_lr=True)
    rates = [spec.learning_rate_at(100 * update) for update in (1, 2, 10)]
    assert rates == pytest.approx([2.5e-4, 2.25e-4, 2.5e-5], rel=1e-12)


specs = st.builds(
    RunSpec,
    total_steps=st.integers(2, 10**6),
    n_envs=st.integers(1, 64),
    n_steps=st.integers(2, 4096),
    anneal_lr=st.booleans(),
)


@settings(deadline=None, max_examples=100)
@given(specs)
def test_the_plan_is_whole_rollouts_and_the_last_update_still_learns(spec: RunSpec) -> None:
    assert spec.planned_steps % spec.rollout_size == 0
    assert spec.total_steps <= spec.planned_steps < spec.total_steps + spec.rollout_size
    assert 0 < spec.learning_rate_at(spec.planned_steps) <= spec.learning_rate_at(0)
    assert spec.learning_rate_at(0) == spec.learning_rate


@settings(deadline=None, max_examples=50)
@given(specs)
def test_a_spec_survives_json(spec: RunSpec) -> None:
    assert RunSpec.from_dict(json.loads(json.dumps(spec.to_dict()))) == spec


def test_the_time_left_counts_to_the_planned_end_and_is_unknown_when_it_must_be() -> None:
    spec = RunSpec(total_steps=1000, n_steps=100)
    running = RunStatus(RunState.RUNNING, step=400, steps_per_second=100.0)
    assert running.seconds_left(spec) == 6.0
    assert RunStatus(RunState.STARTING).seconds_left(spec) is None
    assert RunStatus(RunState.FINISHED, 1000, 10.0, 100.0).seconds_left(spec) is None


def test_words_are_what_the_files_and_the_view_use() -> None:
    assert [str(state) for state in RunState if state.is_final] == ["finished", "stopped", "failed"]
    assert [str(command) for command in Command] == ["pause", "resume", "stop"]
    assert [str(preset) for preset in Preset] == ["sb3-defaults", "cartpole-fast"]
