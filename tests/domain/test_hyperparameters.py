"""Bounds, units and meanings of every setting."""

from __future__ import annotations

import math
from dataclasses import fields
from typing import Any

import pytest

from jupyter_ppo.domain.errors import InvalidInputError
from jupyter_ppo.domain.hyperparameters import HYPERPARAMETERS, LIVE, Hyperparameter, Kind
from jupyter_ppo.domain.run_spec import RunSpec

_NUMBERS = [
    one for one in HYPERPARAMETERS.values() if one.kind in {Kind.NUMBER, Kind.WHOLE, Kind.SCHEDULE}
]


def test_every_field_of_a_spec_but_the_environment_is_in_the_table() -> None:
    names = {item.name for item in fields(RunSpec)} - {"env_id", "env_kwargs", "env_sha256"}
    assert set(HYPERPARAMETERS) == names


@pytest.mark.parametrize("one", HYPERPARAMETERS.values(), ids=str)
def test_every_setting_has_a_meaning_and_takes_its_default(one: Hyperparameter) -> None:
    assert one.meaning
    assert one.unit or one.kind in {Kind.FLAG, Kind.CHOICE} or one.name == "adam_eps"
    default = getattr(RunSpec(), one.name)
    assert one.checked(default) == default


@pytest.mark.parametrize("one", _NUMBERS, ids=lambda one: one.name)
@pytest.mark.parametrize("bad", ["low", "high", "nan", "text", "bool", "none"])
def test_a_number_out_of_its_range_is_refused_by_name_and_with_the_range(
    one: Hyperparameter, bad: str
) -> None:
    value: Any = {
        "low": one.low - 1,
        "high": one.high * 2 + 1,
        "nan": math.nan,
        "text": "12",
        "bool": True,
        "none": None,
    }[bad]
    if bad == "none" and one.can_be_none:
        assert one.checked(None) is None
        return
    with pytest.raises(InvalidInputError) as caught:
        one.checked(value)
    assert caught.value.field == one.name
    assert caught.value.message.startswith(f"{one.name}: ")
    if bad in {"low", "high"}:
        assert one.span in caught.value.message


@pytest.mark.parametrize("layers", ["64", 64, [0], [64.5], [True], [64] * 9, [5000]])
def test_layers_are_at_most_eight_widths(layers: Any) -> None:
    with pytest.raises(InvalidInputError) as caught:
        HYPERPARAMETERS["policy_layers"].checked(layers)
    assert caught.value.field == "policy_layers"
    assert HYPERPARAMETERS["policy_layers"].checked([]) == ()
    assert HYPERPARAMETERS["policy_layers"].checked([8, 4]) == (8, 4)


def test_a_choice_names_what_there_is() -> None:
    with pytest.raises(InvalidInputError, match="not one of auto, dummy, native"):
        HYPERPARAMETERS["vec_env"].checked("subproc")


def test_what_may_change_live_is_learning_rate_clip_range_and_entropy() -> None:
    assert LIVE == ("learning_rate", "clip_range", "ent_coef")


def test_bounds_are_shown_with_every_digit() -> None:
    assert HYPERPARAMETERS["batch_size"].span == "2 to 1048576"
    assert HYPERPARAMETERS["seed"].span == "0 to 2147483647"
    assert HYPERPARAMETERS["learning_rate"].span == "1e-08 to 1"
