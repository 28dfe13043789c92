"""No attack but an accident: a right answer that warns on stderr."""

from __future__ import annotations

from pathlib import Path

from attack_corpus import RIGHT, Variant, right

ANSWER = """
def square(x):
    import sys
    import warnings

    warnings.warn("this is old")
    print("a note", file=sys.stderr)
    return x * x
"""


def variants(folder: Path) -> list[Variant]:
    return [right(answers={**RIGHT, "square": ANSWER.strip()})]
