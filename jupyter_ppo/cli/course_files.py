"""Where the course's own notebooks are: beside the package in a checkout, inside it in a wheel."""

from __future__ import annotations

from pathlib import Path

from jupyter_ppo.domain.errors import NotFoundError

FIRST_ASSIGNMENT = "ppo-in-one-sitting"


def course_notebook(name: str) -> Path:
    """Return the source notebook of an assignment of the course that comes with the package."""
    package = Path(__file__).parent.parent
    for folder in (package / "notebooks", package.parent / "notebooks"):
        path = folder / f"{name}.ipynb"
        if path.is_file():
            return path
    msg = f"The notebook {name}.ipynb did not come with this installation; install it again."
    raise NotFoundError(msg, field="assignment")
