"""Submitted code prints the environment, with whatever token the grader's process has."""

from __future__ import annotations

from pathlib import Path

from attack_corpus import Seen, Variant, both

TRICK = """
import os
print([value for name, value in os.environ.items() if "TOKEN" in name])
"""


def variants(folder: Path) -> list[Variant]:
    return both(TRICK)


def harm(folder: Path, seen: Seen) -> str:
    secret = f"secret-of-{folder.parent.name}"
    return "the grader's token is in the notebook" if secret in seen.notebook else ""
