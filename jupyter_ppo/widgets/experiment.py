"""Pictures that a learner moves with sliders, drawn by a function of the notebook.

The pictures are SVG made here, so neither JavaScript nor a plotting library is needed, and they
have the colours of the page. Errors of the learner's code are said in a line, never a traceback.
"""

from __future__ import annotations

import io
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from html import escape
from typing import Any, Final

import ipywidgets

from jupyter_ppo.domain.errors import InvalidInputError
from jupyter_ppo.widgets.control_style import ControlStyle, Kit
from jupyter_ppo.widgets.experiment_attempt import (
    Missing,
    attempt,
    attempt_several,
    draw_failure,
    listening,
    say,
)
from jupyter_ppo.widgets.experiment_controls import Control
from jupyter_ppo.widgets.experiment_html import Seen, said_html
from jupyter_ppo.widgets.experiment_limit import AGAIN_SECONDS, DRAW_SECONDS, Limit, limited
from jupyter_ppo.widgets.experiment_pictures import (
    Bars,
    Dots,
    Frame,
    Heat,
    Line,
    Note,
    Picture,
    Plot,
    Row,
    Table,
    Timeline,
)
from jupyter_ppo.widgets.saved_display import SavedBox, SavedDisplay

__all__ = [
    "Bars",
    "Dots",
    "Experiment",
    "Frame",
    "Heat",
    "Line",
    "Missing",
    "Note",
    "Picture",
    "Plot",
    "Row",
    "Table",
    "Timeline",
    "attempt",
    "attempt_several",
]

#: Slower drawings wait until a slider is let go.
_SLOW_SECONDS: Final = 0.3
_MOST_WARNINGS: Final = 3


class Experiment(SavedBox):
    """Controls above the pictures that ``draw`` makes of their values.

    ``draw`` is called with the names of ``controls`` and returns a list of pictures. The cell's
    last expression shows it; a notebook without a kernel shows the last pictures.
    """

    def __init__(
        self,
        title: str,
        draw: Callable[..., Any],
        controls: Mapping[str, Any] | None = None,
        *,
        note: str = "",
        labels: Mapping[str, str] | None = None,
    ) -> None:
        """Draw once, with the start values.

        ``controls`` maps each name to ``(low, high, step, start)`` for a slider, to a list or a
        dict from words to values for a choice, or to a bool. ``labels`` are other words than the
        names. Raises ``InvalidInputError`` for controls that cannot be made.
        """
        self._heading, self._note, self._draw = title, note, draw
        self._kit = kit = Kit()
        words = {**{name: name.replace("_", " ") for name in controls or {}}, **(labels or {})}
        self._controls = {
            name: Control(name, words[name], description, kit)
            for name, description in (controls or {}).items()
        }
        self._lock = threading.Lock()
        self._is_due = self._is_setting = False
        self._seconds = DRAW_SECONDS
        self._seen = Seen(title, note, "")
        self._display = SavedDisplay(self, self._saved_html)
        self._said, self._pictures = kit.text("ppo-status"), kit.text()
        self._numbers = kit.make(
            ipywidgets.ToggleButton,
            "ppo-section-button",
            layout=kit.layout(width="auto"),
            description="Numbers",
            tooltip="Open the tables behind the pictures",
            icon="table",
        )
        again = kit.button(
            "Draw again", "refresh", "Draw with your functions as they are now", self.redraw
        )
        inputs = [control.widget for control in self._controls.values()]
        super().__init__(
            children=[
                ControlStyle(kit),
                kit.text("ppo-title", value=escape(title)),
                kit.text(value=escape(note)),
                kit.row([*inputs, again, self._numbers], "ppo-x-inputs"),
                self._said,
                self._pictures,
            ],
            layout=kit.layout(),
            _dom_classes=("ppo-controls", "ppo-x"),
        )
        self._is_open = True
        self.redraw()
        for widget in (*inputs, self._numbers):
            widget.observe(self._changed, "value")

    def __repr__(self) -> str:
        return f"<Experiment {self._heading!r}: {self._settings_words() or 'no controls'}>"

    @property
    def settings(self) -> dict[str, Any]:
        """The values of the controls by their names."""
        return {name: control.value for name, control in self._controls.items()}

    @property
    def said(self) -> list[str]:
        """The lines on what is missing or wrong in the pictures."""
        return list(self._seen.said)

    @property
    def html(self) -> str:
        """What is shown: the lines on what is missing, and the pictures."""
        return f"{said_html(self._seen.said)}{self._seen.html(is_open=self._numbers.value)}"

    @property
    def saved(self) -> str:
        """The HTML that a notebook keeps, below 100 kB."""
        return self._display.html

    def set(self, **settings: Any) -> None:
        """Move controls and draw once. Raises ``InvalidInputError`` for what they cannot take."""
        self._is_setting = True
        try:
            for name, value in settings.items():
                if name not in self._controls:
                    known = ", ".join(self._controls) or "none"
                    msg = f"{name}: no such control. There are: {known}."
                    raise InvalidInputError(msg, field=name)
                self._controls[name].value = value
        finally:
            self._is_setting = False
        self.redraw()

    def redraw(self) -> None:
        """Draw with the values and the functions as they are now.

        While it is drawn in another thread already, that thread draws once more afterwards.
        """
        self._is_due = True
        while self._is_due and self._lock.acquire(blocking=False):
            try:
                self._is_due = False
                self._draw_once()
            finally:
                self._lock.release()

    def show(self) -> None:
        """Show it below the current cell."""
        self._display.show()

    def _changed(self, _change: Any) -> None:
        if not self._is_setting:
            self.redraw()

    def _draw_once(self) -> None:
        began = time.perf_counter()
        seen = Seen(self._heading, self._note, self._settings_words())
        with listening() as said:
            with _caught() as (printed, warned):
                limit = Limit()
                try:
                    with limited(self._seconds) as limit:
                        pictures = self._draw(**self.settings)
                except Exception as error:
                    if not said:  # otherwise it is because of what is missing
                        say(draw_failure(error, self._draw))
                    pictures = []
                self._seconds = AGAIN_SECONDS if limit.was_reached else DRAW_SECONDS
            seen.add(pictures)
            for line in dict.fromkeys(warned):
                if len(said) < _MOST_WARNINGS:
                    say(line)
        seen.said, seen.printed = said, printed.getvalue()
        self._seen = seen
        self._said.value = said_html(said)
        self._pictures.value = self._display.style + seen.html(is_open=self._numbers.value)
        if time.perf_counter() - began > _SLOW_SECONDS:
            for control in self._controls.values():
                if control.is_slider:
                    control.widget.continuous_update = False
        self._display.renew()

    def _saved_html(self, name: str) -> str:
        return self._seen.saved(name)

    def _settings_words(self) -> str:
        return ", ".join(control.words for control in self._controls.values())


class _Ear(io.TextIOBase):
    """Standard output that keeps what one thread prints, and lets all others print."""

    def __init__(self, original: Any) -> None:
        self._original = original
        self._thread = threading.get_ident()
        self._kept = io.StringIO()

    def write(self, words: str) -> int:
        """Keep the words of our thread."""
        is_ours = threading.get_ident() == self._thread
        written: int = (self._kept if is_ours else self._original).write(words)
        return written

    def flush(self) -> None:
        """Pass what others have printed on."""
        self._original.flush()

    def getvalue(self) -> str:
        """Return what our thread has printed."""
        return self._kept.getvalue()


@contextmanager
def _caught() -> Iterator[tuple[_Ear, list[str]]]:
    """Keep what is printed meanwhile, and the warnings as lines."""
    ear = _Ear(sys.stdout)
    lines: list[str] = []
    original, sys.stdout = sys.stdout, ear
    try:
        with warnings.catch_warnings(record=True) as found:
            warnings.simplefilter("always")
            yield ear, lines
        lines += [f"Warning: {str(one.message).splitlines()[0][:200]}" for one in found]
    finally:
        if sys.stdout is ear:
            sys.stdout = original
