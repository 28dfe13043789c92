"""A test cell is turned into text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from attack_corpus import Variant, both, named


def variants(folder: Path) -> list[Variant]:
    def change(document: dict[str, Any]) -> None:
        cell = named(document, "square_tests")
        cell["cell_type"] = "markdown"
        cell.pop("outputs")
        cell.pop("execution_count")

    return both("", change=change)
