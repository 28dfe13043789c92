"""Pickles that run code when a grader loads them: in metadata, as a log, as results."""

from __future__ import annotations

import base64
import pickle
from pathlib import Path
from typing import Any

from attack_corpus import Seen, Variant, right, wrong


class Touch:
    """Makes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


def variants(folder: Path) -> list[Variant]:
    data = pickle.dumps(Touch(folder / "unpickled"))

    def change(document: dict[str, Any]) -> None:
        config = base64.b85encode(data).decode()
        document["metadata"]["scramble_config"] = {"config": config, "seed": 1}
        document["metadata"]["extended_cell"] = {"type": "diagram", "config": config}

    files = {"results.pkl": data, ".OTTER_LOG": data, "p.pkl": data}
    return [wrong(change=change, files=files), right(change=change, files=files)]


def harm(folder: Path, seen: Seen) -> str:
    return "the grader ran a pickle" if (folder / "unpickled").exists() else ""
