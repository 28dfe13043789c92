"""Where the course's own notebooks are: beside the package in a checkout, inside it in a wheel."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat

from jupyter_ppo.domain.errors import NotFoundError

FIRST_ASSIGNMENT = "ppo-in-one-sitting"
_MARKS = ("### BEGIN SOLUTION", "### END SOLUTION")


def chapters() -> tuple[str, ...]:
    """Return the names of the chapters that come with the package, in their order."""
    found = {path.stem for folder in _folders() for path in folder.glob("[0-9][0-9]-*.ipynb")}
    return tuple(sorted(found))


def course_notebook(name: str) -> Path:
    """Return the source notebook of an assignment of the course that comes with the package."""
    for folder in _folders():
        path = folder / f"{name}.ipynb"
        if path.is_file():
            return path
    msg = f"The notebook {name}.ipynb did not come with this installation; install it again."
    raise NotFoundError(msg, field="assignment")


def reference_answers(name: str) -> dict[str, str]:
    """Return the author's answers by grade_id, without nbgrader's marks around them."""
    source = nbformat.read(course_notebook(name), as_version=4)
    return {
        cell.metadata["nbgrader"]["grade_id"]: _without_marks(cell)
        for cell in source.cells
        if cell.metadata.get("nbgrader", {}).get("solution")
    }


def _folders() -> tuple[Path, Path]:
    package = Path(__file__).parent.parent
    return package / "notebooks", package.parent / "notebooks"


def _without_marks(cell: Any) -> str:
    lines = str(cell.source).splitlines()
    return "\n".join(line for line in lines if line.strip() not in _MARKS)
