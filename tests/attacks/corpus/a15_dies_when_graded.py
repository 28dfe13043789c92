"""Submitted code ends its process where it is graded, so that no grade at all comes of it."""

from __future__ import annotations

from pathlib import Path

from attack_corpus import Variant, right

DIES = """
import os

if os.environ.get("NBGRADER_EXECUTION") != "validate":
    os._exit(0)
"""
AT_CALL = """
def mean(values):
    import os
    os._exit(0)
"""
POINTS = {"square_tests": 5.0, "mean_tests": 0.0}


def variants(folder: Path) -> list[Variant]:
    return [
        right(name="in a cell", answers={"mean": DIES.strip()}, deserved=POINTS),
        right(name="in a call", answers={"mean": AT_CALL.strip()}, deserved=POINTS),
    ]
