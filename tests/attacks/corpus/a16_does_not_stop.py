"""A loop without end that ignores interrupts, so that every later cell waits its whole time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from attack_corpus import Seen, Variant, wrong

TRICK = """
import signal

signal.signal(signal.SIGINT, signal.SIG_IGN)
"""
LOOP = "def {0}(x):\n    while True:\n        pass"
ANSWERS = {"square": LOOP.format("square"), "mean": LOOP.format("mean")}
#: How many times the time of a cell a whole run may take.
TIMES = 4


def variants(folder: Path) -> list[Variant]:
    def change(document: dict[str, Any]) -> None:
        document["cells"] += [
            {"cell_type": "code", "id": f"more{number}", "source": "pass", "metadata": {}}
            | {"outputs": [], "execution_count": None}
            for number in range(6)
        ]

    return [wrong(TRICK, answers=ANSWERS, change=change)]


def harm(folder: Path, seen: Seen) -> str:
    slow = seen.seconds > TIMES * seen.cell_seconds
    return f"it took {seen.seconds / seen.cell_seconds:.0f} times a cell's time" if slow else ""
