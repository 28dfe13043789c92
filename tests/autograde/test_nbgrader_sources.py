"""Which of the notebooks in nbgrader's own tests and documentation can be a source here.

Those that can are graded by both in test_nbgrader_fidelity.py.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nbgrader
import pytest

from jupyter_ppo.autograde.notebook_grader import NotebookGrader
from jupyter_ppo.domain.errors import InvalidNotebookError

ROOT = Path(nbgrader.__file__).parent
APPS, PREPROCESSORS, UI = (f"tests/{room}/files" for room in ("apps", "preprocessors", "ui-tests"))
MANUAL = "docs/source/user_guide"

SOURCES = (
    f"{APPS}/submitted-changed.ipynb",
    f"{APPS}/test.ipynb",
    f"{APPS}/test-hidden-tests.ipynb",
    f"{PREPROCESSORS}/test_taskcell.ipynb",
    f"{APPS}/timeout.ipynb",
    f"{APPS}/validation-zero-points.ipynb",
    f"{APPS}/validating-environment-variable.ipynb",
    f"{APPS}/open_relative_file.ipynb",
    f"{PREPROCESSORS}/manually-graded-code-cell.ipynb",
    f"{MANUAL}/source/ps1/problem1.ipynb",
    f"{MANUAL}/source/ps1/problem2.ipynb",
)
"""Graded by both as they are; those with AUTOTEST once nbgrader has made tests of it."""

REFUSED = {
    "the notebook has no graded cell": (
        f"{APPS}/infinite-loop-with-output.ipynb",
        f"{APPS}/infinite-loop.ipynb",
        f"{APPS}/side-effects.ipynb",
        f"{PREPROCESSORS}/cell-type-changed.ipynb",
        f"{PREPROCESSORS}/header.ipynb",
        f"{PREPROCESSORS}/infinite-recursion.ipynb",
        f"{PREPROCESSORS}/long-output.ipynb",
        f"{PREPROCESSORS}/no-cell-type.ipynb",
        f"{PREPROCESSORS}/warning-pattern.ipynb",
        f"{UI}/blank.ipynb",
        f"{UI}/empty.ipynb",
        f"{UI}/old-schema.ipynb",
        f"{UI}/task.ipynb",
        f"{MANUAL}/source/header.ipynb",
        f"{MANUAL}/managing_assignment_files.ipynb",
        f"{MANUAL}/managing_assignment_files_manually.ipynb",
        f"{MANUAL}/managing_the_database.ipynb",
    ),
    "this looks like the students' copy": (
        *(f"{APPS}/autotest-{kind}-unchanged.ipynb" for kind in ("hashed", "hidden", "multi")),
        f"{APPS}/autotest-simple-unchanged.ipynb",
        *(
            f"{room}/submitted-{kind}.ipynb"
            for room in (APPS, PREPROCESSORS, UI)
            for kind in ("unchanged", "grade-cell-changed", "locked-cell-changed")
        ),
        f"{MANUAL}/release/ps1/problem1.ipynb",
    ),
    # The tests that nbgrader makes of these are graded below.
    "AUTOTEST needs a run of the solution": (
        *(f"{APPS}/autotest-{kind}.ipynb" for kind in ("hashed", "hidden", "multi", "simple")),
        f"{MANUAL}/source/ps1_autotest/problem1.ipynb",
    ),
    "BEGIN SOLUTION belongs in a cell of kind": (
        f"{APPS}/test-no-metadata-autotest.ipynb",
        f"{APPS}/test-no-metadata.ipynb",
    ),
    "BEGIN MARK SCHEME belongs in a cell of kind": (
        f"{MANUAL}/creating_and_grading_assignments.ipynb",
    ),
    "nbgrader metadata version 10 is newer than 3": (f"{APPS}/too-new.ipynb",),
    "'None' is not a grade_id": (
        f"{APPS}/test-v0-invalid.ipynb",
        f"{PREPROCESSORS}/bad-markdown-cell-2.ipynb",
    ),
    "'' is not a grade_id": (f"{PREPROCESSORS}/blank-grade-id.ipynb",),
    "a graded cell needs a number of points": (f"{PREPROCESSORS}/blank-points.ipynb",),
    "the 1st and the 2nd cell have this grade_id": (f"{PREPROCESSORS}/duplicate-grade-ids.ipynb",),
    "tests must be a code cell": (
        f"{PREPROCESSORS}/bad-markdown-cell-1.ipynb",
        f"{PREPROCESSORS}/submitted-grade-cell-type-changed.ipynb",
        f"{UI}/submitted-grade-cell-type-changed.ipynb",
    ),
    "Markdown solution cell is not marked as a grade cell": (
        f"{PREPROCESSORS}/submitted-answer-cell-type-changed.ipynb",
        f"{UI}/submitted-answer-cell-type-changed.ipynb",
    ),
}

NOSE = f"{PREPROCESSORS}/test.ipynb"
SAME_AS_SQUARES = ("test-v0", "test-v1", "test-v2", "test-with-output")
"""The notebook "squares" with older metadata, which ``nbgrader update`` brings up to date."""

OTHERS = (
    # Submissions, or nbgrader's copies of one: good as sources as far as their form goes.
    *(f"{APPS}/submitted-cheat-attempt{kind}.ipynb" for kind in ("", "-alternative")),
    *(f"{APPS}/autotest-{kind}-changed.ipynb" for kind in ("hashed", "multi", "simple")),
    *(f"{APPS}/autotest-hidden-changed-{kind}.ipynb" for kind in ("right", "wrong")),
    *(
        f"{MANUAL}/{folder}/{student}/ps1/{name}.ipynb"
        for folder in ("autograded", "submitted")
        for student in ("bitdiddle", "hacker")
        for name in ("problem1", "problem2")
    ),
    f"{MANUAL}/downloaded/ps1/archive/ps1_hacker_attempt_2016-01-30-20-30-10_problem1.ipynb",
    f"{MANUAL}/release/ps1/problem2.ipynb",
    # The same as others.
    *(f"{APPS}/{name}.ipynb" for name in SAME_AS_SQUARES),
    *(f"{room}/submitted-changed.ipynb" for room in (PREPROCESSORS, UI)),
    f"{UI}/open_relative_file.ipynb",
    NOSE,
    f"{MANUAL}/source/ps1_autotest/problem2.ipynb",
)


def in_nbgrader(path: str) -> bytes:
    """Return a file of nbgrader's, with unittest where it uses nose, which is no more."""
    text = (ROOT / path).read_text(encoding="utf-8")
    for name, method in (("assert_equal", "assertEqual"), ("assert_raises", "assertRaises")):
        ours = f"import unittest; {name} = unittest.TestCase().{method}"
        text = text.replace(f"from nose.tools import {name}", ours)
    assert "nose" not in text
    return text.encode()


def test_every_notebook_of_nbgraders_is_in_a_table() -> None:
    there = {
        str(path.relative_to(ROOT))
        for folder in ("tests/*/files", MANUAL)
        for path in ROOT.glob(f"{folder}/**/*.ipynb")
    }
    refused = {path for paths in REFUSED.values() for path in paths}
    assert there == {*SOURCES, *OTHERS} | refused
    assert not refused & set(OTHERS)


@pytest.mark.parametrize(
    ("path", "reason"),
    [(path, reason) for reason, paths in REFUSED.items() for path in paths],
)
def test_what_cannot_be_a_source_is_refused_with_the_reason(
    grader: NotebookGrader, path: str, reason: str
) -> None:
    with pytest.raises(InvalidNotebookError) as caught:
        grader.release((ROOT / path).read_bytes())
    assert reason in caught.value.message


@pytest.mark.parametrize(
    "path",
    sorted({*SOURCES, *OTHERS} - {path for paths in REFUSED.values() for path in paths}),
)
def test_what_can_be_a_source_is_released(grader: NotebookGrader, path: str) -> None:
    assert grader.release((ROOT / path).read_bytes()).exercises


@pytest.mark.parametrize("name", SAME_AS_SQUARES)
def test_older_metadata_make_the_same_exam(grader: NotebookGrader, name: str) -> None:
    squares, older = in_nbgrader(f"{APPS}/test.ipynb"), in_nbgrader(f"{APPS}/{name}.ipynb")
    first, second = (examined(grader, source) for source in (squares, older))
    assert first == second
    assert first[1]


def test_the_notebook_with_a_task_has_the_exam_of_the_one_without(grader: NotebookGrader) -> None:
    exams = [
        examined(grader, in_nbgrader(path))
        for path in (NOSE, f"{PREPROCESSORS}/test_taskcell.ipynb")
    ]
    first, second = ([cell.code for cell in exam[2]] for exam in exams)
    assert first == second
    assert exams[0][3:5] == exams[1][3:5]


@pytest.mark.parametrize(
    "kind",
    [
        "changed",
        "unchanged",
        "grade-cell-changed",
        "locked-cell-changed",
        "answer-cell-type-changed",
        "grade-cell-type-changed",
    ],
)
def test_what_is_there_twice_is_the_same(kind: str) -> None:
    paths = (ROOT / room / f"submitted-{kind}.ipynb" for room in (APPS, PREPROCESSORS, UI))
    first, *others = (json.loads(path.read_bytes())["cells"] for path in paths if path.exists())
    for other in others:
        assert [shown(cell) for cell in other] == [shown(cell) for cell in first]
    assert others


def shown(cell: dict[str, Any]) -> tuple[str, str, Any]:
    return cell["cell_type"], "".join(cell["source"]), cell["metadata"].get("nbgrader")


def examined(grader: NotebookGrader, source: bytes) -> tuple[Any, ...]:
    """Return what decides about points: exercises, and what runs on either side."""
    notebook = grader.restore(source, source)
    exam = grader.exam(source, notebook, None)
    assert exam is not None
    students = [
        "".join(cell["source"])
        for index, cell in enumerate(notebook["cells"])
        if index not in exam.tests
    ]
    exercises = [
        (exercise.grade_id, exercise.kind, exercise.points)
        for exercise in grader.release(source).exercises
    ]
    return exercises, exam.tests, exam.cells, exam.student_names, exam.modules, students
