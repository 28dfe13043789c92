"""Submitted code writes to the disk of the machine that grades, or makes the grader do it."""

from __future__ import annotations

from pathlib import Path

from attack_corpus import Seen, Variant, right, wrong

TRICK = """
from pathlib import Path

class Touch:
    def __init__(self):
        self.path = Path({path!r})

    def __reduce__(self):
        return Path.touch, (self.path,)

try:
    Path({path!r}).touch()
except OSError:
    pass
"""
ANSWERS = {"square": "def square(x):\n    return Touch()"}


def variants(folder: Path) -> list[Variant]:
    trick = TRICK.format(path=str(folder / "escaped"))
    return [wrong(trick, answers=ANSWERS), right(trick)]


def harm(folder: Path, seen: Seen) -> str:
    return "a file was written on the host" if (folder / "escaped").exists() else ""
