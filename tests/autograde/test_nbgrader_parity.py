"""nbgrader's own quickstart course, graded by nbgrader and here: the same points, cell by cell."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from jupyter_ppo.autograde.notebook_grader import NotebookGrader
from jupyter_ppo.domain.courses import CellKind
from jupyter_ppo.domain.sandbox import NotebookRun, SandboxLimits, Verdict
from jupyter_ppo.domain.sealing import Sealing, SealState
from jupyter_ppo.sandbox.notebook import ContainerSandbox

NOTEBOOKS = ("problem1", "problem2")
HALF_RIGHT = {
    "squares": "def squares(n):\n    return [i ** 2 for i in range(1, n + 1)]",
    "sum_of_squares": "def sum_of_squares(n):\n    return sum(i ** 2 for i in range(1, n + 1))",
    "sum_of_squares_equation": "$n^2$",
}
# Two commands of nbgrader are run, a few seconds each on a quiet machine.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


def nbgrader(course: Path, *arguments: str) -> None:
    """Run a command in the course folder as a teacher would."""
    programs = str(Path(sys.executable).parent)  # nbgrader calls alembic by name
    environment = {**os.environ, "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}
    environment.pop("PYTHONWARNINGS", None)
    done = subprocess.run(
        [sys.executable, "-m", "nbgrader", *arguments],
        cwd=course,
        env=environment,
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]


def answered(release: dict[str, Any], answers: dict[str, str]) -> dict[str, Any]:
    for cell in release["cells"]:
        name = cell["metadata"].get("nbgrader", {}).get("grade_id")
        cell["source"] = answers.get(name, cell["source"])
    return release


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The quickstart course with ps1 released by nbgrader.

    ``nbgrader quickstart`` copies these files and names the header in the configuration; doing
    that here saves two starts of nbgrader.
    """
    import nbgrader as package

    root = tmp_path_factory.mktemp("nbgrader") / "course"
    example = Path(package.__file__).parent / "docs" / "source" / "user_guide" / "source"
    shutil.copytree(example / "ps1", root / "source" / "ps1")
    shutil.copy(example / "header.ipynb", root / "source")
    config = 'c = get_config()\nc.IncludeHeaderFooter.header = "source/header.ipynb"\n'
    (root / "nbgrader_config.py").write_text(config, encoding="utf-8")
    nbgrader(root, "generate_assignment", "ps1")
    return root


@pytest.fixture(scope="module")
def sources(course: Path) -> dict[str, bytes]:
    return {name: (course / f"source/ps1/{name}.ipynb").read_bytes() for name in NOTEBOOKS}


@pytest.fixture(scope="module")
def submissions(course: Path, sources: dict[str, bytes]) -> dict[tuple[str, str], bytes]:
    """What each student sends: the untouched release, the right answers, half of them."""
    found: dict[tuple[str, str], bytes] = {}
    for name in NOTEBOOKS:
        right = {
            cell["metadata"]["nbgrader"]["grade_id"]: cell["source"]
            for cell in json.loads(sources[name])["cells"]
            if cell["metadata"].get("nbgrader", {}).get("solution")
        }
        kinds = (("untouched", {}), ("right", right), ("half", {**right, **HALF_RIGHT}))
        for student, answers in kinds:
            release = json.loads((course / f"release/ps1/{name}.ipynb").read_bytes())
            found[student, name] = json.dumps(answered(release, answers)).encode()
    return found


@pytest.fixture(scope="module")
def theirs(
    course: Path, submissions: dict[tuple[str, str], bytes]
) -> dict[tuple[str, str, str], tuple[float | None, float]]:
    """The points of ``nbgrader autograde``, by student, notebook and grade_id."""
    from nbgrader.api import Gradebook

    for (student, name), data in submissions.items():
        folder = course / "submitted" / student / "ps1"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.ipynb").write_bytes(data)
        shutil.copy(course / "source/ps1/jupyter.png", folder)
    nbgrader(course, "autograde", "ps1", "--create")
    with Gradebook(f"sqlite:///{course}/gradebook.db") as book:
        return {
            (submission.student.id, notebook.name, grade.name): (grade.auto_score, grade.max_score)
            for submission in book.assignment_submissions("ps1")
            for notebook in submission.notebooks
            for grade in notebook.grades
        }


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_our_release_is_nbgraders_release(
    course: Path, sources: dict[str, bytes], grader: NotebookGrader, name: str
) -> None:
    ours = [shown(cell) for cell in json.loads(grader.release(sources[name]).release)["cells"]]
    document = json.loads((course / f"release/ps1/{name}.ipynb").read_bytes())
    theirs = [shown(cell) for cell in document["cells"]]
    # The quickstart course puts the cells of a header notebook before every assignment.
    assert ours == theirs[-len(ours) :]


def shown(cell: dict[str, Any]) -> tuple[str, Any, str]:
    return cell["cell_type"], cell["metadata"], "".join(cell["source"])


def calibrated(
    grader: NotebookGrader, sandbox: ContainerSandbox, source: bytes
) -> tuple[Sealing, NotebookRun]:
    """What the service finds out at a version's first submission."""
    notebook = grader.restore(source, source)
    sealed = asyncio.run(
        sandbox.run(notebook, SandboxLimits(), grader.exam(source, notebook, None))
    )
    cells = grader.sealing(source, sealed, None)
    return Sealing(uuid4(), cells, datetime.now(UTC), sealed.wall_seconds), sealed


@pytest.mark.docker
@pytest.mark.image
def test_every_cell_gets_the_points_that_nbgrader_gives_and_all_are_sealed(
    sources: dict[str, bytes],
    submissions: dict[tuple[str, str], bytes],
    theirs: dict[tuple[str, str, str], tuple[float | None, float]],
    grader: NotebookGrader,
) -> None:
    sandbox = ContainerSandbox()
    sealings: dict[str, Sealing] = {}
    for name, source in sources.items():
        sealings[name], run = calibrated(grader, sandbox, source)
        found = set(sealings[name].states.values())
        assert found <= {SealState.SEALED}, (sealings[name].cells, run.detail)
    assert len(sealings["problem1"].cells) == 4  # problem2 is read by a person only
    ours: dict[tuple[str, str, str], tuple[float | None, float]] = {}
    for (student, name), data in submissions.items():
        source, sealing = sources[name], sealings[name]
        released = grader.release(source)
        exercises = released.exercises
        assert grader.check(data, released) == ()
        notebook = grader.restore(source, data)
        exam = grader.exam(source, notebook, sealing)
        run = asyncio.run(sandbox.run(notebook, SandboxLimits(), exam))
        assert run.verdict is Verdict.RAN, run.detail
        grades = grader.score(notebook, run, exercises, sealing)
        for exercise, grade in zip(exercises, grades, strict=True):
            assert grade.is_sealed
            if exercise.kind is not CellKind.TASK:  # nbgrader never scores a task by itself
                points = None if grade.needs_review else grade.points
                ours[student, name, exercise.grade_id] = (points, grade.max_points)
    assert len(ours) == 24
    assert ours == {key: value for key, value in theirs.items() if key in ours}
    assert {points for points, _ in ours.values()} == {None, 0.0, 0.5, 1.0}
