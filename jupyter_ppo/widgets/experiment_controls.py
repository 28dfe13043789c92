"""The controls of an experiment: sliders, lists and boxes to tick, from plain Python values."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

import ipywidgets

from jupyter_ppo.domain.errors import InvalidInputError
from jupyter_ppo.widgets.control_style import Kit
from jupyter_ppo.widgets.experiment_pictures import word

_KINDS: Final = (
    "(low, high, step, start) for a slider, a list or a dict for a choice, True or False for a box"
)


class Control:
    """One control and the value that ``draw`` gets from it."""

    def __init__(self, name: str, label: str, description: Any, kit: Kit) -> None:
        """Make a control for ``description``; raise ``InvalidInputError`` when it is none."""
        self.name = name
        self.label = label
        self._choices: dict[str, Any] = {}
        self.is_slider = False
        self.widget = self._made(description, kit)

    @property
    def value(self) -> Any:
        """The value in its own type."""
        value = self.widget.value
        if self._choices:
            return self._choices[value]
        return float(f"{value:.10g}") if isinstance(value, float) else value

    @value.setter
    def value(self, value: Any) -> None:
        if self._choices:
            value = next((key for key, one in self._choices.items() if _same(one, value)), None)
        elif self.is_slider:
            is_inside = not isinstance(value, str) and self.widget.min <= value <= self.widget.max
            value = value if is_inside else None
        elif not isinstance(value, bool):
            value = None
        if value is None:
            msg = f"{self.name}: the control has no such value."
            raise InvalidInputError(msg, field=self.name)
        self.widget.value = value

    @property
    def words(self) -> str:
        """The label and the value in words."""
        value = self.widget.value
        shown = ("on" if value else "off") if isinstance(value, bool) else word(self.value)
        return f"{self.label}: {value if self._choices else shown}"

    def _made(self, description: Any, kit: Kit) -> Any:
        words = {"description": self.label}
        if isinstance(description, bool):
            layout = kit.layout(width="auto")
            return kit.make(
                ipywidgets.Checkbox, layout=layout, value=description, indent=False, **words
            )
        if isinstance(description, tuple) and len(description) == 4:
            return self._slider(description, kit)
        if isinstance(description, Mapping):
            self._choices = {word(key): value for key, value in description.items()}
        elif isinstance(description, list):
            self._choices = {word(value): value for value in description}
        if not self._choices or len(self._choices) != len(description):
            msg = f"{self.name}: {description!r} makes no control. Use {_KINDS}."
            raise InvalidInputError(msg, field=self.name)
        layout = kit.layout(width="auto", max_width="100%")
        made = kit.make(ipywidgets.Dropdown, layout=layout, options=list(self._choices), **words)
        made.style.description_width = "initial"
        return made

    def _slider(self, description: Sequence[Any], kit: Kit) -> Any:
        try:
            low, high, step, start = (float(one) for one in description)
        except (TypeError, ValueError):
            low = high = step = start = math.nan
        if not (low < high and step > 0 and low <= start <= high and math.isfinite(high - low)):
            msg = (
                f"{self.name}: {tuple(description)!r} makes no slider. Use (low, high, step, "
                "start) with low < high, a step above 0, and a start between them."
            )
            raise InvalidInputError(msg, field=self.name)
        self.is_slider = True
        is_whole = all(isinstance(one, int) for one in description)
        low, high, step, start = description if is_whole else (low, high, step, start)
        decimals = max(0, min(8, -math.floor(math.log10(step) + 1e-9)))
        if not is_whole and abs(round(step, decimals) - step) > 1e-12:
            decimals += 1
        made = kit.make(
            ipywidgets.IntSlider if is_whole else ipywidgets.FloatSlider,
            "ppo-setting",
            layout=kit.layout(width="340px", max_width="100%"),
            min=low,
            max=high,
            step=step,
            value=start,
            readout_format="d" if is_whole else f".{decimals}f",
            description=self.label,
        )
        made.style.description_width = "initial"
        return made


def _same(one: Any, other: Any) -> bool:
    try:
        return one is other or (type(one) is type(other) and bool(one == other))
    except Exception:  # such as arrays, whose comparison is an array
        return False
