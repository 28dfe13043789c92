"""The checker itself is replaced in the student's process, so that all its checks pass."""

from __future__ import annotations

from pathlib import Path

from attack_corpus import RIGHT, Variant, given, notebook, right, solution, tests, wrong

SOURCE = notebook(
    given("import numpy as np"),
    solution("square", RIGHT["square"]),
    tests(
        "square_tests",
        "from jupyter_ppo.checks import Checks\n\nchecks = Checks()\n"
        'with checks("small", points=2):\n    assert square(2) == 4\n'
        'with checks("large", points=3):\n    assert square(12) == 144\nchecks.points',
        5,
    ),
)
TRICK = """
import contextlib
import jupyter_ppo.checks

class Checks:
    points = 5

    @contextlib.contextmanager
    def __call__(self, *args, **options):
        with contextlib.suppress(BaseException):
            yield

for name, module in list(__import__("sys").modules.items()):
    if name.startswith("jupyter_ppo.checks"):
        module.Checks = Checks
"""


def variants(folder: Path) -> list[Variant]:
    return [
        wrong(TRICK, source=SOURCE, deserved={"square_tests": 0.0}),
        right(TRICK, source=SOURCE, deserved={"square_tests": 5.0}),
    ]
