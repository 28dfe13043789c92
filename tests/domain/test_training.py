"""States, commands and measurements of a run."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from jupyter_ppo.domain.errors import InvalidInputError
from jupyter_ppo.domain.schedules import Schedule
from jupyter_ppo.domain.training import (
    TIMING,
    Command,
    Evaluation,
    Metric,
    RunCommand,
    RunState,
    RunStatus,
    metric_name,
)


def test_the_time_left_counts_to_the_planned_end_and_is_unknown_when_it_must_be() -> None:
    running = RunStatus(RunState.RUNNING, step=400, steps_per_second=100.0, total_steps=1000)
    assert running.seconds_left == 6.0
    assert RunStatus(RunState.STARTING, total_steps=1000).seconds_left is None
    assert RunStatus(RunState.RUNNING, step=400, steps_per_second=100.0).seconds_left is None
    assert RunStatus(RunState.FINISHED, 1000, 10.0, 100.0, total_steps=2000).seconds_left is None


def test_words_are_what_the_files_and_the_view_use() -> None:
    ended = [str(state) for state in RunState if state.has_ended]
    assert ended == ["finished", "stopped", "interrupted", "failed"]
    assert [str(command) for command in Command] == ["pause", "resume", "stop", "extend", "set"]


@pytest.mark.parametrize(
    "command",
    [
        RunCommand(Command.PAUSE, id="a"),
        RunCommand(Command.EXTEND, {"total_steps": 1000}),
        RunCommand(Command.SET, {"learning_rate": Schedule.linear(0.01), "ent_coef": 0.1}),
    ],
    ids=lambda command: str(command.command),
)
def test_a_command_survives_json(command: RunCommand) -> None:
    assert RunCommand.from_dict(json.loads(json.dumps(command.to_dict()))) == command


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"command": "explode"}, "command"),
        ({"command": "pause", "values": {"total_steps": 5}}, "total_steps"),
        ({"command": "extend"}, "total_steps"),
        ({"command": "extend", "values": {"total_steps": 0.5}}, "total_steps"),
        ({"command": "set", "values": {"gamma": 0.5}}, "gamma"),
        ({"command": "set", "values": {"clip_range": -1}}, "clip_range"),
        ({"command": "set", "values": []}, "learning_rate"),
        ({"command": "set", "values": [1]}, "values"),
    ],
)
def test_a_command_that_cannot_be_obeyed_is_refused_by_its_value(
    data: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidInputError) as caught:
        RunCommand.from_dict(data)
    assert caught.value.field == field


@pytest.mark.parametrize("name", ["", "1x", "a" * 65, "a\nb", 5])
def test_a_metric_s_name_is_plain(name: Any) -> None:
    with pytest.raises(InvalidInputError):
        metric_name(name)


def test_every_metric_of_ours_has_a_name_that_is_taken() -> None:
    for metric in Metric:
        assert metric_name(metric.value) == metric
    assert set(Metric) > TIMING


def test_the_mean_of_an_evaluation_is_of_its_episodes() -> None:
    assert Evaluation(1, 0.0, 0, True, (1.0, 2.0), (1, 2)).mean_return == 1.5
    assert math.isnan(Evaluation(1, 0.0, 0, True, (), ()).mean_return)
