"""One hyperparameter in a form: a text that is the truth, and a slider for its usual range."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

import ipywidgets

from jupyter_ppo.domain.errors import InvalidInputError
from jupyter_ppo.domain.hyperparameters import Hyperparameter, Kind
from jupyter_ppo.domain.schedules import Schedule, ScheduleKind
from jupyter_ppo.widgets.control_style import Kit, alert, faint
from jupyter_ppo.widgets.setting_text import parse_setting, setting_text


@dataclass(frozen=True, slots=True)
class SliderRange:
    """Where a slider begins and ends; ``base`` is that of its logarithm, None for even steps."""

    low: float
    high: float
    step: float
    base: float | None = None

    def place(self, value: float) -> int:
        """Return the number of steps from the low end to the step that is nearest to ``value``."""
        inside = min(max(value, self.low), self.high)
        if self.base is None:
            return round((inside - self.low) / self.step)
        return round((math.log(inside, self.base) - math.log(self.low, self.base)) / self.step)


#: The usual values, which are fewer than the allowed ones. What is not here has a text only.
SLIDERS: Final[dict[str, SliderRange]] = {
    "total_steps": SliderRange(1e3, 1e7, 0.1, 10),
    "target_evaluations": SliderRange(1, 10, 1),
    "n_envs": SliderRange(1, 256, 1, 2),
    "n_steps": SliderRange(8, 8192, 1, 2),
    "gamma": SliderRange(0.9, 1, 0.001),
    "gae_lambda": SliderRange(0.8, 1, 0.01),
    "batch_size": SliderRange(8, 8192, 1, 2),
    "n_epochs": SliderRange(1, 30, 1),
    "learning_rate": SliderRange(1e-6, 1e-1, 0.05, 10),
    "clip_range": SliderRange(0.02, 0.6, 0.01),
    "ent_coef": SliderRange(0, 0.1, 0.001),
    "vf_coef": SliderRange(0, 1, 0.01),
    "max_grad_norm": SliderRange(0.1, 5, 0.1),
    "adam_eps": SliderRange(1e-9, 1e-3, 1, 10),
    "log_std_init": SliderRange(-4, 1, 0.1),
    "clip_observations": SliderRange(1, 20, 0.5),
    "clip_rewards": SliderRange(1, 20, 0.5),
    "eval_episodes": SliderRange(1, 100, 1),
    "checkpoint_seconds": SliderRange(0, 120, 1),
    "checkpoint_keep": SliderRange(1, 20, 1),
    "torch_threads": SliderRange(1, 16, 1),
    "step_timeout": SliderRange(1, 300, 1),
}


class SettingInput(ipywidgets.Box):
    """A hyperparameter's name, value and unit; what is wrong with the value is said as one types.

    The text is the truth: it takes everything that ``Hyperparameter.checked`` does, schedules such
    as ``linear:2e-3:0`` too. The slider covers the usual values.
    """

    def __init__(
        self, hyperparameter: Hyperparameter, value: Any, *, kit: Kit | None = None
    ) -> None:
        """Show ``value``, which must be one that the hyperparameter may have.

        ``kit`` gives layouts that several inputs share. Raises ``InvalidInputError``.
        """
        self.hyperparameter = hyperparameter
        self._is_kit_ours = kit is None
        self._kit = kit or Kit()
        self._value = hyperparameter.checked(value)
        self._listeners: list[Callable[[], None]] = []
        self._quiet_in: int | None = None  # the thread that shows a value, which is no typing
        self._message = self._kit.text("ppo-alert")
        self._field = self._make_field()
        self._slider = self._make_slider()
        unit = f" ({hyperparameter.unit})" if hyperparameter.unit else ""
        note = self._kit.text("ppo-note", value=faint(f"{hyperparameter.meaning}{unit}"))
        parts = [self._field, *([self._slider] if self._slider else []), note, self._message]
        super().__init__(
            children=parts,
            layout=self._kit.layout(display="flex", flex_flow="row wrap", align_items="center"),
            _dom_classes=("ppo-setting",),
        )
        self._field.observe(self._typed, "value")
        if self._slider:
            self._slider.observe(self._slid, "value")

    @property
    def text(self) -> str:
        """What is in the text field, right or wrong."""
        return str(self._field.value)

    @property
    def value(self) -> Any:
        """The value in its own type, such as a ``Schedule``; the last right one while it is wrong.

        Setting it raises ``InvalidInputError``.
        """
        return self._value

    @value.setter
    def value(self, value: Any) -> None:
        self._value = self.hyperparameter.checked(value)
        self._show_field(self._value)
        self._show_slider()
        self.refuse("")

    @property
    def is_valid(self) -> bool:
        """Whether what is typed is a value."""
        try:
            self._parsed()
        except InvalidInputError:
            return False
        return True

    @property
    def message(self) -> str:
        """What is wrong with what is typed, or nothing."""
        try:
            self._parsed()
        except InvalidInputError as error:
            return error.message
        return ""

    def on_change(self, listener: Callable[[], None]) -> None:
        """Call ``listener`` after the reader has changed the value, or made it wrong."""
        self._listeners.append(listener)

    def refuse(self, sentence: str) -> None:
        """Show below what is wrong; nothing when it is right."""
        self._message.value = alert(sentence)

    def close(self) -> None:
        """Remove it."""
        for child in self.children:
            child.close()
        super().close()
        if self._is_kit_ours:
            self._kit.close()

    def _make_field(self) -> Any:
        setting, kit = self.hyperparameter, self._kit
        words: dict[str, Any] = {"description": setting.name.replace("_", " ")}
        match setting.kind:
            case Kind.FLAG:
                layout = kit.layout(width="24em")
                field = kit.make(
                    ipywidgets.Checkbox, layout=layout, value=self._value, indent=False, **words
                )
            case Kind.CHOICE:
                layout = kit.layout(width="24em")
                field = kit.make(
                    ipywidgets.Dropdown,
                    layout=layout,
                    options=list(setting.choices),
                    value=self._value,
                    **words,
                )
                field.style.description_width = "11em"
            case _:
                layout = kit.layout(width="24em")
                text = setting_text(self._value)
                field = kit.make(ipywidgets.Text, layout=layout, value=text, **words)
                field.style.description_width = "11em"
        return field

    def _make_slider(self) -> Any:
        found = SLIDERS.get(self.hyperparameter.name)
        if found is None:
            return None
        layout = self._kit.layout(width="12em")
        common: dict[str, Any] = {"layout": layout, "readout": False}
        at = self._slider_value(found)
        if found.base is not None:
            return self._kit.make(
                ipywidgets.FloatLogSlider,
                value=at,
                base=found.base,
                min=math.log(found.low, found.base),
                max=math.log(found.high, found.base),
                step=found.step,
                **common,
            )
        return self._kit.make(
            ipywidgets.FloatSlider,
            value=at,
            min=found.low,
            max=found.high,
            step=found.step,
            **common,
        )

    def _slider_value(self, slider: SliderRange) -> float:
        value = self._value
        number = value.start if isinstance(value, Schedule) else value
        return min(max(slider.low if number is None else float(number), slider.low), slider.high)

    def _parsed(self) -> Any:
        shown = self._field.value
        if isinstance(shown, bool):
            return self.hyperparameter.checked(shown)
        return parse_setting(str(shown), self.hyperparameter)

    def _typed(self, _change: Any) -> None:
        if self._quiet_in == threading.get_ident():
            return
        try:
            self._value = self._parsed()
        except InvalidInputError as error:
            self.refuse(error.message)
        else:
            self.refuse("")
            self._show_slider()
        self._tell()

    def _slid(self, _change: Any) -> None:
        if self._quiet_in == threading.get_ident():
            return
        number = float(f"{self._slider.value:.4g}")
        slider = SLIDERS[self.hyperparameter.name]
        if slider.place(number) == slider.place(self._slider_value(slider)):
            return  # the page has put it on the nearest step; nobody has moved it
        if self.hyperparameter.kind is Kind.WHOLE:
            number = round(number)
        self._value = self.hyperparameter.checked(self._with_start(number))
        self._show_field(self._value)
        self.refuse("")
        self._tell()

    def _with_start(self, number: float) -> Any:
        """Return ``number``, in a schedule as its start: its shape and its end stay."""
        value = self._value
        if isinstance(value, Schedule) and not value.is_constant:
            above_zero = value.kind is not ScheduleKind.EXPONENTIAL or number > 0
            return replace(value, start=number) if above_zero else number
        return number

    def _show_field(self, value: Any) -> None:
        self._quietly(self._field, value if isinstance(value, bool) else setting_text(value))

    def _show_slider(self) -> None:
        if self._slider:
            self._quietly(self._slider, self._slider_value(SLIDERS[self.hyperparameter.name]))

    def _quietly(self, control: Any, value: Any) -> None:
        self._quiet_in = threading.get_ident()
        try:
            control.value = value
        finally:
            self._quiet_in = None

    def _tell(self) -> None:
        for listener in self._listeners:
            listener()
