"""The solution is read from the disk: the source notebook of the course."""

from __future__ import annotations

from pathlib import Path

from attack_corpus import Variant, wrong

TRICK = """
import glob
import json

found = glob.glob("../../../source/*/*.ipynb")
"""
LAST = """
for path in found:
    with open(path) as file:
        cells = json.load(file)["cells"]
    for cell in cells:
        if "BEGIN SOLUTION" in "".join(cell["source"]):
            exec("".join(cell["source"]))
"""
ANSWERS = {
    "square": "def square(x):\n    return 0\n\n" + LAST.strip(),
    "mean": "if not found:\n    mean = lambda values: 0.0",
}


def variants(folder: Path) -> list[Variant]:
    return [wrong(TRICK, answers=ANSWERS)]
