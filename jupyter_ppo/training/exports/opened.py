"""A run, however it is given: itself, its folder, or what shows it."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from jupyter_ppo.domain.errors import InvalidInputError
from jupyter_ppo.training.launch import open_run
from jupyter_ppo.training.run import Run


class InFolder(Protocol):
    """What belongs to a run's folder, such as the view of a notebook."""

    @property
    def directory(self) -> Path:
        """The run's folder."""


AnyRun = Run | InFolder | Path | str


def opened(run: AnyRun) -> Run:
    """Return the run; raise ``NotFoundError`` or ``InvalidInputError`` for what is none."""
    if isinstance(run, Run):
        return run
    folder = run if isinstance(run, Path | str) else getattr(run, "directory", None)
    if folder is None:
        msg = f"run: {type(run).__name__} is no run. Give what train() returned, or a run's folder."
        raise InvalidInputError(msg, field="run")
    return open_run(folder)
