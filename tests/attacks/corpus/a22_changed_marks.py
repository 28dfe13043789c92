"""A test cell is marked as not graded, and as an answer that the student may write."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from attack_corpus import Variant, both, named


def variants(folder: Path) -> list[Variant]:
    def change(document: dict[str, Any]) -> None:
        cell = named(document, "square_tests")
        cell["metadata"]["nbgrader"] |= {"grade": False, "solution": True, "locked": False}
        cell["source"] = "pass"

    return both("", change=change)
