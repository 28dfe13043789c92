"""Schedules over the updates of a run."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_ppo.domain.errors import InvalidInputError
from jupyter_ppo.domain.schedules import Schedule, ScheduleKind

positive = st.floats(1e-6, 1e3)
schedules = st.builds(Schedule, st.sampled_from(ScheduleKind), positive, positive).map(
    lambda one: Schedule.constant(one.start) if one.is_constant else one
)


@settings(deadline=None, max_examples=100)
@given(schedules, st.floats(-0.5, 1.5))
def test_a_schedule_begins_at_its_start_ends_at_its_end_and_stays_between(
    schedule: Schedule, done: float
) -> None:
    low, high = sorted((schedule.start, schedule.end))
    assert schedule.at(0) == pytest.approx(schedule.start)
    assert schedule.at(1) == pytest.approx(schedule.end)
    rounding = 1e-12 * high
    assert low - rounding <= schedule.at(done) <= high + rounding


def test_the_shapes_differ_in_the_middle() -> None:
    middle = {kind: Schedule(kind, 1.0, 0.01).at(0.25) for kind in ScheduleKind}
    assert middle[ScheduleKind.CONSTANT] == 1.0
    assert middle[ScheduleKind.LINEAR] == pytest.approx(1 - 0.99 * 0.25)
    assert middle[ScheduleKind.COSINE] == pytest.approx(
        0.01 + 0.99 * (1 + math.cos(math.pi / 4)) / 2
    )
    assert middle[ScheduleKind.EXPONENTIAL] == pytest.approx(0.01**0.25)


@settings(deadline=None, max_examples=50)
@given(schedules)
def test_a_schedule_survives_json(schedule: Schedule) -> None:
    again = Schedule.from_value(json.loads(json.dumps(schedule.to_json())), "learning_rate")
    assert again == schedule


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("fast", "neither a number nor a schedule"),
        (True, "neither a number"),
        ({"kind": "square", "start": 1}, "learning_rate.kind"),
        ({"kind": "linear", "start": math.inf}, "learning_rate.start"),
        ({"kind": "linear", "start": 1, "finish": 2}, "learning_rate.finish"),
        ({"kind": "exponential", "start": 1, "end": 0}, "above 0"),
    ],
)
def test_what_is_no_schedule_is_refused_by_its_place(value: Any, words: str) -> None:
    with pytest.raises(InvalidInputError, match=words) as caught:
        Schedule.from_value(value, "learning_rate")
    assert caught.value.field == "learning_rate"
