"""A cell of the student's own is marked as a test that gives points."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from attack_corpus import Variant, both, tests


def variants(folder: Path) -> list[Variant]:
    def change(document: dict[str, Any]) -> None:
        document["cells"].append(tests("bonus", "5", 5))

    return both("", change=change)
