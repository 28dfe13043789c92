"""Named sets of hyperparameters."""

from __future__ import annotations

import pytest

from jupyter_ppo.domain.errors import InvalidInputError
from jupyter_ppo.domain.presets import Preset, default_preset, preset_values, spec_from_preset
from jupyter_ppo.domain.run_advice import advice
from jupyter_ppo.domain.run_spec import RunSpec
from jupyter_ppo.domain.schedules import Schedule


def test_defaults_are_those_of_sb3() -> None:
    spec = spec_from_preset("sb3-defaults")
    assert spec == RunSpec()
    assert (spec.n_steps, spec.batch_size, spec.n_epochs) == (2048, 64, 10)
    assert (spec.learning_rate.start, spec.gamma, spec.gae_lambda) == (3e-4, 0.99, 0.95)


def test_cartpole_fast_is_sixteen_environments_with_an_annealed_learning_rate() -> None:
    spec = spec_from_preset("cartpole-fast")
    assert (spec.n_envs, spec.n_steps, spec.batch_size, spec.n_epochs) == (16, 64, 256, 10)
    assert (spec.learning_rate, spec.clip_range.start) == (Schedule.linear(2e-3), 0.2)
    assert (spec.gae_lambda, spec.gamma) == (0.9, 0.98)
    assert advice(spec) == ()


def test_rl_zoo_has_values_of_each_environment_and_says_which() -> None:
    spec = spec_from_preset("rl-zoo", env_id="LunarLander-v3", total_steps=1000)
    assert (spec.env_id, spec.n_envs, spec.gamma, spec.total_steps) == (
        "LunarLander-v3",
        16,
        0.999,
        1000,
    )
    assert spec_from_preset("rl-zoo").env_id == "CartPole-v1"
    with pytest.raises(InvalidInputError, match="rl-zoo has no values for 'Maze-v0'") as caught:
        preset_values("rl-zoo", "Maze-v0")
    assert caught.value.field == "preset"


def test_every_preset_makes_a_spec_and_changes_win() -> None:
    for preset in Preset:
        assert spec_from_preset(preset, seed=7).seed == 7


def test_an_unknown_preset_lists_the_known_ones() -> None:
    with pytest.raises(InvalidInputError, match="'sb3-defaults' or 'rl-zoo'") as caught:
        spec_from_preset("best")
    assert caught.value.field == "preset"


def test_cartpole_is_fast_by_default_and_others_have_sb3_s_values() -> None:
    assert default_preset("CartPole-v1") is Preset.CARTPOLE_FAST
    assert default_preset("Acrobot-v1") is Preset.SB3_DEFAULTS
