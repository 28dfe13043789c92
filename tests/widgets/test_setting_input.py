"""The input of one hyperparameter: text, slider, and what is said about wrong values."""

from __future__ import annotations

import html
import math
from typing import Any

import ipywidgets
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_ppo.domain.errors import InvalidInputError
from jupyter_ppo.domain.hyperparameters import HYPERPARAMETERS, Kind
from jupyter_ppo.domain.run_spec import RunSpec
from jupyter_ppo.domain.schedules import Schedule, ScheduleKind
from jupyter_ppo.widgets.setting_input import SLIDERS, SettingInput
from jupyter_ppo.widgets.setting_text import parse_setting, setting_text

DEFAULTS = RunSpec()


def made(name: str, value: Any = None) -> SettingInput:
    return SettingInput(HYPERPARAMETERS[name], getattr(DEFAULTS, name) if value is None else value)


def control(one: SettingInput, *kinds: type) -> Any:
    (found,) = [child for child in one.children if isinstance(child, kinds)]
    return found


def field(one: SettingInput) -> Any:
    return control(one, ipywidgets.Text)


def slider(one: SettingInput) -> Any:
    return control(one, ipywidgets.FloatSlider, ipywidgets.FloatLogSlider)


def said(one: SettingInput) -> str:
    return html.unescape(one.children[-1].value)


@pytest.mark.parametrize("name", HYPERPARAMETERS)
def test_every_hyperparameter_has_an_input_with_its_name_value_and_meaning(name: str) -> None:
    one = made(name)
    assert one.value == getattr(DEFAULTS, name)
    assert one.is_valid
    assert one.message == said(one) == ""
    assert one.children[0].description == name.replace("_", " ")
    assert HYPERPARAMETERS[name].meaning in html.unescape(one.children[-2].value)


def test_flags_are_boxes_to_check_and_choices_are_lists() -> None:
    flag, choice = made("normalize_rewards"), made("activation")
    control(flag, ipywidgets.Checkbox).value = True
    control(choice, ipywidgets.Dropdown).value = "relu"
    assert (flag.value, choice.value) == (True, "relu")


@pytest.mark.parametrize(
    ("name", "typed", "value"),
    [
        ("learning_rate", "1e-3", Schedule.constant(1e-3)),
        ("learning_rate", "linear:2e-3:0", Schedule.linear(2e-3)),
        ("clip_range", " cosine : 0.3 : 0.1 ", Schedule(ScheduleKind.COSINE, 0.3, 0.1)),
        ("total_steps", "1e5", 100_000),
        ("total_steps", "60,000", 60_000),
        ("target_kl", "none", None),
        ("policy_layers", "[128, 64]", (128, 64)),
        ("value_layers", "", ()),
        ("seed", "7", 7),
    ],
)
def test_what_is_typed_is_the_value(name: str, typed: str, value: Any) -> None:
    one = made(name)
    told = []
    one.on_change(lambda: told.append(one.value))
    field(one).value = typed
    assert one.is_valid, one.message
    assert one.value == value
    assert told == [value] * len(told)


@pytest.mark.parametrize(
    ("name", "typed", "words"),
    [
        ("learning_rate", "7", "learning_rate: 7 is out of range: use 1e-08 to 1"),
        ("learning_rate", "cosine", "Use a number, or KIND:START:END such as linear:1e-3:0"),
        ("learning_rate", "linear:x:0", "learning_rate.start: 'x' is not a finite number"),
        ("n_epochs", "2.5", "n_epochs: 2.5 is not a whole number from 1 to 1000"),
        ("n_epochs", "", "n_epochs: a value is missing; use 1 to 1000"),
        ("target_kl", "", "none switches it off"),
        ("policy_layers", "64, x", "policy_layers"),
        ("gamma", "nan", "gamma: nan is out of range: use 0 to 1"),
    ],
)
def test_what_is_wrong_is_said_as_it_is_typed_and_the_last_right_value_stays(
    name: str, typed: str, words: str
) -> None:
    one = made(name)
    field(one).value = typed
    assert not one.is_valid
    assert words in said(one)
    assert one.value == getattr(DEFAULTS, name)
    field(one).value = setting_text(getattr(DEFAULTS, name))
    assert one.is_valid
    assert said(one) == ""


def test_text_and_slider_agree() -> None:
    one = made("n_envs", 4)
    assert slider(one).value == 4
    slider(one).value = 32
    assert (one.value, one.text) == (32, "32")
    field(one).value = "8"
    assert slider(one).value == 8
    field(one).value = "1000"  # allowed, though beyond the slider
    assert (one.value, slider(one).value) == (1000, 256)


def test_a_slider_moves_the_start_of_a_schedule_and_keeps_its_shape() -> None:
    one = made("learning_rate", Schedule.linear(2e-3))
    slider(one).value = 1e-2
    assert one.value == Schedule.linear(1e-2)
    assert one.text == "linear:0.01:0"


def test_a_page_that_puts_the_slider_on_its_nearest_step_changes_nothing() -> None:
    one = made("total_steps", 60_000)
    slider(one).value = 10**4.8  # what the page sends when it is shown
    assert (one.value, one.text) == (60_000, "60000")
    slider(one).value = 10**4.9
    assert one.value == 79_430


@pytest.mark.parametrize("name", SLIDERS)
def test_whatever_a_slider_shows_may_be_chosen(name: str) -> None:
    one, place = made(name), SLIDERS[name]
    ends = (place.low, place.high) if place.base is None else (place.high, place.low)
    for end in ends:
        slider(one).value = end
        assert one.is_valid, one.message
    assert HYPERPARAMETERS[name].kind in {Kind.NUMBER, Kind.WHOLE, Kind.SCHEDULE}


def schedules() -> st.SearchStrategy[Schedule]:
    numbers = st.floats(1e-8, 1)
    return st.builds(Schedule, st.sampled_from(list(ScheduleKind)[1:]), numbers, numbers)


@settings(deadline=None, max_examples=100)
@given(
    st.one_of(
        st.tuples(st.just("learning_rate"), st.floats(1e-8, 1) | schedules()),
        st.tuples(st.just("gamma"), st.floats(0, 1)),
        st.tuples(st.just("target_return"), st.none() | st.floats(-1e12, 1e12)),
        st.tuples(st.just("total_steps"), st.integers(2, 10**9)),
        st.tuples(st.just("policy_layers"), st.lists(st.integers(1, 4096), max_size=8)),
    )
)
def test_what_is_shown_means_the_value_that_is_shown(case: tuple[str, Any]) -> None:
    name, value = case
    setting = HYPERPARAMETERS[name]
    assert parse_setting(setting_text(setting.checked(value)), setting) == setting.checked(value)


@settings(deadline=None, max_examples=150)
@given(
    st.sampled_from(list(HYPERPARAMETERS)),
    st.text(max_size=12) | st.from_regex(r"[0-9eE.,:\-a-z\[\] ]{0,14}", fullmatch=True),
)
def test_any_text_is_a_value_or_is_refused_by_name(name: str, text: str) -> None:
    setting = HYPERPARAMETERS[name]
    try:
        value = parse_setting(text, setting)
    except InvalidInputError as error:
        refused = error
    else:
        assert setting.checked(value) == value
        assert not (isinstance(value, float) and math.isnan(value))
        return
    assert refused.field == name
    assert name in refused.message
