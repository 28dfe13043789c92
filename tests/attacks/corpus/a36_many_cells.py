"""Thousands of cells that do nothing, each of which takes its time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from attack_corpus import Seen, Variant, right

CELLS = 2100


def variants(folder: Path) -> list[Variant]:
    def change(document: dict[str, Any]) -> None:
        document["cells"] += [
            {"cell_type": "code", "id": f"more{number}", "source": "pass", "metadata": {}}
            | {"outputs": [], "execution_count": None}
            for number in range(CELLS)
        ]

    return [right(change=change, may_be_refused=True)]


def harm(folder: Path, seen: Seen) -> str:
    ran = seen.notebook.count('"execution_count": ') - seen.notebook.count(
        '"execution_count": null'
    )
    return f"all {ran} cells are run" if ran > CELLS else ""
