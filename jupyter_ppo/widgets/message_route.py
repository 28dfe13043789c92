"""Where in a kernel the messages of a page are handled."""

from __future__ import annotations

from typing import Any


def keep_route(widget: Any) -> None:
    """Let the page's messages to ``widget`` go where the page sends them.

    JupyterLab sends them to a subshell of its own, so that they are handled while a cell runs.
    ipykernel 7.4 sends them to where the widget spoke last instead. Our widgets speak from threads
    as well, on behalf of the newest request of all: a button would wait for the cell that runs, or
    would be dead after the subshell of that request has ended, such as when a page is loaded again.
    """
    comm = widget.comm
    if hasattr(comm, "_reply_subshell_for"):
        comm._reply_subshell_for = _as_sent


def _as_sent(_data: Any, subshell: str | None) -> str | None:
    return subshell
