"""A form that starts a run: preset, environment, steps, seeds, and every hyperparameter."""

from __future__ import annotations

import contextlib
import html
import math
import sys
import time
from collections.abc import Callable
from typing import Any, Final

import ipywidgets

from jupyter_ppo.domain.errors import InvalidInputError, PPOError
from jupyter_ppo.domain.hyperparameters import HYPERPARAMETERS, Group
from jupyter_ppo.domain.presets import Preset, default_preset, spec_from_preset
from jupyter_ppo.domain.run_advice import advice
from jupyter_ppo.domain.run_records import MAX_SEEDS
from jupyter_ppo.domain.run_spec import RunSpec
from jupyter_ppo.training.group import Environment, make_spec
from jupyter_ppo.widgets.control_style import ControlStyle, Kit, alert, close_all, reason
from jupyter_ppo.widgets.live import LiveRun
from jupyter_ppo.widgets.notebook_display import Bundle, NotebookDisplay, in_notebook, run_bundle
from jupyter_ppo.widgets.sections import Sections
from jupyter_ppo.widgets.setting_input import SettingInput
from jupyter_ppo.widgets.train import LiveRuns, start

#: Offered in the list; any other id can be typed.
_OFFERED: Final = (
    "CartPole-v1",
    "Acrobot-v1",
    "MountainCar-v0",
    "MountainCarContinuous-v0",
    "Pendulum-v1",
    "LunarLander-v3",
    "BipedalWalker-v3",
)
#: These stand above the groups.
_ON_TOP: Final = frozenset({"total_steps", "seed"})
_LABEL: Final = "11em"
#: Fields that the form calls otherwise than ``train`` does.
_LABELS: Final = {"env_id": "environment"}
_SAME_PRESS_SECONDS: Final = 1.0


class RunForm(ipywidgets.VBox):
    """Choose, see at once what is wrong or unusual, start, and watch below.

    A preset or another environment sets all values anew. ``line`` is the call of ``train`` that
    does the same.
    """

    _is_open = False

    def __init__(self, env: Environment = "CartPole-v1", preset: str | None = None) -> None:
        """Begin with the values of ``preset`` for ``env``, an id of Gymnasium or a class.

        Raises ``InvalidInputError`` for a preset that is not known or has no values for ``env``.
        """
        self._own_env = None if isinstance(env, str) else env
        env_id = env if isinstance(env, str) else make_spec(env, preset).env_id
        self._preset = Preset(preset) if preset in set(Preset) else self._usual_preset(env_id)
        self._base = spec_from_preset(preset or self._preset, env_id=env_id)
        self._changes: dict[str, Any] = {}
        self._wrong: dict[str, str] = {}  # what cannot be started, by field
        self._inputs: dict[str, SettingInput] = {}
        self._runs: list[LiveRun | LiveRuns] = []
        self._display = NotebookDisplay()
        self._started_at = -math.inf
        self._is_setting = False
        self._kit = kit = Kit()
        self._env_field = self._make_env_field(env_id)
        self._preset_field = self._labelled(
            ipywidgets.Dropdown, "preset", options=list(Preset), value=self._preset
        )
        self._seeds_field = self._labelled(ipywidgets.Text, "seeds", value="0")
        self._name_field = self._labelled(
            ipywidgets.Text, "name", placeholder="optional, to find it again"
        )
        self._env_answer, self._seeds_answer = kit.text("ppo-alert"), kit.text("ppo-alert")
        self._advice, self._line = kit.text("ppo-status"), kit.text()
        self._answer = kit.text("ppo-alert")
        self._start_button = kit.button(
            "Start", "play", "Train in the background; the view comes below", self._press_start
        )
        self._start_button.button_style = "primary"
        reset = kit.button("Reset", "undo", "Back to the values of the preset", self.reset)
        groups = [(group.capitalize(), self._maker(group)) for group in Group]
        self._sections = Sections(groups, kit=kit, label="Hyperparameters")
        self._views = kit.column([])
        seeds_hint = '<span class="ppo-faint">one, or several such as 0, 1, 2 or 0-4</span>'
        super().__init__(
            children=[
                ControlStyle(kit),
                kit.row([self._env_field, self._preset_field, self._env_answer]),
                self._input("total_steps"),
                kit.row(
                    [self._seeds_field, kit.text(value=seeds_hint), self._seeds_answer],
                    "ppo-setting",
                ),
                kit.row([self._name_field], "ppo-setting"),
                self._sections,
                self._advice,
                self._line,
                kit.row([self._start_button, reset, self._answer]),
                self._views,
            ],
            layout=kit.layout(),
            _dom_classes=("ppo-controls", "ppo-run-form"),
        )
        self._env_field.observe(self._chosen, "value")
        self._preset_field.observe(self._chosen, "value")
        self._seeds_field.observe(self._refresh, "value")
        self._name_field.observe(self._refresh, "value")
        self._is_open = True
        self._refresh()

    def __repr__(self) -> str:
        newest = f"\n{self.run!r}" if self.run is not None else ""
        return f"<RunForm {self.line}>{newest}"

    @property
    def run(self) -> LiveRun | LiveRuns | None:
        """What was started last: a ``LiveRun``, or ``LiveRuns`` of several seeds."""
        return self._runs[-1] if self._runs else None

    @property
    def runs(self) -> tuple[LiveRun | LiveRuns, ...]:
        """All that was started here, oldest first."""
        return tuple(self._runs)

    @property
    def spec(self) -> RunSpec:
        """What would be trained, with the first seed. Raises ``InvalidInputError``."""
        if self._wrong:
            field, sentence = next(iter(self._wrong.items()))
            raise InvalidInputError(sentence, field=field)
        return self._base.changed(**{**self._changes, "seed": self._seeds()[0]})

    @property
    def line(self) -> str:
        """The call of ``train`` that does the same; only what differs from the preset is in it."""
        env_id = self._base.env_id
        words = [repr(env_id) if self._own_env is None else env_id]
        if self._preset is not self._usual_preset(env_id):
            words.append(f"preset={self._preset.value!r}")
        plain = self._base.changed(**self._changes).to_dict() if not self._wrong else {}
        words += [f"{name}={plain[name]!r}" for name in self._changes if name in plain]
        with contextlib.suppress(InvalidInputError):
            seeds = self._seeds()
            if len(seeds) > 1:
                words.append(f"seeds={seeds!r}")
            elif seeds != [0]:
                words.append(f"seed={seeds[0]}")
        if name := self._name_field.value.strip():
            words.append(f"name={name!r}")
        return f"train({', '.join(words)})"

    def set(self, **values: Any) -> None:
        """Set hyperparameters by name, as typing does. Raises ``InvalidInputError``."""
        spec = self._base.changed(**{**self._changes, **values})
        for name in values:
            self._keep(name, getattr(spec, name))
            if name in self._inputs:
                self._inputs[name].value = getattr(spec, name)
        self._refresh()

    def start(self) -> LiveRun | LiveRuns:
        """Start what the form says and show it below; the view of an earlier run stays under it.

        Raises ``InvalidInputError`` naming the field, and what ``train`` raises.
        """
        spec, seeds = self.spec, self._seeds()
        env: Environment = spec.env_id if self._own_env is None else self._own_env
        made = make_spec(env, self._preset, **self._changes, seed=seeds[0])
        many = seeds if len(seeds) > 1 else None
        new = start(env, made, seeds=many, name=self._name_field.value.strip())
        self._runs.append(new)
        view = new.board if isinstance(new, LiveRuns) else new
        self._views.children = [view, *self._views.children]
        if isinstance(new, LiveRun):
            new.on_picture(self._renew)
        self._renew()
        return new

    def reset(self) -> None:
        """Go back to the values of the preset."""
        self._seeds_field.value = "0"
        self._name_field.value = ""
        self._answer.value = ""
        self._load(self._base)

    def close(self) -> None:
        """Remove the form and the views below it; the training itself goes on."""
        if self._is_open:  # ipywidgets also closes what was never made whole
            self._is_open = False
            for run in self._runs:
                run.close()
            self._views.children = []
            self._sections.close()
            close_all(self)
            self._kit.close()
        super().close()

    def _usual_preset(self, env_id: str) -> Preset:
        return default_preset(env_id if self._own_env is None else "")

    def _labelled(self, kind: type[Any], description: str, **values: Any) -> Any:
        layout = self._kit.layout(width="24em")
        field = self._kit.make(kind, layout=layout, description=description, **values)
        field.style.description_width = _LABEL
        return field

    def _make_env_field(self, env_id: str) -> Any:
        words: dict[str, Any] = {"value": env_id, "continuous_update": False}
        if self._own_env is not None:
            return self._labelled(ipywidgets.Text, "environment", disabled=True, **words)
        return self._labelled(ipywidgets.Combobox, "environment", options=_OFFERED, **words)

    def _maker(self, group: Group) -> Callable[[], Any]:
        names = [
            name
            for name, one in HYPERPARAMETERS.items()
            if one.group is group and name not in _ON_TOP
        ]
        return lambda: self._kit.column([self._input(name) for name in names])

    def _input(self, name: str) -> SettingInput:
        value = self._changes.get(name, getattr(self._base, name))
        one = self._inputs[name] = SettingInput(HYPERPARAMETERS[name], value, kit=self._kit)
        one.on_change(lambda: self._typed(name))
        return one

    def _typed(self, name: str) -> None:
        one = self._inputs[name]
        if one.is_valid:
            self._keep(name, one.value)
        self._refresh()

    def _keep(self, name: str, value: Any) -> None:
        if value == getattr(self._base, name):
            self._changes.pop(name, None)
        else:
            self._changes[name] = value

    def _chosen(self, change: Any) -> None:
        """Another environment or preset: all its values."""
        if self._is_setting:
            return
        env_id = self._env_field.value.strip()
        preset = Preset(self._preset_field.value)
        is_usual = self._preset is self._usual_preset(self._base.env_id)
        if change["owner"] is self._env_field and is_usual:
            preset = self._usual_preset(env_id)
        try:
            if self._own_env is None:
                make_spec(env_id, preset)  # does Gymnasium know it?
            base = spec_from_preset(preset, env_id=env_id)
        except PPOError as error:
            # Nothing else changes: it may be a typing error.
            sentence = error.message.replace("env_id:", "environment:", 1)
            self._wrong["env_id"] = sentence
            self._env_answer.value = alert(sentence)
            self._refresh()
            return
        self._wrong.pop("env_id", None)
        self._env_answer.value = ""
        self._is_setting = True
        self._preset_field.value = preset
        self._is_setting = False
        if (env_id, preset) == (self._base.env_id, self._preset):
            self._refresh()  # what was here before the typing error
            return
        self._preset = preset
        self._load(base)

    def _load(self, base: RunSpec) -> None:
        self._base, self._changes = base, {}
        for name, one in self._inputs.items():
            one.value = getattr(base, name)
        self._refresh()

    def _seeds(self) -> list[int]:
        text = self._seeds_field.value
        seeds: list[int] = []
        for part in text.replace(",", " ").split():
            low, dash, high = part.partition("-")
            try:
                first, last = int(low), int(high if dash else low)
                if not 0 <= last - first < MAX_SEEDS:
                    raise ValueError(part)
            except ValueError:
                seeds = []
                break
            seeds += range(first, last + 1)
        if not seeds or len(seeds) > MAX_SEEDS or len(set(seeds)) != len(seeds):
            msg = f"seeds: use 1 to {MAX_SEEDS} different whole numbers, such as 0, 1, 2 or 0-4."
            raise InvalidInputError(msg, field="seeds")
        return [HYPERPARAMETERS["seed"].checked(seed) for seed in seeds]

    def _refresh(self, _change: Any = None) -> None:
        """Say what is wrong or unusual, and what line would do the same."""
        unknown = self._wrong.get("env_id")
        self._wrong = {} if unknown is None else {"env_id": unknown}
        for name, one in self._inputs.items():
            if not one.is_valid:
                self._wrong[name] = one.message
            else:
                one.refuse("")
        self._seeds_answer.value = ""
        try:
            seeds = self._seeds()
        except InvalidInputError as error:
            self._wrong["seeds"] = error.message
            self._seeds_answer.value = alert(error.message)
        found: tuple[str, ...] = ()
        if not self._wrong:
            try:
                found = advice(self._base.changed(**{**self._changes, "seed": seeds[0]}))
            except InvalidInputError as error:  # values that do not go together
                self._wrong[str(error.field)] = error.message
                if error.field in self._inputs:
                    self._inputs[error.field].refuse(error.message)
        self._advice.value = "".join(
            f'<div class="ppo-advice">{html.escape(sentence)}</div>' for sentence in found
        )
        self._line.value = (
            "" if self._wrong else f'<code class="ppo-line">{html.escape(self.line)}</code>'
        )
        self._start_button.disabled = bool(self._wrong)
        names = ", ".join(_LABELS.get(name, name.replace("_", " ")) for name in self._wrong)
        self._answer.value = alert(f"Mend first: {names}." if names else "")

    def _press_start(self) -> None:
        if time.monotonic() - self._started_at < _SAME_PRESS_SECONDS:
            return  # one press, or several that waited while the kernel was busy, is one run
        self._answer.value = ""
        self._start_button.disabled = True
        try:
            self.start()
        except Exception as error:
            self._answer.value = alert(reason(error))
        else:
            self._started_at = time.monotonic()
        finally:
            self._start_button.disabled = bool(self._wrong)

    def _ipython_display_(self, **_options: Any) -> None:
        if in_notebook():
            self._display.show(self._bundle)
        else:
            sys.stdout.write(f"{self!r}\n")

    def _repr_mimebundle_(self, **_options: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        return self._bundle(), {}

    def _renew(self) -> None:
        if self._display.is_shown and self.comm is not None:
            self._display.update(self._bundle())

    def _bundle(self) -> Bundle:
        newest = self.run
        if isinstance(newest, LiveRun):
            return run_bundle(
                self,
                text=repr(self),
                picture=newest.draw_picture(),
                directory=str(newest.directory),
                title=newest.title,
            )
        picture = "" if newest is None else str(newest.board.picture)
        return run_bundle(self, text=repr(self), picture=picture)
