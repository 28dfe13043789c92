"""The table of details, and the switch of each."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest

from jupyter_ppo.domain.details import DETAILS, DetailGroup, detail_of
from jupyter_ppo.domain.errors import InvalidInputError, NotFoundError
from jupyter_ppo.training.ablation.config import DETAIL_FLAGS, AblationConfig, flag_of
from jupyter_ppo.training.ablation.experiments import EXPERIMENTS, Experiment, experiment_of


def test_there_are_37_details_in_order_and_four_more() -> None:
    assert [detail.number for detail in DETAILS] == [*range(1, 38), None, None, None, None]
    counts = {group: sum(d.group is group for d in DETAILS) for group in DetailGroup}
    assert list(counts.values()) == [13, 9, 9, 5, 1, 4]
    assert len({detail.title for detail in DETAILS}) >= 40  # one is in two groups
    assert all(detail.summary.endswith(".") and detail.group.label for detail in DETAILS)


@pytest.mark.parametrize(
    ("key", "number"), [("core-1", 1), ("atari-1", 14), ("continuous-9", 31), ("lstm-5", 36)]
)
def test_keys_and_numbers_belong_together(key: str, number: int) -> None:
    assert detail_of(key).number == number
    assert detail_of(key).label.startswith(f"detail {number}: ")


def test_an_unknown_detail_is_refused() -> None:
    for function in (detail_of, flag_of, experiment_of):
        with pytest.raises(NotFoundError) as caught:
            function("core-14")
        assert caught.value.field == "key"
    assert detail_of("auxiliary-4").label.startswith("auxiliary detail: ")


def test_every_detail_has_one_switch_and_every_switch_a_detail() -> None:
    assert list(DETAIL_FLAGS) == [detail.key for detail in DETAILS]
    assert set(DETAIL_FLAGS.values()) == {field.name for field in fields(AblationConfig)}
    shared = [key for key, flag in DETAIL_FLAGS.items() if flag == "separate_networks"]
    assert shared == ["core-13", "continuous-4"]
    assert len(set(DETAIL_FLAGS.values())) == len(DETAILS) - 1


@pytest.mark.parametrize(
    ("flag", "value"),
    [
        ("n_envs", 0),
        ("initialization", "zeros"),
        ("adam_epsilon", 0.0),
        ("gae_lambda", 1.01),
        ("minibatches", "all"),
        ("clip_range", -0.1),
        ("entropy_coef", -1.0),
        ("log_std", "state"),
        ("log_std", float("nan")),
        ("target_kl", 0.0),
        ("n_workers", 3),
        ("reward_clip", 0.0),
        ("max_noops", -1),
        ("no_such_flag", 1),
    ],
)
def test_a_value_that_makes_no_sense_is_refused(flag: str, value: Any) -> None:
    with pytest.raises(InvalidInputError) as caught:
        AblationConfig().vary(flag, value)
    assert caught.value.field in {flag, "flag"}


@pytest.mark.parametrize("experiment", EXPERIMENTS.values(), ids=list(EXPERIMENTS))
def test_every_detail_has_an_experiment_that_varies_its_switch_only(
    experiment: Experiment,
) -> None:
    configs = [experiment.config(value) for _, value in experiment.variants]
    assert 2 <= len(configs) <= 4
    assert len(set(configs)) == len(configs)
    names = [field.name for field in fields(AblationConfig) if field.name != experiment.flag]
    for config in configs[1:]:
        assert all(getattr(config, name) == getattr(configs[0], name) for name in names)
    assert (experiment.setting is None) == (experiment.measure is not None)
    assert len({label for label, _ in experiment.variants}) == len(configs)
    assert experiment.environment
    assert experiment.metric
    assert experiment.varied


def test_the_baselines_are_the_defaults_except_for_the_auxiliary_details() -> None:
    assert list(EXPERIMENTS) == [detail.key for detail in DETAILS]
    for key, experiment in EXPERIMENTS.items():
        is_default = experiment.config(experiment.variants[0][1]) == experiment.base
        assert is_default or detail_of(key).group is DetailGroup.AUXILIARY, key
