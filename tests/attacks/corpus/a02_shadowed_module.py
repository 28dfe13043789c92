"""A file of the submission takes the place of a module that the tests import."""

from __future__ import annotations

from pathlib import Path

from attack_corpus import RIGHT, Variant, given, hidden, notebook, right, solution, tests, wrong

SOURCE = notebook(
    given("import numpy as np"),
    solution("square", RIGHT["square"]),
    tests(
        "square_tests",
        "from unittest import TestCase\n\nTestCase().assertEqual(square(2), 4)"
        + hidden("TestCase().assertEqual(square(12), 144)"),
        5,
    ),
)
SHADOW = "class TestCase:\n    def assertEqual(self, one, other):\n        pass\n"
# Also written by the notebook itself, for where no other file can be handed in.
TRICK = f"""
import sys
with open("unittest.py", "w") as file:
    file.write({SHADOW!r})
sys.path.insert(0, ".")
sys.modules.pop("unittest", None)
"""


def variants(folder: Path) -> list[Variant]:
    files = {"unittest.py": SHADOW.encode()}
    points = {"square_tests": 5.0}
    return [
        wrong(name="a file", files=files, source=SOURCE, deserved={"square_tests": 0.0}),
        wrong(TRICK, "written", source=SOURCE, deserved={"square_tests": 0.0}),
        right(TRICK, files=files, source=SOURCE, deserved=points),
    ]
