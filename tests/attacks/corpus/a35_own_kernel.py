"""The notebook names the kernel that is to run it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from attack_corpus import STANDARD, Variant, right, wrong


def _without_kernel() -> bytes:
    document = json.loads(STANDARD)
    document["metadata"] = {}
    return json.dumps(document).encode()


SOURCE = _without_kernel()


def variants(folder: Path) -> list[Variant]:
    def change(document: dict[str, Any]) -> None:
        document["metadata"]["kernelspec"] = {
            "name": "mine",
            "display_name": "Mine",
            "language": "python",
            "argv": ["python", "-c", "print(1)"],
        }

    return [wrong(change=change), right(change=change)]
