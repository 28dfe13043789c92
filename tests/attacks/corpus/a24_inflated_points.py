"""A test cell says that it gives a thousand points, or infinitely many."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from attack_corpus import Variant, both, named


def variants(folder: Path) -> list[Variant]:
    def thousand(document: dict[str, Any]) -> None:
        named(document, "square_tests")["metadata"]["nbgrader"]["points"] = 1000

    def infinite(document: dict[str, Any]) -> None:
        named(document, "square_tests")["metadata"]["nbgrader"]["points"] = float("inf")

    return [*both("", "1000", change=thousand), *both("", "infinite", change=infinite)]
