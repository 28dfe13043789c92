"""The grader as the services use it for sealed tests: exam, calibration, personal seeds."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import nbformat
import pytest

from jupyter_ppo.autograde.notebook_grader import NotebookGrader
from jupyter_ppo.domain.errors import InvalidNotebookError
from jupyter_ppo.domain.exam import CheckRun, CheckState
from jupyter_ppo.domain.sealing import SealState

TESTS = 3


@pytest.fixture
def notebook(grader: NotebookGrader, source: bytes) -> dict[str, Any]:
    """The reference solution, restored."""
    return grader.restore(source, source)


def test_a_release_says_of_each_test_cell_how_it_will_be_run(
    grader: NotebookGrader, make: Any
) -> None:
    unsealed = make.tests("open", "assert f(2)")
    unsealed["metadata"]["tags"] = ["unsealed"]
    source = make.data(make.solution("f", "f = abs"), make.tests("closed", "assert f(1)"), unsealed)
    released = grader.release(source)
    assert {cell.grade_id: cell.state for cell in released.cells} == {
        "closed": SealState.SEALED,
        "open": SealState.UNSEALED,
    }
    exam = grader.exam(source, grader.restore(source, released.release), None)
    assert exam is not None
    assert exam.tests == {1}


def test_an_exam_without_a_sealing_records_and_one_with_it_allows(
    grader: NotebookGrader, make: Any, source: bytes, notebook: dict[str, Any]
) -> None:
    first = grader.exam(source, notebook, None)
    assert first is not None
    assert (first.is_recording, first.tests, first.student_names) == (True, {TESTS}, {"square"})
    sealing = make.sealing({"square_works": SealState.SEALED}, ["Vec.__mul__"])
    second = grader.exam(source, notebook, sealing)
    assert second is not None
    assert not second.is_recording
    assert second.cells[-1].contract == {"Vec.__mul__"}
    assert first.key == second.key
    other = source.replace(b"squares", b"cubes").replace(b"144", b"1728")
    third = grader.exam(other, grader.restore(other, other), None)
    assert third is not None
    assert third.key != first.key


def test_hidden_tests_are_in_the_exam(
    grader: NotebookGrader, source: bytes, notebook: dict[str, Any]
) -> None:
    exam = grader.exam(source, notebook, None)
    assert exam is not None
    assert "square(12) == 144" in exam.cells[-1].code


def test_a_notebook_without_sealed_tests_has_no_exam_and_keeps_what_reading_it_says(
    grader: NotebookGrader, make: Any
) -> None:
    cell = make.tests("open", "assert True")
    cell["metadata"]["tags"] = ["unsealed"]
    source = make.data(cell)
    notebook = grader.restore(source, source)
    assert grader.exam(source, notebook, None) is None
    (found,) = grader.sealing(source, make.ran(notebook), None)
    assert (found.grade_id, found.state, found.contract) == ("open", SealState.UNSEALED, ())


def test_a_test_that_passes_at_the_examiners_is_sealed_with_what_it_needs(
    grader: NotebookGrader, make: Any, source: bytes, notebook: dict[str, Any]
) -> None:
    check = make.check(TESTS, uses=frozenset({"Vec.__mul__"}), mutations=("square(argument 1)",))
    (found,) = grader.sealing(source, make.ran(notebook, checks=[check]), None)
    assert found.state is SealState.SEALED
    assert (found.contract, found.changes) == (("Vec.__mul__",), ("square(argument 1)",))
    # What the reference changes is no news for a student whose test failed.
    sealing = make.sealing({"square_works": SealState.SEALED}, changes=found.changes)
    failed = make.failed(TESTS, "AssertionError", line=1, mutations=check.mutations)
    run = make.ran(notebook, checks=[failed])
    grades = grader.score(notebook, run, grader.release(source).exercises, sealing)
    assert grades[0].reason == "A test failed in line 1: assert square(2) == 4"


@pytest.mark.parametrize(
    ("outputs", "state"),
    [
        ((), SealState.CANNOT_SEAL),
        (("stderr",), SealState.CANNOT_SEAL),
        (("3",), SealState.CANNOT_SEAL),
        (("error",), SealState.REFERENCE_FAILS),
        (("2",), SealState.REFERENCE_FAILS),
    ],
)
def test_a_test_that_fails_there_is_judged_by_the_run_in_one_kernel(
    grader: NotebookGrader, make: Any, source: bytes, notebook: Any, outputs: Any, state: SealState
) -> None:
    made = {"stderr": make.stream("stderr", "careful"), "error": make.error("ValueError", "no")}
    plain = make.ran(notebook, {TESTS: [made.get(item) or make.result(item) for item in outputs]})
    sealed = make.ran(notebook, checks=[make.failed(TESTS, "TypeError", "autograd", line=1)])
    (found,) = grader.sealing(source, sealed, plain)
    assert (found.state, found.contract) == (state, ())
    assert "autograd" in found.reason


def test_a_test_that_neither_run_came_to_fails_the_reference(
    grader: NotebookGrader, make: Any, source: bytes, notebook: dict[str, Any]
) -> None:
    lost = CheckRun(TESTS, CheckState.NOT_RUN)
    sealed = replace(make.ran(notebook, unfinished=[TESTS]), checks=(lost,))
    (found,) = grader.sealing(source, sealed, make.ran(notebook, unfinished=[TESTS]))
    assert found.state is SealState.REFERENCE_FAILS


@pytest.fixture
def seeded(make: Any) -> bytes:
    """An assignment whose data come from a seed of each student's own."""
    data: bytes = make.data(
        make.locked("data", make.code("SEED = 0  ### STUDENT SEED\nrows = draw(SEED)")),
        make.solution("f", "### BEGIN SOLUTION\nf = 1\n### END SOLUTION\nSEED = 0"),
        make.tests("t", "TWIN = 1 ### STUDENT SEED\nassert f == TWIN"),
    )
    return data


def test_a_students_copy_and_what_is_run_have_the_same_seed_of_theirs(
    grader: NotebookGrader, seeded: bytes
) -> None:
    assert grader.uses_seed(seeded)
    copy = grader.personal(grader.release(seeded).release, 77)
    nbformat.reads(copy.decode(), as_version=4)
    cells = [cell["source"] for cell in json.loads(copy)["cells"]]
    assert "SEED = 77  ### STUDENT SEED" in "".join(cells[0])
    assert "SEED = 0" in "".join(cells[1])
    restored = grader.restore(seeded, copy, 77)
    assert "SEED = 77  ###" in restored["cells"][0]["source"]
    assert "TWIN = 77 ###" in restored["cells"][2]["source"]
    assert "TWIN = 77 ###" in restored["cells"][2]["metadata"]["jupyter_ppo"]["release_source"]
    exam = grader.exam(seeded, restored, None)
    assert exam is not None
    codes = "\n".join(cell.code for cell in exam.cells)
    assert "SEED = 77" in codes
    assert "TWIN = 77" in codes
    assert "= 0" not in codes
    # The sealing is the version's: it is found by runs without a seed.
    plain = grader.exam(seeded, grader.restore(seeded, copy), None)
    assert plain is not None
    assert plain.key == exam.key
    assert "SEED = 0" in plain.cells[0].code


@pytest.mark.parametrize(
    "line",
    [
        "SEED = int(7)  # STUDENT SEED",
        "SEED = 7  # STUDENT SEED of this class",
        "SEED: int = 7  # STUDENT SEED",
        "# STUDENT SEED",
    ],
)
def test_a_mark_that_would_have_no_effect_is_refused_with_its_cell_and_line(
    grader: NotebookGrader, make: Any, line: str
) -> None:
    source = make.data(
        make.text("`seed = f()  # STUDENT SEED` is prose here"),
        make.locked("data", make.code(f"import math\n{line}")),
        make.tests("t", "assert f == 1"),
    )
    with pytest.raises(InvalidNotebookError, match=r"'data'.*line 2 .*'name = 7  # STUDENT SEED'"):
        grader.release(source)
    assert not grader.uses_seed(source)


def test_a_seeds_mark_where_students_write_is_refused(grader: NotebookGrader, make: Any) -> None:
    line, tests = "SEED = 7  # STUDENT SEED", make.tests("t", "assert f == 1")
    for cell in (make.solution("f", f"{line}\nf = 1"), make.code(line)):
        with pytest.raises(InvalidNotebookError, match=r"line 1 .*Read-only"):
            grader.release(make.data(cell, tests))


def test_the_seed_is_the_servers_and_not_what_the_submission_says(
    grader: NotebookGrader, seeded: bytes
) -> None:
    document = json.loads(grader.personal(grader.release(seeded).release, 77))
    document["metadata"]["jupyter_ppo"] = {"seed": 1}
    restored = grader.restore(seeded, json.dumps(document).encode(), 78)
    exam = grader.exam(seeded, restored, None)
    assert exam is not None
    assert "SEED = 78" in exam.cells[0].code
    without = grader.exam(seeded, grader.restore(seeded, json.dumps(document).encode()), None)
    assert without is not None
    assert "SEED = 0" in without.cells[0].code


def test_an_assignment_without_the_mark_uses_no_seed(grader: NotebookGrader, source: bytes) -> None:
    assert not grader.uses_seed(source)
    assert grader.restore(source, source, 5)["cells"] == grader.restore(source, source)["cells"]
