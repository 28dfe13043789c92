"""The author's notebook as the analysis reads it: its code cells, in order."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from jupyter_ppo.autograde.cells import grade_id_of, kind_of, text_of
from jupyter_ppo.domain.courses import CellKind

#: The tag (``metadata.tags``) of a test cell that the author wants run in the student's kernel.
UNSEALED_TAG = "unsealed"


class Part(StrEnum):
    """What a code cell of the author's is to the examiner."""

    ANSWER = "answer"  # the student writes in it
    GIVEN = "given"  # the author's own code
    TEST = "test"  # run by the examiner only
    UNSEALED = "unsealed"  # a test that runs in the student's kernel


@dataclass(frozen=True, slots=True)
class AuthorCell:
    """A code cell of the source notebook."""

    part: Part
    grade_id: str | None
    source: str


def author_cells(notebook: dict[str, Any]) -> tuple[AuthorCell, ...]:
    """Return the code cells of the source notebook; those of no kind count as given."""
    return tuple(
        AuthorCell(_part(cell), grade_id_of(cell), text_of(cell.get("source")))
        for cell in notebook["cells"]
        if cell.get("cell_type") == "code"
    )


def is_unsealed(cell: dict[str, Any]) -> bool:
    """Whether the author marked the cell to be run in the student's kernel."""
    metadata = cell.get("metadata")
    tags = metadata.get("tags") if isinstance(metadata, dict) else None
    return isinstance(tags, list) and UNSEALED_TAG in tags


def _part(cell: dict[str, Any]) -> Part:
    kind = kind_of(cell)
    if kind is CellKind.TESTS:
        return Part.UNSEALED if is_unsealed(cell) else Part.TEST
    return Part.ANSWER if kind in {CellKind.SOLUTION, CellKind.MANUAL} else Part.GIVEN
