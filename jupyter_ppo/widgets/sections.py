"""Parts of a view that are made when they are first opened, one open at a time.

The Accordion of ipywidgets cannot be used with keys, so these are toggle buttons.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import ipywidgets

from jupyter_ppo.widgets.control_style import Kit, alert, close_all, reason

Section = tuple[str, Callable[[], Any]]


class Sections(ipywidgets.VBox):
    """A button for each section and, below, the section that is open; none at first."""

    def __init__(self, sections: Sequence[Section], *, kit: Kit, label: str) -> None:
        """Show ``sections``, each a title and what makes its widget; ``label`` names them all."""
        self._makers = [maker for _, maker in sections]
        self._made: dict[int, Any] = {}
        self._kit = kit
        self._body = kit.column([])
        self._buttons = []
        for number, (title, _) in enumerate(sections):
            button = kit.make(
                ipywidgets.ToggleButton,
                "ppo-section-button",
                layout=kit.layout(width="auto"),
                description=title,
                tooltip=f"Show or hide {title}",
                icon="caret-right",
            )
            button.observe(self._toggled(number), "value")
            self._buttons.append(button)
        group = f"ppo-group-{label.replace(' ', '-')}"
        row = kit.row(self._buttons, "ppo-group", group)
        super().__init__(children=[row, self._body], layout=kit.layout())

    @property
    def opened(self) -> str | None:
        """The title of the open section."""
        for button in self._buttons:
            if button.value:
                return str(button.description)
        return None

    def unfold(self, title: str | None) -> None:
        """Open a section by its title and close the others; None closes all."""
        for button in self._buttons:
            button.value = button.description == title

    def made(self, title: str) -> Any:
        """Return the widget of a section, None while it was never opened."""
        titles = [button.description for button in self._buttons]
        return self._made.get(titles.index(title))

    def close(self) -> None:
        """Remove the sections, also those that are not open."""
        for widget in self._made.values():
            close_all(widget)
            widget.close()
        close_all(self)
        super().close()

    def _toggled(self, number: int) -> Callable[[Any], None]:
        def show(change: Any) -> None:
            button = self._buttons[number]
            if change["new"]:
                for other in self._buttons:
                    if other is not button:
                        other.value = False
                button.icon = "caret-down"
                self._body.children = [self._widget(number)]
            else:
                button.icon = "caret-right"
                if not any(other.value for other in self._buttons):
                    self._body.children = []

        return show

    def _widget(self, number: int) -> Any:
        if number not in self._made:
            try:
                self._made[number] = self._makers[number]()
            except Exception as error:  # shown in its place, and tried again when opened again
                return self._kit.text("ppo-alert", value=alert(reason(error)))
        return self._made[number]
