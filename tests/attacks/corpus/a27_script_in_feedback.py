"""A script in an output and in a text cell, to run in the browser of whoever reads the feedback."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from attack_corpus import Seen, Variant, both

NEEDS_PAGE = True
TRICK = """
from IPython.display import HTML, display

display(HTML("<script>window.attacked = 1</script><img src=x onerror='window.attacked = 1'>"))
"""
ACTIVE = re.compile(r"<script>\s*window\.attacked|<img[^>]*onerror")


def variants(folder: Path) -> list[Variant]:
    def change(document: dict[str, Any]) -> None:
        text = "<script>window.attacked = 1</script> <img src=x onerror='window.attacked = 1'>"
        document["cells"].append(
            {"cell_type": "markdown", "id": "text", "source": text, "metadata": {}}
        )

    return both(TRICK, change=change)


def harm(folder: Path, seen: Seen) -> str:
    return "a script runs in the feedback" if ACTIVE.search(seen.page) else ""
