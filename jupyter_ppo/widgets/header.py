"""The head of a run's view: what it is, how far it is, and Pause, Resume, Stop."""

from __future__ import annotations

import html
import threading
import time
from collections.abc import Callable
from typing import Final

import ipywidgets

from jupyter_ppo.domain.training import Command, RunState, RunStatus
from jupyter_ppo.widgets.control_style import Kit, alert, faint, reason

#: Numbers are sent at most so often; a new state is sent at once.
NUMBERS_SECONDS: Final = 0.5

STATE_WORDS: Final = {
    RunState.QUEUED: "Waiting",
    RunState.STARTING: "Starting",
    RunState.RUNNING: "Running",
    RunState.PAUSED: "Paused",
    RunState.FINISHED: "Finished",
    RunState.STOPPED: "Stopped",
    RunState.INTERRUPTED: "Interrupted",
    RunState.FAILED: "Failed",
}

#: The states in which a command makes sense.
ENABLED: Final[dict[Command, frozenset[RunState]]] = {
    Command.PAUSE: frozenset({RunState.STARTING, RunState.RUNNING}),
    Command.RESUME: frozenset(
        {
            RunState.QUEUED,
            RunState.PAUSED,
            RunState.INTERRUPTED,
            RunState.STOPPED,
            RunState.FAILED,
        }
    ),
    Command.STOP: frozenset(
        {RunState.QUEUED, RunState.STARTING, RunState.RUNNING, RunState.PAUSED}
    ),
    Command.SET: frozenset({RunState.STARTING, RunState.RUNNING, RunState.PAUSED}),
    Command.EXTEND: frozenset(RunState) - {RunState.QUEUED},
}

_BUTTONS: Final = (
    (Command.PAUSE, "Pause", "pause", "Pause the training within one update"),
    (Command.RESUME, "Resume", "play", "Let the training go on"),
    (Command.STOP, "Stop", "stop", "End the training within one update and save the model"),
)


class Header(ipywidgets.VBox):
    """Title, state, buttons, progress and message of one run.

    It sends only what changed, the numbers at most twice a second.
    """

    def __init__(
        self, title: str, commands: dict[Command, Callable[[], object]], *, kit: Kit
    ) -> None:
        """Show ``title``, and a button for each of ``commands``; none for a run that takes none.

        A command that raises is answered with the reason, below the buttons.
        """
        self._lock = threading.RLock()
        self._shown: RunStatus | None = None
        self._waiting: RunStatus | None = None
        self._sent_at = 0.0
        self._state = kit.text("ppo-status", "ppo-state")
        self._refused = kit.text("ppo-alert", "ppo-refused")
        self._numbers = kit.text()
        self._message = kit.text("ppo-status", "ppo-message")
        self._buttons = {
            command: kit.button(label, icon, hint, self._pressed(command, commands[command]))
            for command, label, icon, hint in _BUTTONS
            if command in commands
        }
        heading = kit.text(value=f'<span class="ppo-title">{html.escape(title)}</span>')
        group = kit.row(list(self._buttons.values()), "ppo-group", "ppo-group-Training")
        super().__init__(
            children=[
                kit.row([heading, self._state, group]),
                self._refused,
                self._numbers,
                self._message,
            ],
            layout=kit.layout(),
        )

    @property
    def shown(self) -> RunStatus | None:
        """The status that is seen."""
        return self._shown

    @property
    def refusal(self) -> str:
        """Why the last command was refused, as it is seen; empty when it was not."""
        return str(self._refused.value)

    def show(self, status: RunStatus, waits: str = "") -> None:
        """Show a status soon; ``waits`` says what happens when the run goes on."""
        with self._lock:
            shown = self._shown
            message = status.message or waits
            self._message.value = (
                alert(message) if status.state is RunState.FAILED else faint(message)
            )
            self._waiting = status
            if shown is None or shown.state is not status.state:
                self._show_state(status.state)
                self._refused.value = ""
                self._command()
            else:
                self.tick()

    def tick(self) -> None:
        """Send the newest numbers if some wait and the last ones are old enough."""
        with self._lock:
            is_due = time.monotonic() - self._sent_at >= NUMBERS_SECONDS
            if self._waiting is not None and is_due:
                self._command()

    def _command(self) -> None:
        if self._waiting is not None:
            self._numbers.value = numbers_html(self._waiting)
            self._shown, self._waiting = self._waiting, None
            self._sent_at = time.monotonic()

    def _show_state(self, state: RunState) -> None:
        words = STATE_WORDS[state]
        self._state.value = f'<span class="ppo-chip ppo-chip-{state}">{words}</span>'
        for command, button in self._buttons.items():
            button.disabled = state not in ENABLED[command]

    def _pressed(self, command: Command, obey: Callable[[], object]) -> Callable[[], None]:
        def press() -> None:
            # Shown as taken at once; the next state enables what makes sense then.
            self._buttons[command].disabled = True
            self._refused.value = ""
            try:
                obey()
            except Exception as error:  # such as: it ended just before the button was pressed
                with self._lock:
                    self._refused.value = alert(reason(error))
                    newest = self._waiting or self._shown
                    if newest is not None:
                        self._show_state(newest.state)

        return press


def numbers_html(status: RunStatus) -> str:
    """Return the progress bar and the numbers of a status."""
    bar = ""
    if status.total_steps:  # a loop of one's own need not say when it ends
        share = min(100 * status.step / status.total_steps, 100.0)
        bar = f'<progress max="100" value="{share:.1f}" aria-label="Training progress"></progress>'
    return f'<div class="ppo-numbers">{bar}{faint(numbers_text(status))}</div>'


def numbers_text(status: RunStatus) -> str:
    """Return how far a run is: share, steps, speed, time so far and time left."""
    match status.state:
        case RunState.STARTING:
            return "Loading PyTorch and making the environments …"
        case RunState.QUEUED:
            return "Waits until another run has ended."
    parts = [f"{status.step:,} steps"]
    if status.total_steps:
        share = min(100 * status.step // status.total_steps, 100)
        parts = [f"{share} %", f"{status.step:,} of {status.total_steps:,} steps"]
    if status.state is RunState.RUNNING and status.steps_per_second > 0:
        parts.append(f"{status.steps_per_second:,.0f} steps/s")
    parts.append(f"trained for {_duration(status.seconds)}")
    left = status.seconds_left
    if left is not None and status.state is RunState.RUNNING:
        parts.append(f"about {_duration(left)} left")
    return " · ".join(parts)


def _duration(seconds: float) -> str:
    """Return 4 s, 3:05 min or 2:10 h."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60}:{whole % 60:02} min"
    return f"{whole // 3600}:{whole % 3600 // 60:02} h"
