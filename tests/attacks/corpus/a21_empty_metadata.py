"""A test cell whose nbgrader metadata is empty, or of a kind that nobody expects."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from attack_corpus import Variant, both, named


def variants(folder: Path) -> list[Variant]:
    def empty(document: dict[str, Any]) -> None:
        named(document, "square_tests")["metadata"] = {"nbgrader": {}}

    def foreign(document: dict[str, Any]) -> None:
        named(document, "square_tests")["metadata"]["nbgrader"] |= {
            "schema_version": 1,
            "cell_type": ["code"],
            "checksum": None,
        }

    return [*both("", "empty", change=empty), *both("", "foreign", change=foreign)]
