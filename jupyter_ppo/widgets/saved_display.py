"""A widget in a notebook, and beside it what the notebook keeps when the widget is gone."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, Final
from uuid import uuid4

import ipywidgets

from jupyter_ppo.widgets.control_style import Kit, close_all
from jupyter_ppo.widgets.notebook_display import VIEW_TYPE, Bundle, NotebookDisplay

#: What is saved is renewed at most so often.
_SECONDS: Final = 1.0


class SavedDisplay:
    """Two outputs of a cell: the live widget, and HTML that is seen only without it.

    The widget hides the HTML with ``style`` as long as it is in the page itself. Pages without a
    kernel have the HTML alone: as it was after the last ``renew``.
    """

    def __init__(self, widget: Any, saved: Callable[[str], str]) -> None:
        """``saved`` returns the HTML; it is given a class of CSS that it must carry."""
        self._widget, self._make = widget, saved
        self._name = f"ppo-x-saved-{uuid4().hex[:12]}"
        self._view, self._beside = NotebookDisplay(), NotebookDisplay()
        self._at = 0.0
        self._timer: threading.Timer | None = None

    @property
    def style(self) -> str:
        """HTML for the widget that hides what is saved."""
        return f"<style>.{self._name}{{display:none}}</style>"

    @property
    def html(self) -> str:
        """What the notebook keeps, with a style for JupyterLab's error in the widget's place."""
        failed = f".jp-OutputArea-child:has(+ .jp-OutputArea-child .{self._name})"
        hides = f"{failed} .jupyter-widgets:not(:has(*)){{display:none}}"
        return f"<style>{hides}</style>{self._make(self._name)}"

    def show(self) -> None:
        """Show both below the current cell."""
        self._view.show(self._view_bundle)
        self._at = time.monotonic()
        self._beside.show(self._saved_bundle)

    def renew(self) -> None:
        """Renew what the notebook keeps, at once or in a moment."""
        if not self._beside.is_shown:
            return
        wait = self._at + _SECONDS - time.monotonic()
        if wait <= 0:
            self._renew()
        elif self._timer is None:
            self._timer = threading.Timer(wait, self._renew)
            self._timer.daemon = True
            self._timer.start()

    def close(self) -> None:
        """Renew it no more; what is saved stays."""
        if self._timer is not None:
            self._timer.cancel()

    def _renew(self) -> None:
        self._timer = None
        self._at = time.monotonic()
        self._beside.update(self._saved_bundle())

    def _view_bundle(self) -> Bundle:
        # A page without the widget takes the empty HTML, and has the next output in its place.
        bundle: Bundle = {"text/plain": repr(self._widget), "text/html": ""}
        if self._widget.comm is not None:
            model = {"model_id": self._widget.model_id, "version_major": 2, "version_minor": 0}
            bundle[VIEW_TYPE] = model
        return bundle

    def _saved_bundle(self) -> Bundle:
        return {"text/plain": f"Saved view of {self._widget!r}", "text/html": self.html}


class SavedBox(ipywidgets.VBox):
    """Controls and pictures that are shown with a ``SavedDisplay``.

    Whoever makes one sets ``_kit`` and ``_display``, and ``_is_open`` once it is whole: ipywidgets
    also closes what was never made whole.
    """

    _kit: Kit
    _display: SavedDisplay
    _is_open = False

    def _ipython_display_(self) -> None:
        self._display.show()

    def close(self) -> None:
        """Remove the view; what the notebook has saved stays."""
        if self._is_open:
            self._is_open = False
            self._display.close()
            close_all(self)
            self._kit.close()
        super().close()
