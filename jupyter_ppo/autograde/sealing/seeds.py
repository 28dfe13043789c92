"""A seed of each student's own, written into the author's locked cells."""

from __future__ import annotations

import copy
import re
from typing import Any

from jupyter_ppo.autograde.cells import is_answer, kind_of, text_of

_SEED = re.compile(r"^([ \t]*\w+[ \t]*=[ \t]*)\d+([ \t]*#+[ \t]*STUDENT SEED[ \t]*)$", re.MULTILINE)


def personal_seed(notebook: dict[str, Any], seed: int) -> dict[str, Any]:
    """Return a copy of ``notebook`` with ``seed`` in the lines marked ``### STUDENT SEED``.

    Such a line is ``name = number  ### STUDENT SEED`` in a locked code cell; lines in cells that
    the student writes in stay as they are.
    """
    made = copy.deepcopy(notebook)
    for cell in made["cells"]:
        if _may_have_seed(cell):
            cell["source"] = _SEED.sub(
                lambda found: f"{found[1]}{seed:d}{found[2]}", text_of(cell["source"])
            )
    return made


def uses_personal_seed(notebook: dict[str, Any]) -> bool:
    """Whether some line of ``notebook`` asks for a seed of the student's own."""
    return any(
        _may_have_seed(cell) and _SEED.search(text_of(cell["source"])) is not None
        for cell in notebook["cells"]
    )


def _may_have_seed(cell: dict[str, Any]) -> bool:
    is_locked = kind_of(cell) is not None and not is_answer(cell)
    return cell.get("cell_type") == "code" and is_locked
