"""What the runs on the reference solution say of each test cell."""

from __future__ import annotations

from typing import Any

from jupyter_ppo.autograde.cells import grade_id_of, kind_of, nbgrader_of
from jupyter_ppo.autograde.points import is_full
from jupyter_ppo.autograde.score import result_text
from jupyter_ppo.autograde.sealing.exam import test_cell_sealings
from jupyter_ppo.autograde.sealing.verdicts import sealings_of_runs
from jupyter_ppo.domain.courses import CellKind
from jupyter_ppo.domain.exam import Exam
from jupyter_ppo.domain.sandbox import NotebookRun
from jupyter_ppo.domain.sealing import CellSealing


def sealings_of(
    source: dict[str, Any], exam: Exam | None, sealed: NotebookRun, plain: NotebookRun | None
) -> tuple[CellSealing, ...]:
    """Return each test cell's sealing.

    ``source`` is the author's notebook with complete metadata; ``exam`` is what ``sealed`` was
    given, None if every test is marked as unsealed.
    """
    if exam is None:
        return test_cell_sealings(source)
    passed = {} if plain is None else _passed(plain)
    return sealings_of_runs(source, exam, sealed, plain, passed.get)


def _passed(run: NotebookRun) -> dict[str, bool]:
    """Return which test cells passed in one kernel; what they wrote on stderr does not count."""
    return {
        name: index in run.finished and _is_full(cell)
        for index, cell in enumerate(run.notebook["cells"])
        if kind_of(cell) is CellKind.TESTS and (name := grade_id_of(cell)) is not None
    }


def _is_full(cell: dict[str, Any]) -> bool:
    outputs = cell.get("outputs", [])
    if any(output.get("output_type") == "error" for output in outputs):
        return False
    results = [item for item in outputs if item.get("output_type") == "execute_result"]
    if not results:
        return True
    return is_full(result_text(results[0]), float(nbgrader_of(cell).get("points") or 0))
