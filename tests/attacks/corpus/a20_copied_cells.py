"""Copies of graded cells, with the same grade_id."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

from attack_corpus import Variant, both, named


def variants(folder: Path) -> list[Variant]:
    def change(document: dict[str, Any]) -> None:
        for name in ("square_tests", "square"):
            twin = copy.deepcopy(named(document, name))
            document["cells"].append({**twin, "id": f"{name}-2"})

    return both("", change=change, may_be_refused=True)
