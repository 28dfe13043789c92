"""IPython is told to show no errors."""

from __future__ import annotations

from pathlib import Path

from attack_corpus import Variant, both

TRICK = """
shell = get_ipython()
shell.showtraceback = shell._showtraceback = lambda *args, **options: None
shell.set_custom_exc((BaseException,), lambda *args, **options: None)
"""


def variants(folder: Path) -> list[Variant]:
    return both(TRICK)
