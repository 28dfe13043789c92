"""Where something is shown in a notebook, and how what the notebook saves of it is renewed."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any, Final
from uuid import uuid4

#: What our own front end needs to show a saved run again.
RUN_TYPE: Final = "application/vnd.jupyter-ppo.run+json"
VIEW_TYPE: Final = "application/vnd.jupyter.widget-view+json"

Bundle = dict[str, Any]


class NotebookDisplay:
    """One output of a notebook: shown once per cell, and updated wherever it is seen."""

    def __init__(self) -> None:
        self._id: str | None = None
        self._cell: Any = None

    @property
    def is_shown(self) -> bool:
        """Whether there is an output to update."""
        return self._id is not None

    def show(self, bundle: Callable[[], Bundle]) -> None:
        """Show it below the current cell, unless this cell has shown it already."""
        from IPython import get_ipython

        here = getattr(get_ipython(), "execution_count", None)
        if here is not None and here == self._cell:
            return  # train() as a cell's last line: shown already
        self._cell = here
        if self._id is None:
            self._id = uuid4().hex
        _publish(bundle(), self._id)

    def update(self, bundle: Mapping[str, Any]) -> None:
        """Replace what the notebook saves, in every output that shows it."""
        if self._id is not None:
            _publish(dict(bundle), self._id, update=True)


def in_notebook() -> bool:
    """Whether this process is a Jupyter kernel."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return getattr(shell, "kernel", None) is not None


def run_bundle(
    widget: Any,
    *,
    text: str,
    picture: str = "",
    directory: str = "",
    title: str = "",
    **board: Any,
) -> Bundle:
    """Return what a notebook saves: words, a picture, the widget, and what to show again.

    ``directory`` is a run's, or with ``runs`` (folders, or none for all of ``directory``) and
    ``statistic`` those of a board.
    """
    bundle: Bundle = {"text/plain": text}
    model_id = "" if widget.comm is None else widget.model_id
    if picture:
        bundle["image/svg+xml"] = picture
    if model_id:
        bundle[VIEW_TYPE] = {"version_major": 2, "version_minor": 0, "model_id": model_id}
    if directory or board.get("runs"):
        bundle[RUN_TYPE] = {
            "format": 1,
            "directory": directory,
            "title": title,
            "model_id": model_id,
            **board,
        }
    return bundle


def _publish(bundle: Bundle, display_id: str, *, update: bool = False) -> None:
    from IPython.display import publish_display_data

    publish_display_data(  # type: ignore[no-untyped-call]
        bundle, transient={"display_id": display_id}, update=update
    )
