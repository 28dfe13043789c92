"""Each chapter, graded as the service does it: the solution gets all points, the skeleton none."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from jupyter_ppo.autograde.notebook_grader import NotebookGrader
from jupyter_ppo.domain.exam import Exam
from jupyter_ppo.domain.sandbox import NotebookRun, SandboxLimits, Verdict
from jupyter_ppo.domain.sealing import Sealing, SealState
from jupyter_ppo.sandbox.notebook import ContainerSandbox

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
CHAPTERS = tuple(path.stem for path in sorted(NOTEBOOKS.glob("[0-9][0-9]-*.ipynb")))

pytestmark = [pytest.mark.docker, pytest.mark.image]


def run(notebook: dict[str, Any], exam: Exam | None) -> NotebookRun:
    ran = asyncio.run(ContainerSandbox().run(notebook, SandboxLimits(), exam))
    assert ran.verdict is Verdict.RAN, ran.detail
    return ran


@pytest.mark.parametrize("name", CHAPTERS)
def test_the_solution_gets_all_points_and_the_skeleton_none(name: str) -> None:
    grader = NotebookGrader()
    source = (NOTEBOOKS / f"{name}.ipynb").read_bytes()
    released = grader.release(source)
    reference = grader.restore(source, source)
    ran = run(reference, grader.exam(source, reference, None))
    failed = [output for output in map(json.dumps, ran.notebook["cells"]) if "Traceback" in output]
    assert not failed, failed
    cells = grader.sealing(source, ran, None)
    assert {cell.state for cell in cells} == {SealState.SEALED}, cells
    sealing = Sealing(uuid4(), cells, datetime.now(UTC), 1.0)

    grades = grader.score(reference, ran, released.exercises, sealing)
    automatic = [item for item in grades if not item.needs_review]
    assert [item.points for item in automatic] == [item.max_points for item in automatic], grades
    assert len(automatic) == len(grades) - 1

    notebook = grader.restore(source, released.release)
    for cell in notebook["cells"]:
        if "nbgrader" not in cell["metadata"]:
            cell["source"] = ""  # trained once is enough
    ran = run(notebook, grader.exam(source, notebook, sealing))
    grades = grader.score(notebook, ran, released.exercises, sealing)
    assert {item.points for item in grades} == {0.0}, grades
