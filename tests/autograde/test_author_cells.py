"""What the author's tools in JupyterLab write is what nbgrader and we read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell
from nbgrader.nbgraderformat import MetadataValidator, ValidationError

from jupyter_ppo.autograde.cells import kind_of
from jupyter_ppo.domain.courses import CellKind

# The front end's own tests assert that it writes exactly these.
FIXTURE = Path(__file__).parents[2] / "labextension" / "src" / "__tests__" / "authorCells.json"
CASES: list[dict[str, Any]] = json.loads(FIXTURE.read_text("utf-8"))
KINDS = {
    "tests": CellKind.TESTS,
    "solution": CellKind.SOLUTION,
    "manual": CellKind.MANUAL,
    "task": CellKind.TASK,
    "readonly": CellKind.READ_ONLY,
}


def cell(case: dict[str, Any]) -> Any:
    make = new_code_cell if case["cell_type"] == "code" else new_markdown_cell
    return make("x", metadata={"nbgrader": case["metadata"]})


def test_every_kind_is_there() -> None:
    assert [case["kind"] for case in CASES] == list(KINDS)


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["kind"]))
def test_nbgraders_validator_takes_each_kind_as_it_is(case: dict[str, Any]) -> None:
    written = cell(case)
    MetadataValidator().validate_cell(written)
    upgraded = MetadataValidator().upgrade_cell_metadata(cell(case))
    assert upgraded.metadata == written.metadata
    assert kind_of(written) is KINDS[case["kind"]]


def test_nbgraders_validator_refuses_what_we_refuse() -> None:
    for change in ({"points": -1}, {"grade_id": "a b"}, {"more": 1}):
        case = {**CASES[0], "metadata": {**CASES[0]["metadata"], **change}}
        with pytest.raises(ValidationError):
            MetadataValidator().validate_cell(cell(case))
