"""A class of 30, graded here in containers and by ``nbgrader autograde`` without, in one run.

Both grade the same notebooks: a third untouched, a third half answered, a third right. Here the
feedback page is made as well; nbgrader makes its own in a second command, which is not counted.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from grading_here import Sealed
from harness import Cost, environment, measured, spread, table
from tqdm import tqdm

from jupyter_ppo.autograde.notebook_grader import NotebookGrader
from jupyter_ppo.sandbox.notebook import ContainerSandbox

SOURCE = Path(__file__).parents[1] / "notebooks" / "ppo-in-one-sitting.ipynb"
ASSIGNMENT = "sitting"


def make_class(source: bytes, release: bytes, size: int) -> list[bytes]:
    """Return ``size`` submissions: untouched, half answered, right, and again."""
    solutions = {
        cell["metadata"]["nbgrader"]["grade_id"]: cell["source"]
        for cell in json.loads(source)["cells"]
        if cell["metadata"].get("nbgrader", {}).get("solution")
    }
    names = list(solutions)
    found = []
    for number in range(size):
        answered = names[: (0, 1, len(names))[number % 3]]
        notebook = json.loads(release)
        for cell in notebook["cells"]:
            name = cell["metadata"].get("nbgrader", {}).get("grade_id")
            if name in answered:
                cell["source"] = solutions[name]
        found.append(json.dumps(notebook).encode())
    return found


class Nbgrader:
    """Grades the class with ``nbgrader autograde`` in a course folder of its own."""

    def __init__(self, course: Path, source: bytes, submissions: list[bytes]) -> None:
        self._course = course
        folder = course / "source" / ASSIGNMENT
        folder.mkdir(parents=True)
        (folder / "p.ipynb").write_bytes(source)
        (course / "nbgrader_config.py").write_text("c = get_config()\n", encoding="utf-8")
        self._command("generate_assignment", ASSIGNMENT)
        for number, data in enumerate(submissions):
            folder = course / "submitted" / f"s{number:02}" / ASSIGNMENT
            folder.mkdir(parents=True)
            (folder / "p.ipynb").write_bytes(data)

    def prepare(self) -> None:
        """Forget the last repeat's result, so that every repeat does all the work."""
        shutil.rmtree(self._course / "autograded", ignore_errors=True)

    def __call__(self) -> None:
        self._command("autograde", ASSIGNMENT, "--create")

    def points(self, size: int) -> list[float]:
        """Return each submission's automatic points, in the class's order."""
        from nbgrader.api import Gradebook

        with Gradebook(f"sqlite:///{self._course}/gradebook.db") as book:
            scores = {
                item.student.id: item.score for item in book.assignment_submissions(ASSIGNMENT)
            }
        return [scores[f"s{number:02}"] for number in range(size)]

    def _command(self, *arguments: str) -> None:
        programs = str(Path(sys.executable).parent)  # nbgrader calls alembic by name
        variables = {**os.environ, "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}
        subprocess.run(
            [sys.executable, "-m", "nbgrader", *arguments],
            cwd=self._course,
            env=variables,
            check=True,
            capture_output=True,
        )


def main() -> None:
    """Measure, compare the points, print the table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--students", type=int, default=30)
    options.add_argument("--repeats", type=int, default=3)
    chosen = options.parse_args()
    status = ContainerSandbox().status()
    if not status.available:
        sys.exit(f"{status.problem} {status.remedy or ''}")
    print(environment(), flush=True)
    source = SOURCE.read_bytes()
    submissions = make_class(source, NotebookGrader().release(source).release, chosen.students)
    with tempfile.TemporaryDirectory() as folder:
        nbgrader = Nbgrader(Path(folder), source, submissions)
        one, two = Sealed(source, submissions, 1), Sealed(source, submissions, 2)
        rows: list[tuple[str, Callable[[], None], bool]] = [
            ("nbgrader autograde, no sandbox, one at a time", nbgrader, False),
            ("here, sealed, in containers, one at a time", one, True),
            ("here, sealed, in containers, two at a time", two, True),
        ]
        costs: dict[str, list[Cost]] = {name: [] for name, _, _ in rows}
        with tqdm(total=chosen.repeats * len(rows), unit="class") as progress:
            for _ in range(chosen.repeats):  # in turns, so that other load hits all alike
                for name, work, containers in rows:
                    nbgrader.prepare()
                    costs[name].append(measured(work, containers=containers))
                    progress.update()
        one.close()
        two.close()
        check_points(one.points, nbgrader.points(chosen.students))
    print(f"{chosen.students} students, {chosen.repeats} repeats: median (lowest to highest)\n")
    head = ("seconds per submission", "wall", "CPU")
    print(table(head, [row(name, found, chosen.students) for name, found in costs.items()]))


def row(name: str, costs: list[Cost], students: int) -> tuple[str, str, str]:
    """Return one line of the table."""
    wall, cpu = [cost.wall for cost in costs], [cost.cpu for cost in costs]
    return name, spread(wall, students), spread(cpu, students)


def check_points(ours: list[Any], theirs: list[Any]) -> None:
    """Stop if the two graders disagree: then the times mean nothing."""
    if ours != theirs:
        sys.exit(f"The points differ.\nhere:     {ours}\nnbgrader: {theirs}")
    print(f"Both give the same points: {min(ours):g} to {max(ours):g}.")


if __name__ == "__main__":
    main()
