"""A class of 30, graded here in containers and by ``nbgrader autograde`` without, in one run.

Both grade the same notebooks: a third untouched, a third half answered, a third right. Here the
feedback page is made as well; nbgrader makes its own in a second command, which is not counted.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from harness import Cost, environment, measured, spread, table
from tqdm import tqdm

from jupyter_ppo.autograde.notebook_grader import NotebookGrader
from jupyter_ppo.domain.grading import total
from jupyter_ppo.domain.ids import new_id
from jupyter_ppo.domain.sandbox import SandboxLimits, Verdict
from jupyter_ppo.domain.submissions import Submission, SubmissionState
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


class Here:
    """Grades the class with our grader and sandbox, ``at_once`` submissions at a time."""

    def __init__(self, source: bytes, submissions: list[bytes], at_once: int) -> None:
        self._source = source
        self._submissions = submissions
        self._at_once = at_once
        self._grader = NotebookGrader()
        self._released = self._grader.release(source)
        self._sandbox = ContainerSandbox()
        self.points: list[float] = []

    def __call__(self) -> None:
        with ThreadPoolExecutor(self._at_once) as pool:
            self.points = list(pool.map(self._grade, self._submissions))

    def _grade(self, data: bytes) -> float:
        grader = self._grader
        warnings = grader.check(data, self._released)
        notebook = grader.restore(self._source, data)
        run = asyncio.run(self._sandbox.run(notebook, SandboxLimits()))
        assert run.verdict is Verdict.RAN, run.detail
        grades = grader.score(notebook, run, self._released.exercises)
        page = grader.feedback(_submission(warnings), run, grades)
        assert page.startswith(b"<!DOCTYPE html>")
        return total(grade.points for grade in grades)


def _submission(warnings: tuple[str, ...]) -> Submission:
    return Submission(
        id=new_id(),
        course_id=new_id(),
        course_name="bench",
        assignment_id=new_id(),
        assignment_name=ASSIGNMENT,
        version_id=new_id(),
        version_number=1,
        user="student",
        attempt=1,
        digest="0" * 64,
        state=SubmissionState.GRADING,
        submitted_at=datetime.now(UTC),
        warnings=warnings,
    )


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
        one, two = Here(source, submissions, 1), Here(source, submissions, 2)
        rows: list[tuple[str, Callable[[], None], bool]] = [
            ("nbgrader autograde, no sandbox, one at a time", nbgrader, False),
            ("here, containers, one at a time", one, True),
            ("here, containers, two at a time", two, True),
        ]
        costs: dict[str, list[Cost]] = {name: [] for name, _, _ in rows}
        with tqdm(total=chosen.repeats * len(rows), unit="class") as progress:
            for _ in range(chosen.repeats):  # in turns, so that other load hits all alike
                for name, work, containers in rows:
                    nbgrader.prepare()
                    costs[name].append(measured(work, containers=containers))
                    progress.update()
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
