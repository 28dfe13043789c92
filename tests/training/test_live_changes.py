"""Changes while a run goes on: from the next update, told of, and kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from jupyter_ppo.domain.run_spec import RunSpec
from jupyter_ppo.domain.training import Command, EventKind, RunCommand, RunState
from jupyter_ppo.training.files import RunDirectory
from jupyter_ppo.training.recorder import Recorder
from jupyter_ppo.training.saving import Saver


def at_updates(metrics: Any, name: str) -> dict[int, float]:
    return {step: values[name] for step, values in metrics if name in values}


def test_a_change_takes_effect_with_the_next_update_and_says_when(
    train: Any, small_spec: Callable[..., RunSpec], metrics_of: Any
) -> None:
    command = RunCommand(Command.SET, {"learning_rate": 5e-4, "clip_range": 0.1}, "mine")
    files = train("run", small_spec(), (512, command))
    rates = at_updates(metrics_of(files), "learning_rate")
    assert {rate for step, rate in rates.items() if step <= 512} == {3e-4}
    assert {rate for step, rate in rates.items() if step > 512} == {5e-4}
    assert at_updates(metrics_of(files), "clip_range")[640] == 0.1
    (event,) = [event for event in files.read_events() if event.kind is EventKind.CHANGED]
    assert event.step == 512
    assert event.data == {"learning_rate": 5e-4, "clip_range": 0.1, "id": "mine"}
    assert "learning_rate 0.0005" in event.message


def test_a_change_is_in_a_checkpoint_before_it_is_told_of(
    train: Any, small_spec: Callable[..., RunSpec]
) -> None:
    files = train(
        "run",
        small_spec(),
        (512, RunCommand(Command.SET, {"ent_coef": 0.02})),
        (512, "The kernel ended."),
    )
    assert files.checkpoints().read(512).extra["changes"] == {"ent_coef": 0.02}


def test_a_change_is_told_of_once_when_its_worker_was_killed_before_it_could(
    train: Any, small_spec: Callable[..., RunSpec], monkeypatch: pytest.MonkeyPatch
) -> None:
    class KilledError(BaseException):
        pass

    note = RunDirectory.note

    def killed(files: RunDirectory, kind: EventKind, *rest: Any, **data: Any) -> None:
        if kind is EventKind.CHANGED:
            raise KilledError
        note(files, kind, *rest, **data)

    command = RunCommand(Command.SET, {"ent_coef": 0.02}, "mine")
    with monkeypatch.context() as patch:
        patch.setattr(RunDirectory, "note", killed)
        with pytest.raises(KilledError):
            train("run", small_spec(), (512, command))
    train("run", small_spec(), (512, "The kernel ended."))
    files = train("run", small_spec(), (512, command), (512, "The kernel ended."))  # asked again
    (event,) = [event for event in files.read_events() if event.kind is EventKind.CHANGED]
    assert (event.step, event.data) == (512, {"ent_coef": 0.02, "id": "mine"})


@pytest.mark.parametrize("moment", ["the model is written", "the end is written"])
def test_an_extension_that_comes_while_the_end_is_written_is_followed(
    moment: str,
    train: Any,
    small_spec: Callable[..., RunSpec],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write, announce = Saver.write_model, Recorder.announce
    asked: list[str] = []

    def ask() -> None:
        if not asked:
            command = RunCommand(Command.EXTEND, {"total_steps": 512})
            asked.append(RunDirectory(tmp / "run").append_command(command))

    def written(saver: Saver, *values: Any) -> None:
        write(saver, *values)
        if "model" in moment:
            ask()

    def announced(recorder: Recorder, state: RunState, message: str = "") -> None:
        announce(recorder, state, message)
        if "end" in moment and state is RunState.FINISHED:
            ask()

    tmp = train("other", small_spec(total_steps=128)).path.parent
    monkeypatch.setattr(Saver, "write_model", written)
    monkeypatch.setattr(Recorder, "announce", announced)
    files = train("run", small_spec(total_steps=256))
    assert (files.read_status().state, files.read_status().step) == (RunState.FINISHED, 512)
    assert asked[0] in [event.data.get("id") for event in files.read_events()]


def test_a_schedule_can_be_changed_for_another(
    train: Any, small_spec: Callable[..., RunSpec], metrics_of: Any
) -> None:
    schedule = {"kind": "linear", "start": 1e-3, "end": 0.0}
    files = train("run", small_spec(), (512, RunCommand(Command.SET, {"learning_rate": schedule})))
    rates = at_updates(metrics_of(files), "learning_rate")
    assert rates[640] == 1e-3 * (1 - 4 / 8)
    assert rates[1024] == 1e-3 * (1 - 7 / 8)


def test_an_extension_stretches_schedules_from_then_on(
    train: Any, small_spec: Callable[..., RunSpec], metrics_of: Any
) -> None:
    spec = small_spec(learning_rate={"kind": "linear", "start": 1e-3, "end": 0.0})
    files = train("run", spec, (512, RunCommand(Command.EXTEND, {"total_steps": 2048})))
    rates = at_updates(metrics_of(files), "learning_rate")
    assert rates[512] == spec.learning_rate_at(512)
    assert rates[640] == spec.changed(total_steps=2048).learning_rate_at(640)
    assert files.read_status().step == files.read_status().total_steps == 2048
    (event,) = [event for event in files.read_events() if event.kind is EventKind.EXTENDED]
    assert "Schedules" in event.message


def test_an_extension_below_the_plan_changes_nothing(
    train: Any, small_spec: Callable[..., RunSpec]
) -> None:
    files = train("run", small_spec(), (512, RunCommand(Command.EXTEND, {"total_steps": 700})))
    assert files.read_status().step == 1024


def test_changes_while_paused_take_effect_before_it_goes_on(
    train: Any, small_spec: Callable[..., RunSpec], metrics_of: Any
) -> None:
    files = train(
        "run",
        small_spec(),
        (512, RunCommand(Command.PAUSE)),
        (512, RunCommand(Command.SET, {"learning_rate": 1e-4})),
        (512, RunCommand(Command.RESUME)),
    )
    assert at_updates(metrics_of(files), "learning_rate")[640] == 1e-4
    kinds = [(event.kind, event.data.get("state")) for event in files.read_events()]
    assert kinds.index((EventKind.STATE, "paused")) < len(kinds) - 1
