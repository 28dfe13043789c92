"""What may be changed while a run goes on, its length, and the table of all its settings."""

from __future__ import annotations

import html
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import ipywidgets

from jupyter_ppo.domain.errors import PPOError
from jupyter_ppo.domain.hyperparameters import HYPERPARAMETERS, LIVE
from jupyter_ppo.domain.presets import Preset, spec_from_preset
from jupyter_ppo.domain.run_spec import RunSpec
from jupyter_ppo.domain.training import Command, RunState, RunStatus
from jupyter_ppo.widgets.control_style import Kit, alert, faint, reason
from jupyter_ppo.widgets.header import ENABLED
from jupyter_ppo.widgets.setting_input import SettingInput
from jupyter_ppo.widgets.setting_text import parse_setting, setting_text


class LiveSettings(ipywidgets.VBox):
    """Sliders for what takes effect with the next update, and a later end."""

    def __init__(
        self,
        values: Mapping[str, Any],
        *,
        change: Callable[..., None],
        extend: Callable[[int], None],
        kit: Kit,
    ) -> None:
        """Show ``values`` of ``LIVE``; ``change`` and ``extend`` raise what is to be shown."""
        self._lock = threading.RLock()
        self._now = {name: HYPERPARAMETERS[name].checked(values[name]) for name in LIVE}
        self._change, self._extend = change, extend
        self._planned = 0
        self._state: RunState | None = None
        self.inputs = {
            name: SettingInput(HYPERPARAMETERS[name], self._now[name], kit=kit) for name in LIVE
        }
        for one in self.inputs.values():
            one.on_change(self._typed)
        self._change_button = kit.button(
            "Change", "check", "From the next update on", self._press_change
        )
        self._change_answer = kit.text("ppo-alert")
        self._steps = kit.make(
            ipywidgets.Text, layout=kit.layout(width="24em"), description="new total steps"
        )
        self._steps.style.description_width = "11em"
        self._extend_button = kit.button(
            "Extend", "forward", "Train to this number of steps, also after the end",
            self._press_extend,
        )  # fmt: skip
        self._extend_answer = kit.text("ppo-alert")
        self._list = kit.text()
        super().__init__(
            children=[
                *self.inputs.values(),
                kit.row([self._change_button, self._change_answer]),
                kit.row([self._steps, self._extend_button, self._extend_answer], "ppo-setting"),
                self._list,
            ],
            layout=kit.layout(),
        )

    def show(
        self, status: RunStatus, values: Mapping[str, Any], changes: Sequence[tuple[int, str]]
    ) -> None:
        """Show the state, the values that hold now, and what was changed at which step.

        A value that the reader is changing is left as it is.
        """
        with self._lock:
            for name, one in self.inputs.items():
                value = HYPERPARAMETERS[name].checked(values[name])
                if value != self._now[name]:
                    if one.is_valid and one.value == self._now[name]:
                        one.value = value
                    self._now[name] = value
                    self._change_answer.value = ""  # the list below says it now
            if status.total_steps != self._planned:
                self._planned = status.total_steps
                self._extend_answer.value = ""
                self._steps.placeholder = f"more than {status.total_steps:,}"
            if status.state is not self._state:
                self._state = status.state
                self._extend_button.disabled = status.state not in ENABLED[Command.EXTEND]
            lines = "".join(f"<li>{html.escape(text)}</li>" for _, text in changes)
            self._list.value = (
                f'<ol class="ppo-changes" aria-label="What was changed">{lines}</ol>'
                if lines
                else ""
            )
            self._typed()

    def _typed(self) -> None:
        """Only what can be sent can be pressed."""
        self._change_button.disabled = (
            self._state not in ENABLED[Command.SET]
            or not self._changed()
            or not all(one.is_valid for one in self.inputs.values())
        )

    def _changed(self) -> dict[str, Any]:
        return {
            name: one.value for name, one in self.inputs.items() if one.value != self._now[name]
        }

    def _press_change(self) -> None:
        self._change_answer.value = ""
        changed = self._changed()
        try:
            self._change(**changed)
        except Exception as error:  # such as: it ended just before the button was pressed
            self._change_answer.value = alert(reason(error))
        else:
            given = ", ".join(f"{name} {setting_text(value)}" for name, value in changed.items())
            waits = " It counts when the run goes on." if self._state is RunState.PAUSED else ""
            self._change_answer.value = faint(f"Asked for {given}.{waits}")

    def _press_extend(self) -> None:
        self._extend_answer.value = ""
        try:
            steps = parse_setting(self._steps.value, HYPERPARAMETERS["total_steps"])
            self._extend(steps)
        except Exception as error:
            self._extend_answer.value = alert(reason(error))
        else:
            self._steps.value = ""
            self._extend_answer.value = faint(f"Asked for {steps:,} steps.")


def nearest_preset(spec: RunSpec) -> tuple[Preset, RunSpec]:
    """Return the preset that differs least from ``spec``, and what it says for the environment."""
    found = []
    for preset in Preset:
        try:
            values = spec_from_preset(preset, env_id=spec.env_id)
        except PPOError:  # it has none for this environment
            continue
        found.append((len(differences(spec, values)), preset, values))
    _, preset, values = min(found, key=lambda one: one[0])
    return preset, values


def differences(
    spec: RunSpec, other: RunSpec, changed: Mapping[str, Any] | None = None
) -> list[str]:
    """Return the names of hyperparameters that differ; a seed says nothing about a preset.

    ``changed`` are values that count in the place of those of ``spec``.
    """
    values = {name: getattr(spec, name) for name in HYPERPARAMETERS} | dict(changed or {})
    return [
        name for name in HYPERPARAMETERS if name != "seed" and values[name] != getattr(other, name)
    ]


def settings_table(
    spec: RunSpec,
    given: frozenset[str] | None = None,
    changed: Mapping[str, Any] | None = None,
) -> str:
    """Return all settings as a table; what differs from the nearest preset is marked.

    ``given`` names what the author of a loop of one's own said of it: nothing else is known.
    ``changed`` are the values that count now of what was changed or extended since the start.
    """
    preset, usual = nearest_preset(spec)
    now = {name: value for name, value in (changed or {}).items() if value != getattr(spec, name)}
    differing = set() if given is not None else set(differences(spec, usual, now))
    rows = []
    for name, setting in HYPERPARAMETERS.items():
        if given is not None and name not in given:
            continue
        started = getattr(spec, name)
        value = html.escape(setting_text(now.get(name, started)))
        notes = []
        if name in now:
            notes.append(f"changed; at the start: {html.escape(setting_text(started))}")
        if name in differing:
            value = f"<b>{value}</b>"
            notes.append(f"preset: {html.escape(setting_text(getattr(usual, name)))}")
        cells = (value, "<br>".join(notes), html.escape(setting.unit), html.escape(setting.meaning))
        row = "".join(f"<td>{cell}</td>" for cell in cells)
        rows.append(f'<tr><th scope="row">{name}</th>{row}</tr>')
    heads = "".join(
        f'<th scope="col">{word}</th>' for word in ("name", "value", "differs", "unit", "meaning")
    )
    if given is not None:
        about = "What its author said of this loop."
    elif differing:
        count = f"{len(differing)} differ{'s' if len(differing) == 1 else ''}"
        about = f"{count} from the preset {preset}, in bold."
    else:
        about = f"All are those of the preset {preset}."
    if now:
        about += f" Changed since the start: {', '.join(now)}."
    return (
        f'{faint(about)}<div class="ppo-scroll" tabindex="0" role="region" '
        f'aria-label="All settings"><table class="ppo-settings"><thead><tr>{heads}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )
