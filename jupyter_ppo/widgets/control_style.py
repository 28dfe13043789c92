"""Style and accessible names for ipywidgets controls, and controls that share them.

ipywidgets gives its sliders no name, its texts no live region and its toggles no state that a
screen reader could tell. A hidden view adds them, and our few lines of style.
"""

from __future__ import annotations

import html
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anywidget
import ipywidgets

from jupyter_ppo.domain.errors import PPOError
from jupyter_ppo.widgets.message_route import keep_route

_HERE = Path(__file__).parent
# Text, not paths: anywidget may watch a path with a thread of its own.
_SOURCE = (_HERE / "control_style.js").read_text("utf-8")
_STYLE = (_HERE / "control_style.css").read_text("utf-8")


class ControlStyle(anywidget.AnyWidget):
    """Put one into a box with the class ``ppo-controls``; it is not seen itself."""

    _esm = _SOURCE
    _css = _STYLE

    def __init__(self, kit: Kit) -> None:
        super().__init__(layout=kit.layout(display="none"))


class Kit:
    """Makes controls that share their layouts and styles, so that a saved notebook stays small."""

    def __init__(self) -> None:
        self._layouts: dict[tuple[tuple[str, str], ...], ipywidgets.Layout] = {}
        self._styles: dict[type, Any] = {}

    def layout(self, **values: str) -> ipywidgets.Layout:
        """Return the layout with these values."""
        key = tuple(sorted(values.items()))
        if key not in self._layouts:
            self._layouts[key] = ipywidgets.Layout(**values)
        return self._layouts[key]

    def make(self, kind: type[Any], *classes: str, layout: Any = None, **values: Any) -> Any:
        """Return a control of ``kind`` with CSS classes."""
        if kind in self._styles:
            values.setdefault("style", self._styles[kind])
        control = kind(layout=layout or self.layout(), _dom_classes=classes, **values)
        keep_route(control)
        if kind not in self._styles and hasattr(control, "style"):
            self._styles[kind] = control.style
        return control

    def text(self, *classes: str, value: str = "") -> Any:
        """Return HTML that takes no room while it is empty."""
        return self.make(
            ipywidgets.HTML, "ppo-flow", *classes, layout=self.layout(width="auto"), value=value
        )

    def button(self, label: str, icon: str, hint: str, pressed: Callable[[], object]) -> Any:
        """Return a button with words, an icon and a hint."""
        width = self.layout(width="auto")
        button = self.make(
            ipywidgets.Button, layout=width, description=label, icon=icon, tooltip=hint
        )
        button.on_click(lambda _button: pressed())
        return button

    def row(self, children: list[Any], *classes: str) -> Any:
        """Return controls beside each other, in lines as wide as the page."""
        layout = self.layout(display="flex", flex_flow="row wrap", align_items="center")
        return self.make(ipywidgets.Box, *classes, layout=layout, children=children)

    def column(self, children: list[Any], *classes: str) -> Any:
        """Return controls below each other."""
        return self.make(ipywidgets.VBox, *classes, children=children)

    def close(self) -> None:
        """Let go of the shared layouts and styles; the controls are closed by their boxes."""
        for shared in [*self._layouts.values(), *self._styles.values()]:
            shared.close()


def close_all(box: Any) -> None:
    """Close what is in a box, however deep; ipywidgets closes the box alone."""
    for child in getattr(box, "children", ()):
        close_all(child)
        child.close()


def reason(error: Exception) -> str:
    """Return a sentence on ``error`` to show beside what was pressed."""
    if isinstance(error, PPOError):
        return error.message
    return f"{type(error).__name__}: {error}"


def alert(sentence: str) -> str:
    """Return a sentence on something that is wrong as HTML; nothing for none."""
    return f'<span class="ppo-wrong">{html.escape(sentence)}</span>' if sentence else ""


def faint(sentence: str) -> str:
    """Return a sentence of less weight as HTML; nothing for none."""
    return f'<span class="ppo-faint">{html.escape(sentence)}</span>' if sentence else ""
