"""The student edits the tests, the author's own cells and the files that say how to grade."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from attack_corpus import Variant, both, named

FILES = {
    ".github/workflows/classroom.yml": b"on: push\njobs: {}\n",
    "tests/square.py": b"OK = True\n",
    "nbgrader_config.py": b"c = get_config()\nc.Autograde.create_student = False\n",
}


def variants(folder: Path) -> list[Variant]:
    def change(document: dict[str, Any]) -> None:
        named(document, "given")["source"] = (
            "import numpy as np\nTOL = 1e9\nnp.testing.assert_allclose = lambda *a, **k: None"
        )
        for name in ("square_tests", "mean_tests"):
            named(document, name)["source"] = "pass"

    return both("", change=change, files=FILES)
