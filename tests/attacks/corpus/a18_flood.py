"""Output without end, to fill the memory of the grader."""

from __future__ import annotations

from pathlib import Path

from attack_corpus import Variant, right, wrong

NOT_RUN = "it floods memory; reference: 1.44 GB in 5 s, and no grade"
FLOOD = "while True:\n    print('y' * 100_000)"


def variants(folder: Path) -> list[Variant]:
    # What was right before the flood keeps its points.
    half = {"square_tests": 5.0, "mean_tests": 0.0}
    called = "def mean(values):\n    while True:\n        print('y' * 100_000)"
    return [
        wrong(FLOOD),
        right(name="after a right answer", answers={"mean": FLOOD}, deserved=half),
        right(name="in a call", answers={"mean": called}, deserved=half),
    ]
