"""A seed of each student's own, in locked code cells only."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_ppo.autograde.sealing.seeds import personal_seed, uses_personal_seed


@pytest.fixture(scope="module")
def noted(write: Any) -> Any:
    def made(kind: str, text: str) -> dict[str, Any]:
        return dict(json.loads(write((kind, text))))

    return made


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 2**63 - 1))
def test_the_marked_number_becomes_the_students_seed(noted: Any, seed: int) -> None:
    notebook = noted("given", "import x\nSEED = 1  ### STUDENT SEED\nN = 3")
    assert uses_personal_seed(notebook)
    made = personal_seed(notebook, seed)
    assert made["cells"][0]["source"] == f"import x\nSEED = {seed}  ### STUDENT SEED\nN = 3"
    assert notebook["cells"][0]["source"].startswith("import x\nSEED = 1 ")
    assert personal_seed(made, 1) == notebook


def test_the_seed_reaches_test_cells_too(noted: Any) -> None:
    notebook = noted("test", "    rng = 12 # STUDENT SEED")
    assert personal_seed(notebook, 7)["cells"][0]["source"] == "    rng = 7 # STUDENT SEED"


@pytest.mark.parametrize("kind", ["answer", "loose"])
def test_cells_that_the_student_writes_in_are_left_alone(noted: Any, kind: str) -> None:
    notebook = noted(kind, "SEED = 1  ### STUDENT SEED")
    assert not uses_personal_seed(notebook)
    assert personal_seed(notebook, 5) == notebook


@pytest.mark.parametrize(
    "line",
    ["SEED = f(1)  ### STUDENT SEED", "SEED = 1", "### STUDENT SEED", "print(1) # STUDENT SEED"],
)
def test_other_lines_are_left_alone(noted: Any, line: str) -> None:
    notebook = noted("given", line)
    assert not uses_personal_seed(notebook)
    assert personal_seed(notebook, 5) == notebook
