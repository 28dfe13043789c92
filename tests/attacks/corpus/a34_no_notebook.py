"""Files that are no notebook: other bytes, half a notebook, other JSON."""

from __future__ import annotations

from pathlib import Path

from attack_corpus import Variant, right

WHOLE = right().notebook


def variants(folder: Path) -> list[Variant]:
    files = {
        "not UTF-8": b"\xff\xfe" + WHOLE,
        "cut off": WHOLE[: len(WHOLE) // 2],
        "a list": b"[1, 2, 3]",
        "no cells": b'{"nbformat": 4, "nbformat_minor": 5, "metadata": {}}',
    }
    return [Variant(name, data, {}, may_be_refused=True) for name, data in files.items()]
