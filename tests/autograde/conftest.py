"""Notebooks built by hand, and runs as the sandbox would report them."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from jupyter_ppo.autograde.notebook_grader import NotebookGrader
from jupyter_ppo.domain.exam import CheckRun, CheckState
from jupyter_ppo.domain.sandbox import CellRun, NotebookRun, Verdict
from jupyter_ppo.domain.sealing import CellSealing, Sealing, SealState
from jupyter_ppo.domain.submissions import Submission, SubmissionState

Cell = dict[str, Any]


class Notebooks:
    """Makes cells, notebooks and runs."""

    def text(self, source: str, **metadata: Any) -> Cell:
        return {"cell_type": "markdown", "source": source, "metadata": metadata}

    def code(self, source: str, **metadata: Any) -> Cell:
        return {
            "cell_type": "code",
            "source": source,
            "metadata": metadata,
            "outputs": [],
            "execution_count": None,
        }

    def marked(self, cell: Cell, grade_id: str, **changes: Any) -> Cell:
        meta = {"schema_version": 3, "grade_id": grade_id, "grade": False, "locked": False}
        meta |= {"solution": False, **changes}
        return {**cell, "metadata": {**cell["metadata"], "nbgrader": meta}}

    def solution(self, grade_id: str, source: str) -> Cell:
        return self.marked(self.code(source), grade_id, solution=True)

    def tests(self, grade_id: str, source: str, points: float = 1) -> Cell:
        return self.marked(self.code(source), grade_id, grade=True, locked=True, points=points)

    def manual(self, grade_id: str, source: str, points: float = 1) -> Cell:
        cell = self.text(source)
        return self.marked(cell, grade_id, grade=True, solution=True, points=points)

    def task(self, grade_id: str, source: str, points: float = 1) -> Cell:
        return self.marked(self.text(source), grade_id, locked=True, task=True, points=points)

    def locked(self, grade_id: str, cell: Cell) -> Cell:
        return self.marked(cell, grade_id, locked=True)

    def notebook(self, *cells: Cell, **changes: Any) -> dict[str, Any]:
        document: dict[str, Any] = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}}
        document["cells"] = [
            {"id": f"id{index}", **copy.deepcopy(cell)} for index, cell in enumerate(cells)
        ]
        return {**document, **changes}

    def data(self, *cells: Cell, **changes: Any) -> bytes:
        return json.dumps(self.notebook(*cells, **changes)).encode()

    def ran(
        self,
        notebook: dict[str, Any],
        outputs: Mapping[int, Sequence[dict[str, Any]]] | None = None,
        *,
        unfinished: Sequence[int] = (),
        verdict: Verdict = Verdict.RAN,
        detail: str = "",
        checks: Sequence[CheckRun] = (),
    ) -> NotebookRun:
        executed = copy.deepcopy(notebook)
        for index, found in (outputs or {}).items():
            executed["cells"][index]["outputs"] = list(found)
        # As in the sandbox: the first one was cut short, those after it were never begun.
        never_begun = sorted(unfinished)[1:]
        cells = tuple(
            CellRun(index, index not in unfinished, 0.0 if index in never_begun else 0.01)
            for index, cell in enumerate(executed["cells"])
            if cell["cell_type"] == "code" and cell["source"].strip()
        )
        return NotebookRun(executed, verdict, detail, cells, 0.5, checks=tuple(checks))

    def sealing(
        self,
        states: Mapping[str, SealState],
        contract: Sequence[str] = (),
        changes: Sequence[str] = (),
    ) -> Sealing:
        cells = tuple(
            CellSealing(name, state, contract=tuple(contract), changes=tuple(changes))
            for name, state in states.items()
        )
        now = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
        return Sealing(uuid4(), cells, now, 1.0)

    def check(self, index: int, state: CheckState = CheckState.PASSED, **parts: Any) -> CheckRun:
        return CheckRun(index, state, **parts)

    def failed(self, index: int, error_type: str, message: str = "", **parts: Any) -> CheckRun:
        return CheckRun(
            index, CheckState.FAILED, error_type=error_type, error_message=message, **parts
        )

    def submission(self, **changes: Any) -> Submission:
        values: dict[str, Any] = {
            "id": uuid4(),
            "course_id": uuid4(),
            "course_name": "rl",
            "assignment_id": uuid4(),
            "assignment_name": "squares",
            "version_id": uuid4(),
            "version_number": 1,
            "user": "ada",
            "attempt": 2,
            "digest": "0" * 64,
            "state": SubmissionState.GRADING,
            "submitted_at": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        }
        return Submission(**{**values, **changes})

    def error(self, name: str, value: str, *lines: str) -> dict[str, Any]:
        return {"output_type": "error", "ename": name, "evalue": value, "traceback": list(lines)}

    def result(self, text: Any) -> dict[str, Any]:
        data = {"text/plain": text}
        return {
            "output_type": "execute_result",
            "data": data,
            "metadata": {},
            "execution_count": 1,
        }

    def stream(self, name: str, text: str) -> dict[str, Any]:
        return {"output_type": "stream", "name": name, "text": text}

    def display(self, **data: Any) -> dict[str, Any]:
        found = {name.replace("_", "/", 1): value for name, value in data.items()}
        return {"output_type": "display_data", "data": found, "metadata": {}}


@pytest.fixture(scope="session")
def make() -> Notebooks:
    return Notebooks()


@pytest.fixture(scope="session")
def grader() -> NotebookGrader:
    return NotebookGrader()


@pytest.fixture(scope="session")
def source(make: Notebooks) -> bytes:
    """A small author's notebook with every kind of cell."""
    return make.data(
        make.locked("intro", make.text("# Squares")),
        make.solution(
            "square",
            "def square(x):\n    ### BEGIN SOLUTION\n    return x * x\n    ### END SOLUTION",
        ),
        make.code("square(3)"),
        make.tests(
            "square_works",
            "assert square(2) == 4\n### BEGIN HIDDEN TESTS\nassert square(12) == 144\n"
            "### END HIDDEN TESTS",
            points=3,
        ),
        make.manual("why", "Because it is multiplied by itself.", points=2),
        make.task(
            "explore",
            "Explore.\n=== BEGIN MARK SCHEME ===\nAnything goes.\n=== END MARK SCHEME ===",
            points=4,
        ),
    )
