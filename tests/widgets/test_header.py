"""The head of a run's view: what it says, what can be pressed, and how often it sends."""

from __future__ import annotations

from typing import Any

import ipywidgets
import pytest

from jupyter_ppo.domain.errors import ConflictError
from jupyter_ppo.domain.training import Command, RunState, RunStatus
from jupyter_ppo.widgets import header as module
from jupyter_ppo.widgets.control_style import Kit
from jupyter_ppo.widgets.header import Header, numbers_html, numbers_text


class Pressed:
    """Notes the commands; raises what it was given."""

    def __init__(self, error: Exception | None = None) -> None:
        self.commands: list[Command] = []
        self.error = error

    def header(self) -> Header:
        commands = (Command.PAUSE, Command.RESUME, Command.STOP)
        return Header(
            "PPO on <b>", {one: lambda one=one: self.note(one) for one in commands}, kit=Kit()
        )

    def note(self, command: Command) -> None:
        self.commands.append(command)
        if self.error:
            raise self.error


def found(box: Any, kind: type) -> list[Any]:
    children = [child for child in box.children if isinstance(child, kind)]
    for child in box.children:
        if hasattr(child, "children"):
            children += found(child, kind)
    return children


def button(header: Header, label: str) -> Any:
    (one,) = [one for one in found(header, ipywidgets.Button) if one.description == label]
    return one


def texts(header: Header) -> str:
    return " ".join(one.value for one in found(header, ipywidgets.HTML))


@pytest.mark.parametrize(
    ("state", "enabled"),
    [
        (RunState.QUEUED, {"Resume", "Stop"}),
        (RunState.STARTING, {"Pause", "Stop"}),
        (RunState.RUNNING, {"Pause", "Stop"}),
        (RunState.PAUSED, {"Resume", "Stop"}),
        (RunState.FINISHED, set()),
        (RunState.STOPPED, {"Resume"}),
        (RunState.INTERRUPTED, {"Resume"}),
        (RunState.FAILED, {"Resume"}),
    ],
)
def test_what_makes_sense_in_a_state_can_be_pressed(state: RunState, enabled: set[str]) -> None:
    header = Pressed().header()
    header.show(RunStatus(state))
    buttons = found(header, ipywidgets.Button)
    assert {one.description for one in buttons if not one.disabled} == enabled
    assert all(one.tooltip and one.icon for one in buttons)


def test_a_pressed_button_waits_for_the_next_state() -> None:
    pressed = Pressed()
    header = pressed.header()
    header.show(RunStatus(RunState.RUNNING))
    button(header, "Pause").click()
    assert pressed.commands == [Command.PAUSE]
    assert button(header, "Pause").disabled
    assert not button(header, "Stop").disabled
    header.show(RunStatus(RunState.PAUSED))
    assert not button(header, "Resume").disabled


@pytest.mark.parametrize(
    ("error", "words"),
    [(ConflictError("It has <ended>."), "It has &lt;ended&gt;."), (OSError("disk"), "disk")],
)
def test_a_refused_command_is_answered_and_can_be_pressed_again(
    error: Exception, words: str
) -> None:
    header = Pressed(error).header()
    header.show(RunStatus(RunState.RUNNING))
    button(header, "Stop").click()
    assert words in header.refusal
    assert not button(header, "Stop").disabled
    header.show(RunStatus(RunState.STOPPED))
    assert header.refusal == ""


def test_words_of_others_are_no_html() -> None:
    header = Pressed().header()
    header.show(RunStatus(RunState.FAILED, message="<script>x</script>"))
    assert "<script" not in texts(header)
    assert "PPO on &lt;b&gt;" in texts(header)


def test_numbers_are_sent_twice_a_second_and_a_new_state_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [100.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    header = Pressed().header()
    sent: list[str] = []
    for one in found(header, ipywidgets.HTML):
        one.observe(lambda change: sent.append(change["new"]), "value")
    header.show(RunStatus(RunState.RUNNING, 0, total_steps=1000))
    begin = len(sent)
    for step in range(1, 101):  # ten seconds
        now[0] += 0.1
        header.show(RunStatus(RunState.RUNNING, step, total_steps=1000))
        header.tick()
    assert 15 <= len(sent) - begin <= 21
    begin = len(sent)
    header.show(RunStatus(RunState.FINISHED, 1000, total_steps=1000))
    assert len(sent) - begin == 2, "state and numbers"
    assert "1,000 of 1,000 steps" in texts(header)
    now[0] += 10
    header.tick()
    assert len(sent) - begin == 2, "nothing new, nothing sent"


def test_the_last_numbers_are_not_lost() -> None:
    header = Pressed().header()
    header.show(RunStatus(RunState.RUNNING, 1))
    header.show(RunStatus(RunState.RUNNING, 2))
    assert header.shown == RunStatus(RunState.RUNNING, 1)
    header._sent_at -= 1
    header.tick()
    assert header.shown == RunStatus(RunState.RUNNING, 2)


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (RunStatus(RunState.STARTING), "Loading PyTorch and making the environments …"),
        (RunStatus(RunState.QUEUED), "Waits until another run has ended."),
        (
            RunStatus(RunState.RUNNING, 2500, 65.0, 1000.0, total_steps=10_000),
            "25 % · 2,500 of 10,000 steps · 1,000 steps/s · trained for 1:05 min · about 8 s left",
        ),
        (
            RunStatus(RunState.PAUSED, 2500, 7265.0, 1000.0, total_steps=10_000),
            "25 % · 2,500 of 10,000 steps · trained for 2:01 h",
        ),
        (RunStatus(RunState.RUNNING, 12, 3.0), "12 steps · trained for 3 s"),
        (
            RunStatus(RunState.FINISHED, 12_000, 3.0, total_steps=10_000),
            "100 % · 12,000 of 10,000 steps · trained for 3 s",
        ),
    ],
)
def test_the_numbers_in_words(status: RunStatus, text: str) -> None:
    assert numbers_text(status) == text


def test_the_bar_has_a_name_and_there_is_none_without_an_end() -> None:
    bar = numbers_html(RunStatus(RunState.RUNNING, 250, total_steps=1000))
    assert '<progress max="100" value="25.0" aria-label="Training progress">' in bar
    assert "<progress" not in numbers_html(RunStatus(RunState.RUNNING, 250))
